//! What came in, parsed once: fields in their canonical form, indexes computed, references as hashes. From here on there is
//! no text of the caller's left but in [`Personal`].

use std::borrow::Cow;

use ledger::entry::Act;
use policy::{Age, CompiledKind, FieldMask, Given, Home, ValueFault};
use seal::{Personal, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error;
use crate::choose::{self, NewChoice, Said, Seen, Way};
use crate::ground::clock::{MINUTE, parse_instant};
use crate::ground::web::looks_like_a_name;
use crate::ground::{Ids, InForce, Problem, RecordId, Shop};
use crate::keep::refs::{
    Given0, Pairs, RecordRef, SubjectIn, Which, Whose, canonical_json, parse_which, parse_whose, scalar,
    typed, unknown_kind, value_problem,
};
use crate::keep::types::EXTERNAL_ID;
use crate::keep::{Event, FileMark};

/// A record as the API takes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordIn<'b> {
    /// Kind of the record, as the policy names it.
    #[serde(borrow)]
    pub kind: Cow<'b, str>,
    /// The shop's own id of the record.
    #[serde(borrow, default)]
    pub external_id: Option<Given0<'b>>,
    /// Whose record, when that does not follow from the external id.
    #[serde(borrow, default)]
    pub subject: Option<SubjectIn<'b>>,
    /// The fields; null takes one away.
    #[serde(borrow, default)]
    pub fields: Pairs<'b>,
    /// What happened to the record, and when (RFC 3339).
    #[serde(borrow, default)]
    pub events: Pairs<'b>,
    /// What the subject chose in the same act.
    #[serde(borrow, default)]
    pub choices: Vec<ChoiceIn<'b>>,
    /// Where the subject lives: the code of a country or state, or the empty text where nobody knows.
    #[serde(borrow, default)]
    pub home: Option<Cow<'b, str>>,
    /// Whether the subject is of age.
    #[serde(default)]
    pub age: Option<AgeIn>,
    /// Write only if the record has this version now; 0 for a record that must be new.
    #[serde(default)]
    pub if_version: Option<u32>,
}

/// Whether a subject is of age, as the API takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = Age)]
#[serde(rename_all = "snake_case")]
pub enum AgeIn {
    /// Nobody knows.
    Unknown,
    /// A minor.
    Minor,
    /// Of age.
    Adult,
}

impl AgeIn {
    fn read(self) -> Age {
        match self {
            AgeIn::Unknown => Age::Unknown,
            AgeIn::Minor => Age::Minor,
            AgeIn::Adult => Age::Adult,
        }
    }
}

/// What a subject chose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceIn<'b> {
    /// The purpose.
    #[serde(borrow)]
    pub purpose: Cow<'b, str>,
    /// What was said.
    pub choice: Said,
    /// The notice that was seen.
    #[serde(borrow)]
    pub notice: NoticeIn<'b>,
    /// When it was said (RFC 3339); now, if it is left out.
    #[serde(borrow, default)]
    pub at: Option<Cow<'b, str>>,
}

/// A notice, exactly as it was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeIn<'b> {
    /// Version of the policy.
    pub version: u32,
    /// Language.
    #[serde(borrow)]
    pub language: Cow<'b, str>,
}

/// A record that came in, parsed.
#[derive(Debug)]
pub struct Draft {
    /// Ordinal of its kind.
    pub kind: u8,
    /// Ordinal of the kind that it belongs to.
    pub of: Option<u8>,
    /// Whose.
    pub whose: Whose,
    /// The record, when it is named by its public id: then it must be there.
    pub record: Option<RecordId>,
    /// Hash of its external id.
    pub external: Option<[u8; 16]>,
    /// What its entry says: *collected*, or *happened* for an event alone. For an event the record must be there.
    pub act: Act,
    /// Fields to set, ascending, with the external id at the end.
    pub set: Vec<(u8, Personal<Value>)>,
    /// Blind indexes of those fields.
    pub blinds: Vec<(u8, [u8; 16])>,
    /// The file that comes in, if one does.
    pub file: Option<FileIn>,
    /// Fields to take away.
    pub unset: FieldMask,
    /// What happened.
    pub events: Vec<Event>,
    /// What was chosen.
    pub choices: Vec<NewChoice>,
    /// Where the subject lives, if that is said.
    pub home: Option<Home>,
    /// Whether it is of age, if that is said.
    pub age: Option<Age>,
    /// Must the record be there? Then nothing new is made.
    pub known_only: bool,
    /// Does this come out of a file, which may be read again? What is there already was then not collected once more.
    pub from_file: bool,
    /// The version that the record must have.
    pub if_version: Option<u32>,
    /// Names that the policy does not have for this kind, as far as they look like names.
    pub unknown: Vec<String>,
    /// How many others there were.
    pub unknown_others: u32,
    /// The policy that this was parsed with.
    pub policy: u32,
}

