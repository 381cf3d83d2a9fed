//! What the seal promises, stated and tried.

use std::sync::Arc;

use proptest::prelude::*;

use crate::secret::counting::Counting;
use crate::{
    CHUNK, Class, DataKey, Destroyed, DestroyedList, Envelope, EpochKey, Error, Fields, FileMove, FileOpener,
    FilePlace, FileSealer, FileStands, Group, GroupHead, Holder, IdKey, KeyId, Keyring, Lock, Locked, Origin,
    Permit, Personal, Place, Sealing, Secret, ShopKeyRows, ShopKeys, Suite, Value, Wrapped, file_suite, join,
    reseal, seal, split,
};

pub(crate) const PLACE: Place = Place { shop: 1, subject: 7, kind: 2, record: 99, version: 3 };
const CLEAR: &[u8] = b"clear columns";

pub(crate) struct Bench {
    pub(crate) suite: Suite,
    pub(crate) keys: ShopKeys,
    pub(crate) main: Arc<DataKey>,
    pub(crate) retained: Arc<DataKey>,
    pub(crate) term: Arc<DataKey>,
    pub(crate) later: Arc<DataKey>,
    pub(crate) rows: ShopKeyRows,
    pub(crate) main_row: Wrapped,
}

pub(crate) fn bench(suite: Suite) -> Bench {
    let random = &mut Counting(0);
    let epoch = EpochKey::new(1, &Secret::random(random).unwrap()).unwrap();
    let rows = ShopKeyRows {
        wraps: vec![(1, epoch.new_shop_key(1, Class::Wrap, suite, random).unwrap())],
        index: epoch.new_shop_key(1, Class::Index, suite, random).unwrap(),
        row: epoch.new_shop_key(1, Class::Row, suite, random).unwrap(),
        request: epoch.new_shop_key(1, Class::Request, suite, random).unwrap(),
    };
    let keys = ShopKeys::open(1, &[epoch], &rows).unwrap();
    let (main_row, main) = keys.new_key(Class::Main, 7, random).unwrap();
    let (_, retained) = keys.new_key(Class::Retained, 7, random).unwrap();
    let (_, term) = keys.new_key(Class::Term, 1, random).unwrap();
    let (_, later) = keys.new_key(Class::Term, 2, random).unwrap();
    Bench { suite, keys, main, retained, term, later, rows, main_row }
}

impl Bench {
    /// Field 0 and 3 under the main key; field 9 under the retained key and a later term.
    fn sealed(&self) -> Vec<u8> {
        let (name, phone, amount) =
            (text("安安"), text("13812345678"), Personal::new(Value::Decimal("12.50".into())));
        let fields = [(0, &name), (3, &phone), (9, &amount)];
        seal(&self.to(), &self.groups(), &fields, &[0x4d; 32]).unwrap()
    }

    /// To where everything here is sealed.
    fn to(&self) -> Sealing<'static> {
        Sealing { suite: self.suite, place: PLACE, clear: CLEAR }
    }

    fn groups(&self) -> [Group<'_>; 2] {
        [
            Group { subject: &self.main, term: &self.term, fields: Fields::of([0, 3]) },
            Group { subject: &self.retained, term: &self.later, fields: Fields::of([9]) },
        ]
    }

    fn keys_of(&self, head: &GroupHead) -> Option<(&DataKey, &DataKey)> {
        let subject = [&self.main, &self.retained].into_iter().find(|key| key.id() == head.subject)?;
        let term = [&self.term, &self.later].into_iter().find(|key| key.id() == head.term)?;
        Some((subject, term))
    }

    fn open_at(&self, sealed: &[u8], place: &Place, clear: &[u8]) -> Result<Vec<(u8, Value)>, Error> {
        let envelope = Envelope::parse(sealed)?;
        let permit = Covers(Fields::of(0..=255));
        let opened = envelope.open(&permit, place, clear, |head| self.keys_of(head), envelope.fields())?;
        Ok(opened.into_iter().map(|(field, value)| (field, copy(value.show(&permit).unwrap()))).collect())
    }
}

struct Covers(Fields);

impl Permit for Covers {
    fn stands(&self) -> bool {
        true
    }

    fn covers(&self, _place: &Place, field: u8) -> bool {
        self.0.has(field)
    }
}

struct Over;

impl Permit for Over {
    fn stands(&self) -> bool {
        false
    }

    fn covers(&self, _place: &Place, _field: u8) -> bool {
        true
    }
}

fn text(plain: &str) -> Personal<Value> {
    Personal::new(Value::Text(plain.to_owned()))
}

fn copy(value: &Value) -> Value {
    Value::decode(&value.encoded().unwrap()).unwrap()
}

/// Every fact below holds in every suite.
macro_rules! in_every_suite {
    ($($fact:ident)*) => {
        mod aes {
            $(#[test]
            fn $fact() {
                super::$fact(crate::Suite::Aes256Gcm);
            })*
        }

        mod sm4 {
            $(#[test]
            fn $fact() {
                super::$fact(crate::Suite::Sm4Gcm);
            })*
        }
    };
}

