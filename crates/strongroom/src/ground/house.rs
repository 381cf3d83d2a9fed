//! The house: what all rooms stand on, held in one place for as long as the process serves.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use store::{Ask, Committed, Folder, Lane, Store, Tx, View};

use super::actor::{Actor, ActorFacts, Presented};
use super::clock::{Clock, ClockWatch};
use super::ids::Ids;
use super::keys_folder::KeysFolder;
use super::log::{TileRoots, TrueHeads};
use super::mail::Post;
use super::packs::Packs;
use super::permits::Permits;
use super::problem::Problem;
use super::shop::Shop;
use super::signers::Signers;
use super::streams::{StreamPlace, Streams};
use super::witnesses::Witnesses;
use super::work::Work;

/// Whose work it is that is no shop's: numbers, and jobs that are taken up.
pub const HOUSE: i64 = 0;

/// Finds who a credential is, in the transaction. The room `people` gives it.
pub type FactsOf = fn(&View<'_>, &Shop, &Presented) -> Result<ActorFacts, Problem>;

/// The open house.
pub struct House {
    /// The store.
    pub store: Store,
    /// The data folder.
    pub data: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether the time can be believed.
    pub watch: Arc<ClockWatch>,
    /// The keys folder.
    pub keys: KeysFolder,
    /// Public ids.
    pub ids: Arc<Ids>,
    /// Who is opening sealed data right now.
    pub permits: Arc<Permits>,
    /// What each log has become.
    pub heads: Arc<TrueHeads>,
    /// Roots of the logs' full tiles, as they were lately read.
    pub tile_roots: Arc<TileRoots>,
    /// Who elsewhere is told of the logs' heads.
    pub witnesses: Arc<Witnesses>,
    /// The packs that answer questions of law.
    pub packs: Arc<Packs>,
    /// Who is sending or taking a file right now.
    pub streams: Arc<Streams>,
    /// Who hands letters in.
    pub post: Post,
    /// Who signs in people by a token, shop by shop.
    pub signers: Signers,
    /// Days of an epoch.
    pub epoch_days: u32,
    /// By when certificates say that the epoch in force has ended.
    pub promised: Promised,
    /// Rows that did not open, and were stepped over, since the start.
    pub rows_stepped_over: AtomicU64,
    shops: RwLock<Vec<Arc<Shop>>>,
    numbers: Numbers,
    for_units: Arc<ForUnits>,
    _owned: Option<Folder>,
}

/// What every unit of work takes along to the writer, in one piece.
struct ForUnits {
    clock: Arc<dyn Clock>,
    watch: Arc<ClockWatch>,
    ids: Arc<Ids>,
    permits: Arc<Permits>,
    facts_of: FactsOf,
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("House").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The earliest date by which a certificate says that the epoch in force has ended everywhere.
#[derive(Debug)]
pub struct Promised {
    epoch: AtomicU32,
    by: AtomicI64,
}

impl Default for Promised {
    fn default() -> Promised {
        Promised { epoch: AtomicU32::new(0), by: AtomicI64::new(i64::MAX) }
    }
}

impl Promised {
    /// A certificate names this date.
    pub fn add(&self, by: i64) {
        self.by.fetch_min(by, Ordering::Relaxed);
    }

    /// Dates of this epoch are wanted. Gives whether they have to be looked up: what was known was of another.
    pub fn is_new(&self, epoch: u32) -> bool {
        // ORDER: forgotten first, looked up by the caller afterwards: a certificate that is given meanwhile adds its own.
        if self.epoch.load(Ordering::Relaxed) == epoch {
            return false;
        }
        self.by.store(i64::MAX, Ordering::Relaxed);
        true
    }

    /// The dates of this epoch were looked up.
    pub fn is_known(&self, epoch: u32) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// The earliest date, µs UTC.
    pub fn by(&self) -> i64 {
        self.by.load(Ordering::Relaxed)
    }
}

/// What a house is made of.
#[derive(Debug)]
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The data folder.
    pub data: PathBuf,
    /// The right to the data folder, when it is this process's and the rows are not in it.
    pub owned: Option<Folder>,
    /// Whether the time can be believed.
    pub watch: ClockWatch,
    /// The keys folder.
    pub keys: KeysFolder,
    /// Public ids.
    pub ids: Ids,
    /// What each log has become.
    pub heads: Arc<TrueHeads>,
    /// Who elsewhere is told of the logs' heads.
    pub witnesses: Witnesses,
    /// The packs that answer questions of law.
    pub packs: Arc<Packs>,
    /// The shops.
    pub shops: Vec<Shop>,
    /// Days of an epoch.
    pub epoch_days: u32,
}

impl House {
    /// Joins the parts.
    pub fn new(parts: Parts, clock: Arc<dyn Clock>, facts_of: FactsOf) -> House {
        let (watch, ids, permits) =
            (Arc::new(parts.watch), Arc::new(parts.ids), Arc::new(Permits::default()));
        let for_units = ForUnits {
            clock: Arc::clone(&clock),
            watch: Arc::clone(&watch),
            ids: Arc::clone(&ids),
            permits: Arc::clone(&permits),
            facts_of,
        };
        House {
            store: parts.store,
            data: parts.data,
            clock,
            watch,
            keys: parts.keys,
            ids,
            permits,
            heads: parts.heads,
            tile_roots: Arc::new(TileRoots::default()),
            witnesses: Arc::new(parts.witnesses),
            packs: parts.packs,
            streams: Arc::default(),
            post: Post::default(),
            signers: Signers::default(),
            epoch_days: parts.epoch_days,
            promised: Promised::default(),
            rows_stepped_over: AtomicU64::new(0),
            shops: RwLock::new(parts.shops.into_iter().map(Arc::new).collect()),
            numbers: Numbers::default(),
            for_units: Arc::new(for_units),
            _owned: parts.owned,
        }
    }

    /// The shops.
    pub fn shops(&self) -> Vec<Arc<Shop>> {
        self.shops.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The shop of a name; without one, the only shop.
    pub fn shop(&self, name: Option<&str>) -> Option<Arc<Shop>> {
        let shops = self.shops.read().unwrap_or_else(PoisonError::into_inner);
        match name {
            Some(name) => shops.iter().find(|shop| shop.name == name).cloned(),
            None => {
                if let [only] = shops.as_slice() {
                    Some(Arc::clone(only))
                } else {
                    None
                }
            }
        }
    }

    /// The shop that has this credential, if its secret is right. Turns strangers away before they cost a transaction;
    /// the transaction looks again.
    pub fn shop_of(&self, presented: &Presented) -> Option<(Arc<Shop>, super::shop::Door)> {
        let number = super::ids::Id::number(presented.id);
        let shops = self.shops.read().unwrap_or_else(PoisonError::into_inner);
        let (shop, door) = shops.iter().find_map(|shop| shop.doors.find(number).map(|door| (shop, door)))?;
        seal::same(&door.hash, presented.hash.expose()).then(|| (Arc::clone(shop), door))
    }

    /// How many credentials are frozen, over all shops.
    pub fn count_frozen(&self) -> usize {
        let shops = self.shops.read().unwrap_or_else(PoisonError::into_inner);
        shops.iter().map(|shop| shop.doors.count_frozen()).sum()
    }

    /// Adds a shop that was just made.
    pub fn add_shop(&self, shop: Shop) -> Arc<Shop> {
        let shop = Arc::new(shop);
        self.shops.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shop));
        shop
    }

    /// Takes out a shop that could not be made.
    pub fn remove_shop(&self, number: u32) {
        self.shops.write().unwrap_or_else(PoisonError::into_inner).retain(|shop| shop.number != number);
    }

    /// Closes the house: what witnesses still answer is not written any more, and the store ends. Blocks.
    pub fn close(&self) {
        self.witnesses.close();
        self.store.close();
    }

    /// Runs a unit of work for an actor and answers after its commit.
    ///
    /// Takes: a closure that may run more than once. Gives what it gave. Fails: as it does, and then nothing is left
    /// behind; 401 when the credential is not, or no longer, one.
    pub fn work<T, F>(
        &self,
        lane: Lane,
        shop: &Arc<Shop>,
        actor: &Actor,
        act: F,
    ) -> impl Future<Output = Result<Committed<T>, Problem>> + Send + use<T, F>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        self.work_foreseen(lane, shop, actor, Vec::new(), act)
    }

    /// What work is going to ask, where asking costs a message: in a folder nobody needs to know.
    pub fn foresees(&self, asks: impl FnOnce() -> Vec<Ask>) -> Vec<Ask> {
        if self.store.is_shared() { asks() } else { Vec::new() }
    }

    /// The same for work that [foresees](House::foresees) what it asks: it is asked at once for all that are done together. It
    /// changes no answer.
    pub fn work_foreseen<T, F>(
        &self,
        lane: Lane,
        shop: &Arc<Shop>,
        actor: &Actor,
        asks: Vec<Ask>,
        act: F,
    ) -> impl Future<Output = Result<Committed<T>, Problem>> + Send + use<T, F>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        let working = self.store.work_foreseen(shop.column(), lane, asks, self.unit(shop, actor, act));
        // What was accepted may still be done: who asks again with the same key finds out. Long work waits behind its own, and
        // for as long as the writer does.
        within(self.store.is_shared() && lane == Lane::High, working, store::Error::InDoubt)
    }

    /// The same for a thread that is not part of an asynchronous runtime.
    pub fn work_blocking<T, F>(
        &self,
        lane: Lane,
        shop: &Arc<Shop>,
        actor: &Actor,
        act: F,
    ) -> Result<Committed<T>, Problem>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        self.store.work_blocking(shop.column(), lane, self.unit(shop, actor, act))
    }

    fn unit<T, F>(
        &self,
        shop: &Arc<Shop>,
        actor: &Actor,
        mut act: F,
    ) -> impl FnMut(&mut Tx<'_>) -> Result<T, Problem> + Send + use<T, F>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Problem> + Send,
    {
        let (shop, actor, ground) = (Arc::clone(shop), actor.clone(), Arc::clone(&self.for_units));
        move |tx| {
            let ForUnits { clock, watch, ids, permits, facts_of } = &*ground;
            let actor = match &actor {
                Actor::Credential(presented) => facts_of(tx, &shop, presented)?,
                Actor::Operator => ActorFacts::operator(),
                Actor::House => ActorFacts::house(),
                Actor::Subject(subject) => ActorFacts::subject(*subject),
            };
            let now = clock.now();
            // An entry made while the clock is in doubt has the time that can be believed: the doubt outlives a restart.
            let (believed, counted_at) = watch.believed_and_counted(clock.as_ref(), now);
            let entered_at = shop.entry_time(believed);
            act(&mut Work {
                tx,
                shop: &shop,
                policy: shop.policy(),
                now,
                entered_at,
                counted_at,
                actor,
                ids,
                permits,
            })
        }
    }

    /// A place among those who send or take a file, until it is dropped.
    ///
    /// Fails: `SR-HTTP-015` when all are taken, or all that one caller may have.
    pub fn stream(&self, actor: &Actor) -> Result<StreamPlace, Problem> {
        self.streams.take(actor).ok_or_else(|| {
            Problem::new("SR-HTTP-015", 503, "as many files are on their way as there may be").retry_after(5)
        })
    }

    /// Reads beside the writer, in one state of what has been committed.
    pub fn look<T, F>(&self, read: F) -> impl Future<Output = Result<T, Problem>> + Send + use<T, F>
    where
        F: FnOnce(&View<'_>) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        within(self.store.is_shared(), self.store.look(read), store::Error::Unreachable)
    }

    /// A fresh number of a name, from a block that is this process's own.
    ///
    /// Fails: [`Empty`] when the block is used up; then [`House::refill`] and try again.
    pub fn number(&self, of: Numbered) -> Result<u64, Empty> {
        self.numbers.take(of)
    }

    /// Takes the next block of numbers.
    pub async fn refill(&self, of: Numbered) -> Result<(), Problem> {
        let first = self.store.work(HOUSE, Lane::High, take(of)).await?.into_value();
        self.numbers.refill(of, first);
        Ok(())
    }

    /// The same for a thread that is not part of an asynchronous runtime.
    pub fn refill_blocking(&self, of: Numbered) -> Result<(), Problem> {
        let first = self.store.work_blocking(HOUSE, Lane::High, take(of))?.into_value();
        self.numbers.refill(of, first);
        Ok(())
    }
}

