//! What of a database's server is not as it should be, in words: each thing with its code, and how it is mended.
//!
//! A server that is weak is served from all the same. The operator is told; what they chose themselves is advice and no fault.

use serde::{Deserialize, Serialize};
use store::{Damage, Fence, Server, Weakness};

use super::deep::Finding;
use crate::ground::Problem;

/// How a server is set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerReport {
    /// Its version, as it says it.
    pub version: String,
    /// Are indexes held against their own order, too?
    pub amcheck: bool,
    /// What is not as it should be.
    pub findings: Vec<ServerFinding>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFinding {
    /// Stable code.
    pub code: String,
    /// What it is, and what comes of it.
    pub what: String,
    /// How to mend it.
    pub help: String,
    /// Is it a choice that somebody may make, and no fault?
    #[serde(default)]
    pub advice: bool,
}

impl ServerFinding {
    fn help(mut self, help: &str) -> ServerFinding {
        help.clone_into(&mut self.help);
        self
    }
}

fn wrong(code: &str, what: impl Into<String>) -> ServerFinding {
    ServerFinding { code: code.to_owned(), what: what.into(), help: String::new(), advice: false }
}

fn advice(code: &str, what: impl Into<String>) -> ServerFinding {
    ServerFinding { advice: true, ..wrong(code, what) }
}

impl ServerReport {
    /// Has somebody's read found pages that are not what was written?
    pub fn met_damage(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == MET_DAMAGE)
    }
}

const MET_DAMAGE: &str = "SR-SERVER-017";

/// Looks at the settings of a server, at the role that serves and at the fences between shops. Blocks.
///
/// Takes: the fences that a migration puts up. Fails: as reaching the server does.
pub fn look_at_server(server: &Server, fences: &[Fence]) -> Result<ServerReport, Problem> {
    let settings = server.settings(fences)?;
    let findings = settings.weak.iter().map(words).collect();
    Ok(ServerReport { version: settings.version, amcheck: settings.amcheck, findings })
}

fn words(weakness: &Weakness) -> ServerFinding {
    use Weakness as W;
    match weakness {
        W::NoChecksums => wrong(
            "SR-SERVER-001",
            "the server keeps no checksums of pages: what its disk changes is read as if nothing was, where no seal covers it",
        )
        .help("stop it, `pg_checksums --enable --pgdata=DIR`, start it"),
        W::DamageUnheeded { setting } => wrong(
            "SR-SERVER-002",
            format!("`{setting}` is on: a page that is not what was written is read all the same, or taken for empty"),
        )
        .help("switch it off; it is for whoever saves what can be saved out of a broken database, and for nobody who serves"),
        W::NoFsync => wrong(
            "SR-SERVER-003",
            "`fsync` is off: what was acknowledged is lost when the power goes, and the database may not start again",
        )
        .help("`fsync = on` in postgresql.conf, and reload"),
        W::NoFullPageWrites => wrong(
            "SR-SERVER-004",
            "`full_page_writes` is off: a page that was half written when the power went cannot be mended",
        )
        .help("`full_page_writes = on` in postgresql.conf, and reload"),
        W::CommitsEarly { found } => wrong(
            "SR-SERVER-005",
            format!("`synchronous_commit` is {found} although each connection asks for `on`: what is acknowledged may not be on the disk, or not on the standby"),
        )
        .help("a pool in between keeps back what a connection asks for: let it pass `options` on, or connect without it"),
        W::OwnSettingsIgnored { settings } => wrong(
            "SR-SERVER-006",
            format!("what each connection asks for does not hold ({}): a house that is paused keeps a shop waiting for as long as it is", settings.join(", ")),
        )
        .help("a pool in between keeps back what a connection asks for (PgBouncer: `ignore_startup_parameters`): let it pass `options` on, or connect without it"),
        W::Superuser => wrong(
            "SR-SERVER-007",
            "the role that serves is a superuser, or may become one: no fence between shops holds for it, and whoever takes the process over has the server",
        )
        .help("serve as a role of its own: `strongroom migrate --store ADDRESS --serving ROLE` as the owner (docs/guide/postgresql.md, Roles)"),
        W::PastRowSecurity => wrong(
            "SR-SERVER-008",
            "the role that serves has BYPASSRLS, or may become one that has: no fence between shops holds for it",
        )
        .help("as a superuser: `ALTER ROLE … NOBYPASSRLS`, or take it out of that role"),
        W::RightsToSpare { rights } => wrong(
            "SR-SERVER-009",
            format!("the role that serves has rights that it does not need ({})", rights.join(", ")),
        )
        .help("as a superuser: `ALTER ROLE … NOCREATEROLE NOCREATEDB NOREPLICATION`, or take it out of the role that has them"),
        W::OwnsTables => advice(
            "SR-SERVER-010",
            "the role that serves owns the tables: whoever takes the process over can drop them, and take the fences down",
        )
        .help("have a second role, and serve as it: `strongroom migrate --store ADDRESS --serving ROLE` as the owner"),
        W::MayCreate => wrong(
            "SR-SERVER-011",
            "the role that serves owns no table, and may make some in this database",
        )
        .help("`REVOKE CREATE ON SCHEMA public FROM PUBLIC, ROLE` and `REVOKE CREATE ON DATABASE … FROM PUBLIC, ROLE`"),
        W::Unfenced { table } => wrong(
            "SR-SERVER-012",
            format!("row security of table `{table}` is not on, or not forced on its owner: a statement that forgets whose rows it means sees all shops'"),
        )
        .help("as the owner: `strongroom migrate --store ADDRESS --serving ROLE` puts all fences up again"),
        W::NoFence { table } => wrong(
            "SR-SERVER-013",
            format!("the fence of table `{table}` is not there, and without one no row of it is seen"),
        )
        .help("as the owner: `strongroom migrate --store ADDRESS --serving ROLE` puts all fences up again"),
        W::OtherFence { table } => wrong(
            "SR-SERVER-014",
            format!("the fence of table `{table}` is not the one that a migration puts up, or another policy stands beside it"),
        )
        .help("drop what stands beside it; `strongroom migrate --store ADDRESS --serving ROLE` as the owner puts ours up again"),
        W::LogsValues { setting } => advice(
            "SR-SERVER-015",
            format!("`{setting}` lets values that are bound to statements into the server's log: sealed bytes, keyed hashes, ids, times and what a policy says, and no personal value in plain text"),
        )
        .help("`log_parameter_max_length = 0`, `log_parameter_max_length_on_error = 0`, or `log_error_verbosity = terse`"),
        W::LogsFailedRows => advice(
            "SR-SERVER-016",
            "the key or the row that a statement fails on gets into the server's log: sealed bytes, keyed hashes, ids and times, and no personal value in plain text",
        )
        .help("`log_error_verbosity = terse`"),
        W::MetDamage { times } => wrong(
            "SR-SERVER-017",
            format!("pages that are not what was written were read {times} times since the server began to count"),
        )
        .help("`strongroom doctor --deep` names tables and indexes; keep a copy of the data folder as it is, restore the latest backup; the count ends with `SELECT pg_stat_reset()`"),
        W::TooOld => wrong(
            "SR-SERVER-018",
            "the server is older than PostgreSQL 14, and nothing here was written for it",
        )
        .help("move to a newer one: 15 to 18 are tested"),
    }
}