pub(crate) use in_every_suite;

in_every_suite! {
    what_is_sealed_in_one_suite_and_presented_as_of_the_other_is_refused
    a_key_presented_as_of_the_other_suite_is_refused
    a_shop_moves_to_the_other_suite_with_a_wrap_key_of_it
    a_file_moves_to_the_other_suite_chunk_by_chunk
    a_sealed_record_opens_in_its_place
    no_plain_value_is_left_in_the_envelope
    a_record_moved_to_another_place_does_not_open
    every_flipped_bit_is_noticed
    a_field_taken_out_is_noticed
    two_fields_exchanged_are_noticed
    only_what_the_permit_covers_opens
    a_permit_whose_time_is_over_opens_nothing
    when_the_main_key_is_destroyed_only_retained_fields_open
    another_key_under_the_right_name_is_refused_by_the_commitment
    resealing_moves_fields_to_other_keys_without_showing_them
    resealing_says_when_nothing_changed
    groups_that_do_not_fit_are_refused
    a_wrapped_key_opens_for_its_owner_and_class_only
    a_shop_does_not_open_with_another_epoch_or_another_shops_rows
    after_an_epoch_the_old_wrapping_opens_nothing
    a_forgotten_key_is_not_in_the_cache
    an_index_is_the_same_for_the_same_value_and_differs_by_field_kind_and_shop
    tokens_and_aliases_link_nothing_beyond_their_scope
    the_mac_of_a_row_covers_table_and_column_borders
}

fn suites() -> impl Strategy<Value = Suite> {
    prop::sample::select(Suite::ALL.as_slice())
}

fn a_sealed_record_opens_in_its_place(suite: Suite) {
    let bench = bench(suite);
    let opened = bench.open_at(&bench.sealed(), &PLACE, CLEAR).unwrap();
    let expected = vec![
        (0, Value::Text("安安".into())),
        (3, Value::Text("13812345678".into())),
        (9, Value::Decimal("12.50".into())),
    ];
    assert!(opened == expected);
}

fn no_plain_value_is_left_in_the_envelope(suite: Suite) {
    let sealed = bench(suite).sealed();
    for plain in ["安安".as_bytes(), b"13812345678", b"12.50"] {
        assert!(!sealed.windows(plain.len()).any(|window| window == plain));
    }
}

fn a_record_moved_to_another_place_does_not_open(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let moved = [
        Place { shop: 2, ..PLACE },
        Place { subject: 8, ..PLACE },
        Place { kind: 3, ..PLACE },
        Place { record: 98, ..PLACE },
        Place { version: 2, ..PLACE },
        Place { version: 4, ..PLACE },
    ];
    for place in moved {
        assert_eq!(bench.open_at(&sealed, &place, CLEAR).err(), Some(Error::Broken), "{place:?}");
    }
    assert_eq!(bench.open_at(&sealed, &PLACE, b"other columns").err(), Some(Error::Broken));
}

fn every_flipped_bit_is_noticed(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    for position in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        // A flip in a group's key id names a key that nobody has: the field is gap, and the deep check names it missing.
        match bench.open_at(&flipped, &PLACE, CLEAR) {
            Err(_) => {}
            Ok(opened) => assert!(opened.len() < 3, "bit {position} went unnoticed"),
        }
    }
}

fn a_field_taken_out_is_noticed(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    assert_eq!(envelope.fields(), Fields::of([0, 3, 9]));
    // Cut field 3 out, together with its bit in the header.
    let bitmap = sealed.windows(2).position(|window| window == [1, 0b1001]).unwrap() + 1;
    let cut = [&sealed[..bitmap], &[0b0001][..], &sealed[bitmap + 1..]].concat();
    let length_of_name = usize::from(u8::try_from("安安".len() + 1 + 16).unwrap()) + 1;
    let start = sealed.len() - (6 + 16 + 1) - (11 + 1 + 16 + 1) - length_of_name;
    let cut = [&cut[..start + length_of_name], &cut[start + length_of_name + 29..]].concat();
    assert_eq!(Envelope::parse(&cut).unwrap().fields(), Fields::of([0, 9]), "well formed, one field fewer");
    assert_eq!(bench.open_at(&cut, &PLACE, CLEAR).err(), Some(Error::Broken));
}

fn two_fields_exchanged_are_noticed(suite: Suite) {
    let bench = bench(suite);
    let (one, two) = (text("aaaa"), text("bbbb"));
    let groups = [Group { subject: &bench.main, term: &bench.term, fields: Fields::of([0, 1]) }];
    let sealed = seal(&bench.to(), &groups, &[(0, &one), (1, &two)], &[1; 32]).unwrap();
    let field = 1 + 5 + 16;
    let at = sealed.len() - 2 * field;
    let swapped = [&sealed[..at], &sealed[at + field..], &sealed[at..at + field]].concat();
    assert_eq!(bench.open_at(&swapped, &PLACE, CLEAR).err(), Some(Error::Broken));
}

