//! The way in: making and changing records, whose they are, what is dropped, batches, requests that come twice.

use ledger::entry::Act;
use serde_json::{Value as Json, json};

use strongroom::ground::Role;

use crate::support::{Bench, Key, longer_policy};

const RECORDS: &str = "/v1/records";

fn customer(id: &str, fields: &Json) -> Json {
    json!({ "kind": "customer", "external_id": id, "fields": fields })
}

/// The fields of a customer, as they go out for its account.
fn fields_of(bench: &Bench, by: &Key, id: &str) -> Json {
    let ask = json!({ "purpose": "account", "record": { "kind": "customer", "external_id": id } });
    bench.post(by, "/v1/records:reveal", &ask).is(200)["records"][0]["fields"].clone()
}

#[test]
fn who_only_takes_data_in_does_not_learn_by_a_match_who_is_there() {
    let bench = Bench::new();
    let (service, intake) = (bench.service(), bench.key(Role::Intake, &[]));
    bench.customer(&service, "42");
    for phone in ["138 1234 5678", "139 0000 0000"] {
        let whose = json!({ "match": { "phone": phone } });
        let order = json!({ "kind": "order", "subject": whose, "fields": { "items": "tea" } });
        bench.post(&intake, "/v1/records", &order).problem(403, "SR-PEOPLE-003");
        let choice = json!({
            "subject": whose, "purpose": "marketing_email", "choice": "refused",
            "notice": { "version": 1, "language": "zh" },
        });
        bench.post(&intake, "/v1/choices", &choice).problem(403, "SR-PEOPLE-003");
    }
}

#[test]
fn writing_the_same_id_again_changes_the_record_and_a_field_left_out_stays() {
    let bench = Bench::new();
    let by = bench.service();
    let first = json!({ "name": "Ann Lee", "email": " Ann@Shop.example ", "phone": "138 1234 5678" });
    let made = bench.post(&by, RECORDS, &customer("42", &first)).is(201);
    assert_eq!((made["outcome"].as_str(), made["version"].as_u64()), (Some("created"), Some(1)));
    assert_eq!(made["kept"], json!(["email", "name", "phone"]));

    let changed = bench.post(&by, RECORDS, &customer("42", &json!({ "name": "Ann Li" }))).is(200);
    assert_eq!((changed["outcome"].as_str(), changed["version"].as_u64()), (Some("updated"), Some(2)));
    assert_eq!((&changed["subject"], &changed["record"]), (&made["subject"], &made["record"]));
    assert_ne!(changed["entry"], made["entry"]);
    let now = json!({ "name": "Ann Li", "email": "ann@shop.example", "phone": "+8613812345678" });
    assert_eq!(fields_of(&bench, &by, "42"), now);
}

#[test]
fn null_takes_a_field_away() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let changed = bench.post(&by, RECORDS, &customer("42", &json!({ "phone": null }))).is(200);
    assert_eq!(changed["outcome"], "updated");
    assert_eq!(fields_of(&bench, &by, "42"), json!({ "name": "Ann Lee", "email": "42@shop.example" }));
    // It is not found by what it no longer holds.
    let ask = json!({ "purpose": "account", "field": "phone", "value": "13812345678" });
    assert_eq!(bench.post(&by, "/v1/records:search", &ask).is(200)["matches"], json!([]));
}

#[test]
fn writing_the_same_again_changes_nothing_and_enters_nothing() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let before = bench.entries().len();
    // The same address and number, written in another way.
    let again = json!({ "email": "42@SHOP.example", "phone": "+86-138-1234-5678" });
    let same = bench.post(&by, RECORDS, &customer("42", &again)).is(200);
    assert_eq!((same["outcome"].as_str(), same["version"].as_u64()), (Some("unchanged"), Some(1)));
    assert!(same.get("entry").is_none(), "{same}");
    assert_eq!(bench.entries().len(), before);
}

