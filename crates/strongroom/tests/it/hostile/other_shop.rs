//! Another shop's ids, at every place of every route where one can stand: the places are read out of the OpenAPI document, so a
//! new one is covered or the test says that it is new. What is answered is what is answered for an id that nobody has, to the
//! byte, and the other shop's log and people know nothing of it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};
use strongroom::ground::ids::ApprovalId;
use strongroom::ground::{ChoiceId, CredentialId, EntryId, RecordId, Role, SubjectId};

use crate::support::{ALL_PURPOSES, Bench, Key, POLICY, entries_of, longer_policy};

/// What can stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Subject,
    Record,
    /// A record by its id, or by kind and external id.
    RecordRef,
    Entry,
    Choice,
    Credential,
    Approval,
    Token,
    External,
    Match,
    SearchValue,
    Version,
    Purpose,
    Field,
    PolicyText,
    RepeatKey,
    /// Nothing that another shop has, or what is open to everybody.
    Nothing,
}

/// Every place of the document: a property of a schema, or a parameter of a route.
const PLACES: &[(&str, Slot)] = &[
    ("SubjectIn.id", Slot::Subject),
    ("SubjectIn.external_id", Slot::External),
    ("SubjectIn.kind", Slot::Nothing), // kinds are the same in both shops' policies
    ("SubjectIn.match", Slot::Match),
    ("RecordIn.kind", Slot::Nothing),
    ("RecordIn.external_id", Slot::External),
    ("RecordIn.fields", Slot::Nothing), // values; names that a policy does not have are dropped and told
    ("RecordIn.events", Slot::Nothing),
    ("RecordIn.if_version", Slot::Nothing),
    ("RecordIn.home", Slot::Nothing),
    ("RecordIn.age", Slot::Nothing),
    ("ChoiceOf.purpose", Slot::Purpose),
    ("ChoiceOf.choice", Slot::Nothing),
    ("ChoiceOf.at", Slot::Nothing),
    ("ChoiceIn.purpose", Slot::Purpose),
    ("ChoiceIn.choice", Slot::Nothing),
    ("ChoiceIn.at", Slot::Nothing),
    ("NoticeSeen.version", Slot::Version),
    ("NoticeSeen.language", Slot::Nothing),
    ("EventIn.record", Slot::RecordRef),
    ("EventIn.event", Slot::Nothing),
    ("EventIn.at", Slot::Nothing),
    ("RevealIn.purpose", Slot::Purpose),
    ("RevealIn.record", Slot::RecordRef),
    ("RevealIn.kinds", Slot::Nothing),
    ("RevealIn.fields", Slot::Field),
    ("RevealIn.masked", Slot::Nothing),
    ("RevealIn.limit", Slot::Nothing),
    ("SearchIn.purpose", Slot::Purpose),
    ("SearchIn.field", Slot::Field),
    ("SearchIn.value", Slot::SearchValue),
    ("SearchIn.limit", Slot::Nothing),
    ("MayIn.purpose", Slot::Purpose),
    ("MayIn.recipient", Slot::Nothing),
    ("MayIn.field", Slot::Field),
    ("MayIn.values", Slot::SearchValue),
    ("MayIn.external_ids", Slot::External),
    ("MayIn.kind", Slot::Nothing),
    ("MayIn.ids", Slot::Subject),
    ("FindIn.record", Slot::RecordRef),
    ("FindIn.after", Slot::Record),
    ("TokenIn.purpose", Slot::Purpose),
    ("TokenIn.record", Slot::RecordRef),
    ("TokenIn.field", Slot::Field),
    ("TokenIn.recipient", Slot::Nothing), // recipients are the same in both shops' policies
    ("TokenIn.made", Slot::Nothing),
    ("ResolveIn.token", Slot::Token),
    ("ResolveIn.purpose", Slot::Purpose),
    ("ResolveIn.recipient", Slot::Nothing),
    ("CredentialIn.role", Slot::Nothing),
    ("CredentialIn.label", Slot::Nothing),
    ("CredentialIn.purposes", Slot::Purpose),
    ("CredentialIn.on_behalf_of", Slot::Nothing),
    ("PolicyIn.text", Slot::PolicyText),
    ("LawQuestion.question", Slot::Nothing), // law is the same for all shops
    ("LawQuestion.packs", Slot::Nothing),
    ("LawQuestion.on", Slot::Nothing),
    ("LawQuestion.facts", Slot::Nothing),
    ("post /v1/subjects/{id}:erase id", Slot::Subject),
    ("post /v1/credentials/{id}:revoke id", Slot::Credential),
    ("get /v1/ledger/entries/{id} id", Slot::Entry),
    ("get /v1/ledger/proof entry", Slot::Entry),
    ("get /v1/ledger/entries from", Slot::Nothing), // positions in the caller's own log
    ("get /v1/ledger/entries limit", Slot::Nothing),
    ("get /v1/ledger/consistency from", Slot::Nothing),
    ("get /v1/ledger/consistency to", Slot::Nothing),
    ("get /v1/policy version", Slot::Version),
    ("get /ledger/{path} path", Slot::Nothing), // public: who has how many entries, and nothing else
    ("get /ledger/{shop}/checkpoint shop", Slot::Nothing),
    ("get /ledger/{shop}/log.json shop", Slot::Nothing),
    ("get /v1/ledger/blast-radius credential", Slot::Credential),
    ("get /v1/ledger/blast-radius since", Slot::Nothing),
    ("get /v1/ledger/blast-radius until", Slot::Nothing),
    ("get /v1/ledger/blast-radius list", Slot::Nothing),
    ("ApprovalIn.credential", Slot::Credential),
    ("ApprovalIn.purpose", Slot::Purpose),
    ("ApprovalIn.subjects", Slot::Nothing),
    ("ApprovalIn.hours", Slot::Nothing),
    ("ApprovalIn.reason", Slot::Nothing),
    ("post /v1/approvals/{id}:approve id", Slot::Approval),
    ("post /v1/approvals/{id}:refuse id", Slot::Approval),
    ("CredentialIn.limit", Slot::Nothing),
    ("FreezeIn.reason", Slot::Nothing),
    ("post /v1/credentials/{id}:freeze id", Slot::Credential),
    ("post /v1/credentials/{id}:unfreeze id", Slot::Credential),
    ("PolicyIn.follows", Slot::Version),
    ("put /v1/records/{id}/files/{field} id", Slot::Record),
    ("put /v1/records/{id}/files/{field} field", Slot::Field),
    ("put /v1/records/{id}/files/{field} Content-Type", Slot::Nothing),
    ("put /v1/records/{id}/files/{field} Content-Length", Slot::Nothing),
    ("post /v1/records/{id}/files/{field}:reveal id", Slot::Record),
    ("post /v1/records/{id}/files/{field}:reveal field", Slot::Field),
    ("FileRevealIn.purpose", Slot::Purpose),
    ("post /v1/records Idempotency-Key", Slot::RepeatKey),
    ("post /v1/records:batch Idempotency-Key", Slot::RepeatKey),
    ("post /v1/records:event Idempotency-Key", Slot::RepeatKey),
    ("get /privacy lang", Slot::Nothing), // notices are for everybody, of whichever shop
    ("get /privacy version", Slot::Nothing),
    ("get /privacy shop", Slot::Nothing),
    ("get /privacy/versions/{id} id", Slot::Nothing),
    ("get /privacy/learn/{id} id", Slot::Nothing),
    ("UnsubscribeLinkIn.purpose", Slot::Purpose),
    ("UnsubscribeLinkIn.origin", Slot::Nothing),
    ("get /u/{id} id", Slot::Nothing), // under a MAC of its shop's; `api::unsubscribe` tries others
    ("get /u/{id} lang", Slot::Nothing),
    ("post /u/{id} id", Slot::Nothing),
    ("get /w/{id}/init id", Slot::Nothing), // a publishable key: it stands in every page, and is its shop's own
    ("get /w/{id}/init lang", Slot::Nothing),
    ("get /v1/choices/{id}/receipt id", Slot::Choice),
    ("get /w/{id}/init gpc", Slot::Nothing),
    ("get /w/{id}/init home", Slot::Nothing),
    ("post /w/{id}/choices id", Slot::Nothing),
    ("get /w/{id}/receipts id", Slot::Nothing),
    ("get /w/{id}/receipts of", Slot::Nothing), // for whoever has the cookie; `api::window` tries others
    ("WindowChoices.id", Slot::Nothing),
    ("WindowChoices.snapshot", Slot::Nothing), // under a MAC of the shop's
    ("WindowChoices.choices", Slot::Nothing),
    ("WindowChoices.source", Slot::Nothing),
    ("WindowChoices.variant", Slot::Nothing),
    ("WindowChoices.language", Slot::Nothing),
    ("WindowChoices.claimed_at", Slot::Nothing),
    ("WindowChoices.standing", Slot::Nothing), // nothing goes by it
    ("Challenge.email", Slot::Nothing), // the answer is the same for everybody's, known here, there or nowhere
    ("Challenge.language", Slot::Nothing),
    ("Confirmation.challenge", Slot::Nothing), // random, of the shop that asked; `my_data` tries another's
    ("Confirmation.code", Slot::Nothing),
];

