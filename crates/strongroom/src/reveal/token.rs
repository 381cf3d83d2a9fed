//! Tokens: something that a partner can hold in place of a value. Making one and turning it back are uses, and pass the gate.

use std::sync::Arc;

use ledger::entry::Act;
use policy::{Agreement, FieldMask};
use seal::Random;
use store::Lane;

use super::permit::{Permit, open};
use super::types::{Ask, Target};
use super::{Ended, decide, granted, refuse_stranger};

use crate::ground::house::House;
use crate::ground::random::SystemRandom;
use crate::ground::web::Caller;
use crate::ground::work::Work;
use crate::ground::{Deed, Id, InForce, Problem};
use crate::keep::{self, Made, TokenRow};

/// What a token starts with.
pub(super) const PREFIX: &str = "tok_";

/// A token that is wanted.
#[derive(Debug, Clone)]
pub struct MakeToken {
    /// For which purpose.
    pub purpose: u16,
    /// Of which record.
    pub target: Target,
    /// Of which field of its kind, by name.
    pub field: String,
    /// For which recipient; `None` for the shop itself.
    pub recipient: Option<u16>,
    /// How.
    pub made: Made,
}

/// The agreement with a recipient, today in the shop's zone.
pub(crate) fn agreement_of(policy: &InForce, recipient: Option<u16>, now: i64) -> Agreement {
    let Some(found) = recipient.and_then(|recipient| policy.compiled.recipient(recipient)) else {
        return Agreement::None;
    };
    let Some(agreed) = &found.said.agreement else { return Agreement::None };
    let at = jiff::Timestamp::from_microsecond(now).unwrap_or_default();
    let today = at.to_zoned(policy.compiled.zone().clone()).date();
    if today < agreed.signed {
        Agreement::None
    } else if agreed.until.is_some_and(|until| today > until) {
        Agreement::Ended
    } else {
        Agreement::InForce
    }
}

/// Makes a token. Gives its text, and the permit under which it was made.
///
/// Records: *tokenised*. Fails: as a reveal does; 422 when the kind has no such field.
pub async fn make_token(
    house: &Arc<House>,
    caller: &Caller,
    wanted: MakeToken,
) -> Result<(String, Permit), Problem> {
    let mut fresh = [0; 16];
    SystemRandom::new().fill(&mut fresh)?;
    let wanted = Arc::new(wanted);
    let asked = Arc::clone(&wanted);
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Token)?;
            // ORDER: first, so that who lacks the purpose learns nothing of records and fields.
            if !work.actor.purposes.has(asked.purpose) {
                return refuse_stranger(asked.purpose, Act::Tokenised, work);
            }
            let (ask, field) = one_field(&asked, work)?;
            let ended = decide(&ask, act_for(asked.recipient), asked.recipient, Act::Tokenised, work)?;
            if asked.made == Made::AtRandom
                && let Ended::Granted(granted) = &ended
                && let Some(item) = granted.items.first()
            {
                let row =
                    TokenRow { record: item.row.id, field, recipient: asked.recipient, made: Made::AtRandom };
                keep::add_token(&fresh, &row, work)?;
            }
            Ok(ended)
        })
        .await?;
    let permit = granted(committed)?;
    let token = match wanted.made {
        Made::AtRandom => fresh,
        Made::FromValue => keep_made_from_value(house, caller, &wanted, &permit).await?,
    };
    Ok((format!("{PREFIX}{}", seal::base32(&token)), permit))
}

/// Makes a token from the opened value, then keeps it in a transaction that checks that the key still lives.
async fn keep_made_from_value(
    house: &Arc<House>,
    caller: &Caller,
    wanted: &MakeToken,
    permit: &Permit,
) -> Result<[u8; 16], Problem> {
    let (token, row) = token_of_value(permit, wanted.recipient)?;
    house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            let subject = keep::find_subject(work.tx, work.shop, row.record.subject())?;
            if subject.is_none_or(|subject| subject.key(seal::Class::Main).is_none()) {
                return Err(keep::error::erased());
            }
            work.tx.housekeeping(); // the act was entered with the permit
            keep::add_token(&token, &row, work)?;
            Ok(token)
        })
        .await
        .map(store::Committed::into_value)
}

