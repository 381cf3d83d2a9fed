//! What came in, parsed once: fields in their canonical form, indexes computed, references as hashes. From here on there is
//! no text of the caller's left but in [`Personal`].

use std::borrow::Cow;
use std::fmt;

use ledger::entry::Act;
use policy::{CompiledKind, FieldKind, FieldMask, Given, ValueFault};
use seal::{Personal, Value};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::choose::{self, NewChoice, Said, Way};
use crate::ground::clock::{MINUTE, parse_instant};
use crate::ground::web::{looks_like_a_name, read_json};
use crate::ground::{Ids, InForce, Problem, RecordId, Shop, SubjectId};
use crate::keep::Event;
use crate::keep::types::EXTERNAL_ID;

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
    /// Write only if the record has this version now; 0 for a record that must be new.
    #[serde(default)]
    pub if_version: Option<u32>,
}

/// Which subject.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectIn<'b> {
    /// Its public id.
    #[serde(borrow, default)]
    pub id: Option<Cow<'b, str>>,
    /// The shop's own id of its main record.
    #[serde(borrow, default)]
    pub external_id: Option<Given0<'b>>,
    /// Kind of that record, when the policy has several that belong to nothing.
    #[serde(borrow, default)]
    pub kind: Option<Cow<'b, str>>,
    /// One searchable field and its value; it must lead to one subject only.
    #[serde(borrow, default, rename = "match")]
    pub matching: Option<Pairs<'b>>,
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

/// A scalar of the caller's, not yet looked at. It has no Display, and its Debug shows nothing.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Given0<'b>(#[serde(borrow)] pub &'b RawValue);

impl fmt::Debug for Given0<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(..)")
    }
}

/// A map of names to scalars, in the caller's order; a name may stand once.
#[derive(Default)]
pub struct Pairs<'b>(pub Vec<(Cow<'b, str>, &'b RawValue)>);

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pairs({})", self.0.len())
    }
}

/// Names in one map at the most: more than a policy can declare.
const PAIRS_LIMIT: usize = 512;

impl<'de: 'b, 'b> Deserialize<'de> for Pairs<'b> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<'b>(std::marker::PhantomData<&'b ()>);
        impl<'de: 'b, 'b> Visitor<'de> for Read<'b> {
            type Value = Pairs<'b>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'b>, A::Error> {
                use serde::de::Error as _;
                let mut pairs: Vec<(Cow<'b, str>, &'b RawValue)> = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some(Name(name)) = map.next_key::<Name<'b>>()? {
                    if pairs.len() >= PAIRS_LIMIT {
                        return Err(A::Error::custom("invalid length"));
                    }
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("duplicate field"));
                    }
                    pairs.push((name, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Read(std::marker::PhantomData))
    }
}

/// A key that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'b>(#[serde(borrow)] Cow<'b, str>);

/// Whose record, resolved as far as it can be without a look at the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's yet, or whose the external id says.
    Unsaid,
    /// This subject's.
    Subject(SubjectId),
    /// The subject of the record with this hash of an external id.
    External([u8; 16]),
    /// The one subject that one of these lookups leads to.
    Matching(Vec<[u8; 16]>),
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
    /// Fields to take away.
    pub unset: FieldMask,
    /// What happened.
    pub events: Vec<Event>,
    /// What was chosen.
    pub choices: Vec<NewChoice>,
    /// The version that the record must have.
    pub if_version: Option<u32>,
    /// Names that the policy does not have for this kind, as far as they look like names.
    pub unknown: Vec<String>,
    /// How many others there were.
    pub unknown_others: u32,
    /// The policy that this was parsed with.
    pub policy: u32,
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
            draft.set_external_id(text, shop)?;
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
        for (position, choice) in input.choices.iter().enumerate() {
            draft.choices.push(parse_choice(choice, policy, now, &format!("/choices/{position}"))?);
        }
        if let Some(subject) = &input.subject {
            draft.whose = parse_whose(subject, kind.of(), shop, policy, ids)?;
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
            unset: FieldMask::EMPTY,
            events: Vec::new(),
            choices: Vec::new(),
            if_version: None,
            unknown: Vec::new(),
            unknown_others: 0,
            policy: policy.version,
        }
    }

    /// Sets the external id.
    pub fn set_external_id(&mut self, id: Personal<String>, shop: &Shop) -> Result<(), Problem> {
        if id.is(|id| id.trim().is_empty() || id.len() > EXTERNAL_LIMIT) {
            return Err(Problem::new("SR-COLLECT-003", 422, "an external id is 1 to 200 bytes").at("/external_id"));
        }
        let value = id.map(|id| Value::Text(id.trim().to_owned()));
        let blind = shop.keys.blind(self.kind, EXTERNAL_ID, &value)?;
        self.external = Some(blind);
        self.blinds.push((EXTERNAL_ID, blind));
        self.set.push((EXTERNAL_ID, value));
        Ok(())
    }

    fn set_field(&mut self, field: &policy::CompiledField, raw: &RawValue, shop: &Shop) -> Result<(), Problem> {
        let value = canonical_json(field, raw)
            .map_err(|fault| value_problem(fault, format!("/fields/{}", field.name)))?;
        self.add_value(field, value, shop)
    }

    /// Sets a field from a cell of a file.
    pub fn set_cell(&mut self, field: &policy::CompiledField, cell: &str, shop: &Shop) -> Result<(), ValueFault> {
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
        given
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
    })
}

