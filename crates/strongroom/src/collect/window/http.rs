//! Routes of the window: what to show, what was chosen, and receipts for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use policy::Home;
use policy::record::own_name;
use serde::{Deserialize, Serialize};
use store::Lane;
use utoipa::ToSchema;

use super::snapshot::Snapshot;
use super::standing::{Asking, Stands, last_of, peace_until, stands_in};
use super::visitor;
use super::{Offer, OfferedLook, OfferedPurpose};
use super::{another_choice, from_another_site, not_alone, not_of_this_form, of_a_robot, stale};
use crate::choose::{self, ChoiceReceiptBody, NewChoice, Others, Said, Seen, Way};
use crate::ground::clock::{SECOND, instant};
use crate::ground::house::House;
use crate::ground::problem::ProblemBody;
use crate::ground::random::SystemRandom;
use crate::ground::web::{Answer, Caller, Request, Route, Visit, answer, read_json};
use crate::ground::{ChoiceId, Deed, Id, Problem, Shop, SubjectId};
use crate::keep::{self, Halt, Plan, Planner, Put};

/// Longest body of a choice, bytes.
const BODY: usize = 16 << 10;
/// Ids of choices have so many characters.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 22..=64;

/// What the window answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::show("/w/{target}/init", |request| -> Answer { Box::pin(get_init(request)) }),
        Route::take("/w/{target}/choices", BODY, |request| -> Answer { Box::pin(post_choices(request)) }),
        Route::show("/w/{target}/receipts", |request| -> Answer { Box::pin(get_receipts(request)) }),
        Route::open("/strongroom.js", get_script),
        Route::open("/strongroom-adapters.js", get_adapters),
        Route::open("/strongroom.css", get_style),
    ]
}

/// A file of the window, as it was built.
struct Built {
    bytes: &'static [u8],
    media: &'static str,
}

const SCRIPT: Built = Built {
    bytes: include_bytes!("../../../../../window/dist/strongroom.js"),
    media: "text/javascript; charset=utf-8",
};
const ADAPTERS: Built = Built {
    bytes: include_bytes!("../../../../../window/dist/strongroom-adapters.js"),
    media: "text/javascript; charset=utf-8",
};
const STYLE: Built = Built {
    bytes: include_bytes!("../../../../../window/dist/strongroom.css"),
    media: "text/css; charset=utf-8",
};

/// The answer for a file. Its address stays when it changes, so it is kept for minutes only.
fn file(built: &Built) -> Response<Body> {
    let mut response = Response::new(Body::from(built.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(built.media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-site"));
    response
}

/// The script of the window.
#[utoipa::path(get, path = "/strongroom.js", tag = "window",
    responses((status = 200, description = "The script", content_type = "text/javascript", body = String)))]
pub(crate) fn get_script(_: Visit) -> Answer {
    Box::pin(std::future::ready(Ok(file(&SCRIPT))))
}

/// What the script can do besides: other tools that ask for consent in their own way.
#[utoipa::path(get, path = "/strongroom-adapters.js", tag = "window",
    responses((status = 200, description = "The script", content_type = "text/javascript", body = String)))]
pub(crate) fn get_adapters(_: Visit) -> Answer {
    Box::pin(std::future::ready(Ok(file(&ADAPTERS))))
}

/// The stylesheet of the window.
#[utoipa::path(get, path = "/strongroom.css", tag = "window",
    responses((status = 200, description = "The stylesheet", content_type = "text/css", body = String)))]
pub(crate) fn get_style(_: Visit) -> Answer {
    Box::pin(std::future::ready(Ok(file(&STYLE))))
}

