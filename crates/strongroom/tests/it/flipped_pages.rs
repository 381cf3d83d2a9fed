//! A bit that flips in the files of a PostgreSQL server: with checksums of pages it is named and nothing else is held up. The twin
//! has none: there what is sealed or hashed is noticed, and nothing else is.
//!
//! Each test has a server of its own, of the version that the run is for.

#![cfg(test)]

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use testbed::{Own, Postgres};

use crate::engine::{Home, version};
use crate::vault::{POLICY, Server, Vault, customer, order, reveal};

/// Customers of the first shop: more than one page of an index has room for.
const CUSTOMERS: u64 = 600;
/// The one with an order so long that it lies beside the table (TOAST).
const LONG: u64 = 3;
/// A page of PostgreSQL's files, bytes.
const PAGE: usize = 8_192;
/// What a read of a page says that is not what was written (XX001).
const DAMAGED: &str = "SR-STORE-006";

/// A vault with two shops, on a server that the test may stop.
struct Scene {
    vault: Vault,
    intake: String,
    service: String,
    second_intake: String,
    second_service: String,
    // Last: what lies on it is dropped before.
    own: Own,
}

/// One bit of a file.
struct Bit {
    file: PathBuf,
    at: u64,
    /// Which of its byte's, from the lowest.
    nth: u8,
}

impl Bit {
    /// Flips it. Nobody may have the file open.
    fn flip(&self) {
        let file = File::options().read(true).write(true).open(&self.file).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, self.at).unwrap();
        file.write_all_at(&[byte[0] ^ (1 << self.nth)], self.at).unwrap();
        file.sync_all().unwrap();
    }
}

impl Scene {
    /// Nothing where the run is for no server: it says so aloud.
    fn new() -> Option<Scene> {
        let Some(version) = version() else {
            eprintln!("SKIPPED: flipped pages of a server: this run is for folders (STRONGROOM_TEST_PG)");
            return None;
        };
        // Nobody but the test reads pages.
        let own = Postgres::own(version, &[("autovacuum", "off")])?;
        let database = own.database();
        let address = database.run_socket_url();
        let vault = Vault::on(Home::at(database, &address));
        let second = POLICY.replace("id = \"harbour-hill\"", "id = \"second-shop\"");
        std::fs::write(vault.path("second.toml"), second).unwrap();
        let (intake, service) = (vault.credential("intake", &[]), vault.credential("service", &USES));
        vault.ask(&["shops", "add", "--policy", "second.toml"]);
        let second = |role: &str, purposes: &[&str]| {
            let mut arguments = vec!["credentials", "add", "--role", role, "--label", "two"];
            arguments.extend(["--shop", "second-shop"]);
            arguments.extend(purposes.iter().flat_map(|purpose| ["--purpose", *purpose]));
            vault.ask(&arguments)["credential"].as_str().unwrap().to_owned()
        };
        let (second_intake, second_service) = (second("intake", &[]), second("service", &USES));
        let server = vault.serve();
        let mut caller = server.caller(&intake);
        for first in (0..CUSTOMERS).step_by(25) {
            let items: Vec<Json> = (first..first + 25).map(customer).collect();
            caller.post("/v1/records:batch", &json!({ "items": items })).has(200);
        }
        let mut long = order(LONG);
        long["fields"]["items"] = json!("teapot ".repeat(1_000));
        caller.post("/v1/records", &long).has(201);
        (0..5).for_each(|number| {
            server.caller(&second_intake).post("/v1/records", &customer(number)).has(201);
        });
        server.stop();
        let scene = Scene { vault, intake, service, second_intake, second_service, own };
        assert_eq!(scene.wrong(&["doctor", "--deep"]), [""; 0], "it is well before");
        Some(scene)
    }

    fn sql(&self, statement: &str) -> String {
        self.own.sql(self.vault.database_name(), statement)
    }

    /// Of the row that a query gives as hex, in the first pages of a relation: a bit of its byte `at`.
    #[track_caller]
    fn bit_of(&self, relation: &str, row: &str, at: usize, nth: u8) -> Bit {
        self.sql("CHECKPOINT");
        let wanted = bytes_of(&self.sql(row));
        let file = self.file_of(relation);
        let pages = std::fs::read(&file).unwrap();
        let found = pages.windows(wanted.len()).position(|here| here == wanted).expect("the row is there");
        Bit { file, at: u64::try_from(found + at).unwrap(), nth }
    }

