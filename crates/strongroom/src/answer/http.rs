//! Routes of the room: a person's own pages, which work without a script, and one-time codes lent to the shop.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use policy::{CompiledField, Given, Normalise};
use seal::{Personal, Value};
use serde::{Deserialize, Serialize};
use store::Lane;
use utoipa::ToSchema;

use super::codes::{self, Asked, NewCode};
use super::form::{BODY, Form, not_a_form};
use super::sign_ins::{self, How, NewSecret, SignedIn};
use super::{letters, pages};
use crate::choose::{self, ChoiceReceiptBody, NewChoice, Others, Said, Seen, Way};
use crate::collect::draft::Draft;
use crate::collect::window::http::receipts_about;
use crate::collect::write::write;
use crate::ground::clock::{DAY, MINUTE, instant};
use crate::ground::house::House;
use crate::ground::mail::MailAddress;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Answer, Caller, Request, Route, Visit, answer, json_bytes};
use crate::ground::{Actor, Deed, Id, Problem, Shop, SubjectId};
use crate::keep;
use crate::keep::refs::{LeadsTo, leads_to};
use crate::notice::pages::Reading;
use crate::reveal::{self, Sensitive};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::open("/my", |visit| -> Answer { Box::pin(get_my(visit)) }),
        Route::open("/my/data", |visit| -> Answer { Box::pin(get_my_data(visit)) }),
        Route::open("/my/data.json", |visit| -> Answer { Box::pin(get_my_data_file(visit)) }),
        Route::open("/my/choices", |visit| -> Answer { Box::pin(get_my_choices(visit)) }),
        Route::open("/my/uses", |visit| -> Answer { Box::pin(get_my_uses(visit)) }),
        Route::open("/my/receipts", |visit| -> Answer { Box::pin(get_my_receipts(visit)) }),
        Route::form("/my/code", BODY, |visit| -> Answer { Box::pin(post_my_code(visit)) }),
        Route::form("/my/confirm", BODY, |visit| -> Answer { Box::pin(post_my_confirm(visit)) }),
        Route::form("/my/enter", BODY, |visit| -> Answer { Box::pin(post_my_enter(visit)) }),
        Route::form("/my/leave", BODY, |visit| -> Answer { Box::pin(post_my_leave(visit)) }),
        Route::form("/my/data", BODY, |visit| -> Answer { Box::pin(post_my_data(visit)) }),
        Route::form("/my/choices", BODY, |visit| -> Answer { Box::pin(post_my_choice(visit)) }),
        Route::post("/v1/subjects:challenge", Deed::Challenge, |request| Box::pin(post_challenge(request))),
        Route::post("/v1/subjects:confirm", Deed::Challenge, |request| Box::pin(post_confirm(request))),
    ]
}

/// How far back people are shown who used their data: a year, and then some.
const USES_SINCE: i64 = 400 * DAY;

/// Somebody who looks at a page here, signed in or not.
pub(super) struct Visitor {
    pub(super) reading: Reading,
    pub(super) signed_in: Option<SignedIn>,
    pub(super) now: i64,
}

impl Visitor {
    async fn of(visit: &Visit) -> Result<Visitor, Problem> {
        let reading = Reading::of(visit)?;
        let now = reading.house.clock.now();
        let signed_in = match sign_ins::shown(&visit.headers) {
            Some(hash) => {
                let looking = Arc::clone(&reading.shop);
                reading.house.look(move |view| sign_ins::find(view, &looking, &hash, now)).await?
            }
            None => None,
        };
        Ok(Visitor { reading, signed_in, now })
    }

    fn house(&self) -> &Arc<House> {
        &self.reading.house
    }

    fn shop(&self) -> &Arc<Shop> {
        &self.reading.shop
    }

    fn caller_for(&self, subject: SubjectId) -> Caller {
        Caller { shop: Arc::clone(self.shop()), actor: Actor::Subject(subject) }
    }

    /// What can be done to sign in here.
    pub(super) fn can_send_codes(&self) -> bool {
        self.house().post.mailer().is_some() && fields_of_address(self.shop()).next().is_some()
    }

