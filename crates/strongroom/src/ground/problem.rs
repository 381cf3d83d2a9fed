//! What goes wrong, as the caller sees it: RFC 9457 problem details with a stable code. Nothing in it comes from a value.

use std::borrow::Cow;

use serde::Serialize;

/// A problem: why a request was not done, and what the caller can do about it.
///
/// INVARIANT: every text in it is ours. A pointer names declared fields and positions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, `SR-ROOM-000`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// One sentence, lower case, no full stop.
    pub title: Cow<'static, str>,
    /// How to mend it.
    pub help: Option<&'static str>,
    /// JSON pointer (RFC 6901) to the part of the request that it is about.
    pub pointer: Option<String>,
    /// Why the gate or a law says no.
    pub reasons: Vec<Reason>,
    /// When to try again, seconds.
    pub retry_after_seconds: Option<u32>,
}

/// One reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// Stable name of the reason.
    pub name: &'static str,
    /// What it means, in English.
    pub text: &'static str,
    /// The same in Chinese.
    pub text_zh: &'static str,
    /// Fields that it is about; empty for all that were asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The articles, where it is a law that refuses: `PIPL 13 (cn)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub law: Vec<String>,
}

/// Rows by their keys, each as it was written or with what is wrong with it: for the deep check, which goes on behind one
/// that was edited.
pub type Looked<K, R> = Vec<(K, Result<R, Problem>)>;

impl Problem {
    /// A problem with a code, a status and a sentence.
    pub fn new(code: &'static str, status: u16, title: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            code,
            status,
            title: title.into(),
            help: None,
            pointer: None,
            reasons: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// The problem of a row whose MAC or seal does not fit: somebody edited the database.
    pub fn edited(table: &'static str) -> Problem {
        Problem::new("SR-KEEP-004", 500, format!("a row of `{table}` was edited outside of Strongroom"))
            .help("run `strongroom doctor --deep`: it names every such row; then restore the latest backup")
    }

    /// Does one row not open, or not fit its MAC? Then trying again does not help, and nothing else is wrong.
    pub fn is_of_a_row(&self) -> bool {
        use seal::Error as E;
        let of_a_seal = [E::Malformed, E::UnknownSuite { suite: 0 }, E::Broken, E::NoKey].map(E::code);
        self.code == Problem::EDITED || of_a_seal.contains(&self.code)
    }

    /// Is what the disk gave not what was written to it? Then something else may still be read.
    pub fn is_of_the_disk(&self) -> bool {
        use store::Error as E;
        let damaged =
            [E::Damaged { engine_code: 0 }, E::InputOutput { engine_code: 0 }, E::DamagedPage { page: 0 }];
        damaged.map(|error| error.code()).contains(&self.code)
    }

    const EDITED: &'static str = "SR-KEEP-004";

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: &'static str) -> Problem {
        self.help = Some(help);
        self
    }

    /// Adds where it is.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Problem {
        self.pointer = Some(pointer.into());
        self
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, reasons: Vec<Reason>) -> Problem {
        self.reasons = reasons;
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// As JSON.
    pub fn to_body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:strongroom:problem:{}", self.code),
            code: self.code,
            status: self.status,
            title: self.title.to_string(),
            help: self.help,
            pointer: self.pointer.clone(),
            reasons: self.reasons.clone(),
        }
    }
}

/// RFC 9457 problem details.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:strongroom:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// Stable code.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What happened.
    pub title: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
    /// JSON pointer to the part of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Why the gate says no.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.title)
    }
}

impl std::error::Error for Problem {}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        use store::Error as E;
        let problem = Problem::new(error.code(), 500, error.to_string());
        match error {
            E::DiskFull => Problem { status: 507, ..problem }
                .help("free some space; nothing was written, and what was acknowledged is safe"),
            E::Busy => Problem { status: 503, ..problem }.retry_after(1),
            E::Closed => Problem { status: 503, ..problem }.retry_after(5),
            E::Unreachable | E::Lost | E::NotCaughtUp => Problem { status: 503, ..problem }.retry_after(2),
            E::InDoubt => Problem { status: 503, ..problem }
                .help("ask again with the same Idempotency-Key: what was done is not done twice")
                .retry_after(2),
            E::NotWitnessed => Problem { status: 503, ..problem }
                .help("ask again: the key is destroyed, but the list of destroyed keys beside the keyring cannot be written"),
            E::Owned => problem.help("stop the other process, or let this command find its socket in the data folder"),
            E::Empty => problem.help("make a vault first: `strongroom init --policy FILE --data DIR --keys DIR`"),
            E::NotEmpty => problem.help("a new key is never made over old data: choose an empty folder"),
            E::Served => Problem { status: 409, ..problem }
                .help("stop every process that serves from it, and every command that works with it, then say it again"),
            E::Away => problem
                .help("serve with the configuration that names where the rows are now; `strongroom serve` here says more"),
            E::NewerSchema { .. } => problem.help("use the release that wrote it, or a newer one"),
            E::ReadOnly => problem.help("make the data folder writable for the user that runs this process"),
            E::Damaged { .. } | E::InputOutput { .. } => problem.help(
                "`strongroom doctor --deep` names what is damaged; stop, keep a copy of the data as they are, and restore the latest backup",
            ),
            E::DamagedPage { .. } => problem.help(
                "what lies on other pages is served as before; `strongroom doctor --deep` names every damaged page: keep a copy of the folder as it is, and restore the latest backup",
            ),
            _ => problem,
        }
    }
}

impl From<seal::Error> for Problem {
    fn from(error: seal::Error) -> Problem {
        use seal::Error as E;
        let problem = Problem::new(error.code(), 500, error.to_string());
        match error {
            // A guessed id and an id of another shop look the same to the caller: not found.
            E::NotAnId => Problem::new("SR-KEEP-001", 404, "there is nothing of this id"),
            E::TooLong { .. } => Problem { status: 422, ..problem },
            E::NotPermitted => Problem { status: 503, ..problem }.retry_after(1),
            E::WrongLock => problem.help("give the key file or passphrase that this keyring was made with"),
            E::KeyringDamaged => problem.help("put back the copy of the keyring that you keep apart"),
            E::Broken => problem
                .help("the row was edited or moved; run `strongroom doctor --deep` to name every such row"),
            _ => problem,
        }
    }
}

impl From<ledger::Error> for Problem {
    fn from(error: ledger::Error) -> Problem {
        Problem::new(error.code(), 500, error.to_string())
    }
}

impl From<ledger::tree::ReadError<store::Error>> for Problem {
    fn from(error: ledger::tree::ReadError<store::Error>) -> Problem {
        match error {
            ledger::tree::ReadError::Tiles(error) => Problem::from(error),
            ledger::tree::ReadError::Ledger(error) => Problem::from(error),
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem::from(store::Error::from(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_rfc_9457_json() {
        let problem =
            Problem::new("SR-X-001", 422, "a field is too long").help("shorten it").at("/fields/name");
        let json = serde_json::to_value(problem.to_body()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:strongroom:problem:SR-X-001", "code": "SR-X-001", "status": 422,
                "title": "a field is too long", "help": "shorten it", "pointer": "/fields/name"
            })
        );
    }

    #[test]
    fn a_full_disk_is_507_and_a_guessed_id_is_404() {
        assert_eq!(Problem::from(store::Error::DiskFull).status, 507);
        assert_eq!(Problem::from(seal::Error::NotAnId).status, 404);
    }
}