/// A place in the requests of one route.
#[derive(Debug, Clone)]
struct Place {
    slot: Slot,
    at: At,
}

#[derive(Debug, Clone)]
enum At {
    /// A pointer into the body, without `/0` of a list that holds values.
    Body(String),
    /// A parameter of the path.
    Path(String),
    Query(String),
    Header(String),
}

struct Operation {
    method: String,
    path: String,
    places: Vec<Place>,
}

fn slot_of(name: &str, met: &mut BTreeSet<String>) -> Slot {
    if name.ends_with(" Strongroom-On-Behalf-Of") {
        return Slot::Nothing; // the name of somebody at the caller's, hashed under a key of the caller's shop
    }
    met.insert(name.to_owned());
    let found = PLACES.iter().find(|(place, _)| *place == name);
    found.unwrap_or_else(|| panic!("`{name}` is new in the document: say in PLACES what can stand there")).1
}

/// Every operation of the document, with every place of its requests.
fn operations(document: &Json) -> Vec<Operation> {
    let (mut all, mut met) = (Vec::new(), BTreeSet::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut places = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let slot = slot_of(&format!("{method} {path} {name}"), &mut met);
                let at = match parameter["in"].as_str().unwrap() {
                    "path" => At::Path(name.to_owned()),
                    "query" => At::Query(name.to_owned()),
                    "header" => At::Header(name.to_owned()),
                    other => panic!("a parameter stands in {other}"),
                };
                places.push(Place { slot, at });
            }
            // Bytes of a file name nothing.
            let content = operation["requestBody"]["content"].as_object();
            let content = content.into_iter().flatten().filter(|(media, _)| *media == "application/json");
            for (_, body) in content {
                walk(document, &body["schema"], "", "", &mut places, &mut met);
            }
            all.push(Operation { method: method.to_uppercase(), path: path.clone(), places });
        }
    }
    let listed: BTreeSet<String> = PLACES.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(met, listed, "PLACES names what the document does not have any more");
    all
}