fn only_what_the_permit_covers_opens(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let permit = Covers(Fields::of([3]));
    let opened =
        envelope.open(&permit, &PLACE, CLEAR, |head| bench.keys_of(head), envelope.fields()).unwrap();
    assert_eq!(opened.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [3]);
}

fn a_permit_whose_time_is_over_opens_nothing(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let opened = envelope.open(&Over, &PLACE, CLEAR, |head| bench.keys_of(head), envelope.fields());
    assert_eq!(opened.err(), Some(Error::NotPermitted));
    assert_eq!(text("x").show(&Over).err(), Some(Error::NotPermitted));
}

fn when_the_main_key_is_destroyed_only_retained_fields_open(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let permit = Covers(Fields::of(0..=255));
    let living = |head: &GroupHead| if head.class == Class::Main { None } else { bench.keys_of(head) };
    let opened = envelope.open(&permit, &PLACE, CLEAR, living, envelope.fields()).unwrap();
    assert_eq!(opened.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [9]);
}

fn another_key_under_the_right_name_is_refused_by_the_commitment(suite: Suite) {
    let bench = bench(suite);
    let other = Bench { ..self::bench(suite) };
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let opened = envelope.authenticate(&PLACE, CLEAR, |head| {
        let (subject, _) = bench.keys_of(head)?;
        Some((subject, if head.class == Class::Main { &other.later } else { &other.term }))
    });
    assert_eq!(opened.err(), Some(Error::Broken));
}

fn resealing_moves_fields_to_other_keys_without_showing_them(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
    let next = Place { version: 4, ..PLACE };
    let to = Sealing { suite, place: next, clear: b"new" };
    let groups = [Group { subject: &bench.main, term: &bench.later, fields: Fields::of([0, 3, 5]) }];
    let phone = text("13987654321");
    let resealed =
        reseal(&origin, |head| bench.keys_of(head), &to, &groups, &[(3, &phone)], &[2; 32]).unwrap();

    assert_eq!((resealed.fields, resealed.changed), (Fields::of([0, 3]), true));
    let opened = bench.open_at(&resealed.sealed, &next, b"new").unwrap();
    assert!(opened == vec![(0, Value::Text("安安".into())), (3, Value::Text("13987654321".into()))]);
    assert!(bench.open_at(&resealed.sealed, &PLACE, CLEAR).is_err());
}

fn resealing_says_when_nothing_changed(suite: Suite) {
    let bench = bench(suite);
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
    let same = text("13812345678");
    let groups = bench.groups();
    let resealed =
        reseal(&origin, |head| bench.keys_of(head), &bench.to(), &groups, &[(3, &same)], &[2; 32]).unwrap();
    assert!(!resealed.changed);
    let fresh = text("new");
    let added =
        reseal(&origin, |head| bench.keys_of(head), &bench.to(), &groups, &[(5, &fresh)], &[2; 32]).unwrap();
    assert!(added.changed);
}

fn groups_that_do_not_fit_are_refused(suite: Suite) {
    let bench = bench(suite);
    let name = text("x");
    let group = |fields| Group { subject: &bench.main, term: &bench.term, fields };
    let attempts = [
        seal(&bench.to(), &[group(Fields::of([1]))], &[(0, &name)], &[0; 32]),
        seal(&bench.to(), &[group(Fields::of([0])), group(Fields::of([0]))], &[(0, &name)], &[0; 32]),
        seal(&bench.to(), &[group(Fields::NONE)], &[], &[0; 32]),
        seal(&bench.to(), &[group(Fields::of([0, 1]))], &[(1, &name), (0, &name)], &[0; 32]),
    ];
    for attempt in attempts {
        assert_eq!(attempt.err(), Some(Error::Mismatch));
    }
}

fn a_wrapped_key_opens_for_its_owner_and_class_only(suite: Suite) {
    let bench = bench(suite);
    let fresh = ShopKeys::open(1, &[epoch(1)], &bench.rows).unwrap();
    assert_eq!(fresh.open_key(7, &bench.main_row).unwrap().id(), bench.main.id());

    let fresh = ShopKeys::open(1, &[epoch(1)], &bench.rows).unwrap();
    assert_eq!(fresh.open_key(8, &bench.main_row).err(), Some(Error::Broken), "another subject");
    let other_class = Wrapped { class: Class::Retained, ..bench.main_row.clone() };
    assert_eq!(fresh.open_key(7, &other_class).err(), Some(Error::Broken), "another class");
    let other_id = Wrapped { id: KeyId([9; 16]), ..bench.main_row.clone() };
    assert_eq!(fresh.open_key(7, &other_id).err(), Some(Error::Broken), "another name");
    assert_eq!(Wrapped::decode(&bench.main_row.encode()).unwrap(), bench.main_row);
}

/// The epoch key that [`bench`] makes first of its counting bytes.
fn epoch(number: u32) -> EpochKey {
    EpochKey::new(number, &Secret::random(&mut Counting(0)).unwrap()).unwrap()
}

