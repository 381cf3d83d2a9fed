//! Real PostgreSQL servers for tests.
//!
//! What is held: a server that all tests of a run share ([`Postgres::shared`]), private ones that a test may kill, stop or
//! fill ([`Postgres::own`]), and in either a database of a test's own with the two roles that a house has
//! ([`Postgres::database`]); a primary with its standby ([`Pair`]); a proxy that cuts, delays and parts at a chosen message
//! ([`Proxy`]); and the counting of what was acknowledged and is there ([`Load`]). `cargo xtask test --only needs` brings the programs; where they are not, what is asked for here
//! is `None`, after a line that begins with `SKIPPED`.
//!
//! Invariants:
//! - a server ends within a minute of the last process that used it, however that one ended, and its files go with it;
//! - two checkouts on one machine never share a server, and neither touches what the other one made;
//! - nobody but the user who runs the tests, and root, reaches a server without a password.
//!
//! Who may call: tests. It stops them where something is wrong, for they could say nothing without their server.
#![expect(
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "all of this crate is part of tests: it stops them where something is wrong, and says what they skip"
)]

mod binaries;
mod cluster;
mod database;
mod frames;
mod oracle;
mod own;
mod pair;
mod process;
mod proxy;
mod shared;
mod site;
mod tls;

pub use binaries::Version;
pub use cluster::Postgres;
pub use database::Database;
pub use oracle::{Answer, Load, Tally, Verdict};
pub use own::Own;
pub use pair::{Pair, Waits};
pub use proxy::{Counts, Moment, Proxy, What};
pub use site::Site;
