//! Signed heads: what a log had become, signed with the shop's key, and kept outside the database.

use std::sync::Arc;

use ledger::checkpoint::Checkpoint;
use ledger::hash::Hash;
use ledger::note::{Signer, Verifier};
use ledger::opening::Opening;
use ledger::receipt::Receipt;
use ledger::tree::{inclusion_proof, root_at};
use serde::{Deserialize, Serialize};
use store::View;

use super::house::House;
use super::ids::EntryId;
use super::keys_folder::KeysFolder;
use super::log::{EdgeTiles, StoredTiles, generation_of_log, shop_of_log};
use super::problem::Problem;
use super::shop::Shop;
use super::work::Shown;

/// Name of a shop's log, and of the key that signs its heads.
///
/// SOURCE: C2SP tlog-checkpoint; a generation after the first is another log, and says so.
pub fn origin(shop: &str, log: i64) -> String {
    match generation_of_log(log) {
        0 | 1 => format!("strongroom/{shop}"),
        generation => format!("strongroom/{shop}/{generation}"),
    }
}

/// Who signs a log's heads. Fails: `SR-KEYS-006` when the keyring has no key for this shop.
pub fn signer(house: &House, shop: &Shop, log: i64) -> Result<Signer, Problem> {
    house.keys.with(|ring| {
        let seed = ring.ledger_seed(shop.number).ok_or_else(no_signing_key)?;
        Ok(Signer::from_seed(&origin(&shop.name, log), seed.expose())?)
    })
}

fn no_signing_key() -> Problem {
    Problem::new("SR-KEYS-006", 500, "the keyring has no signing key for this shop's log")
        .help("put back the copy of the keyring that you keep apart")
}

/// Who verifies a log's heads: what `init` printed.
pub fn verifier(house: &House, shop: &Shop, log: i64) -> Result<Verifier, Problem> {
    signer(house, shop, log).map(|signer| signer.verifier().clone())
}

/// Who verifies a log's heads, by the keyring alone.
pub fn verifier_in(keys: &KeysFolder, shop: &str, log: i64) -> Option<Verifier> {
    keys.with(|ring| {
        let seed = ring.ledger_seed(shop_of_log(log))?;
        Signer::from_seed(&origin(shop, log), seed.expose()).ok().map(|signer| signer.verifier().clone())
    })
}

/// Signs a log's head as it stands, as the writer knows it. Witnesses that have cosigned this head stand below.
pub fn sign(house: &House, shop: &Shop) -> Result<String, Problem> {
    let log = shop.log();
    let head = house.heads.find(log).ok_or(store::Error::BrokenLog { log, leaf: 0 })?;
    let note = sign_head(house, shop, log, head)?;
    let lines = house.witnesses.lines_for(log, &note);
    Ok(note + &lines)
}

/// Signs a head of a log.
pub fn sign_head(house: &House, shop: &Shop, log: i64, head: store::Head) -> Result<String, Problem> {
    let checkpoint = Checkpoint::new(&origin(&shop.name, log), head.size, Hash(head.root))?;
    Ok(checkpoint.sign(&signer(house, shop, log)?)?)
}

/// Signs every log's head and puts them into the keys folder, where the next start will look.
///
/// Gives: how many leaves the logs have together, so that a caller can see whether anything is new.
pub fn write_heads(house: &House) -> Result<u64, Problem> {
    let heads = house.heads.all();
    let shops = house.shops();
    // Another process on the same rows may have signed a later one: what is kept there never gets shorter.
    let before = if house.store.is_shared() { read_heads(&house.keys.read_heads()?)? } else { Vec::new() };
    let mut signed = Vec::new();
    for (log, head) in &heads {
        let kept = before.iter().find(|kept| kept.log == *log);
        if let Some(kept) = kept.filter(|kept| size_said(&kept.note).is_some_and(|size| size > head.size)) {
            signed.push(kept.clone());
        } else if let Some(shop) = shops.iter().find(|shop| shop.number == shop_of_log(*log)) {
            signed.push(SignedHead { log: *log, note: sign_head(house, shop, *log, *head)? });
        }
    }
    let text = serde_json::to_string_pretty(&signed).unwrap_or_default();
    house.keys.write_heads(&text)?;
    Ok(heads.iter().map(|(_, head)| head.size).sum())
}

/// The size in a note, before its signature is looked at.
pub fn size_said(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// One head in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedHead {
    /// Which log.
    pub log: i64,
    /// The signed note.
    pub note: String,
}

/// Reads a file of heads. An empty file holds none.
///
/// Fails: `SR-ACCOUNT-003` when it cannot be read.
pub fn read_heads(text: &str) -> Result<Vec<SignedHead>, Problem> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|_| {
        Problem::new("SR-ACCOUNT-003", 500, "the file of signed heads is damaged")
            .help("put back the copy of the keys folder that you keep apart")
    })
}

