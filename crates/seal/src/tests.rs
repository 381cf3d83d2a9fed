//! What the seal promises, stated and tried.

use std::sync::Arc;

use proptest::prelude::*;

use crate::secret::counting::Counting;
use crate::{
    Class, DataKey, Destroyed, DestroyedList, Envelope, EpochKey, Error, Fields, Group, GroupHead, Holder,
    IdKey, KeyId, Keyring, Lock, Locked, Origin, Permit, Personal, Place, Secret, ShopKeyRows, ShopKeys,
    Value, Wrapped, join, reseal, seal, split,
};

pub(crate) const PLACE: Place = Place { shop: 1, subject: 7, kind: 2, record: 99, version: 3 };
const CLEAR: &[u8] = b"clear columns";

pub(crate) struct Bench {
    pub(crate) keys: ShopKeys,
    pub(crate) main: Arc<DataKey>,
    pub(crate) retained: Arc<DataKey>,
    pub(crate) term: Arc<DataKey>,
    pub(crate) later: Arc<DataKey>,
    pub(crate) rows: ShopKeyRows,
    pub(crate) main_row: Wrapped,
}

pub(crate) fn bench() -> Bench {
    let random = &mut Counting(0);
    let epoch = EpochKey::new(1, &Secret::random(random).unwrap()).unwrap();
    let rows = ShopKeyRows {
        wraps: vec![(1, epoch.new_shop_key(1, Class::Wrap, random).unwrap())],
        index: epoch.new_shop_key(1, Class::Index, random).unwrap(),
        row: epoch.new_shop_key(1, Class::Row, random).unwrap(),
        request: epoch.new_shop_key(1, Class::Request, random).unwrap(),
    };
    let keys = ShopKeys::open(1, &[epoch], &rows).unwrap();
    let (main_row, main) = keys.new_key(Class::Main, 7, random).unwrap();
    let (_, retained) = keys.new_key(Class::Retained, 7, random).unwrap();
    let (_, term) = keys.new_key(Class::Term, 1, random).unwrap();
    let (_, later) = keys.new_key(Class::Term, 2, random).unwrap();
    Bench { keys, main, retained, term, later, rows, main_row }
}

