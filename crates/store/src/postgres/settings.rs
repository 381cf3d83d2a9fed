//! What of a server is weak: its settings, the role that serves, and the fences, as a connection of the store finds them.

use std::collections::HashMap;

use super::Fence;
use super::session::Postgres;
use crate::engine::{Engine, Session, Step};
use crate::error::Error;
use crate::params;
use crate::sql::Sql;

/// Values are as the server counts them, without units: milliseconds, bytes.
static SETTINGS: Sql = Sql::new("SELECT name, setting FROM pg_catalog.pg_settings");
/// Attributes are not inherited, but whoever may become a role has them one statement later.
static ROLE: Sql = Sql::new(
    "SELECT bool_or(rolsuper)::integer::bigint, bool_or(rolbypassrls)::integer::bigint,
            bool_or(rolcreaterole)::integer::bigint, bool_or(rolcreatedb)::integer::bigint,
            bool_or(rolreplication)::integer::bigint
     FROM pg_catalog.pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')",
);
static MAY_CHANGE_SCHEMA: Sql = Sql::new(
    "SELECT (SELECT count(*) FROM pg_catalog.pg_class
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
               AND pg_has_role(current_user, relowner, 'MEMBER')),
            (has_schema_privilege(current_schema(), 'CREATE')
             OR has_database_privilege(current_database(), 'CREATE'))::integer::bigint",
);
static ROW_SECURITY: Sql = Sql::new(
    "SELECT (relrowsecurity AND relforcerowsecurity)::integer::bigint
     FROM pg_catalog.pg_class WHERE relname::text = $1 AND relnamespace = current_schema()::regnamespace",
);
static POLICIES: Sql = Sql::new(
    "SELECT (polname = 'fence' AND polcmd = '*' AND polpermissive AND polroles = '{0}')::integer::bigint,
            pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
     FROM pg_catalog.pg_policy JOIN pg_catalog.pg_class ON pg_class.oid = polrelid
     WHERE relname::text = $1 AND relnamespace = current_schema()::regnamespace",
);
/// Pages that anybody's read found damaged, a base backup's included, since the server began to count.
static DAMAGE_MET: Sql = Sql::new(
    "SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_catalog.pg_stat_database
     WHERE datname = current_database() OR datid = 0",
);
/// Of the extension that holds an index against its own order, if it is here and this role may call it.
static AMCHECK: Sql = Sql::new(
    "SELECT coalesce(has_function_privilege(to_regprocedure('bt_index_check(regclass)')::oid, 'EXECUTE'), false)::integer::bigint",
);

/// How a server is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its version, as it says it.
    pub version: String,
    /// Can indexes be held against their own order? That takes the extension `amcheck`, and the right to call it.
    pub amcheck: bool,
    /// What is weak.
    pub weak: Vec<Weakness>,
}

/// One thing about a server that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weakness {
    /// Pages have no checksums.
    NoChecksums,
    /// A page that is not what was written is read all the same, or as if it were empty.
    DamageUnheeded {
        /// The setting that says so.
        setting: &'static str,
    },
    /// What is acknowledged is not forced onto the disk.
    NoFsync,
    /// A page that was half written when the power went cannot be mended.
    NoFullPageWrites,
    /// A COMMIT is answered before it is on the disk, or on the standby.
    CommitsEarly {
        /// What `synchronous_commit` is.
        found: String,
    },
    /// What each connection of the store asks for does not hold.
    OwnSettingsIgnored {
        /// Settings that are otherwise.
        settings: Vec<&'static str>,
    },
    /// The role may do everything.
    Superuser,
    /// Row-level security does not hold for the role.
    PastRowSecurity,
    /// The role may do what no house needs.
    RightsToSpare {
        /// Its attributes, as `CREATE ROLE` calls them.
        rights: Vec<&'static str>,
    },
    /// The role owns the tables: whoever migrated serves.
    OwnsTables,
    /// The role owns no table, and may make some.
    MayCreate,
    /// Row-level security is not switched on for a table, or not for its owner.
    Unfenced {
        /// The table.
        table: &'static str,
    },
    /// A table's fence is not there.
    NoFence {
        /// The table.
        table: &'static str,
    },
    /// A table's fence is not the one that a migration puts up, or another policy stands beside it.
    OtherFence {
        /// The table.
        table: &'static str,
    },
    /// The server's log gets the values that are bound to statements.
    LogsValues {
        /// The setting that says so.
        setting: &'static str,
    },
    /// The server's log gets the key or the row that a statement failed on.
    LogsFailedRows,
    /// The server is older than the store was written for.
    TooOld,
    /// Somebody's read has found pages of this database that are not what was written.
    MetDamage {
        /// So many times.
        times: i64,
    },
}

