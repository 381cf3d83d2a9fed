//! What subjects said: with receipts, and at once.

use ledger::entry::Act;
use ledger::note::Verifier;
use ledger::opening::Tag;
use ledger::receipt::Receipt;
use serde_json::{Value as Json, json};

use crate::support::{Bench, Key, POLICY, Reply};

fn reveal_mail(bench: &Bench, by: &Key) -> Reply {
    bench.post(
        by,
        "/v1/records:reveal",
        &json!({ "purpose": "marketing_email", "subject": { "external_id": "42" } }),
    )
}

fn reasons(problem: &Json) -> Vec<&str> {
    problem["reasons"].as_array().unwrap().iter().map(|reason| reason["name"].as_str().unwrap()).collect()
}

#[test]
fn a_yes_opens_and_a_withdrawal_closes_at_once() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    assert_eq!(reasons(&reveal_mail(&bench, &by).problem(403, "SR-REVEAL-001")), ["no_choice"]);
    bench.choose(&by, "42", "marketing_email", "granted");
    assert_eq!(
        reveal_mail(&bench, &by).is(200)["records"][0]["fields"],
        json!({ "email": "42@shop.example" })
    );
    bench.choose(&by, "42", "marketing_email", "withdrawn");
    assert_eq!(reasons(&reveal_mail(&bench, &by).problem(403, "SR-REVEAL-001")), ["objected"]);
    bench.choose(&by, "42", "marketing_email", "granted");
    reveal_mail(&bench, &by).is(200);
    // The account's mail stands on something else than a consent.
    bench.choose(&by, "42", "marketing_email", "refused");
    bench
        .post(&by, "/v1/records:reveal", &json!({ "purpose": "account", "subject": { "external_id": "42" } }))
        .is(200);
    bench.round();
}

#[test]
fn a_choice_has_a_receipt_that_a_stranger_can_verify() {
    let bench = Bench::new();
    let by = bench.service();
    let subject = bench.customer(&by, "42");
    let kept = bench.choose(&by, "42", "marketing_email", "granted");
    assert_eq!(kept["outcome"], "kept");
    let receipt = Receipt::from_json(&kept["receipt"].to_string()).unwrap();
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let proved = receipt.verify(&verifier, "strongroom/harbour-hill").unwrap();
    assert_eq!(proved.entry.act, Act::Chose);
    let said = |tag| proved.opening.text(tag);
    assert_eq!(said(Tag::Subject), Some(subject.as_str()));
    assert_eq!(said(Tag::Purpose), Some("marketing_email"));
    assert_eq!(
        (said(Tag::Choice), said(Tag::Notice), said(Tag::Language)),
        (Some("granted"), Some("1"), Some("zh"))
    );
    assert_eq!(proved.opening.at(), Some(bench.now()));

    // Changed anywhere, it proves nothing.
    let mut forged = receipt.clone();
    forged.salt[0] ^= 1;
    assert!(forged.verify(&verifier, "strongroom/harbour-hill").is_err());
}

#[test]
fn the_later_choice_wins_by_when_it_was_made_not_by_when_it_came() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let say = |choice: &str, at: &str| {
        let body = json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": choice,
                           "notice": { "version": 1, "language": "zh" }, "at": at });
        bench.post(&by, "/v1/choices", &body).is(201)
    };
    say("withdrawn", "2026-11-22T12:00:00Z");
    say("granted", "2026-11-21T12:00:00Z");
    reveal_mail(&bench, &by).problem(403, "SR-REVEAL-001");
    say("granted", "2026-11-22T12:00:01Z");
    reveal_mail(&bench, &by).is(200);
    bench.round();
}

#[test]
fn saying_the_same_again_changes_nothing() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.choose(&by, "42", "marketing_email", "granted");
    let before = bench.entries().len();
    let body = json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted",
                       "notice": { "version": 1, "language": "zh" } });
    assert_eq!(bench.post(&by, "/v1/choices", &body).is(200)["outcome"], "unchanged");
    assert_eq!(bench.entries().len(), before);
    bench.round();
}

#[test]
fn a_choice_that_cannot_be_made_is_refused_with_a_pointer() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let notice = json!({ "version": 1, "language": "zh" });
    let base = json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted", "notice": notice });
    for (pointer, value, status, code, told) in [
        ("/purpose", json!("delivery"), 422, "SR-CHOOSE-001", "/purpose"),
        ("/purpose", json!("dancing"), 422, "SR-CHOOSE-006", "/purpose"),
        ("/choice", json!("perhaps"), 422, "SR-HTTP-003", "/choice"),
        ("/notice/version", json!(2), 422, "SR-CHOOSE-003", "/notice/version"),
        ("/notice/version", json!(0), 422, "SR-CHOOSE-003", "/notice/version"),
        ("/notice/language", json!("fr"), 422, "SR-CHOOSE-004", "/notice/language"),
        ("/subject/external_id", json!("43"), 404, "SR-KEEP-018", "/subject"),
    ] {
        let mut body = base.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        assert_eq!(bench.post(&by, "/v1/choices", &body).problem(status, code)["pointer"], told, "{body}");
    }
    let mut ahead = base.clone();
    ahead["at"] = json!("2026-11-23T02:06:00Z");
    assert_eq!(bench.post(&by, "/v1/choices", &ahead).problem(422, "SR-COLLECT-008")["pointer"], "/at");
    assert_eq!(bench.count(Act::Chose), 0);
}

#[test]
fn a_yes_stands_only_to_what_its_notice_said() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.choose(&by, "42", "marketing_email", "granted");
    bench.round();
    reveal_mail(&bench, &by).is(200);
    // The purpose asks for more now: the phone number too.
    let more = POLICY.replacen(
        "fields = [\"email\"]",
        "fields = [\"email\", { field = \"customer.phone\", optional = true }]",
        1,
    );
    assert_ne!(more, POLICY);
    let published = bench.post(&bench.admin, "/v1/policies", &json!({ "text": more })).is(201);
    assert_eq!(published["version"], 2);
    assert_eq!(reasons(&reveal_mail(&bench, &by).problem(403, "SR-REVEAL-001")), ["no_choice"]);
    let again = json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted",
                        "notice": { "version": 2, "language": "en" } });
    bench.post(&by, "/v1/choices", &again).is(201);
    reveal_mail(&bench, &by).is(200);
    bench.round();
}