fn a_shop_does_not_open_with_another_epoch_or_another_shops_rows(suite: Suite) {
    let bench = bench(suite);
    let stranger = EpochKey::new(1, &Secret::new([7; 32])).unwrap();
    assert_eq!(ShopKeys::open(1, &[stranger], &bench.rows).err(), Some(Error::Broken));
    assert_eq!(ShopKeys::open(1, &[epoch(2)], &bench.rows).err(), Some(Error::NoKey));
    assert_eq!(ShopKeys::open(2, &[epoch(1)], &bench.rows).err(), Some(Error::Broken));
    let swapped = ShopKeyRows { index: bench.rows.row.clone(), ..bench.rows.clone() };
    assert_eq!(ShopKeys::open(1, &[epoch(1)], &swapped).err(), Some(Error::Broken));
}

fn after_an_epoch_the_old_wrapping_opens_nothing(suite: Suite) {
    let bench = bench(suite);
    let (old, new) = (epoch(1), EpochKey::new(2, &Secret::new([5; 32])).unwrap());
    let wrap = new.new_shop_key(1, Class::Wrap, suite, &mut Counting(200)).unwrap();
    bench.keys.add_wrap(2, &new, &wrap).unwrap();
    let again = bench.keys.rewrap(7, &bench.main_row).unwrap().unwrap();
    assert_eq!((again.under, again.id), (2, bench.main_row.id));
    assert_eq!(bench.keys.rewrap(7, &again).unwrap(), None, "already under the newest");
    bench.keys.drop_wraps_before(2);

    assert_eq!(bench.keys.open_key(7, &bench.main_row).err(), Some(Error::NoKey));
    assert_eq!(bench.keys.open_key(7, &again).unwrap().id(), bench.main.id());
    let index = new.rewrap(&old, 1, &bench.rows.index).unwrap();
    assert_eq!((index.under, index.id), (2, bench.rows.index.id));
}

fn a_forgotten_key_is_not_in_the_cache(suite: Suite) {
    let bench = bench(suite);
    bench.keys.open_key(7, &bench.main_row).unwrap();
    bench.keys.forget(bench.main_row.id);
    let edited = Wrapped { sealed: [0; 48], ..bench.main_row.clone() };
    assert_eq!(bench.keys.open_key(7, &edited).err(), Some(Error::Broken), "it had to be unwrapped anew");
    // Somebody who has seen the row before still opens it, and leaves nothing behind.
    bench.keys.open_key(7, &bench.main_row).unwrap();
    assert_eq!(bench.keys.open_key(7, &edited).err(), Some(Error::Broken), "it was not remembered again");
}

fn an_index_is_the_same_for_the_same_value_and_differs_by_field_kind_and_shop(suite: Suite) {
    let bench = bench(suite);
    let phone = text("13812345678");
    let index = bench.keys.blind(1, 2, &phone).unwrap();
    assert_eq!(index, bench.keys.blind(1, 2, &text("13812345678")).unwrap());
    for other in [
        bench.keys.blind(1, 3, &phone).unwrap(),
        bench.keys.blind(2, 2, &phone).unwrap(),
        bench.keys.blind(1, 2, &text("13812345679")).unwrap(),
    ] {
        assert_ne!(index, other);
    }
}

fn tokens_and_aliases_link_nothing_beyond_their_scope(suite: Suite) {
    let bench = bench(suite);
    let phone = text("13812345678");
    let token = bench.main.token(b"sf-express", b"phone", &phone).unwrap();
    assert_eq!(token, bench.main.token(b"sf-express", b"phone", &phone).unwrap());
    assert_ne!(token, bench.main.token(b"yto", b"phone", &phone).unwrap());
    assert_ne!(
        token,
        bench.main.token(b"sf-expres", b"sphone", &phone).unwrap(),
        "parts are length-prefixed"
    );
    assert_ne!(token, bench.retained.token(b"sf-express", b"phone", &phone).unwrap());
    assert_ne!(bench.main.alias(), bench.retained.alias());
    assert_ne!(bench.main.record_alias(1), bench.main.record_alias(2));
    assert_ne!(bench.main.salt(1, b"x"), bench.main.salt(2, b"x"));
}

fn the_mac_of_a_row_covers_table_and_column_borders(suite: Suite) {
    let keys = bench(suite).keys;
    let mac = keys.row_mac("subject", &[b"ab", b"c"]).unwrap();
    assert!(keys.row_is_whole("subject", &[b"ab", b"c"], &mac).is_ok());
    assert_eq!(keys.row_is_whole("subject", &[b"a", b"bc"], &mac), Err(Error::Broken));
    assert_eq!(keys.row_is_whole("term", &[b"ab", b"c"], &mac), Err(Error::Broken));
}

