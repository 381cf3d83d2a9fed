//! The limit, and the freeze.

#![cfg(test)]

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::Body;
use ledger::entry::{Act, ActorKind, Figure, Outcome};
use serde_json::json;
use store::Lane;
use strongroom::ground::clock::{DAY, HOUR, MINUTE};
use strongroom::ground::reached::Reach;
use strongroom::ground::{Actor, CredentialId, Id, Problem, Role, Work};
use strongroom::people::{self, limits};

use super::{deep_codes, house, listed, policy, reveal, reveal_until_frozen, unfreeze};
use crate::support::{Bench, Key, answer, logged};

/// Eight callers at once reveal every customer with one credential. Gives whom they got.
fn empty_the_vault(bench: &Bench, by: &Key, customers: usize) -> HashSet<usize> {
    let (next, opened) = (AtomicUsize::new(0), Mutex::new(HashSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= customers {
                        return;
                    }
                    let subject = json!({ "external_id": format!("c-{number}") });
                    let body = json!({ "purpose": "account", "subject": subject }).to_string();
                    let request = by.posts("/v1/records:reveal").body(Body::from(body)).unwrap();
                    let reply = runtime.block_on(answer(bench.api(), request));
                    match reply.status {
                        200 => drop(opened.lock().unwrap().insert(number)),
                        _ => drop(reply.problem(403, "SR-PEOPLE-009")),
                    }
                }
            });
        }
    });
    opened.into_inner().unwrap()
}

#[test]
fn at_full_speed_over_eight_connections_a_stolen_credential_reaches_its_limit_and_nobody_more() {
    let (bench, _) = house("25 subjects per hour, 60 per day", 200);
    let (stolen, other) = (bench.service_for(&["account"]), bench.service_for(&["account"]));
    assert_eq!(empty_the_vault(&bench, &stolen, 200).len(), 25);

    let frozen: Vec<_> = bench.entries().into_iter().filter(|entry| entry.act == Act::Frozen).collect();
    assert_eq!(frozen.len(), 1, "it is entered once");
    assert_eq!(frozen[0].actor.kind, ActorKind::House);
    let figure = |name| frozen[0].figure(name);
    assert_eq!((figure(Figure::Limit), figure(Figure::Hours)), (Some(25), Some(1)));
    assert!(listed(&bench, &stolen)["frozen"].is_string());
    assert_eq!(listed(&bench, &stolen)["reason"], "reached-its-limit");
    let health = bench.get_at_admin_door("/health/ready").is(200);
    assert_eq!(health["attention"], json!(["credentials_frozen"]));
    assert!(bench.get_at_admin_door("/metrics").text().contains("strongroom_credentials_frozen 1"));
    assert!(logged().contains("a credential was frozen"));

    // Frozen is frozen for everything, also for what its role would let it do.
    let find = json!({ "subject": { "external_id": "c-0" } });
    bench.post(&stolen, "/v1/subjects:find", &find).problem(403, "SR-PEOPLE-009");
    bench.get(&stolen, "/v1/policy").problem(403, "SR-PEOPLE-009");
    reveal(&bench, &other, 199).is(200);
    assert_eq!(listed(&bench, &other)["frozen"], json!(null), "others go on unharmed");
}

#[test]
fn without_a_limit_that_bites_the_same_callers_get_everybody() {
    let (bench, _) = house("10000000 per hour", 200);
    let stolen = bench.service_for(&["account"]);
    assert_eq!(empty_the_vault(&bench, &stolen, 200).len(), 200, "so it is the limit that holds them");
    assert_eq!(bench.count(Act::Frozen), 0);
}

#[test]
fn who_says_nothing_is_protected_all_the_same() {
    let bench = Bench::new();
    let usual = bench.shop().policy().compiled.find_purpose("account").unwrap().said.limit();
    assert_eq!(usual.to_string(), "1000 subjects per hour, 5000 per day");
}

#[test]
fn the_same_person_costs_once_however_often_and_a_refusal_costs_nothing() {
    let (bench, _) = house("3 per hour", 6);
    let service = bench.service_for(&["account", "marketing_email"]);
    for _ in 0..20 {
        reveal(&bench, &service, 1).is(200);
    }
    for number in 0..6 {
        let subject = json!({ "external_id": format!("c-{number}") });
        let letters = json!({ "purpose": "marketing_email", "subject": subject });
        bench.post(&service, "/v1/records:reveal", &letters).problem(403, "SR-REVEAL-001");
    }
    assert_eq!(reveal_until_frozen(&bench, &service, 2..6), 2);
}

