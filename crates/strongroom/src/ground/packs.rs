//! The packs that answer here: those that are built in, and over them those that were installed out of a signed bundle.
//!
//! | in the data folder | what |
//! |---|---|
//! | `packs/ID/pack.bundle` | the part of a bundle that this pack needs, with the whole signed note |
//!
//! INVARIANT: an installed pack answers only while its note is signed by a key that the configuration trusts *now*, and its files are those
//! that the note names. One of which that is not so is refused by its name, and the built-in pack does not answer in its place: who installed
//! a pack would else be told old law without a word.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use ledger::note::{self, Verifier};
use policy::Bars;
use rulebook::bundle::{BadBundle, Bundle, Bundled, Extent, MOST_BYTES, Manifest, is_id};
use rulebook::{Pack, Scenario, built_in, built_in_ids, find_built_in};

use super::keys_folder::{make_private_folder, sync_folder, write_new};
use super::problem::Problem;

/// The folder in the data folder.
pub const FOLDER: &str = "packs";
/// The file of one pack in its folder.
const FILE: &str = "pack.bundle";
/// What a file is called until it is whole.
const COMING: &str = "pack.bundle.new";
/// What begins so was cut off before it had its name.
const UNFINISHED: &str = ".new-";

/// The packs of a data folder. They are read when somebody asks, and again when the folder has changed.
#[derive(Debug)]
pub struct Packs {
    folder: PathBuf,
    trusted: Vec<Verifier>,
    read: Mutex<Option<(Stamp, Arc<Shelf>)>>,
}

/// What tells that a folder has changed: each pack's file, with when it was written, its inode and its length.
type Stamp = Vec<(String, Option<(i64, i64, u64, u64)>)>;

/// The packs as they stood when somebody asked.
#[derive(Debug, Default)]
pub struct Shelf {
    installed: Vec<Installed>,
    refused: Vec<Refused>,
}

/// A pack that was installed.
#[derive(Debug)]
pub struct Installed {
    /// The pack.
    pub pack: Pack,
    /// What it has to answer.
    pub scenarios: Vec<Scenario>,
    /// Where it is from.
    pub origin: Origin,
}

/// The bundle that a pack is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The day on which it was made, as its maker says.
    pub made_on: Date,
    /// The names of the trusted keys that signed it.
    pub signed_by: Vec<String>,
}

/// An installed pack that does not answer.
#[derive(Debug)]
pub struct Refused {
    /// Its id.
    pub id: String,
    /// Why.
    pub why: Unfit,
}

/// Why a bundle, or a part of one, is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It cannot be read, or is longer than it may be.
    Unreadable,
    /// It is not a bundle, or another one than its manifest says.
    Bad(BadBundle),
    /// No trusted key signed it, or a signature is wrong.
    NotSigned,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unfit::Unreadable => f.write_str("its file cannot be read"),
            Unfit::Bad(bad) => write!(f, "{bad}"),
            Unfit::NotSigned => f.write_str("none of the trusted keys signed it as it is"),
        }
    }
}

/// A bundle of which somebody who is trusted says that it is theirs.
#[derive(Debug)]
pub struct Opened {
    /// The bundle.
    pub bundle: Bundle,
    /// Its packs.
    pub packs: Vec<Bundled>,
    /// Where it is from.
    pub origin: Origin,
}

/// Opens a bundle, or the part of one.
///
/// Takes: bytes from anywhere; the keys that are trusted; how much has to be there. Fails: see [`Unfit`].
pub fn open(bytes: &[u8], trusted: &[Verifier], extent: Extent<'_>) -> Result<Opened, Unfit> {
    let bundle = Bundle::decode(bytes).map_err(Unfit::Bad)?;
    // ORDER: signed first. Nothing that a stranger wrote is read as a pack.
    let signed = note::open(&bundle.note, trusted).map_err(|_| Unfit::NotSigned)?;
    let manifest = Manifest::read(&signed.text).map_err(Unfit::Bad)?;
    let packs = bundle.read(&manifest, extent).map_err(Unfit::Bad)?;
    let signers = trusted.iter().filter(|key| signed.signed_by.contains(&key.key_id()));
    let signed_by = signers.map(|key| key.name().to_owned()).collect();
    Ok(Opened { bundle, packs, origin: Origin { made_on: manifest.made_on(), signed_by } })
}

impl Packs {
    /// The packs of a data folder. Takes: the keys whose bundles are taken. Nothing is read yet.
    pub fn new(data: &Path, trusted: Vec<Verifier>) -> Packs {
        Packs { folder: data.join(FOLDER), trusted, read: Mutex::new(None) }
    }