/// The oldest version that the store was written for. SOURCE: `server_version_num`.
const OLDEST: i64 = 140_000;

/// What a connection asks for as it begins ([`super::SETTINGS`]), as the server counts it. Of a COMMIT see [`Weakness::CommitsEarly`].
const OWN: &[(&str, &str)] = &[
    ("statement_timeout", "60000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "10000"),
    ("row_security", "on"),
];

/// Reads what there is to be judged, in one state.
pub(super) fn look(session: &Postgres, fences: &[Fence]) -> Result<Settings, Error> {
    session.begin_reading()?;
    let found = look_now(session, fences);
    session.roll_back();
    found
}

fn look_now(session: &Postgres, fences: &[Fence]) -> Result<Settings, Error> {
    let mut known = HashMap::new();
    session.run(&SETTINGS, &[], &mut |row| {
        known.insert(row.text(0)?.to_owned(), row.maybe_text(1)?.unwrap_or_default().to_owned());
        Ok(Step::Next)
    })?;
    let mut weak = of_settings(&known);
    weak.extend(of_the_role(session)?);
    for fence in fences {
        weak.extend(of_a_fence(session, fence)?);
    }
    let times = session.number(&DAMAGE_MET)?;
    if times > 0 {
        weak.push(Weakness::MetDamage { times });
    }
    let version = known.get("server_version").map(String::as_str).unwrap_or_default();
    // Debian's says behind it which package it is.
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Settings { version, amcheck: has_amcheck(session)?, weak })
}

/// May indexes be held against their own order?
pub(super) fn has_amcheck(session: &Postgres) -> Result<bool, Error> {
    Ok(session.number(&AMCHECK)? == 1)
}

/// What settings are worth. One that this version does not know is as it should be.
fn of_settings(known: &HashMap<String, String>) -> Vec<Weakness> {
    let is = |name: &str, value: &str| known.get(name).is_some_and(|found| found == value);
    let is_not = |name: &str, value: &str| known.get(name).is_some_and(|found| found != value);
    let mut weak = Vec::new();
    let version = known.get("server_version_num").and_then(|version| version.parse::<i64>().ok());
    if version.is_some_and(|version| version < OLDEST) {
        weak.push(Weakness::TooOld);
    }
    if is_not("data_checksums", "on") {
        weak.push(Weakness::NoChecksums);
    }
    for setting in ["ignore_checksum_failure", "zero_damaged_pages"] {
        if is(setting, "on") {
            weak.push(Weakness::DamageUnheeded { setting });
        }
    }
    if is("fsync", "off") {
        weak.push(Weakness::NoFsync);
    }
    if is("full_page_writes", "off") {
        weak.push(Weakness::NoFullPageWrites);
    }
    if let Some(found) =
        known.get("synchronous_commit").filter(|found| matches!(found.as_str(), "off" | "local"))
    {
        weak.push(Weakness::CommitsEarly { found: found.clone() });
    }
    let settings: Vec<&str> =
        OWN.iter().filter(|(name, value)| is_not(name, value)).map(|(name, _)| *name).collect();
    if !settings.is_empty() {
        weak.push(Weakness::OwnSettingsIgnored { settings });
    }
    // What stands beside a line of the log, values among it, is left out of a terse one.
    if is_not("log_error_verbosity", "terse") {
        weak.extend(logs_values(known).map(|setting| Weakness::LogsValues { setting }));
        weak.push(Weakness::LogsFailedRows);
    }
    weak
}

