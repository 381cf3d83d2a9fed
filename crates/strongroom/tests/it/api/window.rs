//! The window: what pages show visitors, what they choose there, and what a publishable key cannot do.

use axum::body::Body;
use axum::http::{Request, header};
use ledger::choice::{ChoiceReceipt, Fact};
use ledger::entry::Act;
use ledger::opening::Tag;
use serde_json::{Value as Json, json};
use strongroom::ground::clock::{DAY, HOUR};
use strongroom::ground::{Role, heads};

use crate::support::{Bench, Key, POLICY, Reply};

/// The example's shop with statistics that begin by consent, and advertising that people can object to.
fn policy() -> String {
    let more = r#"
[purpose.statistics]
use = "analytics.reporting.content_performance"
basis = "consent"
label = { zh = "访问统计", en = "Visitor statistics" }
says = { zh = "了解哪些页面有人看", en = "To see which pages are read" }
fields = ["email"]
keep = "until withdrawn"
cookies = ["_ga*"]

[purpose.sharing]
use = "marketing.advertising.third_party"
basis = "separate_consent"
says = { zh = "与合作方共享信息用于广告", en = "To share what you looked at with our advertising partner" }
fields = ["email"]
keep = "until withdrawn"
"#;
    format!("{POLICY}{more}")
}

/// A shop with a key for its pages, and a visitor's browser.
struct Page {
    bench: Bench,
    key: String,
    /// What the browser keeps.
    cookies: String,
}

impl Page {
    fn new() -> Page {
        Page::of(&policy())
    }

    fn of(policy: &str) -> Page {
        let bench = Bench::with_policy(policy);
        let key = bench.key(Role::Window, &[]).0;
        Page { bench, key, cookies: String::new() }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Json>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/w/{}/{path}", self.key));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, &self.cookies);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.bench.send(request.body(body).unwrap())
    }

    fn init(&self, query: &str) -> Json {
        self.request("GET", &format!("init?{query}"), &[], None).is(200)
    }

    fn choice(id: u32, shown: &Json, choices: &Json, source: &str) -> Json {
        json!({ "id": format!("choice-of-a-visitor-{id:06}"), "snapshot": shown["snapshot"], "choices": choices,
            "source": source, "variant": shown["variant"], "language": shown["notice"]["language"],
            "claimed_at": "2026-11-22T08:00:00Z" })
    }

    /// Chooses, and keeps the cookies that come with the answer.
    fn choose(&mut self, id: u32, choices: &Json) -> Json {
        let body = Page::choice(id, &self.init("lang=en"), choices, "banner");
        let reply = self.request("POST", "choices", &[], Some(&body));
        self.keep_cookies(&reply);
        reply.is(200)
    }

    fn keep_cookies(&mut self, reply: &Reply) {
        let pairs = reply.headers.get_all(header::SET_COOKIE).iter();
        let pairs = pairs.map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned());
        let kept: Vec<String> = pairs.filter(|pair| !pair.ends_with('=')).collect();
        if !kept.is_empty() {
            self.cookies = kept.join("; ");
        }
    }
}

fn names(purposes: &Json) -> Vec<(&str, &str)> {
    let all = purposes.as_array().unwrap().iter();
    all.map(|one| (one["name"].as_str().unwrap(), one["kind"].as_str().unwrap())).collect()
}

#[test]
fn what_is_shown_before_a_choice_is_the_policy_in_the_pages_language_and_leaves_nothing_behind() {
    let page = Page::new();
    let before = page.bench.entries().len();
    let reply = page.request("GET", "init?lang=zh-CN", &[], None);
    assert!(reply.headers.get(header::SET_COOKIE).is_none(), "no cookie before a choice");
    let shown = reply.is(200);
    assert_eq!((&shown["ask"], &shown["choices"], &shown["format"]), (&json!(true), &json!({}), &json!(1)));
    assert_eq!(shown["notice"]["language"], "zh");
    let purposes = names(&shown["purposes"]);
    assert!(purposes.contains(&("statistics", "consent")) && purposes.contains(&("sharing", "separate")));
    assert!(purposes.contains(&("delivery", "necessary")));
    let statistics =
        &shown["purposes"].as_array().unwrap().iter().find(|one| one["name"] == "statistics").unwrap();
    assert_eq!(
        (&statistics["label"], &statistics["signals"]),
        (&json!("访问统计"), &json!(["analytics_storage"]))
    );
    assert_eq!(shown["texts"]["reject_all"], "全部拒绝");
    assert_eq!(page.init("lang=fr")["notice"]["language"], "zh", "the shop's first, where it has no other");
    assert_eq!(page.init("lang=en-GB")["texts"]["reject_all"], "Reject all");
    assert_eq!(page.bench.entries().len(), before);
}

