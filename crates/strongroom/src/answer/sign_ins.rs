//! Who is signed in: a person, in one browser, for an hour.
//!
//! The browser holds a random secret in a cookie that no script reads; only its hash is kept. What a form sends back is bound to that cookie.

use axum::http::{HeaderMap, header};
use ledger::entry::Outcome;
use seal::{Class, Random};
use sha2::{Digest, Sha256};
use store::{View, params};
use zeroize::Zeroizing;

use super::{codes, sql};
use crate::ground::clock::{HOUR, MINUTE};
use crate::ground::random::SystemRandom;
use crate::ground::work::Work;
use crate::ground::{Problem, Shop, SubjectId};
use crate::keep;

/// How long somebody is signed in, at the most. WCAG 2.2 asks for twenty minutes at the least.
const LASTS: i64 = HOUR;
/// How long a code that was given back just now lets them see what needs special care.
const CONFIRMED_FOR: i64 = 10 * MINUTE;
const TABLE: &str = "sign_in";
/// The cookie. SOURCE: RFC 6265bis §4.1.3: a name that begins so is of this host alone, of every path, and never without TLS.
const COOKIE: &str = "__Host-srm";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    hash: [u8; 32],
    /// Who.
    pub(super) subject: SubjectId,
    began_at: i64,
    confirmed_at: i64,
    ends_at: i64,
}

/// A secret for a browser.
pub(super) struct NewSecret(Zeroizing<[u8; 32]>);

impl NewSecret {
    /// Fails: `SR-SEAL-…` without randomness.
    pub(super) fn new() -> Result<NewSecret, Problem> {
        let mut secret = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(secret.as_mut())?;
        Ok(NewSecret(secret))
    }

    /// The header that gives it to the browser.
    pub(super) fn cookie(&self) -> String {
        let seconds = LASTS / 1_000_000;
        format!(
            "{COOKIE}={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax; Secure",
            seal::base32(self.0.as_ref())
        )
    }
}

/// The header that takes the cookie away.
pub(super) fn no_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure")
}

impl SignedIn {
    /// Did they show lately that it is them?
    pub(super) fn is_confirmed(&self, now: i64) -> bool {
        self.confirmed_at != 0 && now < self.confirmed_at.saturating_add(CONFIRMED_FOR)
    }

    /// What every form of theirs sends back: nobody else can know it.
    pub(super) fn form_mark(&self, shop: &Shop) -> Result<String, Problem> {
        Ok(seal::base32(&shop.keys.request_hash("form", &[&self.hash])?))
    }

    fn columns(&self, shop: &Shop) -> Vec<u8> {
        let mut columns = self.hash.to_vec();
        let numbers = [shop.column(), self.subject.column(), self.began_at, self.confirmed_at, self.ends_at];
        columns.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        columns
    }
}

/// The hash of the secret that a browser shows; `None` where it shows none.
pub(super) fn shown(headers: &HeaderMap) -> Option<[u8; 32]> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == COOKIE)?;
    let secret = Zeroizing::new(seal::from_base32(secret).ok()?);
    (secret.len() == 32).then(|| Sha256::digest(secret.as_slice()).into())
}

/// Who is signed in by this hash. Gives: `None` for nobody, for somebody whose time is over, and for somebody who was erased.
pub(super) fn find(
    view: &View<'_>,
    shop: &Shop,
    hash: &[u8; 32],
    now: i64,
) -> Result<Option<SignedIn>, Problem> {
    let found = view.find(&sql::FIND_SIGN_IN, params![hash, shop.column()], |row| {
        let read = SignedIn {
            hash: *hash,
            subject: SubjectId::from_column(row.int(0)?),
            began_at: row.int(1)?,
            confirmed_at: row.int(2)?,
            ends_at: row.int(3)?,
        };
        Ok((read, row.bytes(4)?.to_vec()))
    })?;
    let Some((row, mac)) = found else { return Ok(None) };
    shop.keys.row_is_whole(TABLE, &[&row.columns(shop)], &mac).map_err(|_| Problem::edited(TABLE))?;
    if now >= row.ends_at || now < row.began_at.saturating_sub(LASTS) {
        return Ok(None);
    }
    let lives =
        keep::find_subject(view, shop, row.subject)?.is_some_and(|row| row.key(Class::Main).is_some());
    Ok(lives.then_some(row))
}

/// How somebody showed that it is them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By a one-time code.
    Code,
    /// By a token of the shop's.
    Token,
}

/// Signs somebody in. Records: *signed_in*.
pub(super) fn begin(
    subject: SubjectId,
    secret: &NewSecret,
    how: How,
    work: &mut Work<'_, '_>,
) -> Result<(), Problem> {
    let (shop, now) = (work.shop, work.now);
    work.tx.change(&sql::REMOVE_OLD_SIGN_INS, params![shop.column(), now])?;
    let row = SignedIn {
        hash: Sha256::digest(secret.0.as_ref()).into(),
        subject,
        began_at: now,
        confirmed_at: if how == How::Code { now } else { 0 },
        ends_at: now.saturating_add(LASTS),
    };
    let mac = shop.keys.row_mac(TABLE, &[&row.columns(shop)])?;
    let columns = params![
        &row.hash,
        shop.column(),
        subject.column(),
        row.began_at,
        row.confirmed_at,
        row.ends_at,
        &mac
    ];
    work.tx.change(&sql::ADD_SIGN_IN, columns)?;
    codes::enter(subject, Outcome::Yes, if how == How::Code { "code" } else { "token" }, work)
}

/// Somebody who is signed in has shown once more that it is them. Records: *signed_in*.
pub(super) fn confirm(signed_in: &SignedIn, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let row = SignedIn { confirmed_at: work.now, ..signed_in.clone() };
    let mac = work.shop.keys.row_mac(TABLE, &[&row.columns(work.shop)])?;
    work.tx.change(&sql::CONFIRM_SIGN_IN, params![work.now, &mac, &row.hash, work.shop.column()])?;
    codes::enter(row.subject, Outcome::Yes, "confirmed", work)
}

/// Signs somebody out. Enters nothing: no data was near.
pub(super) fn end(hash: &[u8; 32], work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.housekeeping();
    work.tx.change(&sql::REMOVE_SIGN_IN, params![hash, work.shop.column()])?;
    Ok(())
}
