//! Rows that decide something, edited by somebody who can write the database: whoever reads one says so, and follows nothing.

use serde_json::{Value as Json, json};
use strongroom::account;
use strongroom::ground::Role;
use strongroom::open;

use crate::support::{Bench, Key, Reply};

const EDITED: &str = "SR-KEEP-004";

/// Two customers.
fn with_two() -> (Bench, Key, [String; 2]) {
    let mut bench = Bench::new();
    bench.is_broken_on_purpose();
    let by = bench.service();
    let subjects = ["1", "2"].map(|id| bench.customer(&by, id));
    (bench, by, subjects)
}

fn database(bench: &Bench) -> crate::engine::Behind {
    crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap()
}

/// Edits the closed database.
fn edit(bench: &mut Bench, statement: &str) {
    bench.close();
    assert!(database(bench).execute(statement, []).unwrap() > 0, "nothing was edited");
    bench.open();
}

/// The records of all subjects, as the database numbers them.
fn records(bench: &Bench) -> Vec<i64> {
    let database = database(bench);
    let mut found = database.prepare("SELECT id FROM record ORDER BY id").unwrap();
    found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[track_caller]
fn is_edited(reply: &Reply) {
    assert_eq!(reply.is(500)["code"], EDITED, "{}", reply.text());
}

/// What the deep check finds.
fn deep_codes(bench: &Bench) -> Vec<&'static str> {
    let report = account::deep_check(bench.house(), &bench.shop(), &mut |_, _| {}).unwrap();
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_lookup_that_leads_to_somebody_else_is_not_followed() {
    let (mut bench, by, _) = with_two();
    let [one, two] = records(&bench)[..] else { panic!("two records") };
    edit(&mut bench, &format!("UPDATE lookup SET record = {two} WHERE record = {one} AND slot = 0"));

    let subject = json!({ "external_id": "1" });
    let record = json!({ "kind": "customer", "external_id": "1" });
    for (path, body) in [
        ("/v1/records:reveal", json!({ "purpose": "account", "record": record })),
        ("/v1/records:reveal", json!({ "purpose": "account", "subject": subject })),
        ("/v1/tokens", json!({ "purpose": "account", "record": record, "field": "email" })),
        ("/v1/subjects:find", json!({ "subject": subject })),
        ("/v1/records", json!({ "kind": "customer", "external_id": "1", "fields": { "name": "Eve" } })),
        ("/v1/records:event", json!({ "record": record, "event": "active" })),
    ] {
        let reply = bench.post(&by, path, &body);
        assert_eq!(reply.is(500)["code"], EDITED, "{path}: {}", reply.text());
    }
    let choice = json!({ "subject": subject, "purpose": "marketing_email", "choice": "granted",
        "notice": { "version": 1, "language": "zh" } });
    is_edited(&bench.post(&by, "/v1/choices", &choice));
    // The external id's lookup, and the one of the e-mail address, which may stand once only.
    assert_eq!(deep_codes(&bench), ["SR-DEEP-019", "SR-DEEP-019", "SR-DEEP-018"]);
}

#[test]
fn a_lookup_written_by_hand_for_a_searchable_value_is_not_followed() {
    let (mut bench, by, _) = with_two();
    let [one, two] = records(&bench)[..] else { panic!("two records") };
    // The first customer's e-mail address leads to the second one's record too.
    edit(
        &mut bench,
        &format!(
            "INSERT INTO lookup (shop, blind, slot, record, mac)
         SELECT shop, blind, {two}, {two}, mac FROM lookup WHERE record = {one} AND slot = 0"
        ),
    );
    let value = json!({ "email": "1@shop.example" });
    is_edited(&bench.post(
        &by,
        "/v1/records:reveal",
        &json!({ "purpose": "account", "subject": { "match": value } }),
    ));
    is_edited(&bench.post(
        &by,
        "/v1/records:search",
        &json!({ "purpose": "account", "field": "email", "value": "1@shop.example" }),
    ));
    assert_eq!(deep_codes(&bench), ["SR-DEEP-019", "SR-DEEP-019"]);
}

#[test]
fn a_token_that_stands_for_something_else_is_not_resolved() {
    for edits in [
        "UPDATE token SET record = (SELECT max(id) FROM record)",
        "UPDATE token SET field = field + 1",
        "UPDATE token SET recipient = -1",
        "UPDATE token SET made = 1 - made",
        "UPDATE token SET mac = x'00'",
    ] {
        let (mut bench, by, _) = with_two();
        bench.order(&by, "1", "O-1");
        bench.order(&by, "2", "O-2");
        let body = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-1" },
            "field": "phone", "recipient": "sf-express" });
        let token = bench.post(&by, "/v1/tokens", &body).is(201)["token"].clone();
        edit(&mut bench, edits);
        let body = json!({ "purpose": "delivery", "token": token, "recipient": "sf-express" });
        is_edited(&bench.post(&by, "/v1/tokens:resolve", &body));
        assert_eq!(deep_codes(&bench), ["SR-DEEP-020"], "{edits}");
    }
}