#[test]
fn a_keyring_unlocks_with_its_own_lock_only() {
    let random = &mut Counting(0);
    let mut keyring = Keyring::new(1_000, random).unwrap();
    keyring.ledger_seeds.push((1, Secret::random(random).unwrap()));
    let file_lock = || Lock::KeyFile(vec![7; 32].into());
    let (file, unlocked) = keyring.lock(&file_lock(), random).unwrap();

    let (again, _) = Keyring::unlock(&file, &file_lock()).unwrap();
    assert_eq!(again.epochs[0].key.expose(), keyring.epochs[0].key.expose());
    assert_eq!(again.id_key.expose(), keyring.id_key.expose());
    assert_eq!(again.ledger_seed(1).map(Secret::expose), keyring.ledger_seed(1).map(Secret::expose));
    assert!(again.ledger_seed(2).is_none());
    let wrong = Lock::KeyFile(vec![8; 32].into());
    assert_eq!(Keyring::unlock(&file, &wrong).err(), Some(Error::WrongLock));
    let words = Lock::Passphrase(String::from("a passphrase of some length").into());
    assert_eq!(Keyring::unlock(&file, &words).err(), Some(Error::OtherLock { wanted: "a key file" }));
    assert_eq!(Keyring::unlock(&[], &wrong).err(), Some(Error::KeyringDamaged));

    keyring.begin_epoch(2_000, random).unwrap();
    let both = keyring.write(&unlocked, random).unwrap();
    keyring.end_epochs_before(2);
    let one = keyring.write(&unlocked, random).unwrap();
    let numbers = |file: &[u8]| {
        let (keyring, _) = Keyring::unlock(file, &file_lock()).unwrap();
        keyring.epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>()
    };
    assert_eq!((numbers(&both), numbers(&one)), (vec![1, 2], vec![2]));
}

fn shared(seed: u8) -> Lock {
    let shares = split(&Secret::new([7; 32]), 2, 3, &mut Counting(seed)).unwrap();
    let (secret, split) = join(&shares).unwrap();
    Lock::Shared { secret, split }
}

fn held(by: Holder, key: u8, wrapped: usize) -> Lock {
    Lock::Held { by, key: Secret::new([key; 32]), wrapped: vec![1; wrapped] }
}

#[test]
fn shares_and_holders_unlock_what_they_locked_and_nothing_else() {
    // Two sets of shares of one secret, and two holders of one key.
    let locks: [fn() -> Lock; 4] =
        [|| shared(1), || shared(2), || held(Holder::OpenBao, 7, 90), || held(Holder::Pkcs11, 7, 90)];
    for (at, lock) in locks.iter().enumerate() {
        let random = &mut Counting(0);
        let mut keyring = Keyring::new(1_000, random).unwrap();
        let (file, unlocked) = keyring.lock(&lock(), random).unwrap();
        for (other, unlocks) in locks.iter().enumerate() {
            let opened = Keyring::unlock(&file, &unlocks()).map(|_| ());
            match (other == at, at < 2 && other < 2) {
                (true, _) => assert_eq!(opened, Ok(())),
                (false, true) => assert_eq!(opened, Err(Error::OtherSet)),
                (false, false) => assert!(matches!(opened, Err(Error::OtherLock { .. })), "{at} {other}"),
            }
        }
        assert_eq!(unlocked.check().must_be(&lock()), Ok(()));
        assert_eq!(unlocked.check().locked(), Keyring::how_locked(&file));
        // An epoch is begun without asking anybody: the file keeps its lock.
        keyring.begin_epoch(2_000, random).unwrap();
        let again = keyring.write(&unlocked, random).unwrap();
        assert_eq!(Keyring::unlock(&again, &lock()).unwrap().0.epochs.len(), 2);
        assert_eq!(Keyring::how_locked(&again), Keyring::how_locked(&file));
    }
}

#[test]
fn a_key_that_a_holder_gives_and_that_is_another_is_a_wrong_lock() {
    let random = &mut Counting(0);
    let held = |key: u8| held(Holder::OpenBao, key, 90);
    let (file, unlocked) = Keyring::new(0, random).unwrap().lock(&held(7), random).unwrap();
    assert_eq!(Keyring::unlock(&file, &held(8)).err(), Some(Error::WrongLock));
    let check = unlocked.check();
    assert_eq!((check.must_be(&held(7)), check.must_be(&held(8))), (Ok(()), Err(Error::WrongLock)));
    assert!(matches!(check.must_be(&shared(1)), Err(Error::OtherLock { .. })));
    let Ok(Locked::ByHolder { by: Holder::OpenBao, wrapped }) = Keyring::how_locked(&file) else { panic!() };
    assert_eq!(wrapped, vec![1; 90]);
    let long = Lock::Held { by: Holder::OpenBao, key: Secret::new([7; 32]), wrapped: vec![1; 5_000] };
    assert!(matches!(Keyring::new(0, random).unwrap().lock(&long, random), Err(Error::TooLong { .. })));
}

