//! Any bytes as an envelope, a wrapped key, a list of destroyed keys, a keyring: taken apart or refused. What opens is what was
//! sealed here, and nothing else.

use std::sync::LazyLock;

use seal::{
    DestroyedList, Envelope, Error, Fields, Group, GroupHead, Keyring, Lock, Permit, Personal, Place,
    Sealing, Secret, Suite, Value, Wrapped, seal,
};

use super::made::keys;

const PLACE: Place = Place { shop: 1, subject: 7, kind: 2, record: 99, version: 3 };
const CLEAR: &[u8] = b"clear columns";

/// Three fields of one record, under two keys of its subject and two terms, sealed with each suite.
pub(crate) fn sealed() -> &'static [Vec<u8>; 2] {
    static SEALED: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
        let text = |plain: &str| Personal::new(Value::Text(plain.to_owned()));
        let (name, phone, amount) =
            (text("Nobody"), text("13812345678"), Personal::new(Value::Decimal(String::from("12.50"))));
        let groups = [
            Group { subject: &keys().main, term: &keys().term, fields: Fields::of([0, 3]) },
            Group { subject: &keys().retained, term: &keys().later, fields: Fields::of([9]) },
        ];
        let fields = [(0, &name), (3, &phone), (9, &amount)];
        Suite::ALL.map(|suite| {
            let to = Sealing { suite, place: PLACE, clear: CLEAR };
            seal(&to, &groups, &fields, &[0x4d; 32]).expect("fields and groups fit")
        })
    });
    &SEALED
}

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    match what {
        b'e' => envelope(bytes),
        b'w' => {
            if let Ok(wrapped) = Wrapped::decode(bytes) {
                assert_eq!(wrapped.encode(), bytes, "there is one way to write it");
            }
        }
        b'd' => {
            if let Ok((_, lines, whole)) = DestroyedList::read(&Secret::new([9; 32]), bytes) {
                assert!(lines.is_empty() || whole > 0);
                assert!(whole <= bytes.len());
            }
        }
        b'k' => {
            // With a key file: guessing at a passphrase costs too much to be fuzzed.
            let lock = Lock::KeyFile(vec![3; 32].into());
            assert!(Keyring::unlock(bytes, &lock).is_err(), "nobody wrote this keyring");
        }
        _ => {}
    }
}

struct Everything;

impl Permit for Everything {
    fn stands(&self) -> bool {
        true
    }

    fn covers(&self, _place: &Place, _field: u8) -> bool {
        true
    }
}

fn envelope(bytes: &[u8]) {
    let Ok(parsed) = Envelope::parse(bytes) else { return };
    let fields = parsed.fields();
    let of_groups = parsed.groups().iter().fold(Fields::NONE, |all, group| all.with(group.fields));
    assert!(fields == of_groups, "each field is of a group, and each group has its fields");
    let _ = parsed.digest();
    let by_head = |head: &GroupHead| {
        let subject = [&keys().main, &keys().retained].into_iter().find(|key| key.id() == head.subject)?;
        let term = [&keys().term, &keys().later].into_iter().find(|key| key.id() == head.term)?;
        Some((&**subject, &**term))
    };
    let opened = parsed.open(&Everything, &PLACE, CLEAR, by_head, fields);
    // Where a key is not there, its fields are passed over; one that was not sealed here must not open.
    let genuine = sealed().iter().any(|sealed| bytes == *sealed);
    assert!(
        genuine || opened.as_ref().is_ok_and(Vec::is_empty) || opened.as_ref().is_err_and(refused),
        "forged"
    );
    assert!(!genuine || opened.is_ok_and(|opened| opened.len() == 3), "what was sealed here opens");
    // With keys for all groups, whatever they are called, nothing but the genuine one authenticates.
    let any = |_: &GroupHead| Some((&*keys().main, &*keys().term));
    assert!(fields.is_none() || parsed.authenticate(&PLACE, CLEAR, any).is_err());
}

fn refused(error: &Error) -> bool {
    matches!(error, Error::Broken | Error::Malformed)
}
