//! Room `choose`: what subjects said about purposes.
//!
//! What is held: every choice with the notice that was seen, and one row per subject that says what stands now.
//!
//! Invariants:
//! - the later choice wins, by the time at which the subject made it, not by the time at which it arrived;
//! - a choice can be made only about a purpose that leaves one: consent, or an interest that can be objected to;
//! - what stands is read in the transaction that uses it; it and every choice carry a MAC, so a yes cannot be written by
//!   hand, and which choice is the later one cannot be moved;
//! - saying the same again changes nothing;
//! - a yes stands only to what its notice said: a policy that asks for more makes it void, at once and for everybody.
//!
//! Who may call: `collect`, `reveal`, `share`, `erase`, `answer`. It may call `notice`.

pub mod ends;
mod receipt;
mod sql;

pub use receipt::{ChoiceReceiptBody, receipts};
pub(crate) use sql::KEEP_NEWEST;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

use std::sync::Arc;

use ledger::entry::{Act, Outcome};
use ledger::instant;
use ledger::opening::Opening;
use policy::{Basis, CompiledPurpose};
use seal::DataKey;
use serde::{Deserialize, Serialize};
use store::{Ask, View, params};

use crate::ground::clock::MINUTE;
use crate::ground::work::{Shown, Work};
use crate::ground::{ChoiceId, Chosen, EntryId, InForce, Problem, Shop, SubjectId};

/// What a subject says about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Yes.
    Granted,
    /// No; about an interest of the shop's: an objection.
    Refused,
    /// No longer.
    Withdrawn,
}

impl Said {
    /// Its name in receipts and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Said::Granted => "granted",
            Said::Refused => "refused",
            Said::Withdrawn => "withdrawn",
        }
    }

    fn number(self) -> u8 {
        match self {
            Said::Granted => 1,
            Said::Refused => 2,
            Said::Withdrawn => 3,
        }
    }

    fn from_number(number: u8) -> Option<Said> {
        [Said::Granted, Said::Refused, Said::Withdrawn].into_iter().find(|said| said.number() == number)
    }
}

/// How a choice came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the API.
    Api,
    /// By an import.
    Import,
    /// On the first layer of a page of ours.
    Banner,
    /// On the page where people see and change all that they chose.
    Preferences,
    /// By the signal of a browser, which the visitor confirmed.
    Signal,
    /// On the pages where a person who has signed in sees what is their own.
    MyData,
    /// By the link of a mail.
    Link,
}

impl Way {
    /// Every way.
    pub const ALL: [Way; 7] =
        [Way::Api, Way::Import, Way::Banner, Way::Preferences, Way::Signal, Way::MyData, Way::Link];

    /// Its name in rows and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Way::Api => "api",
            Way::Import => "import",
            Way::Banner => "banner",
            Way::Preferences => "preferences",
            Way::Signal => "signal",
            Way::MyData => "my_data",
            Way::Link => "link",
        }
    }
}

/// What somebody saw who chose on a page of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// SHA-256 of the words that were shown, hex; empty where no page of ours showed them.
    pub shown: String,
    /// Which form of the page.
    pub variant: String,
    /// The law by which it was asked; empty where nobody knew.
    pub law: String,
}

impl Seen {
    /// What the opening of the entry says of it.
    fn facts(&self) -> Vec<String> {
        let named = [("shown", &self.shown), ("variant", &self.variant), ("law", &self.law)];
        let said = named.into_iter().filter(|(_, text)| !text.is_empty());
        said.map(|(name, text)| format!("{name} {text}")).collect()
    }
}

/// A choice that came in.
#[derive(Debug, Clone)]
pub struct NewChoice {
    /// Ordinal of the purpose.
    pub purpose: u16,
    /// What was said.
    pub said: Said,
    /// When the subject said it, µs UTC; `None` for now.
    pub at: Option<i64>,
    /// Version of the notice that it saw.
    pub notice: u32,
    /// Language of that notice.
    pub language: String,
    /// How it came.
    pub way: Way,
    /// What was seen, where a page of ours showed it.
    pub seen: Seen,
}

