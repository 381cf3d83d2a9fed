//! Where a subject lives decides whose law is asked: what that law, or the law of the shop's seat, forbids, the gate refuses.

use ledger::entry::Act;
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::clock::{DAY, MINUTE};

use super::law::{install_edited, trusting_with};
use crate::support::{Bench, Key, POLICY};

const REVEAL: &str = "/v1/records:reveal";

/// The example's shop with its seat in Singapore, where suggestions rest on the shop's interest, which China's law does not know and that of
/// the Union does.
fn policy() -> String {
    let consent = "use = \"personalize.content.profiled\"\nbasis = \"consent\"";
    assert!(POLICY.contains(consent));
    let (before, after) = POLICY.split_once(consent).unwrap();
    let interest = "use = \"personalize.content.profiled\"\nbasis = \"legitimate_interest\"";
    let after = after.replacen("\"until withdrawn\"", "\"90d after order.completed\"", 1);
    format!("{before}{interest}{after}").replacen(
        "kept_in = \"cn\"",
        "kept_in = \"cn\"\nestablished_in = \"sg\"",
        1,
    )
}

struct Scene {
    bench: Bench,
    service: Key,
}

impl Scene {
    fn new() -> Scene {
        let bench = Bench::with_policy(&policy());
        let service = bench.service();
        Scene { bench, service }
    }

    /// A customer with an order that is done, and what is said of them.
    fn customer(&self, id: &str, said: &Json) {
        let mut body = json!({ "kind": "customer", "external_id": id, "fields": { "name": "陈小红" } });
        body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        self.bench.post(&self.service, "/v1/records", &body).is(201);
        self.bench.order(&self.service, id, &format!("O-{id}"));
        self.bench.event(&self.service, &format!("O-{id}"), "completed");
    }

    fn suggest(&self, id: &str) -> crate::support::Reply {
        let record = json!({ "kind": "order", "external_id": format!("O-{id}") });
        self.bench.post(&self.service, REVEAL, &json!({ "purpose": "recommendations", "record": record }))
    }

    fn found(&self, id: &str) -> Json {
        let officer = self.bench.key(Role::Officer, &[]);
        self.bench.post(&officer, "/v1/subjects:find", &json!({ "subject": { "external_id": id } })).is(200)
    }
}

#[test]
fn a_ground_that_the_law_of_a_subjects_home_does_not_have_opens_nothing_and_names_the_article() {
    let scene = Scene::new();
    scene.customer("1", &json!({ "home": "cn" }));
    scene.customer("2", &json!({ "home": "de", "age": "adult" }));
    scene.customer("3", &json!({}));
    let refused = scene.suggest("1").problem(403, "SR-REVEAL-001");
    let reason = &refused["reasons"][0];
    assert_eq!(reason["name"], "unlawful");
    let law = reason["law"][0].as_str().unwrap();
    assert!(law.starts_with("PIPL 13") && law.ends_with("(cn)"), "{law}");
    scene.suggest("2").is(200);
    scene.suggest("3").is(200); // nobody is cut off because of where they might live
    assert_eq!((&scene.found("2")["home"], &scene.found("2")["age"]), (&json!("eu"), &json!("adult")));
    assert!(scene.found("3").get("home").is_none());
}

#[test]
fn what_a_law_bars_stays_as_it_is_and_opens_again_when_the_home_was_a_mistake() {
    let scene = Scene::new();
    scene.customer("1", &json!({ "home": "cn" }));
    scene.suggest("1").problem(403, "SR-REVEAL-001");
    let place = |home: &str| {
        let body = json!({ "kind": "customer", "external_id": "1", "home": home });
        scene.bench.post(&scene.service, "/v1/records", &body).is(200)
    };
    let placed = scene.bench.count(Act::Placed);
    assert_eq!(placed, 1, "the first home came with the record");
    assert_eq!(place("fr")["outcome"], "unchanged");
    assert_eq!(scene.bench.count(Act::Placed), 2);
    scene.suggest("1").is(200);
    place("fr");
    assert_eq!(scene.bench.count(Act::Placed), 2, "saying the same again enters nothing");
    place("");
    assert!(scene.found("1").get("home").is_none());
}

#[test]
fn a_home_survives_a_start() {
    let mut scene = Scene::new();
    scene.customer("1", &json!({ "home": "cn", "age": "minor" }));
    scene.bench.close();
    scene.bench.open();
    assert_eq!((&scene.found("1")["home"], &scene.found("1")["age"]), (&json!("cn"), &json!("minor")));
    scene.suggest("1").problem(403, "SR-REVEAL-001");
}