/// What to show on a page, and what stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowShown {
    /// 1.
    pub format: u32,
    /// The shop's name.
    pub shop: String,
    /// The notice.
    pub notice: WindowNotice,
    /// The pack of the law by which it is asked, where that is one.
    #[schema(required)]
    pub law: Option<String>,
    /// Is the banner shown unasked?
    pub ask: bool,
    /// When it will be asked again at the earliest (RFC 3339).
    #[schema(required)]
    pub ask_again_at: Option<String>,
    /// What stands of what was said before, by name of purpose.
    pub choices: BTreeMap<String, bool>,
    /// When the first of them ends (RFC 3339).
    #[schema(required)]
    pub until: Option<String>,
    /// All purposes, in the order in which they are shown.
    pub purposes: Vec<OfferedPurpose>,
    /// The signal of the browser.
    pub gpc: WindowSignal,
    /// Every word of the interface.
    pub texts: BTreeMap<String, String>,
    /// Binds a choice to what this answer shows.
    pub snapshot: String,
    /// The order of the three buttons, by their letters.
    pub variant: String,
    /// How they look, by their letters, where the shop sets that: values of properties of their style.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub look: BTreeMap<String, OfferedLook>,
}

/// The notice that was shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowNotice {
    /// Its version.
    pub version: String,
    /// Of the exact text.
    pub digest: String,
    /// Where it is read.
    pub url: String,
    /// Its language.
    pub language: String,
    /// All languages.
    pub languages: Vec<WindowLanguage>,
}

/// A language of the notice.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowLanguage {
    /// Its tag.
    pub tag: String,
    /// What it calls itself.
    pub name: String,
}

/// What a browser's signal stops.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowSignal {
    /// Was one heard?
    pub heard: bool,
    /// Purposes that it stops.
    pub honoured: Vec<String>,
    /// Those of them to which an earlier yes stands.
    pub conflict: Vec<String>,
}

/// What to show a visitor, and what stands of what they chose. Sets no cookie, enters nothing.
#[utoipa::path(get, path = "/w/{id}/init", tag = "window",
    params(("id" = String, Path, description = "The publishable key, `srp_…`"),
           ("lang" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "The language of the page, a tag of BCP 47"),
           ("gpc" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "`1` where the page's script sees the Global Privacy Control"),
           ("home" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "Where the visitor lives, if the page knows: `cn`, `us-ca`")),
    responses((status = 200, description = "What to show", body = WindowShown),
              (status = 404, description = "No such key", body = ProblemBody)))]
pub(crate) async fn get_init(request: Request) -> Result<Response<Body>, Problem> {
    let shop = Arc::clone(&request.caller.shop);
    let policy = shop.policy();
    let wanted = request.parameter("lang")?.unwrap_or_default();
    let home = request.parameter("home")?.and_then(Home::parse).unwrap_or_default();
    let offer = Offer::of(&policy, wanted, home);
    let heard = visitor::signals(&request.headers) || request.parameter("gpc")? == Some("1");
    let Met { stands, asking } = meet(&request.house, &shop, &request.headers, &offer).await?;
    let now = request.house.clock.now();

    let in_spite = |purpose: &OfferedPurpose| stands.in_spite.contains(&purpose.name);
    let honoured: Vec<String> = if heard {
        offer.sold().filter(|purpose| !in_spite(purpose)).map(|purpose| purpose.name.clone()).collect()
    } else {
        Vec::new()
    };
    let choices = stands.offered(&offer);
    let until = stands.until(&offer).map(instant);
    let ask_again_at = match asking {
        Asking::Now => None,
        Asking::Later(at) => at.map(instant),
    };
    let conflict = honoured.iter().filter(|name| choices.get(*name) == Some(&true)).cloned().collect();
    let snapshot = Snapshot {
        version: policy.version,
        language: offer.language.clone(),
        variant: offer.variant.clone(),
        home: home.to_string(),
        heard,
        digest: offer.digest.clone(),
        at: now.div_euclid(SECOND),
    };
    let snapshot = snapshot.sign(&request.target, &shop.keys)?;
    let languages = policy.compiled.shop().languages.iter();
    let body = WindowShown {
        format: 1,
        shop: offer.shop,
        notice: WindowNotice {
            version: policy.version.to_string(),
            digest: format!("sha256:{}", offer.digest),
            url: format!("/privacy?lang={}", offer.language),
            language: offer.language,
            languages: languages
                .map(|tag| WindowLanguage { tag: tag.to_string(), name: own_name(tag.as_str()).to_owned() })
                .collect(),
        },
        law: offer.law,
        ask: asking == Asking::Now && !heard && !visitor::is_robot(&request.headers),
        ask_again_at,
        choices,
        until,
        purposes: offer.purposes,
        gpc: WindowSignal { heard, honoured, conflict },
        texts: offer.texts,
        snapshot,
        variant: offer.variant,
        look: offer.look,
    };
    Ok(for_this_visitor(answer(StatusCode::OK, &body)))
}

