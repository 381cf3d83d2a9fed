//! How a request comes in: who calls, what their role includes, how much they ask, how long the body may be.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams};
use axum::http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Response, header};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{BoxError, Router};
use bytes::Bytes;
use hyper::body::Incoming;
use tower::ServiceExt;

use super::Desk;
use super::metrics::RouteCounters;
use crate::ground::key_holder::watch::{Attending, shut};
use crate::ground::web::{Caller, Handler, Request, Route, Sent, Visit, no_route, read_body};
use crate::ground::work::not_your_role;
use crate::ground::{Actor, Deed, Id, Presented, Problem, Shop};
use crate::{account, answer, collect, erase, law, neighbours, notice, people, reveal};

/// Which door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The API: callers show a credential.
    Public,
    /// The socket in the data folder: who can open it is the operator, unless they show a credential.
    Operator,
}

/// Header that says on whose behalf a caller acts.
const ON_BEHALF_OF: &str = "strongroom-on-behalf-of";
/// Header that names the shop, for the operator of several.
const SHOP: &str = "strongroom-shop";
/// Longest name of a person on whose behalf somebody acts.
const NAME_LIMIT: usize = 128;
/// A body must arrive within this time.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Every route of every room.
pub fn routes() -> Vec<Route> {
    [
        collect::http::routes(),
        collect::unsubscribe::http::routes(),
        collect::window::http::routes(),
        reveal::http::routes(),
        answer::http::routes(),
        erase::http::routes(),
        account::http::routes(),
        notice::http::routes(),
        notice::pages::routes(),
        people::http::routes(),
        people::approval_http::routes(),
        law::http::routes(),
    ]
    .concat()
}

/// The routes of all rooms behind one door.
pub fn api_router(desk: &Arc<Desk>, door: Door) -> Router {
    let all = routes();
    let add = |router: Router, route: &Route| router.route(route.path, method(desk, door, *route, &all));
    all.iter().fold(Router::new(), add)
}

/// What stands behind a door: the router, and beside it the routes that are asked most, found by their whole path. The router
/// would find them too, for a tenth of what such a request costs.
#[derive(Clone)]
pub(super) struct Front {
    router: Router,
    direct: Arc<HashMap<&'static str, Direct>>,
    attending: Option<Arc<Attending>>,
}

/// A POST route without a parameter in its path.
struct Direct {
    desk: Arc<Desk>,
    door: Door,
    route: Route,
    counters: RouteCounters,
}

impl Front {
    /// The router alone.
    pub(super) fn of(router: Router) -> Front {
        Front { router, direct: Arc::default(), attending: None }
    }

    /// The same, as long as the holder of the keyring's key is there.
    pub(super) fn while_attended(mut self, desk: &Desk) -> Front {
        self.attending = Some(Arc::clone(&desk.house.keys.attending));
        self
    }

    /// The routes of all rooms, and a router that has them too.
    pub(super) fn with_rooms(desk: &Arc<Desk>, door: Door, router: Router) -> Front {
        let plain = |route: &Route| route.method == "POST" && !route.path.contains('{');
        let direct = |route: Route| {
            let counters = desk.metrics.route(route.path);
            (route.path, Direct { desk: Arc::clone(desk), door, route, counters })
        };
        let direct = Arc::new(routes().into_iter().filter(plain).map(direct).collect());
        Front { router, direct, attending: None }.while_attended(desk)
    }

    /// Answers a request.
    pub(super) async fn answer(self, request: HttpRequest<Incoming>) -> Result<Response<Body>, Infallible> {
        if let Some(attending) = &self.attending
            && attending.is_shut()
            && !request.uri().path().starts_with("/health/")
        {
            return Ok(shut(attending.fault()).into_response());
        }
        let direct = match *request.method() {
            Method::POST => self.direct.get(request.uri().path()),
            _ => None,
        };
        match direct {
            Some(Direct { desk, door, route, counters }) => {
                Ok(answer(desk, *door, *route, String::new(), request, counters).await)
            }
            None => self.router.oneshot(request.map(Body::new)).await,
        }
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("direct", &self.direct.len()).finish_non_exhaustive()
    }
}

