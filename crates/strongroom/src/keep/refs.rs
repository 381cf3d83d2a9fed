//! How callers name what is kept: subjects, records, values. Outside text becomes numbers and hashes here, once.

use std::borrow::Cow;
use std::fmt;

use policy::{CompiledKind, FieldKind, Given, ValueFault};
use seal::{Class, Personal, Value};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use store::View;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::types::EXTERNAL_ID;
use super::{error, find_lookup, find_subject, list_lookups};
use crate::ground::web::read_json;
use crate::ground::{Ids, InForce, Problem, RecordId, Shop, SubjectId};

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

/// Which subject: in one of three ways.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SubjectIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `SubjectIn` reads, for the OpenAPI document")]
pub struct SubjectBody {
    /// Its public id.
    id: Option<String>,
    /// The shop's own id of its main record.
    external_id: Option<ExternalId>,
    /// Kind of that record, when several kinds belong to nothing.
    kind: Option<String>,
    /// One searchable field and its value; it must lead to one subject only.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, Scalar>>)]
    r#match: Option<serde_json::Value>,
}

/// A record: its public id, or its kind and the shop's own id of it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RecordRef)]
#[serde(untagged)]
pub enum RecordRefBody {
    /// Its public id, `rec_…`.
    Id(String),
    /// Its kind and the shop's own id of it.
    External(ExternalRefBody),
}

/// A record by the shop's own id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ExternalRef)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `ExternalRef` reads, for the OpenAPI document")]
pub struct ExternalRefBody {
    /// Its kind.
    #[schema(example = "order")]
    kind: String,
    /// The shop's own id of it.
    external_id: ExternalId,
}

/// The shop's own id of a record, as the OpenAPI document has it.
#[derive(Debug, Deserialize)]
pub struct ExternalId;

/// The value of a field, as the OpenAPI document has it.
#[derive(Debug, Deserialize)]
pub struct Scalar;

/// The value of a field, or null to take the field away.
#[derive(Debug, Deserialize)]
pub struct ScalarOrNull;

/// The schema of a value of one of these types.
fn one_of(types: &[Type], about: &str) -> RefOr<Schema> {
    let types: SchemaType = types.iter().cloned().collect();
    ObjectBuilder::new().schema_type(types).description(Some(about)).into()
}

impl PartialSchema for ExternalId {
    fn schema() -> RefOr<Schema> {
        one_of(
            &[Type::String, Type::Number],
            "The shop's own id, 1 to 200 bytes; a number is taken as it is written.",
        )
    }
}

impl PartialSchema for Scalar {
    fn schema() -> RefOr<Schema> {
        let types = [Type::String, Type::Number, Type::Boolean];
        one_of(&types, "The value of a field. Dates and decimals are strings.")
    }
}

impl PartialSchema for ScalarOrNull {
    fn schema() -> RefOr<Schema> {
        let types = [Type::String, Type::Number, Type::Boolean, Type::Null];
        one_of(&types, "The value of a field; null takes the field away.")
    }
}

impl ToSchema for ExternalId {}
impl ToSchema for Scalar {}
impl ToSchema for ScalarOrNull {}

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
                let mut pairs: Vec<(Cow<'b, str>, &'b RawValue)> =
                    Vec::with_capacity(map.size_hint().unwrap_or(16));
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

/// A text that is borrowed where it has no escapes.
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
        Problem::new("SR-KEEP-011", 422, "say which subject in one way: `id`, `external_id` or `match`")
            .at("/subject")
    };
    match (&subject.id, &subject.external_id, &subject.matching) {
        (Some(id), None, None) => Ok(Whose::Subject(ids.read::<SubjectId>(id)?)),
        (None, Some(external), None) => {
            let kind = root_kind(subject.kind.as_deref(), of, policy, "/subject/kind")?;
            let value =
                scalar(external.0, "/subject/external_id")?.map(|id| Value::Text(id.trim().to_owned()));
            Ok(Whose::External(shop.keys.blind(kind, EXTERNAL_ID, &value)?))
        }
        (None, None, Some(pairs)) => {
            let [(name, raw)] = pairs.0.as_slice() else { return Err(one()) };
            let blinds = matching_blinds(name, raw, shop, policy, "/subject/match")?;
            Ok(Whose::Matching(blinds.into_iter().map(|(_, blind)| blind).collect()))
        }
        _ => Err(one()),
    }
}

/// The kind whose external ids name subjects: the one said, the parent's, or the only one that belongs to nothing.
pub fn root_kind(said: Option<&str>, of: Option<u8>, policy: &InForce, pointer: &str) -> Result<u8, Problem> {
    if let Some(name) = said {
        return policy
            .compiled
            .find_kind(name)
            .map(CompiledKind::ordinal)
            .ok_or_else(|| unknown_kind(pointer));
    }
    if let Some(of) = of {
        return Ok(of);
    }
    let mut roots = policy.compiled.kinds().filter(|kind| kind.of().is_none());
    match (roots.next(), roots.next()) {
        (Some(only), None) => Ok(only.ordinal()),
        _ => {
            Err(Problem::new("SR-KEEP-012", 422, "several kinds of record name subjects: say which")
                .at(pointer))
        }
    }
}

