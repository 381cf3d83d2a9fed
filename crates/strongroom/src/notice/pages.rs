//! What everybody may read: the notice in each of its languages and forms, older versions and what changed, pages to learn from, and the
//! files by which programs find all of that.
//!
//! Every page is made when it is asked for, of the published file and the packs that answer that day; none has a script.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use jiff::Timestamp;
use jiff::civil::Date;
use policy::notice::{
    Edition, Forms, Links, Notice, address_of, differences, page_of, page_with, security_policy,
};
use policy::record::{self, Words, escaped, own_name};
use policy::{Language, learn};
use serde_json::json;

use crate::ground::clock::{DAY, instant};
use crate::ground::house::House;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Route, Visit};
use crate::ground::{InForce, Problem, Shop};

/// What everybody may read.
pub fn routes() -> Vec<Route> {
    vec![
        Route::open("/privacy", |visit| Box::pin(get_notice(visit))),
        Route::open("/privacy.txt", |visit| Box::pin(get_notice_text(visit))),
        Route::open("/privacy.jsonld", |visit| Box::pin(get_notice_data(visit))),
        Route::open("/privacy/versions", |visit| Box::pin(get_versions(visit))),
        Route::open("/privacy/versions/{target}", |visit| Box::pin(get_differences(visit))),
        Route::open("/privacy/learn", |visit| Box::pin(get_lessons(visit))),
        Route::open("/privacy/learn/{target}", |visit| Box::pin(get_lesson(visit))),
        Route::open("/privacy/verify", |visit| Box::pin(super::verify::get_verify(visit))),
        Route::open("/privacy/verify.js", super::verify::get_verify_script),
        Route::open("/.well-known/gpc.json", |visit| Box::pin(get_gpc(visit))),
        Route::open("/.well-known/privacy.json", |visit| Box::pin(get_contact(visit))),
        Route::open("/.well-known/security.txt", |visit| Box::pin(get_security(visit))),
    ]
}

/// How long `security.txt` says that it holds.
const SECURITY_HOLDS: i64 = 180 * DAY;

/// Whose pages are read, and in which language.
pub(crate) struct Reading {
    pub(crate) house: Arc<House>,
    pub(crate) shop: Arc<Shop>,
    pub(crate) policy: Arc<InForce>,
    pub(crate) language: Language,
    /// The shop that the address names, where it does.
    named: Option<String>,
}

impl Reading {
    /// Fails: `SR-NOTICE-007` when there are several shops and the address does not say whose notice it is.
    pub(crate) fn of(visit: &Visit) -> Result<Reading, Problem> {
        let which = visit.parameter("shop")?;
        let shop = visit.house.shop(which).ok_or_else(no_shop)?;
        let policy = shop.policy();
        let wanted = visit.parameter("lang")?.map(str::to_owned);
        let wanted = wanted.or_else(|| preferred(&visit.headers)).unwrap_or_default();
        let language = policy.nearest_language(&wanted).ok_or_else(no_shop)?.clone();
        let (house, named) = (Arc::clone(&visit.house), which.map(str::to_owned));
        Ok(Reading { house, shop, policy, language, named })
    }

    /// A published version; the one in force, if none is asked for.
    async fn version(&self, wanted: Option<&str>) -> Result<Arc<InForce>, Problem> {
        let Some(wanted) = wanted else { return Ok(Arc::clone(&self.policy)) };
        let version: u32 = wanted.parse().map_err(|_| super::http::no_version())?;
        if version == self.policy.version {
            return Ok(Arc::clone(&self.policy));
        }
        let looking = Arc::clone(&self.shop);
        let found = self.house.look(move |view| super::find(view, &looking, version)).await?;
        found.map(Arc::new).ok_or_else(super::http::no_version)
    }

    /// The notice of a version. What is in force is held against the law of today, an older one against that of its own day.
    fn notice(&self, policy: &InForce) -> Result<Notice, Problem> {
        let published = day(policy.at, policy);
        let is_current = policy.version == self.policy.version;
        let on = if is_current { day(self.house.clock.now(), policy) } else { published };
        let said = super::read_again(&policy.text, policy.at).ok_or_else(super::unreadable)?;
        let edition = Edition {
            version: Some(u64::from(policy.version)),
            in_force: Some(published),
            links: Links { asks: self.asks(&self.language), ..Links::default() },
        };
        let shelf = self.house.packs.shelf()?;
        let notice = Notice::of(&said, &self.language, &edition, &shelf.sound(), on);
        notice.ok_or_else(|| {
            Problem::new("SR-NOTICE-008", 404, "this version of the notice has no such language")
        })
    }

