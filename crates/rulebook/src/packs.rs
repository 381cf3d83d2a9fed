//! The packs that are built in.

use std::sync::{LazyLock, OnceLock};

use crate::clock::{Calendars, shipped_calendars};
use crate::pack::{BadPack, Pack};
use crate::scenario::{self, Scenario};

/// The files of one pack.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// Its id.
    pub id: &'static str,
    /// `pack.toml`.
    pub pack: &'static str,
    /// `scenarios.toml`.
    pub scenarios: &'static str,
    /// `CHANGELOG.md`: what changed in the law, and when.
    pub changelog: &'static str,
}

macro_rules! files {
    ($($id:literal),* $(,)?) => {
        /// The files of every pack, laws first.
        pub static FILES: &[Files] = &[$(Files {
            id: $id,
            pack: include_str!(concat!("../packs/", $id, "/pack.toml")),
            scenarios: include_str!(concat!("../packs/", $id, "/scenarios.toml")),
            changelog: include_str!(concat!("../packs/", $id, "/CHANGELOG.md")),
        }),*];
    };
}

files![
    "cn",
    "eu",
    "uk",
    "us-ca",
    "sg",
    "jp",
    "kr",
    "br",
    "vn",
    "id",
    "my",
    "th",
    "in",
    "ca-qc",
    "hk",
    "us-tx",
    "us-va",
    "us-co",
    "us-ct",
    "us-mt",
    "us-ne",
    "us-nh",
    "us-nj",
    "us-mn",
    "us-md",
    "us-de",
    "us-or",
    "ph",
    "au",
    "ca",
    "tw",
    "amazon",
    "shopify",
    "taobao",
    "jd",
    "tiktok-shop"
];

/// The packs that are built in, read once.
///
/// A pack that cannot be read is left out, and named; the tests see to it that there is none.
pub fn built_in() -> &'static BuiltIn {
    static ALL: LazyLock<BuiltIn> = LazyLock::new(|| {
        let mut all = BuiltIn { packs: Vec::new(), bad: Vec::new() };
        for read in (0..FILES.len()).filter_map(read_once) {
            match read {
                Ok(pack) => all.packs.push(pack),
                Err(bad) => all.bad.push(bad),
            }
        }
        all
    });
    &ALL
}

/// The pack that is built in under this id, read when it is first asked for; no other one is read for that.
pub fn find_built_in(id: &str) -> Option<&'static Pack> {
    read_once(FILES.iter().position(|files| files.id == id)?)?.as_ref().ok()
}

/// The ids of the packs that are built in; none of them is read.
pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|files| files.id)
}

/// A pack by its place among [`FILES`].
fn read_once(place: usize) -> Option<&'static Result<Pack, BadPack>> {
    static READ: [OnceLock<Result<Pack, BadPack>>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
    let files = FILES.get(place)?;
    Some(READ.get(place)?.get_or_init(|| files.read()))
}

/// The calendars that are built in, read once; the tests see to it that all can be read.
pub(crate) fn calendars() -> &'static Calendars {
    static READ: LazyLock<Calendars> = LazyLock::new(|| shipped_calendars().unwrap_or_default());
    &READ
}

/// The packs that are built in.
#[derive(Debug)]
pub struct BuiltIn {
    /// Those that could be read.
    pub packs: Vec<&'static Pack>,
    /// What is wrong with the others.
    pub bad: Vec<&'static BadPack>,
}

impl BuiltIn {
    /// The pack with this id.
    pub fn find(&self, id: &str) -> Option<&'static Pack> {
        self.packs.iter().copied().find(|pack| pack.id == id)
    }
}

impl Files {
    /// Reads the pack.
    pub fn read(&self) -> Result<Pack, BadPack> {
        read_pack(&format!("packs/{}/pack.toml", self.id), self.pack)
    }

    /// Reads its scenarios.
    pub fn scenarios(&self) -> Result<Vec<Scenario>, BadPack> {
        scenario::read(&format!("packs/{}/scenarios.toml", self.id), self.scenarios)
    }
}

/// Reads a pack with the calendars that are built in. Takes the file's name, for messages, and its text; fails as [`Pack::read`] does.
pub fn read_pack(file: &str, text: &str) -> Result<Pack, BadPack> {
    Pack::read(file, text, &|id| calendars().find(id).cloned())
}