    /// A bit where a table's first page has no row.
    fn bit_of_nothing(&self, relation: &str) -> Bit {
        self.sql("CHECKPOINT");
        let file = self.file_of(relation);
        let page = std::fs::read(&file).unwrap();
        let word = |at: usize| usize::from(u16::from_le_bytes([page[at], page[at + 1]]));
        // SOURCE: PostgreSQL's manual, 73.6: pd_lower and pd_upper, between which nothing lies.
        let (lower, upper) = (word(12), word(14));
        assert!(lower < upper && upper < PAGE, "{lower} {upper}");
        Bit { file, at: u64::try_from(lower.midpoint(upper)).unwrap(), nth: 3 }
    }

    fn file_of(&self, relation: &str) -> PathBuf {
        self.own.data_dir().join(self.sql(&format!("SELECT pg_relation_filepath('{relation}')")))
    }

    /// The places where a bit is flipped, each with the table that is to be named.
    fn places(&self) -> [(&'static str, Place, Bit); 6] {
        let sealed = "SELECT encode(substr(sealed, 90, 16), 'hex') FROM record ORDER BY ctid LIMIT 1";
        let packed = "SELECT encode(packed, 'hex') FROM leaf ORDER BY ctid LIMIT 1";
        let toast = self.sql("SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'record'::regclass");
        let chunk =
            format!("SELECT encode(substr(chunk_data, 500, 16), 'hex') FROM {toast} ORDER BY ctid LIMIT 1");
        let index = "index record_id_key of table record";
        let key = self.bit_of_key();
        // SOURCE: PostgreSQL's `itup.h`: eight bytes before its key an entry says where its row is, page (four bytes) and number on it.
        let lead = Bit { file: key.file.clone(), at: key.at - 5 - 4, nth: 1 };
        [
            ("table record", Place::Row, self.bit_of("record", sealed, 7, 2)),
            ("table record", Place::Nothing, self.bit_of_nothing("record")),
            ("table record", Place::Long, self.bit_of(&toast, &chunk, 7, 2)),
            (index, Place::Key, key),
            (index, Place::Lead, lead),
            ("table leaf", Place::Entries, self.bit_of("leaf", packed, 30, 2)),
        ]
    }

    /// A bit of a key in the index of records that makes it a number which nobody has.
    fn bit_of_key(&self) -> Bit {
        self.sql("CHECKPOINT");
        let mut wanted = bytes_of(
            &self.sql("SELECT encode(int8send(id), 'hex') FROM record ORDER BY id OFFSET 5 LIMIT 1"),
        );
        wanted.reverse(); // there it stands as the machine has it
        let file = self.file_of("record_id_key");
        let pages = std::fs::read(&file).unwrap();
        let found = pages.windows(8).position(|here| here == wanted).expect("the key is there");
        assert_eq!(found / PAGE, 1, "in the first leaf, which is not the root");
        Bit { file, at: u64::try_from(found).unwrap() + 5, nth: 4 }
    }

    /// A bit of the way back from the second leaf of that index to the first. No walk forward and no search takes it.
    fn bit_of_a_way_back(&self) -> Bit {
        self.sql("CHECKPOINT");
        let file = self.file_of("record_id_key");
        let pages = std::fs::read(&file).unwrap();
        // SOURCE: PostgreSQL's `nbtree.h`, BTPageOpaqueData: 16 bytes at the end of a page, the page before first.
        let at = 3 * PAGE - 16;
        assert_eq!(pages[at..at + 4], 1_u32.to_le_bytes(), "the second page is the second leaf");
        Bit { file, at: u64::try_from(at).unwrap(), nth: 2 }
    }

    /// Stops the server, flips a bit, and starts it again: nothing of before is in its memory.
    fn flip(&self, bit: &Bit) {
        self.own.stop();
        bit.flip();
        self.own.start();
    }

    /// The codes that a look names, each with what it speaks of.
    #[track_caller]
    fn looks(&self, command: &[&str]) -> Vec<(String, String)> {
        let looked = self.vault.run(&[command, &["--json", "--shop", "harbour-hill"]].concat());
        let looks = looked.json();
        let wrong = looks.as_array().unwrap().iter().filter(|look| look["well"] == false);
        let text = |look: &Json, key: &str| look[key].as_str().unwrap().to_owned();
        let wrong: Vec<_> = wrong.map(|look| (text(look, "what"), text(look, "said"))).collect();
        assert_eq!(looked.code, if wrong.is_empty() { 0 } else { 4 }, "{wrong:?}");
        // Lines that only say that there are such as follow.
        wrong.into_iter().filter(|(what, _)| what != "server" && what != "rows").collect()
    }

    #[track_caller]
    fn wrong(&self, command: &[&str]) -> Vec<String> {
        self.looks(command).into_iter().map(|(what, _)| what).collect()
    }

    /// Looks, and a page is named as damaged: that of this table or index.
    #[track_caller]
    fn names(&self, command: &[&str], wanted: &str) {
        let looks = self.looks(command);
        let named = |(what, said): &(String, String)| what == "SR-DEEP-023" && said.ends_with(wanted);
        assert!(looks.iter().any(named), "{command:?} does not name {wanted}: {looks:?}");
    }

    /// Reveals customers: each is right, or refused with a code. Gives the codes.
    #[track_caller]
    fn codes(&self, server: &Server, customers: Range<u64>, purpose: &str) -> Vec<String> {
        let mut service = server.caller(&self.service);
        let mut codes = Vec::new();
        for number in customers {
            let answer = service.post("/v1/records:reveal", &reveal(number, purpose));
            if answer.status == 200 {
                let shown = answer.json();
                let fields = &shown["records"][0]["fields"];
                let right = if purpose == "account" {
                    fields["name"] == format!("Customer {number}")
                } else {
                    fields["items"].as_str().is_some_and(|items| items.len() == 6_999 || items.len() == 7_000)
                };
                assert!(right, "{number}: {shown}");
            } else {
                assert!(!answer.text().contains("Customer "), "{}", answer.text());
                codes.push(answer.json()["code"].as_str().unwrap().to_owned());
            }
        }
        codes
    }
}

/// What a bit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A sealed column.
    Row,
    /// The part of a page where no row is.
    Nothing,
    /// A sealed column that lies beside the table.
    Long,
    /// A key in an index.
    Key,
    /// Where a key in an index leads.
    Lead,
    /// Entries of the ledger, of the last day: each start reads them, to count whom a credential has reached.
    Entries,
}