#[test]
fn what_shares_give_opens_as_a_key_file_too() {
    let random = &mut Counting(0);
    let shares = split(&Secret::new([7; 32]), 2, 3, random).unwrap();
    let (secret, split) = join(&shares[1..]).unwrap();
    let as_file = Lock::KeyFile(secret.expose().to_vec().into());
    let (file, _) = Keyring::new(0, random).unwrap().lock(&Lock::Shared { secret, split }, random).unwrap();
    assert!(Keyring::unlock(&file, &as_file).is_ok());
    assert_eq!(Keyring::how_locked(&file), Ok(Locked::ByShares(split)));
}

#[test]
fn a_passphrase_unlocks_and_a_wrong_one_does_not() {
    let random = &mut Counting(0);
    let keyring = Keyring::new(0, random).unwrap();
    let lock = |words: &str| Lock::Passphrase(words.to_owned().into());
    let (file, _) = keyring.lock(&lock("海港与山的长长的口令"), random).unwrap();
    assert!(Keyring::unlock(&file, &lock("海港与山的长长的口令")).is_ok());
    assert_eq!(Keyring::unlock(&file, &lock("海港与山的长长的口号")).err(), Some(Error::WrongLock));
}

#[test]
fn every_byte_of_a_keyring_file_matters() {
    let random = &mut Counting(0);
    for lock in [Lock::KeyFile(vec![7; 32].into()), shared(1), held(Holder::OpenBao, 7, 90)] {
        let (file, _) = Keyring::new(0, random).unwrap().lock(&lock, random).unwrap();
        for position in 0..file.len() {
            let mut flipped = file.clone();
            flipped[position] ^= 0x10;
            assert!(Keyring::unlock(&flipped, &lock).is_err(), "{lock:?}, byte {position}");
            assert!(Keyring::unlock(&file[..position], &lock).is_err(), "{lock:?}, cut at {position}");
        }
    }
}

#[test]
fn the_list_of_destroyed_keys_chains() {
    let key = Secret::new([3; 32]);
    let (mut list, none, _) = DestroyedList::read(&key, b"").unwrap();
    assert!(none.is_empty());
    let destroyed: Vec<_> = (0..5_u8).map(|n| Destroyed { at: i64::from(n), id: KeyId([n; 16]) }).collect();
    let mut file = list.append(&destroyed[..2]);
    file.extend(list.append(&destroyed[2..]));

    let (_, read, whole) = DestroyedList::read(&key, &file).unwrap();
    assert_eq!((&read, whole), (&destroyed, file.len()));
    let (_, read, whole) = DestroyedList::read(&key, &file[..file.len() - 3]).unwrap();
    assert_eq!((read.len(), whole), (4, file.len() / 5 * 4), "a line cut short was never answered for");
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let without_the_third = [lines[0], lines[1], lines[3], lines[4]].concat();
    assert_eq!(DestroyedList::read(&key, &without_the_third).err(), Some(Error::ListBroken { line: 3 }));
    assert_eq!(
        DestroyedList::read(&Secret::new([4; 32]), &file).err(),
        Some(Error::ListBroken { line: 1 }),
        "another key"
    );
}

#[test]
fn an_id_reads_back_and_a_guess_does_not() {
    let ids = IdKey::new(&Secret::new([1; 32]));
    let id = ids.show(1, 42);
    assert_eq!((id.len(), ids.read(1, &id)), (26, Ok(42)));
    assert_eq!(ids.read(2, &id), Err(Error::NotAnId), "another type");
    assert_ne!(id, ids.show(1, 43));
    for guess in
        ["", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "ääaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        assert_eq!(ids.read(1, guess), Err(Error::NotAnId), "{guess}");
    }
    let other = IdKey::new(&Secret::new([2; 32]));
    assert_eq!(other.read(1, &id), Err(Error::NotAnId), "another installation");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_to_the_same(suite in suites(), values in prop::collection::btree_map(any::<u8>(), ".{0,40}", 1..20), message in any::<[u8; 32]>()) {
        let bench = bench(suite);
        let values: Vec<(u8, Personal<Value>)> = values.into_iter().map(|(field, value)| (field, Personal::new(Value::Text(value)))).collect();
        let fields: Vec<(u8, &Personal<Value>)> = values.iter().map(|(field, value)| (*field, value)).collect();
        let all = Fields::of(fields.iter().map(|(field, _)| *field));
        let half = Fields::of(all.iter().take(all.count() / 2));
        let groups: Vec<Group<'_>> = [
            Group { subject: &bench.main, term: &bench.term, fields: half },
            Group { subject: &bench.retained, term: &bench.later, fields: all.without(half) },
        ].into_iter().filter(|group| !group.fields.is_none()).collect();
        let sealed = seal(&bench.to(), &groups, &fields, &message).unwrap();
        let opened = bench.open_at(&sealed, &PLACE, CLEAR).unwrap();
        prop_assert_eq!(opened.len(), values.len());
        for ((field, value), (sealed_field, plain)) in opened.iter().zip(&values) {
            prop_assert_eq!(field, sealed_field);
            prop_assert!(plain.is(|plain| plain == value));
        }
    }

    #[test]
    fn hostile_bytes_never_open_and_never_panic(suite in suites(), bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let bench = bench(suite);
        prop_assert!(bench.open_at(&bytes, &PLACE, CLEAR).is_err());
        let mut sealed = bench.sealed();
        let position = at.index(sealed.len());
        sealed[position] ^= 1 << bit;
        let opened = bench.open_at(&sealed, &PLACE, CLEAR);
        prop_assert!(opened.is_err() || opened.is_ok_and(|opened| opened.len() < 3));
        let _ = Wrapped::decode(&bytes);
        let _ = Keyring::unlock(&bytes, &Lock::KeyFile(vec![0; 32].into()));
        let _ = DestroyedList::read(&Secret::new([0; 32]), &bytes);
    }

    #[test]
    fn ids_are_a_permutation(kind in any::<u8>(), number in any::<u64>()) {
        let ids = IdKey::new(&Secret::new([9; 32]));
        prop_assert_eq!(ids.read(kind, &ids.show(kind, number)), Ok(number));
    }

    #[test]
    fn sets_of_fields_behave_as_sets(one in any::<[u64; 4]>(), two in any::<[u64; 4]>()) {
        let (one, two) = (Fields(one), Fields(two));
        for field in 0..=255 {
            prop_assert_eq!(one.with(two).has(field), one.has(field) || two.has(field));
            prop_assert_eq!(one.and(two).has(field), one.has(field) && two.has(field));
            prop_assert_eq!(one.without(two).has(field), one.has(field) && !two.has(field));
        }
        prop_assert_eq!(Fields::of(one.iter()), one);
        prop_assert_eq!(one.iter().count(), one.count());
    }
}

