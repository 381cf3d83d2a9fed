//! Unsubscribing by one click: a link for a mail, which withdraws exactly one purpose of exactly one person.
//!
//! Nothing is kept for a link: it names the subject by its public id and the purpose by its ordinal, under a MAC of the shop's. It dies with
//! the subject.
//!
//! Invariants:
//! - to open a link changes nothing, and looks nobody up; only the answer to its button does, or a mail program's one-click request;
//! - whatever is wrong with a link, its page says the same: it tells nothing of anybody;
//! - whoever has a link can say no in somebody's place, and nothing else.
//!
//! SOURCE: RFC 8058.

pub mod http;
mod page;

use std::sync::Arc;

use store::Lane;

use crate::choose::{self, NewChoice, Others, Said, Seen, Way};
use crate::ground::house::House;
use crate::ground::{Actor, Deed, Id, Ids, Problem, Shop, SubjectId};
use crate::keep;

/// What a link leads to.
#[derive(Debug)]
struct Led {
    shop: Arc<Shop>,
    subject: SubjectId,
    purpose: u16,
}

/// The opaque part of a link.
fn token_of(subject: SubjectId, purpose: u16, shop: &Shop, ids: &Ids) -> Result<String, Problem> {
    let id = ids.show(subject);
    let mac = mac_of(&id, purpose, shop)?;
    Ok(format!("{}.{purpose}.{mac}", id.trim_start_matches(PREFIX)))
}

/// What every id of a subject begins with; links leave it out.
const PREFIX: &str = "sub_";

fn mac_of(id: &str, purpose: u16, shop: &Shop) -> Result<String, Problem> {
    let purpose = purpose.to_be_bytes();
    Ok(seal::base32(&shop.keys.request_hash("unsubscribe", &[id.as_bytes(), &purpose])?))
}

/// Where a link leads, if one of the shops has made it.
fn led_by(token: &str, house: &House) -> Result<Option<Led>, Problem> {
    let mut parts = token.split('.');
    let (Some(id), Some(purpose), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let id = format!("{PREFIX}{id}");
    let (Ok(subject), Ok(number)) = (house.ids.read::<SubjectId>(&id), purpose.parse::<u16>()) else {
        return Ok(None);
    };
    for shop in house.shops() {
        if seal::same(mac_of(&id, number, &shop)?.as_bytes(), mac.as_bytes()) {
            return Ok(Some(Led { shop, subject, purpose: number }));
        }
    }
    Ok(None)
}

/// Withdraws what a link names. Whether it is one, and whether anything changed, nobody is told.
///
/// Records: *chose*, when something changed.
async fn withdraw(house: &Arc<House>, token: &str) -> Result<(), Problem> {
    let Some(Led { shop, subject, purpose }) = led_by(token, house)? else { return Ok(()) };
    // It is they who say so, with what was sent to their own mailbox.
    let working = house.work(Lane::High, &shop, &Actor::Subject(subject), move |work| {
        work.must_be_allowed(Deed::Choose)?;
        work.must_be_its_own(subject)?;
        let found = work.policy.compiled.purpose(purpose).cloned();
        let Some(found) = found.filter(|found| choose::may_be_said(found, Said::Withdrawn).is_ok()) else {
            return Ok(());
        };
        let Some(row) = keep::find_subject(work.tx, work.shop, subject)? else { return Ok(()) };
        let Some(main) = row.key(seal::Class::Main) else { return Ok(()) };
        let chosen = choose::chosen(work.view(), work.shop, subject, work.now)?;
        if chosen.refused.has(found.ordinal) {
            return Ok(());
        }
        let key = work.shop.keys.open_key(subject.number(), main)?;
        let language = work.policy.compiled.shop().languages.first().map(ToString::to_string);
        let choice = NewChoice {
            purpose,
            said: if chosen.granted.has(purpose) { Said::Withdrawn } else { Said::Refused },
            at: None,
            notice: work.policy.version,
            language: language.unwrap_or_default(),
            way: Way::Link,
            seen: Seen::default(),
        };
        choose::keep(subject, &key, &choice, Others::Perhaps, work)?;
        Ok(())
    });
    working.await.map(store::Committed::into_value)
}