const USES: [&str; 2] = ["account", "after_sales"];

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_bit_that_flips_on_a_servers_disk_is_named_and_holds_up_nobody_else() {
    let Some(scene) = Scene::new() else { return };
    for ((named, place, bit), number) in scene.places().into_iter().zip(10_000..) {
        scene.flip(&bit);
        if place == Place::Entries {
            scene.vault.serve_with(&[]).unwrap_err().fails(DAMAGED);
            assert_eq!(scene.wrong(&["doctor"])[0], DAMAGED, "why there is no house");
        } else {
            if place == Place::Long {
                assert_eq!(scene.wrong(&["doctor"]), [""; 0], "nobody has read it yet");
            }
            scene.is_served_around(place, named, number);
        }
        scene.names(&["doctor"], named);
        scene.names(&["doctor", "--deep"], named);
        scene.flip(&bit);
        // The server remembers what it met until somebody says that it was looked at.
        assert_eq!(scene.wrong(&["doctor", "--deep"]), ["SR-SERVER-017"], "{place:?}");
        scene.sql("SELECT pg_stat_reset()");
        assert_eq!(scene.wrong(&["doctor", "--deep"]), [""; 0], "{place:?}");
    }
}

impl Scene {
    /// Whoever does not need the page is served; whoever needs it is told by its code, and gets nothing wrong.
    #[track_caller]
    fn is_served_around(&self, place: Place, named: &str, number: u64) {
        let server = self.vault.serve();
        let first = self.codes(&server, 0..60, "account");
        let last = self.codes(&server, 500..505, "account");
        let long = self.codes(&server, LONG..LONG + 1, "after_sales");
        eprintln!("{place:?}: {} of 60 refused, of the long one {}", first.len(), long.len());
        let codes = first.iter().chain(&long).chain(&last);
        assert!(codes.clone().all(|code| code == DAMAGED), "{place:?}: {codes:?}");
        let (rows, long, elsewhere) = (first.len(), long.len(), last.len());
        match place {
            Place::Row | Place::Nothing => assert!((1..60).contains(&rows) && elsewhere == 0),
            Place::Long => assert_eq!((rows, long, elsewhere), (0, 1, 0)),
            Place::Key | Place::Lead => {
                assert_eq!((rows, long, elsewhere), (60, 1, 0), "all that it leads to");
            }
            Place::Entries => panic!("no house is opened there"),
        }
        for (intake, service) in [(&self.second_intake, &self.second_service), (&self.intake, &self.service)]
        {
            server.caller(intake).post("/v1/records", &customer(number)).has(201);
            server.caller(service).post("/v1/records:reveal", &reveal(number, "account")).has(200);
        }
        self.names(&["doctor"], named);
        server.stop();
    }
}