fn walk(
    document: &Json,
    schema: &Json,
    name: &str,
    pointer: &str,
    places: &mut Vec<Place>,
    met: &mut BTreeSet<String>,
) {
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|choice| schema[choice].as_array());
    for one in choices.flatten() {
        if one["type"] != "null" {
            return walk(document, one, name, pointer, places, met);
        }
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let named = reference.rsplit('/').next().unwrap();
        let found = &document["components"]["schemas"][named];
        if let Some(properties) = found["properties"].as_object() {
            for (property, inner) in properties {
                walk(
                    document,
                    inner,
                    &format!("{named}.{property}"),
                    &format!("{pointer}/{property}"),
                    places,
                    met,
                );
            }
            return;
        }
    } else if schema["items"].is_object() {
        let items = &schema["items"];
        let pointer = format!("{pointer}/0");
        return walk(document, items, name, &pointer, places, met);
    }
    assert!(schema["properties"].is_null(), "{name}: an object without a name; walk into it here");
    places.push(Place { slot: slot_of(name, met), at: At::Body(pointer.to_owned()) });
}

/// A house with two shops. The first has people; the second asks for them.
struct Two {
    bench: Bench,
    first: Key,
    asking: Vec<(Role, Key)>,
    subject: String,
    erased: String,
    record: String,
    token: Json,
    entry: String,
    choice: String,
    approval: String,
    /// The asking shop's own record.
    own: String,
}

