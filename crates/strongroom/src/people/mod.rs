//! Room `people`: who may use the API, and for which purposes. (Staff, sign-in and training move in later.)
//!
//! What is held: credentials, how many persons each may reach, and approvals of more. A secret is 32 random bytes, shown
//! once; only its SHA-256 is kept, which is enough for a secret that nobody can guess. Labels and the reasons that people
//! give are technical names, never a person's.
//!
//! Invariants:
//! - a credential revoked in a transaction does nothing in the next: its row is read in every unit of work;
//! - secrets are compared in constant time;
//! - a credential that reaches one person more than it may is frozen in that transaction, and does nothing in the next;
//! - nobody approves what they asked for themselves;
//! - an edited row (another role, more purposes, no revocation) fails its MAC and opens no door.
//!
//! Who may call: `reveal`, `account`, the desk and the house. It calls no room.

pub mod approval_http;
pub mod approvals;
pub mod http;
pub mod limits;
mod sql;

pub(crate) use sql::KEEP_NEWEST;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

use std::sync::Arc;

use ledger::entry::{Act, Outcome};
use policy::{Limit, PurposeSet};
use seal::{Random, Secret};
use sha2::{Digest, Sha256};
use store::{Row, View, params};
use zeroize::Zeroizing;

use crate::ground::shop::{CredentialStanding, Door};
use crate::ground::work::Work;
use crate::ground::{ActorFacts, CredentialId, Deed, EntryId, Id, Ids, Presented, Problem, Role, Shop};

/// A credential's row.
#[derive(Debug, Clone)]
pub struct CredentialRow {
    /// Its number.
    pub id: CredentialId,
    /// Its role.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// The purposes that it may use.
    pub purposes: PurposeSet,
    /// May it say on whose behalf it acts?
    pub for_others: bool,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// When it was made, µs UTC.
    pub since: i64,
    /// When it was revoked, µs UTC; 0 while it was not.
    pub revoked_at: i64,
    /// How many persons it may reach over all its purposes, if it was given a limit of its own.
    pub limit: Option<Limit>,
    /// When it was frozen, µs UTC; 0 while it is not.
    pub frozen_at: i64,
    /// Why it was last frozen or let go on.
    pub said: String,
}

/// A credential that is about to be made.
#[derive(Debug)]
pub struct NewCredential {
    /// Its number.
    pub id: CredentialId,
    /// Its role.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// The purposes that it may use.
    pub purposes: PurposeSet,
    /// May it say on whose behalf it acts?
    pub for_others: bool,
    /// How many persons it may reach over all its purposes; `None` for what the policy says of each.
    pub limit: Option<Limit>,
    secret: Secret<32>,
}

/// The longest label.
pub const LABEL_LIMIT: usize = 60;
const SECRET_LENGTH: usize = 52;
const CREDENTIAL: &str = "credential";

impl NewCredential {
    /// With a fresh secret. Fails: `SR-PEOPLE-004` when the label is not a technical name.
    pub fn new(
        id: CredentialId,
        role: Role,
        label: &str,
        purposes: PurposeSet,
        for_others: bool,
        random: &mut impl Random,
    ) -> Result<NewCredential, Problem> {
        if !is_technical(label) {
            return Err(Problem::new("SR-PEOPLE-004", 422, "a label is 1 to 60 of `a-z 0-9 - _ .`")
                .help("name the service that will use it, not a person")
                .at("/label"));
        }
        if !matches!(role, Role::Service | Role::Officer) && !purposes.is_empty() {
            return Err(Problem::new("SR-PEOPLE-005", 422, "only service and officer use data for purposes")
                .at("/purposes"));
        }
        let secret = Secret::random(random)?;
        Ok(NewCredential { id, role, label: label.to_owned(), purposes, for_others, limit: None, secret })
    }

    /// The same with a limit of its own.
    #[must_use]
    pub fn limited(self, limit: Option<Limit>) -> NewCredential {
        NewCredential { limit, ..self }
    }

    /// What its holder presents: shown once, kept nowhere.
    pub fn shown(&self, ids: &Ids) -> Zeroizing<String> {
        let id = ids.show(self.id);
        // What stands in every page of a shop must look like no secret, to people and to scanners.
        let id = match self.role {
            Role::Window => id.replacen(SECRET_PREFIX, PUBLISHABLE_PREFIX, 1),
            _ => id,
        };
        Zeroizing::new(format!("{id}_{}", seal::base32(self.secret.expose())))
    }
}

