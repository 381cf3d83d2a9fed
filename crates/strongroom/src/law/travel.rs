//! How packs travel apart from the program: somebody bundles and signs them, somebody who trusts their key takes them in. Offline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use ledger::note::{self, Signer, Verifier};
use rulebook::bundle::{
    BadBundle, Bundle, BundleFile, Bundled, CALENDARS, Extent, FILES_OF_A_PACK, Manifest, read_packs,
};
use serde::Serialize;

use crate::ground::packs::{self, Opened, Origin, Packs, Unfit, unfit};
use crate::ground::{Problem, keys_folder, private_key};

/// Ed25519, as C2SP signed-note has it: another type than a witness's, so that neither key passes for the other.
const KEY_TYPE: u8 = 0x01;

/// Makes a key that signs bundles, in a new file, 0600. Gives: the verifier key, for everybody.
///
/// Fails: `SR-KEYS-003` when the file is there, `SR-LEDGER-011` for what is no name.
pub fn make_key(file: &Path, name: &str) -> Result<Verifier, Problem> {
    private_key::make(file, KEY_TYPE, name, |seed| {
        let verifier = Signer::from_seed(name, seed)?.verifier().clone();
        let id = verifier.key_id();
        Ok((verifier, id))
    })
}

/// Reads a key that signs bundles. Fails: `SR-KEYS-001` when others can read the file, `SR-LAW-011` when it is no such key.
pub fn read_key(file: &Path) -> Result<Signer, Problem> {
    let key = private_key::read(file, KEY_TYPE, |name, seed| {
        let signer = Signer::from_seed(name, seed).ok()?;
        let id = signer.verifier().key_id();
        Some((signer, id))
    })?;
    key.ok_or_else(|| {
        Problem::new("SR-LAW-011", 422, "the file holds no private key that signs bundles of packs")
            .help("`strongroom law keygen --key FILE --name NAME` makes one")
    })
}

/// What stands in a bundle.
#[derive(Debug, Serialize)]
pub struct Contents {
    /// The day on which it was made.
    pub made_on: String,
    /// Its packs, by their ids.
    pub packs: Vec<String>,
    /// How many bytes it has.
    pub size_bytes: usize,
}

/// Makes a signed bundle of packs' folders, each with its calendar.
///
/// Takes: the folders, each with `pack.toml`, `scenarios.toml` and `CHANGELOG.md`; the key; the day. A calendar is taken out of the folder
/// `calendars` beside the pack's, or is the one that is built in. Gives: the bundle's text, and what stands in it. Fails: `SR-CLI-004` for a file
/// that cannot be read, `SR-LAW-006` for packs of which no bundle can be made, `SR-LAW-008` for a pack that fails its own test: nobody should
/// sign one.
pub fn bundle(folders: &[PathBuf], key: &Signer, made_on: Date) -> Result<(String, Contents), Problem> {
    let mut files = gather(folders)?;
    let manifest = Manifest::of(made_on, &mut files).map_err(|bad| unfit(&Unfit::Bad(bad)))?;
    for bundled in &read_packs(&files).map_err(|bad| unfit(&Unfit::Bad(bad)))? {
        must_pass(bundled)?;
    }
    let note = note::sign(&manifest.text(), &[key])?;
    let text = Bundle { note, files }.encode().map_err(|bad| unfit(&Unfit::Bad(bad)))?;
    let packs = manifest.list_packs().into_iter().map(str::to_owned).collect();
    let contents = Contents { made_on: made_on.to_string(), packs, size_bytes: text.len() };
    Ok((text, contents))
}

fn gather(folders: &[PathBuf]) -> Result<Vec<BundleFile>, Problem> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |path: String, text: String| match files.insert(path.clone(), text.clone()) {
        Some(before) if before != text => Err(unfit(&Unfit::Bad(BadBundle::Changed { path }))),
        _ => Ok(()),
    };
    for folder in folders {
        let text = read(&folder.join("pack.toml"))?;
        let (id, calendar) = names_in(&text);
        for name in FILES_OF_A_PACK {
            add(format!("{id}/{name}"), read(&folder.join(name))?)?;
        }
        let beside = keys_folder::folder_of(folder).join(CALENDARS).join(format!("{calendar}.toml"));
        let own = if beside.is_file() { Some(read(&beside)?) } else { None };
        let shipped = || rulebook::clock::shipped_file(&calendar).map(str::to_owned);
        if let Some(text) = own.or_else(shipped) {
            add(format!("{CALENDARS}/{calendar}.toml"), text)?;
        }
    }
    Ok(files.into_iter().map(|(path, text)| BundleFile { path, text }).collect())
}