#[test]
fn an_end_that_was_put_off_by_hand_is_told_and_decides_nothing() {
    for edits in [
        "UPDATE choice_standing SET ends = ''",
        "UPDATE choice_standing SET ends = replace(ends, '=1', '=2')",
        "UPDATE choice_standing SET ends = ends || ',99=4102444800000000'",
    ] {
        let head = "[purpose.marketing_email]\n";
        let ends = crate::support::POLICY.replacen(head, &format!("{head}ask_again = \"30d\"\n"), 1);
        let mut bench = Bench::with_policy(&ends);
        bench.is_broken_on_purpose();
        let by = bench.service();
        bench.customer(&by, "1");
        bench.choose(&by, "1", "marketing_email", "granted");
        edit(&mut bench, edits);
        let body = json!({ "purpose": "marketing_email", "subject": { "external_id": "1" } });
        is_edited(&bench.post(&by, "/v1/records:reveal", &body));
        assert_eq!(deep_codes(&bench), ["SR-DEEP-004"], "{edits}");
    }
}

#[test]
fn a_choice_that_was_moved_in_time_or_taken_away_decides_nothing() {
    for edits in [
        "UPDATE choice SET at = at - 86400000000 WHERE said = 1",
        "UPDATE choice SET purpose = purpose + 1 WHERE said = 1",
        "UPDATE choice SET said = 2 WHERE said = 1",
        "UPDATE choice SET ends_at = 4102444800000000 WHERE said = 1",
        "DELETE FROM choice WHERE said = 1",
    ] {
        let (mut bench, by, _) = with_two();
        bench.choose(&by, "1", "marketing_email", "refused");
        bench.pass(1_000_000);
        bench.choose(&by, "1", "marketing_email", "granted");
        bench.pass(1_000_000);
        edit(&mut bench, edits);
        // The refusal would look like the last word, and another one like nothing new: the yes would go on standing.
        let body = json!({ "subject": { "external_id": "1" }, "purpose": "marketing_email", "choice": "refused",
            "notice": { "version": 1, "language": "zh" } });
        is_edited(&bench.post(&by, "/v1/choices", &body));
        assert_eq!(deep_codes(&bench), ["SR-DEEP-021"], "{edits}");
    }
}

#[test]
fn a_subject_whose_mac_alone_was_edited_is_written_under_and_told_by_who_finds_it() {
    if crate::engine::only_of_one("what it knows of subjects that it has lately seen") {
        return;
    }
    let (bench, by, [one, _]) = with_two();
    bench.order(&by, "1", "O-1");
    let edited = "UPDATE subject SET mac = zeroblob(16) WHERE id = (SELECT min(id) FROM subject)";
    assert_eq!(database(&bench).execute(edited, []).unwrap(), 1);
    // What this process knows of the subject is what stands there: the order rests on nothing else.
    bench.order(&by, "1", "O-2");
    assert_eq!(records(&bench).len(), 4);
    is_edited(&bench.post(&by, "/v1/subjects:find", &json!({ "subject": { "id": one } })));
    let ask = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-2" } });
    is_edited(&bench.post(&by, "/v1/records:reveal", &ask));
    // Any other column is one that it rests on.
    assert_eq!(database(&bench).execute("UPDATE subject SET since = since + 1", []).unwrap(), 2);
    let body = json!({ "kind": "order", "external_id": "O-3", "subject": { "external_id": "1" }, "fields": { "items": "Tea" } });
    is_edited(&bench.post(&by, "/v1/records", &body));
}