fn method(desk: &Arc<Desk>, door: Door, route: Route, all: &[Route]) -> MethodRouter {
    let filter = match route.method {
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        _ => MethodFilter::GET,
    };
    let counters = desk.metrics.route(route.path);
    let here: Arc<[Route]> = all.iter().filter(|other| other.path == route.path).copied().collect();
    let verbs: Arc<[&str]> = verbs_of(&here).into();
    let desk = Arc::clone(desk);
    on(filter, move |params: Result<RawPathParams, RawPathParamsRejection>, request: HttpRequest<Body>| {
        let (desk, counters) = (Arc::clone(&desk), counters.clone());
        let (here, verbs) = (Arc::clone(&here), Arc::clone(&verbs));
        async move {
            // What is not UTF-8 once its escapes are read names nothing that there is.
            let Ok(params) = params else { return no_route().into_response() };
            let target = target_of(&params);
            if !route.takes(&target, &verbs) {
                return wrong_method_at(&target, &here);
            }
            answer(&desk, door, route, target, request, &counters).await
        }
    })
}

async fn answer<B>(
    desk: &Arc<Desk>,
    door: Door,
    route: Route,
    target: String,
    request: HttpRequest<B>,
    counters: &RouteCounters,
) -> Response<Body>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let began = Instant::now();
    let outcome = enter(desk, door, route, target, request).await;
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    counters.count(response.status().as_u16(), began.elapsed().as_secs_f64());
    response
}

async fn enter<B>(
    desk: &Arc<Desk>,
    door: Door,
    route: Route,
    target: String,
    request: HttpRequest<B>,
) -> Result<Response<Body>, Problem>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (head, body) = request.into_parts();
    let house = Arc::clone(&desk.house);
    if house.store.is_shared() {
        meet(desk, &head.headers).await?;
        if head.method == Method::GET {
            // What is read beside the writer, a log's end among it, is never older here than another server has told it.
            neighbours::see(&desk.house).await?;
        }
    }
    match route.handler {
        Handler::Anybody(handler) => {
            // A credential that is shown must be a valid one; none is needed.
            let shown = head.headers.contains_key(header::AUTHORIZATION) || door == Door::Operator;
            let caller = if shown { Some(who(desk, door, &head.headers)?.0) } else { None };
            match &caller {
                Some(caller) => must_not_ask_too_much(desk, caller)?,
                None if desk.lets_a_stranger() => {}
                None => return Err(too_many_strangers(desk)),
            }
            let body = whole_body(&route, &head.headers, body).await?;
            let query = head.uri.query().unwrap_or_default().to_owned();
            handler(Visit { house, caller, headers: head.headers, target, query, body }).await
        }
        Handler::Pages(handler) => {
            let caller = of_a_page(desk, &target).await?;
            let body = whole_body(&route, &head.headers, body).await?;
            let query = head.uri.query().unwrap_or_default().to_owned();
            handler(Request { house, caller, headers: head.headers, target, query, body }).await
        }
        Handler::Callers(deed, handler) => {
            let caller = let_in(desk, door, deed, &head.headers)?;
            let body = whole_body(&route, &head.headers, body).await?;
            let query = head.uri.query().unwrap_or_default().to_owned();
            handler(Request { house, caller, headers: head.headers, target, query, body }).await
        }
        Handler::Senders(deed, handler) => {
            let caller = let_in(desk, door, deed, &head.headers)?;
            refuse_too_long(&head.headers, route.body_limit)?;
            handler(Sent { house, caller, headers: head.headers, target, body: Body::new(body) }).await
        }
    }
}

