//! The logs of the shops, between the store that keeps their rows and the crate that knows their hashes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ledger::entry::Entry;
use ledger::hash::{Hash, leaf_hash};
use ledger::tree::{ReadError, TileBuffer, Tiles};
use quick_cache::sync::Cache;
use store::{Appended, Error, FullTile, Head, LEAVES_PER_TILE, LogBook, View};

use super::neighbours::{Neighbours, News};
use super::problem::Problem;

/// Number of a shop's log: the shop, and which generation of its log. A new generation begins only when a restore has to
/// name a gap.
pub fn log_number(shop: u32, generation: u32) -> i64 {
    (i64::from(shop) << GENERATION_BITS) | i64::from(generation)
}

/// The shop of a log.
pub fn shop_of_log(log: i64) -> u32 {
    u32::try_from(log >> GENERATION_BITS).unwrap_or(0)
}

/// The generation of a log, from 1.
pub fn generation_of_log(log: i64) -> u32 {
    u32::try_from(log & ((1 << GENERATION_BITS) - 1)).unwrap_or(0)
}

const GENERATION_BITS: u32 = 6;

/// The right edge of every log, on the writer's thread.
#[derive(Default)]
pub struct Book {
    kept: HashMap<i64, Arc<TileBuffer>>,
    tentative: HashMap<i64, TileBuffer>,
    heads: Arc<TrueHeads>,
    neighbours: Neighbours,
}

/// What each log has become, as the writer made it: what is signed comes from here, and not from a row that somebody may have
/// edited beside the writer.
#[derive(Default)]
pub struct TrueHeads(RwLock<HashMap<i64, (Head, Arc<TileBuffer>)>>);

impl std::fmt::Debug for TrueHeads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}

impl TrueHeads {
    /// The head of a log.
    pub fn find(&self, log: i64) -> Option<Head> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&log).map(|(head, _)| *head)
    }

    /// The right edge of a log.
    pub fn edge(&self, log: i64) -> Option<Arc<TileBuffer>> {
        let heads = self.0.read().unwrap_or_else(PoisonError::into_inner);
        heads.get(&log).map(|(_, edge)| Arc::clone(edge))
    }

    /// The logs with their heads, in order.
    pub fn all(&self) -> Vec<(i64, Head)> {
        let heads = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(i64, Head)> = heads.iter().map(|(log, (head, _))| (*log, *head)).collect();
        all.sort_by_key(|(log, _)| *log);
        all
    }

    fn saw(&self, log: i64, edge: &Arc<TileBuffer>) {
        let head = Head { size: edge.size(), root: edge.root().0 };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(log, (head, Arc::clone(edge)));
    }
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("logs", &self.kept.len()).finish_non_exhaustive()
    }
}

impl Book {
    /// Reads the right edge of every log, and holds its root against the stored head.
    ///
    /// Fails: `SR-STORE-014` when leaves, tiles and head do not agree.
    pub fn read(view: &View<'_>) -> Result<Book, Error> {
        let mut book = Book::default();
        for log in view.logs()? {
            book.read_end(view, log)?;
        }
        Ok(book)
    }

    /// The same for another writer: what it knows is its own, the heads are all writers'.
    #[must_use]
    pub fn another(&self) -> Book {
        Book {
            kept: self.kept.clone(),
            tentative: HashMap::new(),
            heads: self.heads(),
            neighbours: self.neighbours(),
        }
    }

    /// The heads that this book keeps up to date.
    pub fn heads(&self) -> Arc<TrueHeads> {
        Arc::clone(&self.heads)
    }

    /// Who is told what others have entered.
    pub fn neighbours(&self) -> Neighbours {
        self.neighbours.clone()
    }

    /// Reads the right edge of a log that this book did not know, and holds its root against the stored head.
    fn read_end(&mut self, view: &View<'_>, log: i64) -> Result<(), Error> {
        let Some(head) = view.log_head(log)? else { return Ok(()) };
        let edge =
            TileBuffer::load(head.size, &mut StoredTiles { view, log, roots: None }).map_err(|error| {
                match error {
                    ReadError::Tiles(error) => error,
                    ReadError::Ledger(_) => Error::BrokenLog { log, leaf: head.size },
                }
            })?;
        self.knows(log, edge, head)
    }

    /// Goes on from what this book knows of a log to where it ends now, leaf by leaf: so it is the same log, and nobody has
    /// rewritten what was in it.
    fn go_on(&mut self, view: &View<'_>, log: i64, news: &mut News) -> Result<(), Error> {
        let Some(mut edge) = self.kept.get(&log).map(|edge| TileBuffer::clone(edge)) else {
            news.begin_anew();
            return self.read_end(view, log);
        };
        let broken = |leaf| Error::BrokenLog { log, leaf };
        let head = view.log_head(log)?.ok_or_else(|| broken(0))?;
        // What was here before is here still, and this process may have signed it.
        if head.size < edge.size() {
            return Err(broken(head.size));
        }
        while edge.size() < head.size {
            let next_tile = (edge.size() / LEAVES_PER_TILE).saturating_add(1).saturating_mul(LEAVES_PER_TILE);
            let packed = view.leaves_packed(log, edge.size(), next_tile.min(head.size))?;
            for leaf in store::Unpack(&packed) {
                edge.append(leaf_hash(leaf));
            }
            edge.take_full_tiles(); // whoever filled them has stored them
            news.add(&packed);
        }
        self.knows(log, edge, head)
    }