impl Two {
    fn new() -> Two {
        let bench = Bench::new();
        let first = bench.service();
        let officer = bench.key(Role::Officer, &[]);
        let (subject, erased) = (bench.customer(&first, "42"), bench.customer(&first, "43"));
        let record = bench.order(&first, "42", "O-1");
        let body = json!({ "purpose": "after_sales", "record": record, "field": "phone" });
        let made = bench.post(&first, "/v1/tokens", &body).is(201);
        let chosen = bench.choose(&first, "42", "marketing_email", "granted");
        let choice = chosen["choice"].as_str().unwrap().to_owned();
        bench.post(&officer, &format!("/v1/subjects/{erased}:erase"), &json!({})).is(200);
        // The first shop's policy has names and a version that the second's does not.
        bench.post(&bench.admin, "/v1/policies", &json!({ "text": longer_policy() })).is(201);
        let kept = json!({ "kind": "customer", "external_id": "44", "fields": { "name": "Once" } });
        bench.post_once(&first, "k-of-the-first", "/v1/records", &kept).is(201);
        let admin = bench.add_shop("other-shop");
        let asking: Vec<(Role, Key)> = Role::ALL
            .into_iter()
            .map(|role| {
                let purposes: &[&str] =
                    if matches!(role, Role::Service | Role::Officer) { &ALL_PURPOSES } else { &[] };
                (role, bench.key_by(&admin, role, purposes))
            })
            .collect();
        let service = &asking.iter().find(|(role, _)| *role == Role::Service).unwrap().1;
        bench.customer(service, "own");
        let own = bench.order(service, "own", "own-order");
        let ask = json!({ "credential": first.id(), "purpose": "delivery", "subjects": 5, "hours": 1, "reason": "of-a-test" });
        let asked = bench.post(&bench.admin, "/v1/approvals", &ask).is(201);
        let approval = asked["id"].as_str().unwrap().to_owned();
        let (token, entry) = (made["token"].clone(), made["entry"].as_str().unwrap().to_owned());
        Two { bench, first, asking, subject, erased, record, token, entry, choice, approval, own }
    }

