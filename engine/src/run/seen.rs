//! Which records were created by the page: a filter that says "certainly not" in a few bytes a
//! record, and the exact answer for the few where it does not.

use std::collections::HashSet;

use crate::store::{Fingerprint, Runs, StoreError};

/// Keys for which the first layer has room; each further one has twice as much.
const FIRST: usize = 1 << 15;

/// Bits a key, and how many of them are set: one key in a million that is new is not known for it.
const BITS: usize = 32;
const PROBES: usize = 12;

/// Times that the pages are read through for a few keys before all keys are kept in memory.
const PATIENCE: usize = 8;

/// More keys than this at once are not a few.
const FEW: usize = 8;

/// Keys that may have been seen.
#[derive(Debug, Default)]
pub(super) struct Filter {
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    words: Vec<u64>,
    keys: usize,
    room: usize,
}

/// What of a flow's past only pages know.
#[derive(Debug, Default)]
pub(super) struct Past {
    all: Option<HashSet<Fingerprint>>,
    asked: usize,
}

impl Filter {
    /// Everything that the store knows of a flow's records.
    pub(super) async fn load(store: &dyn Runs, flow: &str) -> Result<Self, StoreError> {
        let mut filter = Self::default();
        let mut after = 0;
        loop {
            let pages = store.journal_keys(flow, after).await?;
            let Some(last) = pages.last() else { break };
            after = last.number;
            for key in pages.iter().flat_map(|page| &page.keys) {
                filter.add(*key);
            }
        }
        let mut after = String::new();
        loop {
            let keys = store.other_keys(flow, &after).await?;
            for key in &keys {
                filter.add(Fingerprint::of_kept_key(key));
            }
            let Some(last) = keys.into_iter().next_back() else { return Ok(filter) };
            after = last;
        }
    }

    /// False: the key was certainly not seen.
    pub(super) fn may_have(&self, key: Fingerprint) -> bool {
        self.layers.iter().any(|layer| layer.bits(key).all(|(word, bit)| layer.word(word) & bit != 0))
    }

    pub(super) fn add(&mut self, key: Fingerprint) {
        if self.layers.last().is_none_or(|layer| layer.keys >= layer.room) {
            let room = self.layers.last().map_or(FIRST, |layer| layer.room * 2);
            self.layers.push(Layer { words: vec![0; room * BITS / 64], keys: 0, room });
        }
        let Some(layer) = self.layers.last_mut() else { return };
        layer.keys += 1;
        for (word, bit) in layer.bits(key) {
            if let Some(word) = layer.words.get_mut(word) {
                *word |= bit;
            }
        }
    }
}

impl Layer {
    fn bits(&self, key: Fingerprint) -> impl Iterator<Item = (usize, u64)> + use<> {
        let (first, step) = match key.0.as_chunks::<8>().0 {
            [first, step] => (u64::from_be_bytes(*first), u64::from_be_bytes(*step) | 1),
            _ => (0, 1),
        };
        let length = self.words.len().max(1) as u64;
        std::iter::successors(Some(first), move |at| Some(at.wrapping_add(step)))
            .take(PROBES)
            .map(move |at| (usize::try_from((at >> 6) % length).unwrap_or_default(), 1 << (at & 63)))
    }

    fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or_default()
    }
}

impl Past {
    /// Which of these records were created by the page.
    pub(super) async fn of(
        &mut self,
        store: &dyn Runs,
        flow: &str,
        keys: &[Fingerprint],
    ) -> Result<HashSet<Fingerprint>, StoreError> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        self.asked += 1;
        let keep_all = keys.len() > FEW || self.asked > PATIENCE;
        if self.all.is_none() {
            let wanted: HashSet<Fingerprint> = keys.iter().copied().collect();
            let mut found = HashSet::new();
            let mut after = 0;
            loop {
                let pages = store.journal_keys(flow, after).await?;
                let Some(last) = pages.last() else { break };
                after = last.number;
                let all = pages.iter().flat_map(|page| &page.keys);
                found.extend(all.filter(|key| keep_all || wanted.contains(*key)));
            }
            if !keep_all {
                return Ok(found);
            }
            self.all = Some(found);
        }
        let all = self.all.as_ref();
        Ok(keys.iter().filter(|key| all.is_some_and(|all| all.contains(*key))).copied().collect())
    }

    /// Takes note of a page that was settled.
    pub(super) fn add(&mut self, keys: &[Fingerprint]) {
        if let Some(all) = &mut self.all {
            all.extend(keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_known_and_hardly_anything_else_is() {
        let key = |number: usize| Fingerprint::of_key(&number.to_string());
        let mut filter = Filter::default();
        for number in 0..200_000 {
            filter.add(key(number));
        }
        assert!((0..200_000).all(|number| filter.may_have(key(number))));
        let wrong = (200_000..400_000).filter(|number| filter.may_have(key(*number))).count();
        assert!(wrong < 20, "{wrong} of 200,000 that are new are taken for known");
        let bytes: usize = filter.layers.iter().map(|layer| layer.words.len() * 8).sum();
        assert!(bytes < 200_000 * 10, "{bytes} bytes");
    }
}
