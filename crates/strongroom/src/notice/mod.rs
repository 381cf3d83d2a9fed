//! Room `notice`: the policy versions of a shop, exactly as published.
//!
//! What is held: every published policy file, byte for byte, and the registry of names: which kind, field, purpose,
//! recipient and event has which ordinal, for ever. No personal data.
//!
//! Invariants:
//! - a version, once published, does not change; the entry of its publication holds its digest;
//! - rows carry a MAC, so what the gate goes by cannot be written by hand;
//! - a name keeps its ordinal for ever, so that old envelopes, entries and choices mean what they meant;
//! - a policy with an error is never published.
//!
//! Who may call: every room. It calls none.

pub mod http;
pub mod pages;
mod sql;
pub mod verify;

pub(crate) use sql::KEEP_NEWEST;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

use ledger::entry::{Act, Outcome, policy_digest_figures};
use policy::{PurposeSet, Registry, Report};
use seal::ShopKeys;
use sha2::{Digest, Sha256};
use store::{Row, Tx, View, params};

use crate::ground::law::under_law;
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, InForce, Problem, Shop, jobs};

/// A policy that has been checked and is ready to be published.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The file, byte for byte.
    pub text: String,
    /// What it says.
    pub policy: policy::Policy,
}

/// Checks a policy file against today's date.
///
/// Fails: `SR-NOTICE-001` when it has errors; then the report is what to show.
pub fn check(
    text: &str,
    name: &str,
    today: jiff::civil::Date,
) -> Result<(Checked, Report), Box<(Problem, Report)>> {
    let report = policy::check(text, name, today);
    match report.policy.clone() {
        Some(policy) => Ok((Checked { text: text.to_owned(), policy }, report)),
        None => Err(Box::new((not_clean(), report))),
    }
}

fn not_clean() -> Problem {
    Problem::new("SR-NOTICE-001", 422, "the policy has errors and cannot be published")
        .help("run `strongroom check FILE`: it shows every one, and how to mend it")
}

/// A policy as it will be in force: with the ordinals of a shop's names.
///
/// Fails: `SR-NOTICE-002` when a name would have to change its meaning.
pub fn ready(checked: &Checked, before: Option<&InForce>, at: i64) -> Result<InForce, Problem> {
    let known = before.map(|before| before.registry.clone()).unwrap_or_default();
    let registry = known.extended_by(&checked.policy).map_err(|fault| fault_problem(&fault))?;
    let compiled = policy::compile(&checked.policy, &registry).map_err(|fault| fault_problem(&fault))?;
    let version = before.map_or(1, |before| before.version.saturating_add(1));
    let mut voids = before.map(|before| before.voids.clone()).unwrap_or_default();
    voids.push((version, voided(checked, before, &registry)));
    Ok(InForce {
        version,
        at,
        text: checked.text.clone(),
        digest: Sha256::digest(checked.text.as_bytes()).into(),
        compiled,
        registry,
        voids,
        law: None,
    })
}

/// Purposes whose granted choices a policy makes void: what they agreed to is not what it says.
fn voided(checked: &Checked, before: Option<&InForce>, registry: &Registry) -> PurposeSet {
    let Some(before) = before else { return PurposeSet::EMPTY };
    // What was published was without errors then; should this release find some, every yes is asked for again.
    let Some(old) = read_again(&before.text, before.at) else { return PurposeSet::ALL };
    let names = policy::void_choices(&policy::diff(&old, &checked.policy));
    names.iter().filter_map(|name| registry.find_purpose(name.as_str())).collect()
}

/// The problem of a policy whose names do not fit those that a shop has: `SR-NOTICE-002`.
pub fn fault_problem(fault: &policy::RegistryFault) -> Problem {
    // The fault names declared names only; its own code goes into the text.
    Problem::new("SR-NOTICE-002", 409, format!("{fault} ({})", fault.code())).help(fault.help())
}