/// The suite that is not this one.
fn other(suite: Suite) -> Suite {
    Suite::ALL.into_iter().find(|other| *other != suite).unwrap()
}

fn what_is_sealed_in_one_suite_and_presented_as_of_the_other_is_refused(suite: Suite) {
    let bench = bench(suite);
    let mut sealed = bench.sealed();
    assert_eq!(sealed[2..4], suite.number().to_be_bytes());
    assert_eq!(Envelope::parse(&sealed).unwrap().suite(), suite);
    sealed[2..4].copy_from_slice(&other(suite).number().to_be_bytes());
    assert_eq!(Envelope::parse(&sealed).unwrap().suite(), other(suite), "well formed, of another suite");
    assert_eq!(bench.open_at(&sealed, &PLACE, CLEAR).err(), Some(Error::Broken));
    for unknown in [0_u16, 3, 0x0100, u16::MAX] {
        sealed[2..4].copy_from_slice(&unknown.to_be_bytes());
        assert_eq!(Envelope::parse(&sealed).err(), Some(Error::UnknownSuite { suite: unknown }));
    }
}

fn a_key_presented_as_of_the_other_suite_is_refused(suite: Suite) {
    let bench = bench(suite);
    let other = other(suite);
    assert_eq!(bench.main_row.suite, suite);
    let fresh = ShopKeys::open(1, &[epoch(1)], &bench.rows).unwrap();
    let presented = Wrapped { suite: other, ..bench.main_row.clone() };
    assert_eq!(fresh.open_key(7, &presented).err(), Some(Error::Broken));
    let mut unknown = bench.main_row.encode();
    unknown[0] |= 0xc0;
    assert_eq!(Wrapped::decode(&unknown).err(), Some(Error::UnknownSuite { suite: 4 }));
    bench.keys.open_key(7, &bench.main_row).unwrap();
    assert_eq!(bench.keys.open_key(7, &presented).err(), Some(Error::Broken), "also when it is in the cache");
    for row in [&bench.rows.index, &bench.rows.row, &bench.rows.request, &bench.rows.wraps[0].1] {
        let presented = Wrapped { suite: other, ..row.clone() };
        let mut rows = bench.rows.clone();
        match row.class {
            Class::Index => rows.index = presented,
            Class::Row => rows.row = presented,
            Class::Request => rows.request = presented,
            _ => rows.wraps[0].1 = presented,
        }
        assert_eq!(ShopKeys::open(1, &[epoch(1)], &rows).err(), Some(Error::Broken), "{:?}", row.class);
    }
}