/// Reads a reference to a subject.
///
/// Takes: the kind that the record belongs to, for an external id without a kind.
pub fn parse_whose(
    subject: &SubjectIn<'_>,
    of: Option<u8>,
    shop: &Shop,
    policy: &InForce,
    ids: &Ids,
) -> Result<Whose, Problem> {
    let one = || {
        Problem::new("SR-COLLECT-004", 422, "say which subject in one way: `id`, `external_id` or `match`").at("/subject")
    };
    match (&subject.id, &subject.external_id, &subject.matching) {
        (Some(id), None, None) => Ok(Whose::Subject(ids.read::<SubjectId>(id)?)),
        (None, Some(external), None) => {
            let kind = root_kind(subject.kind.as_deref(), of, policy)?;
            let value = scalar(external.0, "/subject/external_id")?.map(|id| Value::Text(id.trim().to_owned()));
            Ok(Whose::External(shop.keys.blind(kind, EXTERNAL_ID, &value)?))
        }
        (None, None, Some(pairs)) => {
            let [(name, raw)] = pairs.0.as_slice() else { return Err(one()) };
            matching_blinds(name, raw, shop, policy, "/subject/match").map(Whose::Matching)
        }
        _ => Err(one()),
    }
}

/// The kind whose external ids name subjects: the one said, the parent's, or the only one that belongs to nothing.
fn root_kind(said: Option<&str>, of: Option<u8>, policy: &InForce) -> Result<u8, Problem> {
    if let Some(name) = said {
        return policy.compiled.find_kind(name).map(CompiledKind::ordinal).ok_or_else(|| unknown_kind("/subject/kind"));
    }
    if let Some(of) = of {
        return Ok(of);
    }
    let mut roots = policy.compiled.kinds().filter(|kind| kind.of().is_none());
    match (roots.next(), roots.next()) {
        (Some(only), None) => Ok(only.ordinal()),
        _ => Err(Problem::new("SR-COLLECT-005", 422, "several kinds of record name subjects: say which")
            .at("/subject/kind")),
    }
}

/// Blind indexes of a value, one for every kind that has the field and indexes it.
pub fn matching_blinds(
    name: &str,
    raw: &RawValue,
    shop: &Shop,
    policy: &InForce,
    pointer: &str,
) -> Result<Vec<[u8; 16]>, Problem> {
    let mut blinds = Vec::new();
    for kind in policy.compiled.kinds() {
        let Some(field) = kind.find_field(name).filter(|field| field.index.is_some()) else { continue };
        let value = canonical_json(field, raw).map_err(|fault| value_problem(fault, pointer.to_owned()))?;
        blinds.push(shop.keys.blind(kind.ordinal(), field.ordinal, &value)?);
    }
    if blinds.is_empty() {
        return Err(Problem::new("SR-COLLECT-006", 422, "no kind of record has this field and indexes it").at(pointer));
    }
    Ok(blinds)
}

/// A reference to a record: its public id, or its kind and the shop's own id of it.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct RecordRef<'b>(#[serde(borrow)] pub &'b RawValue);

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordRef(..)")
    }
}

/// A record by the shop's own id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalRef<'b> {
    /// Its kind.
    #[serde(borrow)]
    pub kind: Cow<'b, str>,
    /// The shop's own id of it.
    #[serde(borrow)]
    pub external_id: Given0<'b>,
}

/// A reference, resolved as far as it can be without a look at the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This record.
    Record(RecordId),
    /// The record with this hash of an external id.
    External([u8; 16]),
}