    /// A request of the asking shop's own that is in order.
    fn sample(&self, method: &str, path: &str) -> Json {
        let order = json!({ "kind": "order", "external_id": "own-order" });
        let own = json!({ "external_id": "own" });
        let customer = json!({ "kind": "customer", "external_id": "own", "fields": { "name": "Ann Lee" } });
        match (method, path) {
            ("POST", "/v1/records") => customer,
            ("POST", "/v1/records:batch") => json!({ "items": [customer] }),
            ("POST", "/v1/records:event") => json!({ "record": order, "event": "placed" }),
            ("POST", "/v1/choices") => {
                json!({ "subject": own, "purpose": "recommendations", "choice": "granted",
                                               "notice": { "version": 1, "language": "zh" } })
            }
            ("POST", "/v1/records:reveal") => json!({ "purpose": "delivery", "record": order }),
            ("POST", "/v1/records:search") => {
                json!({ "purpose": "account", "field": "email", "value": "a@b.example" })
            }
            ("POST", "/v1/choices:unsubscribe-link") => {
                json!({ "subject": own, "purpose": "recommendations", "origin": "https://shop.example" })
            }
            ("POST", "/v1/choices:may") => {
                json!({ "purpose": "marketing_email", "field": "email", "values": ["42@shop.example"] })
            }
            ("POST", "/v1/subjects:find") => json!({ "subject": own }),
            ("POST", "/v1/tokens") => json!({ "purpose": "after_sales", "record": order, "field": "phone" }),
            ("POST", "/v1/tokens:resolve") => json!({ "purpose": "after_sales", "token": "tok_" }),
            ("POST", "/v1/policies") => json!({ "text": "" }),
            ("POST", "/v1/credentials") => json!({ "role": "service", "label": "of-a-test" }),
            ("POST", "/v1/approvals") => {
                let service = self.asking.iter().find(|(role, _)| *role == Role::Service);
                json!({ "credential": service.unwrap().1.id(), "purpose": "delivery", "subjects": 5, "hours": 1,
                        "reason": "of-a-test" })
            }
            ("POST", "/v1/credentials/{id}:freeze" | "/v1/credentials/{id}:unfreeze") => {
                json!({ "reason": "of-a-test" })
            }
            (
                "POST",
                "/v1/subjects/{id}:erase"
                | "/v1/credentials/{id}:revoke"
                | "/v1/approvals/{id}:approve"
                | "/v1/approvals/{id}:refuse",
            ) => json!({}),
            ("POST", "/v1/records/{id}/files/{field}:reveal") => json!({ "purpose": "delivery" }),
            ("PUT", "/v1/records/{id}/files/{field}") => json!("the bytes of a file"),
            ("GET", _) | ("POST", "/u/{id}") => Json::Null,
            _ => panic!("{method} {path} is new: say here how it is asked"),
        }
    }

    /// What the first shop has for a slot, each beside what nobody has.
    fn pairs(&self, slot: Slot) -> Vec<(Json, Vec<Json>)> {
        let ids = &self.bench.house().ids;
        let garbled = |prefix: &str| json!(format!("{prefix}{}", "a".repeat(26)));
        let nobody = SubjectId::from_column(900_000);
        let subjects = vec![json!(ids.show(nobody)), garbled("sub_")];
        let records = vec![json!(ids.show(RecordId::of(nobody, 1, 0))), garbled("rec_")];
        let named = |kind: &str, id: &str| json!({ "kind": kind, "external_id": id });
        match slot {
            Slot::Subject => vec![
                (json!(self.subject), subjects.clone()),
                (json!(self.erased), subjects),
                // Of another type.
                (json!(self.record), vec![garbled("rec_")]),
            ],
            Slot::Record => vec![(json!(self.record), records)],
            Slot::RecordRef => vec![
                (json!(self.record), records),
                (named("order", "O-1"), vec![named("order", "O-none")]),
                (named("customer", "42"), vec![named("customer", "nobody")]),
            ],
            Slot::Entry => {
                vec![(json!(self.entry), vec![json!(ids.show(EntryId::of(999 << 8, 3))), garbled("ent_")])]
            }
            Slot::Choice => {
                vec![(json!(self.choice), vec![json!(ids.show(ChoiceId::of(nobody, 0))), garbled("cho_")])]
            }
            Slot::Credential => vec![(
                json!(self.first.id()),
                vec![json!(ids.show(CredentialId::from_column(900_000))), garbled("srk_")],
            )],
            Slot::Approval => vec![(
                json!(self.approval),
                vec![json!(ids.show(ApprovalId::from_column(900_000))), garbled("apr_")],
            )],
            Slot::Token => {
                vec![(
                    self.token.clone(),
                    vec![json!(format!("tok_{}", seal::base32(&[9; 16]))), garbled("tok_")],
                )]
            }
            Slot::External => vec![(json!("42"), vec![json!("nobody")])],
            Slot::Match => {
                vec![(json!({ "email": "42@shop.example" }), vec![json!({ "email": "nobody@shop.example" })])]
            }
            Slot::SearchValue => vec![(json!("42@shop.example"), vec![json!("nobody@shop.example")])],
            Slot::Version => vec![(json!(2), vec![json!(99)])],
            Slot::Purpose => vec![(json!("birthday"), vec![json!("no_such_purpose")])],
            Slot::Field => vec![(json!("birth_date"), vec![json!("no_such_field")])],
            Slot::PolicyText => vec![(
                json!(POLICY),
                vec![json!(POLICY.replacen("id = \"harbour-hill\"", "id = \"nobody-shop\"", 1))],
            )],
            Slot::RepeatKey => vec![(json!("k-of-the-first"), vec![json!("k-of-nobody")])],
            Slot::Nothing => Vec::new(),
        }
    }

