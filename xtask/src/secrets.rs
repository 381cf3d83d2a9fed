//! Guard: what somebody could guess at is compared in constant time. `==` stops at the first byte that differs, and so says how
//! much of a guess is right.
//!
//! It goes by names: a value that is called `hash`, `mac`, `secret`, … is compared by `seal::same` and by nothing else, and the
//! types that hold one cannot be compared at all. A new name for such a thing belongs on the list below. Indexes of the
//! database are not looked at: what is looked up there is a keyed hash, which nobody outside can choose.

use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};

use crate::shell::{self, Breach};
use crate::source::{self, ident, is_punct, line_of};

/// Names of values that prove or hide something.
const NAMES: &[&str] = &["blind", "commitment", "expose", "hash", "mac", "plain", "secret", "seed", "token"];
/// Types that hold one. They derive no comparison and no hash, which would compare as well.
const TYPES: &[&str] = &[
    "CredentialRow",
    "DataKey",
    "DestroyedList",
    "Door",
    "IdKey",
    "Keyed",
    "Keyring",
    "NewCredential",
    "Personal",
    "Presented",
    "Repeat",
    "Secret",
    "ShopKeys",
];
/// Where such things are handled.
const FOLDERS: &[&str] = &["crates/seal/src", "crates/strongroom/src"];
/// What is called so and hides nothing: file, name, and why.
const ALLOWED: &[(&str, &str, &str)] =
    &[("crates/strongroom/src/desk/enter.rs", "Door", "which door a request came through")];

/// Runs the guard on this repository.
pub(crate) fn run() -> Result<()> {
    let (breaches, seen) = look(&shell::root(), FOLDERS)?;
    shell::verdict("secrets", &breaches, &format!("{seen} comparisons, none of them of a secret"))
}

fn look(root: &Path, folders: &[&str]) -> Result<(Vec<Breach>, usize)> {
    let mut looked = Looked::default();
    for folder in folders {
        for source in source::read_sources(root, folder).with_context(|| (*folder).to_owned())? {
            looked.file.clone_from(&source.file);
            looked.tokens(&source.tokens);
        }
    }
    Ok((looked.breaches, looked.seen))
}

#[derive(Default)]
struct Looked {
    file: String,
    breaches: Vec<Breach>,
    seen: usize,
}

impl Looked {
    fn tokens(&mut self, tokens: &[TokenTree]) {
        for (at, token) in tokens.iter().enumerate() {
            if let TokenTree::Group(group) = token {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                self.tokens(&inner);
            }
            if is_comparison(tokens, at) {
                self.seen = self.seen.saturating_add(1);
                let before = named_before(tokens.get(..at).unwrap_or_default());
                let behind = named_behind(tokens.get(at.saturating_add(2)..).unwrap_or_default());
                for name in [before, behind].into_iter().flatten() {
                    self.compared(token, &name);
                }
            }
            // `.eq(…)` and its kin.
            if let Some(method) = ident(Some(token))
                && ["eq", "ne", "cmp", "partial_cmp"].iter().any(|name| method == name)
                && is_punct(at.checked_sub(1).and_then(|before| tokens.get(before)), '.')
                && let Some(name) = named_before(tokens.get(..at.saturating_sub(1)).unwrap_or_default())
            {
                self.seen = self.seen.saturating_add(1);
                self.compared(token, &name);
            }
            self.derives(tokens, at);
        }
    }

    fn compared(&mut self, at: &TokenTree, name: &str) {
        if NAMES.contains(&name) && !self.is_allowed(name) {
            let what = format!("`{name}` is compared byte by byte; use `seal::same`");
            self.breaches.push(Breach { file: self.file.clone(), line: line_of(at), what });
        }
    }

    fn is_allowed(&self, name: &str) -> bool {
        ALLOWED.iter().any(|(file, allowed, _)| *file == self.file && *allowed == name)
    }

    /// `derive(… PartialEq …)` before a type of the list, or `impl PartialEq for` it.
    fn derives(&mut self, tokens: &[TokenTree], at: usize) {
        const COMPARES: [&str; 4] = ["PartialEq", "PartialOrd", "Ord", "Hash"];
        let Some(TokenTree::Ident(keyword)) = tokens.get(at) else { return };
        if keyword != "struct" && keyword != "enum" && keyword != "impl" {
            return;
        }
        let found = if keyword == "impl" {
            let head: Vec<String> = tokens
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|token| !matches!(token, TokenTree::Group(_)))
                .map(ToString::to_string)
                .collect();
            let of = head.iter().position(|word| word == "for").and_then(|of| head.get(of.saturating_add(1)));
            of.filter(|_| head.iter().any(|word| COMPARES.contains(&word.as_str()))).cloned()
        } else {
            let name = ident(tokens.get(at.saturating_add(1))).map(ToString::to_string);
            let attributes = tokens.get(at.saturating_sub(12)..at).unwrap_or_default();
            // Attributes of this item only: behind the end of the one before.
            let own = attributes
                .iter()
                .rposition(|token| is_punct(Some(token), ';') || is_body(token))
                .map_or(attributes, |end| attributes.get(end..).unwrap_or_default());
            let derived = own.iter().any(|token| derives_one_of(token, &COMPARES));
            name.filter(|_| derived)
        };
        if let Some(name) = found.filter(|name| TYPES.contains(&name.as_str()) && !self.is_allowed(name)) {
            let what = format!("`{name}` holds what could be guessed at, and must not be comparable");
            let line = tokens.get(at).map_or(0, line_of);
            self.breaches.push(Breach { file: self.file.clone(), line, what });
        }
    }
}

