//! The front door: lets callers in, reads bodies, asks the rooms, renders answers, counts.
//!
//! It keeps no data and takes no decision about any. Three doors lead in: the API (TCP, TLS where it is not loopback), the
//! admin door (loopback: metrics, documentation) and the operator's (a socket in the data folder, for commands).

mod docs;
mod enter;
mod health;
mod metrics;
pub mod openapi;
pub mod operator;
mod patience;
mod serve;

pub use enter::{Door, api_router, fallbacks, routes};
pub use metrics::{Metrics, RouteCounters};
pub use serve::{Listening, SOCKET, Server, serve, serve_router, serve_shut};

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use axum::Router;
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::caretaker::{Caretaker, Doing};
use crate::config::LimitsConfig;
use crate::ground::house::House;

/// What the desk works with.
#[derive(Debug)]
pub struct Desk {
    /// The house.
    pub house: Arc<House>,
    /// What the house does by itself.
    pub caretaker: Mutex<Caretaker>,
    /// How that goes.
    pub doing: Arc<Doing>,
    /// What is counted.
    pub metrics: Metrics,
    /// Held while an import runs.
    importing: Mutex<()>,
    limiter: Option<RateLimiter<u64, DashMapStateStore<u64>, DefaultClock>>,
    strangers: Option<DefaultDirectRateLimiter>,
}

impl Desk {
    /// Opens the desk of a house.
    pub fn new(house: Arc<House>, caretaker: Caretaker, limits: &LimitsConfig) -> Arc<Desk> {
        let limiter = quota(limits.requests_per_second, limits.burst).map(RateLimiter::keyed);
        let strangers = quota(limits.anonymous_per_second, limits.anonymous_burst).map(RateLimiter::direct);
        let doing = caretaker.doing();
        let (caretaker, importing) = (Mutex::new(caretaker), Mutex::new(()));
        Arc::new(Desk { house, caretaker, doing, metrics: Metrics::new(), importing, limiter, strangers })
    }

    /// May this credential ask for more now?
    fn lets_more(&self, credential: u64) -> bool {
        self.limiter.as_ref().is_none_or(|limiter| limiter.check_key(&credential).is_ok())
    }

    /// May somebody who shows no credential ask for more now? They share one limit: nothing tells them apart.
    fn lets_a_stranger(&self) -> bool {
        self.strangers.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }

    /// The API, as it is served to callers.
    pub fn api(self: &Arc<Desk>) -> Router {
        fallbacks(api_router(self, Door::Public).merge(health::router(self)).merge(openapi::router()))
    }

    /// The admin door: metrics, documentation, health.
    pub fn admin(self: &Arc<Desk>) -> Router {
        fallbacks(docs::router(self).merge(health::router(self)).merge(openapi::router()))
    }

    /// The operator's door: the API as the operator, and commands.
    pub fn operator(self: &Arc<Desk>) -> Router {
        let api = api_router(self, Door::Operator);
        fallbacks(api.merge(operator::router(self)).merge(health::router(self)).merge(openapi::router()))
    }
}

/// So many a second, and so many at once; `None` for no limit.
fn quota(per_second: u32, burst: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    NonZeroU32::new(per_second).map(|per_second| Quota::per_second(per_second).allow_burst(burst))
}