    /// What a link asks for, so that whoever follows it stays with this shop, in this language.
    pub(crate) fn asks(&self, language: &Language) -> String {
        let shop = self.named.as_ref().map(|shop| format!("&shop={shop}")).unwrap_or_default();
        format!("?lang={language}{shop}")
    }

    /// A page, with the ways from it: to itself in the shop's other languages, and to the pages beside it.
    ///
    /// Takes: where it is, and what is asked of it besides; its title, as text; what it says, as HTML.
    fn page(&self, here: (&str, &str), title: &str, html: &str) -> Response<Body> {
        let html = format!("{}{html}", self.ways(here));
        page(page_of(self.spoken().tag(), title, &html), Forms::None)
    }

    /// The same for a page of one person's: with forms that are sent to this server, and kept by nobody on the way.
    pub(crate) fn page_of_a_person(&self, here: &str, title: &str, html: &str) -> Response<Body> {
        let html = format!("{}{html}", self.ways((here, "")));
        let mut response = page(page_with(self.spoken().tag(), title, &html, Forms::Own), Forms::Own);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
        response
    }

    /// The ways from a page: to itself in the shop's other languages, and to the pages beside it.
    pub(super) fn ways(&self, (here, besides): (&str, &str)) -> String {
        let to = |path: &str, language: &Language, besides: &str| {
            escaped(&format!("{path}{}{besides}", self.asks(language)))
        };
        let others = self.policy.compiled.shop().languages.iter().filter(|other| **other != self.language);
        let in_other = |other: &Language| {
            let (to, name) = (to(here, other, besides), own_name(other.as_str()));
            format!("<a href=\"{to}\" hreflang=\"{other}\" lang=\"{other}\">{name}</a>")
        };
        let beside = WAYS.iter().filter(|(path, _)| *path != here).map(|(path, name)| {
            format!("<a href=\"{}\">{}</a>", to(path, &self.language, ""), self.say(*name))
        });
        let ways: Vec<String> = others.map(in_other).chain(beside).collect();
        let (label, ways) = (self.say(WHERE_TO), ways.join("\u{a0}· "));
        format!("<nav class=\"notice notice-ways\" aria-label=\"{label}\"><p>{ways}</p></nav>\n")
    }

    /// The shop's name in the language.
    pub(crate) fn shop_name(&self) -> &str {
        self.policy.compiled.shop().name.or_first(self.language.as_str())
    }

    /// The language of the fixed words.
    pub(crate) fn spoken(&self) -> record::Language {
        record::Language::beside(self.language.as_str())
    }

    pub(crate) fn say(&self, words: Words) -> &'static str {
        words.of(self.spoken())
    }
}

fn no_shop() -> Problem {
    Problem::new("SR-NOTICE-007", 404, "there is no such shop, or there are several: say whose notice it is")
        .help("add `?shop=` and the shop's id to the address")
}

fn day(at: i64, policy: &InForce) -> Date {
    Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(policy.compiled.zone().clone()).date()
}

/// The language that a browser likes best. SOURCE: RFC 9110 §12.5.4, without weights: browsers send them in their order.
fn preferred(headers: &HeaderMap) -> Option<String> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    accepted.split(',').next().map(|first| first.split(';').next().unwrap_or_default().trim().to_owned())
}

/// A page: no scripts, in nobody's frame, and nothing tells other sites that somebody came from it.
pub(super) fn page(html: String, forms: Forms) -> Response<Body> {
    let mut response = file(html, "text/html; charset=utf-8");
    let policy = format!("{}; frame-ancestors 'none'", security_policy(forms));
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    response
}

pub(super) fn file(text: String, media: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The notice, as people read it.
#[utoipa::path(get, path = "/privacy", tag = "notice",
    params(("lang" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "The language; the browser's, if it is left out"),
           ("version" = Option<u32>, Query, nullable = false, description = "A published version; the one in force, if it is left out"),
           ("shop" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "Whose notice, where there are several shops")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop, version or language", body = ProblemBody)))]
pub(crate) async fn get_notice(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let version = visit.parameter("version")?;
    let policy = reading.version(version).await?;
    let notice = reading.notice(&policy)?;
    let title = format!("{} – {}", notice.title.plain(), notice.shop_name);
    let besides = version.map(|version| format!("&version={version}")).unwrap_or_default();
    Ok(reading.page(("/privacy", &besides), &title, &notice.to_html_fragment()))
}

/// The notice as text, for where no page can be shown.
#[utoipa::path(get, path = "/privacy.txt", tag = "notice",
    responses((status = 200, description = "The text", body = String, content_type = "text/plain"),
              (status = 404, description = "No such shop, version or language", body = ProblemBody)))]