async fn whole_body<B>(route: &Route, headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    if route.body_limit == 0 {
        return Ok(Bytes::new());
    }
    refuse_too_long(headers, route.body_limit)?;
    let read = read_body(body, route.body_limit);
    tokio::time::timeout(BODY_TIME, read).await.map_err(|_| too_slow())?
}

/// A page of a shop, by the publishable key that stands in the path.
///
/// Fails: `SR-WINDOW-001` for anything that is no such key here; which it is not, it does not say.
async fn of_a_page(desk: &Desk, key: &str) -> Result<Caller, Problem> {
    let presented = people::read_publishable(&desk.house.ids, key);
    let unknown = || {
        desk.metrics.refused("credential");
        collect::window::no_such_key()
    };
    let Some(presented) = presented else {
        return Err(if desk.lets_a_stranger() { unknown() } else { too_many_strangers(desk) });
    };
    if desk.house.store.is_shared() {
        meet_presented(desk, &presented).await?;
    }
    let (shop, known) = desk.house.shop_of(&presented).ok_or_else(unknown)?;
    if !Deed::TakeChoices.allowed_to(known.role) || known.frozen {
        return Err(unknown());
    }
    let caller = Caller { shop, actor: Actor::Credential(presented) };
    must_not_ask_too_much(desk, &caller)?;
    Ok(caller)
}

/// Another server may have made, or let go on, the credential that is shown a moment ago: what is known here is brought up to date
/// before somebody is turned away by it.
async fn meet(desk: &Desk, headers: &HeaderMap) -> Result<(), Problem> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let text = shown.and_then(|text| text.strip_prefix("Bearer "));
    let Some(presented) = text.and_then(|text| people::read_presented(&desk.house.ids, text.trim())) else {
        return Ok(());
    };
    meet_presented(desk, &presented).await
}

async fn meet_presented(desk: &Desk, presented: &Presented) -> Result<(), Problem> {
    let number = presented.id.number();
    let known = desk.house.shops().iter().find_map(|shop| shop.doors.find(number));
    if known.is_some_and(|door| !door.frozen) {
        return Ok(());
    }
    if known.is_none() && !desk.lets_a_stranger() {
        return Err(too_many_strangers(desk));
    }
    let id = presented.id;
    // Who is revoked or frozen here is so there, too, and costs one read.
    let Some(shop) = desk.house.look(move |view| people::shop_that_lets_in(view, id)).await? else {
        return Ok(());
    };
    neighbours::catch_up(&desk.house, shop).await
}

/// A caller whose role includes the deed, and who does not ask too much. The transaction looks at the role again.
fn let_in(desk: &Desk, door: Door, deed: Deed, headers: &HeaderMap) -> Result<Caller, Problem> {
    let (caller, role) = who(desk, door, headers)?;
    must_not_ask_too_much(desk, &caller)?;
    let may = match role {
        Some(role) => deed.allowed_to(role),
        None => deed.allowed_to_operator(),
    };
    if may {
        Ok(caller)
    } else {
        desk.metrics.refused("role");
        Err(not_your_role())
    }
}

fn must_not_ask_too_much(desk: &Desk, caller: &Caller) -> Result<(), Problem> {
    match &caller.actor {
        Actor::Credential(presented) if !desk.lets_more(presented.id.number()) => {
            desk.metrics.refused("rate");
            Err(Problem::new("SR-HTTP-006", 429, "this credential asks for more than it may").retry_after(1))
        }
        _ => Ok(()),
    }
}

fn too_many_strangers(desk: &Desk) -> Problem {
    desk.metrics.refused("rate");
    Problem::new("SR-HTTP-014", 429, "callers without a credential ask for more than they may together")
        .help("show a credential: then only its own requests are counted")
        .retry_after(1)
}

