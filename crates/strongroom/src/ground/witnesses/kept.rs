//! The heads that witnesses are offered, and the cosignatures that came back.
//!
//! All witnesses are offered the same head for a while, so that their cosignatures meet under one note. What they cosigned is in
//! memory, for receipts, and in the file `cosigned` of the keys folder, where the next start looks.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::checkpoint::Checkpoint;

use super::{Cosigned, forked, shorter};
use crate::ground::heads::{self, SignedHead};
use crate::ground::house::House;
use crate::ground::keys_folder::KeysFolder;
use crate::ground::problem::Problem;
use crate::ground::shop::Shop;

/// A head that witnesses are offered.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// Entries in it.
    pub(super) size: u64,
    /// The text that is cosigned.
    pub(super) text: String,
    /// Signed by the log.
    pub(super) note: String,
    /// Who has cosigned, by the name of the key, each with its line.
    lines: Vec<(String, String)>,
    /// By the clock that nobody can set, µs.
    made_at: i64,
}

impl Offer {
    fn whole(&self) -> String {
        let lines = self.lines.iter().map(|(_, line)| line.as_str());
        std::iter::once(self.note.as_str()).chain(lines).collect()
    }
}

/// What is kept of one log.
#[derive(Debug, Default)]
struct OfLog {
    offered: Option<Offer>,
    best: Option<Offer>,
}

/// A head that fewer have cosigned takes the place of one that is older than this, µs.
const BEST_FOR: i64 = crate::ground::clock::HOUR;

/// What is kept of all logs.
#[derive(Debug, Default)]
pub(super) struct Kept {
    logs: HashMap<i64, OfLog>,
}

impl Kept {
    /// Reads what was kept when the house last served.
    pub(super) fn read(keys: &KeysFolder) -> Result<Kept, Problem> {
        let mut kept = Kept::default();
        for head in heads::read_heads(&keys.read_cosigned()?)? {
            let Some((text, lines)) = head.note.rsplit_once("\n\n") else { continue };
            let text = format!("{text}\n");
            let Ok(checkpoint) = text.parse::<Checkpoint>() else { continue };
            // The log's own line is the first.
            let (own, others) =
                lines.split_at(lines.find('\n').map_or(lines.len(), |end| end.saturating_add(1)));
            let name_of = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
            let best = Offer {
                size: checkpoint.size(),
                note: format!("{text}\n{own}"),
                text,
                lines: others.split_inclusive('\n').map(|line| (name_of(line), line.to_owned())).collect(),
                made_at: i64::MIN,
            };
            kept.logs.insert(head.log, OfLog { offered: None, best: Some(best) });
        }
        Ok(kept)
    }

    /// What the file holds: the newest heads that were cosigned.
    pub(super) fn heads(&self) -> Vec<SignedHead> {
        let all = self.logs.iter();
        all.filter_map(|(log, kept)| Some(SignedHead { log: *log, note: kept.best.as_ref()?.whole() }))
            .collect()
    }

    /// Holds every shop's log against the newest head that was cosigned and kept.
    pub(super) fn hold(&self, house: &House) -> Result<(), Problem> {
        for shop in house.shops() {
            let log = shop.log();
            let Some(best) = self.logs.get(&log).and_then(|kept| kept.best.as_ref()) else { continue };
            hold_note(house, &shop, &best.note, "cosigned")?;
        }
        Ok(())
    }

    /// The head to offer: the one before for as long as `period`, then the one that stands.
    pub(super) fn offer(&mut self, house: &House, shop: &Arc<Shop>, period: i64) -> Result<Offer, Problem> {
        let log = shop.log();
        let now = house.clock.steady();
        let head = house.heads.find(log).ok_or(store::Error::BrokenLog { log, leaf: 0 })?;
        let kept = self.logs.entry(log).or_default();
        if let Some(offered) = &kept.offered
            && (offered.size == head.size || now.saturating_sub(offered.made_at) < period)
        {
            return Ok(offered.clone());
        }
        let note = heads::sign_head(house, shop, log, head)?;
        let text = note.rsplit_once("\n\n").map(|(text, _)| format!("{text}\n")).unwrap_or_default();
        // After a start the same head may be offered again: who has cosigned it before still has.
        let before = kept.best.as_ref().filter(|best| best.text == text);
        let lines = before.map(|best| best.lines.clone()).unwrap_or_default();
        let offer = Offer { size: head.size, text, note, lines, made_at: now };
        kept.offered = Some(offer.clone());
        Ok(offer)
    }

    /// The next offer is the head that stands, however young the one before is.
    pub(super) fn make_stale(&mut self) {
        for kept in self.logs.values_mut() {
            if let Some(offered) = &mut kept.offered {
                offered.made_at = i64::MIN;
            }
        }
    }

    /// The size that a witness has cosigned, as far as this remembers.
    pub(super) fn size_of(&self, log: i64, witness: &str) -> Option<u64> {
        let best = self.logs.get(&log)?.best.as_ref()?;
        best.lines.iter().any(|(name, _)| name == witness).then_some(best.size)
    }

    /// A witness has cosigned an offer. Gives whether the file is to be written again.
    pub(super) fn add(&mut self, log: i64, offer: &Offer, witness: &str, line: String, now: i64) -> bool {
        let kept = self.logs.entry(log).or_default();
        let offered = kept.offered.get_or_insert_with(|| offer.clone());
        if offered.text != offer.text {
            return false; // it was slow: all others have a newer one by now
        }
        offered.lines.retain(|(name, _)| name != witness);
        offered.lines.push((witness.to_owned(), line));
        let takes_its_place = kept.best.as_ref().is_none_or(|best| {
            best.text == offered.text
                || offered.lines.len() >= best.lines.len()
                || now.saturating_sub(best.made_at) > BEST_FOR
        });
        if takes_its_place {
            kept.best = Some(offered.clone());
        }
        takes_its_place
    }

    /// The newest head that was cosigned.
    pub(super) fn best(&self, log: i64) -> Option<Cosigned> {
        let best = self.logs.get(&log)?.best.as_ref()?;
        (!best.lines.is_empty()).then(|| Cosigned { size: best.size, note: best.whole() })
    }

    /// Lines under this very note.
    pub(super) fn lines_for(&self, log: i64, note: &str) -> String {
        let Some(kept) = self.logs.get(&log) else { return String::new() };
        let same = [&kept.offered, &kept.best].into_iter().flatten().find(|offer| offer.note == note);
        same.map(|offer| offer.lines.iter().map(|(_, line)| line.as_str()).collect()).unwrap_or_default()
    }
}

/// Holds a shop's log against a head that a witness has; what is not signed by the log says nothing.
pub(super) fn hold_note(house: &House, shop: &Arc<Shop>, note: &str, witness: &str) -> Result<(), Problem> {
    let log = shop.log();
    let (origin, verifier) = (heads::origin(&shop.name, log), heads::verifier(house, shop, log)?);
    let Ok(checkpoint) = Checkpoint::open(note, &verifier, &origin) else { return Ok(()) };
    let head = SignedHead { log, note: note.to_owned() };
    let size = house.heads.find(log).map_or(0, |head| head.size);
    house.store.look_blocking(move |view| heads::hold_against(view, log, &head, &verifier, &origin)).map_err(
        |problem: Problem| match problem.code {
            heads::SHORTENED => shorter(witness, size, checkpoint.size(), ""),
            heads::ANOTHER => forked(witness, checkpoint.size()),
            _ => problem,
        },
    )
}
