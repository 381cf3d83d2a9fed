//! My data: people sign in, see, correct and decide about what is their own, and nobody else does.

use axum::body::Body;
use axum::http::{Request, header};
use ledger::entry::{Act, ActorKind, Outcome};
use serde_json::json;
use strongroom::ground::clock::{DAY, HOUR, MINUTE, SECOND};
use strongroom::ground::mail::{MailPlace, MailTls, Mailer};
use strongroom::ground::signers::Signer;
use strongroom::ground::{Role, SubjectId};

use crate::mail_server::{MailServer, Manners};
use crate::support::{Bench, Key, POLICY, Reply};

const SECRET: &[u8] = b"a secret of the shop's, long enough for a token";

/// A house whose letters go to a server, and a customer in it.
pub(crate) struct Place {
    pub(crate) bench: Bench,
    pub(crate) mail: MailServer,
    pub(crate) service: Key,
    pub(crate) subject: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place::with(Manners::Takes)
    }

    fn with(manners: Manners) -> Place {
        Place::of(Bench::new(), manners)
    }

    fn of(bench: Bench, manners: Manners) -> Place {
        let mail = MailServer::start(manners);
        for house in bench.houses() {
            house.post.goes_by(Mailer::new(&place_of(&mail)).unwrap());
            house.signers.add("harbour-hill", Signer::by_secret(SECRET).unwrap());
        }
        let service = bench.service();
        let subject = bench.customer(&service, "c-1");
        bench.order(&service, "c-1", "o-1");
        Place { bench, mail, service, subject }
    }

    fn get(&self, path: &str, cookie: &str) -> Reply {
        let request = Request::get(path).header(header::COOKIE, cookie);
        self.bench.send(request.body(Body::empty()).unwrap())
    }

    fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_from(path, cookie, fields, "same-origin")
    }

    fn post_from(&self, path: &str, cookie: &str, fields: &[(&str, &str)], site: &str) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .header(header::COOKIE, cookie);
        self.bench.send(request.body(Body::from(body)).unwrap())
    }

    /// Asks for a code. Gives the id under which it is given back.
    fn ask(&self, address: &str) -> String {
        let reply = self.post("/my/code?lang=en", "", &[("email", address)]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        hidden(&reply.text(), "id")
    }

    /// Signs the customer in by a code. Gives the cookie.
    pub(crate) fn sign_in(&self) -> String {
        let before = self.mail.letters().len();
        let id = self.ask("c-1@shop.example");
        let code = self.mail.letter(before + 1).code();
        let reply = self.post("/my/confirm?lang=en", "", &[("id", &id), ("code", &code)]);
        assert_eq!((reply.status, location(&reply).as_str()), (303, "/my?lang=en"), "{}", reply.text());
        cookie(&reply)
    }

    /// Signs somebody in by a token.
    fn enter(&self, token: &str) -> Reply {
        self.post("/my/enter?lang=en", "", &[("token", token)])
    }

    /// What forms of whoever is signed in send back.
    fn mark(&self, cookie: &str) -> String {
        hidden(&self.get("/my?lang=en", cookie).text(), "mark")
    }

    fn seconds(&self) -> i64 {
        self.bench.now() / SECOND
    }
}

/// Where a house hands its letters in.
pub(crate) fn place_of(mail: &MailServer) -> MailPlace {
    MailPlace {
        host: "127.0.0.1".to_owned(),
        port: mail.at.port(),
        tls: MailTls::None,
        from: "Harbour & Hill <privacy@harbour-hill.example>".to_owned(),
        user: None,
        ca_file: None,
    }
}

/// The value of a field that nobody sees.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    assert!(page.contains(&start), "no {name} in {page}");
    page.split_once(&start).unwrap().1.split_once('"').unwrap().0.to_owned()
}