/// Publishes a policy: the next version, in force from this commit on.
///
/// Takes: the version that it follows, if somebody has looked at what it changes; then it follows no other.
/// Fails: `SR-NOTICE-006` when another version was published meanwhile. Records: *published*, with the digest of the file.
pub fn publish(
    checked: &Checked,
    follows: Option<u32>,
    work: &mut Work<'_, '_>,
) -> Result<(u32, EntryId), Problem> {
    work.must_be_allowed(Deed::Publish)?;
    if follows.is_some_and(|follows| follows != work.policy.version) {
        return Err(Problem::new(
            "SR-NOTICE-006",
            409,
            "another version was published since this was planned",
        )
        .help("plan it again: what it changes is counted against the version in force")
        .at("/follows"));
    }
    if checked.policy.shop.id != work.shop.name {
        return Err(Problem::new("SR-NOTICE-003", 409, "this policy is for another shop")
            .help("the shop's id can never change: see `[shop] id`"));
    }
    let next = ready(checked, Some(&work.policy), work.now)?;
    write(work.shop, &next, work.tx)?;
    let mut entry = work.entry(Act::Published, Outcome::Yes);
    entry.policy = next.version;
    entry.figures = policy_digest_figures(&next.digest).to_vec();
    let id = work.enter_plain(entry)?;
    // The gate follows the new version at once; what is kept already is laid out again behind.
    work.tx.add_job(work.shop.column(), jobs::LAY_OUT, 0, work.asked_at())?;
    let (version, shop) = (next.version, std::sync::Arc::clone(work.shop));
    let next = under_law(next, shop.packs(), work.now)?;
    // ORDER: whatever comes behind in the ledger goes by the new version, so nothing else runs in this transaction.
    work.tx.ends_batch();
    work.tx.after_commit(move || {
        shop.put_in_force(next);
        shop.hints.forget_all();
    });
    Ok((version, id))
}

/// Writes the row of a policy version.
pub fn write(shop: &Shop, policy: &InForce, tx: &mut Tx<'_>) -> Result<(), Problem> {
    let registry = policy.registry.to_json();
    let voids = policy.voids.iter().find(|(version, _)| *version == policy.version);
    let voids = voids.map_or(PurposeSet::EMPTY, |(_, purposes)| *purposes);
    let voids: Vec<u8> = voids.as_words().iter().flat_map(|word| word.to_le_bytes()).collect();
    let (text, registry) = (policy.text.as_str(), registry.as_str());
    let numbers = [shop.column(), i64::from(policy.version), policy.at];
    let mac =
        shop.keys.row_mac(POLICY, &columns(numbers, text, registry, &voids).each_ref().map(Vec::as_slice))?;
    let params =
        params![shop.column(), policy.version, policy.at, text, &policy.digest, registry, &voids, &mac];
    tx.change(&sql::ADD_POLICY, params)?;
    Ok(())
}

const POLICY: &str = "policy";

/// What the MAC of a row is over. Texts can be longer than a column of a MAC may be, so their digests stand for them.
fn columns(numbers: [i64; 3], text: &str, registry: &str, voids: &[u8]) -> [Vec<u8>; 4] {
    let numbers = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    [numbers, Sha256::digest(text).to_vec(), Sha256::digest(registry).to_vec(), voids.to_vec()]
}

/// A policy as its row has it.
struct Stored {
    version: u32,
    at: i64,
    text: String,
    digest: [u8; 32],
    registry: String,
    voids: Vec<u8>,
    mac: Vec<u8>,
}

/// Every version of a shop, oldest first.
///
/// Fails: `SR-KEEP-004` when a row was edited: what it says is then not what was published.
fn stored(view: &View<'_>, shop: u32, keys: &ShopKeys) -> Result<Vec<Stored>, Problem> {
    let rows = view.list(&sql::LIST_WHOLE_POLICIES, params![i64::from(shop)], read_policy)?;
    for row in &rows {
        let numbers = [i64::from(shop), i64::from(row.version), row.at];
        let columns = columns(numbers, &row.text, &row.registry, &row.voids);
        let whole = keys.row_is_whole(POLICY, &columns.each_ref().map(Vec::as_slice), &row.mac).is_ok();
        if !whole || digest_of(&row.text) != row.digest {
            return Err(Problem::edited(POLICY));
        }
    }
    Ok(rows)
}

