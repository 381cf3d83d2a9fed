//! The documentation of the API as a page that needs no network and no script, and the figures for whoever watches.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::Desk;
use super::{metrics, openapi};
use crate::ground::web::Handler;
use crate::ground::{Deed, Role};

const STYLE: &str = include_str!("docs.css");
/// What was asked of a server, and what it answered, by operation. Where something is left out stands `…`.
const EXAMPLES: &str = include_str!("examples.json");
/// Nothing but our own style may load, and nobody may frame the page.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router(desk: &Arc<Desk>) -> Router {
    let desk = Arc::clone(desk);
    let page = render();
    Router::new()
        .route(
            "/docs",
            get(move || {
                let page = page.clone();
                async move { html(page) }
            }),
        )
        .route(
            "/docs/style.css",
            get(|| async {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))], STYLE)
                    .into_response()
            }),
        )
        .route(
            "/metrics",
            get(move |headers: HeaderMap| {
                let desk = Arc::clone(&desk);
                async move {
                    let text = desk.metrics.text(&desk.house, &desk.doing);
                    // As the client libraries of Prometheus do: OpenMetrics for whoever names it, the older text else.
                    let (kind, text) = if asks_for_openmetrics(&headers) {
                        ("application/openmetrics-text; version=1.0.0; charset=utf-8", text)
                    } else {
                        ("text/plain; version=0.0.4; charset=utf-8", metrics::plain(&text))
                    };
                    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
                }
            }),
        )
}

fn asks_for_openmetrics(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    accepted.any(|accepted| accepted.contains("application/openmetrics-text"))
}

fn html(page: String) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, page).into_response()
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    version: String,
    about: String,
    refusal: String,
    everywhere: Vec<Answer>,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// An example, with its texts as they stand in the file.
#[derive(Deserialize)]
struct Example<'t> {
    /// Path and query, as they were asked.
    #[serde(borrow, default)]
    path: Option<&'t str>,
    /// The body that was sent.
    #[serde(borrow, default)]
    body: Option<&'t RawValue>,
    /// What came back.
    #[serde(borrow)]
    answer: &'t RawValue,
}

struct Group {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    /// Roles that may do it; empty where no credential is needed.
    roles: Vec<&'static str>,
    parameters: Vec<Field>,
    body: Option<String>,
    /// A command that asks, to be copied.
    curl: String,
    /// What it answers.
    answered: String,
    answers: Vec<Answer>,
}

struct Answer {
    status: String,
    about: String,
    schema: Option<String>,
}

struct Schema {
    name: String,
    about: String,
    fields: Vec<Field>,
    words: Vec<String>,
}

struct Field {
    name: String,
    kind: String,
    link: Option<String>,
    required: bool,
    about: String,
}

/// The page, made once from the document.
fn render() -> String {
    let document: Json = serde_json::from_str(&openapi::json()).unwrap_or_default();
    let examples: BTreeMap<&str, Example<'_>> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let page = Page {
        refusal: examples.get("refusal").map(|example| as_shown(example.answer)).unwrap_or_default(),
        version: text(&document, "/info/version"),
        about: text(&document, "/info/description"),
        everywhere: openapi::everywhere()
            .map(|(status, about)| Answer {
                status: status.to_string(),
                about: about.to_owned(),
                schema: Some("Problem".to_owned()),
            })
            .collect(),
        groups: groups(&document, &examples),
        schemas: schemas(&document),
    };
    page.render().unwrap_or_default()
}

fn text(value: &Json, pointer: &str) -> String {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn list<'v>(value: &'v Json, key: &str) -> impl Iterator<Item = &'v Json> {
    value.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn entries(value: Option<&Json>) -> impl Iterator<Item = (&String, &Json)> {
    value.and_then(Json::as_object).into_iter().flatten()
}

fn groups(document: &Json, examples: &BTreeMap<&str, Example<'_>>) -> Vec<Group> {
    let mut groups: Vec<Group> = list(document, "tags")
        .map(|tag| Group {
            name: text(tag, "/name"),
            about: text(tag, "/description"),
            operations: Vec::new(),
        })
        .collect();
    for (path, methods) in entries(document.get("paths")) {
        for (method, said) in entries(Some(methods)) {
            let tag = list(said, "tags").next().and_then(Json::as_str).unwrap_or_default();
            if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                group.operations.push(operation(path, method, said, examples));
            }
        }
    }
    groups
}