/// Behind a start nothing was lately seen: a record is taken for new until its external id says otherwise, in whatever order the
/// hashes of its values come to be claimed.
#[test]
fn behind_a_start_a_record_with_a_unique_value_is_written_as_before() {
    let mut bench = Bench::new();
    let by = bench.service();
    let subjects: Vec<String> = (0..24).map(|id| bench.customer(&by, &id.to_string())).collect();
    bench.close();
    bench.open();
    let again = |id: usize| {
        let email = format!("{id}@shop.example");
        customer(&id.to_string(), &json!({ "name": "Bea", "email": email }))
    };
    for (id, subject) in subjects.iter().enumerate().take(12) {
        let written = bench.post(&by, RECORDS, &again(id)).is(200);
        assert_eq!((&written["outcome"], &written["subject"]), (&json!("updated"), &json!(subject)));
    }
    let items: Vec<Json> = (12..24).map(again).collect();
    let written = bench.post(&by, "/v1/records:batch", &json!({ "items": items })).is(200);
    assert_eq!(written["written"], 12, "{written}");
    // An address that somebody else has is theirs, for who was never here as for who was.
    bench.close();
    bench.open();
    for id in ["99", "3"] {
        let taken = customer(id, &json!({ "email": "7@shop.example" }));
        let pointer = &bench.post(&by, RECORDS, &taken).problem(409, "SR-KEEP-003")["pointer"];
        assert_eq!(pointer, "/fields/email");
    }
}

#[test]
fn if_version_writes_only_over_the_version_that_it_names() {
    let bench = Bench::new();
    let by = bench.service();
    let write = |id: &str, name: &str, version: u32| {
        let body = json!({ "kind": "customer", "external_id": id, "fields": { "name": name }, "if_version": version });
        bench.post(&by, RECORDS, &body)
    };
    assert_eq!(write("42", "Ann", 1).problem(409, "SR-COLLECT-016")["pointer"], "/if_version");
    assert_eq!(write("42", "Ann", 0).is(201)["version"], 1);
    write("42", "Bea", 0).problem(409, "SR-COLLECT-016");
    assert_eq!(write("42", "Bea", 1).is(200)["version"], 2);
    write("42", "Cid", 1).problem(409, "SR-COLLECT-016");
    // What is there already is held against the version, too.
    write("42", "Bea", 1).problem(409, "SR-COLLECT-016");
    assert_eq!(fields_of(&bench, &by, "42"), json!({ "name": "Bea" }));
}

#[test]
fn names_that_the_policy_does_not_have_are_dropped_and_named_and_values_used_as_names_are_not() {
    let bench = Bench::new();
    let by = bench.service();
    let fields = json!({ "email": "lee@shop.example", "shoe_size": 38, "ann@shop.example": true, "138 1234 5678": "x" });
    let made = bench.post(&by, RECORDS, &customer("42", &fields));
    assert!(!made.text().contains("ann@shop.example") && !made.text().contains("1234"), "{}", made.text());
    let made = made.is(201);
    assert_eq!((&made["kept"], &made["unknown"]), (&json!(["email"]), &json!(["shoe_size"])));
    assert_eq!(made["unknown_others"], 2);
    assert_eq!(made["missing"], json!(["name"]));
}

#[test]
fn a_field_that_takes_a_consent_is_dropped_at_the_door_until_the_consent_comes_along() {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service_for(&["birthday", "account"]);
    let fields = json!({ "name": "Ann Lee", "birth_date": "1990-03-07" });
    let dropped = bench.post(&by, RECORDS, &customer("42", &fields)).is(201);
    assert_eq!(dropped["kept"], json!(["name"]));
    assert_eq!(
        (&dropped["dropped"][0]["name"], &dropped["dropped"][0]["fields"]),
        (&json!("no_choice"), &json!(["birth_date"]))
    );
    assert!(dropped["dropped"][0]["text_zh"].as_str().is_some_and(|text| !text.is_ascii()));

    let mut with_choice = customer("42", &fields);
    with_choice["choices"] =
        json!([{ "purpose": "birthday", "choice": "granted", "notice": { "version": 1, "language": "zh" } }]);
    let kept = bench.post(&by, RECORDS, &with_choice).is(200);
    assert_eq!(kept["kept"], json!(["birth_date", "name"]));
    assert_eq!(kept["choices"].as_array().map(Vec::len), Some(1));
    let ask = json!({ "purpose": "birthday", "subject": { "external_id": "42" } });
    let shown = bench.post(&by, "/v1/records:reveal", &ask).is(200);
    assert_eq!(shown["records"][0]["fields"], json!({ "birth_date": "1990-03-07" }));
}

