//! What tests need beside Rust and a C compiler: installed from Debian's packages when that may be done, else said.

use std::process::Command;

use crate::shell::{answers, program, run, say};

/// Something that tests use.
struct Need {
    /// Programs, any of which will do: asked for their version, or with the words that follow.
    programs: &'static [&'static str],
    /// Debian's package.
    package: &'static str,
    /// Who uses it.
    users: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        users: "the test of the documentation's page in a browser (strongroom::it docs_page), and those of the self-test (selftest)",
    },
    Need {
        programs: &["ip -Version"],
        package: "iproute2",
        users: "the static program alone in an empty folder, on a network that leads nowhere",
    },
    Need { programs: &["systemd-analyze"], package: "systemd", users: "systemd's checks of the unit" },
    Need {
        programs: &["go version"],
        package: "golang-go",
        users: "the judge of exported ledgers (strongroom::it judges)",
    },
    Need {
        programs: &["test -e /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go"],
        package: "golang-golang-x-mod-dev",
        users: "the judge of exported ledgers (strongroom::it judges)",
    },
    Need {
        programs: &["promtool"],
        package: "prometheus",
        users: "the judge of the metrics (strongroom::it judges)",
    },
    Need {
        programs: &["node"],
        package: "nodejs",
        users: "the walk of a generated TypeScript client (strongroom::it judges)",
    },
    Need {
        programs: &["npm"],
        package: "npm",
        users: "the walk of a generated TypeScript client (strongroom::it judges), and pages with other people's banners (selftest::it banners)",
    },
    Need {
        programs: &["softhsm2-util"],
        package: "softhsm2",
        users: "the PKCS#11 token that holds the key (strongroom::it key_holders)",
    },
    Need {
        programs: &["python3 -m ensurepip --version"],
        package: "python3-venv",
        users: "schemathesis, and the walk of a generated Python client (strongroom::it judges)",
    },
];

/// Whether packages may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Install {
    /// When they are missing and we are root on Debian.
    IfMissing,
    /// Never.
    Never,
}

/// Sees to it that what tests need is there. Gives what is still missing, and what is skipped because of that.
pub(crate) fn install(install: Install) -> Vec<String> {
    let missing = |need: &&Need| !need.programs.iter().any(|line| is_there(line));
    let absent: Vec<&Need> = NEEDS.iter().filter(missing).collect();
    if absent.is_empty() {
        return Vec::new();
    }
    let because = match install {
        Install::Never => "nothing may be installed",
        Install::IfMissing if !is_root() => "only root may install it",
        Install::IfMissing if !answers("apt-get", &["--version"]) => "this is no Debian",
        Install::IfMissing => {
            let packages: Vec<&str> = absent.iter().map(|need| need.package).collect();
            say(format!("installing {}", packages.join(" ")));
            match from_debian(&packages) {
                Ok(()) => "it was installed and does not run",
                Err(error) => {
                    say(format!("{error:#}"));
                    // One that this Debian does not have keeps none of the others away.
                    for package in &packages {
                        let _ = from_debian(&[*package]);
                    }
                    "Debian's packages could not be installed"
                }
            }
        }
    };
    let still = absent.into_iter().filter(missing);
    still
        .map(|need| {
            format!(
                "{}: {} is not here, and {because} (Debian: apt-get install {})",
                need.users,
                need.programs.join(" or "),
                need.package
            )
        })
        .collect()
}

fn is_there(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let asked: Vec<&str> = words.collect();
    answers(name, if asked.is_empty() { &["--version"] } else { &asked })
}

pub(crate) fn is_root() -> bool {
    let id = program("id", &["-u"]).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

pub(crate) fn from_debian(packages: &[&str]) -> anyhow::Result<()> {
    let apt = |arguments: &[&str]| -> Command {
        let mut command =
            program("apt-get", &["-q", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30"]);
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
        command
    };
    run(&mut apt(&["update"]))?;
    run(apt(&["install", "--yes", "--no-install-recommends"]).args(packages))
}