/// Reads a reference to a record. Gives the ordinal of its kind too.
pub fn parse_which(
    reference: &RecordRef<'_>,
    shop: &Shop,
    policy: &InForce,
    ids: &Ids,
    pointer: &str,
) -> Result<(u8, Which), Problem> {
    let text = reference.0.get();
    match text.as_bytes().first() {
        Some(b'"') => {
            let id = serde_json::from_str::<Name<'_>>(text).map_err(|_| seal::Error::NotAnId)?.0;
            let record = ids.read::<RecordId>(&id)?;
            Ok((record.kind(), Which::Record(record)))
        }
        Some(b'{') => {
            let external: ExternalRef<'_> =
                read_json(text.as_bytes()).map_err(|problem| problem.at(pointer.to_owned()))?;
            let kind = policy
                .compiled
                .find_kind(&external.kind)
                .ok_or_else(|| unknown_kind(&format!("{pointer}/kind")))?;
            let pointer = format!("{pointer}/external_id");
            let value = scalar(external.external_id.0, &pointer)?.map(|id| Value::Text(id.trim().to_owned()));
            Ok((kind.ordinal(), Which::External(shop.keys.blind(kind.ordinal(), EXTERNAL_ID, &value)?)))
        }
        _ => Err(Problem::new("SR-COLLECT-010", 422, "a record is named by its id, or by kind and external id")
            .at(pointer)),
    }
}

/// A JSON scalar as a field's canonical value.
fn canonical_json(field: &policy::CompiledField, raw: &RawValue) -> Result<Personal<Value>, ValueFault> {
    let text = raw.get();
    let canonical = match text.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> = serde_json::from_str::<Name<'_>>(text).map_err(|_| ValueFault::WrongType)?.0;
            field.canonical(Given::Text(&text))?
        }
        Some(b't') => field.canonical(Given::Boolean(true))?,
        Some(b'f') => field.canonical(Given::Boolean(false))?,
        Some(b'-' | b'0'..=b'9') => match text.parse() {
            Ok(number) => field.canonical(Given::Integer(number))?,
            Err(_) => field.canonical(Given::Number(text))?,
        },
        _ => return Err(ValueFault::WrongType),
    };
    typed(field, canonical)
}

/// A canonical text as a typed value.
fn typed(field: &policy::CompiledField, canonical: String) -> Result<Personal<Value>, ValueFault> {
    Ok(Personal::new(match field.kind {
        FieldKind::Text => Value::Text(canonical),
        FieldKind::Date => Value::Date(canonical),
        FieldKind::Decimal => Value::Decimal(canonical),
        FieldKind::Integer => Value::Integer(canonical.parse().map_err(|_| ValueFault::NotInteger)?),
        FieldKind::Boolean => Value::Boolean(canonical == "true"),
    }))
}

/// A scalar as text: strings as they are, numbers as written.
fn scalar(raw: &RawValue, pointer: &str) -> Result<Personal<String>, Problem> {
    let text = raw.get();
    let fault = || Problem::new("SR-COLLECT-007", 422, "this must be a string or a number").at(pointer);
    match text.as_bytes().first() {
        Some(b'"') => {
            let text = serde_json::from_str::<Name<'_>>(text).map_err(|_| fault())?.0;
            Ok(Personal::new(text.into_owned()))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Personal::new(text.to_owned())),
        _ => Err(fault()),
    }
}

fn instant(raw: &RawValue, now: i64) -> Option<i64> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    parse_instant(text).filter(|at| *at <= now.saturating_add(AHEAD_ALLOWED))
}

fn bad_instant(pointer: String) -> Problem {
    Problem::new("SR-COLLECT-008", 422, "this must be an instant such as `2026-11-22T08:00:00+08:00`, and not in the future")
        .at(pointer)
}

/// The problem of a value that its field does not take.
pub fn value_problem(fault: ValueFault, pointer: String) -> Problem {
    Problem::new("SR-COLLECT-002", 422, fault.to_string()).at(pointer)
}

/// The problem of a kind that the policy does not have.
pub fn unknown_kind(pointer: &str) -> Problem {
    Problem::new("SR-COLLECT-001", 422, "the policy has no such kind of record").at(pointer)
}

fn unknown_event(name: &str) -> Problem {
    let at = if looks_like_a_name(name) { format!("/events/{name}") } else { "/events/*".to_owned() };
    Problem::new("SR-COLLECT-009", 422, "the policy has no such event for this kind").at(at)
}

