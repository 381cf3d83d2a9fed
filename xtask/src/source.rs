//! Rust sources as trees of tokens, without what is compiled for tests only. Tokens, because paths and SQL also stand inside
//! macros, where a parser of items does not look.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file, from the root.
    pub(crate) file: String,
    /// Its module, from the root of its crate; empty for `lib.rs` and `main.rs`.
    pub(crate) module: Vec<String>,
    /// Its tokens.
    pub(crate) tokens: Vec<TokenTree>,
}

/// Reads every file of a crate's `src` that is not compiled for tests only.
///
/// Takes: the root, and the folder of sources from there.
pub(crate) fn read_sources(root: &Path, folder: &str) -> Result<Vec<Source>> {
    let base = root.join(folder);
    let mut sources = Vec::new();
    let mut for_tests = Vec::new();
    for path in files(&base, "rs")? {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let inside = path.strip_prefix(&base)?;
        let module = module_of(inside);
        let file = Path::new(folder).join(inside).display().to_string();
        let stream: TokenStream = text.parse().map_err(|fault| anyhow::anyhow!("{file}: {fault}"))?;
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for name in test_modules(&tokens) {
            for_tests.push(module.iter().cloned().chain([name]).collect::<Vec<_>>());
        }
        sources.push(Source { file, module, tokens: without_tests(tokens) });
    }
    sources.retain(|source| !for_tests.iter().any(|gone| source.module.starts_with(gone)));
    Ok(sources)
}

/// Every file below a folder whose name ends so, in the order of the alphabet.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn module_of(inside: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        inside.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| last == "mod") {
        names.pop();
    }
    if names.len() == 1 && names.first().is_some_and(|only| only == "lib" || only == "main") {
        names.clear();
    }
    names
}

/// The modules with files of their own that are compiled for tests only.
fn test_modules(tokens: &[TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        let Some(item) = tokens.get(position.saturating_add(2)..) else { continue };
        if !is_punct(Some(token), '#') || !tokens.get(position.saturating_add(1)).is_some_and(is_cfg_test) {
            continue;
        }
        let end = item.iter().take_while(|token| !is_punct(Some(token), ';')).take(4).count();
        let words: Vec<String> = item.iter().take(end).map(ToString::to_string).collect();
        if let [.., keyword, name] = words.as_slice()
            && keyword == "mod"
        {
            found.push(name.clone());
        }
    }
    found
}

/// Takes out items, fields and statements under `#[cfg(test)]`, at every depth.
fn without_tests(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        if is_punct(Some(&token), '#') && rest.peek().is_some_and(is_cfg_test) {
            rest.next();
            skip_item(&mut rest);
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream().into_iter().collect());
                let mut clean = Group::new(group.delimiter(), inner.into_iter().collect());
                clean.set_span(group.span());
                TokenTree::Group(clean)
            }
            other => other,
        });
    }
    kept
}

fn skip_item(rest: &mut impl Iterator<Item = TokenTree>) {
    // What ends it: a body for functions, modules and blocks; else a semicolon, or a comma behind a field.
    let mut words: Vec<String> = Vec::new();
    for token in rest {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            TokenTree::Punct(punct)
                if punct.as_char() == ',' && words.get(1).is_some_and(|word| word == ":") =>
            {
                return;
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let begins = words.iter().find(|word| !matches!(word.as_str(), "pub" | "#"));
                let statement = begins.is_some_and(|word| matches!(word.as_str(), "use" | "static" | "let"))
                    || (begins.is_some_and(|word| word == "const") && !words.iter().any(|word| word == "fn"));
                if !statement {
                    return;
                }
            }
            TokenTree::Group(_) => {}
            other => words.push(other.to_string()),
        }
    }
}

fn is_cfg_test(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let text: String = group.stream().to_string().split_whitespace().collect();
    group.delimiter() == Delimiter::Bracket && (text == "cfg(test)" || text.starts_with("cfg(all(test"))
}

/// Is this token this sign?
pub(crate) fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// The name that this token is.
pub(crate) fn ident(token: Option<&TokenTree>) -> Option<&Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

/// The text of a string literal.
pub(crate) fn string_of(literal: &Literal) -> Option<String> {
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(text) => Some(text.value()),
        syn::Lit::ByteStr(bytes) => String::from_utf8(bytes.value()).ok(),
        _ => None,
    }
}

/// The line of a token.
pub(crate) fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

/// Calls for every list of tokens: the file's own, and that of every group in it.
pub(crate) fn each_list(tokens: &[TokenTree], act: &mut dyn FnMut(&[TokenTree])) {
    act(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            each_list(&inner, act);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        let stream: TokenStream = text.parse().unwrap();
        let kept = without_tests(stream.into_iter().collect());
        kept.into_iter().collect::<TokenStream>().to_string().split_whitespace().collect()
    }

    #[test]
    fn what_is_compiled_for_tests_only_is_left_out() {
        assert_eq!(
            clean("fn a() {} #[cfg(test)] mod tests { use crate::keep; } fn b() {}"),
            "fna(){}fnb(){}"
        );
        assert_eq!(clean("#[cfg(test)] use crate::{keep, erase}; fn b() {}"), "fnb(){}");
        assert_eq!(clean("struct S { #[cfg(test)] a: u8, b: u8 }"), "structS{b:u8}");
        assert_eq!(clean("#[cfg(test)] pub(crate) const fn a() -> u8 { 1 } fn b() {}"), "fnb(){}");
        assert_eq!(clean("#[cfg(unix)] fn a() {}"), "#[cfg(unix)]fna(){}");
    }

    #[test]
    fn a_file_knows_its_module() {
        for (file, module) in [
            ("lib.rs", vec![]),
            ("keep/mod.rs", vec!["keep"]),
            ("keep/sql.rs", vec!["keep", "sql"]),
            ("collect/import/rows.rs", vec!["collect", "import", "rows"]),
        ] {
            assert_eq!(module_of(Path::new(file)), module, "{file}");
        }
    }

    #[test]
    fn files_of_test_modules_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let src = folder.path().join("src");
        std::fs::create_dir(&src).unwrap();
        std::fs::write(src.join("lib.rs"), "mod a;\n#[cfg(test)]\npub(crate) mod tests;").unwrap();
        std::fs::write(src.join("a.rs"), "").unwrap();
        std::fs::write(src.join("tests.rs"), "").unwrap();
        let read = read_sources(folder.path(), "src").unwrap();
        let names: Vec<&str> = read.iter().map(|source| source.file.as_str()).collect();
        assert_eq!(names, ["src/a.rs", "src/lib.rs"]);
    }
}