    fn knows(&mut self, log: i64, edge: TileBuffer, head: Head) -> Result<(), Error> {
        if edge.root().0 != head.root {
            return Err(Error::BrokenLog { log, leaf: head.size });
        }
        let edge = Arc::new(edge);
        self.heads.saw(log, &edge);
        self.kept.insert(log, edge);
        Ok(())
    }
}

impl LogBook for Book {
    fn size(&self, log: i64) -> u64 {
        self.kept.get(&log).map_or(0, |edge| edge.size())
    }

    fn append(&mut self, log: i64, leaves: &[&[u8]]) -> Result<Appended, Error> {
        let kept = &self.kept;
        let edge = self
            .tentative
            .entry(log)
            .or_insert_with(|| kept.get(&log).map_or_else(TileBuffer::new, |edge| TileBuffer::clone(edge)));
        let first = edge.size();
        for leaf in leaves {
            edge.append(leaf_hash(leaf));
        }
        let tiles = edge
            .take_full_tiles()
            .into_iter()
            .map(|tile| FullTile { level: tile.level, index: tile.index, bytes: tile.bytes })
            .collect();
        Ok(Appended { first, size: edge.size(), root: edge.root().0, tiles })
    }

    fn keep(&mut self) {
        for (log, edge) in self.tentative.drain() {
            let edge = Arc::new(edge);
            self.heads.saw(log, &edge);
            self.kept.insert(log, edge);
        }
    }

    fn discard(&mut self) {
        self.tentative.clear();
    }

    fn catch_up(&mut self, view: &View<'_>, shop: i64) -> Result<(), Error> {
        self.tentative.clear();
        let mut news = News::new();
        let logs = view.logs()?.into_iter().filter(|log| i64::from(shop_of_log(*log)) == shop);
        for log in logs {
            self.go_on(view, log, &mut news)?;
        }
        let Ok(shop) = u32::try_from(shop) else { return Ok(()) };
        self.neighbours.tell(view, shop, &news).map_err(|problem| {
            crate::note!(WARN, "what another server entered could not be taken over", code = problem.code);
            Error::NotCaughtUp
        })
    }
}

/// The first entry that is not older than an instant: entries stand in the order of their times.
pub fn first_since(view: &View<'_>, log: i64, size: u64, since: i64) -> Result<u64, Problem> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        let bytes = view.leaf(log, middle)?.ok_or(Error::BrokenLog { log, leaf: middle })?;
        if Entry::decode(&bytes)?.at < since {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The hash tiles of a log's right edge, and no others.
#[derive(Debug)]
pub struct EdgeTiles<'e>(pub &'e TileBuffer);

/// A tile does not stand at the right edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere;

impl Tiles for EdgeTiles<'_> {
    type Error = Elsewhere;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Elsewhere> {
        let mut edge = self.0.partial_tiles();
        let found = edge.find(|tile| (tile.level, tile.index) == (level, index) && tile.width >= width);
        found.map(|tile| tile.bytes.to_vec()).ok_or(Elsewhere)
    }
}

/// Hash tiles as the store has them: full ones in rows, the right edge made again from what lies below it.
#[derive(Debug)]
pub struct StoredTiles<'v, 't> {
    /// Where to read.
    pub view: &'v View<'t>,
    /// Which log.
    pub log: i64,
    /// Roots that were made before. Without them all is hashed afresh: whoever verifies believes no memory.
    pub roots: Option<&'v TileRoots>,
}

/// Roots of full tiles, as they were lately needed. A full tile never changes, and its root takes 255 hashes; so the edge of
/// a level above, which anybody may ask for again and again, is made out of its tiles once.
#[derive(Debug)]
pub struct TileRoots(Cache<(i64, u8, u64), Hash>);

/// More than the edges of a log of any size have: 255 tiles for each of seven levels. Of several logs, the lately read.
const ROOTS_KEPT: usize = 8_192;

impl Default for TileRoots {
    fn default() -> TileRoots {
        TileRoots(Cache::new(ROOTS_KEPT))
    }
}

impl TileRoots {
    /// The root of a tile, from memory or made now.
    fn find(&self, tile: (i64, u8, u64), make: impl FnOnce() -> Result<Hash, Error>) -> Result<Hash, Error> {
        if let Some(known) = self.0.get(&tile) {
            return Ok(known);
        }
        let root = make()?;
        self.0.insert(tile, root);
        Ok(root)
    }
}