#[test]
fn a_record_of_which_nothing_may_be_kept_is_refused_with_reasons_and_the_refusal_is_entered() {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service();
    let before = bench.entries().len();
    let refused = bench.post(&by, RECORDS, &customer("42", &json!({ "birth_date": "1990-03-07" })));
    let problem = refused.problem(422, "SR-COLLECT-012");
    assert_eq!(
        (&problem["reasons"][0]["name"], &problem["reasons"][0]["fields"]),
        (&json!("no_choice"), &json!(["birth_date"]))
    );
    let entries = bench.entries();
    assert_eq!(entries.len(), before + 1);
    let last = entries.last().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Collected, ledger::entry::Outcome::No));
}

#[test]
fn a_subject_is_named_by_id_by_external_id_or_by_a_value_that_is_its_alone() {
    let bench = Bench::new();
    let by = bench.service();
    let subject = bench.customer(&by, "42");
    let ways = [
        json!({ "id": subject }),
        json!({ "external_id": "42" }),
        json!({ "match": { "email": "42@Shop.example" } }),
    ];
    for (number, way) in ways.iter().enumerate() {
        let order = json!({ "kind": "order", "external_id": format!("O-{number}"), "subject": way, "fields": { "items": "tea" } });
        assert_eq!(bench.post(&by, RECORDS, &order).is(201)["subject"], subject.as_str(), "{way}");
    }
    for (way, status, code) in [
        (json!({ "external_id": "43" }), 404, "SR-KEEP-018"),
        (json!({ "match": { "email": "nobody@shop.example" } }), 404, "SR-KEEP-018"),
        (json!({ "match": { "name": "Ann Lee" } }), 422, "SR-KEEP-013"),
        (json!({ "id": "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa" }), 404, "SR-KEEP-018"),
        (json!({ "id": subject, "external_id": "42" }), 422, "SR-KEEP-011"),
        (json!({}), 422, "SR-KEEP-011"),
    ] {
        let order = json!({ "kind": "order", "subject": way, "fields": { "items": "tea" } });
        bench.post(&by, RECORDS, &order).problem(status, code);
    }
    let alone = json!({ "kind": "order", "fields": { "items": "tea" } });
    bench.post(&by, RECORDS, &alone).problem(404, "SR-KEEP-018");
}

#[test]
fn a_record_needs_no_id_of_the_shops_own() {
    let bench = Bench::new();
    let by = bench.service();
    let made =
        bench.post(&by, RECORDS, &json!({ "kind": "customer", "fields": { "name": "Ann Lee" } })).is(201);
    let subject = json!({ "id": made["subject"] });
    let order =
        json!({ "kind": "order", "subject": subject, "fields": { "items": "tea", "phone": "13900139000" } });
    let (first, second) =
        (bench.post(&by, RECORDS, &order).is(201), bench.post(&by, RECORDS, &order).is(201));
    assert_ne!(first["record"], second["record"], "two orders of the same things are two orders");
    let shown = bench
        .post(&by, "/v1/records:reveal", &json!({ "purpose": "after_sales", "record": first["record"] }))
        .is(200);
    assert_eq!(shown["records"][0]["fields"], json!({ "items": "tea", "phone": "+8613900139000" }));
    assert!(shown["records"][0].get("external_id").is_none());
    let event = json!({ "record": first["record"], "event": "delivered" });
    assert_eq!(bench.post(&by, "/v1/records:event", &event).is(200)["version"], 2);
}