/// The setting by which bound values come into the log.
///
/// SOURCE: PostgreSQL's manual, 20.8: with a statement that is logged go its parameters, as far as `log_parameter_max_length` says;
/// with one that fails those that `log_parameter_max_length_on_error` says.
fn logs_values(known: &HashMap<String, String>) -> Option<&'static str> {
    let is_not = |name: &str, value: &str| known.get(name).is_some_and(|found| found != value);
    if is_not("log_parameter_max_length_on_error", "0") {
        return Some("log_parameter_max_length_on_error");
    }
    if !is_not("log_parameter_max_length", "0") {
        return None;
    }
    let logged = known.get("log_statement").is_some_and(|of| matches!(of.as_str(), "mod" | "all"));
    let sampled = is_not("log_min_duration_sample", "-1") && is_not("log_statement_sample_rate", "0");
    if logged {
        Some("log_statement")
    } else if is_not("log_min_duration_statement", "-1") {
        Some("log_min_duration_statement")
    } else if sampled {
        Some("log_min_duration_sample")
    } else if is_not("log_transaction_sample_rate", "0") {
        Some("log_transaction_sample_rate")
    } else {
        None
    }
}

fn of_the_role(session: &Postgres) -> Result<Vec<Weakness>, Error> {
    let mut has = [false; 5];
    session.run(&ROLE, &[], &mut |row| {
        for (column, has) in has.iter_mut().enumerate() {
            *has = row.int(column)? == 1;
        }
        Ok(Step::Next)
    })?;
    let [superuser, past, creates_roles, creates_databases, replicates] = has;
    if superuser {
        return Ok(vec![Weakness::Superuser]); // all of what follows is so, too
    }
    let mut weak = Vec::new();
    if past {
        weak.push(Weakness::PastRowSecurity);
    }
    let rights =
        [("CREATEROLE", creates_roles), ("CREATEDB", creates_databases), ("REPLICATION", replicates)];
    let rights: Vec<&str> = rights.into_iter().filter(|(_, has)| *has).map(|(right, _)| right).collect();
    if !rights.is_empty() {
        weak.push(Weakness::RightsToSpare { rights });
    }
    let (mut owned, mut may_create) = (0, false);
    session.run(&MAY_CHANGE_SCHEMA, &[], &mut |row| {
        owned = row.int(0)?;
        may_create = row.int(1)? == 1;
        Ok(Step::Next)
    })?;
    if owned > 0 {
        weak.push(Weakness::OwnsTables); // an owner may create, of course
    } else if may_create {
        weak.push(Weakness::MayCreate);
    }
    Ok(weak)
}

fn of_a_fence(session: &Postgres, fence: &Fence) -> Result<Option<Weakness>, Error> {
    let table = fence.table;
    let mut secured = false;
    session.run(&ROW_SECURITY, params![table], &mut |row| {
        secured = row.int(0)? == 1;
        Ok(Step::Next)
    })?;
    if !secured {
        return Ok(Some(Weakness::Unfenced { table }));
    }
    let mut ours = Vec::new();
    session.run(&POLICIES, params![table], &mut |row| {
        let is_ours = row.int(0)? == 1
            && row.maybe_text(1)?.is_some_and(|rows| fence.is_said_by(rows))
            && row.maybe_text(2)?.is_some_and(|rows| fence.is_said_by(rows));
        ours.push(is_ours);
        Ok(Step::Next)
    })?;
    Ok(match ours.as_slice() {
        [] => Some(Weakness::NoFence { table }),
        [true] => None,
        _ => Some(Weakness::OtherFence { table }),
    })
}

impl Fence {
    /// Is this, as the server writes it, the expression that [`Fence::raise`](super::migrate) gave it?
    fn is_said_by(&self, written: &str) -> bool {
        let written = bare(written);
        let (whose, shop) = ("current_setting('strongroom.fence', true)", self.shop);
        // A list of two is written as what it means, or as the list.
        written == bare(&format!("{whose} = 'all' OR {whose} = {shop}"))
            || written == bare(&format!("{whose} = ANY (ARRAY['all', {shop}])"))
    }
}

