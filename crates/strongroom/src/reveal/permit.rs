//! The one permit of the house. It is made of a committed grant and of nothing else.

use std::sync::Arc;

use policy::FieldMask;
use seal::{DataKey, Envelope, Personal, Place, Value};
use store::Committed;

use super::types::{Granted, Item};
use crate::ground::{Id, Problem};
use crate::keep::types::{EXTERNAL_ID, to_seal};

/// A grant whose entry is durable. Only the store makes [`Committed`], so only a commit makes a permit.
#[derive(Debug)]
pub struct Permit(Committed<Granted>);

impl Permit {
    /// Takes a committed grant.
    pub fn new(granted: Committed<Granted>) -> Permit {
        Permit(granted)
    }

    /// What was granted.
    pub fn granted(&self) -> &Granted {
        self.0.value()
    }
}

// INVARIANT: the only implementation in the house. `cargo xtask arrows` fails on a second one.
impl seal::Permit for Permit {
    fn stands(&self) -> bool {
        self.granted().in_use.stands()
    }

    fn covers(&self, place: &Place, field: u8) -> bool {
        self.granted().covers(place, field)
    }
}

/// A record, opened as far as a permit goes.
#[derive(Debug)]
pub struct Opened<'p> {
    /// The record and what the gate said of it.
    pub item: &'p Item,
    /// Its external id.
    pub external_id: Option<Personal<Value>>,
    /// The fields, ascending; those to be masked are masked already.
    pub fields: Vec<(u8, Personal<Value>)>,
    /// Which of them are masked.
    pub masked: FieldMask,
}

/// Opens what a permit covers.
///
/// Fails: `SR-REVEAL-004` when a seal is broken; the caller enters that.
pub fn open(permit: &Permit) -> Result<Vec<Opened<'_>>, Problem> {
    let granted = permit.granted();
    granted.items.iter().map(|item| open_item(permit, item)).collect()
}

fn open_item<'p>(permit: &'p Permit, item: &'p Item) -> Result<Opened<'p>, Problem> {
    let granted = permit.granted();
    let (shop, row) = (&granted.shop, &item.row);
    let envelope = Envelope::parse(&row.sealed).map_err(|_| broken())?;
    let mut keys: Vec<(usize, Arc<DataKey>, Arc<DataKey>)> = Vec::with_capacity(item.keys.len());
    for (position, group) in item.keys.iter().enumerate() {
        let owner = row.id.subject().number();
        let subject = shop.keys.open_key(owner, &group.subject).map_err(|_| broken())?;
        let term = shop.keys.open_key(group.term.0, &group.term.1).map_err(|_| broken())?;
        keys.push((position, subject, term));
    }
    let find = |head: &seal::GroupHead| {
        let position = item.keys.iter().position(|group| group.head == *head)?;
        let (_, subject, term) = keys.iter().find(|(known, _, _)| *known == position)?;
        Some((subject.as_ref(), term.as_ref()))
    };
    let wanted = to_seal(item.decision.fields.with(EXTERNAL_ID));
    let opened = envelope
        .open(permit, &row.place(shop.number), &row.clear_bytes, find, wanted)
        .map_err(|error| if error == seal::Error::NotPermitted { Problem::from(error) } else { broken() })?;

    let (mut external_id, mut fields) = (None, Vec::with_capacity(opened.len()));
    let masked = if granted.mask_all { item.decision.fields } else { item.decision.masked };
    let kind = granted.policy.compiled.kind(row.id.kind());
    for (field, value) in opened {
        if field == EXTERNAL_ID {
            external_id = Some(value);
            continue;
        }
        if masked.has(field) {
            let mask = kind.and_then(|kind| kind.field(field)).and_then(|field| field.mask);
            fields.push((field, value.map(|value| mask_value(mask, value))));
        } else {
            fields.push((field, value));
        }
    }
    let masked = masked.and(item.decision.fields);
    Ok(Opened { item, external_id, fields, masked })
}

/// A value behind its mask. A field without a mask shows nothing when it must be masked.
fn mask_value(mask: Option<policy::Mask>, value: &Value) -> Value {
    let hide = mask.unwrap_or(policy::Mask::All);
    Value::Text(match value {
        Value::Text(text) | Value::Decimal(text) | Value::Date(text) => hide.apply(text),
        Value::Integer(number) => hide.apply(&number.to_string()),
        Value::Boolean(_) | Value::File(_) => policy::Mask::All.apply("yes or no"),
    })
}

pub(super) fn broken() -> Problem {
    Problem::new(
        "SR-REVEAL-004",
        500,
        "the seal of this record is broken, and the opening was entered as failed",
    )
    .help("run `strongroom doctor --deep`: it names every such row; then restore the latest backup")
}
