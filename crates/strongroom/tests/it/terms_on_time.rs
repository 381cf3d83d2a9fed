//! Retention ends on time, whatever waits or is broken; and never before something that was asked for in time has moved a record.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use ledger::entry::Act;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use strongroom::account;
use strongroom::erase::{self, Swept};
use strongroom::ground::clock::{DAY, HOUR, MINUTE};
use strongroom::ground::{Role, SubjectId};

use crate::support::{Bench, Key, answer, at};

/// The Monday on which the key of the accounts dies that are closed at the start: 30 days, and on to the next Monday.
const END: &str = "2026-12-28T00:00:00Z";

/// So many customers, whose accounts are closed. What stays of them beyond [`END`] is what they say yes to until then.
fn closed_accounts(count: usize) -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    for id in 0..count {
        bench.customer(&by, &id.to_string());
        let record = json!({ "kind": "customer", "external_id": id.to_string() });
        bench.post(&by, "/v1/records:event", &json!({ "record": record, "event": "closed" })).is(200);
    }
    bench.round();
    (bench, by)
}

fn pass_to(bench: &Bench, instant: i64) {
    bench.pass(instant - bench.now());
}

fn letters(bench: &Bench, by: &Key, id: usize) -> u16 {
    let asked = json!({ "purpose": "marketing_email", "subject": { "external_id": id.to_string() } });
    bench.post(by, "/v1/records:reveal", &asked).status
}

/// Is what the letters need there, and not only granted?
fn has_address(bench: &Bench, by: &Key, id: usize) -> bool {
    let asked = json!({ "purpose": "marketing_email", "subject": { "external_id": id.to_string() } });
    let shown = bench.post(by, "/v1/records:reveal", &asked).json();
    shown["records"][0]["fields"]["email"] == format!("{id}@shop.example")
}

fn sweep(bench: &Bench) -> Swept {
    erase::sweep(bench.house(), &bench.shop()).unwrap()
}

fn attention(bench: &Bench) -> Json {
    bench.get_as_stranger("/health/ready").is(200)["attention"].clone()
}

fn edit(bench: &mut Bench, statement: &str) {
    bench.close();
    let database = crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap();
    assert!(database.execute(statement, []).unwrap() > 0, "nothing was edited");
    drop(database);
    bench.open();
}

#[test]
fn a_yes_before_an_end_holds_the_term_until_the_record_has_moved_and_no_longer() {
    let (bench, by) = closed_accounts(1);
    pass_to(&bench, at(END) - HOUR);
    bench.choose(&by, "0", "marketing_email", "granted");
    pass_to(&bench, at(END) + 2 * HOUR);
    assert_eq!(sweep(&bench), Swept { held: 1, ..Swept::default() });
    bench.round();
    assert_eq!((bench.count(Act::Expired), sweep(&bench)), (1, Swept::default()));
    assert!(has_address(&bench, &by, 0), "it moved in time");
}

#[test]
fn what_is_asked_for_behind_an_end_does_not_hold_it() {
    let (bench, by) = closed_accounts(8);
    pass_to(&bench, at(END) + 2 * HOUR);
    for id in 0..8 {
        bench.choose(&by, &id.to_string(), "marketing_email", "granted");
    }
    assert_eq!(sweep(&bench), Swept { ended: 1, ..Swept::default() }, "while eight jobs wait");
    bench.round();
    assert_eq!(letters(&bench, &by, 0), 404, "what was over stays over");
}

#[test]
fn a_job_that_was_asked_for_again_while_it_waited_counts_from_the_first_time() {
    let (bench, by) = closed_accounts(1);
    pass_to(&bench, at(END) - 2 * HOUR);
    bench.choose(&by, "0", "marketing_email", "granted");
    pass_to(&bench, at(END) + 2 * HOUR);
    bench.choose(&by, "0", "recommendations", "granted");
    assert_eq!(sweep(&bench).held, 1);
    bench.round();
    assert_eq!((has_address(&bench, &by, 0), bench.count(Act::Expired)), (true, 1));
}

