//! The way out: only for a purpose, masked where the policy says so, refused with reasons, and entered either way.

use ledger::entry::{Act, Figure, Outcome};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key, POLICY};

const REVEAL: &str = "/v1/records:reveal";
const SEARCH: &str = "/v1/records:search";

fn order() -> Json {
    json!({ "kind": "order", "external_id": "O-1" })
}

fn with_order() -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    (bench, by)
}

fn names(list: &Json) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn what_is_kept_about_a_subject_of_many_records_is_seen_page_by_page() {
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    bench.customer(&service, "42");
    let other = bench.customer(&service, "43");
    for number in 0..204 {
        bench.order(&service, "42", &format!("O-{number}"));
    }
    let find = |after: Option<&str>| {
        let ask = json!({ "subject": { "external_id": "42" }, "after": after });
        bench.post(&officer, "/v1/subjects:find", &ask)
    };
    let first = find(None).is(200);
    let records = |page: &Json| -> Vec<String> {
        let records = page["records"].as_array().unwrap();
        records.iter().map(|record| record["record"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((records(&first).len(), &first["more"]), (200, &json!(true)));
    let second = find(records(&first).last().map(String::as_str)).is(200);
    assert_eq!((records(&second).len(), &second["more"]), (5, &json!(false)));
    let mut all = [records(&first), records(&second)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 205);
    let of_another =
        bench.post(&officer, "/v1/subjects:find", &json!({ "subject": { "id": other } })).is(200);
    find(records(&of_another).first().map(String::as_str)).problem(422, "SR-REVEAL-013");
    find(Some("rec_aaaaaaaaaaaaaaaaaaaaaaaaaa")).problem(404, "SR-KEEP-001");
}

#[test]
fn a_reveal_shows_what_the_purpose_uses_and_masks_what_it_need_not_see() {
    let (bench, by) = with_order();
    let shown = bench.post(&by, REVEAL, &json!({ "purpose": "delivery", "record": order() })).is(200);
    let record = &shown["records"][0];
    assert_eq!(
        record["fields"],
        json!({ "recipient_name": "陈小红", "phone": "139****9000", "address": "上海市淮海中路 1 号" })
    );
    assert_eq!((&record["masked"], &record["external_id"]), (&json!(["phone"]), &json!("O-1")));
    let plain = bench
        .post(&by, REVEAL, &json!({ "purpose": "after_sales", "record": order(), "fields": ["phone"] }))
        .is(200);
    assert_eq!(plain["records"][0]["fields"], json!({ "phone": "+8613900139000" }));
}

#[test]
fn a_caller_may_ask_for_less_than_it_may_have() {
    let (bench, by) = with_order();
    let ask = json!({ "purpose": "after_sales", "record": order(), "masked": true, "fields": ["recipient_name", "order.phone", "amount"] });
    let record = bench.post(&by, REVEAL, &ask).is(200)["records"][0].clone();
    assert_eq!(
        record["fields"],
        json!({ "recipient_name": "陈**", "phone": "139****9000", "amount": "****" })
    );
    assert_eq!(record["masked"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_reveal_is_entered_with_its_purpose_and_fields_under_the_subjects_alias() {
    let (bench, by) = with_order();
    let before = bench.entries().len();
    bench.post(&by, REVEAL, &json!({ "purpose": "delivery", "record": order() })).is(200);
    let entries = bench.entries();
    assert_eq!(entries.len(), before + 1);
    let last = entries.last().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Revealed, Outcome::Yes));
    assert!(last.alias.is_some() && last.purpose.is_some());
    assert_eq!(last.parts[0].ordinals().count(), 3);
}

#[test]
fn a_refusal_says_why_in_two_languages_and_is_entered() {
    let (bench, by) = with_order();
    let before = bench.entries().len();
    let ask = json!({ "purpose": "recommendations", "record": order() });
    let problem = bench.post(&by, REVEAL, &ask).problem(403, "SR-REVEAL-001");
    assert_eq!(names(&problem["reasons"]), ["no_choice"]);
    assert_eq!(problem["reasons"][0]["text"], "The person has not agreed to this.");
    assert_eq!(problem["reasons"][0]["text_zh"], "当事人未同意此项处理。");
    let entries = bench.entries();
    assert_eq!(entries.len(), before + 1);
    let last = entries.last().unwrap();
    assert_eq!((last.act, last.outcome, last.reasons.as_slice()), (Act::Revealed, Outcome::No, &[7_u16][..]));
}

#[test]
fn fields_outside_the_purpose_are_left_out_and_named() {
    let (bench, by) = with_order();
    let ask = json!({ "purpose": "delivery", "record": order(), "fields": ["address", "tax_number"] });
    let record = bench.post(&by, REVEAL, &ask).is(200)["records"][0].clone();
    assert_eq!(record["fields"], json!({ "address": "上海市淮海中路 1 号" }));
    assert_eq!(
        (names(&record["refused"]), &record["refused"][0]["fields"]),
        (vec!["outside_purpose"], &json!(["tax_number"]))
    );
    let none = json!({ "purpose": "delivery", "record": order(), "fields": ["tax_number"] });
    bench.post(&by, REVEAL, &none).problem(403, "SR-REVEAL-001");
}

#[test]
fn who_lacks_the_purpose_learns_nothing_and_the_attempt_is_entered() {
    let (bench, _) = with_order();
    let stranger = bench.service_for(&["account"]);
    let asks = |external_id: &str| {
        let record = json!({ "kind": "order", "external_id": external_id });
        [
            (REVEAL, json!({ "purpose": "delivery", "record": record })),
            (SEARCH, json!({ "purpose": "after_sales", "field": "phone", "value": "13900139000" })),
            ("/v1/tokens", json!({ "purpose": "delivery", "record": record, "field": "phone" })),
            ("/v1/tokens", json!({ "purpose": "delivery", "record": record, "field": "no_such_field" })),
        ]
    };
    for ((path, there), (_, absent)) in asks("O-1").into_iter().zip(asks("O-2")) {
        let before = bench.entries().len();
        let first = bench.post(&stranger, path, &there).problem(404, "SR-KEEP-001");
        let second = bench.post(&stranger, path, &absent).problem(404, "SR-KEEP-001");
        assert_eq!(first, second, "{path}");
        let entries = bench.entries();
        assert_eq!(entries.len(), before + 2, "{path} {there}");
        assert!(entries[before..].iter().all(|entry| entry.outcome == Outcome::No && entry.alias.is_none()));
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let (bench, by) = with_order();
    for (target, code) in [
        (json!({ "record": "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa" }), "SR-KEEP-001"),
        (json!({ "record": { "kind": "order", "external_id": "O-2" } }), "SR-KEEP-001"),
        (json!({ "subject": { "id": "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa" } }), "SR-KEEP-001"),
        (json!({ "subject": { "external_id": "43" } }), "SR-KEEP-001"),
        (json!({ "subject": { "match": { "phone": "13700000000" } } }), "SR-KEEP-018"),
    ] {
        let mut ask = target.clone();
        ask["purpose"] = json!("account");
        bench.post(&by, REVEAL, &ask).problem(404, code);
        bench.post(&bench.key(Role::Officer, &[]), "/v1/subjects:find", &target).problem(404, code);
    }
}

#[test]
fn a_match_that_leads_to_nobody_or_to_several_is_entered() {
    let (bench, by) = with_order();
    bench.customer(&by, "43"); // with the telephone number of the other
    let officer = bench.key(Role::Officer, &[]);
    for (phone, status, code, subjects) in
        [("13700000000", 404, "SR-KEEP-018", 0), ("138 1234 5678", 409, "SR-KEEP-019", 2)]
    {
        let whose = json!({ "match": { "phone": phone } });
        let before = bench.entries().len();
        bench.post(&by, REVEAL, &json!({ "purpose": "account", "subject": whose })).problem(status, code);
        bench.post(&officer, "/v1/subjects:find", &json!({ "subject": whose })).problem(status, code);
        let entered: Vec<_> = bench.entries()[before..]
            .iter()
            .map(|entry| (entry.act, entry.outcome, entry.figure(Figure::Subjects), entry.alias))
            .collect();
        let one = |act| (act, Outcome::No, Some(subjects), None);
        assert_eq!(entered, [one(Act::Revealed), one(Act::Found)], "{code}");
    }
    // A guessed id tells nothing, and enters nothing.
    let before = bench.entries().len();
    let guessed = json!({ "purpose": "account", "subject": { "external_id": "44" } });
    bench.post(&by, REVEAL, &guessed).problem(404, "SR-KEEP-001");
    assert_eq!(bench.entries().len(), before);
}

#[test]
fn an_ask_that_makes_no_sense_is_told_where() {
    let (bench, by) = with_order();
    let subject = json!({ "external_id": "42" });
    for (ask, status, code, pointer) in [
        (json!({ "purpose": "account" }), 422, "SR-REVEAL-010", Json::Null),
        (
            json!({ "purpose": "account", "subject": subject, "record": order() }),
            422,
            "SR-REVEAL-010",
            Json::Null,
        ),
        (json!({ "purpose": "dancing", "subject": subject }), 422, "SR-CHOOSE-006", json!("/purpose")),
        (
            json!({ "purpose": "account", "subject": subject, "kinds": ["customer", "sofa"] }),
            422,
            "SR-KEEP-017",
            json!("/kinds/1"),
        ),
        (
            json!({ "purpose": "account", "subject": subject, "fields": ["name", "beard"] }),
            422,
            "SR-REVEAL-008",
            json!("/fields/1"),
        ),
        (
            json!({ "purpose": "account", "subject": subject, "limit": 0 }),
            422,
            "SR-REVEAL-009",
            json!("/limit"),
        ),
        (
            json!({ "purpose": "account", "subject": subject, "limit": 101 }),
            422,
            "SR-REVEAL-009",
            json!("/limit"),
        ),
        (
            json!({ "purpose": "account", "subject": { "external_id": [] } }),
            422,
            "SR-KEEP-014",
            json!("/subject/external_id"),
        ),
    ] {
        assert_eq!(bench.post(&by, REVEAL, &ask).problem(status, code)["pointer"], pointer, "{ask}");
    }
}

#[test]
fn records_of_a_subject_come_the_latest_first_and_as_many_as_were_asked_for() {
    let (bench, by) = with_order();
    for number in 2..=5 {
        bench.order(&by, "42", &format!("O-{number}"));
    }
    let ask = json!({ "purpose": "delivery", "subject": { "external_id": "42" }, "limit": 3 });
    let shown = bench.post(&by, REVEAL, &ask).is(200);
    let ids: Vec<&str> = shown["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["external_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["O-5", "O-4", "O-3"]);
}

#[test]
fn a_search_finds_by_hash_and_shows_no_value() {
    let (bench, by) = with_order();
    let before = bench.entries().len();
    let ask = json!({ "purpose": "after_sales", "field": "phone", "value": "（１３９）0013-9000" });
    let found = bench.post(&by, SEARCH, &ask);
    assert!(!found.text().contains("9000"), "{}", found.text());
    let found = found.is(200);
    assert_eq!(
        (&found["matches"][0]["kind"], &found["matches"][0]["external_id"]),
        (&json!("order"), &json!("O-1"))
    );
    assert!(found["matches"][0].get("fields").is_none());
    assert_eq!(bench.entries().len(), before + 1);
    // The customer's own number serves another purpose, so this one does not see it.
    let other = json!({ "purpose": "after_sales", "field": "phone", "value": "13812345678" });
    assert_eq!(bench.post(&by, SEARCH, &other).is(200)["matches"], json!([]));
    let entries = bench.entries();
    assert_eq!((entries.len(), entries.last().unwrap().act), (before + 2, Act::Searched));
}

#[test]
fn a_search_by_what_has_no_index_is_refused() {
    let (bench, by) = with_order();
    for field in ["name", "beard"] {
        let ask = json!({ "purpose": "account", "field": field, "value": "Ann Lee" });
        bench.post(&by, SEARCH, &ask).problem(422, "SR-KEEP-013");
    }
}

#[test]
fn what_is_kept_is_shown_without_a_single_value() {
    let (bench, by) = with_order();
    bench.event(&by, "O-1", "delivered");
    bench.choose(&by, "42", "marketing_email", "granted");
    let officer = bench.key(Role::Officer, &[]);
    let found = bench.post(&officer, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } }));
    for value in ["Ann", "shop.example", "1234", "陈小红", "淮海", "Longjing", "128.50", "110101"] {
        assert!(!found.text().contains(value), "{value} in {}", found.text());
    }
    let found = found.is(200);
    assert_eq!((&found["standing"], &found["more"]), (&json!("present"), &json!(false)));
    let kinds: Vec<&str> =
        found["records"].as_array().unwrap().iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["customer", "order"]);
    let purposes = found["records"][1]["purposes"].as_array().unwrap();
    let delivery = purposes.iter().find(|one| one["purpose"] == "delivery").unwrap();
    assert_eq!(delivery["until"], "2027-02-21T02:00:00Z");
    assert_eq!(
        (&found["choices"][0]["said"], &found["choices"][0]["purpose"]),
        (&json!("granted"), &json!("marketing_email"))
    );
    bench.round();
}

#[test]
fn what_the_policy_no_longer_declares_stays_sealed_and_is_a_gap() {
    let (bench, by) = with_order();
    let mut less = POLICY.replacen("\"invoice_title\", \"tax_number\"]", "\"invoice_title\"]", 1);
    less = less.replacen(", { field = \"tax_number\", optional = true }", "", 1);
    let (before, rest) = less.split_once("[field.tax_number]").unwrap();
    let after = rest.split_once("\n\n").unwrap().1;
    let less = format!("{before}{after}");
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": less })).is(201);
    let ask = json!({ "purpose": "tax", "record": order(), "fields": ["tax_number"] });
    let problem = bench.post(&by, REVEAL, &ask).problem(403, "SR-REVEAL-002");
    assert_eq!(names(&problem["reasons"]), ["unknown_field"]);
    assert_eq!(bench.entries().last().unwrap().outcome, Outcome::Gap);
    bench.post(&by, REVEAL, &json!({ "purpose": "tax", "record": order() })).is(200);
}

#[test]
fn a_revoked_credential_does_nothing() {
    let (bench, by) = with_order();
    let ask = json!({ "purpose": "delivery", "record": order() });
    bench.post(&by, REVEAL, &ask).is(200);
    bench.post(&bench.admin, &format!("/v1/credentials/{}:revoke", by.id()), &json!({})).is(200);
    bench.post(&by, REVEAL, &ask).problem(401, "SR-PEOPLE-001");
    bench
        .post(&bench.admin, &format!("/v1/credentials/{}:revoke", by.id()), &json!({}))
        .problem(404, "SR-PEOPLE-002");
}

#[test]
fn on_whose_behalf_is_entered_as_a_hash_and_only_by_who_may_say_it() {
    let (bench, by) = with_order();
    let ask = json!({ "purpose": "delivery", "record": order() }).to_string();
    let for_somebody = |key: &Key| {
        let request = key.posts(REVEAL).header("strongroom-on-behalf-of", "agent-7");
        bench.send(request.body(axum::body::Body::from(ask.clone())).unwrap())
    };
    for_somebody(&by).problem(403, "SR-PEOPLE-007");
    let made =
        json!({ "role": "service", "label": "support", "purposes": ["delivery"], "on_behalf_of": true });
    let key = Key(bench.post(&bench.admin, "/v1/credentials", &made).is(201)["credential"]
        .as_str()
        .unwrap()
        .to_owned());
    for_somebody(&key).is(200);
    let named = bench.entries().last().unwrap().actor.on_behalf_of;
    for_somebody(&key).is(200);
    assert!(named.is_some());
    assert_eq!(bench.entries().last().unwrap().actor.on_behalf_of, named, "the same name, the same hash");
}

#[test]
fn an_answer_that_leaves_records_out_says_so() {
    let (bench, by) = with_order();
    bench.order(&by, "42", "O-2");
    let ask =
        |limit: u32| json!({ "purpose": "after_sales", "subject": { "external_id": "42" }, "limit": limit });
    let search = |limit: u32| json!({ "purpose": "after_sales", "field": "phone", "value": "13900139000", "limit": limit });
    let less = bench.post(&by, REVEAL, &ask(1)).is(200);
    assert_eq!((less["records"].as_array().map(Vec::len), &less["more"]), (Some(1), &json!(true)));
    let all = bench.post(&by, REVEAL, &ask(2)).is(200);
    assert_eq!((all["records"].as_array().map(Vec::len), all.get("more")), (Some(2), None));
    let less = bench.post(&by, SEARCH, &search(1)).is(200);
    assert_eq!((less["matches"].as_array().map(Vec::len), &less["more"]), (Some(1), &json!(true)));
    let all = bench.post(&by, SEARCH, &search(2)).is(200);
    assert_eq!((all["matches"].as_array().map(Vec::len), all.get("more")), (Some(2), None));
}

/// Orders with sixty long notes each: almost 1 MiB a record.
fn with_long_orders(count: usize) -> (Bench, Key) {
    let (mut fields, mut declared, mut used) = (String::new(), String::new(), String::new());
    for number in 0..60 {
        use std::fmt::Write as _;
        write!(fields, ", \"note_{number}\"").unwrap();
        write!(used, ", \"note_{number}\"").unwrap();
        write!(
            declared,
            "\n[field.note_{number}]\ncategory = \"user.behavior\"\nlabel = {{ zh = \"备注 {number}\", en = \"Note {number}\" }}\n"
        )
        .unwrap();
    }
    let kind = "\"invoice_title\", \"tax_number\"]\nevents";
    let purpose = "\"order.phone\", \"address\", \"items\"";
    assert!(POLICY.contains(kind) && POLICY.contains(purpose));
    let policy = POLICY
        .replacen(kind, &format!("\"invoice_title\", \"tax_number\"{fields}]\nevents"), 1)
        .replacen(purpose, &format!("{purpose}{used}"), 1);
    let bench = Bench::with_policy(&format!("{policy}{declared}"));
    let by = bench.service();
    bench.customer(&by, "42");
    let note = "x".repeat(16 << 10);
    for order in 0..count {
        let mut body = json!({
            "kind": "order", "external_id": format!("O-{order}"), "subject": { "external_id": "42" },
            "fields": { "phone": "13900139000" },
        });
        for number in 0..60 {
            body["fields"][format!("note_{number}")] = json!(note);
        }
        bench.post(&by, "/v1/records", &body).is(201);
    }
    (bench, by)
}

#[test]
fn no_more_than_8_mib_are_read_at_once_and_the_answer_says_that_there_is_more() {
    let (bench, by) = with_long_orders(10);
    let count = |list: &Json| list.as_array().map(Vec::len);
    let ask = json!({ "purpose": "after_sales", "subject": { "external_id": "42" }, "fields": ["note_0"] });
    let shown = bench.post(&by, REVEAL, &ask).is(200);
    assert_eq!((count(&shown["records"]), &shown["more"]), (Some(8), &json!(true)));
    assert_eq!(shown["records"][0]["external_id"], "O-9", "the newest first");
    let search = json!({ "purpose": "after_sales", "field": "phone", "value": "13900139000" });
    let found = bench.post(&by, SEARCH, &search).is(200);
    assert_eq!((count(&found["matches"]), &found["more"]), (Some(8), &json!(true)));
    let officer = bench.key(Role::Officer, &[]);
    let kept =
        bench.post(&officer, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } })).is(200);
    assert_eq!(
        (count(&kept["records"]), &kept["more"]),
        (Some(9), &json!(true)),
        "the customer's own, and eight"
    );
    // Each of them can be had by itself.
    let one = json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": "O-0" }, "fields": ["note_0"] });
    let one = bench.post(&by, REVEAL, &one).is(200);
    assert_eq!((count(&one["records"]), one.get("more")), (Some(1), None));
}
