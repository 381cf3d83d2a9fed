//! Guard: who may call whom. The table below is section 3 of the design; what it does not allow is a breach.
//!
//! Every path that begins with `crate`, `super` or `self` is followed, in imports, in code and inside macros. What could
//! hide an arrow (the whole crate under another name, names at its root, files taken from elsewhere) is a breach, too.

use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenTree};

use crate::shell::{self, Breach};
use crate::source::{self, Source, ident, is_punct, line_of};

/// The rooms, and whom each may call. All stand on `ground`.
const ROOMS: &[(&str, &[&str])] = &[
    ("notice", &[]),
    ("choose", &["notice"]),
    ("collect", &["keep", "choose"]),
    ("keep", &[]),
    ("reveal", &["keep", "choose", "people"]),
    ("share", &["reveal", "choose"]),
    ("erase", &["keep", "share", "choose"]),
    ("answer", &["notice", "choose", "collect", "keep", "reveal", "share", "erase"]),
    ("incident", &["keep", "share"]),
    ("observe", &["choose"]),
    ("people", &[]),
    (
        "account",
        &[
            "notice", "choose", "collect", "keep", "reveal", "share", "erase", "answer", "incident",
            "observe", "people",
        ],
    ),
];

/// What stands around the rooms: may it call rooms, and whom else?
const AROUND: &[(&str, bool, &[&str])] = &[
    ("ground", false, &[]),
    ("process", false, &["ground"]),
    ("config", false, &["ground", "open"]),
    // A restore or a move that was cut off is looked for before anything is opened.
    ("open", true, &["ground", "backup", "moves", "neighbours"]),
    // What other servers have entered, taken over room by room.
    ("neighbours", true, &["ground", "open"]),
    ("backup", true, &["ground", "open", "moves"]),
    ("moves", true, &["ground", "open", "backup", "config"]),
    ("caretaker", true, &["ground", "open", "neighbours"]),
    // Questions of law are asked of packs: it knows no room, and no data.
    ("law", false, &["ground"]),
    ("desk", true, &["ground", "open", "backup", "caretaker", "config", "law", "neighbours"]),
    // A witness serves other people's logs: it knows nothing of a house.
    ("witness", false, &["ground"]),
    (
        "cli",
        true,
        &["ground", "open", "backup", "moves", "caretaker", "config", "desk", "law", "process", "witness"],
    ),
];

/// The small crates, and which of our own each may use. The house uses them all.
const CRATES: &[(&str, &[&str])] = &[
    ("rulebook", &[]),
    // The workbook only for tests: a record of processing is read back from one.
    ("policy", &["rulebook", "workbook"]),
    ("seal", &[]),
    ("ledger", &[]),
    ("vfs", &[]),
    ("hsm", &[]),
    ("workbook", &[]),
    // It drives a browser, and knows nothing of a house.
    ("selftest", &[]),
    ("store", &["vfs", "testbed"]),
    ("marketplace", &[]),
    // PostgreSQL for tests: nothing uses it but as a dev-dependency.
    ("testbed", &[]),
];
const HOUSE: &str = "strongroom";

/// Runs the guard on this repository.
pub(crate) fn run() -> Result<()> {
    let root = shell::root();
    let found = look(&root)?;
    let well = format!("{} calls between rooms and what stands around them, each on the table", found.calls);
    shell::verdict("arrows", &found.breaches, &well)
}

/// What the guard saw.
#[derive(Debug)]
pub(crate) struct Found {
    calls: usize,
    breaches: Vec<Breach>,
}

/// Looks at every path in the house, and at the dependencies of every crate.
pub(crate) fn look(root: &Path) -> Result<Found> {
    let mut found = Found { calls: 0, breaches: Vec::new() };
    for source in source::read_sources(root, "crates/strongroom/src")? {
        let mut walk = Walk { source: &source, found: &mut found };
        walk.list(&source.tokens, &source.module);
    }
    found.breaches.extend(walls(root)?);
    found.breaches.sort();
    found.breaches.dedup();
    Ok(found)
}

