//! What the fuzz targets stand on: keys out of counted bytes, and a shop with the example's policy. The same in every run.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use seal::{Class, DataKey, EpochKey, Error, Random, Secret, ShopKeyRows, ShopKeys, Suite};
use strongroom::ground::law::under_law;
use strongroom::ground::packs::Packs;
use strongroom::ground::{Ids, Shop};

/// The policy of the shop.
pub(crate) const POLICY: &str = include_str!("../../examples/harbour-hill/shop.toml");
/// Now, µs UTC: Monday 2026-11-23, 10:00 in the shop's zone.
pub(crate) const NOW: i64 = 1_795_399_200_000_000;
/// Planted in inputs wherever a value can stand. No fault that is told may hold it.
pub(crate) const PLANTED: &str = "zq7geheim";

/// Bytes 0, 1, 2, …
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        for byte in buffer {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

/// A shop's keys, a subject's two keys and two keys of terms.
pub(crate) struct Keys {
    pub(crate) main: Arc<DataKey>,
    pub(crate) retained: Arc<DataKey>,
    pub(crate) term: Arc<DataKey>,
    pub(crate) later: Arc<DataKey>,
}

fn shop_keys() -> (ShopKeys, Keys) {
    let random = &mut Counting(0);
    let epoch = EpochKey::new(1, &Secret::random(random).expect("counted")).expect("32 bytes");
    let mut new = |class| epoch.new_shop_key(1, class, Suite::Aes256Gcm, random).expect("counted");
    let rows = ShopKeyRows {
        wraps: vec![(1, new(Class::Wrap))],
        index: new(Class::Index),
        row: new(Class::Row),
        request: new(Class::Request),
    };
    let keys = ShopKeys::open(1, &[epoch], &rows).expect("made above");
    let random = &mut Counting(7);
    let mut new = |class, of| keys.new_key(class, of, random).expect("counted").1;
    let made = Keys {
        main: new(Class::Main, 7),
        retained: new(Class::Retained, 7),
        term: new(Class::Term, 1),
        later: new(Class::Term, 2),
    };
    (keys, made)
}

/// The keys of one subject.
pub(crate) fn keys() -> &'static Keys {
    static KEYS: LazyLock<Keys> = LazyLock::new(|| shop_keys().1);
    &KEYS
}

/// The shop.
pub(crate) fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(|| {
        let checked = strongroom::notice::check(POLICY, "shop.toml", jiff::civil::date(2026, 11, 22));
        let (checked, _) = checked.map_err(|_| ()).expect("the example's policy is clean");
        let in_force = strongroom::notice::ready(&checked, None, NOW).expect("a first version");
        let packs = Arc::new(Packs::new(Path::new("nowhere"), Vec::new()));
        let in_force = under_law(in_force, &packs, NOW).expect("packs that are built in");
        Shop::new(1, String::from("harbour-hill"), shop_keys().0, packs, in_force, 0, 0)
    });
    &SHOP
}

/// Public ids.
pub(crate) fn ids() -> &'static Ids {
    static IDS: LazyLock<Ids> = LazyLock::new(|| Ids::new(&Secret::new([0x5a; 32])));
    &IDS
}