/// An expression without what the server puts into it: brackets, casts to text, spaces.
fn bare(expression: &str) -> String {
    let plain = expression.replace("::text", "");
    plain.chars().filter(|sign| !sign.is_whitespace() && !matches!(sign, '(' | ')')).collect()
}

#[cfg(test)]
mod tests {
    use testbed::{Postgres as Cluster, Version};

    use super::*;
    use crate::Server;
    use crate::tests::database_on;

    const ROW: Fence = Fence { table: "row", shop: "id" };

    /// A server as the guide sets it up, as a connection of the store finds it.
    fn sound() -> HashMap<String, String> {
        let sound = [
            ("server_version_num", "150018"),
            ("data_checksums", "on"),
            ("ignore_checksum_failure", "off"),
            ("zero_damaged_pages", "off"),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("log_statement", "none"),
            ("log_min_duration_statement", "-1"),
            ("log_min_duration_sample", "-1"),
            ("log_statement_sample_rate", "1"),
            ("log_transaction_sample_rate", "0"),
            ("log_parameter_max_length", "-1"),
            ("log_parameter_max_length_on_error", "0"),
            ("log_error_verbosity", "terse"),
        ];
        sound.iter().chain(OWN).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn with(changes: &[(&str, &str)]) -> Vec<Weakness> {
        let mut known = sound();
        known.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        of_settings(&known)
    }

    #[test]
    fn each_setting_that_is_weak_is_named_and_no_other() {
        assert_eq!(with(&[]), []);
        for fine in ["on", "remote_apply", "remote_write"] {
            assert_eq!(with(&[("synchronous_commit", fine)]), [], "{fine}");
        }
        for found in ["off", "local"] {
            let early = Weakness::CommitsEarly { found: found.to_owned() };
            assert_eq!(with(&[("synchronous_commit", found)]), [early]);
        }
        assert_eq!(with(&[("server_version_num", "130022")]), [Weakness::TooOld]);
        assert_eq!(with(&[("data_checksums", "off")]), [Weakness::NoChecksums]);
        assert_eq!(with(&[("fsync", "off")]), [Weakness::NoFsync]);
        assert_eq!(with(&[("full_page_writes", "off")]), [Weakness::NoFullPageWrites]);
        for setting in ["ignore_checksum_failure", "zero_damaged_pages"] {
            assert_eq!(with(&[(setting, "on")]), [Weakness::DamageUnheeded { setting }]);
        }
    }

    #[test]
    fn a_pool_that_swallows_what_a_connection_asks_for_is_noticed() {
        let settings = vec!["statement_timeout", "idle_in_transaction_session_timeout"];
        let swallowed = [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
        assert_eq!(with(&swallowed), [Weakness::OwnSettingsIgnored { settings }]);
    }

    #[test]
    fn values_come_into_the_log_by_each_of_these_and_by_none_of_them_alone_in_a_terse_one() {
        let by = [
            ("log_statement", "all"),
            ("log_statement", "mod"),
            ("log_min_duration_statement", "500"),
            ("log_min_duration_sample", "500"),
            ("log_transaction_sample_rate", "0.01"),
            ("log_parameter_max_length_on_error", "64"),
        ];
        for (setting, value) in by {
            assert_eq!(with(&[(setting, value)]), [], "{setting}: a terse log has no values");
            let told = with(&[(setting, value), ("log_error_verbosity", "default")]);
            assert_eq!(told, [Weakness::LogsValues { setting }, Weakness::LogsFailedRows]);
        }
        let cut = [("log_statement", "all"), ("log_parameter_max_length", "0")];
        let told = with(&[cut[0], cut[1], ("log_error_verbosity", "default")]);
        assert_eq!(told, [Weakness::LogsFailedRows]);
        assert_eq!(
            with(&[("log_statement", "ddl"), ("log_error_verbosity", "verbose")]),
            [Weakness::LogsFailedRows]
        );
    }

    /// What is weak about the role and the fence, by what a superuser did before.
    fn judged(database: &testbed::Database, as_whom: &str, act: &str) -> Vec<Weakness> {
        database.sql(act);
        let url = database.socket_url(as_whom).replace(&format!(":{}@", database.password()), "@");
        let weak = Server::parse(&url, Some(database.password())).unwrap().settings(&[ROW]).unwrap().weak;
        weak.into_iter().filter(|weak| *weak != Weakness::LogsFailedRows).collect()
    }

    #[test]
    fn a_role_that_may_more_than_it_needs_and_a_fence_that_is_not_ours_are_named() {
        for version in Version::ALL {
            let Some(server) = Cluster::shared(version) else { continue };
            let (database, owner) = database_on(&server);
            let (run, owns) = (database.run(), database.owner());
            owner.raise(&[ROW]).unwrap();
            let told = |act: &str| judged(&database, &run, act);
            assert_eq!(told("SELECT 1"), [], "{version:?}: as the guide has it");
            assert_eq!(judged(&database, &owns, "SELECT 1"), [Weakness::OwnsTables]);
            assert_eq!(told(&format!("GRANT CREATE ON SCHEMA public TO {run}")), [Weakness::MayCreate]);
            assert_eq!(
                told(&format!("REVOKE CREATE ON SCHEMA public FROM {run}; GRANT {owns} TO {run}")),
                [Weakness::OwnsTables]
            );
            let rights = vec!["CREATEROLE", "CREATEDB", "REPLICATION"];
            assert_eq!(
                told(&format!("REVOKE {owns} FROM {run}; ALTER ROLE {run} CREATEROLE CREATEDB REPLICATION")),
                [Weakness::RightsToSpare { rights }]
            );
            assert_eq!(
                told(&format!("ALTER ROLE {run} NOCREATEROLE NOCREATEDB NOREPLICATION BYPASSRLS")),
                [Weakness::PastRowSecurity]
            );
            assert_eq!(told(&format!("ALTER ROLE {run} SUPERUSER")), [Weakness::Superuser]);
            assert_eq!(told(&format!("ALTER ROLE {run} NOSUPERUSER NOBYPASSRLS")), []);
            // One statement after another that a fence does not survive, each mended by the next migration.
            let table = "row";
            for (act, weak) in [
                ("ALTER TABLE row NO FORCE ROW LEVEL SECURITY", Weakness::Unfenced { table }),
                ("ALTER TABLE row DISABLE ROW LEVEL SECURITY", Weakness::Unfenced { table }),
                ("DROP POLICY fence ON row", Weakness::NoFence { table }),
                ("ALTER POLICY fence ON row USING (true)", Weakness::OtherFence { table }),
                ("ALTER POLICY fence ON row WITH CHECK (true)", Weakness::OtherFence { table }),
                ("ALTER POLICY fence ON row TO postgres", Weakness::OtherFence { table }),
                ("CREATE POLICY gate ON row USING (true)", Weakness::OtherFence { table }),
                ("ALTER POLICY fence ON row RENAME TO wall", Weakness::OtherFence { table }),
            ] {
                assert_eq!(told(act), [weak], "{act}");
                database.sql("DROP POLICY IF EXISTS gate ON row; DROP POLICY IF EXISTS wall ON row");
                owner.raise(&[ROW]).unwrap();
            }
            assert_eq!(told("SELECT 1"), []);
        }
    }

    #[test]
    fn amcheck_is_there_when_the_role_may_call_it() {
        let Some(server) = Cluster::shared(Version::V15) else { return };
        let (database, owner) = database_on(&server);
        assert!(!owner.settings(&[]).unwrap().amcheck);
        database.sql("CREATE EXTENSION amcheck");
        assert!(!owner.settings(&[]).unwrap().amcheck, "nobody but a superuser may call it");
        database.sql(&format!("GRANT EXECUTE ON FUNCTION bt_index_check(regclass) TO {}", database.owner()));
        assert!(owner.settings(&[]).unwrap().amcheck);
        assert!(owner.settings(&[]).unwrap().version.starts_with("15."));
    }
}
