//! A small shop, for people to look at while the demonstration stays up: its pages carry the banner, lead to the notice and to My data, and
//! obey what visitors choose. Two fake trackers on a port of their own wait for a yes.
//!
//! It is a client like any other: what it writes and reads goes over the API, with credentials of the walk-through. Whoever refuses everything
//! can do all that there is to do here.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as InPath, Query, State};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::BodyExt;
use jsonwebtoken::{EncodingKey, Header};
use policy::record::escaped;
use seal::Random;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use super::made_up::{Customer, GOODS};
use super::stage::{Stage, Stop, Who, text};
use crate::desk::{Desk, serve_router};
use crate::ground::Problem;
use crate::ground::random::SystemRandom;
use crate::ground::signers::Signer;

/// What the pages add to the policy of the walk-through.
const MORE: &str = include_str!("shop.toml");
const STYLE: &str = include_str!("shop.css");
/// The shop's id.
const SHOP: &str = "harbour-hill";

/// The policy with what the pages do.
fn policy() -> String {
    let (before, after) =
        ("fields = [\"name\", \"email\", \"phone\"]", "fields = [\"name\", \"email\", \"phone\", \"pages\"]");
    format!("{}{MORE}", super::POLICY.replacen(before, after, 1))
}

/// What the pages are served with.
struct Shop {
    desk: Arc<Desk>,
    window: String,
    intake: String,
    marketing: String,
    customers: Vec<Customer>,
    secret: [u8; 32],
    trackers: SocketAddr,
}

type Here = Arc<Shop>;

/// Opens the shop on two ports of loopback. Gives where it is.
pub(super) async fn open(stage: &Stage) -> Result<SocketAddr, Stop> {
    let text_of = json!({ "text": policy() });
    stage.quietly(Who::Admin, "/v1/policies", &text_of).await?;
    let asked = json!({ "role": "window", "label": "shop-pages", "purposes": [] });
    let made = stage.quietly(Who::Admin, "/v1/credentials", &asked).await?;
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(Problem::from)?;
    stage.desk.house.signers.add(SHOP, Signer::by_secret(&secret)?);
    let (shop_at, trackers) = (free_port().await?, free_port().await?);
    let credential = |who| stage.credential(who).unwrap_or_default().to_owned();
    let shop = Arc::new(Shop {
        desk: Arc::clone(&stage.desk),
        window: text(&made, "/credential").to_owned(),
        intake: credential(Who::Checkout),
        marketing: credential(Who::Marketing),
        // The first was erased in the walk-through.
        customers: stage.customers.iter().skip(1).take(2).cloned().collect(),
        secret,
        trackers,
    });
    tokio::spawn(serve_router(trackers, fake_trackers(), None, 64));
    tokio::spawn(serve_router(shop_at, router(&shop), None, 256));
    Ok(shop_at)
}

/// A port of loopback that is free now.
async fn free_port() -> Result<SocketAddr, Problem> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    Ok(listener.local_addr()?)
}

/// The pages, beside everything that the server answers: as a shop has both behind one name.
fn router(shop: &Here) -> Router {
    let pages = Router::new()
        .route("/", get(front))
        .route("/shop.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .route("/tea/{number}", get(product))
        .route("/basket", get(basket).post(add))
        .route("/order", post(order))
        .route("/account", get(account).post(sign_in))
        .with_state(Arc::clone(shop));
    shop.desk.api().merge(pages)
}

/// Scripts of others, which would count and measure whoever loads them.
fn fake_trackers() -> Router {
    let script =
        |text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, "text/javascript")], text) });
    Router::new()
        .route("/count.js", script("document.cookie = '_count=1; path=/; samesite=lax'; window.counted = true;"))
        .route("/hill.js", script("document.cookie = '_hill=1; path=/; samesite=lax'; localStorage.setItem('hill_seen', '1'); window.measured = true;"))
}

/// What an address asks for.
#[derive(Debug, Deserialize, Default)]
struct Asks {
    #[serde(default)]
    lang: Option<String>,
}

/// A visit: in which language, and what the browser keeps of it.
struct Visit {
    chinese: bool,
    basket: Vec<usize>,
    customer: Option<usize>,
}

impl Visit {
    fn of(asks: &Asks, headers: &HeaderMap, shop: &Shop) -> Visit {
        let accepted =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = asks.lang.as_deref().unwrap_or(accepted);
        let basket = cookie(headers, "basket").unwrap_or_default();
        let basket = basket.split('.').filter_map(|one| one.parse().ok()).filter(|one| *one < GOODS.len());
        let customer = cookie(headers, "account").and_then(|number| number.parse().ok());
        Visit {
            chinese: wanted.starts_with("zh"),
            basket: basket.take(20).collect(),
            customer: customer.filter(|number| *number < shop.customers.len()),
        }
    }