/// A choice as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceRow {
    /// Which.
    pub id: ChoiceId,
    /// Ordinal of the purpose.
    pub purpose: u16,
    /// What was said.
    pub said: Said,
    /// When, µs UTC.
    pub at: i64,
    /// Version of the notice.
    pub notice: u32,
    /// Language of the notice.
    pub language: String,
    /// How it came.
    pub way: String,
    /// What was seen, where a page of ours showed it.
    pub seen: Seen,
    /// When this yes ends by itself, µs UTC; 0 for one that stands until it is withdrawn, and for all but a yes.
    pub ends_at: i64,
    /// Its entry.
    pub entry: EntryId,
}

/// What became of a choice.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: ChoiceId,
    /// Its entry.
    pub entry: EntryId,
    /// What the receipt shows of the entry.
    pub shown: Shown,
    /// What the entry commits to.
    pub opening: Opening,
    /// When it ends by itself, µs UTC; 0 if it does not.
    pub ends_at: i64,
    /// What stands now.
    pub chosen: Chosen,
}

const CHOICE: &str = "choice";
/// A choice may lie this far in the future: clocks differ.
const AHEAD_ALLOWED: i64 = 5 * MINUTE;

/// What a subject has chosen, as it stands at an instant. Fails: `SR-KEEP-004` when the row was edited.
///
/// More time never gives more: a yes that has an end is not there from that instant on.
pub fn chosen(view: &View<'_>, shop: &Shop, subject: SubjectId, now: i64) -> Result<Chosen, Problem> {
    Ok(ends::standing(view, shop, subject)?.at(now).chosen)
}

/// What [`chosen`] asks.
pub fn asks_chosen(shop: &Shop, subject: SubjectId) -> Ask {
    Ask::new(&sql::FIND_STANDING, params![subject.column(), shop.column()])
}

/// What [`keep`] asks, of a subject of which a hint says how much it has chosen.
pub fn asks_keep(shop: &Shop, subject: SubjectId) -> Vec<Ask> {
    let mut asks = vec![asks_chosen(shop, subject)];
    if let Some(hint) = shop.hints.subject(subject) {
        let ((first, last), limit) = (all_of(subject), hint.chosen.count.saturating_add(1));
        asks.push(Ask::new(&sql::LIST_CHOICES, params![first, last, shop.column(), limit]));
    }
    asks
}

/// What subjects can be asked about, and what they can say.
///
/// Fails: `SR-CHOOSE-001` when the purpose leaves no choice.
pub fn may_be_said(purpose: &CompiledPurpose, said: Said) -> Result<(), Problem> {
    let no_choice = || {
        Problem::new("SR-CHOOSE-001", 422, "this purpose rests on something else than a choice")
            .help("choices are made about consent, and objections about a legitimate interest")
            .at("/purpose")
    };
    match (purpose.said.basis, said) {
        (Basis::Consent | Basis::SeparateConsent | Basis::LegitimateInterest, _) => Ok(()),
        _ => Err(no_choice()),
    }
}

/// Has the subject records that were laid out before this choice?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// None: it is new, and its first record was laid out with the choice.
    None,
    /// Perhaps; they are laid out again behind.
    Perhaps,
}

/// Does what was said before stand against a choice that comes by import and does not say when it was made?
///
/// INVARIANT: a file that is imported again never turns a no back into a yes. Only a yes with a later time does.
fn outlives(before: &ChoiceRow, choice: &NewChoice) -> bool {
    let untimed_yes = choice.way == Way::Import && choice.at.is_none() && choice.said == Said::Granted;
    untimed_yes && before.said != Said::Granted
}

/// The latest choice about a purpose by the time at which it was made; of two at one time the one that came later.
fn last(
    subject: SubjectId,
    purpose: u16,
    chosen: &Chosen,
    work: &Work<'_, '_>,
) -> Result<Option<ChoiceRow>, Problem> {
    let made = list_all(work.view(), work.shop, subject, chosen.count)?;
    Ok(made.into_iter().filter(|row| row.purpose == purpose).max_by_key(|row| (row.at, row.id)))
}

