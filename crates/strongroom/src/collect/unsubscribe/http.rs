//! Routes of unsubscribing: a link for a mail, its page, and what the page's button or a mail program sends.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::{Page, language_of, show};
use super::{token_of, withdraw};
use crate::choose::{self, Said};
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Answer, Request, Route, Visit, answer, read_json};
use crate::ground::{Deed, Problem};
use crate::keep;
use crate::keep::refs::{SubjectBody, SubjectIn, named_subject, parse_whose};

/// Longest body of a one-click request, bytes.
const BODY: usize = 4 << 10;
/// What a one-click request says. SOURCE: RFC 8058 §3.1.
const ONE_CLICK: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// What there is.
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/choices:unsubscribe-link", Deed::Choose, |request| -> Answer {
            Box::pin(post_unsubscribe_link(request))
        }),
        Route::open("/u/{target}", |visit| -> Answer { Box::pin(get_unsubscribe(visit)) }),
        Route::form("/u/{target}", BODY, |visit| -> Answer { Box::pin(post_unsubscribe(visit)) }),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkIn<'b> {
    #[serde(borrow)]
    subject: SubjectIn<'b>,
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow)]
    origin: Cow<'b, str>,
}

/// For whom a link is, and what it ends.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UnsubscribeLinkIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `LinkIn` reads, for the OpenAPI document")]
pub struct LinkBody {
    /// Whose mail it is.
    subject: SubjectBody,
    /// The purpose that it ends: one that leaves a choice.
    #[schema(example = "marketing_email")]
    purpose: String,
    /// Where this server is reached from outside, without a path.
    #[schema(
        example = "https://privacy.shop.example",
        max_length = 200,
        pattern = "^https://[a-z0-9.-]+(:[0-9]{1,5})?$"
    )]
    origin: String,
}

/// A link, ready for a mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnsubscribeLink {
    /// The link. It tells nothing of anybody, and works until the subject is erased.
    pub url: String,
    /// The two lines for the head of the mail; both have to be signed (DKIM).
    pub headers: [String; 2],
}

/// Make a link by which somebody unsubscribes with one click (RFC 8058). Nothing is kept for it, and nothing entered.
#[utoipa::path(post, path = "/v1/choices:unsubscribe-link", tag = "choices", request_body = LinkBody,
    responses((status = 200, description = "The link, and the lines for the mail", body = UnsubscribeLink),
              (status = 403, description = "The role does not include this", body = ProblemBody),
              (status = 404, description = "No such subject", body = ProblemBody),
              (status = 410, description = "The subject is erased", body = ProblemBody),
              (status = 422, description = "The purpose leaves no choice, or the origin is none", body = ProblemBody)))]
pub(crate) async fn post_unsubscribe_link(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: LinkIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let purpose = policy.compiled.find_purpose(&input.purpose).ok_or_else(choose::unknown_purpose)?;
    choose::may_be_said(purpose, Said::Withdrawn)?;
    if !is_origin(&input.origin) {
        return Err(Problem::new(
            "SR-CHOOSE-009",
            422,
            "this is no origin such as `https://privacy.shop.example`",
        )
        .at("/origin"));
    }
    let whose = parse_whose(&input.subject, None, &caller.shop, &policy, &house.ids)?;
    let looking = std::sync::Arc::clone(&caller.shop);
    let subject = house
        .look(move |view| {
            let subject = named_subject(view, &looking, &whose)?.ok_or_else(keep::error::no_such_subject)?;
            let row = keep::find_subject(view, &looking, subject)?.ok_or_else(keep::error::not_found)?;
            row.key(seal::Class::Main).map(|_| subject).ok_or_else(keep::error::erased)
        })
        .await?;
    let token = token_of(subject, purpose.ordinal, &caller.shop, &house.ids)?;
    let url = format!("{}/u/{token}", input.origin);
    let headers = [
        format!("List-Unsubscribe: <{url}>"),
        format!("List-Unsubscribe-Post: {}={}", ONE_CLICK.0, ONE_CLICK.1),
    ];
    Ok(answer(StatusCode::OK, &UnsubscribeLink { url, headers }))
}

