//! Every route against every role, as an approved table; and what each route enters.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value as Json, json};
use strongroom::desk::routes;
use strongroom::ground::Role;
use strongroom::ground::mail::Mailer;
use strongroom::ground::web::Route;

use crate::mail_server::{MailServer, Manners};
use crate::my_data::place_of;
use crate::support::{ALL_PURPOSES, Bench, Key, POLICY, Reply};

/// The example's policy, whose orders have a file as well.
fn with_a_file() -> String {
    let (held, purpose) = ("\"invoice_title\", \"tax_number\"]", "[purpose.after_sales]");
    let used = "\"items\", { field = \"amount\", optional = true }]\nkeep = \"1y after order.completed\"";
    assert!([held, purpose, used].iter().all(|part| POLICY.contains(part)));
    let field = "[field.scan]\nkind = \"file\"\nmedia = [\"text/plain\"]\ncategory = \"user.content\"\n\
                 label = { zh = \"附件\", en = \"Attachment\" }\n\n";
    POLICY
        .replacen(held, "\"invoice_title\", \"tax_number\", \"scan\"]", 1)
        .replacen(used, &used.replacen("\"items\"", "\"items\", { field = \"scan\", optional = true }", 1), 1)
        .replacen(purpose, &format!("{field}{purpose}"), 1)
}

const APPROVED: &str = include_str!("routes.txt");

/// A house in which every route has something to do.
struct Fixture {
    bench: Bench,
    service: Key,
    /// An order that has a file.
    record: String,
    /// A choice of the customer's.
    choice: String,
    /// The key of a page, what a visitor chose there, and what their browser keeps of it.
    window: Key,
    receipt: String,
    cookies: String,
    turn: std::cell::Cell<u32>,
    mail: MailServer,
}

