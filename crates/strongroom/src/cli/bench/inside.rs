//! The house without HTTP, in this process: what a write, the gate and the seal cost by themselves.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::archive::{Folder, Options, Trust, verify_whole};
use policy::{ActSet, Facts, Flow, PurposeSet};
use seal::{Class, Envelope, Fields, Group, Personal, Place, Random, Sealing, Suite, Value};
use tokio::task::LocalSet;

use super::raw::{Sizes, best};
use super::vault::{Vault, order};
use super::{fault, float};
use crate::collect::draft::{Draft, RecordIn};
use crate::collect::write;
use crate::ground::clock::MachineClock;
use crate::ground::keys_folder::{LockSource, UNLOCK};
use crate::ground::random::SystemRandom;
use crate::ground::web::{Caller, read_json};
use crate::ground::{Actor, House, Problem, Shop};
use crate::{keep, open, people};

/// What is timed of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timed {
    Seal,
    SealAndOpen,
}

/// Rows that are looked at for how large they are.
const ROWS_SEEN: u32 = 500;

/// An open house.
pub(super) struct Inside {
    house: Arc<House>,
    caller: Caller,
}

impl Inside {
    /// Opens a vault in this process.
    pub(super) fn open(vault: &Vault) -> Result<Inside, Problem> {
        let keys = vault.keys();
        let places = open::Places {
            data: vault.data(),
            rows: vault.store().rows()?,
            lock: LockSource::KeyFile(keys.join(UNLOCK)),
            keys,
            epoch_days: 30,
            cache_mib: 64,
            witnesses: Vec::new(),
            trusted: Vec::new(),
        };
        let house = open::open(&places, Arc::new(MachineClock::new()))?;
        let shop = house.shop(None).ok_or_else(|| fault("the vault has no shop"))?;
        let presented = people::read_presented(&house.ids, vault.service()).ok_or_else(people::unknown)?;
        Ok(Inside { house, caller: Caller { shop, actor: Actor::Credential(presented) } })
    }

    fn shop(&self) -> &Arc<Shop> {
        &self.caller.shop
    }

