//! The way of one datum over HTTP: collect, choices, reveal, search, tokens, entries; and who may do what.

mod choices;
mod collect;
mod doors;
mod ledger;
mod reveal;
mod shops;
mod table;
mod tokens;
