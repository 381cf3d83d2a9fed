//! A book whose root is a chain of hashes: what the house's own does with a tree, as far as the writer can tell.

#![cfg(test)]

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::log::{Appended, LogBook, Unpack};
use crate::tx::View;

/// The log of a shop.
pub(crate) fn log_of(shop: i64) -> i64 {
    shop
}

/// Leaves so far, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edge {
    pub(crate) size: u64,
    pub(crate) root: [u8; 32],
}

impl Edge {
    pub(crate) fn add(&mut self, leaf: &[u8]) {
        self.size += 1;
        self.root = Sha256::new().chain_update(self.root).chain_update(leaf).finalize().into();
    }
}

/// Who is told what others have entered.
pub(crate) type Told = Box<dyn FnMut(&View<'_>) -> Result<(), Error> + Send>;

#[derive(Default)]
pub(crate) struct Book {
    told: Option<Told>,
    kept: BTreeMap<i64, Edge>,
    tentative: BTreeMap<i64, Edge>,
}

impl Book {
    pub(crate) fn telling(told: Option<Told>) -> Book {
        Book { told, ..Book::default() }
    }
}

impl LogBook for Book {
    fn size(&self, log: i64) -> u64 {
        self.kept.get(&log).map_or(0, |edge| edge.size)
    }

    fn append(&mut self, log: i64, leaves: &[&[u8]]) -> Result<Appended, Error> {
        let kept = self.kept.get(&log).copied().unwrap_or_default();
        let edge = self.tentative.entry(log).or_insert(kept);
        let first = edge.size;
        for leaf in leaves {
            edge.add(leaf);
        }
        Ok(Appended { first, size: edge.size, root: edge.root, tiles: Vec::new() })
    }

    fn keep(&mut self) {
        self.kept.append(&mut self.tentative);
    }

    fn discard(&mut self) {
        self.tentative.clear();
    }

    fn catch_up(&mut self, view: &View<'_>, shop: i64) -> Result<(), Error> {
        self.tentative.clear();
        let log = log_of(shop);
        let Some(head) = view.log_head(log)? else { return Ok(()) };
        let mut edge = self.kept.get(&log).copied().unwrap_or_default();
        if head.size < edge.size {
            return Err(Error::BrokenLog { log, leaf: head.size });
        }
        for leaf in Unpack(&view.leaves_packed(log, edge.size, head.size)?) {
            edge.add(leaf);
        }
        if edge.root != head.root {
            return Err(Error::BrokenLog { log, leaf: head.size });
        }
        self.kept.insert(log, edge);
        self.told.as_mut().map_or(Ok(()), |told| told(view))
    }
}
