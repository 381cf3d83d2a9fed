//! Answers, as a file gives them and as a terminal collects them. Nothing here has been looked at yet.

use super::choices::{Doing, PartnerRole, Served};
use crate::words::Channel;
use rulebook::Words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answers of one shop. What was not answered is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// The shop's name for people.
    pub name: Words,
    /// Its id; made of the English name where it is empty.
    pub id: String,
    /// Whose consumers it serves.
    pub serves: Vec<Served>,
    /// Where it sells.
    pub sells_on: Vec<Channel>,
    /// The country in which the business has its seat.
    pub established_in: String,
    /// The name of the business and its address.
    pub address: String,
    /// The country in which the data is kept; that of the seat where it is empty.
    pub kept_in: String,
    /// Of about how many persons it has data.
    pub persons: Option<u64>,
    /// What it does besides selling and delivering.
    pub does: Vec<Doing>,
    /// Who gets data.
    pub partner: Vec<Partner>,
    /// Who answers for personal data.
    pub officer: Person,
    /// Who stands for it where it has no seat, by place: `eu`, `cn`.
    pub representative: BTreeMap<String, Person>,
}

/// Somebody who gets data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// What for.
    pub role: PartnerRole,
    /// Their name for people.
    pub name: Words,
    /// The country in which they are.
    #[serde(rename = "in")]
    pub place: String,
    /// How people reach them.
    #[serde(default)]
    pub contact: String,
}

/// A person or an office, and how to reach them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name, or the office.
    pub name: String,
    /// How to reach them.
    pub contact: String,
}