#[test]
fn without_checksums_what_is_sealed_or_hashed_is_noticed_and_nothing_else() {
    let Some(scene) = Scene::new() else { return };
    scene.own.stop();
    scene.own.without_checksums();
    scene.own.start();
    let unguarded = "SR-SERVER-001";
    assert_eq!(scene.wrong(&["doctor", "--deep"]), [unguarded], "that there are none is said");
    for (_, place, bit) in scene.places() {
        scene.flip(&bit);
        let server = scene.vault.serve();
        let first = scene.codes(&server, 0..60, "account");
        let long = scene.codes(&server, LONG..LONG + 1, "after_sales");
        server.stop();
        let (looked, deep) = (scene.wrong(&["doctor"]), scene.wrong(&["doctor", "--deep"]));
        eprintln!("{place:?}: {first:?} {long:?} {looked:?} {deep:?}");
        let (seal, ledger) = ("SR-REVEAL-004", "ledger");
        match place {
            // Its seal says so, when it is opened.
            Place::Row | Place::Long => {
                assert_eq!([first, long].concat(), [seal]);
                assert_eq!(
                    (looked, deep),
                    (vec![unguarded.into()], vec![unguarded.into(), "SR-DEEP-009".into()])
                );
            }
            // Nobody says so: it changes nothing.
            Place::Nothing => {
                assert_eq!((first.len(), long.len()), (0, 0));
                assert_eq!((looked, deep), (vec![unguarded.into()], vec![unguarded.into()]));
            }
            // Customers who are there are said not to be, and only a walk along the index finds out why.
            Place::Key => {
                assert!(!first.is_empty() && first.iter().all(|code| code == "SR-KEEP-001"), "{first:?}");
                assert_eq!(
                    (looked, deep),
                    (vec![unguarded.into()], vec![unguarded.into(), "SR-DEEP-033".into()])
                );
            }
            Place::Lead => {
                assert_eq!(looked, [unguarded]);
                assert_eq!(deep, [unguarded, "SR-DEEP-033"]);
            }
            // The hash of the ledger is not the one that was signed.
            Place::Entries => {
                assert_eq!((first.len(), long.len()), (0, 0));
                assert_eq!(
                    (looked, deep),
                    (vec![unguarded.into(), ledger.into()], vec![unguarded.into(), ledger.into()])
                );
            }
        }
        scene.flip(&bit);
        assert_eq!(scene.wrong(&["doctor", "--deep"]), [unguarded], "{place:?}");
    }
    // What no search takes nobody notices, unless the extension is there that looks at it.
    let bit = scene.bit_of_a_way_back();
    scene.flip(&bit);
    assert_eq!(scene.wrong(&["doctor", "--deep"]), [unguarded]);
    scene.sql("CREATE EXTENSION amcheck; GRANT EXECUTE ON FUNCTION bt_index_check(regclass) TO PUBLIC");
    assert_eq!(scene.wrong(&["doctor", "--deep"]), [unguarded, "SR-DEEP-033"]);
    scene.flip(&bit);
    assert_eq!(scene.wrong(&["doctor", "--deep"]), [unguarded]);
}
