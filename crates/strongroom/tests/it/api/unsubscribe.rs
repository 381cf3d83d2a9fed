//! Unsubscribing by one click (RFC 8058).

use axum::body::Body;
use axum::http::{Request, header};
use ledger::entry::{Act, ActorKind};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key, Reply};

const FORM: &str = "application/x-www-form-urlencoded";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

fn link(bench: &Bench, by: &Key, customer: &str, purpose: &str) -> Json {
    let body = json!({ "subject": { "external_id": customer }, "purpose": purpose, "origin": "https://privacy.shop.example" });
    bench.post(by, "/v1/choices:unsubscribe-link", &body).is(200)
}

/// The link's address on this server.
fn path_of(link: &Json) -> String {
    link["url"].as_str().unwrap().strip_prefix("https://privacy.shop.example").unwrap().to_owned()
}

fn click(bench: &Bench, path: &str, media: &str, body: &str) -> Reply {
    let request = Request::post(path).header(header::CONTENT_TYPE, media);
    bench.send(request.body(Body::from(body.to_owned())).unwrap())
}

fn may(bench: &Bench, by: &Key, purpose: &str, customer: &str) -> bool {
    let body = json!({ "purpose": purpose, "external_ids": [customer] });
    bench.post(by, "/v1/choices:may", &body).is(200)["answers"][0]["may"] == true
}

/// Two customers who both said yes to both purposes.
fn house() -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    for (customer, order) in [("42", "O-42"), ("43", "O-43")] {
        bench.customer(&by, customer);
        bench.order(&by, customer, order);
        for purpose in ["marketing_email", "recommendations"] {
            bench.choose(&by, customer, purpose, "granted");
        }
    }
    (bench, by)
}