/// An answer that is for nobody else.
fn for_this_visitor(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Cookie, Origin, Sec-GPC"));
    response
}

/// What stands, and when they are asked.
struct Met {
    stands: Stands,
    asking: Asking,
}

/// What stands for whoever sends these headers. It reads packs too, so it is done where files may be read.
async fn meet(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    headers: &HeaderMap,
    offer: &Offer,
) -> Result<Met, Problem> {
    let subject = visitor::who(headers, shop, &house.ids)?;
    let (looking, offer, packs) = (Arc::clone(shop), offer.clone(), Arc::clone(&house.packs));
    let now = house.clock.now();
    house
        .look(move |view| {
            let stands = match subject {
                Some(subject) => stands_in(view, &looking, subject, now)?,
                None => Stands::default(),
            };
            let (policy, law) = (looking.policy(), offer.law.as_deref());
            // Packs that cannot be read ask nobody again.
            let peace = |purpose: &OfferedPurpose, said_at: i64| {
                peace_until(purpose, said_at, (&policy, &packs), law, now).ok().flatten()
            };
            let asking = stands.asking(&offer, now, peace);
            Ok(Met { stands, asking })
        })
        .await
}

/// What somebody chose on a page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowChoices {
    /// At least 128 random bits: the same id is one choice.
    #[schema(min_length = 22, max_length = 64, pattern = "^[A-Za-z0-9_-]*$")]
    id: String,
    /// As `init` gave it.
    #[schema(max_length = 2048)]
    snapshot: String,
    /// By name of purpose: true for yes.
    choices: BTreeMap<String, bool>,
    /// Where it was chosen.
    source: WindowSource,
    /// The order of the buttons, as it was shown.
    variant: String,
    /// The language, as it was shown.
    language: String,
    /// The device's clock, RFC 3339: a claim, which decides nothing.
    claimed_at: String,
    /// What a caller without cookies was given last. Nothing goes by it yet.
    #[serde(rename = "standing", default)]
    #[schema(rename = "standing", max_length = 4096)]
    _standing: Option<String>,
}

/// Where somebody chose on a page.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowSource {
    /// The first layer.
    Banner,
    /// The settings.
    Preferences,
    /// The confirmation of a signal, or a yes in spite of it.
    Signal,
}

/// What stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowSaved {
    /// By name of purpose.
    pub choices: BTreeMap<String, bool>,
    /// Where receipts for it are, for whoever sent it.
    pub receipt_url: String,
    /// When the first of them ends (RFC 3339).
    #[schema(required)]
    pub until: Option<String>,
    /// What the cookie `sr` holds.
    pub standing: String,
}

/// Take what a visitor chose. Answered once it is in the ledger; sets the cookies by which the choice is known again.
#[utoipa::path(post, path = "/w/{id}/choices", tag = "window", request_body = WindowChoices,
    params(("id" = String, Path, description = "The publishable key, `srp_…`")),
    responses((status = 200, description = "Kept, or kept before under this id", body = WindowSaved),
              (status = 403, description = "A robot, or a page of another site", body = ProblemBody),
              (status = 404, description = "No such key", body = ProblemBody),
              (status = 409, description = "Something else is shown by now", body = ProblemBody),
              (status = 415, description = "Not `application/json`", body = ProblemBody),
              (status = 422, description = "No choice among what was shown", body = ProblemBody)))]
