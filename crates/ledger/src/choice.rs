//! Receipts of choices: the record of a choice in words that programs of others read, signed by the shop, with the ledger's
//! receipt that says when it was entered.
//!
//! The record is JSON-LD (`docs/spec/receipt.md`); this module reads of it only the facts that the entry commits to as well,
//! and holds each against the other.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::entry::Act;
use crate::note::{Signer, Verifier};
use crate::opening::{Opening, Tag};
use crate::receipt::{MAX_RECEIPT_BYTES, Receipt, VerifiedReceipt};
use crate::{Error, instant, jws};

/// A record of a choice, the signature over it, and the ledger's receipt.
///
/// Whoever holds it knows what somebody chose, so its Debug shows none of that.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceReceipt {
    format: Format,
    /// The record, as JSON-LD.
    pub record: Value,
    /// The same record, signed: compact JWS.
    pub jws: String,
    /// The ledger's receipt of the choice's entry.
    pub ledger: Receipt,
}

/// What a receipt of a choice has proved.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedChoice {
    /// The record, out of the signature.
    pub record: Value,
    /// The entry, its facts, and the head under which it stands.
    pub ledger: VerifiedReceipt,
}

/// A receipt of either sort, as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Of an entry of the ledger.
    Entry(Receipt),
    /// Of a choice, with its record.
    Choice(ChoiceReceipt),
}

/// A fact that the record of a choice and the entry both state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Whose choice.
    Subject,
    /// About which purpose.
    Purpose,
    /// What was said.
    Choice,
    /// When it was said.
    SaidAt,
    /// When it was entered.
    EnteredAt,
    /// When it ends by itself.
    EndsAt,
    /// Under which version of the notice.
    Notice,
    /// In which language.
    Language,
    /// Where it was said.
    Way,
    /// The words that were shown, by their digest.
    Shown,
    /// The form of the page.
    Variant,
    /// The law by which it was asked.
    Law,
}

impl ChoiceReceipt {
    /// Signs a record and puts the ledger's receipt beside it.
    ///
    /// Fails: as `jws::sign`.
    pub fn new(record: Value, ledger: Receipt, signer: &Signer) -> Result<Self, Error> {
        let text = serde_json::to_vec(&record).map_err(|_| Error::JwsMalformed)?;
        Ok(Self { format: Format, jws: jws::sign(&text, signer)?, record, ledger })
    }

    /// Which receipt of a choice does this JSON hold?
    ///
    /// Fails: `SR-LEDGER-027`, also for a later format or an unknown member. Nothing is proved yet.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_RECEIPT_BYTES {
            return Err(Error::ReceiptMalformed);
        }
        serde_json::from_str(text).map_err(|_| Error::ReceiptMalformed)
    }

    /// Is what this receipt says true, and do its parts say the same?
    ///
    /// Takes: the key of the log, which signs records as well, and the origin one expects. Fails: as `Receipt::verify` and
    /// `jws::open`; `SR-LEDGER-039` if the record that is shown is not the signed one; `SR-LEDGER-026` if the entry is not of a
    /// choice; `SR-LEDGER-040` with the first fact that record and ledger state differently.
    pub fn verify(&self, verifier: &Verifier, origin: &str) -> Result<VerifiedChoice, Error> {
        let signed = jws::open(&self.jws, verifier)?;
        let record: Value = serde_json::from_slice(&signed).map_err(|_| Error::JwsMalformed)?;
        if record != self.record {
            return Err(Error::RecordOther);
        }
        let ledger = self.ledger.verify(verifier, origin)?;
        if ledger.entry.act != Act::Chose || ledger.opening.act() != Some(Act::Chose) {
            return Err(Error::ActWrong);
        }
        same_facts(&record, &ledger)?;
        Ok(VerifiedChoice { record, ledger })
    }
}

impl VerifiedChoice {
    /// A fact, as the record says it and the ledger confirms it.
    pub fn text(&self, fact: Fact) -> Option<&str> {
        fact.in_record(&self.record)
    }
}

impl fmt::Debug for ChoiceReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChoiceReceipt").field("entry_index", &self.ledger.entry_index).finish_non_exhaustive()
    }
}