#[test]
fn a_restart_and_another_one_give_nothing_back() {
    let (mut bench, _) = house("6 subjects per hour, 9 per day", 40);
    let service = bench.service_for(&["account"]);
    for number in 0..6 {
        bench.close();
        bench.open();
        reveal(&bench, &service, number).is(200);
    }
    bench.close();
    bench.open();
    reveal(&bench, &service, 3).is(200);
    assert_eq!(reveal_until_frozen(&bench, &service, 6..40), 0);
    bench.close();
    bench.open();
    reveal(&bench, &service, 3).problem(403, "SR-PEOPLE-009");
    // Unfrozen it is counted anew, and a restart knows that, too.
    unfreeze(&bench, &bench.admin, &service).is(200);
    reveal(&bench, &service, 10).is(200);
    bench.close();
    bench.open();
    assert_eq!(reveal_until_frozen(&bench, &service, 11..40), 5);
}

#[test]
fn the_hour_and_the_day_each_let_go_when_they_are_over() {
    let (bench, _) = house("4 subjects per hour, 6 per day", 40);
    let service = bench.service_for(&["account"]);
    (0..4).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(HOUR + 2 * MINUTE);
    (4..6).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(DAY - HOUR);
    (6..9).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(HOUR + 2 * MINUTE);
    assert_eq!(
        reveal_until_frozen(&bench, &service, 9..40),
        3,
        "six in the day, three of them of the hour before"
    );
}

#[test]
fn a_clock_that_is_set_gives_nobody_another_hour() {
    for jump in [-2 * DAY, -2 * HOUR, 2 * HOUR, 3 * DAY] {
        let (mut bench, _) = house("3 per hour", 20);
        let service = bench.service_for(&["account"]);
        reveal(&bench, &service, 0).is(200);
        reveal(&bench, &service, 1).is(200);
        bench.clock.set_wall(bench.now() + jump);
        reveal(&bench, &service, 2).is(200);
        assert_eq!(reveal_until_frozen(&bench, &service, 3..20), 0, "set by {jump}");
        assert!(bench.house().watch.in_doubt());
        bench.is_broken_on_purpose();
    }
}

#[test]
fn a_clock_set_back_over_a_restart_gives_nobody_another_hour() {
    let (mut bench, _) = house("3 per hour", 20);
    let service = bench.service_for(&["account"]);
    (0..3).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.close();
    bench.clock.set_wall(bench.now() - 3 * DAY);
    bench.open();
    assert!(bench.house().watch.in_doubt());
    assert_eq!(reveal_until_frozen(&bench, &service, 3..20), 0);
    bench.is_broken_on_purpose();
}

#[test]
fn a_search_counts_everybody_whom_it_finds_and_shows_nobody_when_they_are_too_many() {
    let (bench, _) = house("5 per hour", 12);
    let service = bench.service_for(&["account"]);
    let search = |value: &str| {
        let ask = json!({ "purpose": "account", "field": "phone", "value": value, "limit": 100 });
        bench.post(&service, "/v1/records:search", &ask)
    };
    for _ in 0..10 {
        assert_eq!(
            search("13900000000").is(200)["matches"],
            json!([]),
            "nobody was found, and nobody is counted"
        );
    }
    let before = bench.count(Act::Searched);
    search("13812345678").problem(403, "SR-PEOPLE-009");
    assert_eq!(bench.count(Act::Searched), before, "no entry says that somebody was shown");
    assert_eq!(bench.count(Act::Frozen), 1);
}

#[test]
fn tokens_count_when_they_are_made_and_when_they_are_turned_back() {
    let bench = Bench::with_policy(&policy("after_sales", "3 per hour"));
    let service = bench.service();
    for id in ["1", "2", "3", "4"] {
        bench.customer(&service, id);
        bench.order(&service, id, &format!("O-{id}"));
    }
    let make = |id: &str| {
        let order = json!({ "kind": "order", "external_id": format!("O-{id}") });
        bench.post(
            &service,
            "/v1/tokens",
            &json!({ "purpose": "after_sales", "record": order, "field": "phone" }),
        )
    };
    let token = make("1").is(201)["token"].clone();
    make("2").is(201);
    make("3").is(201);
    let resolver = bench.service_for(&["after_sales"]);
    let resolve = json!({ "purpose": "after_sales", "token": token });
    bench.post(&resolver, "/v1/tokens:resolve", &resolve).is(200);
    make("4").problem(403, "SR-PEOPLE-009");
    for id in ["2", "3", "4"] {
        let order = json!({ "kind": "order", "external_id": format!("O-{id}") });
        let ask = json!({ "purpose": "after_sales", "record": order });
        let wanted = if id == "4" { 403 } else { 200 };
        assert_eq!(
            bench.post(&resolver, "/v1/records:reveal", &ask).status,
            wanted,
            "the token's person is one of three"
        );
    }
}