    /// A form that whoever is signed in sent from a page that they were shown.
    fn form(&self, visit: &Visit) -> Result<(Form, SignedIn), Problem> {
        let form = Form::of(visit)?;
        let signed_in = self.signed_in.clone().ok_or_else(not_signed_in)?;
        let mark = signed_in.form_mark(self.shop())?;
        if !seal::same(mark.as_bytes(), form.field("mark").as_bytes()) {
            return Err(not_a_form());
        }
        Ok((form, signed_in))
    }
}

/// The problem of somebody who is not signed in, or not any more.
fn not_signed_in() -> Problem {
    Problem::new("SR-ANSWER-005", 401, "nobody is signed in here, or not any more").help("sign in at `/my`")
}

/// Fields by whose value a person is known to be the one who reads mail at it: e-mail addresses of their own records.
///
/// A record that belongs to another, an order, may name somebody else's address: that of whoever gets the gift.
fn fields_of_address(shop: &Shop) -> impl Iterator<Item = (u8, CompiledField)> + use<> {
    let policy = shop.policy();
    let kinds: Vec<(u8, CompiledField)> = policy
        .compiled
        .kinds()
        .filter(|kind| kind.of().is_none())
        .flat_map(|kind| kind.fields().map(|field| (kind.ordinal(), field.clone())))
        .filter(|(_, field)| field.index.is_some() && field.normaliser.how() == Normalise::Email)
        .collect();
    kinds.into_iter()
}

/// A keyed hash of an address, and the lookups by which people are known who have it.
type Lookups = ([u8; 16], Vec<[u8; 16]>);

/// Lookups of an address, and a keyed hash of it. Gives: `None` for what is no address.
fn lookups_of(shop: &Shop, address: &str) -> Result<Option<Lookups>, Problem> {
    let (mut blinds, mut hash) = (Vec::new(), None);
    for (kind, field) in fields_of_address(shop) {
        let Ok(canonical) = field.canonical(Given::Text(address)) else { return Ok(None) };
        if hash.is_none() {
            hash = Some(shop.keys.request_hash("address", &[canonical.as_bytes()])?);
        }
        let value: Personal<Value> = Personal::new(Value::Text(canonical));
        blinds.push(shop.keys.blind(kind, field.ordinal, &value)?);
    }
    Ok(hash.map(|hash| (hash, blinds)))
}

/// A page for people, with a status.
fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

/// Somewhere else, with cookies.
fn go_to(visitor: &Visitor, path: &str, cookie: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = format!("{path}{}", visitor.reading.asks(&visitor.reading.language));
    // Both are of letters, digits and signs that a header takes.
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What is shown instead of a page when something is not right; what is the server's fault stays a problem for programs.
fn told(visitor: &Visitor, problem: Problem) -> Result<Response<Body>, Problem> {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    if status.is_server_error() {
        return Err(problem);
    }
    let mut response = with_status(pages::of_a_problem(visitor, &problem), status);
    if let Some(seconds) = problem.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// My data: where it begins. Whoever is not signed in is told how to, and whom to write to.
#[utoipa::path(get, path = "/my", tag = "my data",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_my(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    match &visitor.signed_in {
        Some(signed_in) => pages::home(&visitor, signed_in),
        None => Ok(pages::sign_in(&visitor)),
    }
}

/// All that is kept about whoever is signed in.
#[utoipa::path(get, path = "/my/data", tag = "my data",
    responses((status = 200, description = "The page; how to sign in, for everybody else", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_my_data(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let Some(signed_in) = visitor.signed_in.clone() else { return Ok(pages::sign_in(&visitor)) };
    show_data(&visitor, &signed_in).await
}

async fn show_data(visitor: &Visitor, signed_in: &SignedIn) -> Result<Response<Body>, Problem> {
    let caller = visitor.caller_for(signed_in.subject);
    let sensitive = if signed_in.is_confirmed(visitor.now) { Sensitive::Shown } else { Sensitive::Masked };
    let permit = match reveal::reveal_own(visitor.house(), &caller, signed_in.subject, sensitive).await {
        Ok(permit) => permit,
        Err(problem) if problem.code == reveal::nothing_kept().code => {
            return Ok(pages::no_data(visitor));
        }
        Err(problem) => return Err(problem),
    };
    let (looking, subject, now) = (Arc::clone(visitor.shop()), signed_in.subject, visitor.now);
    let chosen = visitor.house().look(move |view| choose::chosen(view, &looking, subject, now)).await?;
    let opened =
        reveal::open(&permit).and_then(|opened| pages::data(visitor, signed_in, &permit, &opened, &chosen));
    reveal::entered(visitor.house(), &caller, &permit, opened).await
}

/// The same as a file for programs.
#[utoipa::path(get, path = "/my/data.json", tag = "my data",
    responses((status = 200, description = "What is kept, as a reveal has it", body = reveal::http::RevealedBody),
              (status = 401, description = "Nobody is signed in", body = ProblemBody),
              (status = 404, description = "Nothing is kept, or no such shop", body = ProblemBody)))]
