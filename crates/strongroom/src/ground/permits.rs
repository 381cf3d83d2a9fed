//! Who is opening sealed data right now. An erasure is answered only after every permit that was given before it has
//! been used up or has grown too old to use.

use std::time::Duration;

use super::sync::{Arc, AtomicU64, AtomicUsize, Instant, Ordering, sleep};

/// How long a permit stands after its commit. SOURCE: DESIGN section 3.
pub const PERMIT_LIFE: Duration = Duration::from_secs(2);
/// How often a waiting erasure looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Counts permits in use, in two alternating groups: those given before the latest erasure, and those after.
#[derive(Debug, Default)]
pub struct Permits {
    turn: AtomicUsize,
    in_use: [AtomicU64; 2],
    one_erasure_at_a_time: tokio::sync::Mutex<()>,
}

/// Marks one permit as in use until it is dropped.
#[derive(Debug)]
pub struct InUse {
    permits: Arc<Permits>,
    group: usize,
    since: Instant,
}

impl Permits {
    /// Marks a permit as in use. Called in the transaction that gives it.
    pub fn begin(self: &Arc<Permits>) -> InUse {
        loop {
            let group = self.turn.load(Ordering::SeqCst) % 2;
            let Some(count) = self.in_use.get(group) else { continue };
            // ORDER: its age counts from before it is counted. An erasure that turns later, and waits for it no longer than it lives,
            // is never ahead of it.
            let since = Instant::now();
            count.fetch_add(1, Ordering::SeqCst);
            // ORDER: counted first, then looked again: an erasure that turned meanwhile would not wait for this group.
            if self.turn.load(Ordering::SeqCst) % 2 == group {
                return InUse { permits: Arc::clone(self), group, since };
            }
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Waits until every permit given before this call is used up, or too old to be used.
    pub async fn older_ones_have_ended(&self) {
        let _one = self.one_erasure_at_a_time.lock().await;
        let group = self.turn.fetch_add(1, Ordering::SeqCst) % 2;
        let began = Instant::now();
        while self.in_use.get(group).is_some_and(|count| count.load(Ordering::SeqCst) > 0) {
            if began.elapsed() > PERMIT_LIFE {
                return; // whoever still holds one finds that it no longer stands
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

impl InUse {
    /// Does the permit still stand?
    pub fn stands(&self) -> bool {
        self.since.elapsed() < PERMIT_LIFE
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(count) = self.permits.in_use.get(self.group) {
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