fn cookie(reply: &Reply) -> String {
    let set = reply.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    for word in ["__Host-srm=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

fn location(reply: &Reply) -> String {
    reply.headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn token(claims: &serde_json::Value, secret: &[u8]) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key.unwrap()).unwrap()
}

#[test]
fn a_person_signs_in_by_a_code_and_sees_all_that_is_kept_about_them() {
    let place = Place::new();
    let session = place.sign_in();
    let letter = place.mail.letter(1);
    assert_eq!(letter.to, "c-1@shop.example");
    assert!(letter.text.contains("Harbour & Hill"), "{}", letter.text);
    let before = place.bench.entries().len();
    let page = place.get("/my/data?lang=en", &session);
    assert_eq!(page.status, 200);
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let text = page.text();
    for shown in [
        "Ann Lee",
        "c-1@shop.example",
        "陈小红",
        "上海市淮海中路 1 号",
        "110101199003070015",
        "To bring your parcel to you",
        "SF Express",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let entries = place.bench.entries();
    assert_eq!(entries.len(), before + 1, "one look is one entry");
    let look = entries.last().unwrap();
    assert_eq!((look.act, look.actor.kind, look.purpose), (Act::Revealed, ActorKind::Subject, None));
    assert!(look.alias.is_some() && look.parts.len() == 2);
    let chinese = place.get("/my/data?lang=zh", &session).text();
    assert!(chinese.contains("我们保存的您的信息") && chinese.contains("为您配送包裹"), "{chinese}");
    let file = place.get("/my/data.json?lang=en", &session).is(200);
    assert_eq!(
        (file["subject"].as_str(), file["records"].as_array().unwrap().len()),
        (Some(place.subject.as_str()), 2)
    );
}

#[test]
fn nobody_learns_whether_an_address_is_known() {
    let place = Place::new();
    let ask = |address: &str| place.post("/my/code?lang=en", "", &[("email", address)]);
    let (known, unknown) = (ask("c-1@shop.example"), ask("nobody@shop.example"));
    let without_id = |reply: &Reply| reply.text().replace(&hidden(&reply.text(), "id"), "");
    assert_eq!((known.status, without_id(&known)), (unknown.status, without_id(&unknown)));
    assert_eq!(known.headers, unknown.headers);
    place.mail.letter(1);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(place.mail.letters().len(), 1, "nobody else is written to");
    // Not even by the code, should it be guessed: there is none that counts.
    let id = hidden(&unknown.text(), "id");
    for code in ["00000000", "12345678"] {
        let reply = place.post("/my/confirm", "", &[("id", &id), ("code", code)]);
        assert_eq!(reply.status, 422);
        assert!(reply.headers.get(header::SET_COOKIE).is_none());
    }
    let no_address = ask("c-1@shop.example, d@shop.example");
    assert_eq!(no_address.status, 422);
    assert!(no_address.text().contains("This is no e-mail address"));
}

#[test]
fn a_code_counts_once_for_ten_minutes_and_not_behind_five_wrong_ones() {
    let place = Place::new();
    let give = |id: &str, code: &str| place.post("/my/confirm?lang=zh", "", &[("id", id), ("code", code)]);
    let id = place.ask("c-1@shop.example");
    let code = place.mail.letter(1).code();
    let other = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..4 {
        let reply = give(&id, other);
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains("验证码无效"), "{}", reply.text());
    }
    // Typed with a blank, and by somebody who types wide digits.
    let wide: String =
        code.chars().map(|digit| char::from_u32(u32::from(digit) - 48 + 0xff10).unwrap()).collect();
    assert_eq!(give(&id, &format!("{} {}", &wide[..12], &wide[12..])).status, 303);
    assert_eq!(give(&id, &code).status, 422, "it counts once");

    let id = place.ask("c-1@shop.example");
    let code = place.mail.letter(2).code();
    let other = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..5 {
        assert_eq!(give(&id, other).status, 422);
    }
    assert_eq!(give(&id, &code).status, 422, "five wrong ones end it");
    let tried = place.bench.entries().into_iter().filter(|entry| entry.act == Act::SignedIn);
    assert_eq!(tried.map(|entry| entry.outcome).collect::<Vec<_>>(), [Outcome::Yes, Outcome::No]);

    let id = place.ask("c-1@shop.example");
    let code = place.mail.letter(3).code();
    place.bench.pass(10 * MINUTE + 1);
    assert_eq!(give(&id, &code).status, 422, "it is too old");
}

#[test]
fn an_address_is_written_to_five_times_an_hour_and_a_flood_is_told_to_wait() {
    let place = Place::new();
    for _ in 0..5 {
        place.ask("c-1@shop.example");
    }
    place.mail.letter(5);
    place.ask("c-1@shop.example");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(place.mail.letters().len(), 5, "the sixth is not sent, and nobody is told");
    place.bench.pass(HOUR + 1);
    place.ask("c-1@shop.example");
    place.mail.letter(6);
    for number in 0..59 {
        place.ask(&format!("nobody-{number}@shop.example"));
    }
    let reply = place.post("/my/code?lang=zh", "", &[("email", "more@shop.example")]);
    assert_eq!((reply.status, &reply.headers[header::RETRY_AFTER]), (429, &"60".parse().unwrap()));
    assert!(reply.text().contains("请一分钟后再试"), "{}", reply.text());
    place.bench.pass(MINUTE + 1);
    place.ask("more@shop.example");
}

#[test]
fn a_mail_server_that_refuses_or_hangs_keeps_nobody_waiting() {
    for manners in [Manners::Refuses, Manners::Hangs] {
        let place = Place::with(manners);
        let began = std::time::Instant::now();
        place.ask("c-1@shop.example");
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "the page does not wait for the letter");
        assert!(place.mail.letters().is_empty());
        place.bench.house().ids.read::<SubjectId>(&place.subject).unwrap();
    }
}