fn is_body(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace)
}

fn derives_one_of(token: &TokenTree, names: &[&str]) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let words: Vec<TokenTree> = group.stream().into_iter().collect();
    match words.as_slice() {
        [TokenTree::Ident(derive), TokenTree::Group(list)] if derive == "derive" => {
            let has = |stream: TokenStream| {
                stream.into_iter().any(|word| names.iter().any(|name| word.to_string() == *name))
            };
            has(list.stream())
        }
        _ => false,
    }
}

/// `==` or `!=` begins here.
fn is_comparison(tokens: &[TokenTree], at: usize) -> bool {
    let (first, second) = (tokens.get(at), tokens.get(at.saturating_add(1)));
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    (is_punct(first, '=') || is_punct(first, '!'))
        && is_punct(second, '=')
        && !['=', '!', '<', '>', '+', '-', '*', '/', '|', '&', '^', '%']
            .iter()
            .any(|sign| is_punct(before, *sign))
}

/// Words that show the same bytes in another way.
const SEEN_THROUGH: [&str; 9] = [
    "as_ref",
    "as_slice",
    "as_bytes",
    "clone",
    "copied",
    "iter",
    "into_iter",
    "map_err",
    "unwrap_or_default",
];

/// The name of the value that ends here: the last word that is not merely another look at it.
fn named_before(tokens: &[TokenTree]) -> Option<String> {
    for token in tokens.iter().rev() {
        match token {
            TokenTree::Ident(word) if SEEN_THROUGH.iter().any(|seen| word == seen) => {}
            TokenTree::Ident(word) => return Some(word.to_string()),
            TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | '?' | '&' | '*') => {}
            TokenTree::Group(group) if group.delimiter() != proc_macro2::Delimiter::Brace => {}
            TokenTree::Literal(number) if number.to_string().bytes().all(|byte| byte.is_ascii_digit()) => {}
            _ => return None,
        }
    }
    None
}

/// The name of the value that begins here.
fn named_behind(tokens: &[TokenTree]) -> Option<String> {
    let in_path = |token: &&TokenTree| match token {
        TokenTree::Ident(word) => !["as", "else", "if"].iter().any(|keyword| word == keyword),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | '?' | '*' | ':'),
        TokenTree::Group(group) => group.delimiter() != proc_macro2::Delimiter::Brace,
        TokenTree::Literal(_) => true,
    };
    let start =
        tokens.iter().take_while(|token| is_punct(Some(token), '&') || is_punct(Some(token), '*')).count();
    let whole: Vec<TokenTree> = tokens.get(start..)?.iter().take_while(in_path).cloned().collect();
    named_before(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(text: &str) -> usize {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/a.rs"), text).unwrap();
        look(folder.path(), &["src"]).unwrap().0.len()
    }

    #[test]
    fn a_secret_that_is_compared_byte_by_byte_is_found_however_it_is_written() {
        for text in [
            "fn f() { if door.hash == presented.hash.expose() { } }",
            "fn f() -> bool { row.mac != mac }",
            "fn f() -> bool { *mac != columns(row)? }",
            "fn f() -> bool { columns(row)? != *mac }",
            "fn f() -> bool { kept.mac.as_slice() == other }",
            "fn f() -> bool { token_of_value(&permit, recipient)?.0 != token }",
            "fn f() -> bool { list.iter().any(|(_, known)| known == blind) }",
            "fn f() -> bool { assert!(a.secret.eq(&b)) }",
            "fn f() -> bool { new.plain() != value.plain() }",
            "fn f() -> bool { other == &self.commitment }",
            "#[derive(Debug, Clone, PartialEq, Eq)]\npub struct CredentialRow { a: u8 }",
            "#[derive(Hash)]\n#[expect(dead_code, reason = \"x\")]\nstruct Door { a: u8 }",
            "impl<const N: usize> PartialEq for Secret<N> { }",
        ] {
            assert!(breaches(text) > 0, "{text}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_secret_is_let_through() {
        for text in [
            "fn f() -> bool { seal::same(&door.hash, presented.hash.expose()) }",
            "fn f() -> bool { secret.len() != 52 }",
            "fn f() -> bool { row.revoked_at == 0 && x >= hash }",
            "fn f() { x += hash; let mac = hash; }",
            "fn f() -> bool { one.hash.is_empty() == two }",
            "#[derive(Debug, Clone)]\npub struct CredentialRow { a: u8 }",
            "#[derive(PartialEq)]\nstruct Other { a: u8 }\n#[derive(Debug)]\nstruct Door { a: u8 }",
            "#[cfg(test)]\nmod tests { fn f() -> bool { a.hash == b.hash } }",
        ] {
            assert_eq!(breaches(text), 0, "{text}");
        }
    }
}