impl Bench {
    /// Field 0 and 3 under the main key; field 9 under the retained key and a later term.
    fn sealed(&self) -> Vec<u8> {
        let (name, phone, amount) =
            (text("安安"), text("13812345678"), Personal::new(Value::Decimal("12.50".into())));
        let fields = [(0, &name), (3, &phone), (9, &amount)];
        seal(&PLACE, CLEAR, &self.groups(), &fields, &[0x4d; 32]).unwrap()
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

#[test]
fn a_sealed_record_opens_in_its_place() {
    let bench = bench();
    let opened = bench.open_at(&bench.sealed(), &PLACE, CLEAR).unwrap();
    let expected = vec![
        (0, Value::Text("安安".into())),
        (3, Value::Text("13812345678".into())),
        (9, Value::Decimal("12.50".into())),
    ];
    assert!(opened == expected);
}

#[test]
fn no_plain_value_is_left_in_the_envelope() {
    let sealed = bench().sealed();
    for plain in ["安安".as_bytes(), b"13812345678", b"12.50"] {
        assert!(!sealed.windows(plain.len()).any(|window| window == plain));
    }
}

#[test]
fn a_record_moved_to_another_place_does_not_open() {
    let bench = bench();
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

#[test]
fn every_flipped_bit_is_noticed() {
    let bench = bench();
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

#[test]
fn a_field_taken_out_is_noticed() {
    let bench = bench();
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

#[test]
fn two_fields_exchanged_are_noticed() {
    let bench = bench();
    let (one, two) = (text("aaaa"), text("bbbb"));
    let groups = [Group { subject: &bench.main, term: &bench.term, fields: Fields::of([0, 1]) }];
    let sealed = seal(&PLACE, CLEAR, &groups, &[(0, &one), (1, &two)], &[1; 32]).unwrap();
    let field = 1 + 5 + 16;
    let at = sealed.len() - 2 * field;
    let swapped = [&sealed[..at], &sealed[at + field..], &sealed[at..at + field]].concat();
    assert_eq!(bench.open_at(&swapped, &PLACE, CLEAR).err(), Some(Error::Broken));
}

#[test]
fn only_what_the_permit_covers_opens() {
    let bench = bench();
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let permit = Covers(Fields::of([3]));
    let opened =
        envelope.open(&permit, &PLACE, CLEAR, |head| bench.keys_of(head), envelope.fields()).unwrap();
    assert_eq!(opened.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_permit_whose_time_is_over_opens_nothing() {
    let bench = bench();
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let opened = envelope.open(&Over, &PLACE, CLEAR, |head| bench.keys_of(head), envelope.fields());
    assert_eq!(opened.err(), Some(Error::NotPermitted));
    assert_eq!(text("x").show(&Over).err(), Some(Error::NotPermitted));
}

#[test]
fn when_the_main_key_is_destroyed_only_retained_fields_open() {
    let bench = bench();
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let permit = Covers(Fields::of(0..=255));
    let living = |head: &GroupHead| if head.class == Class::Main { None } else { bench.keys_of(head) };
    let opened = envelope.open(&permit, &PLACE, CLEAR, living, envelope.fields()).unwrap();
    assert_eq!(opened.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [9]);
}

#[test]
fn another_key_under_the_right_name_is_refused_by_the_commitment() {
    let bench = bench();
    let other = Bench { ..self::bench() };
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let opened = envelope.authenticate(&PLACE, CLEAR, |head| {
        let (subject, _) = bench.keys_of(head)?;
        Some((subject, if head.class == Class::Main { &other.later } else { &other.term }))
    });
    assert_eq!(opened.err(), Some(Error::Broken));
}

#[test]
fn resealing_moves_fields_to_other_keys_without_showing_them() {
    let bench = bench();
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
    let next = Place { version: 4, ..PLACE };
    let groups = [Group { subject: &bench.main, term: &bench.later, fields: Fields::of([0, 3, 5]) }];
    let phone = text("13987654321");
    let resealed =
        reseal(&origin, |head| bench.keys_of(head), &next, b"new", &groups, &[(3, &phone)], &[2; 32])
            .unwrap();

    assert_eq!((resealed.fields, resealed.changed), (Fields::of([0, 3]), true));
    let opened = bench.open_at(&resealed.sealed, &next, b"new").unwrap();
    assert!(opened == vec![(0, Value::Text("安安".into())), (3, Value::Text("13987654321".into()))]);
    assert!(bench.open_at(&resealed.sealed, &PLACE, CLEAR).is_err());
}

#[test]
fn resealing_says_when_nothing_changed() {
    let bench = bench();
    let sealed = bench.sealed();
    let envelope = Envelope::parse(&sealed).unwrap();
    let origin = Origin { envelope: &envelope, place: PLACE, clear: CLEAR };
    let same = text("13812345678");
    let groups = bench.groups();
    let resealed =
        reseal(&origin, |head| bench.keys_of(head), &PLACE, CLEAR, &groups, &[(3, &same)], &[2; 32]).unwrap();
    assert!(!resealed.changed);
    let fresh = text("new");
    let added = reseal(&origin, |head| bench.keys_of(head), &PLACE, CLEAR, &groups, &[(5, &fresh)], &[2; 32])
        .unwrap();
    assert!(added.changed);
}

#[test]
fn groups_that_do_not_fit_are_refused() {
    let bench = bench();
    let name = text("x");
    let group = |fields| Group { subject: &bench.main, term: &bench.term, fields };
    let attempts = [
        seal(&PLACE, CLEAR, &[group(Fields::of([1]))], &[(0, &name)], &[0; 32]),
        seal(&PLACE, CLEAR, &[group(Fields::of([0])), group(Fields::of([0]))], &[(0, &name)], &[0; 32]),
        seal(&PLACE, CLEAR, &[group(Fields::NONE)], &[], &[0; 32]),
        seal(&PLACE, CLEAR, &[group(Fields::of([0, 1]))], &[(1, &name), (0, &name)], &[0; 32]),
    ];
    for attempt in attempts {
        assert_eq!(attempt.err(), Some(Error::Mismatch));
    }
}

#[test]
fn a_wrapped_key_opens_for_its_owner_and_class_only() {
    let bench = bench();
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

#[test]
fn a_shop_does_not_open_with_another_epoch_or_another_shops_rows() {
    let bench = bench();
    let stranger = EpochKey::new(1, &Secret::new([7; 32])).unwrap();
    assert_eq!(ShopKeys::open(1, &[stranger], &bench.rows).err(), Some(Error::Broken));
    assert_eq!(ShopKeys::open(1, &[epoch(2)], &bench.rows).err(), Some(Error::NoKey));
    assert_eq!(ShopKeys::open(2, &[epoch(1)], &bench.rows).err(), Some(Error::Broken));
    let swapped = ShopKeyRows { index: bench.rows.row.clone(), ..bench.rows.clone() };
    assert_eq!(ShopKeys::open(1, &[epoch(1)], &swapped).err(), Some(Error::Broken));
}

#[test]
fn after_an_epoch_the_old_wrapping_opens_nothing() {
    let bench = bench();
    let (old, new) = (epoch(1), EpochKey::new(2, &Secret::new([5; 32])).unwrap());
    let wrap = new.new_shop_key(1, Class::Wrap, &mut Counting(200)).unwrap();
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

#[test]
fn a_forgotten_key_is_not_in_the_cache() {
    let bench = bench();
    bench.keys.open_key(7, &bench.main_row).unwrap();
    bench.keys.forget(bench.main_row.id);
    let edited = Wrapped { sealed: [0; 48], ..bench.main_row.clone() };
    assert_eq!(bench.keys.open_key(7, &edited).err(), Some(Error::Broken), "it had to be unwrapped anew");
}

#[test]
fn an_index_is_the_same_for_the_same_value_and_differs_by_field_kind_and_shop() {
    let bench = bench();
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

#[test]
fn tokens_and_aliases_link_nothing_beyond_their_scope() {
    let bench = bench();
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

#[test]
fn the_mac_of_a_row_covers_table_and_column_borders() {
    let keys = bench().keys;
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
    fn whatever_is_sealed_opens_to_the_same(values in prop::collection::btree_map(any::<u8>(), ".{0,40}", 1..20), message in any::<[u8; 32]>()) {
        let bench = bench();
        let values: Vec<(u8, Personal<Value>)> = values.into_iter().map(|(field, value)| (field, Personal::new(Value::Text(value)))).collect();
        let fields: Vec<(u8, &Personal<Value>)> = values.iter().map(|(field, value)| (*field, value)).collect();
        let all = Fields::of(fields.iter().map(|(field, _)| *field));
        let half = Fields::of(all.iter().take(all.count() / 2));
        let groups: Vec<Group<'_>> = [
            Group { subject: &bench.main, term: &bench.term, fields: half },
            Group { subject: &bench.retained, term: &bench.later, fields: all.without(half) },
        ].into_iter().filter(|group| !group.fields.is_none()).collect();
        let sealed = seal(&PLACE, CLEAR, &groups, &fields, &message).unwrap();
        let opened = bench.open_at(&sealed, &PLACE, CLEAR).unwrap();
        prop_assert_eq!(opened.len(), values.len());
        for ((field, value), (sealed_field, plain)) in opened.iter().zip(&values) {
            prop_assert_eq!(field, sealed_field);
            prop_assert!(plain.is(|plain| plain == value));
        }
    }

    #[test]
    fn hostile_bytes_never_open_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let bench = bench();
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