fn operation(path: &str, method: &str, said: &Json, examples: &BTreeMap<&str, Example<'_>>) -> Operation {
    let body = said.pointer("/requestBody/content/application~1json/schema").and_then(reference);
    let id = text(said, "/operationId");
    let example = examples.get(id.as_str());
    let roles = roles_of(path, method);
    Operation {
        curl: example.map(|example| curl(method, example, roles.first().copied())).unwrap_or_default(),
        answered: example.map(|example| as_shown(example.answer)).unwrap_or_default(),
        id,
        roles,
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(said, "/summary"),
        about: text(said, "/description"),
        parameters: list(said, "parameters").map(parameter).collect(),
        body,
        // What any route can answer stands once, where the page begins.
        answers: entries(said.get("responses"))
            .filter(|(_, answer)| answer.get("$ref").is_none())
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(answer, "/description"),
                schema: entries(answer.get("content"))
                    .find_map(|(_, kind)| kind.get("schema").and_then(reference)),
            })
            .collect(),
    }
}

/// Roles that may ask this, from the routes themselves.
fn roles_of(path: &str, method: &str) -> Vec<&'static str> {
    let named = |path: &str| path.split_once('{').map(|(before, _)| before.to_owned());
    let is_it = |route: &crate::ground::web::Route| {
        // What follows an id in a route's path is the handler's to read: `{id}:erase`.
        let same = route.path == path || (named(path).is_some() && named(path) == named(route.path));
        same && route.method.eq_ignore_ascii_case(method)
    };
    let deed: Option<Deed> = super::routes().into_iter().find(is_it).and_then(|route| match route.handler {
        Handler::Callers(deed, _) | Handler::Senders(deed, _) => Some(deed),
        Handler::Pages(_) => Some(Deed::TakeChoices),
        Handler::Anybody(_) => None,
    });
    let may = |role: &Role| deed.is_some_and(|deed| deed.allowed_to(*role));
    Role::ALL.into_iter().filter(may).map(Role::name).collect()
}

/// The command that asks an example.
fn curl(method: &str, example: &Example<'_>, role: Option<&str>) -> String {
    let path = example.path.unwrap_or_default();
    let mut line = String::from("curl -s");
    if method == "post" && example.body.is_none() {
        line.push_str(" -X POST");
    }
    if method == "put" {
        line.push_str(" -X PUT --data-binary @scan.jpg -H \"Content-Type: image/jpeg\"");
    }
    let quote = if path.contains('?') { "\"" } else { "" };
    line.extend([" ", quote, "$API", path, quote]);
    if let Some(role) = role {
        line.extend([" \\\n  -H \"Authorization: Bearer $", &role.to_uppercase(), "\""]);
    }
    if let Some(body) = example.body {
        line.extend([" \\\n  -d '", &as_shown(body).replace('\n', "\n  "), "'"]);
    }
    line
}

/// A value as it stands in the file of examples, moved to the margin; a text that is not JSON as it came.
fn as_shown(value: &RawValue) -> String {
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        return text;
    }
    let last = value.get().lines().last().unwrap_or_default();
    let indent = last.len().saturating_sub(last.trim_start().len());
    let moved = value.get().lines().map(|line| {
        let spaces = line.len().saturating_sub(line.trim_start().len());
        line.get(spaces.min(indent)..).unwrap_or(line)
    });
    moved.collect::<Vec<_>>().join("\n")
}

fn parameter(said: &Json) -> Field {
    Field {
        name: text(said, "/name"),
        kind: format!("{} in {}", kind_of(said.get("schema").unwrap_or(&Json::Null)), text(said, "/in")),
        link: None,
        required: said.get("required").and_then(Json::as_bool).unwrap_or_default(),
        about: text(said, "/description"),
    }
}

fn schemas(document: &Json) -> Vec<Schema> {
    entries(document.pointer("/components/schemas"))
        .map(|(name, said)| {
            let required: Vec<&str> = list(said, "required").filter_map(Json::as_str).collect();
            let mut words: Vec<String> =
                list(said, "enum").filter_map(Json::as_str).map(str::to_owned).collect();
            words.extend(
                list(said, "oneOf")
                    .flat_map(|one| list(one, "enum").filter_map(Json::as_str))
                    .map(str::to_owned),
            );
            Schema {
                name: name.clone(),
                about: text(said, "/description"),
                fields: entries(said.get("properties"))
                    .map(|(name, field)| Field {
                        name: name.clone(),
                        kind: kind_of(field),
                        link: reference(field),
                        required: required.contains(&name.as_str()),
                        about: text(field, "/description"),
                    })
                    .collect(),
                words,
            }
        })
        .collect()
}