/// Who calls: by credential, or at the operator's door the operator.
fn who(
    desk: &Desk,
    door: Door,
    headers: &HeaderMap,
) -> Result<(Caller, Option<crate::ground::Role>), Problem> {
    let unknown = || {
        desk.metrics.refused("credential");
        people::unknown()
    };
    let Some(shown) = headers.get(header::AUTHORIZATION) else {
        if door == Door::Public {
            return Err(unknown());
        }
        let name = headers.get(SHOP).and_then(|name| name.to_str().ok());
        let shop = desk.house.shop(name).ok_or_else(which_shop)?;
        return Ok((Caller { shop, actor: Actor::Operator }, None));
    };
    let text = shown.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(unknown)?;
    let (ids, text) = (&desk.house.ids, text.trim());
    // A publishable key is told that it opens nothing here, as any other that lacks the role.
    let presented = people::read_presented(ids, text).or_else(|| people::read_publishable(ids, text));
    let mut presented = presented.ok_or_else(unknown)?;
    let (shop, known) = desk.house.shop_of(&presented).ok_or_else(unknown)?;
    if known.frozen {
        desk.metrics.refused("frozen");
        return Err(people::limits::frozen());
    }
    presented.on_behalf_of = on_behalf_of(headers, &shop, known.for_others)?;
    Ok((Caller { shop, actor: Actor::Credential(presented) }, Some(known.role)))
}

/// A keyed hash of the person on whose behalf somebody acts: entries can be held against a name, and never show it.
fn on_behalf_of(headers: &HeaderMap, shop: &Shop, allowed: bool) -> Result<Option<[u8; 16]>, Problem> {
    let Some(name) = headers.get(ON_BEHALF_OF) else { return Ok(None) };
    if !allowed {
        return Err(Problem::new(
            "SR-PEOPLE-007",
            403,
            "this credential may not say on whose behalf it acts",
        ));
    }
    let name = name.as_bytes();
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(Problem::new("SR-PEOPLE-008", 400, "who is acted for is named in 1 to 128 bytes"));
    }
    Ok(Some(shop.keys.request_hash("staff", &[name])?))
}

fn which_shop() -> Problem {
    Problem::new("SR-OPEN-003", 400, "there is no such shop, or there are several: say which")
        .help("give `--shop NAME`")
}

fn refuse_too_long(headers: &HeaderMap, limit: usize) -> Result<(), Problem> {
    let said =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > limit) { Err(crate::ground::web::too_large(limit)) } else { Ok(()) }
}

fn too_slow() -> Problem {
    Problem::new("SR-HTTP-012", 408, "the body did not arrive within 30 seconds")
}

/// What stands in an address for the parameters of its path.
fn target_of(params: &RawPathParams) -> String {
    params.iter().map(|(_, value)| value).collect::<Vec<_>>().join("/")
}

/// What the addresses of these routes can end in.
fn verbs_of(here: &[Route]) -> Vec<&'static str> {
    here.iter().filter_map(|route| route.verb).collect()
}

/// What is answered where there is something, but not by this method. Where the end of an address decides, `Allow` names
/// what it takes; elsewhere the router does. Takes: all routes of the path.
fn wrong_method_at(target: &str, here: &[Route]) -> Response<Body> {
    let problem = Problem::new("SR-HTTP-013", 405, "there is no such method at this address");
    let mut response = problem.into_response();
    let verbs = verbs_of(here);
    if !verbs.is_empty()
        && let Some(route) = here.iter().find(|route| route.takes(target, &verbs))
    {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(route.method));
    }
    response
}

/// What is answered where nothing is.
pub fn fallbacks(router: Router) -> Router {
    let all: Arc<[Route]> = routes().into();
    router.fallback(|| async { no_route().into_response() }).method_not_allowed_fallback(
        move |matched: Option<MatchedPath>, params: Result<RawPathParams, RawPathParamsRejection>| {
            let all = Arc::clone(&all);
            async move {
                let path = matched.as_ref().map_or("", MatchedPath::as_str);
                let here: Vec<Route> = all.iter().filter(|route| route.path == path).copied().collect();
                wrong_method_at(&params.map(|params| target_of(&params)).unwrap_or_default(), &here)
            }
        },
    )
}
