//! Reading answers that are JSON: what is not there reads as nothing.

use serde_json::Value as Json;

/// A part of an object; null where it has none.
pub(super) fn part<'v>(value: &'v Json, key: &str) -> &'v Json {
    static NOTHING: Json = Json::Null;
    value.get(key).unwrap_or(&NOTHING)
}

/// The items of a list in an object; none where it has no list.
pub(super) fn list<'v>(value: &'v Json, key: &str) -> impl Iterator<Item = &'v Json> {
    part(value, key).as_array().into_iter().flatten()
}

/// The texts of a list in an object.
pub(super) fn texts<'v>(value: &'v Json, key: &str) -> Vec<&'v str> {
    list(value, key).filter_map(Json::as_str).collect()
}

/// A text of an object, or what else it has there as JSON.
pub(super) fn text(value: &Json, key: &str) -> String {
    match value.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