/// Would a choice stand once it is kept? Not when a later one is known, or one that it cannot overrule.
pub fn would_stand(subject: SubjectId, choice: &NewChoice, work: &Work<'_, '_>) -> Result<bool, Problem> {
    let at = choice.at.unwrap_or(work.now);
    let chosen = chosen(work.view(), work.shop, subject, work.now)?;
    let before = last(subject, choice.purpose, &chosen, work)?;
    Ok(before.is_none_or(|before| before.at <= at && !outlives(&before, choice)))
}

/// Keeps a choice. Gives `None` when the same was said before and stands, or when a yes of no known time
/// meets a no.
///
/// Takes: whose choice, and the key whose alias stands in the entry. Records: *chose*, committed to purpose, answer,
/// notice, language and time. Fails: `SR-CHOOSE-002` for a time in the future, `SR-CHOOSE-003` for a notice that was never
/// published, `SR-CHOOSE-004` for a language that it has not.
pub fn keep(
    subject: SubjectId,
    key: &DataKey,
    choice: &NewChoice,
    others: Others,
    work: &mut Work<'_, '_>,
) -> Result<Option<Kept>, Problem> {
    let policy = Arc::clone(&work.policy);
    let purpose = policy.compiled.purpose(choice.purpose).ok_or_else(unknown_purpose)?;
    may_be_said(purpose, choice.said)?;
    let said_at = choice.at.unwrap_or(work.now);
    if said_at > work.now.saturating_add(AHEAD_ALLOWED) {
        return Err(Problem::new("SR-CHOOSE-002", 422, "a choice cannot lie in the future").at("/at"));
    }
    // Clocks differ; but what was said now must not outlive what is said a minute later.
    let at = said_at.min(work.now);
    if choice.notice == 0 || choice.notice > policy.version {
        return Err(Problem::new("SR-CHOOSE-003", 422, "no notice of this version was published")
            .at("/notice/version"));
    }
    if choice.said == Said::Granted && policy.voided_since(choice.notice).has(choice.purpose) {
        // LAW: PIPL 14(2): who changes what was agreed to has to ask again.
        return Err(Problem::new(
            "SR-CHOOSE-007",
            422,
            "this notice was replaced by one that asks for more: a yes to it does not hold",
        )
        .help("show the notice of the version in force, and ask again")
        .at("/notice/version"));
    }
    let languages = &policy.compiled.shop().languages;
    if !languages.iter().any(|language| language.as_str() == choice.language) {
        return Err(
            Problem::new("SR-CHOOSE-004", 422, "the notice has no such language").at("/notice/language")
        );
    }
    let mut stands = ends::standing(work.tx, work.shop, subject)?.at(work.now);
    let before = last(subject, choice.purpose, &stands.chosen, work)?;
    let ends_at = ends::of(purpose, choice.said, at, &policy);
    let said_before = before.as_ref().is_some_and(|before| {
        let same =
            (before.said, before.notice, &before.language) == (choice.said, choice.notice, &choice.language);
        let same = same && choice.at.is_none_or(|at| at == before.at);
        same && !ends::is_renewed(before, at, ends_at)
    });
    if said_before || before.as_ref().is_some_and(|before| outlives(before, choice)) {
        return Ok(None);
    }

    let id = ChoiceId::of(subject, stands.chosen.count);
    if stands.chosen.count >= crate::ground::ids::RECORDS_LIMIT {
        return Err(Problem::new("SR-CHOOSE-005", 422, "this subject has made as many choices as it can"));
    }
    let later_stands = before.is_some_and(|before| before.at > at);
    stands.chosen.count = stands.chosen.count.saturating_add(1);
    if !later_stands {
        stands = stands.with(choice.purpose, choice.said, ends_at).at(work.now);
    }
    // What came along with a yes that is over already was laid out as if it stood.
    let others = if ends_at != 0 && ends_at <= work.now { Others::Perhaps } else { others };

    let made = Made {
        subject: &work.ids.show(subject),
        purpose: purpose.said.name.as_str(),
        said: choice.said,
        notice: choice.notice,
        language: &choice.language,
        at,
        way: choice.way.name(),
        seen: &choice.seen,
        ends_at,
    };
    let opening = made.opening()?;
    let mut entry = work.entry(Act::Chose, Outcome::Yes);
    entry.purpose = Some(choice.purpose);
    let (entry_id, shown) = work.enter_to_show(key, entry, &opening)?;
    let row = ChoiceRow {
        id,
        purpose: choice.purpose,
        said: choice.said,
        at,
        notice: choice.notice,
        language: choice.language.clone(),
        way: choice.way.name().to_owned(),
        seen: choice.seen.clone(),
        ends_at,
        entry: entry_id,
    };
    add(subject, &row, work)?;
    ends::set_standing(subject, &stands, others, work)?;
    Ok(Some(Kept { id, entry: entry_id, shown, opening, ends_at, chosen: stands.chosen }))
}