#[test]
fn a_form_counts_only_with_what_the_persons_own_browser_holds() {
    let place = Place::new();
    let session = place.sign_in();
    let mark = place.mark(&session);
    let said = |mark: &str, cookie: &str, site: &str| {
        let fields = [("mark", mark), ("purpose", "marketing_email"), ("said", "granted")];
        place.post_from("/my/choices?lang=en", cookie, &fields, site).status
    };
    let chose = place.bench.count(Act::Chose);
    assert_eq!(said(&mark, &session, "cross-site"), 403);
    assert_eq!(said("", &session, "same-origin"), 422);
    assert_eq!(said(&mark, "", "same-origin"), 401);
    // Somebody else who is signed in, with a mark of theirs.
    place.bench.customer(&place.service, "c-2");
    let other = {
        let id = place.ask("c-2@shop.example");
        let code = place.mail.letter(2).code();
        cookie(&place.post("/my/confirm", "", &[("id", &id), ("code", &code)]))
    };
    assert_eq!(said(&place.mark(&other), &session, "same-origin"), 422);
    assert_eq!(place.bench.count(Act::Chose), chose);
    assert_eq!(said(&mark, &session, "same-origin"), 303);
    assert_eq!(place.bench.count(Act::Chose), chose + 1);
    // Nobody frames these pages, and what they send goes nowhere else.
    let page = place.get("/my", &session);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert!(!policy.contains("script-src") && policy.contains("default-src 'none'"), "{policy}");
}

#[test]
fn what_people_correct_is_theirs_and_only_once_they_have_shown_that_it_is_them() {
    let place = Place::new();
    let session = place.sign_in();
    let file = place.get("/my/data.json", &session).is(200);
    let record = |kind: &str| {
        let found = file["records"].as_array().unwrap().iter().find(|record| record["kind"] == kind);
        found.unwrap()["record"].as_str().unwrap().to_owned()
    };
    let (customer, order) = (record("customer"), record("order"));
    let correct = |cookie: &str, record: &str, field: &str, value: &str| {
        let mark = place.mark(cookie);
        let fields = [("mark", mark.as_str()), ("record", record), ("field", field), ("value", value)];
        place.post("/my/data?lang=zh", cookie, &fields)
    };
    assert_eq!(correct(&session, &customer, "name", "Ann Lee-Chen").status, 303);
    assert!(place.get("/my/data?lang=en", &session).text().contains("Ann Lee-Chen"));
    let written = place.bench.entries().into_iter().rfind(|entry| entry.act == Act::Collected).unwrap();
    assert_eq!(written.actor.kind, ActorKind::Subject, "it is they who said so");
    // What the shop found out, and what is not there.
    for (record, field) in [(&order, "amount"), (&order, "payment_reference"), (&customer, "no_such_field")] {
        assert_eq!(correct(&session, record, field, "1.00").status, 404, "{field}");
    }
    let wrong = correct(&session, &customer, "phone", "not a number");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("格式") && !wrong.text().contains("not a number"), "{}", wrong.text());
    // Somebody else's.
    let other = place.bench.customer(&place.service, "c-2");
    let found = place.bench.post(
        &place.bench.key(Role::Officer, &[]),
        "/v1/subjects:find",
        &json!({ "subject": { "id": other } }),
    );
    let others = found.is(200)["records"][0]["record"].as_str().unwrap().to_owned();
    assert_eq!(correct(&session, &others, "name", "Mallory").status, 404);
    // An address by which another is known.
    assert_eq!(correct(&session, &customer, "email", "c-2@shop.example").status, 409);
    // Ten minutes later they have to show it again.
    place.bench.pass(10 * MINUTE);
    let late = correct(&session, &customer, "name", "Too Late");
    assert_eq!(late.status, 403);
    let page = place.get("/my/data?lang=en", &session).text();
    assert!(
        !page.contains("110101199003070015") && page.contains("masked"),
        "sensitive data is masked: {page}"
    );
    assert!(!page.contains("<details>"), "nothing can be corrected: {page}");
}

