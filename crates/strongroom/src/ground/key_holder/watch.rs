//! Asks a holder outside again and again, and knows when its grace is over.
//!
//! The house has its keys in memory once it is open, and could serve for ever on them. That is what the grace ends: whoever holds the
//! key of the keyring can shut a house by not giving it any more, and a holder who is away for a while shuts nobody out.
//!
//! Whatever the holder's answer is but the right key, it counts the same: away, sealed, refusing, without the key. The grace runs from
//! the last right answer. It is the one time in which an officer can still give a keyring another lock whose key was deleted.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use seal::LockCheck;

use super::{Attendance, KeyHolder};
use crate::ground::clock::{Clock, SECOND};
use crate::ground::keys_folder::KeysError;
use crate::ground::problem::Problem;

/// Who locks the keyring of an open house, and how they are. It holds no key.
#[derive(Debug)]
pub struct Attending {
    who: Mutex<Who>,
    /// When they were asked who last answered rightly, steady µs.
    right_at: AtomicI64,
    /// What was wrong with the last answer.
    fault: Mutex<Option<&'static str>>,
    /// The grace is over: nobody is served any more.
    shut: AtomicBool,
}

#[derive(Debug, Clone)]
struct Who {
    holder: Arc<dyn KeyHolder>,
    check: LockCheck,
}

impl Attending {
    /// They have just unlocked the keyring.
    pub fn new(holder: Box<dyn KeyHolder>, check: LockCheck) -> Attending {
        Attending {
            who: Mutex::new(Who { holder: holder.into(), check }),
            right_at: AtomicI64::new(0),
            fault: Mutex::new(None),
            shut: AtomicBool::new(false),
        }
    }

    /// Another one locks it from now on.
    pub fn exchange(&self, holder: Box<dyn KeyHolder>, check: LockCheck) {
        *self.who.lock().unwrap_or_else(PoisonError::into_inner) = Who { holder: holder.into(), check };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Must they be there all the time?
    pub fn attendance(&self) -> Attendance {
        self.who().holder.attendance()
    }

    /// What was wrong with their last answer, by its code; nothing while all is well.
    pub fn fault(&self) -> Option<&'static str> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is the grace over?
    pub fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    /// Asks them once.
    fn ask(&self, clock: &dyn Clock) -> Result<(), KeysError> {
        let (who, asked_at) = (self.who(), clock.steady());
        if who.holder.attendance() == Attendance::AtTheStart {
            self.right_at.store(asked_at, Ordering::Relaxed);
            return Ok(());
        }
        let outcome = who
            .check
            .locked()
            .map_err(KeysError::from)
            .and_then(|locked| who.holder.unlock(&locked))
            .and_then(|lock| Ok(who.check.must_be(&lock)?));
        let code = outcome.as_ref().err().map(KeysError::code);
        let before = std::mem::replace(&mut *self.fault.lock().unwrap_or_else(PoisonError::into_inner), code);
        match (before, code) {
            (before, Some(code)) if before != Some(code) => {
                crate::note!(WARN, "the holder of the keyring's key does not give it", code = code);
            }
            (Some(_), None) => crate::note!(INFO, "the holder of the keyring's key gives it again"),
            _ => {}
        }
        if outcome.is_ok() {
            self.right_at.store(asked_at, Ordering::Relaxed);
        }
        outcome
    }

    /// How long the grace lasts yet, µs; nothing when it is over.
    fn left(&self, now: i64, grace: i64) -> i64 {
        self.right_at.load(Ordering::Relaxed).saturating_add(grace).saturating_sub(now).max(0)
    }

    fn who(&self) -> Who {
        self.who.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The problem of whoever asks a house whose holder is away.
pub fn shut(fault: Option<&'static str>) -> Problem {
    let title = match fault {
        Some(code) => format!("the house is shut: the holder of the keyring's key does not give it ({code})"),
        None => "the house is shut: the holder of the keyring's key does not give it".to_owned(),
    };
    Problem::new("SR-KEYS-017", 503, title)
        .help("it opens by itself when the holder gives the key again; docs/guide/key-custody.md says what to do")
        .retry_after(30)
}

/// Asks on a thread of its own, for as long as this value lives.
pub struct Watch {
    attending: Arc<Attending>,
    clock: Arc<dyn Clock>,
    grace: i64,
    stop: Arc<(Mutex<bool>, Condvar)>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("grace", &self.grace).finish_non_exhaustive()
    }
}

impl Watch {
    /// Begins, right after the keyring was unlocked.
    ///
    /// Takes: `grace` in seconds. Whether there is somebody to be asked may change while it runs.
    pub fn start(attending: Arc<Attending>, clock: Arc<dyn Clock>, grace: u32) -> Result<Watch, Problem> {
        attending.right_at.store(clock.steady(), Ordering::Relaxed);
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (asking, pause, stopping, by) =
            (Arc::clone(&attending), pause(grace), Arc::clone(&stop), Arc::clone(&clock));
        // It is never waited for, and holds no key: a token's driver may hang for ever.
        std::thread::Builder::new().name("key-watch".into()).spawn(move || {
            let (stop, called) = &*stopping;
            loop {
                let guard = stop.lock().unwrap_or_else(PoisonError::into_inner);
                let (guard, _) = called
                    .wait_timeout_while(guard, pause, |stop| !*stop)
                    .unwrap_or_else(PoisonError::into_inner);
                if *guard {
                    return;
                }
                drop(guard);
                let _ = asking.ask(by.as_ref());
            }
        })?;
        Ok(Watch { attending, clock, grace: i64::from(grace).saturating_mul(SECOND), stop })
    }

    /// Ends when the grace is over, and never while the holder is well. From then on the house counts as shut.
    pub async fn over(&self) {
        loop {
            let left = self.attending.left(self.clock.steady(), self.grace);
            if left == 0 && self.attending.fault().is_some() {
                break;
            }
            // A driver that hangs says nothing: what has not answered for the grace and one question more is away.
            if left == 0 && self.attending.left(self.clock.steady(), self.grace.saturating_add(HANGS)) == 0 {
                break;
            }
            let wait = u64::try_from(left.clamp(SECOND / 20, SECOND)).unwrap_or(0);
            tokio::time::sleep(Duration::from_micros(wait)).await;
        }
        self.attending.shut.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (stop, called) = &*self.stop;
        *stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        called.notify_all();
    }
}

/// How much longer than its grace a holder may say nothing at all, neither right nor wrong.
const HANGS: i64 = 60 * SECOND;

/// Between two questions: a fifth of the grace, at most a minute.
pub fn pause(grace: u32) -> Duration {
    (Duration::from_secs(u64::from(grace)) / 5).clamp(Duration::from_millis(500), Duration::from_mins(1))
}