#[test]
fn a_shared_contact_leads_to_many_and_never_merges_them() {
    let bench = Bench::new();
    let by = bench.service();
    let (ann, bea) = (bench.customer(&by, "ann"), bench.customer(&by, "bea"));
    assert_ne!(ann, bea);
    let order = json!({ "kind": "order", "subject": { "match": { "phone": "13812345678" } }, "fields": { "items": "tea" } });
    assert_eq!(bench.post(&by, RECORDS, &order).problem(409, "SR-KEEP-019")["pointer"], "/subject/match");
    let ask = json!({ "purpose": "account", "field": "phone", "value": "+86 138 1234 5678" });
    let found = bench.post(&by, "/v1/records:search", &ask).is(200);
    let subjects: Vec<&str> =
        found["matches"].as_array().unwrap().iter().map(|one| one["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects.len(), 2);
    assert!(subjects.contains(&ann.as_str()) && subjects.contains(&bea.as_str()));
}

#[test]
fn an_order_stays_with_its_customer() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "ann");
    bench.customer(&by, "bea");
    bench.order(&by, "ann", "O-1");
    let taken = json!({ "kind": "order", "external_id": "O-1", "subject": { "external_id": "bea" }, "fields": { "items": "x" } });
    assert_eq!(bench.post(&by, RECORDS, &taken).problem(409, "SR-COLLECT-015")["pointer"], "/subject");
}

#[test]
fn a_unique_value_stands_once_however_the_hashes_of_the_record_sort() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "first");
    for number in 0..16 {
        let fields = json!({ "name": "Bea", "email": "first@shop.example" });
        let problem = bench
            .post(&by, RECORDS, &customer(&format!("other-{number}"), &fields))
            .problem(409, "SR-KEEP-003");
        assert_eq!(problem["pointer"], "/fields/email");
    }
    // Free again once its record does not hold it any more.
    bench.post(&by, RECORDS, &customer("first", &json!({ "email": "new@shop.example" }))).is(200);
    bench
        .post(&by, RECORDS, &customer("other", &json!({ "name": "Bea", "email": "first@shop.example" })))
        .is(201);
}

#[test]
fn events_move_the_clocks_of_their_record() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    let until = || {
        let ask = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-1" } });
        bench.post(&by, "/v1/records:reveal", &ask).is(200)["records"][0]["until"].clone()
    };
    assert_eq!(
        until(),
        "2027-11-23T02:00:00Z",
        "a year after it was collected, should the parcel never arrive"
    );
    bench.pass(3 * DAY);
    bench.event(&by, "O-1", "delivered");
    assert_eq!(until(), "2027-02-24T02:00:00Z", "90 days after it was delivered");
    // Of several instants the latest counts, whenever they arrive.
    let earlier = json!({ "record": { "kind": "order", "external_id": "O-1" }, "event": "delivered", "at": "2026-11-24T00:00:00Z" });
    assert_eq!(bench.post(&by, "/v1/records:event", &earlier).is(200)["outcome"], "unchanged");
    assert_eq!(until(), "2027-02-24T02:00:00Z");
}

#[test]
fn an_event_of_an_order_moves_the_clock_of_its_customer_to_the_latest_one() {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service_for(&["loyalty", "account"]);
    bench.customer(&by, "42");
    let until = || {
        let ask = json!({ "purpose": "loyalty", "subject": { "external_id": "42" } });
        bench.post(&by, "/v1/records:reveal", &ask).is(200)["records"][0]["until"].clone()
    };
    assert_eq!(until(), "2032-11-23T02:00:00Z");
    bench.order(&by, "42", "O-1");
    bench.order(&by, "42", "O-2");
    bench.pass(10 * DAY);
    bench.event(&by, "O-2", "completed");
    assert_eq!(until(), "2031-12-03T02:00:00Z");
    bench.pass(DAY);
    bench.event(&by, "O-1", "completed");
    assert_eq!(until(), "2031-12-04T02:00:00Z");
}

