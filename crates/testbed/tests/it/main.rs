//! What the test bed says of itself, and what PostgreSQL's failover keeps, as facts.
#![expect(
    clippy::disallowed_macros,
    reason = "tests say what they count, and one hears from another where its server is"
)]

mod failover;
mod guide;
mod pair;
mod proxy;
mod servers;
mod sql;