/// What a pack says that it is called, and which calendar it names; nothing where it says nothing, and the reader then says what is wrong.
fn names_in(text: &str) -> (String, String) {
    let table: toml::Table = text.parse().unwrap_or_default();
    let head = table.get("pack").and_then(toml::Value::as_table);
    let name = |key: &str| {
        let said = head.and_then(|head| head.get(key)).and_then(toml::Value::as_str).unwrap_or_default();
        // It becomes part of a path here, before the bundle's own reader looks at it.
        if rulebook::bundle::is_id(said) { said.to_owned() } else { String::new() }
    };
    (name("id"), name("calendar"))
}

fn read(file: &Path) -> Result<String, Problem> {
    keys_folder::read_text(file).map_err(|error| {
        let why = error.kind();
        Problem::new("SR-CLI-004", 500, format!("`{}` cannot be read ({why:?})", file.display()))
    })
}

fn must_pass(bundled: &Bundled) -> Result<(), Problem> {
    let faults = bundled.faults();
    let Some(first) = faults.first() else { return Ok(()) };
    let title = format!("the pack `{}` fails its own test, {} times: {first}", bundled.pack.id, faults.len());
    Err(Problem::new("SR-LAW-008", 422, title).help(
        "`strongroom law test --file PACK.toml --scenarios SCENARIOS.toml` says everything that is wrong",
    ))
}

/// May a pack become older than it is?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// It is refused.
    Refused,
    /// Somebody wants it so.
    Allowed,
}

/// What an update does to one pack.
#[derive(Debug, Serialize)]
pub struct Change {
    /// The pack.
    pub pack: String,
    /// The day of the sources of the one that answers now; `None` when there is none.
    pub from: Option<String>,
    /// The day of the sources of the one that comes.
    pub to: String,
    /// Its rules.
    pub rules: usize,
    /// Its scenarios, all of which it answers as they say.
    pub scenarios: usize,
}

/// An update that was looked at, and that can be done.
#[derive(Debug)]
pub struct Update {
    opened: Opened,
    /// What it does.
    pub changes: Vec<Change>,
}

impl Update {
    /// Looks at a bundle, and writes nothing.
    ///
    /// Takes: its bytes; the keys one of which must have signed it; what is here now. Fails: `SR-LAW-006` when it is no bundle, `-007` when none
    /// of the keys signed it as it is, `-008` when a pack fails its own test, `-009` when one is older than the one that answers now.
    pub fn look(bytes: &[u8], trusted: &[Verifier], here: &Packs, older: Older) -> Result<Update, Problem> {
        let opened = packs::open(bytes, trusted, Extent::Whole).map_err(|why| unfit(&why))?;
        let shelf = here.shelf()?;
        let mut changes = Vec::new();
        for bundled in &opened.packs {
            must_pass(bundled)?;
            let pack = &bundled.pack;
            // One that is refused does not answer, and must not keep its own mending away: what is built in says how old is too old.
            let stands = shelf.find(&pack.id).unwrap_or_else(|_| rulebook::built_in().find(&pack.id));
            if let Some(stands) =
                stands.filter(|stands| pack.checked_on < stands.checked_on && older == Older::Refused)
            {
                let title = format!(
                    "the pack `{}` of this bundle is of {}, and the one that answers now of {}",
                    pack.id, pack.checked_on, stands.checked_on
                );
                return Err(
                    Problem::new("SR-LAW-009", 409, title).help("`--allow-older` takes it all the same")
                );
            }
            changes.push(Change {
                pack: pack.id.clone(),
                from: stands.map(|stands| stands.checked_on.to_string()),
                to: pack.checked_on.to_string(),
                rules: pack.rules.len(),
                scenarios: bundled.scenarios.len(),
            });
        }
        Ok(Update { opened, changes })
    }

    /// Where it is from.
    pub fn origin(&self) -> &Origin {
        &self.opened.origin
    }