#[test]
fn an_event_is_refused_with_a_pointer_when_it_is_not_one() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    let here = json!({ "kind": "order", "external_id": "O-1" });
    for (body, status, code, pointer) in [
        (json!({ "record": here, "event": "eaten" }), 422, "SR-COLLECT-009", json!("/event")),
        (
            json!({ "record": here, "event": "placed", "at": "yesterday" }),
            422,
            "SR-COLLECT-008",
            json!("/at"),
        ),
        (
            json!({ "record": here, "event": "placed", "at": "2026-11-23T03:00:00Z" }),
            422,
            "SR-COLLECT-008",
            json!("/at"),
        ),
        (json!({ "record": 7, "event": "placed" }), 422, "SR-KEEP-015", json!("/record")),
        (
            json!({ "record": { "kind": "order", "external_id": "O-2" }, "event": "placed" }),
            404,
            "SR-KEEP-001",
            Json::Null,
        ),
        (
            json!({ "record": { "kind": "sofa", "external_id": "O-1" }, "event": "placed" }),
            422,
            "SR-KEEP-017",
            json!("/record/kind"),
        ),
    ] {
        assert_eq!(
            bench.post(&by, "/v1/records:event", &body).problem(status, code)["pointer"],
            pointer,
            "{body}"
        );
    }
}

#[test]
fn a_record_whose_time_is_over_already_is_refused() {
    let bench = Bench::new();
    let by = bench.service();
    let old = json!({
        "kind": "customer", "external_id": "42", "fields": { "name": "Ann Lee" },
        "events": { "active": "2019-01-01T00:00:00Z", "closed": "2020-01-01T00:00:00Z" },
    });
    bench.post(&by, RECORDS, &old).problem(422, "SR-COLLECT-011");
}

#[test]
fn every_item_of_a_batch_gets_its_own_answer() {
    let bench = Bench::new();
    let by = bench.service();
    let items = json!({ "items": [
        customer("1", &json!({ "name": "One", "email": "one@shop.example" })),
        customer("2", &json!({ "name": "Two", "email": "not an address" })),
        { "kind": "sofa", "fields": {} },
        customer("3", &json!({ "name": "Three", "email": "one@shop.example" })),
        customer("1", &json!({ "phone": "13812345678" })),
        { "kind": "order", "external_id": "O-1", "subject": { "external_id": "1" }, "fields": { "items": "tea" } },
        { "kind": "order", "external_id": "O-2", "subject": { "external_id": "9" }, "fields": { "items": "tea" } },
    ] });
    let done = bench.post(&by, "/v1/records:batch", &items).is(200);
    let results: Vec<(u64, Option<&str>)> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_u64().unwrap(), item["problem"]["code"].as_str()))
        .collect();
    assert_eq!(
        results,
        [
            (201, None),
            (422, Some("SR-KEEP-016")),
            (422, Some("SR-KEEP-017")),
            (409, Some("SR-KEEP-003")),
            (200, None),
            (201, None),
            (404, Some("SR-KEEP-018")),
        ]
    );
    assert_eq!((done["written"].as_u64(), done["refused"].as_u64()), (Some(3), Some(4)));
    assert_eq!(done["results"][1]["problem"]["pointer"], "/fields/email");
    assert_eq!(
        fields_of(&bench, &by, "1"),
        json!({ "name": "One", "email": "one@shop.example", "phone": "+8613812345678" })
    );
}

#[test]
fn a_batch_has_at_most_a_thousand_items() {
    let bench = Bench::new();
    let by = bench.service();
    let batch = |count: usize| {
        let items: Vec<Json> =
            (0..count).map(|id| customer(&id.to_string(), &json!({ "name": "Ann Lee" }))).collect();
        bench.post(&by, "/v1/records:batch", &json!({ "items": items }))
    };
    assert_eq!(batch(1_001).problem(422, "SR-HTTP-004")["pointer"], "/items");
    assert_eq!(batch(1_000).is(200)["written"], 1_000);
    assert_eq!(batch(0).is(200)["results"], json!([]));
}