    fn say<'w>(&self, en: &'w str, zh: &'w str) -> &'w str {
        if self.chinese { zh } else { en }
    }

    fn lang(&self) -> &'static str {
        if self.chinese { "zh" } else { "en" }
    }

    fn name_of(&self, number: usize) -> &'static str {
        GOODS.get(number).map_or("", |(english, chinese, _)| if self.chinese { chinese } else { english })
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// A page around what it says. Takes: where it is, for the way to the other language.
fn page(shop: &Shop, visit: &Visit, here: &str, title: &str, html: &str) -> Response<Body> {
    let (lang, other, tag) =
        if visit.chinese { ("zh", ("en", "English"), "zh-CN") } else { ("en", ("zh", "中文"), "en") };
    let (name, basket, mine, notice, settings) = (
        visit.say("Harbour & Hill", "海港与山"),
        visit.say("Basket", "购物车"),
        visit.say("Your account", "我的账户"),
        visit.say("Privacy notice", "隐私政策"),
        visit.say("Privacy settings", "隐私设置"),
    );
    let (count, title, name) = (visit.basket.len(), escaped(title), escaped(name));
    let (key, trackers) = (&shop.window, shop.trackers);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} – {name}</title>\n\
         <link rel=\"stylesheet\" href=\"/shop.css\">\n<link rel=\"stylesheet\" href=\"/strongroom.css\">\n\
         <script src=\"/strongroom.js\" data-key=\"{key}\" defer></script>\n\
         <script type=\"text/plain\" data-purpose=\"statistics\" data-recipient=\"harbour-count\" data-src=\"http://{trackers}/count.js\"></script>\n\
         <script type=\"text/plain\" data-purpose=\"measuring\" data-recipient=\"hill-ads\" data-src=\"http://{trackers}/hill.js\"></script>\n\
         </head>\n<body>\n<header><strong><a href=\"/?lang={lang}\">{name}</a></strong>\
         <a href=\"/basket?lang={lang}\">{basket} ({count})</a><a href=\"/account?lang={lang}\">{mine}</a>\
         <a href=\"{here}?lang={}\" lang=\"{}\">{}</a></header>\n<main>\n<h1>{title}</h1>\n{html}</main>\n\
         <footer><a href=\"/privacy?lang={lang}\">{notice}</a><a href=\"/my?lang={lang}\">{}</a>\
         <button type=\"button\" data-strongroom-open>{settings}</button></footer>\n</body>\n</html>\n",
        other.0,
        other.0,
        other.1,
        visit.say("My data", "我的数据"),
    );
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = format!(
        "default-src 'none'; script-src 'self' http://{trackers}; style-src 'self'; connect-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Somewhere else, with a cookie that the shop cannot do without.
fn go_to(path: &str, visit: &Visit, name: &str, value: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    for (head, value) in
        [(header::LOCATION, format!("{path}?lang={}", visit.lang())), (header::SET_COOKIE, cookie)]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(head, value);
        }
    }
    response
}

async fn front(State(shop): State<Here>, Query(asks): Query<Asks>, headers: HeaderMap) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let bought = bought_by(&shop, visit.customer).await;
    let mut order: Vec<usize> = (0..GOODS.len()).collect();
    if let Some(bought) = &bought {
        // What goes with what was bought: tea with pots and cups, and the other way round.
        let bought_tea = bought.contains(" g") || bought.contains("克");
        order.sort_by_key(|number| (*number < 5) == bought_tea);
    }
    let mut html = String::from("<ul class=\"goods\">\n");
    for number in order {
        let (name, price) = (escaped(visit.name_of(number)), GOODS.get(number).map_or(0, |good| good.2));
        let more = visit.say("Look", "查看");
        // Writing into a string cannot fail.
        let _ = writeln!(
            html,
            "<li><h2>{name}</h2><p class=\"quiet\">¥{price}</p><a href=\"/tea/{number}?lang={}\">{more}</a></li>",
            visit.lang()
        );
    }
    html.push_str("</ul>\n");
    if bought.is_some() {
        let why = visit.say(
            "What stands first goes with what you bought: you allowed that.",
            "排在前面的商品与您买过的相配，这是经您同意的个性化推荐。",
        );
        let _ = writeln!(html, "<p class=\"quiet\">{why}</p>");
    }
    page(&shop, &visit, "/", visit.say("Tea, and what it is drunk from", "茶与茶具"), &html)
}