/// Rows that do not open, and how they came to be so.
const BROKEN: [&str; 5] = [
    "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE id = (SELECT min(id) FROM record)",
    "UPDATE record SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'5a' AS BLOB) WHERE id = (SELECT min(id) FROM record)",
    "UPDATE record SET clear = x'ff' WHERE id = (SELECT min(id) FROM record)",
    "UPDATE subject SET since = since + 1 WHERE id = (SELECT min(id) FROM subject)",
    "UPDATE choice_standing SET count = count + 1 WHERE subject = (SELECT min(subject) FROM choice_standing)",
];

#[test]
fn a_row_that_does_not_open_is_entered_and_stepped_over_and_holds_up_nobody() {
    if crate::engine::only_of_one("the round that met the row, and its health tells of it") {
        return;
    }
    for statement in BROKEN {
        let (mut bench, by) = closed_accounts(2);
        bench.is_broken_on_purpose();
        pass_to(&bench, at(END) - DAY);
        for id in ["0", "1"] {
            bench.choose(&by, id, "marketing_email", "granted");
        }
        edit(&mut bench, statement);
        let named = account::deep_check(bench.house(), &bench.shop(), &mut |_, _| {});
        assert!(named.is_err() || named.is_ok_and(|deep| !deep.findings.is_empty()), "{statement}");
        pass_to(&bench, at(END) + 2 * HOUR);
        bench.round();
        bench.pass(2 * MINUTE);
        bench.round();
        assert_eq!(bench.count(Act::Expired), 1, "{statement}");
        assert!(bench.count(Act::OpeningFailed) > 0, "{statement}");
        assert_eq!(attention(&bench), json!(["rows_do_not_open"]), "{statement}");
        assert!(has_address(&bench, &by, 1), "the other one moved in time: {statement}");
    }
}

#[test]
fn a_new_policy_steps_over_a_row_that_does_not_open() {
    for statement in BROKEN {
        let (mut bench, by) = closed_accounts(2);
        bench.is_broken_on_purpose();
        bench.choose(&by, "0", "marketing_email", "granted");
        bench.round();
        edit(&mut bench, statement);
        let policy =
            crate::support::POLICY.replacen("30d after customer.closed", "31d after customer.closed", 1);
        bench.post(&bench.admin, "/v1/policies", &json!({ "text": policy })).is(201);
        bench.round();
        let shop = bench.shop().column();
        let waits = bench.house().store.look_blocking::<_, strongroom::ground::Problem, _>(move |view| {
            Ok(view.first_asked(shop, strongroom::ground::jobs::LAY_OUT)?)
        });
        assert_eq!(waits.unwrap(), None, "{statement}");
        assert!(bench.count(Act::OpeningFailed) > 0, "{statement}");
    }
}

#[test]
fn a_term_whose_own_row_was_edited_is_left_and_shown_and_the_others_end() {
    let (mut bench, by) = closed_accounts(1);
    bench.is_broken_on_purpose();
    bench.pass(14 * DAY);
    bench.customer(&by, "late");
    let late = json!({ "kind": "customer", "external_id": "late" });
    bench.post(&by, "/v1/records:event", &json!({ "record": late, "event": "closed" })).is(200);
    pass_to(&bench, at("2027-01-12T00:00:00Z"));
    // Behind the house's back, while it is open: at a start it would be refused.
    let database = crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap();
    let first =
        "UPDATE term SET ends_at = ends_at - 1 WHERE id = (SELECT id FROM term ORDER BY ends_at LIMIT 1)";
    assert_eq!(database.execute(first, []).unwrap(), 1);
    drop(database);
    let swept = sweep(&bench);
    assert_eq!(swept, Swept { ended: 1, held: 0, edited: 1 });
}