/// Which receipts does a file hold: one of either sort, or `{"receipts": […]}`?
///
/// Fails: `SR-LEDGER-027`, also if there is none.
pub fn read_all(text: &str) -> Result<Vec<Held>, Error> {
    let malformed = |_| Error::ReceiptMalformed;
    if text.len() > MAX_RECEIPT_BYTES {
        return Err(Error::ReceiptMalformed);
    }
    let mut value: Value = serde_json::from_str(text).map_err(malformed)?;
    let many = match value.get_mut("receipts").map(Value::take) {
        Some(Value::Array(many)) if !many.is_empty() => many,
        Some(_) => return Err(Error::ReceiptMalformed),
        None => vec![value],
    };
    let one = |value: Value| match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => serde_json::from_value(value).map(Held::Choice).map_err(malformed),
        _ => serde_json::from_value(value).map(Held::Entry).map_err(malformed),
    };
    many.into_iter().map(one).collect()
}

/// Does the record state what the entry commits to, and nothing of that sort besides?
fn same_facts(record: &Value, ledger: &VerifiedReceipt) -> Result<(), Error> {
    let entered = facts_of(&ledger.opening, ledger.entry.at);
    for fact in Fact::ALL {
        let (said, stood) = (fact.in_record(record), entered.get(fact).map(String::as_str));
        // What was made by the API or an import does not commit to its way; the shop's signature alone says it.
        let is_free = *fact == Fact::Way && stood.is_none();
        if said != stood && !is_free {
            return Err(Error::RecordUnlike { fact: *fact });
        }
    }
    let said = entered.get(&Fact::Choice).map(String::as_str);
    let term = status(record).and_then(|status| status.get("@type")).and_then(Value::as_str);
    if STATES
        .iter()
        .any(|(choice, terms)| Some(*choice) == said && term.is_some_and(|term| terms.contains(&term)))
    {
        Ok(())
    } else {
        Err(Error::RecordUnlike { fact: Fact::Choice })
    }
}

/// What the entry of a choice commits to, each fact as a record writes it.
fn facts_of(opening: &Opening, entered_at: i64) -> BTreeMap<Fact, String> {
    let mut facts = BTreeMap::from([(Fact::EnteredAt, instant::text(entered_at))]);
    let texts = [
        (Fact::Subject, Tag::Subject),
        (Fact::Purpose, Tag::Purpose),
        (Fact::Choice, Tag::Choice),
        (Fact::Notice, Tag::Notice),
        (Fact::Language, Tag::Language),
    ];
    facts.extend(texts.iter().filter_map(|(fact, tag)| Some((*fact, opening.text(*tag)?.to_owned()))));
    facts.extend(opening.at().map(|at| (Fact::SaidAt, instant::text(at))));
    let extras = opening.parts().filter(|(tag, _)| *tag == Tag::Extra);
    for extra in extras.filter_map(|(_, value)| std::str::from_utf8(value).ok()) {
        let Some((name, value)) = extra.split_once(' ') else { continue };
        let fact = EXTRAS.iter().find(|(_, known)| *known == name);
        facts.extend(fact.map(|(fact, _)| (*fact, value.to_owned())));
    }
    facts
}

/// The part of a record that says what was said: of a consent, or of an interest that can be objected to.
fn status(record: &Value) -> Option<&Value> {
    let process = record.get("dpv:hasProcess")?;
    process.get("dpv:hasConsentStatus").or_else(|| process.get("dpv:hasEntityInvolvement"))
}