/// The schema that something refers to, also inside a list or an optional one.
fn reference(schema: &Json) -> Option<String> {
    if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
        return name.rsplit('/').next().map(str::to_owned);
    }
    if let Some(items) = schema.get("items") {
        return reference(items);
    }
    list(schema, "oneOf").chain(list(schema, "allOf")).chain(list(schema, "anyOf")).find_map(reference)
}

/// What kind of value, in words.
fn kind_of(schema: &Json) -> String {
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind_of(items));
    }
    if let Some(name) = reference(schema) {
        return name;
    }
    match schema.get("type") {
        Some(Json::String(kind)) => kind.clone(),
        Some(Json::Array(kinds)) => {
            let kinds: Vec<&str> =
                kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect();
            kinds.join(" or ")
        }
        _ => String::from("any"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn document() -> Json {
        serde_json::from_str(&openapi::json()).unwrap()
    }

    fn operations(document: &Json) -> Vec<(String, String, Json)> {
        let paths = entries(document.get("paths"));
        paths
            .flat_map(|(path, methods)| {
                entries(Some(methods))
                    .map(|(method, said)| (path.clone(), method.clone(), said.clone()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Every name of an object is one that its schema has, and every name that the schema demands is there.
    fn fits(value: &Json, schema: &Json, document: &Json, place: &str) {
        if let Some(items) = value.as_array() {
            let of = schema.get("items").unwrap_or(schema);
            items.iter().filter(|item| item.is_object()).for_each(|item| fits(item, of, document, place));
            return;
        }
        let Some(name) = reference(schema) else { return };
        let Some(pairs) = value.as_object() else { return };
        let schema = &document["components"]["schemas"][&name];
        let Some(known) = schema.get("properties").and_then(Json::as_object) else { return };
        for (key, value) in pairs {
            let of = known.get(key).unwrap_or_else(|| panic!("{place}: `{key}` is not in {name}"));
            fits(value, of, document, &format!("{place}/{key}"));
        }
    }

    #[test]
    fn every_operation_has_an_example_that_fits_its_schemas() {
        let document = document();
        let examples: BTreeMap<&str, Example<'_>> = serde_json::from_str(EXAMPLES).unwrap();
        let mut known: BTreeSet<&str> = BTreeSet::from(["refusal"]);
        let operations = operations(&document);
        for (path, method, said) in &operations {
            let id = said["operationId"].as_str().unwrap();
            let example = examples.get(id).unwrap_or_else(|| panic!("{id} has no example"));
            known.insert(id);
            let asked = example.path.unwrap();
            assert!(asked.starts_with(path.split('{').next().unwrap()), "{id}: {asked}");
            let body = said.pointer("/requestBody/content/application~1json/schema");
            assert_eq!(body.is_some(), example.body.is_some(), "{id}: {method}");
            if let (Some(schema), Some(body)) = (body, example.body) {
                let body: Json = serde_json::from_str(body.get()).unwrap();
                fits(&body, schema, &document, &format!("{id} body"));
            }
            let answers =
                entries(said.get("responses")).find(|(status, _)| status.starts_with(['2', '3'])).unwrap().1;
            if let Some(schema) = answers.pointer("/content/application~1json/schema") {
                let answer: Json = serde_json::from_str(example.answer.get()).unwrap();
                fits(&answer, schema, &document, &format!("{id} answer"));
            }
        }
        assert_eq!(known, examples.keys().copied().collect(), "an example of an operation that is not there");
    }

    #[test]
    fn the_page_says_who_may_ask() {
        assert_eq!(roles_of("/v1/records:reveal", "post"), ["service", "officer"]);
        assert_eq!(roles_of("/v1/subjects/{id}:erase", "post"), ["officer"]);
        assert_eq!(roles_of("/v1/credentials/{id}:revoke", "post"), ["admin"]);
        assert!(roles_of("/ledger/{path}", "get").is_empty() && roles_of("/health/live", "get").is_empty());
    }

    #[test]
    fn an_example_stands_at_the_margin_and_reads_back() {
        let examples: BTreeMap<&str, Example<'_>> = serde_json::from_str(EXAMPLES).unwrap();
        for (id, example) in &examples {
            let shown = as_shown(example.answer);
            let read: Result<Json, _> = serde_json::from_str(&shown);
            let whole: Json = serde_json::from_str(example.answer.get()).unwrap();
            assert!(whole.is_string() || read.unwrap() == whole, "{id}");
            assert!(!shown.lines().last().unwrap_or_default().starts_with(' '), "{id}");
        }
    }
}