/// Holds a log against a head that was signed before and kept elsewhere.
///
/// Fails: `SR-ACCOUNT-001` when the log is shorter than it was, `SR-ACCOUNT-002` when it is another.
pub fn hold_against(
    view: &View<'_>,
    log: i64,
    head: &SignedHead,
    verifier: &Verifier,
    origin: &str,
) -> Result<(), Problem> {
    let signed = Checkpoint::open(&head.note, verifier, origin).map_err(|_| another_log())?;
    let size = view.log_head(log)?.map_or(0, |head| head.size);
    if size < signed.size() {
        return Err(shortened(size, signed.size()));
    }
    if root_at(&mut StoredTiles { view, log, roots: None }, signed.size())? == *signed.root() {
        Ok(())
    } else {
        Err(another_log())
    }
}

/// Holds a log of a shop against its signed head, with the key of the keyring.
pub fn hold_stored(view: &View<'_>, head: &SignedHead, shop: &str, keys: &KeysFolder) -> Result<(), Problem> {
    let verifier = verifier_in(keys, shop, head.log).ok_or_else(no_signing_key)?;
    hold_against(view, head.log, head, &verifier, &origin(shop, head.log))
}

/// Code of the problem of a log that is shorter than it was.
pub const SHORTENED: &str = "SR-ACCOUNT-001";
/// Code of the problem of a log that is another one.
pub const ANOTHER: &str = "SR-ACCOUNT-002";

fn shortened(size: u64, signed: u64) -> Problem {
    let title = format!("the log has {size} entries, and had {signed} when its head was last signed");
    Problem::new(SHORTENED, 500, title)
        .help("an older copy of the data folder was put in place: use `strongroom restore`, which keeps the newest ledger")
}

fn another_log() -> Problem {
    Problem::new(ANOTHER, 500, "the log is not the one whose head was last signed")
        .help("the data folder was changed or exchanged: keep it as it is, and restore the latest backup")
}

/// A receipt: for the OpenAPI document; the ledger's own type writes it (docs/spec/ledger.md). Everything but `format`,
/// `entry_index` and `checkpoint` is base64.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptBody {
    /// `strongroom/receipt/1`.
    pub format: String,
    /// Index of the entry in its log.
    pub entry_index: u64,
    /// The entry.
    pub entry: String,
    /// The salt of its commitment.
    pub salt: String,
    /// The opening of its commitment.
    pub opening: String,
    /// The inclusion proof, nearest to the leaf first.
    pub proof: Vec<String>,
    /// The signed head under which it holds.
    pub checkpoint: String,
}

/// Everything that proves an entry to a stranger: its bytes, its place in the tree, and the signed head.
///
/// Takes: the entry, and the salt and opening that open its commitment. The head is the newest that witnesses have cosigned, if
/// the entry is in it; else the one that stands.
pub async fn receipt(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    entry: EntryId,
    salt: [u8; 16],
    opening: &Opening,
) -> Result<Receipt, Problem> {
    let (log, leaf) = (entry.log(), entry.leaf());
    let missing = move || Problem::from(store::Error::BrokenLog { log, leaf });
    // ORDER: before the look, which then sees at least as much.
    let (size, note) = note_over(house, shop, log, leaf)?;
    let roots = Arc::clone(&house.tile_roots);
    let (bytes, proof) = house
        .look(move |view| {
            let bytes = view.leaf(log, leaf)?.ok_or_else(missing)?;
            let proof = inclusion_proof(&mut StoredTiles { view, log, roots: Some(&roots) }, leaf, size)?;
            Ok((bytes, proof))
        })
        .await?;
    Ok(Receipt::new(leaf, bytes, salt, opening, proof, note))
}

/// The same for an entry that was just made: while it stands at the right edge of its log, which the writer has in memory, nothing
/// is read.
pub async fn receipt_of(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    entry: EntryId,
    shown: Shown,
    opening: &Opening,
) -> Result<Receipt, Problem> {
    let (log, leaf) = (entry.log(), entry.leaf());
    let (size, note) = note_over(house, shop, log, leaf)?;
    // ORDER: the edge behind the head, so that it has at least as many leaves.
    let proof =
        house.heads.edge(log).and_then(|edge| inclusion_proof(&mut EdgeTiles(&edge), leaf, size).ok());
    match proof {
        Some(proof) => Ok(Receipt::new(leaf, shown.leaf, shown.salt, opening, proof, note)),
        None => receipt(house, shop, entry, shown.salt, opening).await,
    }
}

/// A signed head over an entry, and its size: the newest that witnesses have cosigned, if the entry is in it; else the one that
/// stands.
pub fn note_over(house: &House, shop: &Shop, log: i64, leaf: u64) -> Result<(u64, String), Problem> {
    if let Some(cosigned) = house.witnesses.cosigned(log).filter(|cosigned| leaf < cosigned.size) {
        return Ok((cosigned.size, cosigned.note));
    }
    let head = house.heads.find(log).ok_or(store::Error::BrokenLog { log, leaf })?;
    Ok((head.size, sign_head(house, shop, log, head)?))
}
