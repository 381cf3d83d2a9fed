//! The policy in the words of others: the W3C's Data Privacy Vocabulary (DPV) and the Fides language.
//!
//! [`json_ld`] writes a policy as linked data, [`consent_record`] the record of one choice under it, [`fideslang`] a Fides system. All rest on tables that say for every word
//! of a policy which term of DPV it is, and how close the two are: [`basis`], [`purpose`], [`personal_data`],
//! [`recipient`], [`consideration`], [`Measure`], [`Right`], [`data_subject`], [`location`]. What the Chinese law has and DPV
//! has not stands in our own extension ([`pipl`]). `docs/spec/interchange.md` has every table.
//!
//! That each term exists is tested against the vocabulary itself (`data/dpv/terms.tsv`), and so is that it is of the
//! right sort: a basis is a legal basis there, a category is personal data.

mod consent;
mod fides;
mod json_ld;
pub mod pipl;
mod place;
mod tables;
mod taxonomy;
mod term;

pub use consent::{Choice, PROFILES, RECEIPT_NAMESPACE, Said, Seen, consent_record};
pub use fides::fideslang;
pub use json_ld::json_ld;
pub use place::location;
pub use tables::{Measure, Right, basis, consideration, data_subject, gdpr_basis, pipl_basis, recipient};
pub use taxonomy::{personal_data, purpose};
pub use term::{Mapped, Match, Term, Vocabulary};

/// The version of the Data Privacy Vocabulary whose terms are used.
pub const DPV_VERSION: &str = "2.2";

/// The object with further entries.
fn with(
    mut object: serde_json::Value,
    entries: impl IntoIterator<Item = (&'static str, serde_json::Value)>,
) -> serde_json::Value {
    if let Some(map) = object.as_object_mut() {
        map.extend(entries.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    object
}