/// `https://`, a host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").filter(|_| text.len() <= 200) else { return false };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    !host.is_empty() && host.bytes().all(plain) && port.is_none_or(is_port)
}

/// The page of a link. It changes nothing, and is the same for every link.
#[utoipa::path(get, path = "/u/{id}", tag = "choices",
    params(("id" = String, Path, description = "The opaque part of a link"),
           ("lang" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "The language; the browser's, if it is left out")),
    responses((status = 200, description = "The page", content_type = "text/html", body = String)))]
pub(crate) async fn get_unsubscribe(visit: Visit) -> Result<Response<Body>, Problem> {
    let language = language_of(visit.parameter("lang")?, &visit.headers);
    std::future::ready(Ok(show(Page::Ask, StatusCode::OK, language))).await
}

/// Unsubscribe. Takes no credential and no cookie; may be sent again; never redirects, and answers the same for every link.
#[utoipa::path(post, path = "/u/{id}", tag = "choices",
    params(("id" = String, Path, description = "The opaque part of a link")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`List-Unsubscribe=One-Click`; as `multipart/form-data` too"),
    responses((status = 200, description = "It is done, as far as there was anything to do", content_type = "text/html", body = String),
              (status = 400, description = "The body says something else: the page that asks", content_type = "text/html", body = String)))]
pub(crate) async fn post_unsubscribe(visit: Visit) -> Result<Response<Body>, Problem> {
    // A link is answered whatever else stands in its address.
    let language = language_of(visit.parameter("lang").ok().flatten(), &visit.headers);
    if !is_one_click(&visit.headers, &visit.body) {
        return Ok(show(Page::Ask, StatusCode::BAD_REQUEST, language));
    }
    withdraw(&visit.house, &visit.target).await?;
    Ok(show(Page::Done, StatusCode::OK, language))
}

/// Does a body say `List-Unsubscribe=One-Click`, in either of the two forms? SOURCE: RFC 8058 §3.2.
fn is_one_click(headers: &HeaderMap, body: &[u8]) -> bool {
    let (name, value) = ONE_CLICK;
    let Ok(body) = std::str::from_utf8(body) else { return false };
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let Some((_, boundary)) = media
        .split_once("boundary=")
        .filter(|_| media.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data")))
    else {
        return body.trim_end().split('&').any(|pair| pair.split_once('=') == Some((name, value)));
    };
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let named = format!("name=\"{name}\"");
    !boundary.is_empty()
        && body.split(&format!("--{boundary}")).any(|part| {
            let Some((head, said)) = part.split_once("\r\n\r\n") else { return false };
            head.contains(&named) && said.trim_end() == value
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn says(media: &'static str, body: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        is_one_click(&headers, body.as_bytes())
    }

    #[test]
    fn one_click_is_said_in_two_forms_and_in_no_other() {
        const FORM: &str = "application/x-www-form-urlencoded";
        const PARTS: &str = "multipart/form-data; boundary=\"b-1\"";
        let part = |name: &str, value: &str| {
            format!("--b-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--b-1--\r\n")
        };
        assert!(says(FORM, "List-Unsubscribe=One-Click"));
        assert!(says(FORM, "a=b&List-Unsubscribe=One-Click\r\n"));
        assert!(says(PARTS, &part("List-Unsubscribe", "One-Click")));
        for body in [
            "",
            "List-Unsubscribe",
            "List-Unsubscribe=",
            "List-Unsubscribe=one-click",
            "x=List-Unsubscribe=One-Click",
        ] {
            assert!(!says(FORM, body), "{body}");
        }
        assert!(
            !says(PARTS, &part("List-Unsubscribe", "Two-Clicks")) && !says(PARTS, &part("x", "One-Click"))
        );
        assert!(!says("multipart/form-data; boundary=", &part("List-Unsubscribe", "One-Click")));
    }

    #[test]
    fn an_origin_has_a_host_and_nothing_behind_it() {
        for origin in ["https://shop.example", "https://privacy.shop.example:8443"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "http://shop.example",
            "https://",
            "https://shop.example/",
            "https://a@b",
            "https://a>\r\nBcc: x",
            "https://a:",
            "https://a:123456",
        ] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