impl Fixture {
    fn new() -> Fixture {
        let bench = Bench::with_policy(&with_a_file());
        let service = bench.service();
        bench.customer(&service, "42");
        let record = bench.order(&service, "42", "O-1");
        let chosen = bench.choose(&service, "42", "marketing_email", "granted");
        let choice = chosen["choice"].as_str().unwrap().to_owned();
        let window = bench.key(Role::Window, &[]);
        let (receipt, cookies, turn) = (String::new(), String::new(), std::cell::Cell::new(0));
        let mail = MailServer::start(Manners::Takes);
        for house in bench.houses() {
            house.post.goes_by(Mailer::new(&place_of(&mail)).unwrap());
        }
        let fixture = Fixture { bench, service, record, choice, window, receipt, cookies, turn, mail };
        let find = |method: &str, path: &str| {
            routes().into_iter().find(|route| route.method == method && route.path.ends_with(path)).unwrap()
        };
        fixture.ask(&fixture.service, &find("PUT", "/files/{field}")).0.is(200);
        let chosen = fixture.ask(&fixture.service, &find("POST", "/w/{target}/choices")).0;
        let receipts = chosen.is(200)["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let set = chosen.headers.get_all(header::SET_COOKIE).iter();
        let cookies: Vec<&str> = set.map(|set| set.to_str().unwrap().split(';').next().unwrap()).collect();
        Fixture { receipt: receipts, cookies: cookies.join("; "), ..fixture }
    }

    /// A request that the route takes, as it stands in the API: path and body. It asks for something new every time.
    fn sample(&self, route: &Route) -> (String, Json) {
        let turn = self.turn.replace(self.turn.get() + 1);
        let order = json!({ "kind": "order", "external_id": "O-1" });
        let fresh = format!("c-{turn}");
        let customer = json!({ "kind": "customer", "external_id": fresh, "fields": { "name": "Ann Lee" } });
        let path = route.path.to_owned();
        match (route.method, route.path) {
            ("POST", "/v1/records") => (path, customer),
            ("POST", "/v1/records:batch") => (path, json!({ "items": [customer] })),
            ("PUT", "/v1/records/{target}/files/{field}") => {
                (format!("/v1/records/{}/files/scan", self.record), json!(turn))
            }
            ("POST", "/v1/records/{target}/files/{field}") => (
                format!("/v1/records/{}/files/scan:reveal", self.record),
                json!({ "purpose": "after_sales" }),
            ),
            ("POST", "/v1/records:event") => {
                self.bench.pass(1_000_000);
                (path, json!({ "record": order, "event": "placed" }))
            }
            ("POST", "/v1/choices") => {
                let choice = if turn.is_multiple_of(2) { "granted" } else { "refused" };
                let body = json!({ "subject": { "external_id": "42" }, "purpose": "recommendations", "choice": choice,
                                   "notice": { "version": 1, "language": "zh" } });
                (path, body)
            }
            ("POST", "/v1/records:reveal") => (path, json!({ "purpose": "delivery", "record": order })),
            ("POST", "/v1/records:search") => {
                (path, json!({ "purpose": "account", "field": "phone", "value": "13812345678" }))
            }
            ("POST", "/v1/subjects:find") => (path, json!({ "subject": { "external_id": "42" } })),
            ("POST", "/v1/tokens") => {
                (path, json!({ "purpose": "after_sales", "record": order, "field": "phone" }))
            }
            ("POST", "/v1/tokens:resolve") => {
                let body = json!({ "purpose": "after_sales", "record": order, "field": "phone" });
                let token = self.bench.post(&self.service, "/v1/tokens", &body).is(201)["token"].clone();
                (path, json!({ "purpose": "after_sales", "token": token }))
            }
            ("POST", "/v1/subjects/{target}") => {
                let subject = self.bench.customer(&self.service, &fresh);
                (format!("/v1/subjects/{subject}:erase"), json!({}))
            }
            ("GET", "/ledger/{*target}") => ("/ledger/tile/0/000.p/1".to_owned(), Json::Null),
            ("GET", "/ledger/checkpoint" | "/ledger/log.json") => (route.path.to_owned(), Json::Null),
            ("GET", "/v1/ledger/entries/{target}") => {
                (format!("/v1/ledger/entries/{}", self.entry()), Json::Null)
            }
            ("GET", "/v1/ledger/proof") => (format!("/v1/ledger/proof?entry={}", self.entry()), Json::Null),
            ("GET", "/v1/ledger/consistency") => {
                ("/v1/ledger/consistency?from=1&to=3".to_owned(), Json::Null)
            }
            (
                "GET",
                "/v1/ledger/checkpoint"
                | "/v1/ledger/entries"
                | "/v1/policy"
                | "/v1/policies"
                | "/v1/credentials"
                | "/v1/approvals"
                | "/privacy"
                | "/privacy.txt"
                | "/privacy.jsonld"
                | "/privacy/versions"
                | "/privacy/learn"
                | "/privacy/verify"
                | "/privacy/verify.js"
                | "/my"
                | "/my/data"
                | "/my/choices"
                | "/my/uses"
                | "/.well-known/gpc.json"
                | "/.well-known/privacy.json"
                | "/.well-known/security.txt"
                | "/strongroom.js"
                | "/strongroom-adapters.js"
                | "/strongroom.css",
            ) => (path, Json::Null),
            ("GET", "/v1/ledger/blast-radius") => {
                (format!("{path}?credential={}&since=2026-11-01T00:00:00Z", self.service.id()), Json::Null)
            }
            ("POST", "/v1/approvals") => (path, self.more_for_the_service()),
            ("POST", "/v1/approvals/{target}") => {
                let asked = self.bench.post(&self.service, "/v1/approvals", &self.more_for_the_service());
                (format!("/v1/approvals/{}:approve", asked.is(201)["id"].as_str().unwrap()), json!({}))
            }
            ("POST", "/v1/policies") => (path, json!({ "text": format!("{}\n# {turn}\n", with_a_file()) })),
            ("POST", "/v1/law:decide") => {
                (path, json!({ "question": "minor", "packs": ["cn"], "on": "2026-11-21" }))
            }
            ("GET", "/privacy/versions/{target}") => ("/privacy/versions/1-1".to_owned(), Json::Null),
            ("GET", "/v1/choices/{target}/receipt") => {
                (format!("/v1/choices/{}/receipt", self.choice), Json::Null)
            }
            ("POST", "/v1/choices:may") => (
                path,
                json!({ "purpose": "marketing_email", "field": "email", "values": ["42@shop.example"] }),
            ),
            ("POST", "/v1/choices:unsubscribe-link") => {
                let subject = json!({ "external_id": "42" });
                (
                    path,
                    json!({ "subject": subject, "purpose": "marketing_email", "origin": "https://shop.example" }),
                )
            }
            // A link that nobody made: it is answered like any other.
            (_, "/u/{target}") => (format!("/u/link-{turn}"), Json::Null),
            ("GET", "/privacy/learn/{target}") => ("/privacy/learn/rights".to_owned(), Json::Null),
            ("GET", "/w/{target}/init") => (self.on_a_page("init?lang=en"), Json::Null),
            ("POST", "/w/{target}/choices") => {
                let shown = self.bench.get_as_stranger(&self.on_a_page("init?lang=en")).is(200);
                let body = json!({ "id": format!("choice-of-a-visitor-{turn:06}"), "snapshot": shown["snapshot"],
                    "choices": { "marketing_email": true }, "source": "banner", "variant": shown["variant"],
                    "language": "en", "claimed_at": "2026-11-22T08:00:00Z" });
                (self.on_a_page("choices"), body)
            }
            ("GET", "/w/{target}/receipts") => (self.on_a_page(&self.receipt), Json::Null),
            ("POST", "/v1/subjects:challenge") => (path, json!({ "email": "nobody@shop.example" })),
            ("POST", "/v1/subjects:confirm") => {
                // A new customer each time: one address is not written to for ever.
                self.bench.customer(&self.service, &fresh);
                let (letters, body) =
                    (self.mail.letters().len(), json!({ "email": format!("{fresh}@shop.example") }));
                let asked = self.bench.post(&self.service, "/v1/subjects:challenge", &body).is(200);
                let code = self.mail.letter(letters + 1).code();
                (path, json!({ "challenge": asked["challenge"], "code": code }))
            }
            ("POST", "/v1/credentials") => (path, json!({ "role": "auditor", "label": "of-a-test" })),
            ("POST", "/v1/credentials/{target}") => {
                let made = self.bench.key(Role::Auditor, &[]);
                (format!("/v1/credentials/{}:revoke", made.id()), json!({}))
            }
            (method, path) => {
                panic!("{method} {path} is new: say here how it is asked, and look at the table")
            }
        }
    }

    fn on_a_page(&self, path: &str) -> String {
        format!("/w/{}/{path}", self.window.0)
    }

    fn more_for_the_service(&self) -> Json {
        json!({ "credential": self.service.id(), "purpose": "delivery", "subjects": 5, "hours": 1,
                "reason": "of-a-test" })
    }

    fn entry(&self) -> String {
        let ask = json!({ "subject": { "external_id": "42" } });
        self.bench.post(&self.service, "/v1/subjects:find", &ask).is(200)["entry"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Asks the route; gives the answer and how many entries that made.
    fn ask(&self, key: &Key, route: &Route) -> (Reply, usize) {
        let (path, body) = self.sample(route);
        let before = self.bench.entries().len();
        let method: Method = route.method.parse().unwrap();
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request = key.request(method, &path).header(header::CONTENT_LENGTH, text.len());
        let reply = self.bench.send(
            request
                .header(
                    header::CONTENT_TYPE,
                    if is_window(route) { "application/json" } else { "text/plain" },
                )
                // Each time it is a new visitor who chooses.
                .header(header::COOKIE, if route.method == "GET" { &self.cookies } else { "" })
                .body(Body::from(text))
                .unwrap(),
        );
        (reply, self.bench.entries().len() - before)
    }
}

/// Its key stands in the path: whatever credential is shown beside it counts for nothing.
fn is_window(route: &Route) -> bool {
    route.path.starts_with("/w/")
}

#[test]
fn every_route_is_open_to_the_roles_of_the_approved_table() {
    let fixture = Fixture::new();
    let callers: Vec<(Role, Key)> = Role::ALL
        .into_iter()
        .map(|role| {
            let purposes: &[&str] =
                if matches!(role, Role::Service | Role::Officer) { &ALL_PURPOSES } else { &[] };
            (role, fixture.bench.key(role, purposes))
        })
        .collect();
    let mut table = String::from("method path intake service officer auditor admin window\n");
    for route in routes().iter().filter(|route| !is_of_a_person(route)) {
        write!(table, "{} {}", route.method, route.path).unwrap();
        for (role, key) in &callers {
            let (reply, entered) = fixture.ask(key, route);
            match reply.status {
                200 | 201 => table.push_str(" yes"),
                // What says nothing of one click is asked to.
                400 if route.path == "/u/{target}" => table.push_str(" yes"),
                403 if reply.problem(403, "SR-PEOPLE-003")["code"] != Json::Null => table.push_str(" no"),
                other => panic!("{route:?} as {}: {other} {}", role.name(), reply.text()),
            }
            // A question of law is answered out of itself, and a code that is asked for touches nobody's data.
            // A link for a mail is nothing that is kept; and what a link does `api::unsubscribe` looks at.
            let only_asks =
                ["/v1/law:decide", "/v1/subjects:challenge", "/v1/choices:unsubscribe-link", "/u/{target}"];
            let mutates = route.method != "GET" && !only_asks.contains(&route.path);
            assert!(
                reply.status == 403 || !mutates || entered > 0,
                "{route:?} changed something and entered nothing"
            );
            assert!(reply.status != 403 || entered == 0, "{route:?} refused a role, and entered something");
            assert!(mutates || route.method == "GET" || entered == 0, "{route:?} entered something");
        }
        table.push('\n');
    }
    assert!(table == APPROVED, "tests/it/api/routes.txt is not the table of today, which is:\n{table}");
    fixture.bench.round();
}

/// Does it take a person who has signed in, or a form of theirs? `my_data` tries all of those.
fn is_of_a_person(route: &Route) -> bool {
    route.path.starts_with("/my/")
        && (route.method == "POST" || ["/my/data.json", "/my/receipts"].contains(&route.path))
}

#[test]
fn nothing_but_the_public_files_of_the_log_is_given_to_strangers() {
    let fixture = Fixture::new();
    let revoked = fixture.bench.key(Role::Admin, &[]);
    fixture
        .bench
        .post(&fixture.bench.admin, &format!("/v1/credentials/{}:revoke", revoked.id()), &json!({}))
        .is(200);
    // Another house turns it away at the door when it has kept up; before, each deed of it would be refused where it looks.
    fixture.bench.round();
    let mut forged = fixture.service.clone();
    let last = forged.0.pop().unwrap();
    forged.0.push(if last == 'a' { 'e' } else { 'a' });
    for route in routes().iter().filter(|route| is_of_a_person(route)) {
        let method: Method = route.method.parse().unwrap();
        let request =
            axum::http::Request::builder().method(method).uri(route.path).body(Body::empty()).unwrap();
        let reply = fixture.bench.send(request);
        assert!([401, 422].contains(&reply.status), "{route:?}: {}", reply.text());
    }
    for route in routes().into_iter().filter(|route| !is_of_a_person(route)) {
        if is_window(&route) {
            let (reply, _) = fixture.ask(&Key(String::new()), &route);
            assert_eq!(reply.status, 200, "{route:?}: {}", reply.text());
            continue;
        }
        for key in [&revoked, &forged, &Key(String::new()), &Key("srk_x_y".to_owned())] {
            let (reply, entered) = fixture.ask(key, &route);
            reply.problem(401, "SR-PEOPLE-001");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            assert_eq!(entered, 0);
        }
        let (path, _) = fixture.sample(&route);
        let method: Method = route.method.parse().unwrap();
        let request = axum::http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let status = fixture.bench.send(request).status;
        let is_public = ["/ledger/", "/strongroom", "/privacy", "/my", "/.well-known/", "/u/"]
            .iter()
            .any(|start| route.path.starts_with(start));
        let wanted = match (is_public, route.method) {
            (true, "POST") => 400, // an empty body unsubscribes nobody
            (true, _) => 200,
            (false, _) => 401,
        };
        assert_eq!(status, wanted, "{route:?}");
    }
    fixture.bench.round();
}

#[test]
fn the_openapi_document_has_every_route_and_no_other() {
    let bench = Bench::new();
    let document = bench.get_as_stranger("/openapi.json").is(200);
    assert_eq!(document["openapi"].as_str().map(|version| version.starts_with("3.1")), Some(true));
    let mut documented: Vec<String> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                operation["responses"].as_object().is_some_and(|responses| !responses.is_empty()),
                "{method} {path}"
            );
            assert!(operation["summary"].as_str().is_some_and(|words| !words.is_empty()), "{method} {path}");
            documented.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut served: Vec<String> = routes()
        .iter()
        .flat_map(|route| match route.path {
            "/ledger/{*target}" => vec!["GET /ledger/{path}".to_owned()],
            "/v1/subjects/{target}" => vec!["POST /v1/subjects/{id}:erase".to_owned()],
            "/v1/credentials/{target}" => ["revoke", "freeze", "unfreeze"]
                .map(|verb| format!("POST /v1/credentials/{{id}}:{verb}"))
                .to_vec(),
            "/v1/approvals/{target}" => {
                ["approve", "refuse"].map(|verb| format!("POST /v1/approvals/{{id}}:{verb}")).to_vec()
            }
            "/v1/records/{target}/files/{field}" if route.method == "POST" => {
                vec!["POST /v1/records/{id}/files/{field}:reveal".to_owned()]
            }
            path => vec![format!("{} {}", route.method, path.replace("{target}", "{id}"))],
        })
        .chain(["/health/live", "/health/ready"].map(|path| format!("GET {path}")))
        // One route has all files of the log; those of another type than tiles are documented by themselves.
        .chain(["/ledger/{shop}/checkpoint", "/ledger/{shop}/log.json"].map(|path| format!("GET {path}")))
        .collect();
    documented.sort();
    served.sort();
    assert_eq!(documented, served);
}