fn read_policy(row: &Row<'_>) -> Result<Stored, store::Error> {
    Ok(Stored {
        version: row.number(0)?,
        at: row.int(1)?,
        text: row.text(2)?.to_owned(),
        digest: row.array(3)?,
        registry: row.text(4)?.to_owned(),
        voids: row.bytes(5)?.to_vec(),
        mac: row.bytes(6)?.to_vec(),
    })
}

fn digest_of(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The policy in force, for the start of the house.
///
/// Fails: `SR-KEEP-004` when a row was edited; `SR-NOTICE-004` when the stored file is not a policy any more: this release is
/// older than the one that published it.
pub fn load(view: &View<'_>, shop: u32, keys: &ShopKeys) -> Result<InForce, Problem> {
    let rows = stored(view, shop, keys)?;
    make(rows.last().ok_or_else(unreadable)?, &rows)
}

/// Puts in force what another server has published.
pub fn learn(view: &View<'_>, shop: &Shop, now: i64) -> Result<(), Problem> {
    let newest = list(view, shop, 1)?.first().map(|(version, ..)| *version);
    if newest != Some(shop.policy().version) {
        let policy = load(view, shop.number, &shop.keys)?;
        shop.put_in_force(under_law(policy, shop.packs(), now)?);
        shop.hints.forget_all();
    }
    Ok(())
}

/// A published version, if there is one of this number.
pub fn find(view: &View<'_>, shop: &Shop, version: u32) -> Result<Option<InForce>, Problem> {
    let rows = stored(view, shop.number, &shop.keys)?;
    rows.iter().find(|row| row.version == version).map(|row| make(row, &rows)).transpose()
}

/// Digests of the published files, by version; for the deep check.
///
/// Fails: `SR-KEEP-004` when a row was edited.
pub fn digests(view: &View<'_>, shop: &Shop) -> Result<Vec<(u32, [u8; 32])>, Problem> {
    Ok(stored(view, shop.number, &shop.keys)?.iter().map(|row| (row.version, row.digest)).collect())
}

/// A version's number, when it was published, and the digest of its file.
pub type Version = (u32, i64, [u8; 32]);

/// Published versions, the latest first.
pub fn list(view: &View<'_>, shop: &Shop, limit: u32) -> Result<Vec<Version>, Problem> {
    Ok(view.list(&sql::LIST_POLICIES, params![shop.column(), limit], |row| {
        Ok((row.number(0)?, row.int(1)?, row.array(2)?))
    })?)
}

fn make(row: &Stored, all: &[Stored]) -> Result<InForce, Problem> {
    let registry = Registry::from_json(&row.registry).map_err(|_| unreadable())?;
    let policy = read_again(&row.text, row.at).ok_or_else(unreadable)?;
    let compiled = policy::compile(&policy, &registry).map_err(|_| unreadable())?;
    let voids = all.iter().map(|row| (row.version, read_purposes(&row.voids))).collect();
    Ok(InForce {
        version: row.version,
        at: row.at,
        text: row.text.clone(),
        digest: row.digest,
        compiled,
        registry,
        voids,
        law: None,
    })
}

fn read_purposes(column: &[u8]) -> PurposeSet {
    let mut words = [0_u64; 4];
    for (word, bytes) in words.iter_mut().zip(column.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    PurposeSet::from_words(words)
}

/// What a published version says, read again out of its file.
///
/// Fails: `SR-NOTICE-004`.
pub fn policy_of(published: &InForce) -> Result<policy::Policy, Problem> {
    read_again(&published.text, published.at).ok_or_else(unreadable)
}

/// Reads a stored policy. It was checked when it was published; dates in it (agreements, reviews) may have passed since.
fn read_again(text: &str, published_at: i64) -> Option<policy::Policy> {
    let published = jiff::Timestamp::from_microsecond(published_at).unwrap_or_default();
    policy::check(text, "policy", published.to_zoned(jiff::tz::TimeZone::UTC).date()).policy
}

fn unreadable() -> Problem {
    Problem::new("SR-NOTICE-004", 500, "the stored policy cannot be read by this release")
        .help("use the release that published it, or a newer one")
}
