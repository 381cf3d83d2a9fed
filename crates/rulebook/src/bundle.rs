//! Bundles: packs that travel apart from the program, as one text file.
//!
//! ```text
//! strongroom packs 1
//! note 391
//! strongroom/packs/1                       what is signed: the manifest
//! made 2026-11-28
//! 8f43… 5206 calendars/cn.toml             digest, bytes and path of each file, in the order of the paths
//! 1b9e… 1874 cn/CHANGELOG.md
//! 27ac… 71093 cn/pack.toml
//! 90d1… 62114 cn/scenarios.toml
//!
//! — packs.example/law …                    the signatures (C2SP signed-note)
//! file 5206 calendars/cn.toml
//! …                                        the file as it is, and a line break
//! ```
//!
//! Here is the form: what is in a bundle, and whether its files are those that the manifest names. Who signed it is not asked here. A bundle
//! has one spelling, so two that say the same are the same bytes. A *part* of a bundle has the whole note and the files of one pack.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::clock::{Calendar, CalendarFault, Calendars};
use crate::pack::{BadPack, Pack};
use crate::packs::calendars;
use crate::scenario::{self, Scenario};

/// The longest bundle, bytes.
pub const MOST_BYTES: usize = 8 << 20;
/// The most packs of one bundle.
pub const MOST_PACKS: usize = 64;

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFile {
    /// `cn/pack.toml`, `cn/scenarios.toml`, `cn/CHANGELOG.md` or `calendars/cn.toml`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// A bundle taken apart: nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The manifest with its signatures, as it was signed.
    pub note: String,
    /// Its files.
    pub files: Vec<BundleFile>,
}

/// What is signed: the files of a bundle by their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    made_on: Date,
    lines: Vec<Line>,
}

/// A file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    digest: String,
    size_bytes: usize,
    path: String,
}

/// How much of a bundle has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent<'i> {
    /// All of it.
    Whole,
    /// The files of the pack of this id.
    PartOf(&'i str),
}

/// A pack out of a bundle.
#[derive(Debug)]
pub struct Bundled {
    /// The pack.
    pub pack: Pack,
    /// What it has to answer.
    pub scenarios: Vec<Scenario>,
}

