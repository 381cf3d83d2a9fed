//! A stranger's program, written from docs/spec/seal.md alone, opens what this one sealed, and nothing that it destroyed.
//!
//! The script is docs/spec/open_vault.py. Its Python is made by `cargo xtask test` in target/judges/opener.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::vault::{Vault, choice, customer, order};

/// The script, and a Python that can run it.
pub(crate) struct Opener {
    python: PathBuf,
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

impl Opener {
    /// `None` after saying so.
    pub(crate) fn find() -> Option<Opener> {
        let own = Path::new(ROOT).join("target/judges/opener/bin/python");
        let can = |python: &PathBuf| {
            let asks = "import cryptography.hazmat.primitives.kdf.argon2";
            let mut command = Command::new(python);
            command.args(["-c", asks]).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let found = [own, PathBuf::from("python3")].into_iter().find(can);
        if found.is_none() {
            eprintln!(
                "SKIPPED: no Python with `cryptography` 44 or newer, so no stranger has opened what was sealed (cargo xtask test --only needs)"
            );
        }
        found.map(|python| Opener { python })
    }

    pub(crate) fn script(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(Path::new(ROOT).join("docs/spec/open_vault.py")).stdin(Stdio::null());
        command
    }

    /// Opens what it can of a copy, with the keys that it finds in it and in others.
    pub(crate) fn opens(&self, thief: &Thief<'_>, copies: &[&Path]) -> Found {
        let (first, others) = copies.split_first().unwrap();
        let mut command = self.script();
        command.args(["--json", "--values", "--everywhere", "--keys"]).arg(thief.keys);
        if let Some(passphrase) = thief.passphrase {
            command.arg("--passphrase-file").arg(passphrase);
        }
        for other in others {
            command.arg("--beside").arg(other);
        }
        let output = command.arg(first).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let code = output.status.code().unwrap();
        assert!(code < 2, "{}", String::from_utf8_lossy(&output.stderr));
        let said: Json = serde_json::from_str(&said).unwrap();
        let found = Found { said };
        assert_eq!(code == 1, found.broken() > 0, "the exit code says whether something is broken");
        found
    }
}

/// What a thief holds beside copies of the data.
pub(crate) struct Thief<'t> {
    pub(crate) keys: &'t Path,
    pub(crate) passphrase: Option<&'t Path>,
}

/// What the script found.
#[derive(Debug)]
pub(crate) struct Found {
    said: Json,
}

impl Found {
    pub(crate) fn records(&self) -> &[Json] {
        self.said["found"].as_array().unwrap()
    }

    pub(crate) fn broken(&self) -> u64 {
        self.said["broken"].as_u64().unwrap()
    }

    pub(crate) fn figure(&self, name: &str) -> u64 {
        self.said[name].as_u64().unwrap()
    }

    /// Fields that opened of a subject, in whatever copy and version.
    pub(crate) fn fields_of(&self, subject: &str) -> BTreeSet<String> {
        let of_subject = self.records().iter().filter(|record| record["subject"] == subject);
        let fields = of_subject.flat_map(|record| {
            let kind = record["kind"].as_str().unwrap();
            record["opened"].as_object().unwrap().keys().map(move |field| format!("{kind}.{field}"))
        });
        fields.collect()
    }

    /// Everything that it says, to look for values in.
    pub(crate) fn text(&self) -> String {
        self.said.to_string()
    }

    /// Record → what opened.
    fn opened(&self) -> BTreeMap<String, Json> {
        let pairs = self
            .records()
            .iter()
            .map(|record| (record["record"].as_str().unwrap().to_owned(), record["opened"].clone()));
        pairs.collect()
    }
}

/// What the shop's own normalisers make of what [`customer`] and [`order`] send.
fn as_kept(sent: &Json) -> Json {
    let mut kept = sent["fields"].clone();
    if let Some(phone) = kept["phone"].as_str() {
        kept["phone"] = json!(format!("+86{phone}"));
    }
    if kept["amount"] == "88.00" {
        kept["amount"] = json!("88");
    }
    kept["external_id"] = sent["external_id"].clone();
    kept
}

#[test]
fn the_script_makes_every_vector_of_the_document() {
    let Some(opener) = Opener::find() else { return };
    let vectors = Path::new(ROOT).join("docs/spec/seal-vectors.json");
    let check = |vectors: &Path| opener.script().arg("--vectors").arg(vectors).output().unwrap();
    let output = check(&vectors);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // It would notice: one digit of the document is another.
    let folder = crate::support::folder();
    let other = folder.path().join("vectors.json");
    let text = std::fs::read_to_string(vectors).unwrap();
    std::fs::write(&other, text.replacen("\"alias\": \"7", "\"alias\": \"8", 1)).unwrap();
    let output = check(&other);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("DIFFERS: alias"));
}

