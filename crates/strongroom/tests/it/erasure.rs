//! Erasure, terms, epochs.