fn a_shop_moves_to_the_other_suite_with_a_wrap_key_of_it(suite: Suite) {
    let bench = bench(suite);
    let other = other(suite);
    let (sealed, alias) = (bench.sealed(), bench.main.alias());
    let (old, new) = (epoch(1), EpochKey::new(2, &Secret::new([5; 32])).unwrap());
    let wrap = new.new_shop_key(1, Class::Wrap, other, &mut Counting(200)).unwrap();
    bench.keys.add_wrap(2, &new, &wrap).unwrap();
    assert_eq!((bench.keys.suite(), bench.keys.wrap_version()), (other, 2));

    let main_row = bench.keys.rewrap(7, &bench.main_row).unwrap().unwrap();
    bench.keys.drop_wraps_before(2);
    let main = bench.keys.open_key(7, &main_row).unwrap();
    assert_eq!((main.alias(), main_row.suite), (alias, suite), "who it is does not change with what seals");
    let index = new.rewrap(&old, 1, &bench.rows.index).unwrap();
    assert_eq!((index.under, index.suite), (2, suite), "what was indexed is found");
    assert_eq!(bench.keys.new_key(Class::Main, 8, &mut Counting(3)).unwrap().0.suite, other);

    let envelope = Envelope::parse(&sealed).unwrap();
    let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
    let to = Sealing { suite: other, place: Place { version: 4, ..PLACE }, clear: CLEAR };
    let groups = bench.groups();
    let moved = reseal(&origin, |head| bench.keys_of(head), &to, &groups, &[], &[2; 32]).unwrap();
    assert!(!moved.changed);
    assert_eq!(Envelope::parse(&moved.sealed).unwrap().suite(), other);
    let before = bench.open_at(&sealed, &PLACE, CLEAR).unwrap();
    assert!(bench.open_at(&moved.sealed, &to.place, CLEAR).unwrap() == before);
}

fn a_file_moves_to_the_other_suite_chunk_by_chunk(suite: Suite) {
    let (bench, other) = (bench(suite), other(suite));
    for length in [1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let bytes = vec![b'x'; length];
        let here = FilePlace { shop: 1, file: 42 };
        let (chunks, value, file_seal) = {
            let mut sealer = FileSealer::new(suite, here, &mut Counting(1)).unwrap();
            let (mut rest, mut chunks) = (bytes.as_slice(), Vec::new());
            while !rest.is_empty() {
                chunks.extend(sealer.take(&mut rest).unwrap());
            }
            let (last, value, file_seal) = sealer.finish("image/jpeg").unwrap();
            chunks.push(last);
            (chunks, value, file_seal)
        };
        let groups = [Group { subject: &bench.main, term: &bench.term, fields: Fields::of([4]) }];
        let sealed = seal(&bench.to(), &groups, &[(4, &value)], &[9; 32]).unwrap();
        let envelope = Envelope::parse(&sealed).unwrap();
        let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
        let keys = |head: &GroupHead| bench.keys_of(head);
        assert_eq!(file_suite(&origin, keys, 4), Ok(Some(suite)));
        assert_eq!(file_suite(&origin, keys, 5), Ok(None));
        assert_eq!(file_suite(&origin, |_| None, 4), Ok(None), "its key is destroyed");

        let (stands, there) =
            (FileStands { field: 4, place: here, seal: &file_seal }, FilePlace { file: 43, ..here });
        let begin = |stands: &FileStands<'_>| {
            FileMove::begin(&origin, keys, stands, (other, there), &mut Counting(7))
        };
        let mut moving = begin(&stands).unwrap();
        let mut moved = Vec::new();
        for chunk in &chunks {
            moved.extend(moving.take(&chunk.sealed).unwrap());
        }
        let (last, value, after) = moving.finish().unwrap();
        moved.push(last);
        let permit = Covers(Fields::NONE);
        let opener = FileOpener::new(&permit, &value, there, &after).unwrap();
        let opened: Vec<u8> = moved
            .iter()
            .flat_map(|chunk| {
                opener.open(&permit, chunk.number, &chunk.sealed).unwrap().show(&permit).unwrap().clone()
            })
            .collect();
        assert!(opened == bytes);
        let Value::File(head) = value.show(&permit).unwrap() else { panic!() };
        assert_eq!((head.suite(), head.media()), (other.number(), "image/jpeg"));

        // Not with another file's chunks, not of another place, not cut short.
        assert_eq!(begin(&FileStands { place: there, ..stands }).err(), Some(Error::Broken));
        assert_eq!(begin(&stands).unwrap().take(&moved[0].sealed).err(), Some(Error::Broken));
        let mut short = begin(&stands).unwrap();
        for chunk in &chunks[..chunks.len() - 1] {
            short.take(&chunk.sealed).unwrap();
        }
        assert!(short.finish().is_err());
    }
}

#[test]
fn suites_are_found_by_the_names_and_numbers_that_they_have() {
    for suite in Suite::ALL {
        assert_eq!(Suite::find(suite.name()), Some(suite));
        assert_eq!(Suite::parse(suite.number()), Ok(suite));
    }
    assert_eq!(Suite::find("sm4"), None);
}

#[test]
fn one_secret_gives_the_two_suites_nothing_in_common() {
    let (one, two) = (bench(Suite::Aes256Gcm), bench(Suite::Sm4Gcm));
    assert_eq!(one.main.secret(), two.main.secret(), "the same counted bytes");
    assert_ne!(one.main.alias(), two.main.alias());
    assert_ne!(one.main_row.sealed, two.main_row.sealed);
    let phone = text("13812345678");
    assert_ne!(one.keys.blind(1, 2, &phone), two.keys.blind(1, 2, &phone));
    let commitment = |bench: &Bench| {
        let sealed = bench.sealed();
        Envelope::parse(&sealed).unwrap().digest()
    };
    assert_ne!(commitment(&one), commitment(&two));
}