    /// The keys whose bundles are taken.
    pub fn trusted(&self) -> &[Verifier] {
        &self.trusted
    }

    /// The packs as they stand now. It reads files, so it belongs on a thread that may wait.
    ///
    /// Fails: when the folder cannot be read. A pack that is refused is on the shelf with its reason, and fails whoever asks it.
    pub fn shelf(&self) -> Result<Arc<Shelf>, Problem> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.stamp()?;
        if let Some((before, shelf)) = &*read
            && *before == now
        {
            return Ok(Arc::clone(shelf));
        }
        let mut shelf = Shelf::default();
        for (id, _) in &now {
            match self.read_pack(id) {
                Ok(installed) => shelf.installed.push(installed),
                Err(why) => shelf.refused.push(Refused { id: id.clone(), why }),
            }
        }
        let shelf = Arc::new(shelf);
        *read = Some((now, Arc::clone(&shelf)));
        Ok(shelf)
    }

    /// Puts packs of a bundle in the place of what is there, one after the other: each is there whole, or the one before is.
    ///
    /// Fails: `SR-KEYS-001` when others may enter the folder; when it cannot be written. Those before the one that failed are installed then.
    pub fn install(&self, opened: &Opened) -> Result<(), Problem> {
        make_private_folder(&self.folder)?;
        self.clear_leftovers()?;
        for pack in opened.packs.iter().map(|bundled| &bundled.pack) {
            let text = opened.bundle.part_of(pack).encode().map_err(|bad| unfit(&Unfit::Bad(bad)))?;
            self.put(&pack.id, text.as_bytes())?;
        }
        Ok(())
    }

    fn put(&self, id: &str, bytes: &[u8]) -> Result<(), Problem> {
        let folder = self.folder.join(id);
        if folder.exists() {
            let coming = folder.join(COMING);
            let _ = fs::remove_file(&coming); // of an update that was cut off
            write_new(&coming, bytes)?;
            fs::rename(&coming, folder.join(FILE))?;
            return Ok(sync_folder(&folder)?);
        }
        // A folder never stands without its file: that is how one is found out whose file was taken away.
        let coming = self.folder.join(format!("{UNFINISHED}{id}"));
        make_private_folder(&coming)?;
        write_new(&coming.join(FILE), bytes)?;
        sync_folder(&coming)?;
        fs::rename(&coming, &folder)?;
        Ok(sync_folder(&self.folder)?)
    }

    fn clear_leftovers(&self) -> Result<(), Problem> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn stamp(&self) -> Result<Stamp, Problem> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Stamp::new()),
            Err(error) => return Err(error.into()),
        };
        let mut stamp = Stamp::new();
        for entry in entries {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().filter(|name| is_id(name)).map(str::to_owned) else {
                continue;
            };
            let file = fs::metadata(entry.path().join(FILE)).ok();
            stamp.push((id, file.map(|file| (file.mtime(), file.mtime_nsec(), file.ino(), file.len()))));
        }
        stamp.sort();
        Ok(stamp)
    }

    fn read_pack(&self, id: &str) -> Result<Installed, Unfit> {
        let bytes = read_bundle(&self.folder.join(id).join(FILE)).map_err(|_| Unfit::Unreadable)?;
        let Opened { packs, origin, .. } = open(&bytes, &self.trusted, Extent::PartOf(id))?;
        let only = packs.into_iter().next().ok_or(Unfit::Bad(BadBundle::Empty))?;
        Ok(Installed { pack: only.pack, scenarios: only.scenarios, origin })
    }
}