/// Reads all rows and indexes, and names what is damaged. Blocks.
pub fn look_at_pages(server: &Server) -> Result<Vec<Finding>, Problem> {
    Ok(server.damage()?.iter().map(damage_words).collect())
}

/// What is damaged, as a finding of the deep check.
pub(super) fn damage_words(damage: &Damage) -> Finding {
    let found = |code, what, place| Finding { code, what, id: Some(place), entry: None };
    match damage {
        Damage::Page(page) => page_is_damaged(format!("page {page}")),
        Damage::Table(table) => page_is_damaged(format!("table {table}")),
        Damage::Index { index, table } => page_is_damaged(format!("index {index} of table {table}")),
        Damage::Astray { index, table } => found(
            "SR-DEEP-033",
            "an index does not lead to every row of its table",
            format!("index {index} of table {table}"),
        ),
    }
}

fn page_is_damaged(place: String) -> Finding {
    Finding { code: "SR-DEEP-023", what: "a page of the database is damaged", id: Some(place), entry: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_weakness_has_a_code_of_its_own_words_and_help() {
        let (table, setting) = ("record", "log_statement");
        let all = [
            Weakness::NoChecksums,
            Weakness::DamageUnheeded { setting: "zero_damaged_pages" },
            Weakness::NoFsync,
            Weakness::NoFullPageWrites,
            Weakness::CommitsEarly { found: "off".to_owned() },
            Weakness::OwnSettingsIgnored { settings: vec!["lock_timeout"] },
            Weakness::Superuser,
            Weakness::PastRowSecurity,
            Weakness::RightsToSpare { rights: vec!["CREATEDB"] },
            Weakness::OwnsTables,
            Weakness::MayCreate,
            Weakness::Unfenced { table },
            Weakness::NoFence { table },
            Weakness::OtherFence { table },
            Weakness::LogsValues { setting },
            Weakness::LogsFailedRows,
            Weakness::MetDamage { times: 1 },
            Weakness::TooOld,
        ];
        let told: Vec<ServerFinding> = all.iter().map(words).collect();
        let codes: BTreeSet<&str> = told.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(told.iter().all(|finding| !finding.what.is_empty() && !finding.help.is_empty()));
        let advised: Vec<&str> =
            told.iter().filter(|told| told.advice).map(|told| told.code.as_str()).collect();
        assert_eq!(advised, ["SR-SERVER-010", "SR-SERVER-015", "SR-SERVER-016"], "chosen, and no fault");
        let report = |findings| ServerReport { version: String::new(), amcheck: false, findings };
        assert!(report(told.clone()).met_damage() && !report(told[..16].to_vec()).met_damage());
    }
}