pub(crate) async fn get_notice_text(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let policy = reading.version(visit.parameter("version")?).await?;
    Ok(file(reading.notice(&policy)?.to_text(), "text/plain; charset=utf-8"))
}

/// The notice for programs: JSON-LD in the terms of the Data Privacy Vocabulary.
#[utoipa::path(get, path = "/privacy.jsonld", tag = "notice",
    responses((status = 200, description = "The notice", body = Object, content_type = "application/ld+json"),
              (status = 404, description = "No such shop, version or language", body = ProblemBody)))]
pub(crate) async fn get_notice_data(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let policy = reading.version(visit.parameter("version")?).await?;
    Ok(file(reading.notice(&policy)?.to_json_ld().to_string(), "application/ld+json"))
}

/// Versions listed at the most.
const LISTED: u32 = 200;

/// All versions of the notice, each with what it changed.
#[utoipa::path(get, path = "/privacy/versions", tag = "notice",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_versions(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let looking = Arc::clone(&reading.shop);
    let versions = reading.house.look(move |view| super::list(view, &looking, LISTED)).await?;
    let (tag, asks, title) = (reading.spoken().tag(), reading.asks(&reading.language), reading.say(VERSIONS));
    let lead = reading.say(if versions.len() == 1 { ONE_VERSION } else { EVERY_VERSION });
    let mut html = format!(
        "<article class=\"notice\" lang=\"{tag}\">\n<header>\n<h1>{title}</h1>\n<p>{lead}</p>\n</header>\n<ul>\n"
    );
    for (version, at, _) in versions {
        let on = day(at, &reading.policy);
        let name = match reading.spoken() {
            record::Language::Zh => format!("第{version}版，自{}起", on.strftime("%Y年%-m月%-d日")),
            record::Language::En => format!("Version {version}, from {}", on.strftime("%-d %B %Y")),
        };
        let to = escaped(&format!("/privacy{asks}&version={version}"));
        // Writing into a string cannot fail.
        let _ = write!(html, "<li><a href=\"{to}\">{name}</a>");
        if let Some(before) = version.checked_sub(1).filter(|before| *before > 0) {
            let to = escaped(&format!("/privacy/versions/{before}-{version}{asks}"));
            let _ = write!(html, " · <a href=\"{to}\">{}</a>", reading.say(CHANGED));
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul>\n</article>\n");
    Ok(reading.page(("/privacy/versions", ""), title, &html))
}

/// What one version of the notice says otherwise than another, word by word.
#[utoipa::path(get, path = "/privacy/versions/{id}", tag = "notice",
    params(("id" = String, Path, description = "Two versions, the older first: `1-2`")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop or versions", body = ProblemBody)))]
pub(crate) async fn get_differences(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let (old, new) = visit.target.split_once('-').ok_or_else(super::http::no_version)?;
    let (old, new) = (reading.version(Some(old)).await?, reading.version(Some(new)).await?);
    let changed = differences(&reading.notice(&old)?, &reading.notice(&new)?);
    let here = format!("/privacy/versions/{}", visit.target);
    Ok(reading.page((&here, ""), &changed.title(), &changed.to_html_fragment()))
}

/// Pages to learn from: what your rights are, and how to look after your data.
#[utoipa::path(get, path = "/privacy/learn", tag = "notice",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_lessons(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let spoken = reading.spoken();
    let asks = reading.asks(&reading.language);
    let html = learn::contents(&learn::pages(spoken), spoken, "/privacy/learn/", &asks);
    std::future::ready(Ok(reading.page(("/privacy/learn", ""), reading.say(LEARN), &html))).await
}

/// One page to learn from.
#[utoipa::path(get, path = "/privacy/learn/{id}", tag = "notice",
    params(("id" = String, Path, description = "Which: `rights`")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such page", body = ProblemBody)))]
pub(crate) async fn get_lesson(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let found = learn::find(&visit.target, reading.spoken(), &reading.asks(&reading.language));
    let found =
        found.ok_or_else(|| Problem::new("SR-NOTICE-009", 404, "there is no such page to learn from"))?;
    let here = format!("/privacy/learn/{}", visit.target);
    std::future::ready(Ok(reading.page((&here, ""), &found.title, &found.to_html_fragment()))).await
}

/// That the shop follows the Global Privacy Control (W3C).
#[utoipa::path(get, path = "/.well-known/gpc.json", tag = "notice",
    responses((status = 200, description = "The statement", body = Object),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_gpc(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let said = json!({ "gpc": true, "lastUpdate": day(reading.policy.at, &reading.policy).to_string() });
    std::future::ready(Ok(file(said.to_string(), "application/json"))).await
}

/// Where programs find whom to ask, the notice in its forms, and the log.
#[utoipa::path(get, path = "/.well-known/privacy.json", tag = "notice",
    responses((status = 200, description = "Where things are", body = Object),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_contact(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let shop = reading.policy.compiled.shop();
    let languages: Vec<&str> = shop.languages.iter().map(Language::as_str).collect();
    // The keys are a JWK Set (RFC 7517) in the middle of it, so that libraries of others take this address as one.
    let verifiers = super::verify::verifiers(&reading.house, &reading.shop)?;
    let keys: Vec<serde_json::Value> = verifiers.iter().map(ledger::jws::jwk).collect();
    let verifiers: Vec<String> = verifiers.iter().map(ToString::to_string).collect();
    let said = json!({
        "verify": "/privacy/verify", "verifier_keys": verifiers, "keys": keys,
        "shop": shop.id, "version": reading.policy.version, "published": instant(reading.policy.at),
        "officer": { "name": shop.officer.name, "contact": shop.officer.contact },
        "languages": languages, "notice": "/privacy", "notice_text": "/privacy.txt", "notice_data": "/privacy.jsonld",
        "versions": "/privacy/versions", "learn": "/privacy/learn", "ledger": "/ledger/checkpoint",
        "openapi": "/openapi.json", "gpc": "/.well-known/gpc.json",
    });
    std::future::ready(Ok(file(said.to_string(), "application/json"))).await
}

/// Whom to tell of a weakness (RFC 9116).
#[utoipa::path(get, path = "/.well-known/security.txt", tag = "notice",
    responses((status = 200, description = "The file", body = String, content_type = "text/plain"),
              (status = 404, description = "No such shop, or its officer is reached neither by e-mail nor on a page", body = ProblemBody)))]
pub(crate) async fn get_security(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let shop = reading.policy.compiled.shop();
    let contact = address_of(&shop.officer.contact).ok_or_else(|| {
        Problem::new("SR-NOTICE-010", 404, "the policy names no address for reports of weaknesses")
            .help("give the officer's contact as an e-mail address, or as a page that begins with https://")
    })?;
    // By the day: two readers of one day get one file.
    let until = reading.house.clock.now().saturating_add(SECURITY_HOLDS).div_euclid(DAY).saturating_mul(DAY);
    let languages: Vec<&str> = shop.languages.iter().map(Language::as_str).collect();
    let said = format!(
        "Contact: {contact}\nExpires: {}\nPreferred-Languages: {}\n",
        instant(until),
        languages.join(", ")
    );
    std::future::ready(Ok(file(said, "text/plain; charset=utf-8"))).await
}

/// The pages beside each other, and what they are called.
const WAYS: [(&str, Words); 6] = [
    ("/privacy", both("Privacy notice", "隐私政策")),
    ("/privacy/versions", both("Versions and what they changed", "历史版本与差异")),
    ("/my", MY),
    ("/privacy/learn", LEARN),
    ("/privacy/verify", both("Check a receipt", "核验回执")),
    ("/privacy.txt", both("As plain text", "纯文本")),
];
const WHERE_TO: Words = both("Languages, and other pages on your data", "语言与相关页面");
const LEARN: Words = both("Good to know", "个人信息保护小知识");

const VERSIONS: Words = both("Versions of the privacy notice", "隐私政策的各个版本");
const ONE_VERSION: Words = both(
    "There is one version so far. Each later one will be listed here, with what it changed.",
    "目前只有一个版本。今后每次更新，旧版本和修改之处都会保留在这里。",
);
const EVERY_VERSION: Words = both(
    "Every version is kept here, with what it changed, word by word.",
    "每一个版本都保留在这里；修改之处逐字标出。",
);
const CHANGED: Words = both("what it changed", "与上一版的差异");

/// What the pages are called on which people see what is their own.
pub(crate) const MY: Words = both("My data", "我的数据");
pub(super) const fn both(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}