impl Fact {
    /// Every fact.
    pub const ALL: &'static [Self] = &[
        Self::Subject,
        Self::Purpose,
        Self::Choice,
        Self::SaidAt,
        Self::EnteredAt,
        Self::EndsAt,
        Self::Notice,
        Self::Language,
        Self::Way,
        Self::Shown,
        Self::Variant,
        Self::Law,
    ];

    /// The fact in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Purpose => "purpose",
            Self::Choice => "choice",
            Self::SaidAt => "time of the choice",
            Self::EnteredAt => "time of the entry",
            Self::EndsAt => "end of the choice",
            Self::Notice => "version of the notice",
            Self::Language => "language",
            Self::Way => "way",
            Self::Shown => "digest of what was shown",
            Self::Variant => "form of the page",
            Self::Law => "law",
        }
    }

    /// Where it stands in a record. SOURCE: docs/spec/receipt.md, "What is held against the ledger".
    fn in_record(self, record: &Value) -> Option<&str> {
        let of_status = |key: &str| status(record).and_then(|status| status.get(key));
        let found = match self {
            Self::Subject => record.pointer("/dpv:hasDataSubject/dct:identifier"),
            Self::Purpose => record.pointer("/dpv:hasProcess/dpv:hasPurpose/0/dct:identifier"),
            Self::Choice => of_status("sr:choice"),
            Self::SaidAt => of_status("dct:date"),
            Self::EnteredAt => record.get("dct:created"),
            Self::EndsAt => of_status("dpv:hasDuration").and_then(|duration| duration.get("dct:date")),
            Self::Notice => record.pointer("/dpv:hasNotice/dct:identifier"),
            Self::Language => record.pointer("/dpv:hasNotice/dct:language"),
            Self::Way => of_status("dpv:hasIndicationMethod"),
            Self::Shown => record.pointer("/dpv:hasNotice/sr:shown"),
            Self::Variant => record.pointer("/dpv:hasNotice/sr:variant"),
            Self::Law => record.pointer("/dpv:hasApplicableLaw/dct:identifier"),
        };
        found.and_then(Value::as_str)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first member of a receipt of a choice, by which a later form will be told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(FORMAT)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if String::deserialize(deserializer)? == FORMAT {
            Ok(Self)
        } else {
            Err(de::Error::custom("unknown format"))
        }
    }
}

/// What `format` says of a receipt of a choice.
pub const FORMAT: &str = "strongroom/choice-receipt/1";

/// The facts that an opening has as extras, and what they begin with.
const EXTRAS: [(Fact, &str); 5] = [
    (Fact::Way, "way"),
    (Fact::Shown, "shown"),
    (Fact::Variant, "variant"),
    (Fact::Law, "law"),
    (Fact::EndsAt, "until"),
];