#[test]
fn the_banner_is_as_the_policy_sets_it() {
    let window = r##"
[window]
order = ["reject", "accept", "choose"]
on = ["statistics"]
[window.accept]
label = { zh = "全部允许", en = "Allow all" }
text = "#ffffff"
background = "#17604f"
[window.reject]
text = "#ffffff"
background = "#17604f"
weight = "usual"
"##;
    let states = policy().replace("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"us-ca\"]");
    let page = Page::of(&format!("{states}{window}"));
    let shown = page.init("lang=en&home=us-ca");
    assert_eq!(shown["variant"], "rac");
    assert_eq!(
        (&shown["texts"]["accept_all"], &shown["texts"]["reject_all"]),
        (&json!("Allow all"), &json!("Reject all"))
    );
    let look = json!({ "color": "#ffffff", "backgroundColor": "#17604f" });
    assert_eq!(shown["look"], json!({ "a": look, "r": look }));
    assert_eq!(page.init("lang=zh&home=us-ca")["texts"]["accept_all"], "全部允许");
    let is_on = |shown: &Json| {
        let purposes = shown["purposes"].as_array().unwrap();
        purposes
            .iter()
            .filter(|purpose| purpose["on_by_default"] == true)
            .map(|purpose| purpose["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(is_on(&shown), [json!("statistics")], "where the law is one of opting out");
    assert_eq!(is_on(&page.init("lang=en&home=eu")), [] as [Json; 0]);
    let body = Page::choice(1, &shown, &json!({ "statistics": false }), "banner");
    assert_eq!(body["variant"], "rac");
    page.request("POST", "choices", &[], Some(&body)).is(200);
}

#[test]
fn a_choice_is_entered_bound_to_what_was_shown_and_known_again_by_its_cookie() {
    let mut page = Page::new();
    let saved = page.choose(1, &json!({ "statistics": true, "marketing_email": false }));
    assert_eq!(saved["choices"], json!({ "statistics": true, "marketing_email": false }));
    assert_eq!(saved["standing"], "1.1.statistics.marketing_email");
    assert_eq!(page.bench.count(Act::Chose), 2);
    let shown = page.init("lang=en");
    assert_eq!((&shown["choices"], &shown["ask"]), (&saved["choices"], &json!(true)), "one is still open");
    let stranger = Page { cookies: String::new(), ..page };
    assert_eq!(stranger.init("lang=en")["choices"], json!({}));
}

#[test]
fn a_refusal_sets_the_two_cookies_and_takes_away_those_of_the_purpose() {
    let mut page = Page::new();
    page.cookies = "_ga=1; _ga_X=2; basket=3".to_owned();
    let body = Page::choice(1, &page.init("lang=en"), &json!({ "statistics": false }), "banner");
    let reply = page.request("POST", "choices", &[], Some(&body));
    let set: Vec<&str> =
        reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(set.len(), 4, "{set:?}");
    assert!(set[0].starts_with("sr=1.1..statistics; Path=/;") && !set[0].contains("HttpOnly"));
    assert!(set[1].starts_with("srv=sub_") && set[1].contains("HttpOnly") && set[1].contains("SameSite=Lax"));
    assert!(set.iter().all(|cookie| cookie.contains("Secure") || cookie.contains("Max-Age=0")));
    assert!(set[2..].iter().all(|cookie| cookie.starts_with("_ga") && cookie.contains("Max-Age=0")));
}

#[test]
fn the_same_choice_twice_is_one_and_its_id_stands_for_no_other() {
    let mut page = Page::new();
    let shown = page.init("lang=en");
    let body = Page::choice(1, &shown, &json!({ "statistics": true }), "banner");
    let first = page.request("POST", "choices", &[], Some(&body));
    let second = page.request("POST", "choices", &[], Some(&body));
    assert_eq!(first.is(200), second.is(200));
    page.keep_cookies(&second);
    assert_eq!(page.bench.count(Act::Chose), 1);
    let mut other = Page::choice(1, &shown, &json!({ "statistics": false }), "banner");
    page.request("POST", "choices", &[], Some(&other)).problem(422, "SR-WINDOW-004");
    assert_eq!(page.init("lang=en")["choices"], json!({ "statistics": true }));
    // A caller without cookies says what it was given last, as the specification lets it.
    other["id"] = json!("another-choice-of-a-visitor");
    other["standing"] = json!("1.1.statistics.");
    assert_eq!(
        page.request("POST", "choices", &[], Some(&other)).is(200)["choices"],
        json!({ "statistics": false })
    );
}

#[test]
fn a_withdrawal_stops_the_purpose_and_is_told_as_that() {
    let mut page = Page::new();
    page.choose(1, &json!({ "statistics": true }));
    let saved = page.choose(2, &json!({ "statistics": false }));
    assert_eq!(saved["choices"], json!({ "statistics": false }));
    assert_eq!(page.bench.count(Act::Chose), 2);
}

#[test]
fn a_receipt_is_given_to_whoever_chose_and_proves_itself() {
    let mut page = Page::new();
    let saved = page.choose(1, &json!({ "statistics": true }));
    assert_eq!(saved["receipt_url"], format!("/w/{}/receipts", page.key));
    let receipts = page.request("GET", "receipts", &[], None).is(200);
    let receipts = receipts["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 1);
    let receipt: ChoiceReceipt = serde_json::from_value(receipts[0].clone()).unwrap();
    let (shop, house) = (page.bench.shop(), page.bench.house());
    let verifier = heads::verifier(house, &shop, shop.log()).unwrap();
    let proved = receipt.verify(&verifier, &heads::origin(&shop.name, shop.log())).unwrap();
    assert_eq!([proved.text(Fact::Way), proved.text(Fact::Variant)], [Some("banner"), Some("arc")]);
    let proved = proved.ledger;
    assert_eq!(proved.entry.act, Act::Chose);
    let facts: Vec<String> =
        proved.opening.parts().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
    for fact in ["statistics", "granted", "en", "way banner", "variant arc"] {
        assert!(facts.iter().any(|one| one == fact), "{fact}: {facts:?}");
    }
    assert!(facts.iter().any(|one| one.starts_with("shown ") && one.len() == 70), "{facts:?}");
    page.request("GET", "receipts?of=cho_aaaaaaaaaaaaaaaaaaaaaaaaaa", &[], None)
        .problem(404, "SR-WINDOW-009");
    let withdrawn = page.choose(2, &json!({ "statistics": false }));
    assert_eq!(withdrawn["choices"], json!({ "statistics": false }));
    let receipts = page.request("GET", "receipts", &[], None).is(200);
    let receipts = receipts["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 1, "of what stands");
    let receipt: ChoiceReceipt = serde_json::from_value(receipts[0].clone()).unwrap();
    let proved = receipt.verify(&verifier, &heads::origin(&shop.name, shop.log())).unwrap();
    assert_eq!(proved.ledger.opening.text(Tag::Choice), Some("withdrawn"));
    page.cookies.clear();
    page.request("GET", "receipts", &[], None).problem(404, "SR-WINDOW-009");
}

#[test]
fn what_was_not_shown_is_not_chosen() {
    let page = Page::new();
    let shown = page.init("lang=en");
    let good = Page::choice(1, &shown, &json!({ "statistics": true }), "banner");
    let with = |key: &str, value: Json| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (body, status, code) in [
        (with("choices", json!({ "delivery": true })), 422, "SR-WINDOW-003"),
        (with("choices", json!({ "nothing": true })), 422, "SR-WINDOW-003"),
        (with("choices", json!({})), 422, "SR-WINDOW-003"),
        (with("choices", json!({ "sharing": true, "statistics": true })), 422, "SR-WINDOW-005"),
        (with("variant", json!("rca")), 422, "SR-WINDOW-003"),
        (with("language", json!("zh")), 422, "SR-WINDOW-003"),
        (with("claimed_at", json!("yesterday")), 422, "SR-WINDOW-003"),
        (with("id", json!("short")), 422, "SR-WINDOW-003"),
        (with("snapshot", json!("1.1.en.arc..0.x.1.y")), 409, "SR-WINDOW-002"),
        (with("snapshot", json!("")), 409, "SR-WINDOW-002"),
        (with("source", json!("paper")), 422, "SR-HTTP-003"),
    ] {
        page.request("POST", "choices", &[], Some(&body)).problem(status, code);
    }
    // A separate consent alone is a choice.
    let alone = with("choices", json!({ "sharing": true }));
    page.request("POST", "choices", &[], Some(&alone)).is(200);
    assert_eq!(page.bench.count(Act::Chose), 1);
}

#[test]
fn a_snapshot_is_of_one_page_one_version_and_one_day() {
    let page = Page::new();
    let body = Page::choice(1, &page.init("lang=en"), &json!({ "statistics": true }), "banner");
    let other = Page { key: page.bench.key(Role::Window, &[]).0, ..Page::new() };
    other.request("POST", "choices", &[], Some(&body)).problem(404, "SR-WINDOW-001");
    page.bench.pass(25 * HOUR);
    page.request("POST", "choices", &[], Some(&body)).problem(409, "SR-WINDOW-002");
    let body = Page::choice(1, &page.init("lang=en"), &json!({ "statistics": true }), "banner");
    let next = policy().replacen("To see which pages are read", "To see who reads what", 1);
    page.bench.post(&page.bench.admin, "/v1/policies", &json!({ "text": next })).is(201);
    page.request("POST", "choices", &[], Some(&body)).problem(409, "SR-WINDOW-002");
}

#[test]
fn a_policy_that_asks_for_more_voids_the_yes_and_the_page_asks_again() {
    let mut page = Page::new();
    page.choose(1, &json!({ "statistics": true, "marketing_email": true }));
    let purpose = "fields = [\"email\"]\nkeep = \"until withdrawn\"\ncookies";
    let next = policy().replacen(purpose, &purpose.replace("[\"email\"]", "[\"email\", \"phone\"]"), 1);
    page.bench.post(&page.bench.admin, "/v1/policies", &json!({ "text": next })).is(201);
    let shown = page.init("lang=en");
    assert_eq!((&shown["choices"], &shown["ask"]), (&json!({ "marketing_email": true }), &json!(true)));
}

#[test]
fn robots_other_sites_and_forms_choose_nothing() {
    let page = Page::new();
    let body = Page::choice(1, &page.init("lang=en"), &json!({ "statistics": true }), "banner");
    let robot = [("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")];
    page.request("POST", "choices", &robot, Some(&body)).problem(403, "SR-WINDOW-007");
    assert_eq!(page.request("GET", "init?lang=en", &robot, None).is(200)["ask"], false);
    page.request("POST", "choices", &[("sec-fetch-site", "cross-site")], Some(&body))
        .problem(403, "SR-WINDOW-008");
    let form = Request::post(format!("/w/{}/choices", page.key)).header(header::CONTENT_TYPE, "text/plain");
    page.bench.send(form.body(Body::from(body.to_string())).unwrap()).problem(415, "SR-WINDOW-010");
    assert_eq!(page.bench.count(Act::Chose), 0);
}

#[test]
fn a_signal_is_heard_exactly_and_a_yes_counts_in_spite_of_it_only_when_it_says_so() {
    let sold = POLICY.to_owned()
        + r#"
[purpose.ads]
use = "marketing.advertising.third_party"
basis = "separate_consent"
says = { zh = "广告", en = "Advertising" }
fields = ["email"]
keep = "until withdrawn"
recipients = ["ad-net"]

[recipient.ad-net]
kind = "marketing"
name = { zh = "广告网络", en = "Ad Net" }
in = "us"
consideration = "exchange"
"#;
    let bench = Bench::with_policy(&sold);
    let key = bench.key(Role::Window, &[]).0;
    let mut page = Page { bench, key, cookies: String::new() };
    let shown = |page: &Page, signal: &str| {
        page.request("GET", "init?lang=en&home=us-ca", &[("sec-gpc", signal)], None).is(200)
    };
    for signal in ["0", "true", "1, 1", "11"] {
        assert_eq!(shown(&page, signal)["gpc"]["heard"], false, "{signal}");
    }
    let heard = shown(&page, "1");
    assert!(heard["purposes"].to_string().contains("\"ads\""), "{heard}");
    assert_eq!(heard["gpc"], json!({ "heard": true, "honoured": ["ads"], "conflict": [] }));
    assert_eq!(heard["ask"], false, "no banner for whoever has said it already");
    let yes = json!({ "ads": true });
    let body = Page::choice(1, &heard, &yes, "banner");
    let reply = page.request("POST", "choices", &[], Some(&body));
    page.keep_cookies(&reply);
    assert_eq!(reply.is(200)["choices"], json!({ "ads": false }));
    let body = Page::choice(2, &shown(&page, "1"), &yes, "signal");
    assert_eq!(page.request("POST", "choices", &[], Some(&body)).is(200)["choices"], yes);
    assert_eq!(shown(&page, "1")["gpc"]["honoured"], json!([]));
}

#[test]
fn a_publishable_key_opens_nothing_and_any_other_key_opens_no_window() {
    let page = Page::new();
    let secret = Key(page.key.replacen("srp_", "srk_", 1));
    for path in
        ["/v1/records:reveal", "/v1/subjects:find", "/v1/records", "/v1/choices", "/v1/records:search"]
    {
        for key in [&secret, &Key(page.key.clone())] {
            let reply = page.bench.post(key, path, &json!({}));
            assert!(matches!(reply.status, 401 | 403), "{path}: {}", reply.text());
        }
    }
    let service = page.bench.service();
    for key in [service.0.replacen("srk_", "srp_", 1), service.0, secret.0, "srp_x".to_owned()] {
        let asked = page.bench.get_as_stranger(&format!("/w/{key}/init"));
        asked.problem(404, "SR-WINDOW-001");
    }
}

#[test]
fn a_forged_cookie_is_nobodys() {
    let mut page = Page::new();
    page.choose(1, &json!({ "statistics": true }));
    let customer = page.bench.customer(&page.bench.service(), "42");
    let visitor = page.cookies.split("srv=").nth(1).unwrap().to_owned();
    let mac = visitor.split_once('.').unwrap().1.to_owned();
    for forged in [format!("{customer}.{mac}"), customer, format!("{visitor}x"), String::new()] {
        page.cookies = format!("srv={forged}");
        assert_eq!(page.init("lang=en")["choices"], json!({}), "{forged}");
    }
    let body = Page::choice(2, &page.init("lang=en"), &json!({ "statistics": false }), "banner");
    page.request("POST", "choices", &[], Some(&body)).is(200);
    page.cookies = format!("srv={visitor}");
    assert_eq!(page.init("lang=en")["choices"], json!({ "statistics": true }), "whoever chose still has it");
}

#[test]
fn a_visitor_whose_choices_were_erased_begins_anew() {
    let mut page = Page::new();
    page.choose(1, &json!({ "statistics": true }));
    let subject = page.cookies.split("srv=").nth(1).unwrap().split_once('.').unwrap().0.to_owned();
    let officer = page.bench.key(Role::Officer, &[]);
    page.bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    let saved = page.choose(2, &json!({ "statistics": false }));
    assert_eq!(saved["choices"], json!({ "statistics": false }));
    assert!(!page.cookies.contains(&subject));
}

#[test]
fn choices_of_visitors_survive_a_start_and_a_month() {
    let mut page = Page::new();
    page.choose(1, &json!({ "statistics": true }));
    page.bench.pass(20 * DAY);
    page.bench.round();
    page.bench.close();
    page.bench.open();
    assert_eq!(page.init("lang=en")["choices"], json!({ "statistics": true }));
}

#[test]
fn the_files_of_the_window_are_served_as_what_they_are() {
    let bench = Bench::new();
    for (path, media) in [
        ("/strongroom.js", "text/javascript; charset=utf-8"),
        ("/strongroom-adapters.js", "text/javascript; charset=utf-8"),
        ("/strongroom.css", "text/css; charset=utf-8"),
    ] {
        let reply = bench.get_as_stranger(path);
        assert_eq!((reply.status, reply.headers[header::CONTENT_TYPE].to_str().unwrap()), (200, media));
        assert!(reply.body.len() > 500);
    }
}

/// The example's shop, whose newsletter's yes ends, and whose no is left in peace for a while.
fn page_that_asks_again() -> Page {
    let head = "[purpose.marketing_email]\n";
    let rest = "[purpose.recommendations]\n";
    let policy = POLICY.replacen(head, &format!("{head}ask_again = \"60d\"\nwait = \"90d\"\n"), 1).replacen(
        rest,
        &format!("{rest}ask_again = \"400d\"\nwait = \"200d\"\n"),
        1,
    );
    let bench = Bench::with_policy(&policy);
    let key = bench.key(Role::Window, &[]).0;
    Page { bench, key, cookies: String::new() }
}

fn max_age(reply: &Reply) -> u64 {
    let set = reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let mut standing = set.filter(|cookie| cookie.starts_with("sr="));
    let age = standing.next().unwrap().split("Max-Age=").nth(1).unwrap();
    age.split(';').next().unwrap().parse().unwrap()
}

#[test]
fn a_visitor_whose_yes_has_ended_is_asked_again_and_the_cookie_is_gone_with_it() {
    let mut page = page_that_asks_again();
    let body = Page::choice(
        1,
        &page.init("lang=en"),
        &json!({ "marketing_email": true, "recommendations": true }),
        "banner",
    );
    let reply = page.request("POST", "choices", &[], Some(&body));
    page.keep_cookies(&reply);
    assert_eq!(reply.is(200)["until"], "2027-01-22T02:00:00Z");
    assert_eq!(max_age(&reply), 60 * 86_400);
    let shown = page.init("lang=en");
    assert_eq!((&shown["ask"], &shown["until"]), (&json!(false), &json!("2027-01-22T02:00:00Z")));
    assert_eq!(shown["ask_again_at"], "2027-01-22T02:00:00Z");
    page.bench.pass(60 * DAY);
    let shown = page.init("lang=en");
    assert_eq!((&shown["ask"], &shown["ask_again_at"]), (&json!(true), &Json::Null));
    assert_eq!(shown["choices"], json!({ "recommendations": true }), "of the other one the yes stands on");
}

#[test]
fn who_said_no_is_left_in_peace_as_long_as_the_policy_says() {
    let mut page = page_that_asks_again();
    page.choose(1, &json!({ "marketing_email": false, "recommendations": false }));
    let shown = page.init("lang=en&home=eu");
    assert_eq!((&shown["ask"], &shown["until"]), (&json!(false), &Json::Null));
    assert_eq!(shown["ask_again_at"], "2027-02-21T02:00:00Z", "90 days");
    page.bench.pass(90 * DAY);
    assert_eq!(page.init("lang=en&home=eu")["ask"], true);
    assert_eq!(page.init("lang=en&home=eu")["choices"]["marketing_email"], false, "and the no stands");
    // Without a word in the policy nobody is asked a second time.
    let mut page = Page::new();
    page.choose(1, &json!({ "marketing_email": false, "recommendations": false, "statistics": false }));
    page.bench.pass(3 * 365 * DAY);
    let shown = page.init("lang=en");
    assert_eq!((&shown["ask"], &shown["ask_again_at"]), (&json!(false), &Json::Null));
}

#[test]
fn of_what_is_sold_the_law_lets_nobody_ask_sooner_than_after_a_year() {
    let head = "[purpose.marketing_email]\n";
    let policy = POLICY
        .replacen("kept_in = \"cn\"", "kept_in = \"us\"\nestablished_in = \"us-ca\"", 1)
        .replacen("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"us-ca\"]", 1)
        .replacen(head, &format!("{head}wait = \"90d\"\nrecipients = [\"ad-net\"]\n"), 1)
        + "\n[recipient.ad-net]\nkind = \"marketing\"\nname = { zh = \"广告网络\", en = \"Ad Net\" }\nin = \"us\"\nconsideration = \"exchange\"\n";
    let bench = Bench::with_policy(&policy);
    let key = bench.key(Role::Window, &[]).0;
    let mut page = Page { bench, key, cookies: String::new() };
    page.choose(1, &json!({ "marketing_email": false, "recommendations": false }));
    // LAW: Cal. Civ. Code 1798.135(c)(4): twelve months, to the end of that day on the shop's calendar.
    assert_eq!(page.init("lang=en&home=us-ca")["ask_again_at"], "2027-11-23T16:00:00Z");
}