/// A caller waits so long for a server's database: one whose network is slow, or whose standby is away, answers when it can. It is
/// how long a server that was paused can keep a shop's pen.
const ANSWERING: Duration = Duration::from_secs(10);

/// What is awaited, or this when it takes too long. A folder's disk is waited for.
async fn within<T>(
    bounded: bool,
    what: impl Future<Output = Result<T, Problem>>,
    late: store::Error,
) -> Result<T, Problem> {
    if !bounded {
        return what.await;
    }
    tokio::time::timeout(ANSWERING, what).await.unwrap_or_else(|_| Err(late.into()))
}

fn take(of: Numbered) -> impl FnMut(&mut Tx<'_>) -> Result<i64, Problem> + Send + 'static {
    move |tx| Ok(tx.take_numbers(of.name(), of.block())?)
}

/// What gets dense numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Subjects.
    Subject,
    /// Terms.
    Term,
    /// Credentials.
    Credential,
    /// Files.
    File,
}

impl Numbered {
    /// All of them.
    pub const ALL: [Numbered; 4] = [Numbered::Subject, Numbered::Term, Numbered::Credential, Numbered::File];

    /// The name of its row.
    pub fn name(self) -> &'static str {
        match self {
            Numbered::Subject => "subject",
            Numbered::Term => "term",
            Numbered::Credential => "credential",
            Numbered::File => "file",
        }
    }

    fn block(self) -> u32 {
        match self {
            Numbered::Subject => 4_096,
            Numbered::Term => 64,
            Numbered::Credential => 1,
            Numbered::File => 16,
        }
    }

    fn place(self) -> usize {
        Numbered::ALL.iter().position(|one| *one == self).unwrap_or(0)
    }
}

/// A block of numbers is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Empty(pub Numbered);

/// Blocks of numbers: the next, and how many are left.
#[derive(Debug, Default)]
struct Numbers {
    blocks: Mutex<[(u64, u64); 4]>,
    refills: AtomicU64,
}

impl Numbers {
    fn take(&self, of: Numbered) -> Result<u64, Empty> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((next, left)) = blocks.get_mut(of.place()) else { return Err(Empty(of)) };
        *left = left.checked_sub(1).ok_or(Empty(of))?;
        let number = *next;
        *next = next.saturating_add(1);
        Ok(number)
    }

    fn refill(&self, of: Numbered, first: i64) {
        self.refills.fetch_add(1, Ordering::Relaxed);
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get_mut(of.place()) {
            // What another caller may have left of its own block is given up: numbers need not be without gaps.
            *block = (u64::try_from(first).unwrap_or(0), u64::from(of.block()));
        }
    }
}