/// Is this a technical name, and so not a person's?
fn is_technical(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= LABEL_LIMIT && text.bytes().all(plain)
}

/// Begins a credential, and a key that is for everybody to see.
const SECRET_PREFIX: &str = "srk_";
const PUBLISHABLE_PREFIX: &str = "srp_";

/// Reads a publishable key: `srp_<id>_<number>`. Gives: `None` for anything that cannot be one of this installation.
pub fn read_publishable(ids: &Ids, text: &str) -> Option<Presented> {
    let rest = text.strip_prefix(PUBLISHABLE_PREFIX)?;
    read_presented(ids, &format!("{SECRET_PREFIX}{rest}"))
}

/// Reads what somebody presents: `srk_<id>_<secret>`.
///
/// Gives: `None` for anything that cannot be a credential of this installation; no table is asked.
pub fn read_presented(ids: &Ids, text: &str) -> Option<Presented> {
    let (id, secret) = text.rsplit_once('_')?;
    let id: CredentialId = ids.read(id).ok()?;
    if secret.len() != SECRET_LENGTH {
        return None;
    }
    let secret = Zeroizing::new(seal::from_base32(secret).ok()?);
    let hash = Secret::new(Sha256::digest(secret.as_slice()).into());
    Some(Presented { id, hash: Arc::new(hash), on_behalf_of: None })
}

/// Who a credential is, in the transaction.
///
/// Fails: `SR-PEOPLE-001` when it is not one, was revoked, or its row was edited; `SR-PEOPLE-009` when it is frozen.
pub fn facts_of(view: &View<'_>, shop: &Shop, presented: &Presented) -> Result<ActorFacts, Problem> {
    let standing = standing_of(view, shop, presented.id)?.ok_or_else(unknown)?;
    let door = standing.door;
    if !seal::same(&door.hash, presented.hash.expose()) || standing.revoked {
        return Err(unknown());
    }
    if door.frozen {
        return Err(limits::frozen());
    }
    let on_behalf_of = presented.on_behalf_of.filter(|_| door.for_others);
    Ok(ActorFacts::credential(presented.id, door.role, standing.purposes, standing.limit, on_behalf_of))
}

/// What a credential's row says. It is read each time; its MAC is looked at when its bytes are others than those that were
/// found whole before.
fn standing_of(
    view: &View<'_>,
    shop: &Shop,
    id: CredentialId,
) -> Result<Option<CredentialStanding>, Problem> {
    let found = view.find(&sql::FIND_CREDENTIAL, params![id.column()], |row| {
        if row.int(0)? != shop.column() {
            return Ok(None);
        }
        let bytes = bytes_of(row)?;
        Ok(Some(match shop.credentials.find(id.number(), &bytes) {
            Some(standing) => Ok(standing),
            None => Err((read_row(id, row)?, bytes)),
        }))
    })?;
    match found.flatten() {
        None => Ok(None),
        Some(Ok(standing)) => Ok(Some(standing)),
        Some(Err(((row, mac), bytes))) => {
            let row = whole(shop, row, &mac)?;
            let standing = CredentialStanding {
                door: door_of(&row),
                purposes: row.purposes,
                limit: row.limit,
                revoked: row.revoked_at != 0,
            };
            shop.credentials.saw(id.number(), bytes, standing);
            Ok(Some(standing))
        }
    }
}

/// A row as it stands, MAC and all: no two rows have the same bytes.
fn bytes_of(row: &Row<'_>) -> Result<Vec<u8>, store::Error> {
    let mut bytes = Vec::with_capacity(256);
    for column in [1, 4, 6, 7, 9, 10, 11] {
        bytes.extend_from_slice(&row.int(column)?.to_be_bytes());
    }
    let strings =
        [row.text(2)?.as_bytes(), row.bytes(3)?, row.bytes(5)?, row.bytes(8)?, row.text(12)?.as_bytes()];
    for column in strings {
        bytes.extend_from_slice(&(column.len() as u64).to_be_bytes());
        bytes.extend_from_slice(column);
    }
    Ok(bytes)
}

/// The problem of somebody without a credential: it never says what was wrong with it.
pub fn unknown() -> Problem {
    Problem::new("SR-PEOPLE-001", 401, "no valid credential was presented")
        .help("send `Authorization: Bearer srk_…`; an admin makes one with `strongroom credentials add`")
}

