//! Route of the room: erase a subject.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Deserialize;

use super::CertificateText;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, Route, answer, id_before, read_json};
use crate::ground::{Deed, Problem, SubjectId};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![Route::post("/v1/subjects/{target}", Deed::Erase, |request| Box::pin(post_erase(request)))]
}

/// Nothing has to be said; an empty body is as good as `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseIn {}

/// Erase a subject: its key is destroyed, and the certificate says since when and until when.
#[utoipa::path(post, path = "/v1/subjects/{id}:erase", tag = "subjects",
    params(("id" = String, Path, description = "The subject's public id, `sub_…`")),
    responses((status = 200, description = "Erased, now or before: the certificate", body = CertificateText),
              (status = 403, description = "The role does not include this", body = ProblemBody),
              (status = 404, description = "No such subject", body = ProblemBody)))]
pub(crate) async fn post_erase(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, body, .. } = request;
    // ORDER: the body first. One that is not as it must be is told so whether or not the subject is there.
    if !body.is_empty() {
        let EraseIn {} = read_json(&body)?;
    }
    let subject: SubjectId = id_before(&house.ids, &target, ":erase", Problem::from)?;
    let certificate = super::erase(&house, &caller, subject).await?;
    Ok(answer(StatusCode::OK, &certificate))
}
