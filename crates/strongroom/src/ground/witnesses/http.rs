//! A witness that is a server: C2SP tlog-witness, over TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use ledger::checkpoint::Checkpoint;
use ledger::cosign::{Cosignature, WitnessKey, cosignatures, read_answer};
use ledger::note::Verifier;
use ledger::tree::consistency_proof;
use ledger::witness::{AddCheckpoint, read_size};
use sha2::{Digest, Sha256};

use super::kept::Offer;
use super::{forked, shorter};
use crate::ground::clock::{MINUTE, SECOND};
use crate::ground::heads::{self, SignedHead};
use crate::ground::hex;
use crate::ground::house::House;
use crate::ground::keys_folder::KeysFolder;
use crate::ground::log::{StoredTiles, log_number};
use crate::ground::note::OurName;
use crate::ground::outward::{Bounds, Outgoing, Outward};
use crate::ground::problem::Problem;
use crate::ground::shop::Shop;

/// A server is given so long, and may answer so much.
const BOUNDS: Bounds =
    Bounds { connect: Duration::from_secs(5), whole: Duration::from_secs(10), answer: 64 << 10 };
/// A witness that says another size each time is asked so often.
const TRIES: usize = 4;
/// A witness's clock may be ahead by so much, µs.
const AHEAD: i64 = 10 * MINUTE;

pub(super) struct HttpWitness {
    outward: Outward,
    key: WitnessKey,
}

impl HttpWitness {
    pub(super) fn new(url: &str, ca_file: Option<&Path>, key: WitnessKey) -> Result<HttpWitness, Problem> {
        Ok(HttpWitness { outward: Outward::new(url, ca_file, BOUNDS)?, key })
    }

    pub(super) fn key(&self) -> &WitnessKey {
        &self.key
    }

    /// Has an offer cosigned.
    ///
    /// Takes: the size that the witness has last seen, as far as is known. Gives: the cosignature, and its line.
    /// Fails: `SR-WITNESS-001` and `-002` when the witness knows better, `-003` when what it answers is not its cosignature,
    /// `-006` when it declines for another reason, `SR-OUT-…` when it cannot be reached.
    pub(super) fn submit(
        &self,
        house: &House,
        shop: &Arc<Shop>,
        offer: &Offer,
        known: u64,
        name: &str,
    ) -> Result<(Cosignature, String), Problem> {
        let log = shop.log();
        let mut old_size = known.min(offer.size);
        for _ in 0..TRIES {
            let (old, new, roots) = (old_size, offer.size, Arc::clone(&house.tile_roots));
            let proof = house.store.look_blocking::<_, Problem, _>(move |view| {
                Ok(consistency_proof(&mut StoredTiles { view, log, roots: Some(&roots) }, old, new)?)
            })?;
            let request = AddCheckpoint { old_size, proof, note: offer.note.clone() };
            let answer = self.outward.send_blocking(Outgoing {
                method: &Method::POST,
                path: "/add-checkpoint",
                headers: &[],
                body: request.to_string().as_bytes(),
            })?;
            let body = std::str::from_utf8(&answer.body).unwrap_or_default();
            match answer.status {
                200 => {
                    return read_answer(&offer.text, body, &self.key).map_err(|_| no_cosignature(name));
                }
                409 => {
                    let seen = read_size(body).ok_or_else(|| no_cosignature(name))?;
                    if seen > offer.size {
                        let origin = heads::origin(&shop.name, log);
                        let verifier = heads::verifier(house, shop, log)?;
                        let shown = self.latest(&origin, &verifier).ok().flatten();
                        let shows = shown.is_some_and(|(head, _)| head.size() > offer.size);
                        let how = if shows { ", signed with the shop's key" } else { ", as it says" };
                        return Err(shorter(name, offer.size, seen, how));
                    }
                    if seen < known {
                        crate::note!(
                            WARN,
                            "a witness has forgotten what it had seen",
                            witness = OurName(name),
                            seen = seen,
                            code = forgot(name, known, seen).code
                        );
                    }
                    old_size = seen;
                }
                422 => return Err(forked(name, old_size)),
                status => return Err(declined(name, status)),
            }
        }
        Err(no_cosignature(name))
    }

    /// The newest head of a log that the witness shows, if it shows any: signed by the log, and cosigned by it.
    fn latest(&self, origin: &str, log: &Verifier) -> Result<Option<(Checkpoint, String)>, Problem> {
        let path = format!("/{}/checkpoint", hex(&Sha256::digest(origin)));
        let answer = self.outward.send_blocking(Outgoing {
            method: &Method::GET,
            path: &path,
            headers: &[],
            body: &[],
        })?;
        if answer.status != 200 {
            return Ok(None);
        }
        let note = std::str::from_utf8(&answer.body).unwrap_or_default();
        let checkpoint = Checkpoint::open(note, log, origin)?;
        let is_its = cosignatures(note, std::slice::from_ref(&self.key))?.len() == 1;
        Ok(is_its.then(|| (checkpoint, note.to_owned())))
    }

    /// The newest heads of these shops, for a restore.
    pub(super) fn ask(
        &self,
        keys: &KeysFolder,
        shops: &[(u32, String, u32)],
    ) -> Result<Vec<SignedHead>, Problem> {
        let mut found = Vec::new();
        for (number, name, generation) in shops {
            let log = log_number(*number, *generation);
            let Some(verifier) = heads::verifier_in(keys, name, log) else { continue };
            let shown = self.latest(&heads::origin(name, log), &verifier)?;
            found.extend(shown.map(|(_, note)| SignedHead { log, note }));
        }
        Ok(found)
    }
}

/// It goes on from what it says: there is nobody else to ask.
fn forgot(name: &str, had: u64, has: u64) -> Problem {
    let title = format!("the witness `{name}` has forgotten: it had cosigned {had} entries, and says {has}");
    Problem::new("SR-WITNESS-004", 502, title)
        .help("ask whoever runs it: a witness that loses its folder would let a ledger be set back")
}

/// When a cosignature was made, µs. Fails: `SR-WITNESS-003` for one from the future, or an old one that was sent again.
pub(super) fn time_of(found: &Cosignature, now: i64, red_after: i64, name: &str) -> Result<i64, Problem> {
    let at = i64::try_from(found.at_seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
    let age = now.saturating_sub(at);
    if (-AHEAD..=red_after).contains(&age) { Ok(at.min(now)) } else { Err(no_cosignature(name)) }
}

fn no_cosignature(name: &str) -> Problem {
    let title = format!(
        "what the witness `{name}` answers is not its cosignature of what it was sent, made just now"
    );
    Problem::new("SR-WITNESS-003", 502, title)
        .help("compare `key` with the one that the witness states, and its clock with this machine's; if both are right, somebody else answers there")
}

fn declined(name: &str, status: u16) -> Problem {
    let title = format!("the witness `{name}` declines with status {status}");
    let help = match status {
        404 => {
            "it does not know this log: give it the verifier key that `init` printed; a new generation of a log has a new one"
        }
        403 => "it has another key for this log: give it the verifier key that `init` printed",
        429 => "it is asked too often: raise `every_seconds`",
        _ => "see what answers at this address",
    };
    Problem::new("SR-WITNESS-006", 502, title).help(help)
}