    /// Asks with a value at a place. Gives status and body, with what was made for the asking shop taken out, and how many
    /// entries its own log got.
    fn ask(&self, by: &Key, operation: &Operation, place: &Place, value: &Json) -> (u16, String, usize) {
        let mut body = self.sample(&operation.method, &operation.path);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut path = operation.path.clone();
        let mut request = by.posts("/");
        match &place.at {
            At::Body(pointer) => put(&mut body, pointer, value.clone()),
            At::Path(name) => path = path.replace(&format!("{{{name}}}"), &text),
            At::Query(name) => path = format!("{path}?{name}={text}"),
            At::Header(name) => request = request.header(name, text.as_str()),
        }
        let path = path.replace("{id}", &self.own).replace("{field}", "scan");
        let path = match &place.at {
            // What else the route asks for.
            At::Query(name) if name == "credential" => format!("{path}&since=2026-11-01T00:00:00Z"),
            _ => path,
        };
        if operation.method == "PUT" {
            request =
                request.header("content-type", "text/plain").header("content-length", body.to_string().len());
        }
        let method: Method = operation.method.parse().unwrap();
        let request = request.method(method).uri(path);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let own = &self.bench.house().shops()[1];
        let before = entries_of(self.bench.house(), own).len();
        let reply = self.bench.send(request.body(body).unwrap());
        let entered = entries_of(self.bench.house(), own).len() - before;
        (reply.status, without_ids(&reply.text()), entered)
    }
}

/// Puts a value into a body; ways to say the same thing that stand beside it go.
fn put(body: &mut Json, pointer: &str, value: Json) {
    let mut here = body;
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    for (depth, part) in parts.iter().enumerate() {
        if let Ok(index) = part.parse::<usize>() {
            if !here.is_array() {
                *here = json!([]);
            }
            let list = here.as_array_mut().unwrap();
            while list.len() <= index {
                list.push(Json::Null);
            }
            here = &mut list[index];
            continue;
        }
        if here.is_null() {
            // A choice, or a subject, that the sample does without.
            *here = if parts[..depth].contains(&"choices") {
                json!({ "purpose": "recommendations", "choice": "granted", "notice": { "version": 1, "language": "zh" } })
            } else {
                json!({})
            };
        }
        let map = here.as_object_mut().unwrap();
        if ["id", "external_id", "match"].contains(part) && depth > 0 && parts[depth - 1] == "subject" {
            map.clear();
        }
        if ["ids", "external_ids"].contains(part) {
            map.remove("field");
            map.remove("values");
        }
        if *part == "record" || *part == "subject" {
            map.remove(if *part == "record" { "subject" } else { "record" });
        }
        if *part == "subject" && map.contains_key("fields") {
            // A record of somebody: an order without an id of its own.
            map.insert("kind".to_owned(), json!("order"));
            map.insert("fields".to_owned(), json!({ "items": "tea" }));
            map.remove("external_id");
        }
        here = map.entry((*part).to_owned()).or_insert(Json::Null);
    }
    *here = value;
}