    /// Orders of known customers a second, `in_flight` at once: parsed and sealed on this thread, written by the writer.
    pub(super) fn writes(
        &self,
        subjects: &[String],
        in_flight: usize,
        time: Duration,
    ) -> Result<f64, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (done, broke) = (Rc::new(Cell::new(0_u64)), Rc::new(RefCell::new(None)));
        let began = Instant::now();
        let set = LocalSet::new();
        for first in 0..in_flight {
            let (house, caller) = (Arc::clone(&self.house), self.caller.clone());
            let own: Vec<String> = subjects.iter().skip(first).step_by(in_flight.max(1)).cloned().collect();
            let (done, broke) = (Rc::clone(&done), Rc::clone(&broke));
            set.spawn_local(async move {
                let mut body = Vec::with_capacity(1 << 10);
                for subject in own.iter().cycle() {
                    if began.elapsed() >= time || broke.borrow().is_some() {
                        return;
                    }
                    body.clear();
                    order(subject, done.get(), &mut body);
                    if let Err(problem) = write_one(&house, &caller, &body).await {
                        broke.borrow_mut().get_or_insert(problem);
                        return;
                    }
                    done.set(done.get().saturating_add(1));
                }
            });
        }
        runtime.block_on(set);
        match broke.borrow_mut().take() {
            Some(problem) => Err(problem),
            None => Ok(float(done.get()) / began.elapsed().as_secs_f64()),
        }
    }

    /// How large a record's row and an entry are, on average.
    pub(super) fn sizes(&self) -> Result<Sizes, Problem> {
        let shop = Arc::clone(self.shop());
        self.house.store.look_blocking(move |view| {
            let rows = keep::list_records_after(view, &shop, None, ROWS_SEEN)?;
            let orders: Vec<usize> = rows
                .iter()
                .filter(|row| row.clear.blinds.is_empty())
                .map(|row| row.sealed.len() + row.clear_bytes.len())
                .collect();
            let last = view.log_head(shop.log())?.map_or(0, |head| head.size.saturating_sub(1));
            let entry = view.leaf(shop.log(), last)?.map_or(0, |leaf| leaf.len());
            Ok::<_, Problem>(Sizes { record: orders.iter().sum::<usize>() / orders.len().max(1), entry })
        })
    }

    /// Nanoseconds of a decision: a reveal for the delivery, of all fields that it uses.
    pub(super) fn gate(&self) -> Result<f64, Problem> {
        let policy = self.shop().policy();
        let missing = || fault("the policy is not the bench's");
        let kind = policy.compiled.find_kind("order").ok_or_else(missing)?;
        let purpose = policy.compiled.find_purpose("delivery").ok_or_else(missing)?.ordinal;
        let facts = Facts { acts: ActSet::ALL, purposes: PurposeSet::ALL, ..Facts::default() };
        let flow = Flow {
            act: policy::Act::Reveal,
            kind: kind.ordinal(),
            fields: kind.grant(purpose).allowed,
            purpose: Some(purpose),
            recipient: None,
        };
        best(200_000, || {
            black_box(policy::decide(&policy.compiled, black_box(&facts), black_box(&flow)));
            Ok(())
        })
    }

    /// Nanoseconds to seal a record of twelve fields of 32 bytes under one subject key and one term.
    pub(super) fn seal(&self) -> Result<f64, Problem> {
        self.record(Suite::Aes256Gcm, Timed::Seal)
    }

    /// Nanoseconds to seal such a record and to open it again, with a suite.
    pub(super) fn seal_and_open(&self, suite: Suite) -> Result<f64, Problem> {
        self.record(suite, Timed::SealAndOpen)
    }

    fn record(&self, suite: Suite, timed: Timed) -> Result<f64, Problem> {
        let (shop, mut random) = (self.shop(), SystemRandom::new());
        let (_, subject) = shop.keys.new_key(Class::Main, 1, &mut random)?;
        let (_, term) = shop.keys.new_key(Class::Term, 1, &mut random)?;
        let values: Vec<(u8, Personal<Value>)> =
            (0..12).map(|field| (field, Personal::new(Value::Text("a".repeat(31))))).collect();
        let fields: Vec<(u8, &Personal<Value>)> =
            values.iter().map(|(field, value)| (*field, value)).collect();
        let group = Group { subject: &subject, term: &term, fields: Fields::of(0..12) };
        let place = Place { shop: 1, subject: 1, kind: 0, record: 1, version: 1 };
        let to = Sealing { suite, place, clear: b"clear" };
        let mut message_id = [0; 32];
        best(2_000, || {
            random.fill(&mut message_id)?;
            let sealed = black_box(seal::seal(&to, &[group], &fields, &message_id)?);
            if timed == Timed::SealAndOpen {
                let keys = |_: &_| Some((&*subject, &*term));
                Envelope::parse(&sealed)?.authenticate(&place, to.clear, keys)?;
            }
            Ok(())
        })
    }

    /// Closes it.
    pub(super) fn close(self) {
        self.house.close();
    }
}

async fn write_one(house: &Arc<House>, caller: &Caller, body: &[u8]) -> Result<(), Problem> {
    let input: RecordIn<'_> = read_json(body)?;
    let policy = caller.shop.policy();
    let draft = Draft::parse(&input, &caller.shop, &policy, &house.ids, house.clock.now())?;
    write::write(house, caller, draft, None).await.map(drop)
}

/// Verifies an exported ledger as a stranger would. Gives its entries, and how many a second.
pub(super) fn verify(folder: &Path, verifier_key: &str, threads: usize) -> Result<(u64, f64), Problem> {
    let trust = Trust::new(verifier_key.parse()?);
    let options = Options { threads, ..Options::default() };
    let (mut entries, mut rate) = (0, 0.0_f64);
    for _ in 0..3 {
        let began = Instant::now();
        let report = verify_whole(&Folder::new(folder), &trust, &options, &|_| {})?;
        if !report.is_verified() {
            return Err(fault("the exported ledger does not verify"));
        }
        entries = report.entries;
        rate = rate.max(float(entries) / began.elapsed().as_secs_f64());
    }
    Ok((entries, rate))
}