#[test]
fn what_people_choose_holds_at_the_next_use_and_comes_with_receipts() {
    let place = Place::new();
    let session = place.sign_in();
    let mark = place.mark(&session);
    let say = |said: &str| {
        let fields = [("mark", mark.as_str()), ("purpose", "marketing_email"), ("said", said)];
        place.post("/my/choices?lang=en", &session, &fields)
    };
    let ask = json!({ "purpose": "marketing_email", "subject": { "external_id": "c-1" } });
    place.bench.post(&place.service, "/v1/records:reveal", &ask).problem(403, "SR-REVEAL-001");
    assert_eq!(say("granted").status, 303);
    place.bench.post(&place.service, "/v1/records:reveal", &ask).is(200);
    let page = place.get("/my/choices?lang=en", &session).text();
    assert!(page.contains("You said yes") && page.contains("End it"), "{page}");
    assert_eq!(say("withdrawn").status, 303);
    place.bench.post(&place.service, "/v1/records:reveal", &ask).problem(403, "SR-REVEAL-001");
    assert_eq!(say("perhaps").status, 422);
    let unknown = [("mark", mark.as_str()), ("purpose", "delivery"), ("said", "withdrawn")];
    assert_eq!(place.post("/my/choices", &session, &unknown).status, 422, "delivery leaves no choice");
    let receipts = place.get("/my/receipts", &session).is(200);
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), 1);
    let receipt =
        ledger::receipt::Receipt::from_json(&receipts["receipts"][0]["ledger"].to_string()).unwrap();
    let said = ledger::opening::Opening::decode(&receipt.opening).unwrap();
    let all: Vec<String> =
        said.parts().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
    assert!(all.iter().any(|part| part == "way my_data"), "{all:?}");
}

#[test]
fn people_see_who_used_their_data_and_for_what() {
    let place = Place::new();
    let ask = json!({ "purpose": "delivery", "subject": { "external_id": "c-1" } });
    place.bench.post(&place.service, "/v1/records:reveal", &ask).is(200);
    place.bench.customer(&place.service, "c-2");
    let others = json!({ "purpose": "account", "subject": { "external_id": "c-2" } });
    place.bench.post(&place.service, "/v1/records:reveal", &others).is(200);
    let session = place.sign_in();
    let page = place.get("/my/uses?lang=en", &session).text();
    assert_eq!(page.matches("Looked at").count(), 1, "only what is theirs: {page}");
    assert!(page.contains("To bring your parcel to you") && page.contains("Delivery address"), "{page}");
    assert!(page.contains("Signed in here") && page.contains(">you<"), "{page}");
    place.bench.pass(401 * DAY);
    let session = place.sign_in();
    assert!(
        !place.get("/my/uses?lang=en", &session).text().contains("Looked at"),
        "what is long ago is not shown"
    );
}