#[test]
fn a_credentials_own_limit_holds_over_all_its_purposes_and_the_stricter_one_wins() {
    let (mut bench, _) = house("9 per hour", 40);
    let credential = |limit: &str| {
        let body = json!({ "role": "service", "label": "of-a-test", "purposes": ["account", "delivery"], "limit": limit });
        bench.post(&bench.admin, "/v1/credentials", &body)
    };
    for bad in ["", "many", "0 per hour", "5 per week", "9 per hour, 3 per day"] {
        credential(bad).problem(422, "SR-PEOPLE-016");
    }
    let narrow = Key(credential("4 per hour").is(201)["credential"].as_str().unwrap().to_owned());
    let wide = Key(credential("400 per hour").is(201)["credential"].as_str().unwrap().to_owned());
    assert_eq!(listed(&bench, &narrow)["limit"], "4 subjects per hour, 96 per day");
    bench.order(&wide_intake(&bench), "c-30", "O-30");
    let order = json!({ "kind": "order", "external_id": "O-30" });
    bench.post(&narrow, "/v1/records:reveal", &json!({ "purpose": "delivery", "record": order })).is(200);
    bench.close();
    bench.open();
    assert_eq!(reveal_until_frozen(&bench, &narrow, 0..40), 3, "one more for the other purpose");
    assert_eq!(reveal_until_frozen(&bench, &wide, 0..40), 9, "the policy's limit holds for everybody");
}

fn wide_intake(bench: &Bench) -> Key {
    bench.key(Role::Intake, &[])
}

#[test]
fn a_limit_that_is_published_holds_from_its_commit_on() {
    let (bench, _) = house("3 per hour", 40);
    let service = bench.service_for(&["account"]);
    (0..3).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": policy("account", "7 per hour") })).is(201);
    assert_eq!(reveal_until_frozen(&bench, &service, 3..40), 4);
    bench.round();
}

#[test]
fn only_somebody_else_lets_a_frozen_credential_go_on_and_says_why() {
    let (bench, _) = house("2 per hour", 20);
    let officer = bench.key(Role::Officer, &["account"]);
    assert_eq!(reveal_until_frozen(&bench, &officer, 0..20), 2, "officers have a limit, too");
    bench.round(); // of two houses the other one hears of it
    unfreeze(&bench, &officer, &officer).problem(403, "SR-PEOPLE-009");
    let other = bench.key(Role::Officer, &[]);
    unfreeze(&bench, &other, &officer).problem(403, "SR-PEOPLE-003");
    let path = format!("/v1/credentials/{}:unfreeze", officer.id());
    for said in ["", "Ann asked", "because Ann Lee said so", &"a".repeat(61)] {
        bench.post(&bench.admin, &path, &json!({ "reason": said })).problem(422, "SR-PEOPLE-010");
    }
    unfreeze(&bench, &bench.admin, &officer).is(200);
    unfreeze(&bench, &bench.admin, &officer).problem(409, "SR-PEOPLE-011");
    assert_eq!(bench.count(Act::Unfrozen), 1);
    assert_eq!(listed(&bench, &officer)["reason"], "incident-17");
    assert_eq!(reveal_until_frozen(&bench, &officer, 0..20), 2, "it is counted anew");
}

