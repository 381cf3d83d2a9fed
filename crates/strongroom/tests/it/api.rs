//! The way of one datum over HTTP: collect, reveal, search, tokens, choices, entries.