#[test]
fn a_token_of_the_shops_signs_in_once_and_only_here_and_now() {
    let place = Place::new();
    let now = place.seconds();
    let claims =
        |sub: &str, aud: &str, iat: i64, exp: i64| json!({ "sub": sub, "aud": aud, "iat": iat, "exp": exp });
    let good = token(&claims("c-1", "harbour-hill", now, now + 60), SECRET);
    let reply = place.enter(&good);
    assert_eq!(reply.status, 303, "{}", reply.text());
    let session = cookie(&reply);
    let page = place.get("/my/data?lang=en", &session).text();
    assert!(
        page.contains("Ann Lee") && !page.contains("110101199003070015"),
        "not yet shown that it is them: {page}"
    );
    assert_eq!(place.enter(&good).status, 422, "a token counts once");
    let other_key = b"another secret, that is long enough as well!!";
    for (why, wrong) in [
        ("another key", token(&claims("c-1", "harbour-hill", now, now + 60), other_key)),
        ("another shop", token(&claims("c-1", "tea-house", now, now + 60), SECRET)),
        ("too old", token(&claims("c-1", "harbour-hill", now - 600, now - 300), SECRET)),
        ("good for too long", token(&claims("c-1", "harbour-hill", now - 600, now + 6000), SECRET)),
        ("from the future", token(&claims("c-1", "harbour-hill", now + 600, now + 660), SECRET)),
        ("nobody", token(&claims("c-9", "harbour-hill", now, now + 61), SECRET)),
        ("not signed", {
            let parts =
                ["{\"alg\":\"none\"}".to_owned(), claims("c-1", "harbour-hill", now, now + 60).to_string()];
            format!("{}.", parts.map(|part| data_encoding::BASE64URL_NOPAD.encode(part.as_bytes())).join("."))
        }),
        ("no token", "x.y.z".to_owned()),
    ] {
        let reply = place.enter(&wrong);
        assert_eq!(reply.status, 422, "{why}");
        assert!(reply.headers.get(header::SET_COOKIE).is_none(), "{why}");
    }
    // A code that is given back in this browser confirms it.
    let id = place.ask("c-1@shop.example");
    let code = place.mail.letter(1).code();
    let reply = place.post("/my/confirm?lang=en", &session, &[("id", &id), ("code", &code)]);
    assert_eq!((reply.status, location(&reply).as_str()), (303, "/my/data?lang=en"));
    assert!(place.get("/my/data?lang=en", &session).text().contains("110101199003070015"));
}

/// People of another sort, whom the shop numbers by themselves.
const GUESTS: &str = r#"
[record.guest]
label = { zh = "访客", en = "Guest" }
fields = ["nickname"]

[field.nickname]
category = "user.name"
label = { zh = "昵称", en = "Nickname" }

[purpose.guests]
use = "essential.service"
basis = "contract"
says = { zh = "服务访客", en = "To serve guests" }
fields = ["nickname"]
keep = "30d after collected"
"#;

#[test]
fn a_token_with_an_id_that_two_people_have_signs_nobody_in() {
    let policy = format!("{POLICY}{GUESTS}");
    let place = Place::of(Bench::with_policy(&policy), Manners::Takes);
    let named = |at: i64| {
        let now = place.seconds();
        token(&json!({ "sub": "c-1", "aud": "harbour-hill", "iat": now, "exp": now + at }), SECRET)
    };
    assert_eq!(place.enter(&named(60)).status, 303, "there is one");
    let body = json!({ "kind": "guest", "external_id": "c-1", "fields": { "nickname": "Bob" } });
    place.bench.post(&place.service, "/v1/records", &body).is(201);
    let reply = place.enter(&named(61));
    assert_eq!(reply.status, 422);
    assert!(reply.headers.get(header::SET_COOKIE).is_none());
}

#[test]
fn whoever_leaves_is_erased_or_stays_too_long_is_signed_out() {
    let place = Place::new();
    let is_in = |session: &str| place.get("/my?lang=en", session).text().contains("Sign out");
    let session = place.sign_in();
    assert!(is_in(&session));
    let reply = place.post("/my/leave?lang=en", &session, &[("mark", &place.mark(&session))]);
    assert_eq!(reply.status, 303);
    assert!(!is_in(&session), "the server forgets, not only the browser");

    let session = place.sign_in();
    place.bench.pass(HOUR);
    assert!(!is_in(&session));
    assert_eq!(place.get("/my/data.json", &session).status, 401);

    let session = place.sign_in();
    let officer = place.bench.key(Role::Officer, &[]);
    place.bench.post(&officer, &format!("/v1/subjects/{}:erase", place.subject), &json!({})).is(200);
    assert!(!is_in(&session));
    let guessed = format!("__Host-srm={}", "a".repeat(52));
    assert!(!is_in(&guessed) && !is_in("__Host-srm=") && !is_in("__Host-srm=x; __Host-srm=y"));
}