/// Whom may this module call? `None` when it is on no line of the table.
fn may_call(from: &str, to: &str) -> Option<bool> {
    let is_room = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    if let Some((_, rooms)) = ROOMS.iter().find(|(room, _)| *room == from) {
        return Some(to == "ground" || rooms.contains(&to));
    }
    let (_, rooms, others) = AROUND.iter().find(|(name, _, _)| *name == from)?;
    Some(others.contains(&to) || (*rooms && is_room(to)))
}

fn is_known(name: &str) -> bool {
    ROOMS.iter().any(|(room, _)| *room == name) || AROUND.iter().any(|(around, _, _)| *around == name)
}

struct Walk<'a> {
    source: &'a Source,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn breach(&mut self, token: &TokenTree, what: String) {
        self.found.breaches.push(Breach { file: self.source.file.clone(), line: line_of(token), what });
    }

    /// Follows one list of tokens in a module.
    fn list(&mut self, tokens: &[TokenTree], module: &[String]) {
        let mut position: usize = 0;
        while let Some(token) = tokens.get(position) {
            let before = position.checked_sub(1).and_then(|at| tokens.get(at));
            let after = tokens.get(position.saturating_add(1));
            position = position.saturating_add(1);
            match token {
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let name = position.checked_sub(2).and_then(|at| ident(tokens.get(at)));
                    let keyword = position.checked_sub(3).and_then(|at| ident(tokens.get(at)));
                    match (keyword, name, group.delimiter()) {
                        (Some(keyword), Some(name), Delimiter::Brace) if keyword == "mod" => {
                            let inside: Vec<String> =
                                module.iter().cloned().chain([name.to_string()]).collect();
                            self.list(&inner, &inside);
                        }
                        (_, _, Delimiter::Bracket) if is_path_attribute(&inner) => {
                            self.breach(token, "a file from elsewhere hides who calls whom".into());
                        }
                        _ => self.list(&inner, module),
                    }
                }
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    let begins = !is_punct(before, ':') && !is_punct(before, '.');
                    match word.as_str() {
                        "crate" | "super" | "self" if begins => {
                            let end = self.path(tokens, position.saturating_sub(1), module);
                            position = end.max(position);
                        }
                        "strongroom" if begins && is_punct(after, ':') => {
                            let rest = tokens.get(position.saturating_add(2)..).unwrap_or_default();
                            self.tree(rest, &[], module, token);
                        }
                        "include" if is_punct(after, '!') => {
                            self.breach(token, "an included file hides who calls whom".into());
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Follows a path that begins here. Gives the position behind its beginning.
    fn path(&mut self, tokens: &[TokenTree], start: usize, module: &[String]) -> usize {
        let Some(first) = tokens.get(start) else { return start };
        let mut base: Vec<String> = module.to_vec();
        let mut at = start;
        while let Some(word) = ident(tokens.get(at)) {
            if word == "crate" {
                base.clear();
            } else if word == "super" {
                base.pop();
            } else if word != "self" {
                break;
            }
            let colons = is_punct(tokens.get(at.saturating_add(1)), ':')
                && is_punct(tokens.get(at.saturating_add(2)), ':');
            if !colons {
                let renamed = ident(tokens.get(at.saturating_add(1))).is_some_and(|word| word == "as");
                if base.is_empty() && renamed {
                    self.breach(first, "the whole crate under another name hides who calls whom".into());
                }
                return at.saturating_add(1);
            }
            at = at.saturating_add(3);
        }
        let rest = tokens.get(at..).unwrap_or_default();
        self.tree(rest, &base, module, first);
        at
    }

    /// The rest of a path: a name, a list of names in braces, or everything.
    fn tree(&mut self, rest: &[TokenTree], base: &[String], module: &[String], at: &TokenTree) {
        match rest.first() {
            Some(TokenTree::Ident(name)) if base.is_empty() => {
                let invoked = is_punct(rest.get(1), '!') && !is_punct(rest.get(2), '=');
                let to = if invoked && name == "note" { String::from("ground") } else { name.to_string() };
                self.arrow(module, &to, at);
            }
            Some(TokenTree::Ident(_)) => {
                if let Some(to) = base.first() {
                    self.arrow(module, to, at);
                }
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inner.split(|token| is_punct(Some(token), ',')) {
                    let Some(first) = branch.first() else { continue };
                    if base.is_empty() && ident(Some(first)).is_some_and(|word| word == "self") {
                        self.breach(first, "the whole crate under another name hides who calls whom".into());
                    } else {
                        self.tree(branch, base, module, first);
                    }
                }
            }
            Some(sign) if is_punct(Some(sign), '*') => match base.first() {
                Some(to) => self.arrow(module, to, at),
                None => self.breach(at, "everything at once hides who calls whom: name what is used".into()),
            },
            _ => {}
        }
    }

    fn arrow(&mut self, module: &[String], to: &str, at: &TokenTree) {
        let Some(from) = module.first() else {
            // The root declares modules; `main.rs` calls in from outside.
            if self.source.file.ends_with("lib.rs") {
                self.breach(at, format!("the root of the crate gives `{to}` a second name"));
            }
            return;
        };
        if from == to {
            return;
        }
        self.found.calls = self.found.calls.saturating_add(1);
        match may_call(from, to) {
            Some(true) => {}
            Some(false) if !is_known(to) => self.breach(
                at,
                format!(
                    "`{from}` uses `crate::{to}`, which is no room and nothing that stands around the rooms"
                ),
            ),
            Some(false) => self.breach(at, format!("`{from}` may not call `{to}`")),
            None => self.breach(at, format!("`{from}` is on no line of the table in xtask/src/arrows.rs")),
        }
    }
}

/// `path = "…"` in an attribute of its own: the module's file is another one than its name says.
fn is_path_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Ident(path), equals, TokenTree::Literal(_)] if path == "path" && is_punct(Some(equals), '='))
}