#[test]
fn a_subject_that_is_changed_without_pause_is_laid_out_all_the_same() {
    let (bench, by) = closed_accounts(1);
    let over = AtomicBool::new(false);
    let subject = {
        let database = crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap();
        database
            .query_row("SELECT id FROM subject", [], |row| row.get(0))
            .map(SubjectId::from_column)
            .unwrap()
    };
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (router, by, over) = (bench.api(), by.clone(), &over);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let mut yes = thread % 2 == 0;
                while !over.load(Ordering::Relaxed) {
                    let body = json!({
                        "subject": { "external_id": "0" }, "purpose": "marketing_email",
                        "choice": if yes { "granted" } else { "withdrawn" },
                        "notice": { "version": 1, "language": "zh" },
                    });
                    let request = by.posts("/v1/choices").body(Body::from(body.to_string())).unwrap();
                    runtime.block_on(answer(router.clone(), request));
                    yes = !yes;
                }
            });
        }
        let laid_out: Vec<bool> =
            (0..40).map(|_| erase::reclock(bench.house(), &bench.shop(), subject, None).is_ok()).collect();
        over.store(true, Ordering::Relaxed);
        assert!(laid_out.iter().all(|done| *done), "{laid_out:?}");
    });
    bench.round();
}

#[test]
fn more_jobs_than_a_round_takes_hold_no_term_that_ends_behind_them() {
    let (bench, by) = closed_accounts(300);
    pass_to(&bench, at(END) - DAY);
    for id in 0..300 {
        bench.choose(&by, &id.to_string(), "marketing_email", "granted");
    }
    pass_to(&bench, at(END) + 2 * HOUR);
    assert_eq!(sweep(&bench).held, 1, "jobs that were asked for in time wait");
    for _ in 0..2 {
        bench.round();
        bench.pass(2 * MINUTE);
    }
    bench.round();
    assert_eq!(bench.count(Act::Expired), 1);
    for id in 0..300 {
        assert!(has_address(&bench, &by, id), "customer {id}");
    }
}

/// What happens on the way to an end and behind it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Yes(usize),
    No(usize),
    Round,
    Sweep,
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_usize).prop_map(Step::Yes),
        2 => (0..4_usize).prop_map(Step::No),
        1 => Just(Step::Round),
        2 => Just(Step::Sweep),
        3 => (1..5_i64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 4..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes in which order: a yes that was given before the end, and not taken back, keeps the record; and the term has
    /// ended once the jobs are done.
    #[test]
    fn no_term_ends_over_a_yes_that_was_given_in_time_and_every_term_ends(
        steps in steps(), broken in proptest::option::of(0..4_usize),
    ) {
        let (mut bench, by) = closed_accounts(4);
        if let Some(broken) = broken {
            bench.is_broken_on_purpose();
            edit(&mut bench, &format!(
                "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE id = (SELECT id FROM record ORDER BY id LIMIT 1 OFFSET {broken})"
            ));
        }
        let end = at(END);
        pass_to(&bench, end - 12 * HOUR);
        // The last thing that each said, and whether it was a yes in time that nothing took back since.
        // Whoever did not say yes in time and was laid out, or whose term has ended, has nothing left: the account is over.
        let (mut said, mut stays, mut gone) = ([None; 4], [false; 4], [false; 4]);
        for step in steps {
            match step {
                Step::Yes(id) | Step::No(id) => {
                    let yes = matches!(step, Step::Yes(_));
                    if said[id] == Some(yes) || gone[id] {
                        continue;
                    }
                    bench.pass(1);
                    let word = if yes { "granted" } else { "withdrawn" };
                    bench.choose(&by, &id.to_string(), "marketing_email", word);
                    said[id] = Some(yes);
                    stays[id] = yes && bench.now() < end;
                }
                Step::Round => {
                    bench.round();
                    for id in 0..4 {
                        gone[id] |= !stays[id] && (said[id].is_some() || bench.now() >= end);
                    }
                }
                Step::Sweep => {
                    sweep(&bench);
                }
                Step::Pass(hours) => bench.pass(hours * HOUR),
            }
            for id in (0..4).filter(|id| stays[*id] && !gone[*id] && Some(*id) != broken) {
                prop_assert_eq!(letters(&bench, &by, id), 200, "customer {} said yes in time", id);
            }
        }
        pass_to(&bench, bench.now().max(end + 2 * HOUR));
        bench.round();
        bench.pass(2 * MINUTE);
        bench.round();
        prop_assert_eq!(sweep(&bench), Swept::default(), "nothing that is over is left");
        prop_assert_eq!(bench.count(Act::Expired), 1);
        for id in (0..4).filter(|id| stays[*id] && !gone[*id] && Some(*id) != broken) {
            prop_assert!(has_address(&bench, &by, id), "customer {}", id);
        }
    }
}