fn erase(bench: &Bench, subject: &str) -> Reply {
    let officer = bench.key(Role::Officer, &[]);
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({}))
}

#[test]
fn an_erasure_written_by_hand_is_not_answered_with() {
    let (mut bench, _, [one, two]) = with_two();
    erase(&bench, &one).is(200);
    // The second one's, as if it had been done: everything but the MAC can be copied.
    edit(
        &mut bench,
        "INSERT INTO erasure (subject, shop, at, everywhere_by, entry, body, salt, mac)
         SELECT (SELECT max(id) FROM subject), shop, at, everywhere_by, entry, body, salt, mac FROM erasure",
    );
    is_edited(&erase(&bench, &two));
    assert_eq!(deep_codes(&bench), ["SR-DEEP-022"]);
}

#[test]
fn an_erasure_taken_away_is_missed() {
    let (mut bench, _, [one, two]) = with_two();
    erase(&bench, &one).is(200);
    erase(&bench, &two).is(200);
    assert!(deep_codes(&bench).is_empty());
    edit(&mut bench, "DELETE FROM erasure WHERE subject = (SELECT min(subject) FROM erasure)");
    assert_eq!(deep_codes(&bench), ["SR-DEEP-024"]);
}

#[test]
fn an_erasure_of_somebody_who_stands_here_is_done_again() {
    let (mut bench, by, [one, _]) = with_two();
    let row = |bench: &Bench| -> (i64, i64, Vec<u8>, Vec<u8>) {
        let sql = "SELECT id, standing, keys, mac FROM subject ORDER BY id LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        database(bench).query_row(sql, [], read).unwrap()
    };
    let (id, standing, keys, mac) = row(&bench);
    let first: Json = erase(&bench, &one).is(200);
    assert_eq!(erase(&bench, &one).is(200)["body"], first["body"]);

    bench.close();
    let put_back = "UPDATE subject SET standing = $1, keys = $2, mac = $3 WHERE id = $4";
    database(&bench).execute(put_back, rusqlite::params![standing, keys, mac, id]).unwrap();
    bench.open();
    let reveal = json!({ "purpose": "account", "record": { "kind": "customer", "external_id": "1" } });
    bench.post(&by, "/v1/records:reveal", &reveal).is(200); // the row by itself is good

    bench.pass(1_000_000);
    let again = erase(&bench, &one).is(200);
    assert_ne!(again["body"], first["body"]);
    bench.post(&by, "/v1/records:reveal", &reveal).is_a_problem();
    assert_eq!(erase(&bench, &one).is(200)["body"], again["body"]);
}

#[test]
fn a_job_written_by_hand_cleans_up_behind_nobody_who_lives() {
    let (mut bench, by, _) = with_two();
    bench.choose(&by, "1", "marketing_email", "refused");
    bench.round();
    edit(
        &mut bench,
        "INSERT INTO job (id, shop, kind, subject, due_at, leased_until, attempts, asked, progress)
         SELECT 1000000 + id, shop, 'clean-subject', id, 0, 0, 0, 1, x'' FROM subject",
    );
    bench.round();
    let found = bench.post(&by, "/v1/subjects:find", &json!({ "subject": { "external_id": "1" } })).is(200);
    assert_eq!(found["choices"].as_array().map(Vec::len), Some(1), "{found}");
    assert!(deep_codes(&bench).is_empty());
}