/// Reads a bundle's file, and no more of it than a bundle may have.
pub fn read_bundle(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    super::keys_folder::open_plain(file).map(|file: File| file.take(most))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Shelf {
    /// All packs: those that are built in, each under the one that was installed in its place, then those that are here only.
    ///
    /// Fails: `SR-LAW-010` when one that was installed is refused.
    pub fn packs(&self) -> Result<Vec<&Pack>, Problem> {
        if let Some(refused) = self.refused.first() {
            return Err(refused.problem());
        }
        Ok(self.sound())
    }

    /// The same without those that are refused, and without what is built in under these names.
    pub fn sound(&self) -> Vec<&Pack> {
        let is_refused = |id: &str| self.refused.iter().any(|refused| refused.id == id);
        let built_in = built_in().packs.iter().copied().filter(|pack| !is_refused(&pack.id));
        let over = built_in.map(|pack| self.installed(&pack.id).map_or(pack, |installed| &installed.pack));
        let own = self.installed.iter().map(|installed| &installed.pack);
        over.chain(own.filter(|pack| built_in_ids().all(|id| id != pack.id))).collect()
    }

    /// What the laws that apply to a policy let nobody do, on a day. No pack is read that does not apply.
    ///
    /// Gives, besides: the ids of laws that apply and whose installed packs are refused. They bar nothing until that is mended.
    pub fn bars(&self, shop: &policy::Shop, text: &str, published: Date, on: Date) -> (Bars, Vec<&str>) {
        let applies = |id: &str| policy::is_law_that_applies(shop, id);
        let refused: Vec<&str> =
            self.refused.iter().map(|refused| refused.id.as_str()).filter(|id| applies(id)).collect();
        let is_built_in = |id: &&str| applies(id) && !refused.contains(id) && self.installed(id).is_none();
        let own = self.installed.iter().map(|installed| &installed.pack).filter(|pack| applies(&pack.id));
        let mut packs: Vec<&Pack> = built_in_ids().filter(is_built_in).filter_map(find_built_in).collect();
        packs.extend(own);
        (policy::bars(text, published, on, &packs), refused)
    }

    /// The pack of this id; `None` when there is none. Fails: `SR-LAW-010` when it is refused.
    pub fn find(&self, id: &str) -> Result<Option<&Pack>, Problem> {
        if let Some(refused) = self.refused.iter().find(|refused| refused.id == id) {
            return Err(refused.problem());
        }
        Ok(self.installed(id).map(|installed| &installed.pack).or_else(|| find_built_in(id)))
    }

    /// What was installed under this id.
    pub fn installed(&self, id: &str) -> Option<&Installed> {
        self.installed.iter().find(|installed| installed.pack.id == id)
    }

    /// How many were installed and answer.
    pub fn count_installed(&self) -> usize {
        self.installed.len()
    }

    /// What was installed and does not answer.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

impl Refused {
    /// The problem of whoever asks it.
    pub fn problem(&self) -> Problem {
        let Refused { id, why } = self;
        Problem::new("SR-LAW-010", 503, format!("the pack `{id}` that was installed is refused: {why}"))
            .help("install its bundle again by `strongroom law update`; or take its folder out of `packs` in the data folder, and the pack that is built in answers")
    }
}

/// The problem of a bundle that is not taken.
pub fn unfit(why: &Unfit) -> Problem {
    match why {
        Unfit::NotSigned => Problem::new("SR-LAW-007", 422, "none of the trusted keys signed this bundle as it is")
            .help("give `--trusted` the verifier key of whoever made it, or write it into strongroom.toml: `[law] trusted = […]`"),
        why => Problem::new("SR-LAW-006", 422, format!("the bundle is refused: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use ledger::note::Signer;
    use rulebook::bundle::BundleFile;

    use super::*;

    fn signer(seed: u8) -> Signer {
        Signer::from_seed("packs.example/law", &[seed; 32]).unwrap()
    }

    /// A bundle of one pack that is built in, with something else in its text.
    fn bundle(id: &str, change: (&str, &str), by: &Signer) -> Vec<u8> {
        let built = rulebook::FILES.iter().find(|files| files.id == id).unwrap();
        let file =
            |name: &str, text: &str| BundleFile { path: format!("{id}/{name}"), text: text.to_owned() };
        let mut files = vec![
            file("pack.toml", &built.pack.replacen(change.0, change.1, 1)),
            file("scenarios.toml", built.scenarios),
            file("CHANGELOG.md", built.changelog),
        ];
        let manifest = Manifest::of(jiff::civil::date(2026, 11, 28), &mut files).unwrap();
        let note = note::sign(&manifest.text(), &[by]).unwrap();
        Bundle { note, files }.encode().unwrap().into_bytes()
    }

    fn newer(id: &str) -> Vec<u8> {
        bundle(id, ("checked_on = 2026-11-21", "checked_on = 2026-11-27"), &signer(1))
    }

    fn packs(data: &Path) -> Packs {
        Packs::new(data, vec![signer(1).verifier().clone()])
    }

    fn install(packs: &Packs, bytes: &[u8]) {
        packs.install(&open(bytes, packs.trusted(), Extent::Whole).unwrap()).unwrap();
    }

    #[test]
    fn without_a_folder_the_packs_that_are_built_in_answer() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = packs(folder.path()).shelf().unwrap();
        assert_eq!(shelf.packs().unwrap().len(), built_in().packs.len());
        assert_eq!(shelf.find("atlantis").unwrap().map(|pack| &pack.id), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking makes nothing");
    }

    #[test]
    fn what_was_installed_stands_over_what_is_built_in_and_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let packs = packs(folder.path());
        let before = packs.shelf().unwrap();
        install(&packs, &newer("sg"));
        let shelf = packs.shelf().unwrap();
        assert_eq!(before.find("sg").unwrap().unwrap().checked_on.to_string(), "2026-11-21");
        assert_eq!(shelf.find("sg").unwrap().unwrap().checked_on.to_string(), "2026-11-27");
        assert_eq!(shelf.packs().unwrap().len(), built_in().packs.len());
        assert_eq!(shelf.installed("sg").unwrap().origin.signed_by, ["packs.example/law"]);
        assert!(Arc::ptr_eq(&shelf, &packs.shelf().unwrap()), "nothing has changed, so nothing is read");
        install(&packs, &bundle("sg", ("checked_on = 2026-11-21", "checked_on = 2026-11-28"), &signer(1)));
        assert_eq!(packs.shelf().unwrap().find("sg").unwrap().unwrap().checked_on.to_string(), "2026-11-28");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        let (own, file) = (folder.path().join("packs/sg"), folder.path().join("packs/sg/pack.bundle"));
        assert_eq!((mode(&folder.path().join("packs")), mode(&own), mode(&file)), (0o700, 0o700, 0o600));
        assert_eq!(fs::read_dir(own).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_pack_that_was_changed_taken_away_or_signed_by_another_is_refused_and_nothing_answers_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let packs = packs(folder.path());
        install(&packs, &newer("sg"));
        let file = folder.path().join("packs/sg/pack.bundle");
        let whole = fs::read(&file).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let refused = |why: Unfit| {
            let shelf = packs.shelf().unwrap();
            let found: Vec<&Unfit> = shelf.refused().iter().map(|refused| &refused.why).collect();
            assert_eq!(found, [&why]);
            assert_eq!(shelf.find("sg").unwrap_err().code, "SR-LAW-010");
            assert_eq!(shelf.packs().unwrap_err().code, "SR-LAW-010");
            assert!(shelf.find("cn").unwrap().is_some(), "others answer");
            assert!(shelf.sound().iter().all(|pack| pack.id != "sg"));
        };
        let changed = |path: &str| Unfit::Bad(BadBundle::Changed { path: path.to_owned() });
        fs::write(&file, text.replacen("kind = \"law\"", "kind = \"lex\"", 1)).unwrap();
        refused(changed("sg/pack.toml"));
        fs::write(&file, text.replacen("made 2026-11-28", "made 2026-11-29", 1)).unwrap();
        refused(Unfit::NotSigned);
        fs::write(&file, bundle("sg", ("", ""), &signer(2))).unwrap();
        refused(Unfit::NotSigned);
        fs::write(&file, newer("cn")).unwrap();
        refused(Unfit::Bad(BadBundle::Empty));
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert!(packs.shelf().unwrap().find("sg").is_err());
        fs::write(&file, vec![b'a'; MOST_BYTES + 1]).unwrap();
        refused(Unfit::Bad(BadBundle::TooLong));
        fs::remove_file(&file).unwrap();
        refused(Unfit::Unreadable);
        fs::remove_dir(folder.path().join("packs/sg")).unwrap();
        assert!(
            packs.shelf().unwrap().find("sg").unwrap().is_some(),
            "the one that is built in, as somebody wished"
        );
    }

    #[test]
    fn a_key_that_is_trusted_no_more_takes_its_packs_with_it() {
        let folder = tempfile::tempdir().unwrap();
        install(&packs(folder.path()), &newer("sg"));
        let nobody = Packs::new(folder.path(), Vec::new());
        assert_eq!(nobody.shelf().unwrap().refused()[0].why, Unfit::NotSigned);
    }

    #[test]
    fn an_update_that_was_cut_off_leaves_what_was_there_and_the_next_one_clears_up() {
        let folder = tempfile::tempdir().unwrap();
        let packs = packs(folder.path());
        install(&packs, &newer("sg"));
        fs::write(folder.path().join("packs/sg/pack.bundle.new"), "half").unwrap();
        fs::create_dir(folder.path().join("packs/.new-jp")).unwrap();
        fs::write(folder.path().join("packs/.new-jp/pack.bundle"), "half").unwrap();
        let shelf = packs.shelf().unwrap();
        assert!(
            shelf.refused().is_empty() && shelf.installed("sg").is_some() && shelf.installed("jp").is_none()
        );
        install(&packs, &newer("sg"));
        install(&packs, &newer("jp"));
        let left: Vec<_> = fs::read_dir(folder.path().join("packs"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(packs.shelf().unwrap().refused().is_empty());
    }
}