/// A bundle that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// Longer than a bundle may be.
    #[error("it is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// More packs, or calendars, than a bundle may have.
    #[error("it has more than {MOST_PACKS} packs or calendars")]
    TooMany,
    /// No pack.
    #[error("it has no pack")]
    Empty,
    /// Not in the form of a bundle.
    #[error("it is not in the form of a bundle: {0}")]
    Form(&'static str),
    /// A pack or a calendar with a name that none can have.
    #[error(
        "a pack or a calendar has a name that is not 1 to 32 small letters, digits and `-`, the first a letter"
    )]
    Name,
    /// A file that is none of a pack.
    #[error("a pack has `pack.toml`, `scenarios.toml` and `CHANGELOG.md`, and nothing else")]
    NoSuchFile,
    /// A file that belongs to a pack is not there.
    #[error("`{path}` is missing")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file is another than the one that the manifest names, or the manifest names none.
    #[error("`{path}` is not the file that the manifest names")]
    Changed {
        /// Which.
        path: String,
    },
    /// A pack under another id than its own.
    #[error("the pack in `{path}` says that it is another one")]
    Other {
        /// Where it stands.
        path: String,
    },
    /// A pack or its scenarios cannot be read.
    #[error(transparent)]
    Pack(#[from] BadPack),
    /// A calendar cannot be read.
    #[error(transparent)]
    Calendar(#[from] CalendarFault),
}

/// Can a pack, or a calendar, be called so? A small letter first, then small letters, digits and `-`; `calendars` is taken.
pub fn is_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    id.len() <= MOST_OF_A_NAME
        && id != CALENDARS
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The three files of a pack, in the order of their paths.
pub const FILES_OF_A_PACK: [&str; 3] = ["CHANGELOG.md", "pack.toml", "scenarios.toml"];
/// The folder of the calendars.
pub const CALENDARS: &str = "calendars";

impl Bundle {
    /// The bundle as one text. Fails: when that would be longer than a bundle may be.
    pub fn encode(&self) -> Result<String, BadBundle> {
        let mut text = format!("{HEAD}{NOTE}{}\n{}", self.note.len(), self.note);
        for file in &self.files {
            let _ = write!(text, "{FILE}{} {}\n{}\n", file.text.len(), file.path, file.text);
        }
        if text.len() > MOST_BYTES { Err(BadBundle::TooLong) } else { Ok(text) }
    }

    /// Takes a bundle apart, or a part of one.
    ///
    /// Takes: bytes from anywhere. Gives: note and files, neither of which is believed yet: that takes [`Manifest::must_name`], and whoever
    /// knows about signatures. Fails: on everything that [`encode`](Bundle::encode) does not write.
    pub fn decode(bytes: &[u8]) -> Result<Bundle, BadBundle> {
        if bytes.len() > MOST_BYTES {
            return Err(BadBundle::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadBundle::Form("it is not UTF-8"))?;
        let rest = text.strip_prefix(HEAD).ok_or(BadBundle::Form("it does not begin as one"))?;
        let rest = rest.strip_prefix(NOTE).ok_or(BadBundle::Form("a note comes first"))?;
        let (length, rest) = rest.split_once('\n').ok_or(CUT_OFF)?;
        let (note, mut rest) = rest.split_at_checked(number(length)?).ok_or(CUT_OFF)?;
        let mut files: Vec<BundleFile> = Vec::new();
        while !rest.is_empty() {
            let (head, behind) = rest.split_once('\n').ok_or(CUT_OFF)?;
            let head = head.strip_prefix(FILE).and_then(|head| head.split_once(' '));
            let (length, path) = head.ok_or(BadBundle::Form("a file begins with its length and its path"))?;
            Place::of(path)?;
            if files.last().is_some_and(|before| before.path.as_str() >= path) {
                return Err(BadBundle::Form("its files stand in the order of their paths, each once"));
            }
            let (text, behind) = behind.split_at_checked(number(length)?).ok_or(CUT_OFF)?;
            rest = behind.strip_prefix('\n').ok_or(BadBundle::Form("a file ends elsewhere than it says"))?;
            files.push(BundleFile { path: path.to_owned(), text: text.to_owned() });
        }
        Ok(Bundle { note: note.to_owned(), files })
    }

    /// Reads its packs, once its files are known to be those of a manifest.
    ///
    /// Fails: as [`Manifest::must_name`] and [`read_packs`]; and, of a part, when it is not this one pack with the calendar that the
    /// manifest names for it: with another calendar it would count otherwise than it was signed.
    pub fn read(&self, manifest: &Manifest, extent: Extent<'_>) -> Result<Vec<Bundled>, BadBundle> {
        manifest.must_name(&self.files, extent)?;
        let packs = read_packs(&self.files)?;
        for pack in packs.iter().map(|bundled| &bundled.pack) {
            let path = path_of_calendar(pack);
            let is_named = manifest.lines.iter().any(|line| line.path == path);
            if is_named && !self.files.iter().any(|file| file.path == path) {
                return Err(BadBundle::Missing { path });
            }
        }
        match extent {
            Extent::PartOf(_) if packs.len() > 1 => Err(BadBundle::Form("a part has one pack")),
            _ => Ok(packs),
        }
    }

    /// The part of it that one pack needs: its files and its calendar.
    #[must_use]
    pub fn part_of(&self, pack: &Pack) -> Bundle {
        let calendar = path_of_calendar(pack);
        let is_its = |file: &&BundleFile| {
            file.path == calendar || file.path.split_once('/').is_some_and(|(id, _)| id == pack.id)
        };
        Bundle { note: self.note.clone(), files: self.files.iter().filter(is_its).cloned().collect() }
    }
}

impl Manifest {
    /// The manifest of some files, made on that day. Takes: the files in any order; they are put in the order of their paths. Fails: on a
    /// path that is none of a pack or calendar, a pack that is not whole, and more than a bundle may have.
    pub fn of(made_on: Date, files: &mut [BundleFile]) -> Result<Manifest, BadBundle> {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let line = |file: &BundleFile| Line {
            digest: digest_of(&file.text),
            size_bytes: file.text.len(),
            path: file.path.clone(),
        };
        let manifest = Manifest { made_on, lines: files.iter().map(line).collect() };
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads a manifest. Fails: on everything that [`text`](Manifest::text) does not write.
    pub fn read(text: &str) -> Result<Manifest, BadBundle> {
        let form = BadBundle::Form("the manifest");
        let mut lines = text.lines();
        let made_on = match (lines.next(), lines.next().and_then(|line| line.strip_prefix(MADE))) {
            (Some(MANIFEST), Some(day)) => day.parse().map_err(|_| form.clone())?,
            _ => return Err(form),
        };
        let line = |line: &str| {
            let (digest, rest) = line.split_once(' ')?;
            let (size, path) = rest.split_once(' ')?;
            let size_bytes = number(size).ok()?;
            Some(Line { digest: digest.to_owned(), size_bytes, path: path.to_owned() })
        };
        let lines: Option<Vec<Line>> = lines.map(line).collect();
        let manifest = Manifest { made_on, lines: lines.ok_or(form.clone())? };
        manifest.check()?;
        if manifest.text() == text { Ok(manifest) } else { Err(form) }
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{MANIFEST}\n{MADE}{}\n", self.made_on);
        for Line { digest, size_bytes, path } in &self.lines {
            let _ = writeln!(text, "{digest} {size_bytes} {path}");
        }
        text
    }

    /// The day on which it was made, as its maker says.
    pub fn made_on(&self) -> Date {
        self.made_on
    }

    /// The ids of its packs.
    pub fn list_packs(&self) -> Vec<&str> {
        let ids = self.lines.iter().filter_map(|line| match Place::of(&line.path) {
            Ok(Place::OfPack { id, file: "pack.toml" }) => Some(id),
            _ => None,
        });
        ids.collect()
    }

    /// Are these the files that the manifest names, byte for byte, and as many as have to be there?
    ///
    /// Fails: with the path of one that is another, that the manifest does not name, or that is missing.
    pub fn must_name(&self, files: &[BundleFile], extent: Extent<'_>) -> Result<(), BadBundle> {
        for file in files {
            let line = self.lines.iter().find(|line| line.path == file.path);
            let is_it =
                |line: &Line| line.size_bytes == file.text.len() && line.digest == digest_of(&file.text);
            if !line.is_some_and(is_it) {
                return Err(BadBundle::Changed { path: file.path.clone() });
            }
        }
        let wanted = |path: &str| match extent {
            Extent::Whole => true,
            Extent::PartOf(id) => path.split_once('/').is_some_and(|(of, _)| of == id),
        };
        let mut is_any = false;
        for line in self.lines.iter().filter(|line| wanted(&line.path)) {
            is_any = true;
            if !files.iter().any(|file| file.path == line.path) {
                return Err(BadBundle::Missing { path: line.path.clone() });
            }
        }
        if is_any { Ok(()) } else { Err(BadBundle::Empty) }
    }

    /// Is it one that a bundle can have?
    fn check(&self) -> Result<(), BadBundle> {
        let (mut packs, mut calendars) = (BTreeSet::new(), 0_usize);
        let mut before = "";
        for line in &self.lines {
            match Place::of(&line.path)? {
                Place::OfPack { id, .. } => _ = packs.insert(id),
                Place::OfCalendar => calendars = calendars.saturating_add(1),
            }
            if before >= line.path.as_str() {
                return Err(BadBundle::Form("its files stand in the order of their paths, each once"));
            }
            before = &line.path;
        }
        if packs.len() > MOST_PACKS || calendars > MOST_PACKS {
            return Err(BadBundle::TooMany);
        }
        for path in packs.iter().flat_map(|id| FILES_OF_A_PACK.map(|file| format!("{id}/{file}"))) {
            if !self.lines.iter().any(|line| line.path == path) {
                return Err(BadBundle::Missing { path });
            }
        }
        if packs.is_empty() { Err(BadBundle::Empty) } else { Ok(()) }
    }
}

/// Reads the packs among some files, each with its scenarios.
///
/// A calendar that is among the files takes the place of one that is built in. Fails: with file and line of the first thing that cannot be
/// read, and on a pack whose id is not that of its folder.
pub fn read_packs(files: &[BundleFile]) -> Result<Vec<Bundled>, BadBundle> {
    let mut own = Calendars::default();
    for file in files {
        if let (Place::OfCalendar, Some((_, name))) = (Place::of(&file.path)?, file.path.split_once('/')) {
            own.add(Calendar::parse(name, &file.text)?);
        }
    }
    let find = |id: &str| own.find(id).or_else(|| calendars().find(id)).cloned();
    let mut packs = Vec::new();
    for file in files {
        let Place::OfPack { id, file: "pack.toml" } = Place::of(&file.path)? else { continue };
        let pack = Pack::read(&file.path, &file.text, &find)?;
        if pack.id != id {
            return Err(BadBundle::Other { path: file.path.clone() });
        }
        let path = format!("{id}/scenarios.toml");
        let its = files.iter().find(|file| file.path == path);
        let its = its.ok_or_else(|| BadBundle::Missing { path: path.clone() })?;
        packs.push(Bundled { pack, scenarios: scenario::read(&path, &its.text)? });
    }
    Ok(packs)
}

impl Bundled {
    /// What is wrong with it, in words: rules that can never hold or never decide, scenarios that it answers otherwise, and that it has none.
    pub fn faults(&self) -> Vec<String> {
        let file = format!("{}/pack.toml", self.pack.id);
        let mut faults: Vec<String> =
            crate::lint(&file, &self.pack).iter().map(ToString::to_string).collect();
        for scenario in &self.scenarios {
            let differs = scenario.differs(&self.pack);
            faults.extend(differs.iter().map(|what| format!("{}: {}: {what}", self.pack.id, scenario.name)));
        }
        if self.scenarios.is_empty() {
            faults.push(format!("{}: it has no scenario", self.pack.id));
        }
        faults
    }
}

/// What a path of a bundle is.
enum Place<'p> {
    OfPack { id: &'p str, file: &'p str },
    OfCalendar,
}

impl Place<'_> {
    fn of(path: &str) -> Result<Place<'_>, BadBundle> {
        let (folder, file) = path.split_once('/').ok_or(BadBundle::NoSuchFile)?;
        if folder == CALENDARS {
            let id = file.strip_suffix(".toml").ok_or(BadBundle::NoSuchFile)?;
            return if is_id(id) { Ok(Place::OfCalendar) } else { Err(BadBundle::Name) };
        }
        if !is_id(folder) {
            return Err(BadBundle::Name);
        }
        if FILES_OF_A_PACK.contains(&file) {
            Ok(Place::OfPack { id: folder, file })
        } else {
            Err(BadBundle::NoSuchFile)
        }
    }
}