/// What somebody bought, if the gate lets the shop use it for recommendations.
async fn bought_by(shop: &Shop, customer: Option<usize>) -> Option<String> {
    let customer = shop.customers.get(customer?)?;
    let ask = json!({ "purpose": "recommendations", "subject": { "external_id": customer.id }, "kinds": ["order"] });
    let (status, answer) = ask_api(shop, &shop.marketing, "/v1/records:reveal", &ask).await;
    let items = answer.pointer("/records/0/fields/items").and_then(Json::as_str);
    items.filter(|_| status == 200).map(str::to_owned)
}

/// Asks the API, as the shop's own programs do.
async fn ask_api(shop: &Shop, credential: &str, path: &str, body: &Json) -> (u16, Json) {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {credential}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    let Ok(request) = request else { return (500, Json::Null) };
    let Ok(response) = shop.desk.api().oneshot(request).await;
    let status = response.status().as_u16();
    let body =
        response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (status, serde_json::from_slice(&body).unwrap_or(Json::Null))
}

async fn product(
    State(shop): State<Here>,
    InPath(number): InPath<usize>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let Some(good) = GOODS.get(number) else { return front(State(shop), Query(asks), headers).await };
    let add = visit.say("Put into the basket", "加入购物车");
    let html = format!(
        "<p>¥{}</p>\n<form method=\"post\" action=\"/basket?lang={}\"><input type=\"hidden\" name=\"good\" value=\"{number}\">\
         <button>{add}</button></form>\n",
        good.2,
        visit.lang()
    );
    page(&shop, &visit, &format!("/tea/{number}"), visit.name_of(number), &html)
}

