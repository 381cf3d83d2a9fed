//! `cargo xtask dist`: the archive of a release.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::shell::{self, answers, at, made, output, print, program, say};

/// What `dist` takes.
#[derive(Debug, Args)]
pub(crate) struct DistArgs {
    /// Build for this target instead of this machine
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

const PROGRAMS: &[&str] = &["strongroom", "ledger-verify"];
/// What goes along, if it is there.
const PAPERS: &[&str] = &[
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "TRUST.md",
    "ARCHITECTURE.md",
    "GLOSSARY.md",
    "ETHICS.md",
    "docs",
    "examples",
];

/// Builds the archive in `target/dist`, and says where it is.
pub(crate) fn run(args: &DistArgs) -> Result<()> {
    let root = shell::root();
    let mut build = vec!["--release", "--locked", "--package", "strongroom", "--package", "ledger", "--bins"];
    if let Some(target) = &args.target {
        build.extend(["--target", target.as_str()]);
    }
    let built = shell::build(&build)?;
    let host = host()?;
    let target = args.target.clone().unwrap_or_else(|| host.clone());
    let name = format!("strongroom-{}-{target}", env!("CARGO_PKG_VERSION"));
    let out = root.join("target/dist");
    let folder = out.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for program in PROGRAMS {
        std::fs::copy(made(&built, program)?, folder.join(program))?;
        strip(&folder.join(program), target == host)?;
    }
    for paper in PAPERS {
        copy(&root.join(paper), &folder.join(paper))?;
    }
    let (list, texts) = dependencies(&target)?;
    std::fs::write(folder.join("DEPENDENCIES.md"), list)?;
    std::fs::write(folder.join("DEPENDENCIES-LICENSES.txt"), texts)?;
    std::fs::write(folder.join("SHA256SUMS"), sums(&folder)?)?;
    let archive = out.join(format!("{name}.tar.gz"));
    pack(&out, &name, &archive)?;
    let sum = sum_of(&archive)?;
    std::fs::write(out.join(format!("{name}.tar.gz.sha256")), format!("{sum}  {name}.tar.gz\n"))?;
    print(format!("{sum}  {}", archive.display()));
    Ok(())
}

fn host() -> Result<String> {
    let version = output(&mut program("rustc", &["--version", "--verbose"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what machine this is")?.to_owned())
}

fn strip(file: &Path, own: bool) -> Result<()> {
    if !own || !answers("strip", &["--version"]) {
        say(format!(
            "not stripped: {} (strip works for this machine only, and comes with a C compiler)",
            file.display()
        ));
        return Ok(());
    }
    shell::run(&mut program("strip", &[&file.to_string_lossy()]))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if from.exists() {
        std::fs::copy(from, to).with_context(|| from.display().to_string())?;
    } else {
        say(format!("not in the archive, because it is not there: {}", from.display()));
    }
    Ok(())
}

/// The archive, the same bytes for the same files: sorted, without owners, without the time of its making.
fn pack(out: &Path, name: &str, archive: &Path) -> Result<()> {
    let tar = archive.with_extension("");
    let mut command = program(
        "tar",
        &["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--format=ustar"],
    );
    command.arg("-cf").arg(&tar).arg("-C").arg(out).arg(name);
    shell::run(&mut command)?;
    shell::run(program("gzip", &["-9", "-n", "-f"]).arg(&tar))
}

fn sums(folder: &Path) -> Result<String> {
    let mut list = String::new();
    for file in all_files(folder)? {
        writeln!(list, "{}  {}", sum_of(&file)?, file.strip_prefix(folder)?.display())?;
    }
    Ok(list)
}

fn all_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(all_files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

fn sum_of(file: &Path) -> Result<String> {
    let digest = Sha256::digest(std::fs::read(file).with_context(|| file.display().to_string())?);
    Ok(digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// Every package that is linked into the programs: a list, and the texts of their licences.
fn dependencies(target: &str) -> Result<(String, String)> {
    let metadata = output(&mut shell::cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        target,
    ]))?;
    let metadata: Json = serde_json::from_str(&metadata)?;
    let linked = linked(&metadata, &["strongroom", "ledger"]);
    let mut list = String::from(
        "# What is linked into the programs\n\nWritten by `cargo xtask dist` from cargo's own metadata. The texts of the licences are in \
         `DEPENDENCIES-LICENSES.txt`.\n\n| package | version | licence | from |\n|---|---|---|---|\n",
    );
    let mut texts = String::new();
    let mut nameless = Vec::new();
    for package in at(&metadata, "/packages").as_array().into_iter().flatten() {
        let (id, name) = (
            at(package, "/id").as_str().unwrap_or_default(),
            at(package, "/name").as_str().unwrap_or_default(),
        );
        if !linked.contains(id) || at(package, "/source").is_null() {
            continue;
        }
        let version = at(package, "/version").as_str().unwrap_or_default();
        let licence =
            at(package, "/license").as_str().or(at(package, "/license_file").as_str()).unwrap_or_default();
        if licence.is_empty() {
            nameless.push(name);
        }
        writeln!(
            list,
            "| {name} | {version} | {licence} | {} |",
            at(package, "/repository").as_str().unwrap_or("crates.io")
        )?;
        let folder = Path::new(at(package, "/manifest_path").as_str().unwrap_or_default())
            .parent()
            .unwrap_or(Path::new(""));
        for file in licence_files(folder)? {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let title = file.file_name().unwrap_or_default().to_string_lossy();
            write!(texts, "{0}\n{name} {version}: {title}\n{0}\n\n{1}\n\n", "=".repeat(80), text.trim_end())?;
        }
    }
    if !nameless.is_empty() {
        bail!("packages without a licence: {}", nameless.join(", "));
    }
    Ok((list, texts))
}

/// Ids of the packages that these reach through ordinary dependencies.
fn linked<'a>(metadata: &'a Json, from: &[&str]) -> BTreeSet<&'a str> {
    let text = |value: &'a Json| value.as_str().unwrap_or_default();
    let nodes: BTreeMap<&str, &Json> = at(metadata, "/resolve/nodes")
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| (text(at(node, "/id")), node))
        .collect();
    let own = at(metadata, "/packages")
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| at(package, "/source").is_null());
    let mut due: Vec<&str> = own
        .filter(|package| from.contains(&text(at(package, "/name"))))
        .map(|package| text(at(package, "/id")))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = due.pop() {
        let Some(node) = nodes.get(id).filter(|_| seen.insert(id)) else { continue };
        for dependency in at(node, "/deps").as_array().into_iter().flatten() {
            let mut kinds = at(dependency, "/dep_kinds").as_array().into_iter().flatten();
            if kinds.any(|kind| at(kind, "/kind").is_null()) {
                due.push(text(at(dependency, "/pkg")));
            }
        }
    }
    seen
}

fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file()
            && ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
                .iter()
                .any(|begin| name.starts_with(begin))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_and_builds_use_is_not_linked() {
        let kinds = |kind: Json| serde_json::json!([{ "kind": kind }]);
        let metadata = serde_json::json!({
            "packages": [{ "name": "house", "id": "house", "source": null }, { "name": "a", "id": "a", "source": "registry" }],
            "resolve": { "nodes": [
                { "id": "house", "deps": [
                    { "pkg": "a", "dep_kinds": kinds(Json::Null) },
                    { "pkg": "t", "dep_kinds": kinds("dev".into()) },
                    { "pkg": "b", "dep_kinds": kinds("build".into()) },
                ] },
                { "id": "a", "deps": [{ "pkg": "c", "dep_kinds": kinds(Json::Null) }] },
                { "id": "b", "deps": [] }, { "id": "c", "deps": [] }, { "id": "t", "deps": [] },
            ] },
        });
        let linked: Vec<&str> = linked(&metadata, &["house"]).into_iter().collect();
        assert_eq!(linked, ["a", "c", "house"]);
    }

    #[test]
    fn sums_name_every_file_and_are_those_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        std::fs::write(folder.path().join("docs/a"), "abc").unwrap();
        let list = sums(folder.path()).unwrap();
        assert_eq!(list, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  docs/a\n");
    }
}
