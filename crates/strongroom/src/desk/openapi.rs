//! The OpenAPI document, generated from the routes' own types.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required};

use crate::{account, answer, collect, erase, law, notice, people, reveal};

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
        reveal::may_http::post_may,
        reveal::http::post_find,
        reveal::receipt::get_receipt,
        reveal::http::post_token,
        reveal::http::post_resolve,
        erase::http::post_erase,
        account::http::get_head,
        account::http::get_log,
        account::http::get_head_of,
        account::http::get_log_of,
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
        notice::pages::get_notice,
        notice::pages::get_notice_text,
        notice::pages::get_notice_data,
        notice::pages::get_versions,
        notice::pages::get_differences,
        notice::pages::get_lessons,
        notice::pages::get_lesson,
        notice::verify::get_verify,
        notice::verify::get_verify_script,
        notice::pages::get_gpc,
        notice::pages::get_contact,
        notice::pages::get_security,
        answer::http::get_my,
        answer::http::get_my_data,
        answer::http::get_my_data_file,
        answer::http::get_my_choices,
        answer::http::get_my_uses,
        answer::http::get_my_receipts,
        answer::http::post_my_code,
        answer::http::post_my_confirm,
        answer::http::post_my_enter,
        answer::http::post_my_leave,
        answer::http::post_my_data,
        answer::http::post_my_choice,
        answer::http::post_challenge,
        answer::http::post_confirm,
        people::http::get_credentials,
        people::http::post_credential,
        people::http::post_revoke,
        people::http::post_freeze,
        people::http::post_unfreeze,
        people::approval_http::get_approvals,
        people::approval_http::post_approval,
        people::approval_http::post_approve,
        people::approval_http::post_refuse,
        law::http::post_decide,
        collect::window::http::get_init,
        collect::unsubscribe::http::post_unsubscribe_link,
        collect::unsubscribe::http::get_unsubscribe,
        collect::unsubscribe::http::post_unsubscribe,
        collect::window::http::post_choices,
        collect::window::http::get_receipts,
        collect::window::http::get_script,
        collect::window::http::get_adapters,
        collect::window::http::get_style,
        super::health::live,
        super::health::ready,
    ),
    components(schemas(erase::CertificateBody, erase::RetainedPurpose, law::http::QuestionBody)),
    modifiers(&Everywhere),
    tags(
        (name = "records", description = "What is kept: write, reveal, search, events"),
        (name = "choices", description = "What subjects said about purposes"),
        (name = "tokens", description = "What partners hold in place of values"),
        (name = "subjects", description = "The persons that the data is about"),
        (name = "policy", description = "What the shop promises, as published"),
        (name = "ledger", description = "What was done, provable to a stranger"),
        (name = "credentials", description = "Who may call"),
        (name = "law", description = "What laws and marketplaces ask"),
        (name = "notice", description = "What everybody may read: the notice, its versions, pages to learn from"),
        (name = "my data", description = "What people see, correct and decide of what is their own"),
        (name = "window", description = "What pages of the shop show visitors to choose from, and what they choose"),
        (name = "health", description = "Is it alive, is it ready"),
    )
)]
struct Api;

/// What holds for every route: the credential, and the problems that any of them can answer.
struct Everywhere;

/// How addresses begin at which everybody may ask.
const OPEN: [&str; 5] = ["/strongroom", "/privacy", "/my", "/.well-known/", "/u/"];

/// The name of the security scheme.
const CREDENTIAL: &str = "credential";
/// The content type of problems (RFC 9457).
const PROBLEM: &str = "application/problem+json";

/// Which routes answer with a problem.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// All of `/v1`, `/ledger` and `/w`, and the files of the window.
    Everybody,
    /// Those that take a credential.
    Callers,
    /// Those that read a body.
    Senders,
}

