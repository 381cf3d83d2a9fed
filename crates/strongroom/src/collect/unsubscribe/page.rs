//! The two pages behind a link, in Chinese and in English: one asks, one thanks. Neither says anything of anybody.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use policy::notice::{Forms, page_with, security_policy};
use policy::record::{Language, Words};

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Asks.
    Ask,
    /// It is done, as far as there was anything to do.
    Done,
}

const ASK_TITLE: Words = Words { en: "Unsubscribe", zh: "退订" };
const ASK: Words = Words {
    en: "If you no longer want these messages, press the button. Nothing else changes: your account and your orders stay as they are.",
    zh: "如果不想再收到这类消息，请点下面的按钮。其他一切不变，您的账户和订单都不受影响。",
};
const BUTTON: Words = Words { en: "Unsubscribe", zh: "确认退订" };
const DONE_TITLE: Words = Words { en: "You are unsubscribed", zh: "已退订" };
const DONE: Words = Words {
    en: "You will get no more of these messages. You need not do anything else, and you can close this page.",
    zh: "您不会再收到这类消息。无需再做任何操作，可以直接关闭此页。",
};
const CHANGED_MIND: Words = Words {
    en: "Should you want them again, you can say so at any time in your privacy choices with the shop.",
    zh: "如果以后想重新订阅，可随时在店铺的隐私选择中开启。",
};

/// Takes: the tag of a language that was asked for in the address, if one was.
pub(super) fn language_of(asked: Option<&str>, headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
    let first = accepted.and_then(|accepted| accepted.split([',', ';']).next()).map(str::trim);
    Language::beside(asked.or(first).unwrap_or("en"))
}

/// The page.
pub(super) fn show(page: Page, status: StatusCode, language: Language) -> Response<Body> {
    let say = |words: Words| words.of(language);
    let (title, html) = match page {
        Page::Ask => (
            say(ASK_TITLE),
            format!(
                "<p>{}</p>\n<form method=\"post\">\n<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n<p><button type=\"submit\">{}</button></p>\n</form>\n",
                say(ASK),
                say(BUTTON)
            ),
        ),
        Page::Done => (say(DONE_TITLE), format!("<p>{}</p>\n<p>{}</p>\n", say(DONE), say(CHANGED_MIND))),
    };
    let html =
        format!("<article class=\"notice\">\n<header>\n<h1>{title}</h1>\n</header>\n{html}</article>\n");
    let mut response = Response::new(Body::from(page_with(language.tag(), title, &html, Forms::Own)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    let policy = format!("{}; frame-ancestors 'none'", security_policy(Forms::Own));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
