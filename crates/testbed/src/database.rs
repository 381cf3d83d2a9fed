//! A database of a test's own.

use std::fmt::{self, Debug};
use std::path::Path;

use crate::cluster::{Postgres, random};

/// What either role may do to the server: come in, and nothing else.
const RIGHTS: &str = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN";

/// A fresh database with the two roles that a house has: the owner, who makes and changes tables, and the one that runs, who
/// only uses them. It goes when it is dropped, with whoever is still connected.
pub struct Database {
    server: Postgres,
    name: String,
    password: String,
}

impl Postgres {
    /// Makes a database. Takes about 50 ms, and 25 ms to drop.
    ///
    /// The role that runs may read and write the rows of every table that the owner makes in `public`, and nothing else: it
    /// makes no table, not even a temporary one, and is neither superuser nor beyond row security.
    #[must_use]
    pub fn database(&self) -> Database {
        let (name, password) =
            (format!("t_{:016x}", random()), format!("{:016x}{:016x}", random(), random()));
        let database = Database { server: self.clone(), name, password };
        let (name, owner, run) = (&database.name, database.owner(), database.run());
        let password = &database.password;
        self.sql(
            "postgres",
            &format!(
                "CREATE ROLE {owner} {RIGHTS} PASSWORD '{password}';
                 CREATE ROLE {run} {RIGHTS} PASSWORD '{password}';
                 CREATE DATABASE {name} OWNER {owner} TEMPLATE template0;
                 REVOKE ALL ON DATABASE {name} FROM PUBLIC;
                 GRANT CONNECT ON DATABASE {name} TO {run};
                 \\connect {name}
                 ALTER SCHEMA public OWNER TO {owner};
                 REVOKE ALL ON SCHEMA public FROM PUBLIC;
                 GRANT USAGE ON SCHEMA public TO {run};
                 ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
                     GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {run};"
            ),
        );
        database
    }
}

impl Database {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    #[must_use]
    pub fn server(&self) -> &Postgres {
        &self.server
    }

    /// The role that makes and changes tables.
    #[must_use]
    pub fn owner(&self) -> String {
        format!("{}_owner", self.name)
    }

    /// The role of a running house.
    #[must_use]
    pub fn run(&self) -> String {
        format!("{}_run", self.name)
    }

    /// The password of both.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// As the owner, over TCP, with the server's certificate checked where it has one ([`Version::has_tls`](crate::Version::has_tls)).
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.url(&self.owner(), &self.server.ca())
    }

    /// As the role that runs, over TCP, with the server's certificate checked where it has one ([`Version::has_tls`](crate::Version::has_tls)).
    #[must_use]
    pub fn run_url(&self) -> String {
        self.url(&self.run(), &self.server.ca())
    }

    /// As the owner, over the Unix socket.
    #[must_use]
    pub fn owner_socket_url(&self) -> String {
        self.socket_url(&self.owner())
    }

    /// As the role that runs, over the Unix socket.
    #[must_use]
    pub fn run_socket_url(&self) -> String {
        self.socket_url(&self.run())
    }

    /// As a role, in plain text to another port, where a proxy listens.
    #[must_use]
    pub fn plain_url(&self, role: &str, port: u16) -> String {
        format!("postgres://{role}:{}@127.0.0.1:{port}/{}?sslmode=disable", self.password, self.name)
    }

    /// As a role, over TCP, with the server's certificate held against this authority's; in plain text to a version that knows no
    /// TLS.
    #[must_use]
    pub fn url(&self, role: &str, ca: &Path) -> String {
        if !self.server.version().has_tls() {
            return self.plain_url(role, self.server.port());
        }
        let (port, name, ca) = (self.server.port(), &self.name, escaped(ca));
        format!(
            "postgres://{role}:{}@127.0.0.1:{port}/{name}?sslmode=verify-full&sslrootcert={ca}",
            self.password
        )
    }

    /// As a role, over the Unix socket.
    #[must_use]
    pub fn socket_url(&self, role: &str) -> String {
        let (folder, port) = (escaped(&self.server.socket_folder()), self.server.port());
        format!("postgres://{role}:{}@{folder}:{port}/{}", self.password, self.name)
    }

    /// Runs statements in it as superuser: see [`Postgres::sql`].
    #[track_caller]
    pub fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }

    /// Runs statements as one of its roles, over the Unix socket. Gives what the server said when one fails.
    ///
    /// # Errors
    /// When a statement fails, or the server cannot be reached.
    pub fn try_sql_as(&self, role: &str, statements: &str) -> Result<String, String> {
        self.server.ask(&self.socket_url(role), statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, owner, run) = (&self.name, self.owner(), self.run());
        let drop = format!(
            "SET synchronous_commit = local; DROP DATABASE {name} WITH (FORCE); DROP ROLE {run}; DROP ROLE {owner};"
        );
        // A server that the test has killed has nothing left to drop, and a standby that is gone is not waited for.
        if self.server.inner.answers() {
            let _ = self.server.try_sql("postgres", &drop);
        }
    }
}

impl Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A path in a URL.
fn escaped(path: &Path) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.to_str().expect("paths here are UTF-8").bytes().map(one).collect()
}
