//! A client that waits for each answer, and says how far it can be relied upon.

#![cfg(test)]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testbed::Answer;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls};

/// One connection.
pub(crate) struct Sql {
    runtime: Runtime,
    client: Client,
    /// A notice or a warning has come.
    warned: Arc<AtomicBool>,
}

impl Sql {
    /// `None` when nobody lets it in within two seconds.
    pub(crate) fn connect(url: &str) -> Option<Sql> {
        let config: Config = url.parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The driver's own limit ends with the TCP connection; a server that stands still takes that.
        let connects = async { tokio::time::timeout(Duration::from_secs(2), config.connect(NoTls)).await };
        let (client, mut connection) = runtime.block_on(connects).ok()?.ok()?;
        let warned = Arc::new(AtomicBool::new(false));
        let warns = Arc::clone(&warned);
        runtime.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                // It comes before the answer that it is about.
                if matches!(message, AsyncMessage::Notice(_)) {
                    warns.store(true, Ordering::SeqCst);
                }
            }
        });
        Some(Sql { runtime, client, warned })
    }

    /// Runs simple queries, parted by semicolons.
    pub(crate) fn run(&self, statements: &str) -> Result<(), Error> {
        self.runtime.block_on(self.client.batch_execute(statements))
    }

    /// Prepares a statement, binds, and executes it.
    pub(crate) fn execute(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        self.runtime.block_on(self.client.execute(statement, values))
    }

    /// Runs a statement that commits by itself. Gives what became of it.
    pub(crate) fn commit(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Answer {
        self.warned.store(false, Ordering::SeqCst);
        match self.execute(statement, values) {
            // A primary that shuts down while it waits for its standby says COMMIT, with a warning.
            Ok(_) if self.warned.load(Ordering::SeqCst) => Answer::Unknown,
            Ok(_) => Answer::Acked,
            // Class 57P: the server goes down, perhaps with the answer on its lips.
            Err(error) => match error.code() {
                Some(code) if !code.code().starts_with("57P") => Answer::Refused,
                _ => Answer::Unknown,
            },
        }
    }
}
