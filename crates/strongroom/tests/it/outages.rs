//! The house over PostgreSQL's faults, as its callers live through them: servers that die, stand still, are slow, full or away.
//!
//! Each test has servers of its own, and so runs once, with the run for folders.

#![cfg(test)]

mod away;
mod failover;
mod migration;
mod paused;
mod stopped;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use testbed::{Answer, Load, Verdict};

use crate::vault::{Caller, Server, Vault, customer};

/// Records that are written with one request.
const ITEMS: u64 = 25;
/// A caller that does not know what became of a request asks again for so long.
const ASKING: Duration = Duration::from_secs(20);

/// Is this the run that has these tests?
fn is_elsewhere() -> bool {
    crate::engine::only_in_a_folder("a test with servers of its own runs once, with the run for folders")
}

/// Callers that write customers, batch by batch, and note what they were told.
struct Writing {
    load: Load,
    sent: Arc<Mutex<Vec<u64>>>,
    /// What parts its numbers from those of others that write at the same time.
    shift: u64,
}

/// The number of a customer: the writers' numbers lie 2³² apart.
fn number_of(batch: u64, item: u64) -> u64 {
    let (writer, place) = (batch >> 32, batch & 0xffff_ffff);
    (writer * 1_000_000 + place) * ITEMS + item
}

fn batch_of(batch: u64) -> Json {
    let items: Vec<Json> = (0..ITEMS).map(|item| customer(number_of(batch, item))).collect();
    json!({ "items": items })
}

impl Writing {
    /// So many callers of a server.
    fn start(callers: u64, server: &Server, credential: &str) -> Writing {
        Writing::among(0, callers, server, credential)
    }

    /// The same beside other callers: which of them it is.
    fn among(which: u64, callers: u64, server: &Server, credential: &str) -> Writing {
        let (to, shift) = (server.api, (which * callers) << 32);
        let (credential, sent) = (credential.to_owned(), Arc::<Mutex<Vec<u64>>>::default());
        let noting = Arc::clone(&sent);
        let load = Load::start(callers, move |_| {
            let (credential, noting) = (credential.clone(), Arc::clone(&noting));
            let mut caller = None;
            move |batch| {
                noting.lock().unwrap().push(batch);
                write(&mut caller, to, &credential, batch + shift)
            }
        });
        Writing { load, sent, shift }
    }

    /// Ends it, and holds what they were told against what the house says is there.
    #[track_caller]
    fn end(self, server: &Server, officer: &str) -> Verdict {
        let tally = self.load.stop();
        let sent: Vec<u64> = self.sent.lock().unwrap().iter().map(|batch| batch + self.shift).collect();
        let there = found(server, officer, &sent);
        tally.judge(there.into_iter().map(|batch| batch - self.shift))
    }

    /// Waits until so many more customers were acknowledged.
    #[track_caller]
    fn wait_for(&self, customers: u64, within: Duration) {
        self.load.wait_for(customers.div_ceil(ITEMS), within);
    }
}

/// Writes one batch, and asks again under the same key as long as what became of it is not known.
fn write(caller: &mut Option<Caller>, to: SocketAddr, credential: &str, batch: u64) -> Answer {
    let key = format!("content-type: application/json\r\nidempotency-key: batch-{batch}\r\n");
    let body = batch_of(batch).to_string();
    let began = Instant::now();
    let mut asked = false;
    while began.elapsed() < ASKING {
        if caller.is_none() {
            *caller = Caller::connect(to, credential).ok();
        }
        let answered =
            caller.as_mut().map(|caller| caller.send("POST", "/v1/records:batch", &key, body.as_bytes()));
        match answered {
            Some(Ok(answer)) if answer.status == 200 => {
                let told = answer.json();
                if told["written"] == ITEMS {
                    return Answer::Acked;
                }
                // Each item is answered for itself: a batch of which some were refused is there in part.
                assert!(told["results"].as_array().unwrap().iter().all(|one| one["status"] != 500), "{told}");
                asked = true;
            }
            Some(Ok(answer)) => {
                assert!(matches!(answer.status, 503 | 507), "{} {}", answer.status, answer.text());
                assert!(answer.status == 507 || answer.head.contains("retry-after:"), "{}", answer.head);
                if !asked && answer.json()["code"] != "SR-STORE-022" {
                    pause(100);
                    return Answer::Refused;
                }
                asked = true;
            }
            Some(Err(_)) => {
                *caller = None;
                asked = true;
            }
            None if !asked => {
                pause(100);
                return Answer::Refused;
            }
            None => {}
        }
        pause(200);
    }
    Answer::Unknown
}

/// Lets so many milliseconds pass: what is waited for happens in another process.
fn pause(milliseconds: u64) {
    let until = Instant::now() + Duration::from_millis(milliseconds);
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
}

/// Which of these batches are there, as the house itself says: all of it.
#[track_caller]
fn found(server: &Server, officer: &str, batches: &[u64]) -> Vec<u64> {
    let parts: Vec<&[u64]> = batches.chunks(batches.len().div_ceil(4).max(1)).collect();
    std::thread::scope(|scope| {
        let looking = parts.into_iter().map(|part| {
            scope.spawn(move || {
                let mut officer = server.caller(officer);
                let mut there = |number: u64| {
                    let asked = json!({ "subject": { "external_id": format!("c-{number}") } });
                    let answer = officer.post("/v1/subjects:find", &asked);
                    assert!(matches!(answer.status, 200 | 404), "{}", answer.text());
                    answer.status == 200
                };
                // One of which a full disk refused some items is there in part: nobody was told that it is there.
                let whole = |batch: &u64| (0..ITEMS).all(|item| there(number_of(*batch, item)));
                part.iter().copied().filter(whole).collect::<Vec<u64>>()
            })
        });
        let looking: Vec<_> = looking.collect();
        looking.into_iter().flat_map(|one| one.join().unwrap()).collect()
    })
}

/// Which customers' names can be revealed are what was written: looked at for a few.
#[track_caller]
fn reveals(server: &Server, service: &str, numbers: impl IntoIterator<Item = u64>) {
    let mut service = server.caller(service);
    for number in numbers {
        let answer = service.post("/v1/records:reveal", &crate::vault::reveal(number, "account"));
        let shown = answer.has(200).json();
        assert_eq!(shown["records"][0]["fields"]["name"], format!("Customer {number}"));
    }
}

/// The ledger is whole, and so is everything that `doctor --deep` looks at.
#[track_caller]
fn is_whole(vault: &Vault) {
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
    vault.is_well();
}
