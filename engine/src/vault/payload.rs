//! Records that have to be kept whole although they are masked, so that they can be tried again:
//! sealed with a key of their own, which lies in the vault. A change of the vault's key leaves
//! them as they are.

use std::sync::Arc;

use super::key::{Key, is_sealed};
use super::{Vault, damaged, unsealable};
use crate::trouble::{Kind, Trouble};

/// Where that key lies: with no connection.
const PLACE: (&str, &str) = ("", "payloads");

/// Seals and opens records of one project.
#[derive(Clone, Debug)]
pub struct Sealer(Arc<Key>);

impl Vault {
    /// The sealer of the project, its key made where there is none yet.
    pub async fn sealer(&self) -> Result<Sealer, Trouble> {
        if let Some(text) = self.get(PLACE.0, PLACE.1).await? {
            return Self::sealer_of(&text);
        }
        let key = Key::random().map_err(|reason| unsealable(&reason))?;
        if self.put_first(PLACE.0, PLACE.1, key.to_text().as_bytes()).await? {
            return Ok(Sealer(Arc::new(key)));
        }
        // Another process was quicker.
        let text = self.get(PLACE.0, PLACE.1).await?;
        Self::sealer_of(text.as_deref().map_or(&[], Vec::as_slice))
    }

    fn sealer_of(text: &[u8]) -> Result<Sealer, Trouble> {
        let key = std::str::from_utf8(text).ok().and_then(Key::parse);
        key.map(|key| Sealer(Arc::new(key))).ok_or_else(|| damaged(PLACE.0, PLACE.1))
    }

    /// A record as it was before it was sealed; one that was not is given back as it is.
    pub async fn opened(&self, flow: &str, source_key: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        if !is_sealed(&bytes) {
            return Ok(bytes);
        }
        let Some(text) = self.get(PLACE.0, PLACE.1).await? else { return Err(closed(flow, source_key)) };
        let opened = Self::sealer_of(&text)?.0.open((flow, source_key), &bytes);
        opened.map(|text| text.to_vec()).map_err(|_| closed(flow, source_key))
    }
}

impl Sealer {
    /// Seals a record.
    pub fn seal(&self, flow: &str, source_key: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.0.seal((flow, source_key), bytes).map_err(|reason| unsealable(&reason))
    }
}

fn closed(flow: &str, source_key: &str) -> Trouble {
    let message = format!("record {source_key} of flow `{flow}` was kept sealed, and its key is gone");
    Trouble::new("R083", message).kind(Kind::Store).help(
        "it is tried again as soon as the source shows it: `weft dead replay --afresh`, or `weft run --full`",
    )
}
