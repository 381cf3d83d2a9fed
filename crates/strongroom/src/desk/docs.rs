//! The documentation of the API as a page that needs no network and no script, and the figures for whoever watches.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value as Json;

use super::Desk;
use super::openapi;

const STYLE: &str = include_str!("docs.css");
/// Nothing but our own style may load, and nobody may frame the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router(desk: &Arc<Desk>) -> Router {
    let desk = Arc::clone(desk);
    let page = render();
    Router::new()
        .route("/docs", get(move || {
            let page = page.clone();
            async move { html(page) }
        }))
        .route("/docs/style.css", get(|| async {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))], STYLE).into_response()
        }))
        .route("/metrics", get(move || {
            let desk = Arc::clone(&desk);
            async move {
                let text = desk.metrics.text(&desk.house, &desk.doing);
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
            }
        }))
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
    groups: Vec<Group>,
    schemas: Vec<Schema>,
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
    parameters: Vec<Field>,
    body: Option<String>,
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
    let page = Page {
        version: text(&document, "/info/version"),
        about: text(&document, "/info/description"),
        groups: groups(&document),
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

fn groups(document: &Json) -> Vec<Group> {
    let mut groups: Vec<Group> = list(document, "tags")
        .map(|tag| Group { name: text(tag, "/name"), about: text(tag, "/description"), operations: Vec::new() })
        .collect();
    for (path, methods) in entries(document.get("paths")) {
        for (method, said) in entries(Some(methods)) {
            let tag = list(said, "tags").next().and_then(Json::as_str).unwrap_or_default();
            if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                group.operations.push(operation(path, method, said));
            }
        }
    }
    groups
}

fn operation(path: &str, method: &str, said: &Json) -> Operation {
    let body = said.pointer("/requestBody/content/application~1json/schema").and_then(reference);
    Operation {
        id: text(said, "/operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(said, "/summary"),
        about: text(said, "/description"),
        parameters: list(said, "parameters").map(parameter).collect(),
        body,
        answers: entries(said.get("responses"))
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(answer, "/description"),
                schema: entries(answer.get("content")).find_map(|(_, kind)| kind.get("schema").and_then(reference)),
            })
            .collect(),
    }
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
            let mut words: Vec<String> = list(said, "enum").filter_map(Json::as_str).map(str::to_owned).collect();
            words.extend(list(said, "oneOf").flat_map(|one| list(one, "enum").filter_map(Json::as_str)).map(str::to_owned));
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
            let kinds: Vec<&str> = kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect();
            kinds.join(" or ")
        }
        _ => String::from("any"),
    }
}