/// A choice as its entry commits to it.
struct Made<'a> {
    subject: &'a str,
    purpose: &'a str,
    said: Said,
    notice: u32,
    language: &'a str,
    at: i64,
    way: &'a str,
    seen: &'a Seen,
    ends_at: i64,
}

impl Made<'_> {
    fn opening(&self) -> Result<Opening, Problem> {
        let opening = Opening::builder()
            .act(Act::Chose)
            .subject(self.subject)
            .purpose(self.purpose)
            .choice(self.said.name())
            .notice(&self.notice.to_string())
            .language(self.language)
            .at(self.at);
        let facts = self.seen.facts();
        // What was made by the API or an import commits to what it always did.
        let on_a_page = (!facts.is_empty()).then(|| format!("way {}", self.way));
        let end = (self.ends_at != 0).then(|| format!("until {}", instant::text(self.ends_at)));
        let all = on_a_page.into_iter().chain(facts).chain(end);
        Ok(all.fold(opening, |opening, fact| opening.extra(fact.as_bytes())).build()?)
    }
}

/// What the entry of a kept choice commits to, made again from its row: for a receipt that is asked for later.
///
/// Takes: the public id of its subject. Fails: `SR-CHOOSE-006` when the registry has no such purpose.
fn opening_of(row: &ChoiceRow, subject: &str, policy: &InForce) -> Result<Opening, Problem> {
    let purpose = policy.registry.purpose_name(row.purpose).ok_or_else(unknown_purpose)?;
    let ChoiceRow { said, notice, language, at, way, seen, ends_at, .. } = row;
    let made = Made {
        subject,
        purpose: purpose.as_str(),
        said: *said,
        notice: *notice,
        language,
        at: *at,
        way,
        seen,
        ends_at: *ends_at,
    };
    made.opening()
}

/// The problem of a purpose that the policy in force does not have.
pub fn unknown_purpose() -> Problem {
    Problem::new("SR-CHOOSE-006", 422, "the policy has no such purpose").at("/purpose")
}

/// All choices of a subject, of which it has made so many, in order.
///
/// Fails: `SR-KEEP-004` when one of them was edited, taken away or added by hand: which one is the last would be another.
pub fn list_all(
    view: &View<'_>,
    shop: &Shop,
    subject: SubjectId,
    count: u32,
) -> Result<Vec<ChoiceRow>, Problem> {
    let made = list(view, shop, subject, count.saturating_add(1))?;
    if made.len() == count as usize { Ok(made) } else { Err(Problem::edited(CHOICE)) }
}