pub(crate) async fn post_choices(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, headers, target, body, .. } = request;
    if headers.get(header::CONTENT_TYPE).is_none_or(|media| media.as_bytes() != b"application/json") {
        return Err(Problem::new("SR-WINDOW-010", 415, "a choice is sent as `application/json`"));
    }
    if visitor::is_from_another_site(&headers) {
        return Err(from_another_site());
    }
    if visitor::is_robot(&headers) {
        return Err(of_a_robot());
    }
    let said: WindowChoices = read_json(&body)?;
    let asked = Asked::of(&said, &house, &caller, &target, &body)?;
    let mut visitor = visitor::who(&headers, &caller.shop, &house.ids)?;
    // A visitor whose choices were erased begins anew, once.
    let subject = loop {
        match keep_choices(&house, &caller, &asked, visitor).await {
            Err(problem) if visitor.is_some() && problem.code == keep::error::erased().code => visitor = None,
            kept => break kept?,
        }
    };
    let (looking, now) = (Arc::clone(&caller.shop), house.clock.now());
    let stands = house.look(move |view| stands_in(view, &looking, subject, now)).await?;
    let offer = &asked.offer;
    let (choices, until) = (stands.offered(offer), stands.until(offer));
    let standing = visitor::standing(asked.version, &choices);
    let saved = WindowSaved {
        receipt_url: format!("/w/{target}/receipts"),
        until: until.map(instant),
        standing: standing.clone(),
        choices,
    };
    let mut response = for_this_visitor(answer(StatusCode::OK, &saved));
    let stands = &saved.choices;
    let may = |purpose: &OfferedPurpose| {
        stands.get(&purpose.name).copied().unwrap_or(purpose.kind != "consent" && purpose.kind != "separate")
    };
    let cookies = |purpose: &'_ OfferedPurpose| purpose.cookies.clone();
    let gone: Vec<String> = offer
        .purposes
        .iter()
        .filter(|purpose| stands.get(&purpose.name) == Some(&false))
        .flat_map(cookies)
        .collect();
    let left: Vec<String> = offer.purposes.iter().filter(|purpose| may(purpose)).flat_map(cookies).collect();
    let known = visitor::known_by(subject, &caller.shop, &house.ids)?;
    let set = [visitor::stands(&standing, until.map(|end| end.saturating_sub(now))), known]
        .into_iter()
        .chain(visitor::cleared(&headers, &gone, &left));
    for cookie in set {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

/// Choices as they are to be kept: all that can be wrong with them by themselves was looked at.
struct Asked {
    offer: Offer,
    version: u32,
    choices: Vec<NewChoice>,
    /// Under which id the answer is kept, and what was asked.
    repeat: ([u8; 16], [u8; 16]),
}

impl Asked {
    /// Takes: what was said, to the page of this key, and the body that says it. Fails: as docs/spec/window.md says.
    fn of(
        said: &WindowChoices,
        house: &House,
        caller: &Caller,
        page: &str,
        body: &[u8],
    ) -> Result<Asked, Problem> {
        let (shop, policy) = (&caller.shop, caller.shop.policy());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !ID_LENGTH.contains(&said.id.len()) || !said.id.bytes().all(plain) {
            return Err(not_of_this_form().at("/id"));
        }
        if said.claimed_at.parse::<jiff::Timestamp>().is_err() {
            return Err(not_of_this_form().at("/claimed_at"));
        }
        let shown = Snapshot::open(&said.snapshot, page, &shop.keys, house.clock.now())?;
        let home = Home::parse(&shown.home).unwrap_or_default();
        let offer = Offer::of(&policy, &shown.language, home);
        if shown.version != policy.version || shown.digest != offer.digest {
            return Err(stale());
        }
        if said.variant != shown.variant {
            return Err(not_of_this_form().at("/variant"));
        }
        if said.language != shown.language {
            return Err(not_of_this_form().at("/language"));
        }
        let named: Option<Vec<(&OfferedPurpose, bool)>> = said
            .choices
            .iter()
            .map(|(name, yes)| Some((offer.find(name).filter(|purpose| purpose.is_choice())?, *yes)))
            .collect();
        let named = named.filter(|named| !named.is_empty());
        let named = named.ok_or_else(|| not_of_this_form().at("/choices"))?;
        // LAW: PIPL 23, 29, 39: a separate consent is one of its own.
        if named.len() > 1 && named.iter().any(|(purpose, yes)| *yes && purpose.kind == "separate") {
            return Err(not_alone());
        }
        let way = match said.source {
            WindowSource::Banner => Way::Banner,
            WindowSource::Preferences => Way::Preferences,
            WindowSource::Signal => Way::Signal,
        };
        // LAW: Cal. Code Regs. 11 § 7025(c): a signal stands until somebody says otherwise who knows of it.
        let is_stopped = |purpose: &OfferedPurpose| shown.heard && purpose.is_sold && way != Way::Signal;
        let seen = Seen {
            shown: shown.digest.clone(),
            variant: shown.variant.clone(),
            law: offer.law.clone().unwrap_or_default(),
        };
        let choices = named
            .iter()
            .map(|(purpose, yes)| NewChoice {
                purpose: purpose.ordinal,
                said: if *yes && !is_stopped(purpose) { Said::Granted } else { Said::Refused },
                at: None,
                notice: shown.version,
                language: shown.language.clone(),
                way,
                seen: seen.clone(),
            })
            .collect();
        let id = shop.keys.request_hash("window", &[page.as_bytes(), said.id.as_bytes()])?;
        let asked = shop.keys.request_hash("window-body", &[body])?;
        Ok(Asked { version: policy.version, offer, choices, repeat: (id, asked) })
    }
}

/// Times that a new visitor is planned again because a policy was published or keys were changed meanwhile.
const TRIES: usize = 8;

async fn keep_choices(
    house: &Arc<House>,
    caller: &Caller,
    asked: &Asked,
    visitor: Option<SubjectId>,
) -> Result<SubjectId, Problem> {
    for _ in 0..TRIES {
        let plan = match visitor {
            Some(_) => None,
            None => Some(Arc::new(plan_visitor(house, &caller.shop).await?)),
        };
        let (choices, (id, request)) = (asked.choices.clone(), asked.repeat);
        let committed = house
            .work(Lane::High, &caller.shop, &caller.actor, move |work| {
                work.must_be_allowed(Deed::TakeChoices)?;
                if let Some(kept) = work.tx.kept_answer(&id)? {
                    if !seal::same(&kept.request, &request) {
                        return Err(another_choice());
                    }
                    // What is kept for it is the number of whoever chose.
                    let number = kept.answer.as_slice().try_into().map(u64::from_be_bytes);
                    let number = number.map_err(|_| Problem::edited("idempotency"))?;
                    return Ok(Some(SubjectId::from_number(number)));
                }
                let (subject, key, others) = match (&plan, visitor) {
                    (Some(plan), _) => {
                        if !keep::is_fresh(plan, 0, work)? || keep::put(plan, work)? == Put::Stale {
                            return Ok(None);
                        }
                        (plan.subject, Arc::clone(&plan.marking_key), Others::None)
                    }
                    (None, Some(subject)) => {
                        let row = keep::find_subject(work.tx, work.shop, subject)?;
                        let row = row.ok_or_else(keep::error::erased)?;
                        let main = row.key(seal::Class::Main).ok_or_else(keep::error::erased)?;
                        let key = work.shop.keys.open_key(subject.number(), main)?;
                        (subject, key, Others::Perhaps)
                    }
                    (None, None) => return Ok(None),
                };
                let before = choose::chosen(work.view(), work.shop, subject, work.now)?;
                let mut is_new = false;
                for choice in &choices {
                    let mut choice = choice.clone();
                    // A no to what was allowed is a withdrawal, and is told as that.
                    if choice.said == Said::Refused && before.granted.has(choice.purpose) {
                        choice.said = Said::Withdrawn;
                    }
                    is_new |= choose::keep(subject, &key, &choice, others, work)?.is_some();
                }
                // Who says what stands already says nothing, and may say it again.
                if is_new {
                    work.tx.keep_answer(&id, work.now, &request, &subject.number().to_be_bytes())?;
                }
                Ok(Some(subject))
            })
            .await;
        match committed.map(store::Committed::into_value) {
            Ok(Some(subject)) => return Ok(subject),
            Ok(None) => {}
            Err(problem) if problem.code == keep::error::MOVED => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(keep::error::too_busy())
}

/// A plan that makes a subject of whom nothing is known.
async fn plan_visitor(house: &Arc<House>, shop: &Arc<Shop>) -> Result<Plan, Problem> {
    for _ in 0..TRIES {
        let (policy, random) = (shop.policy(), &mut SystemRandom::new());
        let nothing = crate::ground::Chosen::default();
        let planner = Planner::for_new_subject(house, shop, &policy, nothing, house.clock.now(), random);
        match planner.and_then(Planner::finish) {
            Ok(plan) => return Ok(plan),
            Err(Halt::Empty(empty)) => house.refill(empty.0).await?,
            Err(Halt::Problem(problem)) => return Err(problem),
        }
    }
    Err(keep::error::too_busy())
}

/// Receipts of what somebody chose.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowReceipts {
    /// One for each choice; `strongroom verify` checks them, and so does `/privacy/verify` in a browser.
    #[schema(value_type = Vec<ChoiceReceiptBody>)]
    pub receipts: Vec<ledger::choice::ChoiceReceipt>,
}

/// Receipts for what stands of somebody's choices, or for some of them. Whose, the cookie says that came with the choice.
#[utoipa::path(get, path = "/w/{id}/receipts", tag = "window",
    params(("id" = String, Path, description = "The publishable key, `srp_…`"),
           ("of" = Option<String>, Query, nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_.:-]*$", description = "Public ids of up to four choices, with `.` between them; if it is left out, those that stand")),
    responses((status = 200, description = "The receipts", body = WindowReceipts),
              (status = 404, description = "No such key, or nobody who sends this cookie made such choices", body = ProblemBody)))]
pub(crate) async fn get_receipts(request: Request) -> Result<Response<Body>, Problem> {
    let nothing = || Problem::new("SR-WINDOW-009", 404, "this browser has made no such choice");
    let (house, shop) = (&request.house, &request.caller.shop);
    let wanted: Option<Vec<ChoiceId>> = match request.parameter("of")? {
        None => Some(Vec::new()),
        Some(of) => of.split('.').map(|id| house.ids.read(id).ok()).collect(),
    };
    let visitor = visitor::who(&request.headers, shop, &house.ids)?;
    let (Some(wanted), Some(subject)) = (wanted, visitor) else { return Err(nothing()) };
    let receipts = receipts_about(house, shop, subject, wanted).await?.ok_or_else(nothing)?;
    let mut response = for_this_visitor(answer(StatusCode::OK, &WindowReceipts { receipts }));
    let file = HeaderValue::from_static("attachment; filename=\"receipts.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    Ok(response)
}

/// Receipts for these choices of a subject; for those that stand, if none are named. Gives: `None` where there are none.
pub(crate) async fn receipts_about(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    subject: SubjectId,
    wanted: Vec<ChoiceId>,
) -> Result<Option<Vec<ledger::choice::ChoiceReceipt>>, Problem> {
    let (looking, now) = (Arc::clone(shop), house.clock.now());
    let (rows, key) = house
        .look(move |view| {
            let chosen = choose::chosen(view, &looking, subject, now)?;
            let mut rows = choose::list_all(view, &looking, subject, chosen.count)?;
            if wanted.is_empty() {
                rows = last_of(rows).into_values().collect();
            } else {
                rows.retain(|row| wanted.contains(&row.id));
            }
            Ok::<_, Problem>((rows, keep::find_subject(view, &looking, subject)?))
        })
        .await?;
    let row = key.filter(|_| !rows.is_empty());
    let Some(main) = row.as_ref().and_then(|row| row.key(seal::Class::Main)) else { return Ok(None) };
    let key = shop.keys.open_key(subject.number(), main)?;
    let receipts = choose::receipts(house, shop, (subject, &key), &rows).await?;
    Ok(Some(receipts).filter(|receipts| !receipts.is_empty()))
}
