//! A snapshot: what a choice is bound to. It says which offer was shown, to whose page and when, under a MAC of the shop's.

use seal::ShopKeys;

use super::stale;
use crate::ground::Problem;
use crate::ground::clock::{DAY, MINUTE, SECOND};

/// So long somebody may think it over.
const LIFETIME: i64 = DAY;
/// Clocks of two servers differ.
const AHEAD_ALLOWED: i64 = 5 * MINUTE;
const FORMAT: &str = "1";

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Version of the policy.
    pub(super) version: u32,
    /// Language.
    pub(super) language: String,
    /// The order of the buttons.
    pub(super) variant: String,
    /// Where the page said that the visitor lives.
    pub(super) home: String,
    /// Was a signal heard?
    pub(super) heard: bool,
    /// The offer, by its digest.
    pub(super) digest: String,
    /// When it was shown, seconds of Unix time.
    pub(super) at: i64,
}

impl Snapshot {
    /// As pages hand it back. Takes: the key of the page, under which alone it counts.
    pub(super) fn sign(&self, page: &str, keys: &ShopKeys) -> Result<String, Problem> {
        let Snapshot { version, language, variant, home, digest, at, .. } = self;
        let heard = u8::from(self.heard);
        let said = format!("{FORMAT}.{version}.{language}.{variant}.{home}.{heard}.{digest}.{at}");
        let mac = mac(page, &said, keys)?;
        Ok(format!("{said}.{mac}"))
    }

    /// Reads what a page handed back. Fails: `SR-WINDOW-002` for what is not ours, of another page, old, or from the future.
    pub(super) fn open(text: &str, page: &str, keys: &ShopKeys, now: i64) -> Result<Snapshot, Problem> {
        let (said, shown) = text.rsplit_once('.').ok_or_else(stale)?;
        if !seal::same(mac(page, said, keys)?.as_bytes(), shown.as_bytes()) {
            return Err(stale());
        }
        let parts: Vec<&str> = said.split('.').collect();
        let [FORMAT, version, language, variant, home, heard, digest, at] = parts.as_slice() else {
            return Err(stale());
        };
        let at: i64 = at.parse().map_err(|_| stale())?;
        let age = now.saturating_sub(at.saturating_mul(SECOND));
        if !(-AHEAD_ALLOWED..=LIFETIME).contains(&age) {
            return Err(stale());
        }
        Ok(Snapshot {
            version: version.parse().map_err(|_| stale())?,
            language: (*language).to_owned(),
            variant: (*variant).to_owned(),
            home: (*home).to_owned(),
            heard: *heard == "1",
            digest: (*digest).to_owned(),
            at,
        })
    }
}

fn mac(page: &str, said: &str, keys: &ShopKeys) -> Result<String, Problem> {
    Ok(seal::base32(&keys.request_hash("snapshot", &[page.as_bytes(), said.as_bytes()])?))
}