/// The problems of the front door and of the store, by the name under which the document has them once.
const PROBLEMS: &[(u16, &str, Who, &str)] = &[
    (400, "NotUnderstood", Who::Everybody, "Not JSON, not UTF-8, a header or parameter of the wrong form"),
    (401, "NoCredential", Who::Everybody, "No valid credential; it never says what was wrong with it"),
    (403, "NotAllowed", Who::Callers, "The role does not include this"),
    (408, "TooSlow", Who::Senders, "The body did not arrive within 30 seconds"),
    (413, "TooLong", Who::Senders, "The body is longer than it may be"),
    (422, "OtherShape", Who::Senders, "JSON of another shape, or a value that cannot stand there"),
    (429, "TooOften", Who::Everybody, "More requests than this caller may make; see `Retry-After`"),
    (500, "Damaged", Who::Everybody, "A broken seal or a damaged row: it was entered"),
    (503, "TryAgain", Who::Everybody, "The store is busy or closing, or others keep changing this subject"),
    (507, "DiskFull", Who::Everybody, "The disk is full; nothing was written"),
];

impl utoipa::Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
        let components = api.components.get_or_insert_with(Default::default);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme(CREDENTIAL, bearer);
        for (status, name, _, about) in PROBLEMS {
            components.responses.insert((*name).to_owned(), RefOr::T(problem(*status, about)));
        }
        for (path, item) in &mut api.paths.paths {
            let posts = item.post.is_some() || item.put.is_some();
            // There are no other methods.
            for operation in item.get.iter_mut().chain(item.post.iter_mut()).chain(item.put.iter_mut()) {
                complete(path, posts, operation);
            }
        }
    }
}

/// What any route can answer, whether or not it says so itself: status and meaning.
pub(super) fn everywhere() -> impl Iterator<Item = (u16, &'static str)> {
    PROBLEMS.iter().map(|(status, _, _, about)| (*status, *about))
}

/// The response of a problem.
fn problem(status: u16, about: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let seconds = || ObjectBuilder::new().schema_type(Type::Integer).build();
    let response = ResponseBuilder::new().description(about).content(PROBLEM, body);
    match status {
        429 | 503 => response
            .header(
                "Retry-After",
                HeaderBuilder::new().schema(Some(seconds())).description(Some("Seconds")).build(),
            )
            .build(),
        _ => response.build(),
    }
}

/// Adds what every route of its kind has.
fn complete(path: &str, posts: bool, operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        // A problem is told from an answer by its content type.
        let is_problem = |content: &RefOr<utoipa::openapi::Content>| {
            let RefOr::T(content) = content else { return false };
            matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
        };
        if response.content.get("application/json").is_some_and(is_problem)
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
    let takes_credential = path.starts_with("/v1/");
    let is_open = path.starts_with("/ledger/") || OPEN.iter().any(|start| path.starts_with(start));
    // The key of the window stands in the path.
    let is_window = path.starts_with("/w/");
    if !takes_credential && !is_open && !is_window {
        return;
    }
    let required = SecurityRequirement::new(CREDENTIAL, [] as [&str; 0]);
    operation.security = Some(if takes_credential {
        let name = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128));
        let on_behalf_of = ParameterBuilder::new()
            .name("Strongroom-On-Behalf-Of")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "For which member of staff; for credentials that may say so. Only a keyed hash is kept",
            ))
            .schema(Some(name.build()));
        operation.parameters.get_or_insert_default().push(RefOr::T(on_behalf_of.build()));
        vec![required]
    } else if is_window {
        vec![SecurityRequirement::default()]
    } else {
        vec![SecurityRequirement::default(), required]
    });
    for (status, name, who, _) in PROBLEMS {
        let answers = match who {
            Who::Everybody => true,
            Who::Callers => takes_credential,
            Who::Senders => posts,
        };
        if answers {
            let own = operation.responses.responses.entry(status.to_string());
            own.or_insert_with(|| RefOr::Ref(Ref::from_response_name(*name)));
        }
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