/// A file that comes in for a field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIn {
    /// The field.
    pub field: u8,
    /// What it was sealed as; `None` while it has not come in.
    pub mark: Option<FileMark>,
}

/// Events may lie this far in the future: clocks differ.
const AHEAD_ALLOWED: i64 = 5 * MINUTE;
/// Longest external id, bytes.
pub const EXTERNAL_LIMIT: usize = 200;

impl Draft {
    /// Parses what the API got.
    ///
    /// Fails: 422 with a pointer to the field, never with its value.
    pub fn parse(
        input: &RecordIn<'_>,
        shop: &Shop,
        policy: &InForce,
        ids: &Ids,
        now: i64,
    ) -> Result<Draft, Problem> {
        let kind = policy.compiled.find_kind(&input.kind).ok_or_else(|| unknown_kind("/kind"))?;
        let mut draft = Draft::new(kind, policy);
        draft.if_version = input.if_version;
        if let Some(given) = &input.external_id {
            let text = scalar(given.0, "/external_id")?;
            draft.set_external_id(&text, shop)?;
        }
        for (name, raw) in &input.fields.0 {
            let Some(field) = kind.find_field(name) else {
                draft.saw_unknown(name);
                continue;
            };
            if raw.get() == "null" {
                draft.unset.add(field.ordinal);
                continue;
            }
            draft.set_field(field, raw, shop)?;
        }
        draft.sort();
        for (name, raw) in &input.events.0 {
            let event = kind.find_event(name).ok_or_else(|| unknown_event(name))?;
            let at = instant(raw, now).ok_or_else(|| bad_instant(format!("/events/{name}")))?;
            draft.events.push(Event { kind: draft.kind, event, at });
        }
        draft.home = input.home.as_deref().map(parse_home).transpose()?;
        draft.age = input.age.map(AgeIn::read);
        for (position, choice) in input.choices.iter().enumerate() {
            let choice = parse_choice(choice, policy, now, &format!("/choices/{position}"))?;
            if draft.choices.iter().any(|before| before.purpose == choice.purpose) {
                return Err(error::said_twice().at(format!("/choices/{position}/purpose")));
            }
            draft.choices.push(choice);
        }
        if let Some(subject) = &input.subject {
            draft.whose = parse_whose(subject, kind.of(), shop, policy, ids)
                .map_err(crate::keep::error::or_no_such_subject)?;
        }
        Ok(draft)
    }

    /// An empty draft of a kind.
    pub fn new(kind: &CompiledKind, policy: &InForce) -> Draft {
        Draft {
            kind: kind.ordinal(),
            of: kind.of(),
            whose: Whose::Unsaid,
            record: None,
            external: None,
            act: Act::Collected,
            set: Vec::with_capacity(16),
            blinds: Vec::new(),
            file: None,
            unset: FieldMask::EMPTY,
            events: Vec::new(),
            choices: Vec::new(),
            home: None,
            age: None,
            known_only: false,
            from_file: false,
            if_version: None,
            unknown: Vec::new(),
            unknown_others: 0,
            policy: policy.version,
        }
    }

    /// Sets the external id.
    pub fn set_external_id(&mut self, id: &Personal<String>, shop: &Shop) -> Result<(), Problem> {
        if id.is(|id| id.trim().is_empty() || id.len() > EXTERNAL_LIMIT) {
            return Err(
                Problem::new("SR-COLLECT-003", 422, "an external id is 1 to 200 bytes").at("/external_id")
            );
        }
        let value = id.map(|id| Value::Text(id.trim().to_owned()));
        let blind = shop.keys.blind(self.kind, EXTERNAL_ID, &value)?;
        self.external = Some(blind);
        self.blinds.push((EXTERNAL_ID, blind));
        self.set.push((EXTERNAL_ID, value));
        Ok(())
    }

    fn set_field(
        &mut self,
        field: &policy::CompiledField,
        raw: &RawValue,
        shop: &Shop,
    ) -> Result<(), Problem> {
        let value = canonical_json(field, raw)
            .map_err(|fault| value_problem(fault, format!("/fields/{}", field.name)))?;
        self.add_value(field, value, shop)
    }

    /// Sets a field from a cell of a file.
    pub fn set_cell(
        &mut self,
        field: &policy::CompiledField,
        cell: &str,
        shop: &Shop,
    ) -> Result<(), ValueFault> {
        let value = typed(field, field.canonical(Given::Text(cell))?)?;
        self.add_value(field, value, shop).map_err(|_| ValueFault::TooLong)
    }

    fn add_value(
        &mut self,
        field: &policy::CompiledField,
        value: Personal<Value>,
        shop: &Shop,
    ) -> Result<(), Problem> {
        if field.index.is_some() {
            self.blinds.push((field.ordinal, shop.keys.blind(self.kind, field.ordinal, &value)?));
        }
        self.set.push((field.ordinal, value));
        Ok(())
    }

    /// Puts the fields in the order that sealing wants.
    pub fn sort(&mut self) {
        self.set.sort_by_key(|(field, _)| *field);
    }