pub(crate) async fn get_my_data_file(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let signed_in = visitor.signed_in.clone().ok_or_else(not_signed_in)?;
    let caller = visitor.caller_for(signed_in.subject);
    let sensitive = if signed_in.is_confirmed(visitor.now) { Sensitive::Shown } else { Sensitive::Masked };
    let permit = reveal::reveal_own(visitor.house(), &caller, signed_in.subject, sensitive).await?;
    let opened = reveal::open(&permit)
        .and_then(|opened| reveal::render_reveal(&permit, &opened, &visitor.house().ids));
    let bytes = reveal::entered(visitor.house(), &caller, &permit, opened).await?;
    Ok(as_file(json_bytes(StatusCode::OK, bytes), "my-data.json"))
}

fn as_file(mut response: Response<Body>, name: &'static str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// What whoever is signed in chose, and what they can choose.
#[utoipa::path(get, path = "/my/choices", tag = "my data",
    responses((status = 200, description = "The page; how to sign in, for everybody else", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_my_choices(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let Some(signed_in) = visitor.signed_in.clone() else { return Ok(pages::sign_in(&visitor)) };
    show_choices(&visitor, &signed_in).await
}

async fn show_choices(visitor: &Visitor, signed_in: &SignedIn) -> Result<Response<Body>, Problem> {
    let (looking, subject, now) = (Arc::clone(visitor.shop()), signed_in.subject, visitor.now);
    let (chosen, rows) = visitor
        .house()
        .look(move |view| {
            let chosen = choose::chosen(view, &looking, subject, now)?;
            let rows = choose::list_all(view, &looking, subject, chosen.count)?;
            Ok::<_, Problem>((chosen, rows))
        })
        .await?;
    pages::choices(visitor, signed_in, &chosen, &rows)
}

/// Who used what is kept about whoever is signed in, for what, and who got it.
#[utoipa::path(get, path = "/my/uses", tag = "my data",
    responses((status = 200, description = "The page; how to sign in, for everybody else", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_my_uses(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let Some(signed_in) = visitor.signed_in.clone() else { return Ok(pages::sign_in(&visitor)) };
    let caller = visitor.caller_for(signed_in.subject);
    let since = visitor.now.saturating_sub(USES_SINCE);
    let entries = super::entries::about(visitor.house(), &caller, signed_in.subject, since).await?;
    Ok(pages::uses(&visitor, &entries))
}

/// Receipts for what whoever is signed in chose.
#[utoipa::path(get, path = "/my/receipts", tag = "my data",
    responses((status = 200, description = "The receipts", body = MyReceipts),
              (status = 401, description = "Nobody is signed in", body = ProblemBody),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_my_receipts(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let signed_in = visitor.signed_in.clone().ok_or_else(not_signed_in)?;
    let (house, shop) = (visitor.house(), visitor.shop());
    let receipts = receipts_about(house, shop, signed_in.subject, Vec::new()).await?.unwrap_or_default();
    Ok(as_file(answer(StatusCode::OK, &MyReceipts { receipts }), "receipts.json"))
}

/// Receipts.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyReceipts {
    /// One for each purpose about which something was chosen; `strongroom verify` checks them, and so does `/privacy/verify` in a browser.
    #[schema(value_type = Vec<ChoiceReceiptBody>)]
    pub receipts: Vec<ledger::choice::ChoiceReceipt>,
}

/// What a form of these pages sends. (Read field by field; this describes all of them.)
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes what `Form` reads, for the OpenAPI document")]
pub struct MyForm {
    /// The e-mail address that a code goes to.
    email: Option<String>,
    /// Under which id the code is given back.
    id: Option<String>,
    /// The code.
    code: Option<String>,
    /// A token that the shop signed.
    token: Option<String>,
    /// Binds a form to whom it was shown.
    mark: Option<String>,
    /// The record that is corrected.
    record: Option<String>,
    /// Its field.
    field: Option<String>,
    /// What is right.
    value: Option<String>,
    /// The purpose about which is chosen.
    purpose: Option<String>,
    /// `granted`, `refused` or `withdrawn`.
    said: Option<String>,
}

/// Send a code to an address. The answer is the same whether or not anybody is known by it.
#[utoipa::path(post, path = "/my/code", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Where the code is given back", body = String, content_type = "text/html"),
              (status = 403, description = "A page of another site sent it", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody),
              (status = 409, description = "This shop sends no codes", body = String, content_type = "text/html"),
              (status = 422, description = "Not a form, or no address", body = String, content_type = "text/html"),
              (status = 429, description = "Too many codes are asked for", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_code(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    match ask_for_code(&visitor, &visit).await {
        Ok(page) => Ok(page),
        Err(problem) => told(&visitor, problem),
    }
}

async fn ask_for_code(visitor: &Visitor, visit: &Visit) -> Result<Response<Body>, Problem> {
    let form = Form::of(visit)?;
    let caller = Caller { shop: Arc::clone(visitor.shop()), actor: Actor::House };
    let language = visitor.reading.spoken();
    let name =
        visitor.reading.policy.compiled.shop().name.or_first(visitor.reading.language.as_str()).to_owned();
    let sent = send_code(visitor.house(), &caller, form.field("email"), (&name, language)).await?;
    Ok(pages::give_back(visitor, &seal::base32(&sent), false))
}

/// Has a code sent, if somebody is known by the address. Gives the id under which it is given back, in any case.
async fn send_code(
    house: &Arc<House>,
    caller: &Caller,
    address: &str,
    (name, language): (&str, policy::record::Language),
) -> Result<[u8; 16], Problem> {
    let mailer = house.post.mailer().ok_or_else(no_codes)?;
    let to = MailAddress::parse(address).ok_or_else(no_address)?;
    if fields_of_address(&caller.shop).next().is_none() {
        return Err(no_codes());
    }
    let (hash, blinds) = lookups_of(&caller.shop, address)?.ok_or_else(no_address)?;
    let new = Arc::new(NewCode::new()?);
    let asking = Arc::clone(&new);
    let asked = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| codes::ask(&asking, &hash, &blinds, work))
        .await?
        .into_value();
    // ORDER: behind the commit. The letter goes its own way: that it takes time tells nobody anything.
    if asked == Asked::Send {
        mailer.post(letters::with_code(to, name, &new.code, language));
    }
    Ok(new.id)
}

/// The problem of an address that is none.
fn no_address() -> Problem {
    Problem::new("SR-ANSWER-006", 422, "this is no e-mail address").at("/email")
}

/// The problem of a shop that sends no codes.
fn no_codes() -> Problem {
    Problem::new("SR-ANSWER-007", 409, "this shop sends no codes")
        .help("configure `[mail]`, and index an e-mail address in a kind of record that belongs to no other")
}

/// The problem of a code that does not count. Why, nobody is told.
fn wrong_code() -> Problem {
    Problem::new("SR-ANSWER-004", 422, "this code does not count")
        .help("ask for a new one: it counts for ten minutes, and once")
        .at("/code")
}

/// Give a code back: whoever can is signed in.
#[utoipa::path(post, path = "/my/confirm", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Signed in"),
              (status = 403, description = "A page of another site sent it", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody),
              (status = 422, description = "Not a form, or the code does not count", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_confirm(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    let form = match Form::of(&visit) {
        Ok(form) => form,
        Err(problem) => return told(&visitor, problem),
    };
    let Some(id) = id_of(form.field("id")) else { return told(&visitor, not_a_form()) };
    let (code, secret) = (form.field("code").to_owned(), Arc::new(NewSecret::new()?));
    let (code, minted, before) = (plain_digits(&code), Arc::clone(&secret), visitor.signed_in.clone());
    let signed_in = visitor
        .house()
        .work(Lane::High, visitor.shop(), &Actor::House, move |work| {
            let Some(subject) = codes::give_back(&id, &code, work)? else { return Ok(Back::Wrong) };
            if let Some(before) = before.as_ref().filter(|before| before.subject == subject) {
                sign_ins::confirm(before, work)?;
                return Ok(Back::Confirmed);
            }
            sign_ins::begin(subject, &minted, How::Code, work)?;
            Ok(Back::SignedIn)
        })
        .await?
        .into_value();
    Ok(match signed_in {
        Back::Wrong => {
            with_status(pages::give_back(&visitor, form.field("id"), true), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Back::Confirmed => go_to(&visitor, "/my/data", None),
        Back::SignedIn => go_to(&visitor, "/my", Some(&secret.cookie())),
    })
}

/// What a code that was given back did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    Wrong,
    Confirmed,
    SignedIn,
}

fn id_of(text: &str) -> Option<[u8; 16]> {
    seal::from_base32(text).ok()?.as_slice().try_into().ok()
}

/// A code as people type it: with blanks between the digits, perhaps in full width.
fn plain_digits(text: &str) -> String {
    let digit = |sign: char| match sign {
        '0'..='9' => Some(sign),
        '０'..='９' => {
            let number = u32::from(sign).checked_sub(u32::from('０'))?;
            char::from_digit(number, 10)
        }
        _ => None,
    };
    text.chars().filter_map(digit).take(32).collect()
}

/// Sign in by a token that the shop signed (JWT): `sub` is the shop's own id of the person, `aud` the shop's id.
#[utoipa::path(post, path = "/my/enter", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Signed in"),
              (status = 403, description = "A page of another site sent it", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody),
              (status = 422, description = "Not a form, or the token does not count", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_enter(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    match enter(&visitor, &visit).await {
        Ok(response) => Ok(response),
        Err(problem) => told(&visitor, problem),
    }
}

async fn enter(visitor: &Visitor, visit: &Visit) -> Result<Response<Body>, Problem> {
    let form = Form::of(visit)?;
    let wrong = || {
        Problem::new("SR-ANSWER-008", 422, "this token does not count")
            .help("go back to the shop, and come again from there")
    };
    let (house, shop) = (visitor.house(), visitor.shop());
    let id = visitor.reading.policy.compiled.shop().id.as_str().to_owned();
    let signer = house.signers.find(&id).ok_or_else(wrong)?;
    let token = form.field("token");
    let named = signer.names(token, &id, visitor.now).ok_or_else(wrong)?;
    let value = named.map(|id| Value::Text(id.trim().to_owned()));
    let mut blinds = Vec::new();
    for kind in visitor.reading.policy.compiled.kinds().filter(|kind| kind.of().is_none()) {
        blinds.push(shop.keys.blind(kind.ordinal(), keep::types::EXTERNAL_ID, &value)?);
    }
    // A token counts once. SOURCE: RFC 8725 §3.
    let once = shop.keys.request_hash("token", &[token.as_bytes()])?;
    let secret = Arc::new(NewSecret::new()?);
    let minted = Arc::clone(&secret);
    let signed_in = house
        .work(Lane::High, shop, &Actor::House, move |work| {
            if work.tx.kept_answer(&once)?.is_some() {
                return Ok(false);
            }
            // Two kinds of record may give the same id to two people: then it names nobody.
            let LeadsTo::One(subject) = leads_to(work.view(), work.shop, &blinds)? else { return Ok(false) };
            work.tx.keep_answer(&once, work.now, &once, &[])?;
            sign_ins::begin(subject, &minted, How::Token, work)?;
            Ok(true)
        })
        .await?
        .into_value();
    if !signed_in {
        return Err(wrong());
    }
    Ok(go_to(visitor, "/my", Some(&secret.cookie())))
}

/// Sign out.
#[utoipa::path(post, path = "/my/leave", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Signed out"),
              (status = 401, description = "Nobody is signed in", body = String, content_type = "text/html"),
              (status = 403, description = "A page of another site sent it", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody),
              (status = 422, description = "Not a form of these pages", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_leave(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    if let Err(problem) = visitor.form(&visit) {
        return told(&visitor, problem);
    }
    if let Some(hash) = sign_ins::shown(&visit.headers) {
        let shop = visitor.shop();
        visitor.house().work(Lane::High, shop, &Actor::House, move |work| sign_ins::end(&hash, work)).await?;
    }
    Ok(go_to(&visitor, "/my", Some(&sign_ins::no_cookie())))
}

/// Correct a field of what is kept: at once, for whoever has shown just now that it is them.
#[utoipa::path(post, path = "/my/data", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Corrected, and entered"),
              (status = 401, description = "Nobody is signed in", body = String, content_type = "text/html"),
              (status = 403, description = "A page of another site sent it, or they have to show once more that it is them", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop, record or field", body = String, content_type = "text/html"),
              (status = 409, description = "Somebody else is known by this value", body = String, content_type = "text/html"),
              (status = 422, description = "Not a form of these pages, or not a value of the field", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_data(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    match correct(&visitor, &visit).await {
        Ok(response) => Ok(response),
        Err(problem) => told(&visitor, problem),
    }
}

async fn correct(visitor: &Visitor, visit: &Visit) -> Result<Response<Body>, Problem> {
    let (form, signed_in) = visitor.form(visit)?;
    if !signed_in.is_confirmed(visitor.now) {
        return Err(Problem::new(
            "SR-ANSWER-009",
            403,
            "a correction takes a code that was given back just now",
        )
        .help("ask for a code on the page of your data"));
    }
    let absent =
        || Problem::new("SR-ANSWER-010", 404, "there is nothing here that you can correct by yourself");
    let record: crate::ground::RecordId =
        visitor.house().ids.read(form.field("record")).map_err(|_| absent())?;
    if record.subject() != signed_in.subject {
        return Err(absent());
    }
    let policy = visitor.shop().policy();
    let kind = policy.compiled.kind(record.kind()).ok_or_else(absent)?;
    let field =
        kind.find_field(form.field("field")).filter(|field| is_self_declared(field)).ok_or_else(absent)?;
    let mut draft = Draft::new(kind, &policy);
    (draft.record, draft.known_only) = (Some(record), true);
    draft
        .set_cell(field, form.field("value"), visitor.shop())
        .map_err(|fault| keep::refs::value_problem(fault, "/value".to_owned()))?;
    draft.sort();
    let caller = visitor.caller_for(signed_in.subject);
    write(visitor.house(), &caller, draft, None).await?;
    Ok(go_to(visitor, "/my/data", None))
}

/// Can people say by themselves what is right here? What they declared: names, contacts, addresses. What the shop found out, an amount, a
/// payment, takes a look by somebody. LAW: PIPL 46; GDPR Art. 16.
pub(super) fn is_self_declared(field: &CompiledField) -> bool {
    let declared = ["user.contact", "user.name", "user.demographic"];
    declared.iter().any(|key| field.category.is_within(key)) && field.kind != policy::FieldKind::File
}

/// Choose about one purpose.
#[utoipa::path(post, path = "/my/choices", tag = "my data",
    request_body(content = MyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "It stands, and is in the ledger"),
              (status = 401, description = "Nobody is signed in", body = String, content_type = "text/html"),
              (status = 403, description = "A page of another site sent it", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody),
              (status = 422, description = "Not a form of these pages, or no choice that this purpose leaves", body = String, content_type = "text/html")))]
pub(crate) async fn post_my_choice(visit: Visit) -> Result<Response<Body>, Problem> {
    let visitor = Visitor::of(&visit).await?;
    match choose_here(&visitor, &visit).await {
        Ok(response) => Ok(response),
        Err(problem) => told(&visitor, problem),
    }
}

async fn choose_here(visitor: &Visitor, visit: &Visit) -> Result<Response<Body>, Problem> {
    let (form, signed_in) = visitor.form(visit)?;
    let said = match form.field("said") {
        "granted" => Said::Granted,
        "refused" => Said::Refused,
        "withdrawn" => Said::Withdrawn,
        _ => return Err(not_a_form()),
    };
    let policy = visitor.shop().policy();
    let purpose = policy.compiled.find_purpose(form.field("purpose")).ok_or_else(choose::unknown_purpose)?;
    let choice = NewChoice {
        purpose: purpose.ordinal,
        said,
        at: None,
        notice: policy.version,
        language: visitor.reading.language.to_string(),
        way: Way::MyData,
        seen: Seen {
            shown: pages::digest_of(&visitor.reading, purpose),
            variant: "my-data".to_owned(),
            law: String::new(),
        },
    };
    let subject = signed_in.subject;
    let caller = visitor.caller_for(subject);
    visitor
        .house()
        .work(Lane::High, visitor.shop(), &caller.actor, move |work| {
            work.must_be_allowed(Deed::Choose)?;
            work.must_be_its_own(subject)?;
            let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::erased)?;
            let main = row.key(seal::Class::Main).ok_or_else(keep::error::erased)?;
            let key = work.shop.keys.open_key(subject.number(), main)?;
            choose::keep(subject, &key, &choice, Others::Perhaps, work).map(|_| ())
        })
        .await?;
    Ok(go_to(visitor, "/my/choices", None))
}

/// To whom a code is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Challenge)]
#[serde(deny_unknown_fields)]
pub struct ChallengeBody {
    /// The e-mail address.
    #[schema(max_length = 254)]
    email: String,
    /// The language of the letter; the shop's first, if it is left out.
    #[schema(example = "zh", max_length = 35)]
    language: Option<String>,
}

/// A code is on its way, if somebody is known by the address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Challenged)]
pub struct ChallengedBody {
    /// Under which id the code is given back.
    pub challenge: String,
    /// Until when it counts (RFC 3339).
    pub until: String,
}

/// Have a one-time code sent to an address. The answer is the same whether or not anybody is known by it.
#[utoipa::path(post, path = "/v1/subjects:challenge", tag = "subjects", request_body = ChallengeBody,
    responses((status = 200, description = "A code is on its way, if somebody is known by the address", body = ChallengedBody),
              (status = 409, description = "This shop sends no codes", body = ProblemBody),
              (status = 422, description = "Not an address", body = ProblemBody),
              (status = 429, description = "Too many codes are asked for", body = ProblemBody)))]
pub(crate) async fn post_challenge(request: Request) -> Result<Response<Body>, Problem> {
    let input: ChallengeBody = request.json()?;
    let Request { house, caller, .. } = request;
    let policy = caller.shop.policy();
    let language = policy.nearest_language(input.language.as_deref().unwrap_or_default());
    let language = language.map_or("en", policy::Language::as_str);
    let name = policy.compiled.shop().name.or_first(language).to_owned();
    let spoken = policy::record::Language::beside(language);
    let id = send_code(&house, &caller, &input.email, (&name, spoken)).await?;
    let until = instant(house.clock.now().saturating_add(10 * MINUTE));
    Ok(answer(StatusCode::OK, &ChallengedBody { challenge: seal::base32(&id), until }))
}

/// A code that somebody gave to the shop.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Confirmation)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationBody {
    /// As the challenge was answered.
    #[schema(max_length = 64)]
    challenge: String,
    /// The code.
    #[schema(max_length = 64)]
    code: String,
}

/// It is them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Confirmed)]
pub struct ConfirmedBody {
    /// Who it is.
    pub subject: String,
    /// When they showed it (RFC 3339).
    pub at: String,
}

/// Hear who gave a code back. It counts once, for ten minutes; five wrong ones end it.
#[utoipa::path(post, path = "/v1/subjects:confirm", tag = "subjects", request_body = ConfirmationBody,
    responses((status = 200, description = "It is them, and that is in the ledger", body = ConfirmedBody),
              (status = 422, description = "The code does not count", body = ProblemBody)))]
pub(crate) async fn post_confirm(request: Request) -> Result<Response<Body>, Problem> {
    let input: ConfirmationBody = request.json()?;
    let id = id_of(&input.challenge).ok_or_else(wrong_code)?;
    let code = plain_digits(&input.code);
    let Request { house, caller, .. } = request;
    let found = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            let Some(subject) = codes::give_back(&id, &code, work)? else { return Ok(None) };
            codes::enter(subject, ledger::entry::Outcome::Yes, "confirmed", work)?;
            Ok(Some(subject))
        })
        .await?
        .into_value();
    let subject = found.ok_or_else(wrong_code)?;
    let body = ConfirmedBody { subject: house.ids.show(subject), at: instant(house.clock.now()) };
    Ok(answer(StatusCode::OK, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for (typed, read) in
            [("1234 5678", "12345678"), ("１２３４５６７８", "12345678"), ("x", ""), ("12-34", "1234")]
        {
            assert_eq!(plain_digits(typed), read);
        }
        assert_eq!(plain_digits(&"9".repeat(1000)).len(), 32);
    }
}