fn field(body: &Bytes, name: &str) -> String {
    let found = form_urlencoded::parse(body).find(|(own, _)| own == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn add(
    State(shop): State<Here>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let good = field(&body, "good").parse::<usize>().ok().filter(|number| *number < GOODS.len());
    let all: Vec<String> =
        visit.basket.iter().copied().chain(good).map(|number| number.to_string()).collect();
    go_to("/basket", &visit, "basket", &all.join("."))
}

async fn basket(State(shop): State<Here>, Query(asks): Query<Asks>, headers: HeaderMap) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let title = visit.say("Basket", "购物车");
    if visit.basket.is_empty() {
        let empty = visit.say("There is nothing in it yet.", "购物车还是空的。");
        return page(&shop, &visit, "/basket", title, &format!("<p>{empty}</p>\n"));
    }
    let mut html = String::from("<ul>\n");
    for number in &visit.basket {
        let _ = writeln!(html, "<li>{}</li>", escaped(visit.name_of(*number)));
    }
    html.push_str("</ul>\n<form method=\"post\" action=\"/order?lang=");
    html.push_str(visit.lang());
    html.push_str("\">\n");
    for (name, label, complete) in [
        ("name", visit.say("Who gets the parcel", "收货人"), "name"),
        ("address", visit.say("Where it goes", "收货地址"), "street-address"),
        ("phone", visit.say("Telephone, for the courier", "手机号码（供快递联系）"), "tel"),
    ] {
        let _ = writeln!(
            html,
            "<label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" required autocomplete=\"{complete}\">"
        );
    }
    let _ = write!(html, "<p><button>{}</button></p>\n</form>\n", visit.say("Order", "提交订单"));
    page(&shop, &visit, "/basket", title, &html)
}

async fn order(
    State(shop): State<Here>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let mut number = [0; 6];
    if SystemRandom::new().fill(&mut number).is_err() || visit.basket.is_empty() {
        return go_to("/basket", &visit, "basket", "");
    }
    let id = seal::base32(&number);
    let price: u32 = visit.basket.iter().filter_map(|number| GOODS.get(*number)).map(|good| good.2).sum();
    let items: Vec<&str> = visit.basket.iter().map(|number| visit.name_of(*number)).collect();
    // Who is not signed in is a guest: a customer who is known by nothing but this order.
    let customer = visit
        .customer
        .and_then(|number| shop.customers.get(number))
        .map_or_else(|| format!("G-{id}"), |known| known.id.clone());
    let guest =
        json!({ "kind": "customer", "external_id": customer, "fields": { "name": field(&body, "name") } });
    let order = json!({ "kind": "order", "external_id": format!("W-{id}"), "subject": { "external_id": customer },
        "fields": { "recipient_name": field(&body, "name"), "address": field(&body, "address"), "phone": field(&body, "phone"),
                    "items": items.join(", "), "amount": format!("{price}.00"), "payment_reference": format!("DEMO-{id}") } });
    let mut status = 200;
    if visit.customer.is_none() {
        status = ask_api(&shop, &shop.intake, "/v1/records", &guest).await.0;
    }
    if status < 300 {
        status = ask_api(&shop, &shop.intake, "/v1/records", &order).await.0;
    }
    let (title, html) = if status < 300 {
        let thanks = visit.say("Thank you. Your parcel is as good as packed.", "谢谢！包裹马上为您打包。");
        (visit.say("Ordered", "订单已提交"), format!("<p>{thanks}</p>\n<p class=\"quiet\">W-{id}</p>\n"))
    } else {
        let wrong = visit.say(
            "Please look at the telephone number and the address once more.",
            "请核对手机号码和收货地址。",
        );
        (
            visit.say("Not yet", "未能提交"),
            format!(
                "<p>{wrong}</p>\n<p><a href=\"/basket?lang={}\">{}</a></p>\n",
                visit.lang(),
                visit.say("Back to the basket", "返回购物车")
            ),
        )
    };
    let empty = Visit { basket: if status < 300 { Vec::new() } else { visit.basket.clone() }, ..visit };
    let mut response = page(&shop, &empty, "/basket", title, &html);
    if status < 300 {
        response
            .headers_mut()
            .insert(header::SET_COOKIE, HeaderValue::from_static("basket=; Path=/; Max-Age=0"));
    }
    response
}

async fn account(State(shop): State<Here>, Query(asks): Query<Asks>, headers: HeaderMap) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let mut html = String::new();
    if let Some(customer) = visit.customer.and_then(|number| shop.customers.get(number)) {
        let _ = writeln!(html, "<p>{}: {}</p>", visit.say("You are", "您是"), escaped(&customer.name));
        let open = visit.say("My data", "我的数据");
        let why = visit.say(
            "What the shop keeps about you, who used it, and what you decide: signed in by a token of the shop’s.",
            "店铺保存的您的信息、谁使用过、您的选择：由店铺签发令牌直接登录。",
        );
        let _ = write!(
            html,
            "<p>{why}</p>\n<form method=\"post\" action=\"/my/enter?lang={}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
             <button>{open}</button></form>\n",
            visit.lang(),
            escaped(&token_for(&shop, customer))
        );
    }
    let choose = visit.say(
        "This shop is a demonstration: choose whom you want to be. They are made up.",
        "这是演示店铺：请选择以哪位顾客的身份登录，顾客都是虚构的。",
    );
    let _ = write!(
        html,
        "<p class=\"quiet\">{choose}</p>\n<form method=\"post\" action=\"/account?lang={}\">\n",
        visit.lang()
    );
    for (number, customer) in shop.customers.iter().enumerate() {
        let _ = writeln!(
            html,
            "<button name=\"customer\" value=\"{number}\">{} {}</button>",
            visit.say("Be", "我是"),
            escaped(&customer.name)
        );
    }
    html.push_str("</form>\n");
    page(&shop, &visit, "/account", visit.say("Your account", "我的账户"), &html)
}

async fn sign_in(
    State(shop): State<Here>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let visit = Visit::of(&asks, &headers, &shop);
    let number =
        field(&body, "customer").parse::<usize>().ok().filter(|number| *number < shop.customers.len());
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    go_to("/account", &visit, "account", &number)
}

/// What the shop's own program signs for a customer: who it is, for which shop, for a minute.
fn token_for(shop: &Shop, customer: &Customer) -> String {
    let now = shop.desk.house.clock.now() / crate::ground::clock::SECOND;
    let claims = json!({ "sub": customer.id, "aud": SHOP, "iat": now, "exp": now + 60, "jti": seal::base32(&random_id()) });
    let key = EncodingKey::from_secret(&shop.secret);
    key.and_then(|key| jsonwebtoken::encode(&Header::default(), &claims, &key)).unwrap_or_default()
}

fn random_id() -> [u8; 16] {
    let mut id = [0; 16];
    // Without randomness the token is one that was used before, and counts for nothing.
    let _ = SystemRandom::new().fill(&mut id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_pages_has_no_errors_and_nothing_unlawful() {
        let (checked, _) = crate::notice::check(&policy(), "shop.toml", crate::cli::check::today())
            .map_err(|fault| fault.0)
            .unwrap();
        drop(checked);
        assert!(policy().contains("\"phone\", \"pages\"]"));
    }
}