/// Which terms of DPV say which choice: of a consent, or of an interest.
const STATES: [(&str, [&str; 2]); 3] = [
    ("granted", ["dpv:ConsentGiven", "dpv:OptingInToProcess"]),
    ("refused", ["dpv:ConsentRefused", "dpv:ObjectingToProcess"]),
    ("withdrawn", ["dpv:ConsentWithdrawn", "dpv:ObjectingToProcess"]),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::entry::{Actor, Entry, Outcome};
    use crate::hash::leaf_hash;
    use crate::opening::{OpeningBuilder, commitment};

    const ORIGIN: &str = "shop.example/log";
    const AT: i64 = 1_795_311_296_000_007;

    fn signer() -> Signer {
        Signer::from_seed(ORIGIN, &[9; 32]).unwrap()
    }

    fn opening() -> OpeningBuilder {
        let opening =
            Opening::builder().act(Act::Chose).subject("sub_ann").purpose("letters").choice("granted");
        let opening = opening.notice("3").language("en").at(AT - 1_000_007);
        let opening = opening.extra(b"way banner").extra(b"shown 00ff").extra(b"variant arc");
        opening.extra(b"law gdpr").extra(b"until 2027-11-22T01:34:55.000000Z")
    }

    fn record() -> Value {
        json!({
            "dct:created": "2026-11-22T01:34:56.000007Z",
            "dpv:hasDataSubject": { "dct:identifier": "sub_ann" },
            "dpv:hasApplicableLaw": { "dct:identifier": "gdpr" },
            "dpv:hasNotice": { "dct:identifier": "3", "dct:language": "en", "sr:shown": "00ff", "sr:variant": "arc" },
            "dpv:hasProcess": {
                "dpv:hasPurpose": [{ "dct:identifier": "letters" }],
                "dpv:hasConsentStatus": {
                    "@type": "dpv:ConsentGiven", "sr:choice": "granted",
                    "dct:date": "2026-11-22T01:34:55.000000Z", "dpv:hasIndicationMethod": "banner",
                    "dpv:hasDuration": { "dct:date": "2027-11-22T01:34:55.000000Z" },
                },
            },
        })
    }

    /// A ledger of one entry.
    fn ledger(act: Act, opening: &Opening) -> Receipt {
        let salt = [3; 16];
        let mut entry = Entry::new(AT, act, Outcome::Yes, Actor::credential(1));
        entry.commitment = commitment(&salt, opening);
        let entry = entry.encode().unwrap();
        let checkpoint = Checkpoint::new(ORIGIN, 1, leaf_hash(&entry)).unwrap().sign(&signer()).unwrap();
        Receipt::new(0, entry, salt, opening, vec![], checkpoint)
    }

    fn receipt_of(record: Value) -> ChoiceReceipt {
        ChoiceReceipt::new(record, ledger(Act::Chose, &opening().build().unwrap()), &signer()).unwrap()
    }

    fn verify(receipt: &ChoiceReceipt) -> Result<VerifiedChoice, Error> {
        receipt.verify(signer().verifier(), ORIGIN)
    }

    #[test]
    fn a_receipt_of_a_choice_proves_who_said_what_and_when() {
        let proved = verify(&receipt_of(record())).unwrap();
        let said = |fact| proved.text(fact).unwrap();
        assert_eq!(
            [said(Fact::Subject), said(Fact::Purpose), said(Fact::Choice)],
            ["sub_ann", "letters", "granted"]
        );
        assert_eq!(said(Fact::EnteredAt), instant::text(proved.ledger.entry.at));
    }

    /// Each fact changed, and each taken away, under a signature that holds.
    #[test]
    fn a_record_that_states_another_fact_than_the_ledger_is_refused() {
        let places = [
            (Fact::Subject, "/dpv:hasDataSubject/dct:identifier"),
            (Fact::Purpose, "/dpv:hasProcess/dpv:hasPurpose/0/dct:identifier"),
            (Fact::Choice, "/dpv:hasProcess/dpv:hasConsentStatus/sr:choice"),
            (Fact::Choice, "/dpv:hasProcess/dpv:hasConsentStatus/@type"),
            (Fact::SaidAt, "/dpv:hasProcess/dpv:hasConsentStatus/dct:date"),
            (Fact::EnteredAt, "/dct:created"),
            (Fact::EndsAt, "/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasDuration/dct:date"),
            (Fact::Notice, "/dpv:hasNotice/dct:identifier"),
            (Fact::Language, "/dpv:hasNotice/dct:language"),
            (Fact::Way, "/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasIndicationMethod"),
            (Fact::Shown, "/dpv:hasNotice/sr:shown"),
            (Fact::Variant, "/dpv:hasNotice/sr:variant"),
            (Fact::Law, "/dpv:hasApplicableLaw/dct:identifier"),
        ];
        assert!(Fact::ALL.iter().all(|fact| places.iter().any(|(known, _)| known == fact)));
        for (fact, place) in places {
            for other in [json!("other"), Value::Null] {
                let mut lying = record();
                *lying.pointer_mut(place).unwrap() = other;
                assert_eq!(verify(&receipt_of(lying)), Err(Error::RecordUnlike { fact }), "{place}");
            }
        }
        assert!(matches!(verify(&receipt_of(json!([]))), Err(Error::RecordUnlike { .. })));
    }

    #[test]
    fn a_record_says_nothing_of_that_sort_that_the_ledger_does_not_know() {
        let plain =
            Opening::builder().act(Act::Chose).subject("sub_ann").purpose("letters").choice("granted");
        let plain = plain.notice("3").language("en").at(AT - 1_000_007).build().unwrap();
        let of = |record: &Value| {
            ChoiceReceipt::new(record.clone(), ledger(Act::Chose, &plain), &signer()).unwrap()
        };
        assert_eq!(verify(&of(&record())), Err(Error::RecordUnlike { fact: Fact::EndsAt }));
        let mut by_api = record();
        by_api["dpv:hasProcess"]["dpv:hasConsentStatus"].as_object_mut().unwrap().remove("dpv:hasDuration");
        assert_eq!(verify(&of(&by_api)), Err(Error::RecordUnlike { fact: Fact::Shown }));
        by_api["dpv:hasNotice"] = json!({ "dct:identifier": "3", "dct:language": "en" });
        by_api.as_object_mut().unwrap().remove("dpv:hasApplicableLaw");
        assert!(verify(&of(&by_api)).is_ok(), "where it was said, only the signature says");
    }

    #[test]
    fn what_is_shown_is_what_was_signed() {
        let mut changed = receipt_of(record());
        changed.record["dpv:hasProcess"]["dpv:hasPurpose"][0]["dct:identifier"] = json!("everything");
        assert_eq!(verify(&changed), Err(Error::RecordOther));
        let other = Signer::from_seed(ORIGIN, &[8; 32]).unwrap();
        let mut foreign = receipt_of(record());
        foreign.jws = jws::sign(record().to_string().as_bytes(), &other).unwrap();
        assert_eq!(verify(&foreign), Err(Error::JwsOtherKey));
        let mut no_json = receipt_of(record());
        no_json.jws = jws::sign(b"letters", &signer()).unwrap();
        assert_eq!(verify(&no_json), Err(Error::JwsMalformed));
    }

    #[test]
    fn another_entry_does_not_stand_for_this_one() {
        let theirs = opening().build().unwrap();
        let of_another = Opening::builder().act(Act::Chose).subject("sub_bob").build().unwrap();
        let swapped = ChoiceReceipt::new(record(), ledger(Act::Chose, &of_another), &signer()).unwrap();
        assert_eq!(verify(&swapped), Err(Error::RecordUnlike { fact: Fact::Subject }));
        let no_choice = Opening::builder().act(Act::Erased).subject("sub_ann").build().unwrap();
        let erased = ChoiceReceipt::new(record(), ledger(Act::Erased, &no_choice), &signer()).unwrap();
        assert_eq!(verify(&erased), Err(Error::ActWrong));
        let mut cut = ChoiceReceipt::new(record(), ledger(Act::Chose, &theirs), &signer()).unwrap();
        cut.ledger.salt[0] ^= 1;
        assert_eq!(verify(&cut), Err(Error::CommitmentWrong));
    }

    #[test]
    fn a_file_holds_one_receipt_or_several_of_either_sort() {
        let (choice, entry) = (receipt_of(record()), ledger(Act::Chose, &opening().build().unwrap()));
        let one = serde_json::to_string(&choice).unwrap();
        assert_eq!(read_all(&one), Ok(vec![Held::Choice(choice.clone())]));
        assert_eq!(ChoiceReceipt::from_json(&one), Ok(choice.clone()));
        assert_eq!(read_all(&entry.to_json().unwrap()), Ok(vec![Held::Entry(entry.clone())]));
        let both = json!({ "receipts": [choice, entry] }).to_string();
        assert_eq!(read_all(&both).map(|held| held.len()), Ok(2));
        let cut = one.strip_suffix('}').unwrap();
        let more = one.replacen('{', "{\"more\": 1,", 1);
        let later = one.replace("choice-receipt/1", "choice-receipt/2");
        for bad in ["", "{}", "[]", r#"{"receipts":[]}"#, r#"{"receipts":{}}"#, cut, &more, &later] {
            assert_eq!(read_all(bad), Err(Error::ReceiptMalformed), "{bad}");
            assert_eq!(ChoiceReceipt::from_json(bad), Err(Error::ReceiptMalformed), "{bad}");
        }
        assert_eq!(read_all(&" ".repeat(MAX_RECEIPT_BYTES + 1)), Err(Error::ReceiptMalformed));
    }

    #[test]
    fn the_debug_form_shows_no_fact() {
        assert_eq!(format!("{:?}", receipt_of(record())), "ChoiceReceipt { entry_index: 0, .. }");
    }

    proptest! {
        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert_eq!(read_all(&text), Err(Error::ReceiptMalformed));
        }
    }
}
