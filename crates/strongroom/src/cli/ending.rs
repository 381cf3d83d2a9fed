//! Whatever asks a process to end: Ctrl-C, whoever stops it, and a terminal that goes.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ground::Problem;

/// Hears it, from when it was made.
pub(super) struct Ending {
    signals: [Signal; 3],
}

impl Ending {
    pub(super) fn listen() -> Result<Ending, Problem> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Ending { signals: [interrupt?, terminate?, hangup?] })
    }

    pub(super) async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