    /// Counts a name that the policy does not have for this kind.
    pub fn saw_unknown(&mut self, name: &str) {
        if looks_like_a_name(name) && self.unknown.len() < 64 {
            self.unknown.push(name.to_owned());
        } else {
            self.unknown_others = self.unknown_others.saturating_add(1);
        }
    }

    /// The fields that are set, without the external id.
    pub fn given(&self) -> FieldMask {
        let mut given = FieldMask::EMPTY;
        for (field, _) in self.set.iter().filter(|(field, _)| *field != EXTERNAL_ID) {
            given.add(*field);
        }
        if let Some(file) = &self.file {
            given.add(file.field);
        }
        given
    }

    /// A file for a field of a record that must be there.
    pub fn of_file(kind: &CompiledKind, policy: &InForce, record: RecordId, field: u8) -> Draft {
        let file = Some(FileIn { field, mark: None });
        Draft { record: Some(record), known_only: true, file, ..Draft::new(kind, policy) }
    }

    /// The same once the file has come in: with the value that opens it.
    #[must_use]
    pub fn with_file(mut self, value: Personal<Value>, mark: FileMark) -> Draft {
        self.set.push((mark.field, value));
        self.file = Some(FileIn { field: mark.field, mark: Some(mark) });
        self
    }
}

/// An event of a record, as the API takes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventIn<'b> {
    /// Which record.
    #[serde(borrow)]
    pub record: RecordRef<'b>,
    /// What happened, as the policy names it.
    #[serde(borrow)]
    pub event: Cow<'b, str>,
    /// When (RFC 3339); now, if it is left out.
    #[serde(borrow, default)]
    pub at: Option<&'b RawValue>,
}

impl Draft {
    /// Parses an event: a draft without fields, of a record that must be there.
    pub fn parse_event(
        input: &EventIn<'_>,
        shop: &Shop,
        policy: &InForce,
        ids: &Ids,
        now: i64,
    ) -> Result<Draft, Problem> {
        let (ordinal, record, external) = match parse_which(&input.record, shop, policy, ids, "/record")? {
            (kind, Which::Record(record)) => (kind, Some(record), None),
            (kind, Which::External(blind)) => (kind, None, Some(blind)),
        };
        let kind = policy.compiled.kind(ordinal).ok_or_else(|| unknown_kind("/record"))?;
        let event = kind
            .find_event(&input.event)
            .ok_or_else(|| Problem { pointer: Some("/event".to_owned()), ..unknown_event("event") })?;
        let at = match input.at {
            Some(raw) => instant(raw, now).ok_or_else(|| bad_instant("/at".to_owned()))?,
            None => now,
        };
        let mut draft = Draft::new(kind, policy);
        draft.act = Act::Happened;
        draft.record = record;
        draft.external = external;
        draft.events.push(Event { kind: ordinal, event, at });
        Ok(draft)
    }
}

/// Reads a home. Fails: `SR-COLLECT-026` when it is the code of no place.
pub fn parse_home(text: &str) -> Result<Home, Problem> {
    Home::parse(text).ok_or_else(|| error::no_place().at("/home"))
}

/// Reads a choice.
pub fn parse_choice(
    choice: &ChoiceIn<'_>,
    policy: &InForce,
    now: i64,
    pointer: &str,
) -> Result<NewChoice, Problem> {
    let at_pointer = |problem: Problem, rest: &str| problem.at(format!("{pointer}{rest}"));
    let purpose = policy
        .compiled
        .find_purpose(&choice.purpose)
        .ok_or_else(|| at_pointer(choose::unknown_purpose(), "/purpose"))?;
    choose::may_be_said(purpose, choice.choice).map_err(|problem| at_pointer(problem, "/purpose"))?;
    let at = choice
        .at
        .as_ref()
        .map(|at| parse_instant(at).filter(|at| *at <= now.saturating_add(AHEAD_ALLOWED)))
        .map(|at| at.ok_or_else(|| bad_instant(format!("{pointer}/at"))))
        .transpose()?;
    Ok(NewChoice {
        purpose: purpose.ordinal,
        said: choice.choice,
        at,
        notice: choice.notice.version,
        language: choice.notice.language.clone().into_owned(),
        way: Way::Api,
        seen: Seen::default(),
    })
}

fn instant(raw: &RawValue, now: i64) -> Option<i64> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    parse_instant(text).filter(|at| *at <= now.saturating_add(AHEAD_ALLOWED))
}

fn bad_instant(pointer: String) -> Problem {
    Problem::new(
        "SR-COLLECT-008",
        422,
        "this must be an instant such as `2026-11-22T08:00:00+08:00`, and not in the future",
    )
    .at(pointer)
}

fn unknown_event(name: &str) -> Problem {
    let at = if looks_like_a_name(name) { format!("/events/{name}") } else { "/events/*".to_owned() };
    Problem::new("SR-COLLECT-009", 422, "the policy has no such event for this kind").at(at)
}