    /// Takes the packs in.
    ///
    /// Fails: `SR-LAW-012` when the configuration does not trust a key that signed the bundle: the packs would be refused as soon as they are asked;
    /// else as [`Packs::install`].
    pub fn install(&self, here: &Packs) -> Result<(), Problem> {
        let is_trusted = note::open(&self.opened.bundle.note, here.trusted()).is_ok();
        if !is_trusted {
            return Err(Problem::new("SR-LAW-012", 409, "the configuration does not trust the key that signed this bundle")
                .help("write the verifier key into strongroom.toml, `[law] trusted = [\"…\"]`: packs are held against it each time they are read"));
        }
        here.install(&self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2026, 11, 28);

    /// Folders of packs that are built in, each changed by a function.
    fn folders(root: &Path, ids: &[&str], change: impl Fn(&str) -> String) -> Vec<PathBuf> {
        let write = |id: &&str| {
            let files = rulebook::FILES.iter().find(|files| files.id == *id).unwrap();
            let folder = root.join(id);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("pack.toml"), change(files.pack)).unwrap();
            std::fs::write(folder.join("scenarios.toml"), files.scenarios).unwrap();
            std::fs::write(folder.join("CHANGELOG.md"), files.changelog).unwrap();
            folder
        };
        ids.iter().map(write).collect()
    }

    fn of_day(day: &str) -> impl Fn(&str) -> String {
        move |pack| pack.replacen("checked_on = 2026-11-21", &format!("checked_on = {day}"), 1)
    }

    struct Place {
        root: tempfile::TempDir,
        key: Signer,
    }

    impl Place {
        fn new() -> Place {
            let root = tempfile::tempdir().unwrap();
            let file = root.path().join("packs.key");
            let verifier = make_key(&file, "packs.example/law").unwrap();
            let key = read_key(&file).unwrap();
            assert_eq!(key.verifier(), &verifier);
            Place { root, key }
        }

        fn bundle(&self, ids: &[&str], day: &str) -> Vec<u8> {
            let folders = folders(&self.root.path().join(day), ids, of_day(day));
            bundle(&folders, &self.key, DAY).unwrap().0.into_bytes()
        }

        fn trusted(&self) -> Vec<Verifier> {
            vec![self.key.verifier().clone()]
        }

        fn packs(&self) -> Packs {
            Packs::new(&self.root.path().join("vault"), self.trusted())
        }

        fn update(&self, bytes: &[u8], older: Older) -> Result<Vec<Change>, Problem> {
            let packs = self.packs();
            let update = Update::look(bytes, &self.trusted(), &packs, older)?;
            update.install(&packs)?;
            Ok(update.changes)
        }
    }

    #[test]
    fn what_was_bundled_is_installed_and_says_what_changes() {
        let place = Place::new();
        let changes = place.update(&place.bundle(&["sg", "taobao"], "2026-11-25"), Older::Refused).unwrap();
        let said: Vec<_> = changes
            .iter()
            .map(|change| (change.pack.as_str(), change.from.as_deref(), change.to.as_str()))
            .collect();
        assert_eq!(
            said,
            [("sg", Some("2026-11-21"), "2026-11-25"), ("taobao", Some("2026-11-21"), "2026-11-25")]
        );
        let shelf = place.packs().shelf().unwrap();
        assert_eq!(shelf.installed("taobao").unwrap().origin.made_on, DAY);
    }

    #[test]
    fn a_pack_does_not_become_older_unless_somebody_wants_it_so() {
        let place = Place::new();
        place.update(&place.bundle(&["sg"], "2026-11-25"), Older::Refused).unwrap();
        let old = place.bundle(&["sg"], "2026-11-24");
        assert_eq!(place.update(&old, Older::Refused).unwrap_err().code, "SR-LAW-009");
        assert_eq!(
            place.packs().shelf().unwrap().find("sg").unwrap().unwrap().checked_on.to_string(),
            "2026-11-25"
        );
        place.update(&old, Older::Allowed).unwrap();
        assert_eq!(
            place.packs().shelf().unwrap().find("sg").unwrap().unwrap().checked_on.to_string(),
            "2026-11-24"
        );
        let before_what_is_built_in = place.bundle(&["jp"], "2026-11-20");
        assert_eq!(place.update(&before_what_is_built_in, Older::Refused).unwrap_err().code, "SR-LAW-009");
        let again = place.bundle(&["sg"], "2026-11-25");
        place.update(&again, Older::Refused).unwrap();
        place.update(&again, Older::Refused).unwrap();
    }

