//! What laws and platforms ask of a shop, as data, and an engine that answers questions about it.
//!
//! A [pack](Pack) holds the rules of one law or one marketplace: when a condition holds, this is so, and that is owed by then; each with its
//! article, the days on which it is law, and how sure we are of it. A [question](question::Question) has facts and answers with types; packs
//! add none. [`decide`] asks a pack about the day on which it happened, with three truth values: what rests on a fact that was not given is
//! asked of a person. [`explain`] puts that into words, with every step. [`clock`] counts as laws count.
//!
//! Everything here is a pure function of its arguments. Nothing panics, whatever the input.

pub mod bundle;
pub mod clock;
mod coming;
mod decide;
mod explain;
mod expr;
mod fact;
mod lint;
pub mod names;
mod pack;
mod packs;
pub mod question;
mod scenario;

pub use decide::{BadQuestion, Outcome, Owed, Ruling, Said, decide};
pub use explain::{Ask, Coming, Explained, ExplainedAnswer, ExplainedDuty, Step, explain};
pub use expr::{BadCondition, Expr, Op, Truth};
pub use fact::{BadFact, Fact, Facts, Kind, Text, Value, When};
pub use lint::lint;
pub use pack::{
    BadPack, Citation, Clock, Confidence, Depth, Duty, Item, Law, List, POLICY_KEYS, Pack, PackKind,
    Recipient, Rule, Says, Soon, Status, Words,
};
pub use packs::{BuiltIn, FILES, Files, built_in, built_in_ids, find_built_in, read_pack};
pub use scenario::{Scenario, read as read_scenarios};
