//! `cargo xtask sample`: a small vault as this release writes it. It is kept in the repository, and the tests of every later
//! release open a copy of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value as Json;

use crate::shell::{self, at, made, output, print, program};

/// What `sample` takes.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// Write over the vault of this version, which was never released
    #[arg(long)]
    replace: bool,
}

const FOLDER: &str = "crates/strongroom/tests/releases";
const INPUT: &str = "xtask/sample";
const MOST_BYTES: u64 = 300 * 1024;

/// Makes the vault.
pub(crate) fn run(args: &SampleArgs) -> Result<()> {
    let root = shell::root();
    let made_now = shell::build(&["--workspace", "--exclude", "xtask", "--bins", "--examples"], &[])?;
    let strongroom = made(&made_now, "strongroom")?;
    let folder = root.join(FOLDER).join(env!("CARGO_PKG_VERSION"));
    if folder.exists() {
        ensure!(
            args.replace,
            "{} is there; a released one stays as it is (`--replace` for one that was not)",
            folder.display()
        );
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let vault = Vault { strongroom, folder: &folder, input: root.join(INPUT) };
    vault.fill()?;
    let bytes = size_of(&folder)?;
    ensure!(bytes <= MOST_BYTES, "the vault has {bytes} bytes, and at most {MOST_BYTES} are kept");
    print(format!("{} ({bytes} bytes)", folder.display()));
    Ok(())
}

struct Vault<'a> {
    strongroom: &'a Path,
    folder: &'a Path,
    input: PathBuf,
}

impl Vault<'_> {
    fn command(&self, words: &[&str]) -> Result<Json> {
        let mut command = program(&self.strongroom.to_string_lossy(), words);
        command.args(["--quiet", "--json", "--data", "data", "--keys", "keys"]).current_dir(self.folder);
        let said = output(&mut command)?;
        serde_json::from_str(&said)
            .with_context(|| format!("`{}` did not print JSON", shell::shown(&command)))
    }

    fn fill(&self) -> Result<()> {
        let input = |name: &str| self.input.join(name).to_string_lossy().into_owned();
        let made =
            self.command(&["init", "--policy", &input("shop.toml"), "--credential-out", "admin.credential"])?;
        for (rows, mapping) in [("customers.jsonl", "customers.toml"), ("orders.csv", "orders.toml")] {
            let counts = self.command(&["import", &input(rows), "--mapping", &input(mapping)])?;
            ensure!(at(&counts, "/counts/rejected") == &Json::from(0), "rows of {rows} were rejected");
        }
        let purposes = ["--purpose", "account", "--purpose", "delivery"];
        self.command(
            &[
                &["credentials", "add", "--role", "service", "--label", "sample", "--out", "credential"],
                &purposes[..],
            ]
            .concat(),
        )?;
        self.command(&["erase", "2", "--yes"])?;
        let verified = self.command(&["ledger", "verify"])?;
        if at(&verified, "/verified") != &Json::from(true) {
            bail!("the ledger of the new vault does not verify");
        }
        let expected = serde_json::json!({
            "verifier_key": at(&made, "/verifier_key"),
            "entries": at(&verified, "/report/entries"),
        });
        std::fs::write(self.folder.join("expected.json"), format!("{expected:#}\n"))?;
        // Where the folder stood while it was made says nothing to anybody.
        let file = self.folder.join("data/strongroom.toml");
        let configuration = std::fs::read_to_string(&file)?;
        let lines = configuration
            .lines()
            .map(|line| if line.starts_with("folder = ") { "folder = \"keys\"" } else { line });
        std::fs::write(&file, lines.collect::<Vec<_>>().join("\n") + "\n")?;
        for gone in ["admin.credential", "data/owner.lock"] {
            std::fs::remove_file(self.folder.join(gone))?;
        }
        Ok(())
    }
}

fn size_of(folder: &Path) -> Result<u64> {
    let mut bytes = 0_u64;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let more = if path.is_dir() { size_of(&path)? } else { path.metadata()?.len() };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}