/// The number of the shop whose credential this is, if it is neither revoked nor frozen. Whoever is let in is looked at again.
pub fn shop_that_lets_in(view: &View<'_>, id: CredentialId) -> Result<Option<u32>, Problem> {
    let found = view.find(&sql::FIND_CREDENTIAL, params![id.column()], |row| {
        let (row, shop) = (read_row(id, row)?.0, row.number(0)?);
        Ok((row.revoked_at == 0 && row.frozen_at == 0).then_some(shop))
    });
    Ok(found?.flatten())
}

fn find(view: &View<'_>, shop: &Shop, id: CredentialId) -> Result<Option<CredentialRow>, Problem> {
    let found = view.find(&sql::FIND_CREDENTIAL, params![id.column()], |row| {
        let of_this_shop = row.int(0)? == shop.column();
        Ok(if of_this_shop { Some(read_row(id, row)?) } else { None })
    })?;
    found.flatten().map(|(row, mac)| whole(shop, row, &mac)).transpose()
}

fn read_row(id: CredentialId, row: &Row<'_>) -> Result<(CredentialRow, Vec<u8>), store::Error> {
    let role = Role::from_number(row.number(1)?).ok_or(store::Error::WrongColumn { column: 1 })?;
    let mut words = [0_u64; 4];
    for (word, bytes) in words.iter_mut().zip(row.bytes(3)?.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let credential = CredentialRow {
        id,
        role,
        label: row.text(2)?.to_owned(),
        purposes: PurposeSet::from_words(words),
        for_others: row.int(4)? == 1,
        hash: row.array(5)?,
        since: row.int(6)?,
        revoked_at: row.int(7)?,
        limit: match (row.number(9)?, row.number(10)?) {
            (0, 0) => None,
            (per_hour, per_day) => Some(Limit { per_hour, per_day }),
        },
        frozen_at: row.int(11)?,
        said: row.text(12)?.to_owned(),
    };
    Ok((credential, row.bytes(8)?.to_vec()))
}

fn whole(shop: &Shop, row: CredentialRow, mac: &[u8]) -> Result<CredentialRow, Problem> {
    let (columns, later) = (columns(shop, &row), later_columns(&row));
    shop.keys
        .row_is_whole(CREDENTIAL, &authenticated(&row, &columns, later.as_ref()), mac)
        .map_err(|_| Problem::edited(CREDENTIAL))?;
    Ok(row)
}

/// The MAC of a row.
fn mac_of(shop: &Shop, row: &CredentialRow) -> Result<[u8; 16], Problem> {
    let (columns, later) = (columns(shop, row), later_columns(row));
    Ok(shop.keys.row_mac(CREDENTIAL, &authenticated(row, &columns, later.as_ref()))?)
}

/// What the MAC covers. Columns of a later schema are under it if one of them says something: so rows that were written
/// before they were there stay whole.
fn authenticated<'r>(
    row: &'r CredentialRow,
    columns: &'r [u8],
    later: Option<&'r [u8; 24]>,
) -> Vec<&'r [u8]> {
    let mut parts = vec![columns, row.label.as_bytes()];
    if let Some(later) = later {
        parts.extend([later.as_slice(), row.said.as_bytes()]);
    }
    parts
}

fn later_columns(row: &CredentialRow) -> Option<[u8; 24]> {
    if row.limit.is_none() && row.frozen_at == 0 && row.said.is_empty() {
        return None;
    }
    let (per_hour, per_day) = limit_columns(row.limit);
    let mut columns = [0; 24];
    for (slot, number) in columns.as_chunks_mut::<8>().0.iter_mut().zip([per_hour, per_day, row.frozen_at]) {
        *slot = number.to_be_bytes();
    }
    Some(columns)
}

fn limit_columns(limit: Option<Limit>) -> (i64, i64) {
    limit.map_or((0, 0), |limit| (i64::from(limit.per_hour), i64::from(limit.per_day)))
}

fn columns(shop: &Shop, row: &CredentialRow) -> Vec<u8> {
    let mut columns = Vec::with_capacity(128);
    let numbers = [shop.column(), row.id.column(), i64::from(row.role.number()), i64::from(row.for_others)];
    for number in numbers.into_iter().chain([row.since, row.revoked_at]) {
        columns.extend_from_slice(&number.to_be_bytes());
    }
    columns.extend_from_slice(&purposes_column(row.purposes));
    columns.extend_from_slice(&row.hash);
    columns
}