    #[test]
    fn nothing_is_taken_of_a_bundle_that_is_changed_unsigned_or_has_a_pack_that_fails() {
        let place = Place::new();
        let good = String::from_utf8(place.bundle(&["sg"], "2026-11-25")).unwrap();
        let code = |bytes: &[u8]| place.update(bytes, Older::Refused).unwrap_err().code;
        assert_eq!(code(good.replacen("kind = \"law\"", "kind = \"lex\"", 1).as_bytes()), "SR-LAW-006");
        assert_eq!(code(good.replacen("made 2026-11-28", "made 2026-11-27", 1).as_bytes()), "SR-LAW-007");
        assert_eq!(code(b"strongroom packs 1\n"), "SR-LAW-006");
        let other = Signer::from_seed("packs.example/law", &[9; 32]).unwrap();
        let folders = folders(&place.root.path().join("other"), &["sg"], of_day("2026-11-25"));
        let by_another = bundle(&folders, &other, DAY).unwrap().0;
        assert_eq!(code(by_another.as_bytes()), "SR-LAW-007");
        assert_eq!(code(failing(&place).as_bytes()), "SR-LAW-008");
        assert!(!place.root.path().join("vault").exists(), "nothing was written");
    }

    /// A bundle with a pack that answers otherwise than its scenarios say, signed all the same.
    fn failing(place: &Place) -> String {
        let root = place.root.path().join("failing");
        let folders =
            folders(&root, &["cn"], |pack| pack.replacen("when = \"age < 14\"", "when = \"age < 13\"", 1));
        assert_eq!(
            bundle(&folders, &place.key, DAY).unwrap_err().code,
            "SR-LAW-008",
            "nobody signs it by mistake"
        );
        let mut files = gather(&folders).unwrap();
        let manifest = Manifest::of(DAY, &mut files).unwrap();
        let note = note::sign(&manifest.text(), &[&place.key]).unwrap();
        Bundle { note, files }.encode().unwrap()
    }

    #[test]
    fn a_key_that_the_configuration_does_not_trust_installs_nothing() {
        let place = Place::new();
        let nobody = Packs::new(&place.root.path().join("vault"), Vec::new());
        let update =
            Update::look(&place.bundle(&["sg"], "2026-11-25"), &place.trusted(), &nobody, Older::Refused)
                .unwrap();
        assert_eq!(update.install(&nobody).unwrap_err().code, "SR-LAW-012");
        assert!(!place.root.path().join("vault").exists());
    }

    #[test]
    fn a_pack_that_is_refused_can_be_mended() {
        let place = Place::new();
        let bytes = place.bundle(&["sg"], "2026-11-25");
        place.update(&bytes, Older::Refused).unwrap();
        std::fs::write(place.root.path().join("vault/packs/sg/pack.bundle"), "torn").unwrap();
        assert_eq!(place.packs().shelf().unwrap().refused().len(), 1);
        place.update(&bytes, Older::Refused).unwrap();
        assert!(place.packs().shelf().unwrap().refused().is_empty());
    }

    #[test]
    fn what_is_no_pack_is_not_bundled() {
        let place = Place::new();
        let code = |change: &dyn Fn(&str) -> String| {
            let folders = folders(&place.root.path().join("bad"), &["sg"], change);
            bundle(&folders, &place.key, DAY).unwrap_err().code
        };
        assert_eq!(code(&|pack| pack.replacen("id = \"sg\"", "id = \"../sg\"", 1)), "SR-LAW-006");
        assert_eq!(code(&|pack| pack.replacen("id = \"sg\"", "id = \"calendars\"", 1)), "SR-LAW-006");
        assert_eq!(
            code(&|pack| pack.replacen("calendar = \"sg\"", "calendar = \"atlantis\"", 1)),
            "SR-LAW-006"
        );
        assert_eq!(code(&|_| "no pack".to_owned()), "SR-LAW-006");
        assert_eq!(
            bundle(&[place.root.path().join("none")], &place.key, DAY).unwrap_err().code,
            "SR-CLI-004"
        );
        std::fs::write(place.root.path().join("other.key"), "PRIVATE+KEY+a+00000000+AAAA\n").unwrap();
        let file = place.root.path().join("other.key");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(read_key(&file).unwrap_err().code, "SR-LAW-011");
    }
}