fn path_of_calendar(pack: &Pack) -> String {
    format!("{CALENDARS}/{}.toml", pack.calendar.id().as_str())
}

/// A length as it is written, in its one spelling.
fn number(text: &str) -> Result<usize, BadBundle> {
    let read = text.parse::<usize>().ok().filter(|number| number.to_string() == text);
    read.ok_or(BadBundle::Form("a length is no number"))
}

fn digest_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

const HEAD: &str = "strongroom packs 1\n";
const NOTE: &str = "note ";
const FILE: &str = "file ";
const MANIFEST: &str = "strongroom/packs/1";
const MADE: &str = "made ";
const MOST_OF_A_NAME: usize = 32;
const CUT_OFF: BadBundle = BadBundle::Form("it is cut off");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Date = jiff::civil::date(2026, 11, 28);

    fn file(path: &str, text: &str) -> BundleFile {
        BundleFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// The files of a pack that is built in.
    fn files_of(id: &str) -> Vec<BundleFile> {
        let files = crate::FILES.iter().find(|files| files.id == id).unwrap();
        vec![
            file(&format!("{id}/scenarios.toml"), files.scenarios),
            file(&format!("{id}/pack.toml"), files.pack),
            file(&format!("{id}/CHANGELOG.md"), files.changelog),
            file("calendars/cn.toml", crate::clock::shipped_file("cn").unwrap()),
        ]
    }

    fn bundle() -> (Manifest, Bundle) {
        let mut files = files_of("cn");
        let manifest = Manifest::of(DAY, &mut files).unwrap();
        let note = format!("{}\n\u{2014} a b\n", manifest.text());
        (manifest, Bundle { note, files })
    }

    #[test]
    fn what_is_bundled_comes_out_as_it_was_and_answers_as_it_did() {
        let (manifest, bundle) = bundle();
        let text = bundle.encode().unwrap();
        let again = Bundle::decode(text.as_bytes()).unwrap();
        assert_eq!(again, bundle);
        assert_eq!(Manifest::read(&manifest.text()).unwrap(), manifest);
        assert_eq!((manifest.made_on(), manifest.list_packs()), (DAY, vec!["cn"]));
        manifest.must_name(&again.files, Extent::Whole).unwrap();
        let packs = read_packs(&again.files).unwrap();
        let counts: Vec<_> = packs.iter().map(|bundled| bundled.pack.rules.len()).collect();
        assert_eq!(counts, [crate::built_in().find("cn").unwrap().rules.len()]);
        assert_eq!(packs[0].faults(), [""; 0]);
    }

    #[test]
    fn a_part_has_one_pack_with_its_calendar_and_is_held_against_the_whole_manifest() {
        let mut files = [files_of("cn"), files_of("taobao")[..3].to_vec()].concat();
        let manifest = Manifest::of(DAY, &mut files).unwrap();
        let whole = Bundle { note: "n".to_owned(), files };
        let packs = read_packs(&whole.files).unwrap();
        let part = whole.part_of(&packs.iter().find(|bundled| bundled.pack.id == "taobao").unwrap().pack);
        let paths: Vec<&str> = part.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            ["calendars/cn.toml", "taobao/CHANGELOG.md", "taobao/pack.toml", "taobao/scenarios.toml"]
        );
        manifest.must_name(&part.files, Extent::PartOf("taobao")).unwrap();
        let missing = BadBundle::Missing { path: "cn/CHANGELOG.md".to_owned() };
        assert_eq!(manifest.must_name(&part.files, Extent::Whole), Err(missing.clone()));
        assert_eq!(manifest.must_name(&part.files, Extent::PartOf("cn")), Err(missing));
        assert_eq!(manifest.must_name(&part.files, Extent::PartOf("eu")), Err(BadBundle::Empty));
    }

    #[test]
    fn a_part_without_its_calendar_or_with_another_pack_is_not_read() {
        let mut files = [files_of("cn"), files_of("taobao")[..3].to_vec()].concat();
        let manifest = Manifest::of(DAY, &mut files).unwrap();
        let whole = Bundle { note: String::new(), files };
        let count = |bundle: &Bundle, extent| bundle.read(&manifest, extent).map(|packs| packs.len());
        assert_eq!(count(&whole, Extent::Whole), Ok(2));
        let one_pack = BadBundle::Form("a part has one pack");
        assert_eq!(count(&whole, Extent::PartOf("cn")), Err(one_pack));
        let mut part = whole.part_of(crate::built_in().find("cn").unwrap());
        assert_eq!(count(&part, Extent::PartOf("cn")), Ok(1));
        part.files.retain(|file| !file.path.starts_with(CALENDARS));
        let missing = BadBundle::Missing { path: "calendars/cn.toml".to_owned() };
        assert_eq!(count(&part, Extent::PartOf("cn")), Err(missing));
    }

    #[test]
    fn a_file_that_was_changed_added_or_taken_away_is_named() {
        let (manifest, bundle) = bundle();
        for at in 0..bundle.files.len() {
            let mut files = bundle.files.clone();
            files[at].text.push(' ');
            let path = files[at].path.clone();
            let changed = BadBundle::Changed { path: path.clone() };
            assert_eq!(manifest.must_name(&files, Extent::Whole), Err(changed));
            files.remove(at);
            assert_eq!(manifest.must_name(&files, Extent::Whole), Err(BadBundle::Missing { path }));
        }
        let more = [bundle.files, vec![file("eu/pack.toml", "")]].concat();
        let added = BadBundle::Changed { path: "eu/pack.toml".to_owned() };
        assert_eq!(manifest.must_name(&more, Extent::Whole), Err(added));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_before_anything_is_read() {
        for path in [
            "../cn/pack.toml",
            "/cn/pack.toml",
            "cn/../pack.toml",
            "Cn/pack.toml",
            "1cn/pack.toml",
            "-/pack.toml",
            "c n/pack.toml",
            "c\u{0}/pack.toml",
            "ｃｎ/pack.toml",
            "cn/pack.toml/",
            "cn//pack.toml",
            "cn/other.toml",
            "pack.toml",
            "",
            "calendars/../cn.toml",
            "calendars/pack.toml/x",
            "calendars/.toml",
            &format!("{}/pack.toml", "a".repeat(33)),
        ] {
            let mut files = [files_of("cn"), vec![file(path, "")]].concat();
            assert!(Manifest::of(DAY, &mut files).is_err(), "{path:?}");
            let text = Bundle { note: String::new(), files: vec![file(path, "")] }.encode().unwrap();
            assert!(Bundle::decode(text.as_bytes()).is_err(), "{path:?}");
        }
        assert!(!is_id("calendars") && is_id("us-ca") && is_id("a1"));
    }

    #[test]
    fn a_bundle_has_one_spelling() {
        let (manifest, bundle) = bundle();
        let text = bundle.encode().unwrap();
        let length = bundle.note.len();
        for bad in [
            String::new(),
            text.replacen("packs 1", "packs 2", 1),
            text.replacen(&format!("note {length}\n"), &format!("note 0{length}\n"), 1),
            text.replacen(&format!("note {length}\n"), &format!("note +{length}\n"), 1),
            text.replacen(&format!("note {length}\n"), &format!("note {}\n", usize::MAX), 1),
            text.replacen("file ", "File ", 1),
            format!("{text}file 0 cn/pack.toml\n\n"),
            format!("{text}\n"),
            text.strip_suffix('\n').unwrap().to_owned(),
            text.split_inclusive('\n').take(100).collect(),
        ] {
            assert!(Bundle::decode(bad.as_bytes()).is_err());
        }
        assert_eq!(Bundle::decode(&[0xff]), Err(BadBundle::Form("it is not UTF-8")));
        let said = manifest.text();
        let first = |lines: usize| said.split_inclusive('\n').take(lines).collect::<String>();
        for bad in [
            said.replace("packs/1", "packs/2"),
            said.replace("made 2026-11-28", "made 2026-11-31"),
            said.replace("made 2026-11-28", "made  2026-11-28"),
            said.replace('\n', "\r\n"),
            said.trim_end().to_owned(),
            format!("{said}\n"),
            first(2),
            first(4),
            format!("{said}{}\n", said.lines().last().unwrap()),
        ] {
            assert!(Manifest::read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_more_is_taken_than_a_bundle_may_have() {
        let of = |count: usize| {
            let files =
                (0..count).flat_map(|at| FILES_OF_A_PACK.map(|name| file(&format!("p{at}/{name}"), "")));
            Manifest::of(DAY, &mut files.collect::<Vec<_>>())
        };
        assert!(of(MOST_PACKS).is_ok());
        assert_eq!(of(MOST_PACKS + 1), Err(BadBundle::TooMany));
        assert_eq!(of(0), Err(BadBundle::Empty));
        let long = Bundle { note: "n".repeat(MOST_BYTES), files: Vec::new() };
        assert_eq!(long.encode(), Err(BadBundle::TooLong));
        assert_eq!(Bundle::decode(&vec![b'a'; MOST_BYTES + 1]), Err(BadBundle::TooLong));
    }

    #[test]
    fn a_pack_under_another_id_and_one_whose_scenarios_fail_are_found_out() {
        let mut files = files_of("cn");
        for file in &mut files {
            file.path = file.path.replace("cn/", "eu/");
        }
        assert_eq!(read_packs(&files).unwrap_err(), BadBundle::Other { path: "eu/pack.toml".to_owned() });
        let mut files = files_of("cn");
        files[1].text = files[1].text.replacen("when = \"age < 14\"", "when = \"age < 13\"", 1);
        let faults = read_packs(&files).unwrap()[0].faults();
        assert!(faults.iter().any(|fault| fault.starts_with("cn: ")), "{faults:?}");
        files[0].text.clear();
        let faults = read_packs(&files).unwrap()[0].faults();
        assert!(faults.iter().any(|fault| fault == "cn: it has no scenario"), "{faults:?}");
    }

    #[test]
    fn a_calendar_of_the_bundle_takes_the_place_of_the_one_that_is_built_in() {
        let mut files = files_of("cn");
        files[3].text = files[3].text.replacen("published = true", "published = false", 1);
        assert_ne!(files[3], files_of("cn")[3]);
        let shown = |calendar: &Calendar| format!("{calendar:?}");
        let own = shown(&read_packs(&files).unwrap()[0].pack.calendar);
        assert_ne!(own, shown(&crate::built_in().find("cn").unwrap().calendar));
        files[3].text = "id = ".to_owned();
        assert!(matches!(read_packs(&files), Err(BadBundle::Calendar(_))));
    }

    proptest! {
        #[test]
        fn nothing_panics_whatever_comes(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0_usize..2_000) {
            let _ = Bundle::decode(&bytes);
            let _ = Manifest::read(&String::from_utf8_lossy(&bytes));
            let (manifest, bundle) = bundle();
            let text = bundle.encode().unwrap();
            let mut torn = text.as_bytes()[..cut.min(text.len())].to_vec();
            torn.extend(&bytes);
            if let Ok(read) = Bundle::decode(&torn) {
                prop_assert!(manifest.must_name(&read.files, Extent::Whole).is_err());
            }
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(note in "[^\\p{Cc}]{0,30}", texts in prop::collection::vec("\\PC{0,20}", 3)) {
            let files = FILES_OF_A_PACK.iter().zip(texts).map(|(name, text)| BundleFile { path: format!("p/{name}"), text });
            let bundle = Bundle { note, files: files.collect() };
            let text = bundle.encode().unwrap();
            prop_assert_eq!(&Bundle::decode(text.as_bytes()).unwrap(), &bundle);
        }
    }
}