#[test]
fn a_certificate_s_date_holds_when_epochs_are_made_longer() {
    let epoch = |bench: &Bench| bench.house().keys.with(|ring| ring.epochs.last().unwrap().number);
    for erases in [true, false] {
        let mut bench = Bench::new();
        let by = bench.service();
        bench.pass(3 * DAY);
        let subject = bench.customer(&by, "42");
        let mut by_then = bench.now() + 30 * DAY;
        if erases {
            let officer = bench.key(Role::Officer, &[]);
            let given = bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
            let body: Json = serde_json::from_str(given["body"].as_str().unwrap()).unwrap();
            by_then = at(body["unreadable_everywhere_by"].as_str().unwrap());
        }
        let begun = epoch(&bench);
        bench.close();
        bench.places.epoch_days = 365;
        bench.open();
        let (half, half_a_day) = (by_then - 15 * DAY, DAY / 2);
        for instant in [half, by_then - half_a_day] {
            pass_to(&bench, instant);
            bench.customer(&by, &instant.to_string());
            bench.round();
        }
        let changed = epoch(&bench) > begun;
        assert_eq!(changed, erases, "before the date that the certificate names, and not without one");
        // What is promised in the new epoch is promised for 365 days.
        bench.pass(40 * DAY / 2);
        bench.round();
        assert_eq!(epoch(&bench), begun + u32::from(erases));
    }
}

#[test]
fn an_epoch_ends_at_its_own_time_while_the_dates_of_certificates_cannot_be_looked_up() {
    let mut bench = Bench::new();
    bench.is_broken_on_purpose();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.close();
    let data = bench.places.data.clone();
    let rename = |from: &str, to: &str| {
        crate::engine::change_schema(&data, &format!("ALTER TABLE {from} RENAME TO {to}"));
    };
    rename("erasure", "erasure_hidden");
    bench.open();
    let epoch = || bench.house().keys.with(|ring| ring.epochs.last().unwrap().number);
    let begun = epoch();
    bench.pass(2 * MINUTE);
    bench.round();
    assert_eq!((epoch(), attention(&bench)), (begun, json!(["rotation_failing"])));
    bench.pass(30 * DAY);
    bench.round();
    assert_eq!((epoch(), attention(&bench)), (begun + 1, json!(["rotation_failing"])));
    rename("erasure_hidden", "erasure");
    bench.pass(2 * MINUTE);
    bench.round();
    assert_eq!((epoch(), attention(&bench)), (begun + 1, json!([])));
}

#[test]
fn no_copy_from_before_a_migration_outlives_a_start_that_finds_everything_in_order() {
    if crate::engine::only_in_a_folder("a server's rows are not copied before a migration") {
        return;
    }
    let mut bench = Bench::new();
    let copy = bench.places.data.join("before-schema-7.db");
    bench.close();
    std::fs::copy(bench.places.data.join(store::DATABASE), &copy).unwrap();
    let heads = bench.places.keys.join("heads");
    let signed = std::fs::read(&heads).unwrap();
    std::fs::write(&heads, b"no heads\n").unwrap();
    strongroom::open::open(&bench.places, bench.clock.clone()).unwrap_err();
    assert!(copy.exists(), "it is the way back while something is not in order");
    std::fs::write(&heads, signed).unwrap();
    bench.open();
    assert!(!copy.exists(), "it holds keys that may have to die");
}
