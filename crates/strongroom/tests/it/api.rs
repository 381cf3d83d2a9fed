//! The way of one datum over HTTP: collect, choices, reveal, search, tokens, entries; and who may do what.

#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests stop at the first thing that is not as they say"
)]

mod choices;
mod collect;
mod doors;
mod ends;
mod homes;
mod law;
mod ledger;
mod may;
mod notices;
mod receipts;
mod reveal;
mod shops;
mod table;
mod tokens;
mod unsubscribe;
mod window;