#[test]
fn the_same_request_under_the_same_key_gets_the_same_answer_and_writes_once() {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service();
    let mut body = customer("42", &json!({ "name": "Ann Lee", "birth_date": "1990-03-07", "shoe_size": 38 }));
    body["choices"] = json!([{ "purpose": "marketing_email", "choice": "granted", "notice": { "version": 1, "language": "en" } }]);
    let first = bench.post_once(&by, "k-1", RECORDS, &body);
    let entries = bench.entries().len();
    let second = bench.post_once(&by, "k-1", RECORDS, &body);
    assert_eq!((first.status, first.json()), (201, second.json()));
    assert_eq!(second.status, 201);
    assert_eq!(bench.entries().len(), entries);

    let other = customer("42", &json!({ "name": "Bea" }));
    bench.post_once(&by, "k-1", RECORDS, &other).problem(422, "SR-HTTP-008");
    // Another credential's key is another key.
    bench.post_once(&bench.service(), "k-1", RECORDS, &other).is(200);
    // After a day the key is forgotten, once the caretaker has been round.
    bench.pass(25 * 60 * 60 * 1_000_000);
    bench.round();
    bench.post_once(&by, "k-1", RECORDS, &other).is(200);
}

#[test]
fn the_key_of_a_batch_holds_for_every_item_by_its_position() {
    let bench = Bench::new();
    let by = bench.service();
    let batch = |last: &str| json!({ "items": [customer("1", &json!({ "name": "One" })), customer("2", &json!({ "name": last }))] });
    let first = bench.post_once(&by, "k-1", "/v1/records:batch", &batch("Two")).is(200);
    let entries = bench.entries().len();
    assert_eq!(bench.post_once(&by, "k-1", "/v1/records:batch", &batch("Two")).is(200), first);
    let other = bench.post_once(&by, "k-1", "/v1/records:batch", &batch("Other")).is(200);
    assert_eq!(other["results"][0], first["results"][0]);
    assert_eq!(
        (&other["results"][1]["status"], &other["results"][1]["problem"]["code"]),
        (&json!(422), &json!("SR-HTTP-008"))
    );
    assert_eq!(bench.entries().len(), entries);
}

#[test]
fn a_key_that_is_not_one_is_refused() {
    let bench = Bench::new();
    let by = bench.service();
    for key in ["", "with space", &"k".repeat(256)] {
        bench
            .post_once(&by, key, RECORDS, &customer("42", &json!({ "name": "Ann" })))
            .problem(400, "SR-HTTP-007");
    }
}

#[test]
fn what_is_used_is_used_again_under_the_same_key_and_entered_again() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    let token = json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": "O-1" }, "field": "phone" });
    let token = bench.post(&by, "/v1/tokens", &token).is(201)["token"].clone();
    for (path, body) in [
        ("/v1/records:reveal", json!({ "purpose": "account", "subject": { "external_id": "42" } })),
        ("/v1/records:search", json!({ "purpose": "account", "field": "phone", "value": "13812345678" })),
        ("/v1/tokens:resolve", json!({ "purpose": "after_sales", "token": token })),
    ] {
        let before = bench.entries().len();
        let first = bench.post_once(&by, "k-1", path, &body).is(200);
        let second = bench.post_once(&by, "k-1", path, &body).is(200);
        assert_ne!(first["entry"], second["entry"], "{path}");
        assert_eq!(bench.entries().len(), before + 2, "{path}");
    }
}

const DAY: i64 = strongroom::ground::clock::DAY;

#[test]
fn a_record_that_more_belong_to_than_can_be_looked_at_is_refused() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let orders = |numbers: std::ops::Range<u32>| {
        let order = |number| {
            json!({ "kind": "order", "external_id": format!("O-{number}"), "subject": { "external_id": "42" },
                    "fields": { "items": "Longjing 100 g" } })
        };
        let items: Vec<Json> = numbers.map(order).collect();
        let written = bench.post(&by, "/v1/records:batch", &json!({ "items": items })).is(200);
        assert_eq!(written["written"], items.len());
    };
    let another = |id: &str| {
        let body = json!({ "kind": "customer", "external_id": id, "subject": { "external_id": "42" }, "fields": { "name": "Ann Lee" } });
        bench.post(&by, RECORDS, &body)
    };
    for first in (0..4_096).step_by(512) {
        orders(first..first + 512);
    }
    another("42-a").is(201);
    orders(4_096..4_097);
    another("42-b").problem(409, "SR-KEEP-020");
    // What is there already is changed as before.
    bench.post(&by, RECORDS, &customer("42", &json!({ "name": "Ann Li" }))).is(200);
}
