//! A thousand bytes, each changed by itself, anywhere in what a vault consists of: each is noticed, or changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::archive::{Folder, Options, Trust, verify_whole};
use ledger::note::Verifier;
use serde_json::json;
use store::vfs::Disk;
use strongroom::ground::{Role, heads};
use strongroom::{account, open};

use crate::support::Bench;

/// A file and how often a byte of it is changed.
const WHERE: [(&str, usize); 6] = [
    ("data/strongroom.db", 640),
    ("keys/keyring", 80),
    ("keys/unlock.key", 20),
    ("keys/erased.log", 80),
    ("keys/heads", 80),
    ("export", 100),
];

/// A row of numbers that is the same for the same seed. SOURCE: Steele et al., SplitMix64, 2014.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
}

/// A small vault, closed, with erasures, free pages and an exported ledger.
struct Vault {
    bench: Bench,
    root: PathBuf,
    /// Every file as it is whole.
    whole: BTreeMap<PathBuf, Vec<u8>>,
    verifier: Verifier,
}

impl Vault {
    fn new() -> Vault {
        let mut bench = Bench::new();
        bench.is_broken_on_purpose();
        let by = bench.service();
        let officer = bench.key(Role::Officer, &[]);
        for number in 0..12 {
            let subject = bench.customer(&by, &format!("c-{number}"));
            bench.order(&by, &format!("c-{number}"), &format!("o-{number}"));
            bench.choose(&by, &format!("c-{number}"), "marketing_email", "granted");
            if number % 2 == 0 {
                bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
            }
        }
        bench.round();
        let root = bench.places.data.parent().unwrap().to_path_buf();
        let note = heads::sign(bench.house(), &bench.shop()).unwrap();
        account::export(bench.house(), &bench.shop(), note, &root.join("export"), &mut |_, _| {}).unwrap();
        let verifier = bench.verifier.parse().unwrap();
        bench.close();
        let whole = ["data", "keys", "export"].iter().flat_map(|name| files(&root.join(name))).collect();
        Vault { bench, root, whole, verifier }
    }

    /// What `doctor --deep` and the next start say of the vault as it lies there: a code, or nothing.
    fn look(&self) -> Option<String> {
        self.look_on(Disk::checked().unwrap())
    }

    fn look_on(&self, disk: Disk) -> Option<String> {
        let house = match open::open_on(disk, &self.bench.places, self.bench.clock.clone()) {
            Ok(house) => house,
            Err(problem) => return Some(problem.code.to_owned()),
        };
        let shop = house.shops().remove(0);
        let deep = account::deep_check(&house, &shop, &mut |_, _| {});
        house.store.close();
        match deep {
            Ok(report) => report.findings.first().map(|finding| finding.code.to_owned()),
            Err(problem) => Some(problem.code.to_owned()),
        }
    }

    /// What a stranger says of the exported ledger.
    fn look_at_export(&self) -> Option<String> {
        let archive = Folder::new(self.root.join("export"));
        let trust = Trust::new(self.verifier.clone());
        match verify_whole(&archive, &trust, &Options::default(), &|_| {}) {
            Ok(report) if report.is_verified() => None,
            Ok(_) => Some("not verified".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    fn put_back(&self, path: &Path) {
        write(path, &self.whole[path]);
        for beside in ["strongroom.db-wal", "strongroom.db-shm"] {
            let _ = std::fs::remove_file(self.bench.places.data.join(beside));
        }
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

/// Writes into the file that is there: its mode stays.
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn each_of_a_thousand_changed_bytes_is_noticed_or_changes_nothing() {
    if crate::engine::only_in_a_folder("the file of the database is not a server's") {
        return;
    }
    let vault = Vault::new();
    assert_eq!((vault.look(), vault.look_at_export()), (None, None), "the vault is whole before");
    // A look can write (a head, a line of the list that was cut): every file is put back each time.
    for path in vault.whole.keys() {
        vault.put_back(path);
    }
    let mut dice = Dice(20_261_126);
    let (mut noticed, mut mended, mut names) = (BTreeMap::<String, usize>::new(), 0, 0);
    let mut missed = Vec::new();
    let mut flips = 0;
    for (name, times) in WHERE {
        let under: Vec<&PathBuf> =
            vault.whole.keys().filter(|path| path.starts_with(vault.root.join(name))).collect();
        assert!(!under.is_empty(), "{name}");
        let most: usize = under.iter().map(|path| vault.whole[*path].len()).sum();
        for _ in 0..times {
            let mut at = dice.roll(most);
            let path = under
                .iter()
                .find(|path| {
                    let length = vault.whole[**path].len();
                    let here = at < length;
                    at -= if here { 0 } else { length };
                    here
                })
                .unwrap();
            let mut bytes = vault.whole[*path].clone();
            bytes[at] ^= u8::try_from(1 + dice.roll(255)).unwrap();
            write(path, &bytes);
            flips += 1;
            let said = if name == "export" { vault.look_at_export() } else { vault.look() };
            match said {
                Some(code) => *noticed.entry(format!("{name} {}", code_of(&code))).or_default() += 1,
                // The end of the list's last line: the start takes the line for one cut short and writes it anew.
                None if name == "keys/erased.log" && std::fs::read(path).unwrap() != bytes => mended += 1,
                // Names for the numbers of entries: for readers, and no part of what is signed.
                None if path.ends_with("export/log.json") => names += 1,
                None => missed.push((name, at, bytes.len())),
            }
            for path in vault.whole.keys().filter(|_| name != "export").chain([*path]) {
                vault.put_back(path);
            }
        }
    }
    eprintln!(
        "{flips} bytes changed: noticed {noticed:?}, mended at the start {mended}, in names that nobody signed {names}, missed {missed:?}"
    );
    assert_eq!(flips, 1_000);
    assert!(missed.is_empty() && names < 20, "{missed:?}");
}

/// The twin: without page checksums some of the same bytes are changed unnoticed.
#[test]
fn without_page_checksums_changed_bytes_go_unnoticed() {
    if crate::engine::only_in_a_folder("the file of the database is not a server's") {
        return;
    }
    let vault = Vault::new();
    let path = vault.bench.places.data.join(store::DATABASE);
    let mut dice = Dice(20_261_126);
    let mut unnoticed = 0;
    for _ in 0..60 {
        vault.put_back(&path);
        let mut bytes = vault.whole[&path].clone();
        let at = dice.roll(bytes.len());
        bytes[at] ^= u8::try_from(1 + dice.roll(255)).unwrap();
        write(&path, &bytes);
        unnoticed += usize::from(vault.look_on(Disk::plain()).is_none());
    }
    assert!(unnoticed > 5, "{unnoticed} of 60");
}

fn code_of(said: &str) -> &str {
    if said.starts_with("SR-") { said } else { "refused" }
}