#[test]
fn a_credential_can_be_frozen_by_hand_and_is_still_not_revoked() {
    let (mut bench, _) = house("20 per hour", 4);
    let service = bench.service_for(&["account"]);
    let freeze = |said: &str| {
        let path = format!("/v1/credentials/{}:freeze", service.id());
        bench.post(&bench.admin, &path, &json!({ "reason": said }))
    };
    freeze("Not Technical").problem(422, "SR-PEOPLE-010");
    freeze("laptop-lost").is(200);
    freeze("laptop-lost").problem(409, "SR-PEOPLE-011");
    bench.close();
    bench.open();
    reveal(&bench, &service, 0).problem(403, "SR-PEOPLE-009");
    assert_eq!(listed(&bench, &service)["revoked"], json!(null));
    unfreeze(&bench, &bench.admin, &service).is(200);
    reveal(&bench, &service, 0).is(200);
    bench.post(&bench.admin, &format!("/v1/credentials/{}:revoke", service.id()), &json!({})).is(200);
    reveal(&bench, &service, 0).problem(401, "SR-PEOPLE-001");
    unfreeze(&bench, &bench.admin, &service).problem(404, "SR-PEOPLE-002");
}

#[test]
fn whoever_comes_behind_a_thaw_in_the_same_commit_is_counted_anew() {
    let (bench, _) = house("2 per hour", 20);
    let service = bench.service_for(&["account"]);
    assert_eq!(reveal_until_frozen(&bench, &service, 0..20), 2);
    let (house, shop) = (bench.house(), bench.shop());
    let presented = people::read_presented(&house.ids, &service.0).unwrap();
    let (id, purpose) = (presented.id, shop.policy().compiled.find_purpose("account").unwrap().ordinal);

    // While the writer is held, both wait for the same transaction.
    let (lets_go, wait) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    drop(house.store.work(1, Lane::High, move |_: &mut store::Tx<'_>| {
        let _ = began.send(());
        let _ = wait.recv();
        Ok::<_, Problem>(())
    }));
    begun.recv().unwrap();
    let thaw = house
        .work(Lane::High, &shop, &Actor::Operator, move |work| limits::unfreeze(id, "incident-17", work));
    let reach = house.work(Lane::High, &shop, &Actor::Credential(presented), move |work| {
        let mut entry = work.entry(Act::Searched, Outcome::Yes);
        (entry.purpose, entry.alias) = (Some(purpose), Some([9; 16]));
        let refused = limits::reach(&mut entry, work)?;
        work.enter_plain(entry)?;
        Ok(refused.is_some())
    });
    lets_go.send(()).unwrap();
    bench.block_on(thaw).unwrap();
    assert!(!bench.block_on(reach).unwrap().into_value(), "and not frozen for what it reached before");
}

#[test]
fn of_a_revoked_credential_nothing_is_remembered() {
    let (mut bench, _) = house("2 per hour", 20);
    let service = bench.service_for(&["account"]);
    let credential = bench.house().ids.read::<CredentialId>(service.id()).unwrap().number();
    let purpose = bench.shop().policy().compiled.find_purpose("account").unwrap().ordinal;
    let reaches = |bench: &Bench, number: u8| {
        let reach = Reach { credential, purpose, alias: [number; 16], at: bench.now() };
        bench.shop().reached.take(&reach, "2 per hour".parse().unwrap(), None).is_ok()
    };
    (0..2).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    assert!(!reaches(&bench, 1));
    bench.post(&bench.admin, &format!("/v1/credentials/{}:revoke", service.id()), &json!({})).is(200);
    bench.round(); // of two houses the other one hears of it
    assert!(reaches(&bench, 1) && reaches(&bench, 2), "and no memory is held for it");
    bench.close();
    bench.open();
    assert!(reaches(&bench, 3) && reaches(&bench, 4), "nor after a restart");
}

#[test]
fn a_credential_that_is_thawed_while_the_deep_check_runs_is_no_alarm() {
    let (bench, _) = house("2 per hour", 2);
    let services: Vec<CredentialId> =
        (0..8).map(|_| bench.house().ids.read(bench.service_for(&["account"]).id()).unwrap()).collect();
    let (shop, over) = (bench.shop(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let operator = Actor::Operator;
            for id in services.iter().copied().cycle() {
                let freeze = move |work: &mut Work<'_, '_>| limits::freeze(id, "laptop-lost", work);
                bench.house().work_blocking(Lane::High, &shop, &operator, freeze).unwrap();
                let thaw = move |work: &mut Work<'_, '_>| limits::unfreeze(id, "laptop-found", work);
                bench.house().work_blocking(Lane::High, &shop, &operator, thaw).unwrap();
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let found: Vec<_> = (0..100).flat_map(|_| deep_codes(&bench)).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(found, [""; 0]);
    });
}
