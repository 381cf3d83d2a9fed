//! Is it alive, and is it ready? For whoever restarts and routes; nothing here tells a stranger more than that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::Desk;
use crate::ground::key_holder::watch::shut;
use crate::ground::web::answer;

/// How the house is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, `attention` (it serves, and somebody should look) or `down`.
    pub status: &'static str,
    /// What needs attention, by name.
    pub attention: Vec<&'static str>,
}

pub(super) fn router(desk: &Arc<Desk>) -> Router {
    let desk = Arc::clone(desk);
    Router::new().route("/health/live", get(live)).route(
        "/health/ready",
        get(move || {
            let desk = Arc::clone(&desk);
            async move { ready(&desk).into_response() }
        }),
    )
}

/// The process answers.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, description = "Alive", body = Health)))]
pub(super) async fn live() -> impl IntoResponse {
    answer(StatusCode::OK, &Health { status: "ok", attention: Vec::new() })
}

/// The house serves; what needs attention is named.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "Serves", body = Health), (status = 503, description = "Does not serve", body = Health)))]
pub(super) fn ready(desk: &Desk) -> Response<Body> {
    let stats = desk.house.store.stats();
    if stats.broken.load(Ordering::Relaxed) {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &Health { status: "down", attention: vec!["store_broken"] },
        );
    }
    let attending = &desk.house.keys.attending;
    if attending.is_shut() {
        return is_shut();
    }
    if desk.house.store.is_away() {
        // The caretaker asks once a second: it ends when the server of the database answers.
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &Health { status: "down", attention: vec!["store_unreachable"] },
        );
    }
    let witnesses = desk.house.witnesses.standings(&desk.house);
    let attention: Vec<&'static str> = [
        (attending.fault().is_some(), "key_holder_away"),
        (stats.disk_full.load(Ordering::Relaxed), "disk_full"),
        (desk.house.watch.in_doubt(), "clock_in_doubt"),
        (desk.house.store.keys_unlisted() > 0, "destroyed_keys_unlisted"),
        (desk.doing.heads_failing.load(Ordering::Relaxed), "heads_failing"),
        (desk.doing.rotation_failing.load(Ordering::Relaxed), "rotation_failing"),
        (desk.doing.jobs_stuck.load(Ordering::Relaxed), "jobs_stuck"),
        (desk.house.count_frozen() > 0, "credentials_frozen"),
        (desk.doing.terms_held.load(Ordering::Relaxed) > 0, "terms_held"),
        (desk.doing.files_held.load(Ordering::Relaxed) > 0, "files_held"),
        (witnesses.iter().any(|witness| witness.contradicts.is_some()), "witness_contradicts"),
        (witnesses.iter().any(|witness| witness.is_unheard), "witness_unheard"),
        (desk.house.rows_stepped_over.load(Ordering::Relaxed) > 0, "rows_do_not_open"),
    ]
    .into_iter()
    .filter_map(|(is, name)| is.then_some(name))
    .collect();
    let status = if attention.is_empty() { "ok" } else { "attention" };
    answer(StatusCode::OK, &Health { status, attention })
}

/// The house is shut: nobody gives it the key of its keyring.
fn is_shut() -> Response<Body> {
    answer(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "down", attention: vec!["key_holder_away"] })
}

/// What a house that is shut answers, at every door: that it is, and why.
pub(super) fn shut_router(fault: Option<&'static str>) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(|| async { is_shut() }))
        .fallback(move || async move { shut(fault).into_response() })
}
