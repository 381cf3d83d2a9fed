//! What a record costs in each suite: `cargo run --release -p seal --example suites`.
//!
//! A record of twelve fields of 32 bytes under one subject key and one term is sealed, and opened again. The suites take turns, so
//! that a neighbour disturbs both; the least of many rounds counts.
#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the figures are what it is for")]

use std::hint::black_box;
use std::time::Instant;

use seal::{
    Class, Envelope, EpochKey, Error, Fields, Group, Personal, Place, Random, Sealing, Secret, ShopKeyRows,
    ShopKeys, Suite, Value, seal,
};

/// Rounds of each suite.
const ROUNDS: usize = 40;
/// Records in a round.
const RECORDS: u32 = 2_000;
const PLACE: Place = Place { shop: 1, subject: 7, kind: 2, record: 99, version: 3 };

/// Bytes that count up: nothing here is kept.
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

/// The least nanoseconds of a call over all rounds, by suite.
fn take_turns(mut call: impl FnMut(Suite) -> Result<(), Error>) -> Result<[f64; 2], Error> {
    let mut least = [f64::MAX; 2];
    for _ in 0..ROUNDS {
        for (suite, least) in Suite::ALL.into_iter().zip(&mut least) {
            let began = Instant::now();
            for _ in 0..RECORDS {
                call(suite)?;
            }
            *least = least.min(began.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS));
        }
    }
    Ok(least)
}

fn say(what: &str, [aes, sm4]: [f64; 2]) {
    println!("{what:<28} {aes:>8.0} ns {sm4:>8.0} ns   {:.2} ×", sm4 / aes);
}

fn main() -> Result<(), Error> {
    let random = &mut Counting(0);
    let epoch = EpochKey::new(1, &Secret::random(random)?)?;
    let mut new = |class| epoch.new_shop_key(1, class, Suite::Sm4Gcm, random);
    let rows = ShopKeyRows {
        wraps: vec![(1, new(Class::Wrap)?)],
        index: new(Class::Index)?,
        row: new(Class::Row)?,
        request: new(Class::Request)?,
    };
    let keys = ShopKeys::open(1, &[epoch], &rows)?;
    let random = &mut Counting(9);
    let (_, subject) = keys.new_key(Class::Main, 7, random)?;
    let (_, term) = keys.new_key(Class::Term, 1, random)?;
    let values: Vec<(u8, Personal<Value>)> =
        (0..12).map(|field| (field, Personal::new(Value::Text("a".repeat(31))))).collect();
    let fields: Vec<(u8, &Personal<Value>)> = values.iter().map(|(field, value)| (*field, value)).collect();
    let groups = [Group { subject: &subject, term: &term, fields: Fields::of(0..12) }];
    let mut message_id = [0; 32];
    let mut sealed = |suite| {
        random.fill(&mut message_id)?;
        seal(&Sealing { suite, place: PLACE, clear: b"clear" }, &groups, &fields, &message_id)
    };
    let open = |sealed: &[u8]| {
        Envelope::parse(sealed)?.authenticate(&PLACE, b"clear", |_| Some((&*subject, &*term)))
    };
    let (of_one, of_two) = (sealed(Suite::Aes256Gcm)?, sealed(Suite::Sm4Gcm)?);

    println!("{:<28} {:>11} {:>11}", "a record of 12 fields", "suite 1", "suite 2");
    say("seal", take_turns(|suite| sealed(suite).map(|sealed| drop(black_box(sealed))))?);
    let one_of = |suite| if suite == Suite::Aes256Gcm { &of_one } else { &of_two };
    say("open", take_turns(|suite| open(black_box(one_of(suite))))?);
    say("seal and open", take_turns(|suite| open(&sealed(suite)?))?);
    Ok(())
}
