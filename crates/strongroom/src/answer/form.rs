//! What a form of ours sent.

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::ground::Problem;
use crate::ground::web::Visit;

/// The longest body of a form, bytes.
pub(super) const BODY: usize = 16 << 10;
/// The most fields of one.
const FIELDS: usize = 32;

/// The fields of a form, by name. What people wrote in them is wiped with it.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads it.
    ///
    /// Fails: `SR-ANSWER-001` for what is not sent as a form is, `SR-ANSWER-002` for what a page of another site sends.
    pub(super) fn of(visit: &Visit) -> Result<Form, Problem> {
        must_be_of_our_pages(&visit.headers)?;
        let media = visit.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let media = media.and_then(|media| media.split(';').next()).unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(not_a_form());
        }
        let pairs = form_urlencoded::parse(&visit.body).take(FIELDS.saturating_add(1));
        let fields: Vec<(String, Zeroizing<String>)> =
            pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect();
        if fields.len() > FIELDS {
            return Err(not_a_form());
        }
        Ok(Form(fields))
    }

    /// A field; empty, if it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }
}

/// A page of another site must not act in somebody's name. Browsers say from where a form came; our pages send
/// `no-referrer`, so `Origin` says nothing.
fn must_be_of_our_pages(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        Some(b"cross-site") => Err(Problem::new("SR-ANSWER-002", 403, "a page of another site sent this")
            .help("open the page here, and send it again")),
        _ => Ok(()),
    }
}

/// The problem of what is no form.
pub(super) fn not_a_form() -> Problem {
    Problem::new("SR-ANSWER-001", 422, "this is no form of these pages")
}