/// An answer in which every id that was made is `…`.
fn without_ids(text: &str) -> String {
    let mut out = text.to_owned();
    for prefix in ["sub_", "rec_", "ent_", "srk_", "cho_", "tok_", "apr_"] {
        let mut from = 0;
        while let Some(at) = out[from..].find(prefix) {
            let start = from + at + prefix.len();
            let length = out[start..]
                .bytes()
                .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
                .count();
            if length >= 26 {
                out.replace_range(start..start + length, "…");
            }
            from = start;
        }
    }
    out
}

#[test]
fn at_every_place_of_every_route_another_shops_id_is_one_that_nobody_has() {
    let two = Two::new();
    let document = two.bench.get_as_stranger("/openapi.json").is(200);
    let first_shop = two.bench.shop();
    let before = entries_of(two.bench.house(), &first_shop).len();
    let (mut asked, mut let_in) = (0, BTreeSet::new());
    for operation in operations(&document) {
        for place in &operation.places {
            for (real, none) in two.pairs(place.slot) {
                for (role, by) in &two.asking {
                    // Twice what nobody has, so that the first of both has no other history than the second.
                    let answers: Vec<_> =
                        none.iter().map(|none| two.ask(by, &operation, place, none)).collect();
                    let answer = two.ask(by, &operation, place, &real);
                    asked += 1;
                    let where_ =
                        format!("{} {} {:?} as {}", operation.method, operation.path, place.at, role.name());
                    for nobody in answers {
                        assert_eq!(answer, nobody, "{where_}: {real} is not answered as {none:?}");
                    }
                    assert!(answer.0 < 500, "{where_}: {answer:?}");
                    if answer.0 != 403 || !answer.1.contains("SR-PEOPLE-003") {
                        let_in.insert(format!("{} {} {:?}", operation.method, operation.path, place.at));
                    }
                    let log = entries_of(two.bench.house(), &first_shop).len();
                    assert_eq!(log, before, "{where_}: the other shop's log knows of it");
                }
                let reached = format!("{} {} {:?}", operation.method, operation.path, place.at);
                assert!(let_in.contains(&reached), "{reached}: no role came past the door");
            }
        }
    }
    assert!(asked > 250, "{asked} questions");
    // Everything of the first shop is still there, and is as it was.
    let ask = json!({ "purpose": "delivery", "record": two.record });
    let shown = two.bench.post(&two.first, "/v1/records:reveal", &ask).is(200);
    assert_eq!(shown["records"][0]["version"], 1);
    let ask = json!({ "purpose": "after_sales", "token": two.token });
    two.bench.post(&two.first, "/v1/tokens:resolve", &ask).is(200);
    let found =
        two.bench.post(&two.first, "/v1/subjects:find", &json!({ "subject": { "id": two.subject } })).is(200);
    assert_eq!((&found["standing"], found["choices"].as_array().map(Vec::len)), (&json!("present"), Some(1)));
    assert_eq!(two.bench.get(&two.first, "/v1/policy").is(200)["version"], 2);
}

#[test]
fn a_header_that_names_the_other_shop_changes_nothing_for_who_shows_a_credential() {
    let two = Two::new();
    for (role, by) in &two.asking {
        for name in ["harbour-hill", "other-shop", "nobody-shop"] {
            let request = by.request(Method::GET, "/v1/policy").header("strongroom-shop", name);
            if *role == Role::Window {
                two.bench.send(request.body(Body::empty()).unwrap()).problem(403, "SR-PEOPLE-003");
                continue;
            }
            assert_eq!(two.bench.send(request.body(Body::empty()).unwrap()).is(200)["shop"], "other-shop");
        }
    }
}