#[test]
fn a_home_is_the_code_of_a_place_and_is_repeated_in_no_answer() {
    let scene = Scene::new();
    for home in ["China", "CN", "us-xyz", "陈小红"] {
        let body =
            json!({ "kind": "customer", "external_id": "9", "fields": { "name": "陈小红" }, "home": home });
        let reply = scene.bench.post(&scene.service, "/v1/records", &body);
        assert_eq!(reply.problem(422, "SR-COLLECT-026")["pointer"], "/home");
        assert!(!reply.text().contains(home), "{}", reply.text());
    }
    let body = json!({ "kind": "customer", "external_id": "9", "fields": { "name": "陈小红" }, "age": "12" });
    scene.bench.post(&scene.service, "/v1/records", &body).is_a_problem();
}

#[test]
fn what_the_law_of_the_seat_does_not_have_opens_nothing_of_anybody() {
    let policy = policy().replacen("established_in = \"sg\"", "established_in = \"cn\"", 1);
    let policy = policy.replacen("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"eu\"]", 1);
    let bench = Bench::with_policy(&policy);
    let service = bench.service();
    let body = json!({ "kind": "customer", "external_id": "1", "fields": { "name": "Ann" }, "home": "de" });
    bench.post(&service, "/v1/records", &body).is(201);
    bench.order(&service, "1", "O-1");
    bench.event(&service, "O-1", "completed");
    let record = json!({ "kind": "order", "external_id": "O-1" });
    let refused = bench.post(&service, REVEAL, &json!({ "purpose": "recommendations", "record": record }));
    assert_eq!(refused.problem(403, "SR-REVEAL-001")["reasons"][0]["name"], "unlawful");
}

#[test]
fn what_a_law_lets_nobody_keep_is_turned_away_at_the_door_with_the_article() {
    let visits = "[record.visit]\nof = \"customer\"\nlabel = { zh = \"浏览\", en = \"Visit\" }\nfields = [\"visited\"]\n\n\
                  [field.visited]\ncategory = \"user.behavior.browsing_history\"\nlabel = { zh = \"浏览的商品\", en = \"What was looked at\" }\n\n\
                  [purpose.suggestions]\nuse = \"personalize.content.profiled\"\nbasis = \"legitimate_interest\"\n\
                  says = { zh = \"根据浏览推荐\", en = \"To suggest what goes with it\" }\nfields = [\"visited\"]\nkeep = \"30d after collected\"\n\n";
    let bench =
        Bench::with_policy(&policy().replacen("[purpose.account]", &format!("{visits}[purpose.account]"), 1));
    let service = bench.service();
    for (id, home) in [("1", "cn"), ("2", "de")] {
        let body =
            json!({ "kind": "customer", "external_id": id, "fields": { "name": "Ann" }, "home": home });
        bench.post(&service, "/v1/records", &body).is(201);
    }
    let visit = |id: &str| {
        let body = json!({ "kind": "visit", "subject": { "external_id": id }, "fields": { "visited": "Mocha pot" } });
        bench.post(&service, "/v1/records", &body)
    };
    let refused = visit("1").is_a_problem();
    let reason = &refused["reasons"][0];
    assert_eq!((&reason["name"], &reason["fields"]), (&json!("unlawful"), &json!(["visited"])));
    assert!(reason["law"][0].as_str().unwrap().starts_with("PIPL 13"), "{refused}");
    visit("2").is(201);
}

#[test]
fn the_gate_follows_a_pack_that_is_installed_and_a_law_that_turns() {
    let bench = trusting_with(&policy());
    let service = bench.service();
    let scene = Scene { bench, service };
    scene.customer("1", &json!({ "home": "cn" }));
    scene.suggest("1").problem(403, "SR-REVEAL-001");
    // As if the list of grounds were closed by a law that comes on the tenth day from now.
    let comes = jiff::Timestamp::from_microsecond(scene.bench.now() + 10 * DAY).unwrap();
    let comes = comes.to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date();
    let rule = "id = \"basis.others\"\n";
    install_edited(&scene.bench, "cn", (rule, &format!("{rule}from = {comes}\n")));
    scene.suggest("1").problem(403, "SR-REVEAL-001"); // nobody has looked yet
    scene.bench.pass(MINUTE);
    scene.bench.round();
    scene.suggest("1").is(200);
    scene.bench.pass(9 * DAY);
    scene.bench.round();
    scene.suggest("1").is(200);
    scene.bench.pass(DAY);
    scene.bench.round();
    scene.suggest("1").problem(403, "SR-REVEAL-001");
}