impl Tiles for StoredTiles<'_, '_> {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Error> {
        if let Some(full) = self.view.tile(self.log, level, index)? {
            return Ok(full);
        }
        let first = index.saturating_mul(LEAVES_PER_TILE);
        let mut hashes = Vec::with_capacity(usize::from(width) * 32);
        if level == 0 {
            let size = self.view.log_head(self.log)?.map_or(0, |head| head.size);
            let end = size.min(first.saturating_add(LEAVES_PER_TILE));
            let packed = self.view.leaves_packed(self.log, first, end)?;
            for leaf in store::Unpack(&packed).take(usize::from(width)) {
                hashes.extend_from_slice(&leaf_hash(leaf).0);
            }
        } else {
            let below = level.saturating_sub(1);
            for position in (first..).take(usize::from(width)) {
                let make = || self.root_of(below, position);
                let root = match self.roots {
                    Some(roots) => roots.find((self.log, below, position), make)?,
                    None => make()?,
                };
                hashes.extend_from_slice(&root.0);
            }
        }
        if hashes.len() == usize::from(width) * 32 {
            Ok(hashes)
        } else {
            Err(Error::BrokenLog { log: self.log, leaf: first })
        }
    }
}

impl StoredTiles<'_, '_> {
    /// The root of a full tile, hashed afresh.
    fn root_of(&self, level: u8, index: u64) -> Result<Hash, Error> {
        let tile = self.view.tile(self.log, level, index)?;
        tile.and_then(|tile| root_of_tile(&tile)).ok_or(Error::BrokenLog { log: self.log, leaf: index })
    }
}

/// The root over the 256 hashes of a full tile: one hash of the level above.
fn root_of_tile(tile: &[u8]) -> Option<Hash> {
    let (hashes, rest) = tile.as_chunks::<32>();
    if hashes.len() as u64 != LEAVES_PER_TILE || !rest.is_empty() {
        return None;
    }
    let mut row: Vec<Hash> = hashes.iter().map(|hash| Hash(*hash)).collect();
    while row.len() > 1 {
        row =
            row.as_chunks::<2>().0.iter().map(|[left, right]| ledger::hash::node_hash(left, right)).collect();
    }
    row.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_number_holds_shop_and_generation() {
        let log = log_number(7, 3);
        assert_eq!((shop_of_log(log), generation_of_log(log)), (7, 3));
    }

    #[test]
    fn the_root_of_a_full_tile_is_made_once() {
        let roots = TileRoots::default();
        let root = leaf_hash(b"a tile");
        assert_eq!(roots.find((1, 0, 7), || Ok(root)).unwrap(), root);
        let never = || -> Result<Hash, Error> { panic!("it is known") };
        assert_eq!(roots.find((1, 0, 7), never).unwrap(), root);
        let broken = Error::BrokenLog { log: 2, leaf: 7 };
        assert!(roots.find((2, 0, 7), || Err(broken.clone())).is_err(), "another log's tile is another");
        assert_eq!(roots.find((2, 0, 7), || Ok(root)).unwrap(), root, "a fault is not remembered");
    }

    #[test]
    fn a_discarded_append_leaves_no_trace() {
        let mut book = Book::default();
        let first = book.append(1, &[b"one"]).unwrap();
        book.keep();
        let lost = book.append(1, &[b"two", b"three"]).unwrap();
        assert_eq!((lost.first, lost.size), (1, 3));
        book.discard();
        let again = book.append(1, &[b"other"]).unwrap();
        assert_eq!((first.size, again.first, again.size, book.size(1)), (1, 1, 2, 1));
        assert_ne!(again.root, lost.root);
    }

    #[test]
    fn two_appends_in_one_transaction_follow_each_other() {
        let mut book = Book::default();
        book.append(1, &[b"one"]).unwrap();
        assert_eq!(book.append(1, &[b"two"]).unwrap().first, 1);
    }

    /// All tiles of a tree.
    struct All<'t>(&'t HashMap<(u8, u64), Vec<u8>>, &'t TileBuffer);

    impl Tiles for All<'_> {
        type Error = Elsewhere;

        fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Elsewhere> {
            match self.0.get(&(level, index)) {
                Some(full) => Ok(full.clone()),
                None => EdgeTiles(self.1).tile(level, index, width),
            }
        }
    }

    #[test]
    fn an_entry_at_the_edge_is_proved_without_the_tiles_behind_it() {
        use ledger::tree::inclusion_proof;
        let (mut tree, mut full, mut elsewhere) = (TileBuffer::new(), HashMap::new(), 0);
        for leaf in 0..1_030_u64 {
            tree.append(leaf_hash(&leaf.to_be_bytes()));
            for tile in tree.take_full_tiles() {
                full.insert((tile.level, tile.index), tile.bytes);
            }
            let wanted = inclusion_proof(&mut All(&full, &tree), leaf, leaf + 1).unwrap();
            match inclusion_proof(&mut EdgeTiles(&tree), leaf, leaf + 1) {
                Ok(proof) => assert_eq!(proof, wanted, "{leaf}"),
                // The tile has just become full: it is a row now.
                Err(_) => {
                    assert_eq!((leaf + 1) % 256, 0);
                    elsewhere += 1;
                }
            }
        }
        assert_eq!(elsewhere, 4);
        // What lies behind is not proved from here, and nothing wrong is said of it.
        let inner = inclusion_proof(&mut EdgeTiles(&tree), 3, 1_030);
        assert_eq!(inner, Err(ReadError::Tiles(Elsewhere)));
    }
}