/// Blind indexes of a value, one for every kind that has the field and indexes it: the field's ordinal and the hash.
pub fn matching_blinds(
    name: &str,
    raw: &RawValue,
    shop: &Shop,
    policy: &InForce,
    pointer: &str,
) -> Result<Vec<(u8, [u8; 16])>, Problem> {
    let mut blinds = Vec::new();
    for kind in policy.compiled.kinds() {
        let Some(field) = kind.find_field(name).filter(|field| field.index.is_some()) else { continue };
        let value = canonical_json(field, raw).map_err(|fault| value_problem(fault, pointer.to_owned()))?;
        blinds.push((field.ordinal, shop.keys.blind(kind.ordinal(), field.ordinal, &value)?));
    }
    if blinds.is_empty() {
        return Err(
            Problem::new("SR-KEEP-013", 422, "no kind of record has this field and indexes it").at(pointer)
        );
    }
    Ok(blinds)
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
        _ => Err(Problem::new("SR-KEEP-015", 422, "a record is named by its id, or by kind and external id")
            .at(pointer)),
    }
}

/// A JSON scalar as a field's canonical value.
pub fn canonical_json(field: &policy::CompiledField, raw: &RawValue) -> Result<Personal<Value>, ValueFault> {
    let text = raw.get();
    let canonical = match text.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> =
                serde_json::from_str::<Name<'_>>(text).map_err(|_| ValueFault::WrongType)?.0;
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
pub fn typed(field: &policy::CompiledField, canonical: String) -> Result<Personal<Value>, ValueFault> {
    Ok(Personal::new(match field.kind {
        FieldKind::Text => Value::Text(canonical),
        FieldKind::Date => Value::Date(canonical),
        FieldKind::Decimal => Value::Decimal(canonical),
        FieldKind::Integer => Value::Integer(canonical.parse().map_err(|_| ValueFault::NotInteger)?),
        FieldKind::Boolean => Value::Boolean(canonical == "true"),
        FieldKind::File => return Err(ValueFault::IsFile),
    }))
}

/// A scalar as text: strings as they are, numbers as written.
pub fn scalar(raw: &RawValue, pointer: &str) -> Result<Personal<String>, Problem> {
    let text = raw.get();
    let fault = || Problem::new("SR-KEEP-014", 422, "this must be a string or a number").at(pointer);
    match text.as_bytes().first() {
        Some(b'"') => {
            let text = serde_json::from_str::<Name<'_>>(text).map_err(|_| fault())?.0;
            Ok(Personal::new(text.into_owned()))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Personal::new(text.to_owned())),
        _ => Err(fault()),
    }
}

/// The problem of a value that its field does not take.
pub fn value_problem(fault: ValueFault, pointer: String) -> Problem {
    Problem::new("SR-KEEP-016", 422, fault.to_string()).at(pointer)
}

/// The problem of a kind that the policy does not have.
pub fn unknown_kind(pointer: &str) -> Problem {
    Problem::new("SR-KEEP-017", 422, "the policy has no such kind of record").at(pointer)
}

/// Records that a shared contact is followed to.
const MATCHES_LIMIT: u32 = 1_000;

/// Whom a value leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadsTo {
    /// Nobody.
    Nobody,
    /// One subject.
    One(SubjectId),
    /// Several. A shared contact leads to all who share it, and never merges them.
    Several,
}

/// Whom a value leads to, by each of its lookups.
pub fn leads_to(view: &View<'_>, shop: &Shop, blinds: &[[u8; 16]]) -> Result<LeadsTo, Problem> {
    let mut found = LeadsTo::Nobody;
    for blind in blinds {
        for record in list_lookups(view, shop, blind, MATCHES_LIMIT)? {
            match found {
                LeadsTo::One(subject) if subject == record.subject() => {}
                // A lookup is dead with its subject's key, whether or not its row was cleaned up yet.
                _ if find_subject(view, shop, record.subject())?
                    .is_none_or(|row| row.key(Class::Main).is_none()) => {}
                LeadsTo::Nobody => found = LeadsTo::One(record.subject()),
                LeadsTo::One(_) | LeadsTo::Several => return Ok(LeadsTo::Several),
            }
        }
    }
    Ok(found)
}

/// The one subject that a value leads to.
///
/// Fails: `SR-KEEP-018` when there is none, `SR-KEEP-019` when there are several.
pub fn only_subject(view: &View<'_>, shop: &Shop, blinds: &[[u8; 16]]) -> Result<SubjectId, Problem> {
    match leads_to(view, shop, blinds)? {
        LeadsTo::One(subject) => Ok(subject),
        LeadsTo::Nobody => Err(error::no_such_subject()),
        LeadsTo::Several => Err(error::several_subjects()),
    }
}

/// The subject that a reference names; `None` for one that names none.
pub fn named_subject(view: &View<'_>, shop: &Shop, whose: &Whose) -> Result<Option<SubjectId>, Problem> {
    match whose {
        Whose::Unsaid => Ok(None),
        Whose::Subject(subject) => Ok(Some(*subject)),
        Whose::External(blind) => {
            let record = find_lookup(view, shop, blind)?.ok_or_else(error::no_such_subject)?;
            Ok(Some(record.subject()))
        }
        Whose::Matching(blinds) => only_subject(view, shop, blinds).map(Some),
    }
}