/// A vault that the real server has filled, and what was put in, by record.
struct Filled {
    vault: Vault,
    put_in: BTreeMap<String, Json>,
    passphrase: Option<PathBuf>,
}

impl Filled {
    fn new(passphrase: Option<&str>) -> Filled {
        let (vault, passphrase) = match passphrase {
            None => (Vault::new(), None),
            Some(words) => {
                let folder = crate::vault::private_folder();
                let file = folder.keep().join("words");
                std::fs::write(&file, format!("{words}\n")).unwrap();
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                std::fs::set_permissions(&file, mode).unwrap();
                let vault = Vault::with(&["--passphrase-file", file.to_str().unwrap()]);
                (vault, Some(file))
            }
        };
        Filled { vault, put_in: BTreeMap::new(), passphrase }
    }

    fn found(&self, opener: &Opener, data: &Path) -> Found {
        let keys = self.vault.keys();
        opener.opens(&Thief { keys: &keys, passphrase: self.passphrase.as_deref() }, &[data])
    }

    /// Customers and orders come in, one is changed, one chooses, one is erased; while the server is up and after it is not the
    /// script opens exactly what lives.
    fn fill(&mut self, opener: &Opener) {
        let (intake, officer) = (self.vault.credential("intake", &[]), self.vault.credential("officer", &[]));
        let server = self.vault.serve();
        let mut caller = server.caller(&intake);
        let mut last = String::new();
        for number in 0..6 {
            for sent in [customer(number), order(number)] {
                let answer = caller.post("/v1/records", &sent).has(201).json();
                self.put_in.insert(answer["record"].as_str().unwrap().to_owned(), as_kept(&sent));
                answer["subject"].as_str().unwrap().clone_into(&mut last);
            }
        }
        // A second version of one record, and a consent, behind which it is laid out again.
        let mut changed = customer(1);
        changed["fields"]["name"] = json!("Somebody Else 安");
        let answer = caller.post("/v1/records", &changed).has(200).json();
        self.put_in.insert(answer["record"].as_str().unwrap().to_owned(), as_kept(&changed));
        caller.post("/v1/choices", &choice(2, "granted")).has(201);
        assert_eq!(self.found(opener, &self.vault.data()).opened(), self.put_in, "beside the server");

        server.caller(&officer).post(&format!("/v1/subjects/{last}:erase"), &json!({})).has(200);
        self.put_in.retain(|_, fields| fields["external_id"] != "c-5" && fields["external_id"] != "o-5");
        self.vault.ask(&["backup", "--to", "copy"]);
        server.stop();
        for data in [self.vault.data(), self.vault.path("copy")] {
            let found = self.found(opener, &data);
            let (lives, of_erased): (BTreeMap<_, _>, BTreeMap<_, _>) =
                found.opened().into_iter().partition(|(record, _)| self.put_in.contains_key(record));
            assert_eq!(lives, self.put_in, "{}", data.display());
            for opened in of_erased.values() {
                let fields = opened.as_object().unwrap();
                assert!(fields.keys().all(|field| RETAINED.contains(&field.as_str())), "{opened}");
            }
            assert_eq!(found.broken(), 0);
        }
        self.vault.is_well();
    }
}

/// What the example's shop must keep of an order, and the number under which the order is found.
pub(crate) const RETAINED: [&str; 5] = ["items", "amount", "invoice_title", "tax_number", "external_id"];

#[test]
fn a_stranger_with_the_key_file_opens_every_living_record_that_the_server_wrote() {
    let Some(opener) = Opener::find() else { return };
    Filled::new(None).fill(&opener);
}