#[test]
fn a_shop_whose_log_was_turned_back_is_not_opened() {
    for edits in
        ["UPDATE shop SET generation = 2", "UPDATE shop SET since = since + 1", "UPDATE shop SET mac = x''"]
    {
        let (mut bench, _, _) = with_two();
        bench.close();
        assert_eq!(database(&bench).execute(edits, []).unwrap(), 1);
        let problem = open::open(&bench.places, bench.clock.clone()).unwrap_err();
        assert_eq!(problem.code, EDITED, "{edits}");
    }
}

#[test]
fn rows_that_nobody_edited_are_found_whole() {
    let (mut bench, by, [one, _]) = with_two();
    bench.order(&by, "2", "O-2");
    bench.choose(&by, "2", "marketing_email", "granted");
    let body = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-2" }, "field": "phone" });
    bench.post(&by, "/v1/tokens", &body).is(201);
    erase(&bench, &one).is(200);
    bench.close();
    bench.open();
    assert!(deep_codes(&bench).is_empty());
}

#[test]
fn a_living_key_that_a_row_calls_destroyed_stops_the_start_and_is_not_listed() {
    let (mut bench, by, [one, _]) = with_two();
    let shop = bench.shop();
    let subject: strongroom::ground::SubjectId = bench.house().ids.read(&one).unwrap();
    let key = bench.house().store.look_blocking::<_, strongroom::ground::Problem, _>(move |view| {
        Ok(strongroom::keep::find_subject(view, &shop, subject)?.unwrap().keys[0].id.0)
    });
    let key = key.unwrap();
    bench.close();
    let row = "INSERT INTO destroyed (key_id, shop, at) VALUES (?1, 1, 0)";
    database(&bench).execute(row, [&key[..]]).unwrap();
    let listed = std::fs::read(bench.places.keys.join("erased.log")).unwrap();
    let refused = open::open(&bench.places, bench.clock.clone()).unwrap_err();
    assert_eq!(refused.code, "SR-OPEN-005");
    assert_eq!(std::fs::read(bench.places.keys.join("erased.log")).unwrap(), listed);
    // Without the row it is as it was.
    edit(&mut bench, "DELETE FROM destroyed WHERE at = 0");
    let ask = json!({ "purpose": "account", "subject": { "external_id": "1" } });
    bench.post(&by, "/v1/records:reveal", &ask).is(200);
}

#[test]
fn a_head_that_was_edited_beside_the_server_is_not_signed() {
    let (bench, by, _) = with_two();
    let shop = bench.shop();
    let before = strongroom::ground::heads::sign(bench.house(), &shop).unwrap();
    let edited = database(&bench).execute("UPDATE log_head SET root = zeroblob(32), size = size - 1", []);
    assert_eq!(edited.unwrap(), 1);
    assert_eq!(strongroom::ground::heads::sign(bench.house(), &shop).unwrap(), before);
    strongroom::ground::heads::write_heads(bench.house()).unwrap();
    let kept = std::fs::read_to_string(bench.places.keys.join("heads")).unwrap();
    assert!(kept.contains(before.lines().nth(2).unwrap()), "the root that the writer made");
    drop(by);
}

#[test]
fn a_restore_does_not_keep_a_ledger_that_is_not_the_signed_one() {
    let (mut bench, by, _) = with_two();
    let backup = bench.places.data.with_file_name("backup");
    strongroom::backup::make(bench.house(), &backup, |_, _| {}).unwrap();
    bench.customer(&by, "3");
    bench.close();
    // One bit of the first entry is another.
    let database = database(&bench);
    let packed: Vec<u8> =
        database.query_row("SELECT packed FROM leaf ORDER BY id LIMIT 1", [], |row| row.get(0)).unwrap();
    let mut other = packed;
    *other.last_mut().unwrap() ^= 1;
    let first = "UPDATE leaf SET packed = ?1 WHERE id = (SELECT min(id) FROM leaf)";
    database.execute(first, [&other]).unwrap();
    drop(database);
    let clock: std::sync::Arc<dyn strongroom::ground::clock::Clock> = bench.clock.clone();
    let restored = strongroom::backup::restore(&bench.places, &backup, None, &clock, |_, _, _| {});
    assert_eq!(restored.unwrap_err().code, "SR-BACKUP-004", "it asks since when the ledger is lost");
}