#[test]
fn one_click_withdraws_that_purpose_of_that_person_and_nothing_else() {
    let (bench, by) = house();
    let made = link(&bench, &by, "42", "marketing_email");
    assert_eq!(made["headers"][0], format!("List-Unsubscribe: <{}>", made["url"].as_str().unwrap()));
    assert_eq!(made["headers"][1], "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    let reply = click(&bench, &path_of(&made), FORM, ONE_CLICK);
    assert_eq!(reply.status, 200);
    assert!(reply.headers.get(header::LOCATION).is_none() && reply.headers.get(header::SET_COOKIE).is_none());
    assert!(!may(&bench, &by, "marketing_email", "42"));
    for (purpose, customer) in
        [("recommendations", "42"), ("marketing_email", "43"), ("recommendations", "43")]
    {
        assert!(may(&bench, &by, purpose, customer), "{purpose} {customer}");
    }
    let entries = bench.entries();
    let entry = entries.iter().rev().find(|entry| entry.act == Act::Chose).unwrap();
    assert_eq!(entry.actor.kind, ActorKind::Subject);
    // Again, and as the other form: the same answer, and nothing is entered.
    let (chose, page) = (bench.count(Act::Chose), reply.text());
    let parts =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (media, body) in [(FORM, ONE_CLICK), ("multipart/form-data; boundary=b", parts)] {
        let again = click(&bench, &path_of(&made), media, body);
        assert_eq!((again.status, again.text()), (200, page.clone()));
    }
    assert_eq!(bench.count(Act::Chose), chose);
    bench.round();
}

#[test]
fn to_open_a_link_or_to_send_something_else_changes_nothing() {
    let (bench, by) = house();
    let path = path_of(&link(&bench, &by, "42", "marketing_email"));
    let before = bench.entries().len();
    assert_eq!(bench.get_as_stranger(&path).status, 200);
    for body in ["", "List-Unsubscribe=Two-Clicks", "one-click"] {
        assert_eq!(click(&bench, &path, FORM, body).status, 400, "{body}");
    }
    assert_eq!(click(&bench, &path, FORM, &"x".repeat(5_000)).status, 413);
    assert_eq!(bench.entries().len(), before);
    assert!(may(&bench, &by, "marketing_email", "42"));
}

#[test]
fn every_link_has_the_same_pages_whatever_is_wrong_with_it() {
    let (bench, by) = house();
    let good = path_of(&link(&bench, &by, "42", "marketing_email"));
    let erased = path_of(&link(&bench, &by, "43", "marketing_email"));
    let subject = json!({ "subject": { "external_id": "43" } });
    let id = bench.post(&by, "/v1/subjects:find", &subject).is(200)["subject"].as_str().unwrap().to_owned();
    let officer = bench.key(Role::Officer, &[]);
    bench.post(&officer, &format!("/v1/subjects/{id}:erase"), &json!({})).is(200);
    let admin = bench.add_shop("other-shop");
    let theirs = bench.key_by(&admin, Role::Service, &["marketing_email"]);
    bench.customer(&theirs, "42");
    let other = path_of(&link(&bench, &theirs, "42", "marketing_email"));
    let parts: Vec<&str> = good.trim_start_matches("/u/").split('.').collect();
    let foreign = other.rsplit('.').next().unwrap();
    let wrong = [
        erased,
        format!("/u/{}.{}.{foreign}", parts[0], parts[1]),
        format!("/u/{}.{}.{}", parts[0], parts[1].parse::<u16>().unwrap() + 1, parts[2]),
        format!("/u/{}.{}", parts[0], parts[1]),
        format!("/u/{}.{}.", parts[0], parts[1]),
        "/u/x".to_owned(),
        "/u/a.99999999.b".to_owned(),
        "/u/....".to_owned(),
    ];
    let asks = bench.get_as_stranger(&good).text();
    let before = bench.entries().len();
    let done: Vec<Reply> = wrong.iter().map(|path| click(&bench, path, FORM, ONE_CLICK)).collect();
    assert_eq!(bench.entries().len(), before, "nobody is unsubscribed by a link that nobody made");
    let good_one = click(&bench, &good, FORM, ONE_CLICK);
    for (path, reply) in wrong.iter().zip(done) {
        assert_eq!(bench.get_as_stranger(path).text(), asks, "{path}");
        assert_eq!((reply.status, reply.text()), (200, good_one.text()), "{path}");
    }
    assert!(!may(&bench, &by, "marketing_email", "42"));
}

#[test]
fn the_page_is_calm_in_both_languages_and_has_no_script() {
    let (bench, by) = house();
    let path = path_of(&link(&bench, &by, "42", "marketing_email"));
    let page = bench.get_as_stranger(&path);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
    let text = page.text();
    assert!(text.contains("Unsubscribe</button>") && !text.contains("<script") && !text.contains("42"));
    assert!(!text.contains("form-action 'none'"), "the page's own policy lets its form go");
    let chinese = bench.get_as_stranger(&format!("{path}?lang=zh")).text();
    assert!(chinese.contains("确认退订") && chinese.contains("lang=\"zh"));
    let asked = Request::get(&path).header(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9,en;q=0.5");
    assert_eq!(bench.send(asked.body(Body::empty()).unwrap()).text(), chinese);
}

#[test]
fn a_link_is_made_for_a_purpose_that_leaves_a_choice_and_for_somebody_who_is_there() {
    let (bench, by) = house();
    let ask = |customer: &str, purpose: &str, origin: &str| {
        let body = json!({ "subject": { "external_id": customer }, "purpose": purpose, "origin": origin });
        bench.post(&by, "/v1/choices:unsubscribe-link", &body)
    };
    let here = "https://shop.example";
    ask("42", "delivery", here).problem(422, "SR-CHOOSE-001");
    ask("42", "dancing", here).problem(422, "SR-CHOOSE-006");
    ask("nobody", "marketing_email", here).problem(404, "SR-KEEP-018");
    for origin in ["http://shop.example", "https://shop.example/x", "https://a>\r\nBcc: b@c.example"] {
        assert_eq!(ask("42", "marketing_email", origin).problem(422, "SR-CHOOSE-009")["pointer"], "/origin");
    }
}