#[test]
fn a_stranger_with_the_passphrase_opens_every_living_record_that_the_server_wrote() {
    let Some(opener) = Opener::find() else { return };
    let mut filled = Filled::new(Some("海港 and seven quiet harbours"));
    filled.fill(&opener);
    // With other words not even the keyring unlocks.
    let other = filled.vault.private_file("other", "海港 and seven quiet harbors\n");
    let output = opener
        .script()
        .args(["--passphrase-file", other.to_str().unwrap(), "--keys"])
        .args([filled.vault.keys(), filled.vault.data()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    std::fs::remove_dir_all(filled.passphrase.unwrap().parent().unwrap()).unwrap();
}

#[test]
fn without_being_asked_the_script_shows_no_value() {
    let Some(opener) = Opener::find() else { return };
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    server.caller(&intake).post("/v1/records", &customer(7)).has(201);
    server.stop();
    for json in [&[][..], &["--json"]] {
        let output =
            opener.script().args(json).arg("--keys").args([vault.keys(), vault.data()]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("email") && output.status.success(), "{said}");
        for value in ["Customer 7", "customer7@harbour.example", "13800000007", "c-7"] {
            assert!(!said.contains(value), "{said}");
        }
    }
}

/// Changes one row of a copy of a vault.
fn edited(vault: &Vault, name: &str, edit: impl FnOnce(&rusqlite::Connection)) -> PathBuf {
    let copy = vault.path(name);
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(vault.database(), copy.join("strongroom.db")).unwrap();
    let connection = rusqlite::Connection::open(copy.join("strongroom.db")).unwrap();
    edit(&connection);
    connection.close().unwrap();
    copy
}

fn sealed_of(connection: &rusqlite::Connection, record: i64) -> Vec<u8> {
    connection.query_row("SELECT sealed FROM record WHERE id = ?1", [record], |row| row.get(0)).unwrap()
}

#[test]
fn a_flipped_byte_a_moved_ciphertext_and_a_wrong_ordinal_do_not_open() {
    let Some(opener) = Opener::find() else { return };
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    let mut caller = server.caller(&intake);
    for number in 0..2 {
        caller.post("/v1/records", &customer(number)).has(201);
    }
    server.stop();
    let keys = vault.keys();
    let thief = Thief { keys: &keys, passphrase: None };
    let whole = opener.opens(&thief, &[&vault.data()]);
    assert_eq!((whole.broken(), whole.figure("fields_opened")), (0, 8), "{whole:?}");

    let connection = rusqlite::Connection::open(vault.database()).unwrap();
    let ids: Vec<i64> = connection
        .prepare("SELECT id FROM record ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let (one, two) = (sealed_of(&connection, ids[0]), sealed_of(&connection, ids[1]));
    connection.close().unwrap();
    let set = |sealed: Vec<u8>| {
        let record = ids[0];
        move |connection: &rusqlite::Connection| {
            connection
                .execute("UPDATE record SET sealed = ?1 WHERE id = ?2", rusqlite::params![sealed, record])
                .unwrap();
        }
    };
    // The header is 37 bytes and one group: 65 bytes, then a bitmap of 32 because of the external id; then the fields.
    let fields_at = 37 + 1 + 16 + 16 + 32 + 1 + 32;
    let mut flipped = one.clone();
    flipped[fields_at + 3] ^= 1;
    let mut last = one.clone();
    *last.last_mut().unwrap() ^= 0x80;
    // Ordinals 0 and 1 exchange their sealed fields: each is whole, and opens under the nonce of the other only.
    let [first, second] = {
        let length = |at: usize| usize::from(one[at]) + 1;
        let between = fields_at + length(fields_at);
        [fields_at..between, between..between + length(between)]
    };
    let exchanged =
        [&one[..fields_at], &one[second.clone()], &one[first.clone()], &one[second.end..]].concat();
    assert_ne!(exchanged, one);
    // The bitmap says ordinal 3 where it was 2: nothing in the bytes of the fields is another.
    let mut renamed = one.clone();
    let bitmap = fields_at - 32;
    assert_eq!(renamed[bitmap], 0b0111);
    renamed[bitmap] = 0b1011;

    let cases: [(&str, Vec<u8>, u64); 5] = [
        ("flipped", flipped, 7),
        ("flipped in the last tag", last, 7),
        ("another record's", two, 4),
        ("two fields exchanged", exchanged, 6),
        ("another ordinal", renamed, 4),
    ];
    for (name, sealed, opens) in cases {
        let copy = edited(&vault, name, set(sealed));
        let found = opener.opens(&thief, &[&copy]);
        assert_eq!(found.figure("fields_opened"), opens, "{name}: {found:?}");
        // Somebody else's envelope names a key that is not of this subject; it is found by its id all the same, and does not fit.
        assert_eq!(found.broken() + found.figure("fields_opened"), 8, "{name}: {found:?}");
    }
    for (name, sql) in [
        ("version", "UPDATE record SET version = version + 1 WHERE id = ?1"),
        ("clear", "UPDATE record SET clear = x'0100000000000000000000' WHERE id = ?1"),
    ] {
        let copy = edited(&vault, name, |connection| {
            connection.execute(sql, [ids[0]]).unwrap();
        });
        let found = opener.opens(&thief, &[&copy]);
        assert_eq!((found.figure("fields_opened"), found.broken()), (4, 4), "{name}: {found:?}");
    }
    // A wrapped key moved to another subject unwraps for nobody.
    let copy = edited(&vault, "key", |connection| {
        connection
            .execute_batch(
                "UPDATE subject SET keys = (SELECT keys FROM subject ORDER BY id LIMIT 1) WHERE id = (SELECT max(id) FROM subject)",
            )
            .unwrap();
    });
    let found = opener.opens(&thief, &[&copy]);
    assert_eq!((found.figure("fields_opened"), found.broken()), (4, 0), "{found:?}");
}