#[test]
fn a_name_that_is_a_script_stays_a_name() {
    let place = Place::new();
    let body = json!({ "kind": "customer", "external_id": "c-1",
        "fields": { "name": "<script>alert(1)</script>\" onfocus=\"alert(2)" } });
    place.bench.post(&place.service, "/v1/records", &body).is(200);
    let page = place.get("/my/data?lang=en", &place.sign_in()).text();
    assert!(!page.contains("<script>alert") && !page.contains("\" onfocus=\""), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[test]
fn another_shop_in_the_house_knows_nobody_who_is_signed_in_here() {
    let place = Place::new();
    place.bench.add_shop("tea-house");
    let ask = place.post("/my/code?lang=en&shop=harbour-hill", "", &[("email", "c-1@shop.example")]);
    let id = hidden(&ask.text(), "id");
    let code = place.mail.letter(1).code();
    let there = place.post("/my/confirm?lang=en&shop=tea-house", "", &[("id", &id), ("code", &code)]);
    assert_eq!(there.status, 422);
    let reply = place.post("/my/confirm?lang=en&shop=harbour-hill", "", &[("id", &id), ("code", &code)]);
    let session = cookie(&reply);
    assert!(place.get("/my?lang=en&shop=harbour-hill", &session).text().contains("Sign out"));
    assert!(!place.get("/my?lang=en&shop=tea-house", &session).text().contains("Sign out"));
    place.get("/my", &session).problem(404, "SR-NOTICE-007");
}

#[test]
fn a_shop_borrows_the_code_for_a_sign_in_of_its_own() {
    let place = Place::new();
    let challenge = |email: &str| {
        place.bench.post(
            &place.service,
            "/v1/subjects:challenge",
            &json!({ "email": email, "language": "zh" }),
        )
    };
    let known = challenge("C-1@shop.example").is(200);
    let unknown = challenge("nobody@shop.example").is(200);
    let keys = |json: &serde_json::Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((keys(&known), &known["until"]), (keys(&unknown), &unknown["until"]));
    let letter = place.mail.letter(1);
    assert!(letter.text.contains("验证码"), "{}", letter.text);
    let confirm = |of: &serde_json::Value, code: &str| {
        let body = json!({ "challenge": of["challenge"], "code": code });
        place.bench.post(&place.service, "/v1/subjects:confirm", &body)
    };
    confirm(&unknown, "12345678").problem(422, "SR-ANSWER-004");
    assert_eq!(confirm(&known, &letter.code()).is(200)["subject"], json!(place.subject));
    confirm(&known, &letter.code()).problem(422, "SR-ANSWER-004");
    confirm(&json!({ "challenge": "x" }), "1").problem(422, "SR-ANSWER-004");
    challenge("no address").problem(422, "SR-ANSWER-006");
    let entered = place.bench.entries().into_iter().rfind(|entry| entry.act == Act::SignedIn).unwrap();
    assert!(matches!(entered.actor.kind, ActorKind::Credential(_)));
    // Who may not is told so, whatever the code.
    let intake = place.bench.key(Role::Intake, &[]);
    place
        .bench
        .post(&intake, "/v1/subjects:challenge", &json!({ "email": "a@b.example" }))
        .problem(403, "SR-PEOPLE-003");
}

#[test]
fn without_a_mail_server_people_are_told_whom_to_write_to() {
    let bench = Bench::new();
    let page = bench.get_as_stranger("/my?lang=zh").text();
    assert!(
        page.contains("本店不通过邮件发送验证码") && page.contains("privacy@harbour-hill.example"),
        "{page}"
    );
    assert!(!page.contains("<form"), "{page}");
    let body = json!({ "email": "a@b.example" });
    bench.post(&bench.service(), "/v1/subjects:challenge", &body).problem(409, "SR-ANSWER-007");
}
