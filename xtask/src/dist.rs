//! `cargo xtask dist`: the archive of a release. Its programs are static: they need a Linux kernel, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::alone;
use crate::shell::{self, answers, at, made, output, print, program, say};

/// What `dist` takes.
#[derive(Debug, Args)]
pub(crate) struct DistArgs {
    /// Build for this target instead of this machine
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Then look whether the program runs with nothing around it: alone in a folder, without a network
    #[arg(long)]
    check: bool,
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
    "packaging",
];

/// Builds the archive in `target/dist`, and says where it is.
pub(crate) fn run(args: &DistArgs) -> Result<()> {
    let root = shell::root();
    let host = host()?;
    let target = args.target.clone().unwrap_or_else(|| host.clone());
    let built =
        build_static("release", &target, &["--package", "strongroom", "--package", "ledger", "--bins"])?;
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
        let bytes = std::fs::read(folder.join(program))?;
        if let Some(needed) = alone::needs(&bytes)? {
            bail!("{program} is not static: it needs {needed}");
        }
    }
    // What a container's volumes are made from: see packaging/Containerfile.
    for name in ["vault", "keys", "tmp"] {
        std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700)
            .create(folder.join("image").join(name))?;
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
    if args.check {
        for skipped in alone::check(&folder.join("strongroom"))? {
            say(format!("SKIPPED: {skipped}"));
        }
    }
    Ok(())
}

/// Builds the programs without any library that a machine would have to bring along, and without paths of this machine in them.
pub(crate) fn build_static(profile: &str, target: &str, what: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    // ORDER: `--target`, also when it is this machine's. Otherwise the flags would hold for build scripts and macros, too,
    // and what the compiler loads cannot be static.
    let arguments = ["--profile", profile, "--locked", "--target", target];
    shell::build(&[&arguments, what].concat(), &without_paths()?)
}

/// A static libc; and randomness from the kernel by its call. What looks for the call at run time finds none in a static
/// program, and reads /dev/urandom instead: in an empty folder there is none.
const RUST: [&str; 2] = ["-Ctarget-feature=+crt-static", "--cfg=getrandom_backend=\"linux_getrandom\""];

/// Flags for the compilers: a static libc, and names in the place of this machine's folders.
fn without_paths() -> Result<Vec<(&'static str, String)>> {
    let root = shell::root().to_string_lossy().into_owned();
    let mut places = vec![(root, "/strongroom")];
    if let Some(home) = cargo_home()? {
        places.push((home, "/cargo"));
    }
    let remaps = places.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    let rust: Vec<String> = RUST.iter().map(ToString::to_string).chain(remaps).collect();
    let c: Vec<String> = places.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
    Ok(vec![("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}")), ("CFLAGS", c.join(" "))])
}

/// Where cargo keeps the sources of what we use.
fn cargo_home() -> Result<Option<String>> {
    let metadata = output(&mut shell::cargo(&["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Json = serde_json::from_str(&metadata)?;
    let mut manifests = at(&metadata, "/packages")
        .as_array()
        .into_iter()
        .flatten()
        .map(|package| at(package, "/manifest_path"));
    Ok(manifests.find_map(|manifest| Some(manifest.as_str()?.split_once("/registry/src/")?.0.to_owned())))
}

/// What this machine is.
pub(crate) fn host() -> Result<String> {
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
