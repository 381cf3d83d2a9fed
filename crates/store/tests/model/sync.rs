//! What `src/sync.rs` names, of the scheduler.

#![cfg(test)]

pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) mod thread {
    use std::time::Duration;

    pub(crate) use shuttle::thread::{JoinHandle, spawn};

    /// A pause. There is no time here: it ends when others have had a turn.
    pub(crate) fn park_timeout(_: Duration) {
        shuttle::thread::yield_now();
    }

    /// A point at which others may be run.
    pub(crate) fn step() {
        shuttle::thread::sleep(Duration::ZERO);
    }
}

pub(crate) mod oneshot {
    use tokio::sync::oneshot;

    pub(crate) use tokio::sync::oneshot::Receiver;

    /// Sends, and whoever waited for it may run before the sender does.
    #[derive(Debug)]
    pub(crate) struct Sender<T>(oneshot::Sender<T>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Sender(sender), receiver)
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            let sent = self.0.send(value);
            super::thread::step();
            sent
        }
    }
}