/// A set of purposes as a column: four little-endian words.
pub fn purposes_column(purposes: PurposeSet) -> Vec<u8> {
    purposes.as_words().iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Adds a credential. Records: *credential_added*.
pub fn add(new: &NewCredential, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    work.must_be_allowed(Deed::Credentials)?;
    let row = CredentialRow {
        id: new.id,
        role: new.role,
        label: new.label.clone(),
        purposes: new.purposes,
        for_others: new.for_others,
        hash: Sha256::digest(new.secret.expose()).into(),
        since: work.now,
        revoked_at: 0,
        limit: new.limit,
        frozen_at: 0,
        said: String::new(),
    };
    let mac = mac_of(work.shop, &row)?;
    let (per_hour, per_day) = limit_columns(row.limit);
    let purposes = purposes_column(row.purposes);
    let params = params![
        row.id.column(),
        work.shop.column(),
        row.role.number(),
        row.label.as_str(),
        &purposes,
        i64::from(row.for_others),
        &row.hash,
        row.since,
        &mac,
        per_hour,
        per_day
    ];
    work.tx.change(&sql::ADD_CREDENTIAL, params)?;
    let mut entry = work.entry(Act::CredentialAdded, Outcome::Yes);
    entry.figures = vec![(ledger::entry::Figure::Credential, new.id.number())];
    entry.figures.extend(limits::figures(new.limit));
    let id = work.enter_plain(entry)?;
    let (shop, number, door) = (Arc::clone(work.shop), new.id.number(), door_of(&row));
    work.tx.after_commit(move || shop.doors.add(number, door));
    Ok(id)
}

/// The problem of a credential that is not there to be revoked.
pub(crate) fn missing() -> Problem {
    Problem::new("SR-PEOPLE-002", 404, "there is no credential of this id that is not revoked")
}

/// The problem of a purpose that the policy does not have.
fn no_such_purpose() -> Problem {
    Problem::new("SR-PEOPLE-006", 422, "the policy has no such purpose")
}

/// Revokes a credential: from this commit on it does nothing. Records: *credential_revoked*.
///
/// Fails: `SR-PEOPLE-002` when there is none of this id, or it was revoked before.
pub fn revoke(id: CredentialId, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    work.must_be_allowed(Deed::Credentials)?;
    let mut row = find(work.tx, work.shop, id)?.filter(|row| row.revoked_at == 0).ok_or_else(missing)?;
    row.revoked_at = work.now;
    let mac = mac_of(work.shop, &row)?;
    let params = params![work.now, &mac, id.column(), work.shop.column()];
    if work.tx.change(&sql::REVOKE_CREDENTIAL, params)? == 0 {
        return Err(missing());
    }
    let mut entry = work.entry(Act::CredentialRevoked, Outcome::Yes);
    entry.figures = vec![(ledger::entry::Figure::Credential, id.number())];
    let entry = work.enter_plain(entry)?;
    let (shop, number) = (Arc::clone(work.shop), id.number());
    work.tx.after_commit(move || {
        shop.doors.remove(number);
        shop.reached.remove(number);
    });
    Ok(entry)
}

/// Has this shop a credential of this id, or had it one? One whose row was edited is one, too.
pub fn is_of(view: &View<'_>, shop: &Shop, id: CredentialId) -> Result<bool, Problem> {
    match find(view, shop, id) {
        Err(problem) if problem.is_of_a_row() => Ok(true),
        found => Ok(found?.is_some()),
    }
}

/// The credentials of a shop, revoked ones too.
pub fn list(view: &View<'_>, shop: &Shop, limit: u32) -> Result<Vec<CredentialRow>, Problem> {
    let rows = view.list(&sql::LIST_CREDENTIALS, params![shop.column(), limit], |row| {
        read_row(CredentialId::from_column(row.int(0)?), row)
    })?;
    rows.into_iter().map(|(row, mac)| whole(shop, row, &mac)).collect()
}

/// Takes over which credentials there are, when another server has made, revoked, frozen or thawed some.
pub fn learn(view: &View<'_>, shop: &Shop) -> Result<(), Problem> {
    for row in list(view, shop, u32::MAX)? {
        let number = row.id.number();
        if row.revoked_at == 0 {
            shop.doors.add(number, door_of(&row));
        } else {
            shop.doors.remove(number);
            shop.reached.remove(number);
        }
    }
    Ok(())
}

/// What the front door remembers of a credential.
pub fn door_of(row: &CredentialRow) -> Door {
    Door { hash: row.hash, role: row.role, for_others: row.for_others, frozen: row.frozen_at != 0 }
}