/// The token of the one value that a permit covers.
fn token_of_value(permit: &Permit, recipient: Option<u16>) -> Result<([u8; 16], TokenRow), Problem> {
    let granted = permit.granted();
    let opened = open(permit)?;
    let item = opened.first().ok_or_else(keep::error::not_found)?;
    let (field, value) = item.fields.first().ok_or_else(no_value)?;
    let keys = &item.item.keys;
    let owner = item.item.row.id.subject().number();
    let key = keys.iter().find(|group| group.head.fields.has(*field)).ok_or_else(no_value)?;
    let key = granted.shop.keys.open_key(owner, &key.subject)?;
    let name = |recipient| granted.policy.registry.recipient_name(recipient).map(ToString::to_string);
    let recipient_name = recipient.and_then(name).unwrap_or_default();
    let field_name = format!("{}.{field}", item.item.row.id.kind());
    let token = key.token(recipient_name.as_bytes(), field_name.as_bytes(), value)?;
    Ok((token, TokenRow { record: item.item.row.id, field: *field, recipient, made: Made::FromValue }))
}

pub(super) fn no_value() -> Problem {
    Problem::new("SR-REVEAL-006", 404, "the record has no value in this field")
}

/// Turns a token back into its value, for a purpose, and for the recipient that it was made for.
///
/// Gives: the permit for that one field. Records: *resolved*. Fails: 404 for a token that is not there, is for somebody else,
/// or whose subject is erased; 410 when the value has changed since a token was made from it.
pub async fn resolve_token(
    house: &Arc<House>,
    caller: &Caller,
    token: [u8; 16],
    purpose: u16,
    recipient: Option<u16>,
) -> Result<Permit, Problem> {
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Token)?;
            if !work.actor.purposes.has(purpose) {
                return refuse_stranger(purpose, Act::Resolved, work)
                    .map(|ended| Resolved { ended, row: None });
            }
            let row = keep::find_token(work.tx, work.shop, &token)?;
            let row = row.filter(|row| row.recipient == recipient).ok_or_else(keep::error::not_found)?;
            let ask = Ask {
                purpose,
                target: Target::Record(row.record),
                kinds: Some(vec![row.record.kind()]),
                fields: Some(vec![(row.record.kind(), FieldMask::only(row.field))]),
                mask_all: false,
                limit: 1,
            };
            decide(&ask, act_for(recipient), recipient, Act::Resolved, work)
                .map(|ended| Resolved { ended, row: Some(row) })
        })
        .await?;
    let row = committed.value().row;
    let permit = granted(committed.try_map(|resolved| Ok::<_, Problem>(resolved.ended))?)?;
    let from_value = row.is_some_and(|row| row.made == Made::FromValue);
    if from_value && !seal::same(&token_of_value(&permit, recipient)?.0, &token) {
        return Err(Problem::new(
            "SR-REVEAL-007",
            410,
            "the value has changed since this token was made from it",
        ));
    }
    Ok(permit)
}

struct Resolved {
    ended: Ended,
    row: Option<TokenRow>,
}

/// Giving a token to somebody outside is a share; for the shop itself it is a reveal.
fn act_for(recipient: Option<u16>) -> policy::Act {
    if recipient.is_some() { policy::Act::Share } else { policy::Act::Reveal }
}

/// The ask for the one field that a token stands for.
fn one_field(wanted: &MakeToken, work: &Work<'_, '_>) -> Result<(Ask, u8), Problem> {
    let (_, record) = super::resolve(&wanted.target, work)?;
    let record = record.ok_or_else(keep::error::not_found)?;
    let kind = work.policy.compiled.kind(record.kind());
    let field = kind.and_then(|kind| kind.find_field(&wanted.field)).ok_or_else(|| {
        Problem::new("SR-REVEAL-008", 422, "records of this kind have no such field").at("/field")
    })?;
    if field.file.is_some() {
        // What a token of it would stand for is a key that changes with every sealing.
        return Err(Problem::new("SR-REVEAL-017", 422, "no token stands for a file").at("/field"));
    }
    let ask = Ask {
        purpose: wanted.purpose,
        target: Target::Record(record),
        kinds: Some(vec![record.kind()]),
        fields: Some(vec![(record.kind(), FieldMask::only(field.ordinal))]),
        mask_all: false,
        limit: 1,
    };
    Ok((ask, field.ordinal))
}
