//! The OpenAPI document, generated from the routes' own types.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::{account, collect, erase, notice, people, reveal};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strongroom",
        description = "The privacy policy that runs. Personal data stands in bodies only; ids in paths are opaque. Problems are RFC 9457 with stable codes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        collect::http::post_record,
        collect::http::post_batch,
        collect::files::put_file,
        collect::http::post_event,
        collect::http::post_choice,
        reveal::http::post_reveal,
        reveal::file::post_file_reveal,
        reveal::http::post_search,
        reveal::http::post_find,
        reveal::http::post_token,
        reveal::http::post_resolve,
        erase::http::post_erase,
        account::http::get_file,
        account::http::get_checkpoint,
        account::http::get_entries,
        account::http::get_entry,
        account::http::get_proof,
        account::http::get_consistency,
        account::http::get_blast_radius,
        notice::http::get_policy,
        notice::http::get_policies,
        notice::http::post_policy,
        people::http::get_credentials,
        people::http::post_credential,
        people::http::post_revoke,
        people::http::post_freeze,
        people::http::post_unfreeze,
        people::approval_http::get_approvals,
        people::approval_http::post_approval,
        people::approval_http::post_approve,
        people::approval_http::post_refuse,
        super::health::live,
        super::health::ready,
    ),
    components(schemas(erase::CertificateBody, erase::RetainedPurpose)),
    modifiers(&Everywhere),
    tags(
        (name = "records", description = "What is kept: write, reveal, search, events"),
        (name = "choices", description = "What subjects said about purposes"),
        (name = "tokens", description = "What partners hold in place of values"),
        (name = "subjects", description = "The persons that the data is about"),
        (name = "policy", description = "What the shop promises, as published"),
        (name = "ledger", description = "What was done, provable to a stranger"),
        (name = "credentials", description = "Who may call"),
        (name = "health", description = "Is it alive, is it ready"),
    )
)]
struct Api;

/// What holds for every route: the credential, and the problems that any of them can answer.
struct Everywhere;

impl utoipa::Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
        let components = api.components.get_or_insert_with(Default::default);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("credential", bearer);
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// The document as JSON.
pub fn json() -> String {
    document().to_pretty_json().unwrap_or_default()
}

/// The document is made once: it takes milliseconds, and anybody may ask for it.
static WRITTEN: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(json()));

pub(super) fn router() -> Router {
    Router::new().route(
        "/openapi.json",
        get(|| async {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], WRITTEN.clone()).into_response()
        }),
    )
}
