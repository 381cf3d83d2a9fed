//! Erasure that survives theft: who holds every old copy, today's keys folder and the passphrase opens nothing of who was erased and
//! of what is over, from the date on that the certificate says; and can, until then.
//!
//! The thief is docs/spec/open_vault.py, which shares nothing with the program, and looks for keys in free pages and old frames too.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use seal::Suite;
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::clock::{Clock, DAY, parse_instant};
use strongroom::ground::keys_folder::{LockSource, UNLOCK};
use strongroom::open::{self, Places, Rows};
use strongroom::{account, backup};

use crate::opener::{Found, Opener, RETAINED, Thief};
use crate::support::{Bench, Key, at, folder, longer_policy};

/// A house, everything that a thief has copied of it, and the thief.
struct Scene {
    bench: Bench,
    service: Key,
    officer: Key,
    opener: Opener,
    stolen: tempfile::TempDir,
    /// The passphrase, where the keyring is locked by one.
    words: Option<PathBuf>,
}

/// What locks the keyring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LockedBy {
    /// As an operator who takes care has it; half a second each time that it is unlocked.
    Passphrase,
    /// A file in the keys folder, which the thief has, too.
    KeyFile,
}

impl Scene {
    /// `None` when there is no thief on this machine; that was said.
    fn new(locked_by: LockedBy) -> Option<Scene> {
        Scene::of(locked_by, Suite::Aes256Gcm)
    }

    /// The same, of a shop that seals with this suite.
    fn of(locked_by: LockedBy, suite: Suite) -> Option<Scene> {
        let opener = Opener::find()?;
        let mut bench = Bench::of_suite(&longer_policy(), suite);
        let stolen = folder();
        let mut words = None;
        if locked_by == LockedBy::Passphrase {
            let file = stolen.path().join("words");
            std::fs::write(&file, "seven quiet harbours and one hill\n").unwrap();
            closed_to_others(&file, 0o600);
            let lock = LockSource::PassphraseFile(file.clone());
            bench.house().keys.relock(&lock).unwrap();
            bench.close();
            bench.places.lock = lock;
            std::fs::remove_file(bench.places.keys.join(UNLOCK)).unwrap();
            bench.open();
            words = Some(file);
        }
        let purposes =
            ["account", "delivery", "payment", "after_sales", "tax", "marketing_email", "birthday"];
        let (service, officer) = (bench.service_for(&purposes), bench.key(Role::Officer, &[]));
        Some(Scene { bench, service, officer, opener, stolen, words })
    }

    /// The thief, with these keys.
    fn thief<'t>(&'t self, keys: &'t Path) -> Thief<'t> {
        Thief { keys, passphrase: self.words.as_deref() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stolen.path().join(name)
    }

    /// A backup, as an operator makes it.
    fn backup(&self, name: &str) -> PathBuf {
        backup::make(self.bench.house(), &self.path(name), |_, _| {}).unwrap();
        self.path(name)
    }

    /// The data folder as it lies there while it is served: database, WAL, and whatever else.
    fn copy_data(&self, name: &str) -> PathBuf {
        copy_folder(&self.bench.places.data, &self.path(name));
        crate::engine::rows_beside(&self.bench.places.data, &self.path(name));
        assert!(self.path(name).join("strongroom.db").exists());
        self.path(name)
    }

    /// What opens of these copies with today's keys folder, the passphrase, and every key that the copies hold.
    fn thief_opens(&self, copies: &[&Path]) -> Found {
        let found = self.opener.opens(&self.thief(&self.bench.places.keys), copies);
        assert_eq!(found.broken(), 0, "what the thief has is whole: {found:?}");
        found
    }

    fn erase(&self, subject: &str) -> Erased {
        let path = format!("/v1/subjects/{subject}:erase");
        let certificate = self.bench.post(&self.officer, &path, &json!({})).is(200);
        let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
        let instant = |name: &str| parse_instant(body[name].as_str().unwrap()).unwrap();
        let retained = body["retained"].as_array().unwrap().iter().flat_map(|purpose| {
            purpose["fields"].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned())
        });
        Erased {
            subject: subject.to_owned(),
            here_since: instant("unreadable_here_since"),
            everywhere_by: instant("unreadable_everywhere_by"),
            retained: retained.collect(),
        }
    }

    /// Days pass, and the caretaker makes its round on each.
    fn pass_days(&self, days: i64) {
        for _ in 0..days {
            self.bench.pass(DAY);
            self.bench.round();
        }
    }