fn add(subject: SubjectId, row: &ChoiceRow, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let (shop, said) = (work.shop, row.said.number());
    let columns = row.columns(shop);
    let mac = shop.keys.row_mac(CHOICE, &columns.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let (language, way) = (row.language.as_str(), row.way.as_str());
    let Seen { shown, variant, law } = &row.seen;
    let (shown, variant, law) = (shown.as_str(), variant.as_str(), law.as_str());
    let (id, entry, purpose, notice) = (row.id.column(), row.entry.column(), row.purpose, row.notice);
    let params = params![
        id,
        shop.column(),
        purpose,
        said,
        row.at,
        notice,
        language,
        way,
        shown,
        variant,
        law,
        row.ends_at,
        entry,
        &mac
    ];
    let (first, last) = all_of(subject);
    Ok(work.tx.set(&sql::ADD_CHOICE, params, &sql::LIST_CHOICES, params![first, last, shop.column()])?)
}

impl ChoiceRow {
    /// What its MAC is over.
    fn columns(&self, shop: &Shop) -> Vec<Vec<u8>> {
        let (id, entry, said) = (self.id.column(), self.entry.column(), self.said.number());
        let numbers =
            [id, shop.column(), self.purpose.into(), said.into(), self.at, self.notice.into(), entry];
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let Seen { shown, variant, law } = &self.seen;
        let mut columns = vec![numbers, self.language.clone().into_bytes(), self.way.clone().into_bytes()];
        // ORDER: only if one of them says something; so rows from before stay whole.
        if self.seen != Seen::default() {
            columns.extend([shown, variant, law].map(|text| text.clone().into_bytes()));
        }
        if self.ends_at != 0 {
            columns.push(self.ends_at.to_be_bytes().to_vec());
        }
        columns
    }
}

/// Between which numbers the choices of a subject lie.
fn all_of(subject: SubjectId) -> (i64, i64) {
    (ChoiceId::of(subject, 0).column(), ChoiceId::of(subject, u32::MAX).column())
}

/// The choices of a subject, in order. Fails: `SR-KEEP-004` when a row was edited.
pub fn list(view: &View<'_>, shop: &Shop, subject: SubjectId, limit: u32) -> Result<Vec<ChoiceRow>, Problem> {
    let (first, last) = all_of(subject);
    let params = params![first, last, shop.column(), limit];
    let rows = view.list(&sql::LIST_CHOICES, params, |row| {
        let Some(said) = Said::from_number(row.number(2)?) else { return Ok(None) };
        let choice = ChoiceRow {
            id: ChoiceId::from_column(row.int(0)?),
            purpose: row.number(1)?,
            said,
            at: row.int(3)?,
            notice: row.number(4)?,
            language: row.text(5)?.to_owned(),
            way: row.text(6)?.to_owned(),
            seen: Seen {
                shown: row.text(7)?.to_owned(),
                variant: row.text(8)?.to_owned(),
                law: row.text(9)?.to_owned(),
            },
            ends_at: row.int(12)?,
            entry: EntryId::from_column(row.int(10)?),
        };
        Ok(Some((choice, row.bytes(11)?.to_vec())))
    })?;
    let whole = |(row, mac): &(ChoiceRow, Vec<u8>)| {
        let columns = row.columns(shop);
        shop.keys.row_is_whole(CHOICE, &columns.iter().map(Vec::as_slice).collect::<Vec<_>>(), mac).is_ok()
    };
    let rows = rows
        .into_iter()
        .map(|row| row.filter(whole).map(|(row, _)| row).ok_or_else(|| Problem::edited(CHOICE)));
    rows.collect()
}

/// Subjects behind a number that ever chose, page by page; for the deep check.
pub fn list_standings_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<SubjectId>,
    limit: u32,
) -> Result<Vec<SubjectId>, Problem> {
    let after = after.map_or(-1, SubjectId::column);
    Ok(view.list(&sql::LIST_STANDINGS_AFTER, params![after, shop.column(), limit], |row| {
        Ok(SubjectId::from_column(row.int(0)?))
    })?)
}

/// Removes the choices of a subject behind its dead key. Gives how many went; fewer than `limit` means that it is done.
pub fn remove(subject: SubjectId, limit: u32, work: &mut Work<'_, '_>) -> Result<usize, Problem> {
    let (first, last) = all_of(subject);
    let params = params![first, last, work.shop.column(), limit];
    let gone = work.tx.change(&sql::REMOVE_CHOICES, params)?;
    work.tx.change(&sql::REMOVE_STANDING, params![subject.column(), work.shop.column()])?;
    Ok(gone)
}
