//! The ready flows and scripts that come with Weft, within the program.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rust_embed::RustEmbed;

/// The ready flows of every pair.
#[derive(RustEmbed)]
#[folder = "../flows"]
#[include = "*.flow"]
struct Flows;

/// The scripts that they use.
#[derive(RustEmbed)]
#[folder = "../scripts"]
#[include = "*.rhai"]
struct Scripts;

/// What comes first when all flows of a pair run, by the beginning of their names: orders need
/// customers and products, products need categories.
const ORDER: [&str; 8] =
    ["categories", "products", "variants", "prices", "customer_prices", "stock", "customers", "invoices"];

/// A file that comes with Weft.
#[derive(Clone, Debug)]
pub(crate) struct ReadyFile {
    /// Its name without a folder: `orders.flow`.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: Cow<'static, [u8]>,
}

/// Pairs of systems that there are flows for, as their folders are called.
pub(crate) fn pairs() -> Vec<String> {
    let all: BTreeSet<String> =
        Flows::iter().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect();
    all.into_iter().collect()
}

/// The flows of a pair, in the order in which they should run.
pub(crate) fn flows(pair: &str) -> Vec<ReadyFile> {
    let mut all: Vec<ReadyFile> = Flows::iter()
        .filter_map(|path| {
            let name = path.strip_prefix(pair)?.strip_prefix('/')?.to_owned();
            Some(ReadyFile { name, text: Flows::get(&path)?.data })
        })
        .collect();
    let rank = |file: &ReadyFile| {
        let at = ORDER.iter().position(|begin| file.name.starts_with(begin));
        (at.unwrap_or(ORDER.len()), file.name.clone())
    };
    all.sort_by_key(rank);
    all
}

/// Every script.
pub(crate) fn scripts() -> Vec<ReadyFile> {
    Scripts::iter()
        .filter_map(|name| Some(ReadyFile { text: Scripts::get(&name)?.data, name: name.into_owned() }))
        .collect()
}