    fn pass_until(&self, instant: i64) {
        while self.bench.now() + DAY <= instant {
            self.pass_days(1);
        }
        self.bench.pass(instant - self.bench.now());
        self.bench.round();
    }

    fn epochs(&self) -> Vec<u32> {
        self.bench.house().keys.with(|ring| ring.epochs.iter().map(|epoch| epoch.number).collect())
    }
}

/// What a certificate says.
struct Erased {
    subject: String,
    here_since: i64,
    everywhere_by: i64,
    retained: Vec<String>,
}

impl Erased {
    /// Fields that opened of this person although no law keeps them.
    fn opened_of(&self, found: &Found) -> Vec<String> {
        let fields = found.fields_of(&self.subject);
        fields.into_iter().filter(|field| !self.retained.contains(field)).collect()
    }
}

fn closed_to_others(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// File by file, as a thief does. What is no file (the operator's socket) stays.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    closed_to_others(to, 0o700);
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn one_epoch_after_an_erasure_a_thief_with_old_copies_and_todays_keys_opens_nothing_of_the_person() {
    Scene::new(LockedBy::Passphrase).iter().for_each(nothing_opens_of_who_was_erased);
}

#[test]
fn the_same_holds_of_a_shop_of_the_second_suite() {
    Scene::of(LockedBy::KeyFile, Suite::Sm4Gcm).iter().for_each(nothing_opens_of_who_was_erased);
}

fn nothing_opens_of_who_was_erased(scene: &Scene) {
    let (bench, by) = (&scene.bench, &scene.service);
    let before = scene.backup("before");
    let lives = bench.customer(by, "lives");
    let erased = bench.customer(by, "erased");
    let owed = bench.customer(by, "owed"); // erased too, but a law keeps an invoice
    for (customer, order) in [("lives", "O-1"), ("owed", "O-2")] {
        bench.order(by, customer, order);
        bench.event(by, order, "completed");
    }
    let with = scene.backup("with");
    let live_copy = scene.copy_data("live-copy");
    if !crate::engine::only_in_a_folder("a WAL lies beside the rows that are stolen") {
        let wal = std::fs::metadata(live_copy.join("strongroom.db-wal")).unwrap();
        assert!(wal.len() > 0, "a WAL was stolen, too");
    }

    scene.pass_days(1);
    let (erased, owed) = (scene.erase(&erased), scene.erase(&owed));
    assert_eq!((erased.here_since, erased.everywhere_by), (bench.now(), bench.now() + 30 * DAY));
    assert!(erased.retained.is_empty() && owed.retained.len() == RETAINED.len());
    bench.round();
    let after = scene.backup("after");

    // Unreadable here since: today's folder holds nothing that opens it. Everywhere: not yet. The thief is able.
    for today in [&after, &scene.copy_data("just-after")] {
        let found = scene.thief_opens(&[today]);
        assert!(found.fields_of(&lives).contains("customer.email"));
        assert_eq!((erased.opened_of(&found), owed.opened_of(&found)), (vec![], vec![]), "{today:?}");
    }
    for old in [&with, &live_copy] {
        let found = scene.thief_opens(&[old]);
        assert_eq!(erased.opened_of(&found).len(), 4, "{old:?}: it can, until the epoch ends");
        assert!(owed.opened_of(&found).contains(&"order.address".to_owned()));
        assert!(found.text().contains("erased@shop.example"));
    }

    scene.pass_until(erased.everywhere_by);
    assert_eq!(scene.epochs(), [2], "the caretaker did it by itself, ahead of the date");
    // Every old copy, today's data folder beside it, today's keys, the passphrase: everything that there is to steal.
    let today = scene.copy_data("today");
    let all: [&Path; 6] = [&with, &live_copy, &before, &after, &scene.path("just-after"), &today];
    let found = scene.thief_opens(&all);
    for person in [&erased, &owed] {
        assert_eq!(
            person.opened_of(&found),
            Vec::<String>::new(),
            "unreadable everywhere by {}",
            person.everywhere_by
        );
    }
    for gone in ["erased@shop.example", "owed@shop.example"] {
        assert!(!found.text().contains(gone), "{gone}");
    }
    // What lives opens, and so does what a law keeps: also of the old copies, for their keys live on in today's.
    assert!(found.fields_of(&lives).contains("customer.email"));
    let kept = found.fields_of(&owed.subject);
    assert_eq!(kept, owed.retained.iter().cloned().collect(), "what the certificate says that a law keeps");
    let copies_that_open = |path: &Path| {
        let of_copy =
            |record: &&Json| record["copy"] == path.to_str().unwrap() && record["opened"] != json!({});
        found.records().iter().filter(of_copy).count()
    };
    assert!(copies_that_open(&with) > 0 && copies_that_open(&today) > 0);
    // An old copy without today's data beside it opens nothing at all.
    for old in [&with, &live_copy, &after] {
        assert_eq!(scene.thief_opens(&[old]).figure("fields_opened"), 0, "{old:?} is dark");
    }
}

#[test]
fn one_epoch_after_a_terms_end_a_thief_opens_nothing_that_ended_with_it() {
    let Some(scene) = Scene::new(LockedBy::KeyFile) else { return };
    let (bench, by) = (&scene.bench, &scene.service);
    let lives = bench.customer(by, "lives");
    let ends = bench.customer(by, "ends");
    bench.order(by, "ends", "O-1");
    bench.event(by, "O-1", "completed");
    let closed =
        json!({ "kind": "customer", "external_id": "ends", "events": { "closed": "2026-11-23T02:00:00Z" } });
    bench.post(by, "/v1/records", &closed).is(200);
    // Said yes, and then no: what hung on the yes alone goes dark with the epoch as well.
    let notice = json!({ "version": 1, "language": "zh" });
    let says = json!({ "kind": "customer", "external_id": "lives", "fields": { "birth_date": "1990-03-07" },
                       "choices": [{ "purpose": "birthday", "choice": "granted", "notice": notice }] });
    bench.post(by, "/v1/records", &says).is(200);
    bench.round();
    let first = scene.backup("first");
    assert!(scene.thief_opens(&[&first]).text().contains("1990-03-07"));
    bench.choose(by, "lives", "birthday", "withdrawn");

    // The term ends on Monday, 28 December, in the second epoch; a backup is made the day before.
    let monday = at("2026-12-28T00:00:00Z");
    scene.pass_until(monday - DAY);
    assert_eq!(scene.epochs(), [2]);
    let (second, second_copy) = (scene.backup("second"), scene.copy_data("second-copy"));
    scene.pass_until(monday);
    let third = scene.backup("third");
    let of_term = |found: &Found| {
        let fields = found.fields_of(&ends);
        ["customer.email", "customer.phone"].iter().filter(|field| fields.contains(**field)).count()
    };
    let found = scene.thief_opens(&[&third, &scene.copy_data("monday")]);
    assert_eq!(of_term(&found), 0, "the key is gone here, at once");
    assert_eq!(of_term(&scene.thief_opens(&[&second])), 2, "until the epoch ends, the thief is able");
    assert_eq!(of_term(&scene.thief_opens(&[&third, &second_copy])), 2);

    scene.pass_until(monday + 30 * DAY);
    assert_eq!(scene.epochs(), [3]);
    let today = scene.copy_data("today");
    let found = scene.thief_opens(&[&today, &first, &second, &second_copy, &third, &scene.path("monday")]);
    assert_eq!(of_term(&found), 0, "what ended opens nowhere: {:?}", found.fields_of(&ends));
    assert!(!found.text().contains("ends@shop.example") && !found.text().contains("1990-03-07"));
    // The same person's order lives, and so does everybody else.
    assert!(found.fields_of(&ends).contains("order.address"));
    assert!(found.fields_of(&lives).contains("customer.email"));
}

#[test]
fn every_certificates_dates_are_what_a_thief_finds_over_three_epochs() {
    let Some(scene) = Scene::new(LockedBy::KeyFile) else { return };
    let (bench, by) = (&scene.bench, &scene.service);
    let lives = bench.customer(by, "lives");
    let (mut backups, mut erased): (Vec<PathBuf>, Vec<Erased>) = (Vec::new(), Vec::new());
    let (mut able, mut dark) = (0, 0);
    for step in 0..9 {
        let person = bench.customer(by, &format!("p-{step}"));
        backups.push(scene.backup(&format!("b-{step}")));
        let gone = scene.erase(&person);
        bench.round();
        // Now this backup opens the person who is erased here.
        let found = scene.thief_opens(&[backups.last().unwrap()]);
        assert_eq!(gone.opened_of(&found).len(), 4, "step {step}: the thief is able");
        let today = scene.copy_data(&format!("t-{step}"));
        assert_eq!(
            gone.opened_of(&scene.thief_opens(&[&today])),
            Vec::<String>::new(),
            "here since: step {step}"
        );
        erased.push(gone);
        scene.pass_days(10);

        let today = scene.copy_data(&format!("u-{step}"));
        let mut all: Vec<&Path> = vec![&today];
        all.extend(backups.iter().map(PathBuf::as_path));
        let found = scene.thief_opens(&all);
        assert!(found.fields_of(&lives).contains("customer.name"), "step {step}");
        for person in &erased {
            let opened = person.opened_of(&found).len();
            if bench.now() >= person.everywhere_by {
                assert_eq!(opened, 0, "step {step}: {} opens after its date", person.subject);
                dark += 1;
            } else {
                able += usize::from(opened > 0);
            }
        }
    }
    assert_eq!(scene.epochs(), [4]);
    assert_eq!((dark, able), (28, 9), "dates have passed, and before them the thief was able");
}

#[test]
fn behind_an_erasure_no_byte_of_the_wrapped_key_lies_about_in_the_data_folder() {
    if crate::engine::only_in_a_folder("what a server leaves in its files goes dark with the epoch") {
        return;
    }
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let subject = bench.customer(&service, "42");
    (0..40).for_each(|number| drop(bench.customer(&service, &format!("other-{number}"))));
    let number: seal::KeyId = {
        let (shop, id) = (bench.shop(), bench.house().ids.read(&subject).unwrap());
        let read = move |view: &store::View<'_>| strongroom::keep::find_subject(view, &shop, id);
        let row =
            bench.house().store.look_blocking::<_, strongroom::ground::Problem, _>(read).unwrap().unwrap();
        row.key(seal::Class::Main).unwrap().id
    };
    // class, id, and the version that wraps it: so it stands in a row of keys, and nowhere else.
    let wrapped = [&[1], &number.0[..], &1_u32.to_be_bytes()].concat();
    let lies_about = || {
        let files = std::fs::read_dir(&bench.places.data).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.is_file()).any(|path| contains(&std::fs::read(path).unwrap(), &wrapped))
    };
    assert!(lies_about(), "it is there to be found");
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    bench.round();
    // The WAL is cut by a thread of its own, within a second or two.
    let began = Instant::now();
    while lies_about() {
        assert!(began.elapsed() < Duration::from_secs(20), "the wrapped key still lies in the data folder");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

// ── Restores ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Copies of data and keys at one moment: what a restore is tried on.
struct Moment {
    name: &'static str,
    now: i64,
    epochs: Vec<u32>,
}

impl Scene {
    fn moment(&mut self, name: &'static str) -> Moment {
        let epochs = self.epochs();
        let now = self.bench.now();
        self.bench.close();
        copy_folder(&self.bench.places.data, &self.path(&format!("{name}-data")));
        crate::engine::rows_beside(&self.bench.places.data, &self.path(&format!("{name}-data")));
        copy_folder(&self.bench.places.keys, &self.path(&format!("{name}-keys")));
        self.bench.open();
        Moment { name, now, epochs }
    }

    /// A fresh pair of folders as they were at that moment.
    fn places_of(&self, moment: &Moment, name: &str) -> Places {
        let places = Places {
            data: self.path(&format!("{name}/data")),
            rows: Rows::InFolder,
            keys: self.path(&format!("{name}/keys")),
            lock: LockSource::KeyFile(self.path(&format!("{name}/keys")).join(UNLOCK)),
            ..self.bench.places.clone()
        };
        std::fs::create_dir(self.path(name)).unwrap();
        copy_folder(&self.path(&format!("{}-data", moment.name)), &places.data);
        copy_folder(&self.path(&format!("{}-keys", moment.name)), &places.keys);
        places
    }
}

/// The person stands here as erased, or not at all; and nothing of theirs opens but what a law keeps.
///
/// Gives what the thief finds.
fn stays_erased(scene: &Scene, places: &Places, clock: Arc<dyn Clock>, person: &Erased, what: &str) -> Found {
    let house = open::open(places, clock).unwrap();
    let (shop, id) = (house.shops().remove(0), house.ids.read(&person.subject).unwrap());
    let looking = Arc::clone(&shop);
    let row = house
        .store
        .look_blocking::<_, strongroom::ground::Problem, _>(move |view| {
            strongroom::keep::find_subject(view, &looking, id)
        })
        .unwrap();
    if let Some(row) = row {
        assert_eq!(row.standing, policy::Standing::Erased, "{what}");
        assert!(row.key(seal::Class::Main).is_none(), "{what}: the main key is back");
    }
    // The jobs that a restore leaves are done, and everything is as it should be.
    let caretaker = strongroom::caretaker::Caretaker::start(Arc::clone(&house)).unwrap();
    (0..3).for_each(|_| caretaker.round().unwrap());
    drop(caretaker);
    let deep = account::deep_check(&house, &shop, &mut |_, _| {}).unwrap();
    assert!(deep.findings.is_empty(), "{what}: {:?}", deep.findings);
    house.store.close();
    let found = scene.opener.opens(&scene.thief(&places.keys), &[&places.data]);
    assert_eq!(person.opened_of(&found), Vec::<String>::new(), "{what}: an erased person is back");
    found
}

#[test]
fn a_restore_of_a_backup_of_any_age_keeps_who_was_erased_erased() {
    let Some(mut scene) = Scene::new(LockedBy::KeyFile) else { return };
    let mut ages: Vec<(&'static str, u32)> = Vec::new();
    let mut age = |scene: &Scene, name: &'static str| {
        scene.backup(name);
        ages.push((name, *scene.epochs().last().unwrap()));
    };
    age(&scene, "before the person came");
    let lives = scene.bench.customer(&scene.service, "lives");
    let person = scene.bench.customer(&scene.service, "42");
    scene.bench.order(&scene.service, "42", "O-1");
    scene.bench.event(&scene.service, "O-1", "completed");
    age(&scene, "with the person");
    scene.pass_days(2);
    age(&scene, "just before the erasure");
    let person = scene.erase(&person);
    age(&scene, "just after the erasure");
    scene.bench.round();
    age(&scene, "cleaned up behind");
    let mut moments = vec![scene.moment("erased")];
    scene.pass_until(person.everywhere_by);
    age(&scene, "one epoch later");
    moments.push(scene.moment("one-epoch"));
    scene.pass_days(31);
    age(&scene, "two epochs later");
    moments.push(scene.moment("two-epochs"));
    assert_eq!(moments.iter().map(|moment| moment.epochs.clone()).collect::<Vec<_>>(), [[1], [2], [3]]);

    let (mut restored, mut dark) = (0, 0);
    for moment in &moments {
        let clock: Arc<dyn Clock> = Arc::new(strongroom::ground::clock::SetClock::at(moment.now));
        for (age, epoch) in ages.iter().filter(|(_, epoch)| *epoch <= moment.epochs[0]) {
            for ledger_is_lost in [false, true] {
                let what = format!("{age}, restored at {}, ledger lost: {ledger_is_lost}", moment.name);
                let places = scene.places_of(moment, &format!("try-{}", restored + dark));
                if ledger_is_lost {
                    std::fs::remove_dir_all(&places.data).unwrap();
                }
                let heads = std::fs::read_to_string(places.keys.join("heads")).unwrap();
                let lost = ledger_is_lost.then_some(heads.as_str());
                let ended = backup::restore(&places, &scene.path(age), lost, &clock, |_, _, _| {});
                if *epoch < moment.epochs[0] {
                    assert_eq!(ended.unwrap_err().code, "SR-SEAL-004", "{what}: it is dark");
                    dark += 1;
                    if ledger_is_lost {
                        continue;
                    }
                } else {
                    ended.unwrap_or_else(|problem| panic!("{what}: {problem:?}"));
                    restored += 1;
                }
                let found = stays_erased(&scene, &places, Arc::clone(&clock), &person, &what);
                // It was a restore, and not an empty house.
                let came = *age != "before the person came" || *epoch < moment.epochs[0];
                assert_eq!(found.fields_of(&lives).contains("customer.email"), came, "{what}");
            }
        }
    }
    assert_eq!((restored, dark), (14, 22));
    // The test can fail: without the list of destroyed keys, and without the database that names them too, the person is back.
    let places = scene.places_of(&moments[0], "without-the-list");
    std::fs::remove_dir_all(&places.data).unwrap();
    let heads = std::fs::read_to_string(places.keys.join("heads")).unwrap();
    std::fs::write(places.keys.join("erased.log"), "").unwrap();
    let clock: Arc<dyn Clock> = Arc::new(strongroom::ground::clock::SetClock::at(moments[0].now));
    backup::restore(&places, &scene.path("with the person"), Some(&heads), &clock, |_, _, _| {}).unwrap();
    let found = scene.opener.opens(&scene.thief(&places.keys), &[&places.data]);
    assert!(person.opened_of(&found).contains(&"customer.email".to_owned()), "{found:?}");
}