/// Do the small crates know nothing of each other?
fn walls(root: &Path) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    let folder = root.join("crates");
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    for name in names.iter().filter(|name| *name != HOUSE) {
        let file = format!("crates/{name}/Cargo.toml");
        let text = std::fs::read_to_string(root.join(&file)).with_context(|| file.clone())?;
        let manifest: toml::Table = text.parse().with_context(|| file.clone())?;
        let Some((_, may)) = CRATES.iter().find(|(small, _)| small == name) else {
            let what = format!("`{name}` is on no line of the table in xtask/src/arrows.rs");
            breaches.push(Breach { file, line: 1, what });
            continue;
        };
        for used in dependencies(&manifest) {
            let ours =
                used == HOUSE || CRATES.iter().any(|(small, _)| *small == used) || names.contains(&used);
            if ours && used != *name && !may.contains(&used.as_str()) {
                let line = text.lines().position(|line| line.trim_start().starts_with(&used)).unwrap_or(0);
                let what = format!("the crate `{name}` may not know the crate `{used}`");
                breaches.push(Breach { file: file.clone(), line: line.saturating_add(1), what });
            }
        }
    }
    Ok(breaches)
}

/// Names of the packages that a manifest uses, for whatever purpose and target.
fn dependencies(table: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        if matches!(key.as_str(), "dependencies" | "dev-dependencies" | "build-dependencies") {
            for (name, how) in inner {
                let package = how.get("package").and_then(toml::Value::as_str);
                names.push(package.unwrap_or(name).to_owned());
            }
        } else if key == "target" {
            names.extend(inner.values().filter_map(toml::Value::as_table).flat_map(dependencies));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house with these files beside a lawful one, and what the guard says about it.
    fn breaches(planted: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let lawful = [
            (
                "crates/strongroom/src/lib.rs",
                "pub mod ground;\npub mod keep;\npub mod reveal;\npub mod erase;\n",
            ),
            ("crates/strongroom/src/main.rs", "fn main() { strongroom::cli::run(); }"),
            (
                "crates/strongroom/src/reveal/mod.rs",
                "use crate::keep::{self, Row};\nuse crate::{choose, ground::Id};\n",
            ),
            (
                "crates/strongroom/src/keep/mod.rs",
                "mod types;\nuse self::types::A;\nuse super::ground::Id;\n",
            ),
            (
                "crates/strongroom/src/keep/types.rs",
                "use super::Row; #[template(path = \"docs.html\")] struct D; pub(crate) fn a() { crate::note!(INFO, \"a\"); }",
            ),
            ("crates/policy/Cargo.toml", "[package]\nname = \"policy\"\n[dependencies]\nserde = \"1\"\n"),
        ];
        for (file, text) in lawful.iter().chain(planted) {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        look(folder.path()).unwrap().breaches.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_lawful_house_has_no_breach() {
        assert_eq!(breaches(&[]), [""; 0]);
    }

    #[test]
    fn an_arrow_against_the_table_is_found_however_it_is_written() {
        for (file, text, line, from, to) in [
            ("keep/a.rs", "\nuse crate::reveal;", 2, "keep", "reveal"),
            ("keep/a.rs", "use crate::reveal::open;", 1, "keep", "reveal"),
            ("keep/a.rs", "use crate::{\n  ground::Id,\n  reveal::{self, open},\n};", 3, "keep", "reveal"),
            ("keep/a.rs", "fn f() {\n\n crate::reveal::open() }", 3, "keep", "reveal"),
            ("keep/a.rs", "fn f() { debug_assert!(crate::reveal::is_open()) }", 1, "keep", "reveal"),
            ("keep/a.rs", "use super::super::reveal as other;", 1, "keep", "reveal"),
            ("keep/a/b.rs", "use super::super::super::{reveal};", 1, "keep", "reveal"),
            ("keep/a.rs", "mod c { use super::super::super::reveal::open; }", 1, "keep", "reveal"),
            ("keep/a.rs", "use crate::reveal::*;", 1, "keep", "reveal"),
            ("keep/a.rs", "pub(in crate::keep) fn f(a: &crate::reveal::Permit) {}", 1, "keep", "reveal"),
            ("keep/a.rs", "use strongroom::reveal::open;", 1, "keep", "reveal"),
            ("reveal/a.rs", "use crate::erase;", 1, "reveal", "erase"),
            ("ground/a.rs", "use crate::keep;", 1, "ground", "keep"),
            ("reveal/a.rs", "use crate::desk;", 1, "reveal", "desk"),
            ("erase/a.rs", "use crate::people;", 1, "erase", "people"),
        ] {
            let planted = format!("crates/strongroom/src/{file}");
            let said = format!("{planted}:{line}: `{from}` may not call `{to}`");
            assert_eq!(breaches(&[(&planted, text)]), [said], "{text}");
        }
    }

    #[test]
    fn what_could_hide_an_arrow_is_a_breach() {
        for text in [
            "use crate as house;",
            "use crate::*;",
            "use crate::{self as house};",
            "#[path = \"../reveal/mod.rs\"] mod other;",
            "#[cfg(unix)] #[path = \"../reveal/mod.rs\"] mod other;",
            "include!(\"../reveal/mod.rs\");",
            "use crate::Permit;",
        ] {
            assert_eq!(breaches(&[("crates/strongroom/src/keep/a.rs", text)]).len(), 1, "{text}");
        }
        let root = "pub mod keep;\npub use crate::keep::open;";
        assert_eq!(breaches(&[("crates/strongroom/src/lib.rs", root)]).len(), 1);
        assert_eq!(breaches(&[("crates/strongroom/src/cellar.rs", "use crate::keep;")]).len(), 1);
    }

    #[test]
    fn tests_inside_a_room_may_arrange_through_any_other() {
        let text = "#[cfg(test)]\nmod tests { use crate::reveal; }";
        assert_eq!(breaches(&[("crates/strongroom/src/keep/a.rs", text)]), [""; 0]);
    }

    #[test]
    fn a_small_crate_that_knows_another_is_found() {
        let manifest = "[package]\nname = \"seal\"\n\n[dependencies]\nstore.workspace = true\n";
        assert_eq!(
            breaches(&[("crates/seal/Cargo.toml", manifest)]),
            ["crates/seal/Cargo.toml:5: the crate `seal` may not know the crate `store`"]
        );
        let hidden = "[package]\nname = \"seal\"\n[target.'cfg(unix)'.dev-dependencies]\nx = { package = \"ledger\" }\n";
        assert_eq!(breaches(&[("crates/seal/Cargo.toml", hidden)]).len(), 1);
        assert_eq!(breaches(&[("crates/cellar/Cargo.toml", "[package]\nname = \"cellar\"\n")]).len(), 1);
    }
}
