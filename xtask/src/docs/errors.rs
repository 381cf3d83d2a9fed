//! `errors.md`: every stable code, what it means and what to do about it, found in the sources where it is made. A code keeps
//! one meaning: one that is made with different words has to have its one meaning written down in `xtask/codes.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenTree};

use super::cell;
use crate::shell::Breach;
use crate::source::{self, Source, each_list, ident, is_punct, line_of, string_of};

const MEANINGS: &str = "xtask/codes.toml";
/// Stands in documents for any code.
const PATTERN: &str = "SR-ROOM-000";

/// The page.
pub(super) fn page(root: &Path) -> Result<String> {
    let text = std::fs::read_to_string(root.join(MEANINGS)).context(MEANINGS)?;
    let meanings: BTreeMap<String, String> = toml::from_str(&text).context(MEANINGS)?;
    let found = Found::read(root)?;
    let mut breaches = found.faults(&meanings);
    breaches.extend(found.unknown_in_documents(root)?);
    breaches.sort();
    if !breaches.is_empty() {
        let list: Vec<String> = breaches.iter().map(ToString::to_string).collect();
        bail!("codes:\n{}", list.join("\n"));
    }
    found.write(&meanings)
}

/// One place where a code is made.
#[derive(Debug, Clone)]
struct Site {
    file: String,
    line: usize,
    words: Option<String>,
}

/// What is known about one code.
#[derive(Debug, Default)]
struct Code {
    sites: Vec<Site>,
    answers: BTreeSet<String>,
    helps: BTreeSet<String>,
}

impl Code {
    fn words(&self) -> BTreeSet<&str> {
        self.sites.iter().filter_map(|site| site.words.as_deref()).collect()
    }
}

/// One variant of an enum of errors.
#[derive(Debug, Default)]
struct Variant {
    words: Option<String>,
    code: Option<String>,
    answers: BTreeSet<String>,
    helps: BTreeSet<String>,
    file: String,
    line: usize,
}

#[derive(Debug, Default)]
struct Found {
    codes: BTreeMap<String, Code>,
    /// By crate, enum and name.
    variants: BTreeMap<(String, String, String), Variant>,
    /// Named in a comment of documentation.
    named: Vec<(String, String, usize)>,
}

impl Found {
    fn read(root: &Path) -> Result<Found> {
        let mut found = Found::default();
        let crates = root.join("crates");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&crates).with_context(|| crates.display().to_string())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let mut house = Vec::new();
        for name in names {
            let folder = format!("crates/{name}/src");
            if !root.join(&folder).is_dir() {
                continue;
            }
            let sources = source::read_sources(root, &folder)?;
            for source in &sources {
                let constants = constants(&source.tokens);
                let mut walk =
                    Walk { name: &name, source, constants, named: BTreeMap::new(), found: &mut found };
                walk.list(&source.tokens, "", &[]);
            }
            house.extend(sources);
        }
        // What the house says about the errors of the small crates, once all of those are known.
        for source in &house {
            found.conversions(source);
        }
        for variant in std::mem::take(&mut found.variants).into_values() {
            let Some(code) = variant.code else { continue };
            let code = found.codes.entry(code).or_default();
            code.sites.push(Site { file: variant.file, line: variant.line, words: variant.words });
            code.answers.extend(variant.answers);
            code.helps.extend(variant.helps);
        }
        Ok(found)
    }

    /// `impl From<store::Error> for Problem`: which status and which help a variant gets.
    fn conversions(&mut self, source: &Source) {
        let tokens = &source.tokens;
        for (position, token) in tokens.iter().enumerate() {
            if ident(Some(token)).is_none_or(|word| word != "impl") {
                continue;
            }
            let head: Vec<&TokenTree> =
                tokens.iter().skip(position).take(24).take_while(|token| !is_brace(token)).collect();
            let words: Vec<String> = head.iter().map(ToString::to_string).collect();
            let joined = words.concat();
            let Some(of) = joined.strip_prefix("implFrom<").and_then(|rest| rest.strip_suffix(">forProblem"))
            else {
                continue;
            };
            let Some(TokenTree::Group(body)) = tokens.get(position.saturating_add(head.len())) else {
                continue;
            };
            let (of_crate, of_enum) = of.split_once("::").unwrap_or((source_crate(&source.file), of));
            let inner: Vec<TokenTree> = body.stream().into_iter().collect();
            self.conversion(&inner, of_crate, of_enum);
        }
    }

    fn conversion(&mut self, body: &[TokenTree], of_crate: &str, of_enum: &str) {
        let key = |name: &str| (of_crate.to_owned(), of_enum.to_owned(), name.to_owned());
        let (mut usual, mut others) = (None, BTreeSet::new());
        each_list(body, &mut |list| {
            usual = usual.take().or_else(|| usual_status(list));
            for arm in arms(list) {
                let own_problem = arm.body.iter().any(|token| mentions(token, "new"));
                for name in &arm.variants {
                    if own_problem {
                        others.insert(name.clone());
                    } else if let Some(variant) = self.variants.get_mut(&key(name)) {
                        variant.helps.extend(helps_in(&arm.body));
                        variant.answers.extend(status_in(&arm.body));
                    }
                }
            }
            // `let help = match error { … }`
            for four in list.windows(4) {
                if let [TokenTree::Ident(help), _, TokenTree::Ident(word), TokenTree::Ident(_)] = four
                    && help == "help"
                    && word == "match"
                    && let Some(TokenTree::Group(body)) = list
                        .iter()
                        .skip_while(|token| ident(Some(token)) != Some(word))
                        .find(|token| is_brace(token))
                {
                    for arm in arms(&body.stream().into_iter().collect::<Vec<_>>()) {
                        for name in &arm.variants {
                            let Some(variant) = self.variants.get_mut(&key(name)) else { continue };
                            variant.helps.extend(first_string(&arm.body));
                        }
                    }
                }
            }
        });
        let Some(usual) = usual else { return };
        for ((in_crate, of, name), variant) in &mut self.variants {
            if in_crate == of_crate && of == of_enum && !others.contains(name) && variant.answers.is_empty() {
                variant.answers.insert(usual.clone());
            }
        }
    }

    fn faults(&self, meanings: &BTreeMap<String, String>) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for (id, code) in &self.codes {
            let Some(first) = code.sites.first() else { continue };
            let breach = |what: String| Breach { file: first.file.clone(), line: first.line, what };
            let words = code.words();
            // Words that are made at run time are not known here, so they count as others.
            let unknown = code.sites.iter().any(|site| site.words.is_none());
            let meant = words.len().saturating_add(usize::from(unknown && !words.is_empty()));
            match (meant, meanings.contains_key(id)) {
                (1, false) | (0 | 2.., true) => {}
                (0, false) => breaches.push(breach(format!(
                    "`{id}` has no words of its own here: write in {MEANINGS} what it means"
                ))),
                (_, false) => {
                    let list: Vec<String> = code
                        .sites
                        .iter()
                        .map(|site| {
                            format!(
                                "\n    {}:{}: {}",
                                site.file,
                                site.line,
                                site.words.as_deref().unwrap_or("…")
                            )
                        })
                        .collect();
                    breaches.push(breach(format!(
                        "`{id}` is made with different words; give each meaning a code of its own, or write in {MEANINGS} the one meaning that they share{}",
                        list.concat()
                    )));
                }
                (_, true) => {
                    let line = 1;
                    let what = format!("`{id}` has one meaning in the sources and needs none here");
                    breaches.push(Breach { file: MEANINGS.into(), line, what });
                }
            }
        }
        for id in meanings.keys().filter(|id| !self.codes.contains_key(*id)) {
            breaches.push(Breach { file: MEANINGS.into(), line: 1, what: format!("`{id}` is made nowhere") });
        }
        for (id, file, line) in &self.named {
            if !self.codes.contains_key(id) && id != PATTERN {
                let what = format!("`{id}` is named here and made nowhere");
                breaches.push(Breach { file: file.clone(), line: *line, what });
            }
        }
        breaches
    }

    /// Codes in README, guides and specifications that no source makes.
    fn unknown_in_documents(&self, root: &Path) -> Result<Vec<Breach>> {
        let mut breaches = Vec::new();
        let mut documents = source::files(&root.join("docs"), "md")?;
        documents.push(root.join("README.md"));
        for path in documents {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let file = path.strip_prefix(root)?.display().to_string();
            if file.starts_with(super::FOLDER) {
                continue;
            }
            for (line, row) in (1..).zip(text.lines()) {
                for id in codes_in(row).into_iter().filter(|id| !self.codes.contains_key(id) && id != PATTERN)
                {
                    let what = format!("`{id}` is named here and made nowhere");
                    breaches.push(Breach { file: file.clone(), line, what });
                }
            }
        }
        Ok(breaches)
    }

    fn write(&self, meanings: &BTreeMap<String, String>) -> Result<String> {
        let mut page = String::from(
            "# Codes\n\nWritten by `cargo xtask docs` from the sources.\n\nEverything that goes wrong has a code that keeps its meaning for \
             ever. Programs act on the code, people read the words beside it: in problem details (RFC 9457), on the command line, in \
             reject files of imports and in reports. No text holds a value.\n",
        );
        let mut last = "";
        for (id, code) in &self.codes {
            let family = id.rsplit_once('-').map_or("", |(family, _)| family);
            if family != last {
                write!(
                    page,
                    "\n## {family}\n\n| code | answered as | means | what to do |\n|---|---|---|---|\n"
                )?;
                last = family;
            }
            let words = code.words();
            let means =
                meanings.get(id).map(String::as_str).or_else(|| words.first().copied()).unwrap_or_default();
            let answers: Vec<&str> = code.answers.iter().map(String::as_str).collect();
            let helps: Vec<&str> = code.helps.iter().map(String::as_str).collect();
            writeln!(
                page,
                "| `{id}` | {} | {} | {} |",
                answers.join(", "),
                cell(&with_gaps(means)),
                cell(&with_gaps(&helps.join(" · ")))
            )?;
        }
        Ok(page)
    }
}

struct Walk<'a> {
    name: &'a str,
    source: &'a Source,
    constants: BTreeMap<String, String>,
    /// Texts that were given a name in this function.
    named: BTreeMap<String, String>,
    found: &'a mut Found,
}

impl Walk<'_> {
    /// Takes: the type whose `impl` this is in, and what is said in `.help(…)` behind this list.
    fn list(&mut self, tokens: &[TokenTree], of: &str, helps: &[String]) {
        let mut of = of.to_owned();
        for (position, token) in tokens.iter().enumerate() {
            let behind = tokens.get(position.saturating_add(1)..).unwrap_or_default();
            match token {
                TokenTree::Ident(word) if word == "impl" => of = type_of_impl(behind),
                TokenTree::Ident(word) if word == "enum" => self.variants(behind),
                TokenTree::Ident(word) if word == "let" => {
                    if let [TokenTree::Ident(name), equals, ..] = behind
                        && is_punct(Some(equals), '=')
                    {
                        let value: Vec<TokenTree> =
                            behind.iter().take_while(|token| !is_punct(Some(token), ';')).cloned().collect();
                        self.named.extend(first_string(&value).map(|text| (name.to_string(), text)));
                    }
                }
                TokenTree::Ident(word)
                    if word == "fn" && ident(behind.first()).is_some_and(|name| name == "help") =>
                {
                    self.help_arms(behind, &of);
                }
                TokenTree::Ident(word) if word == "fn" => self.named.clear(),
                TokenTree::Ident(word) => {
                    let first = position == 0 && is_punct(behind.first(), ',');
                    if let Some(id) = self.constants.get(&word.to_string()).filter(|_| first).cloned() {
                        self.made(id, token, behind, helps);
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let invoked =
                        position.checked_sub(2).and_then(|at| ident(tokens.get(at))).map(ToString::to_string);
                    match invoked
                        .as_deref()
                        .filter(|_| position.checked_sub(1).is_some_and(|at| is_punct(tokens.get(at), '!')))
                    {
                        Some("codes") => self.listed("SR-POL", &inner),
                        Some("change_codes") => self.listed("SR-DIF", &inner),
                        _ => self.list(&inner, &of, &chained_helps(behind)),
                    }
                }
                TokenTree::Literal(literal) => {
                    let Some(text) = string_of(literal) else { continue };
                    let before = tokens.get(..position).unwrap_or_default();
                    if is_doc(before) {
                        let line = line_of(token);
                        self.found.named.extend(
                            codes_in(&text).into_iter().map(|id| (id, self.source.file.clone(), line)),
                        );
                    } else if codes_in(&text) == [text.clone()] {
                        self.literal(text, token, before, behind, &of, helps);
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn literal(
        &mut self,
        id: String,
        token: &TokenTree,
        before: &[TokenTree],
        behind: &[TokenTree],
        of: &str,
        helps: &[String],
    ) {
        match before {
            [.., equals, greater] if is_punct(Some(equals), '=') && is_punct(Some(greater), '>') => {
                let head = before.get(..before.len().saturating_sub(2)).unwrap_or_default();
                for name in names_before_arrow(head) {
                    let key = (self.name.to_owned(), of.to_owned(), name);
                    let variant = self.found.variants.entry(key).or_default();
                    variant.code = Some(id.clone());
                    (variant.file, variant.line) = (self.source.file.clone(), line_of(token));
                }
            }
            // Compared with, or given a name.
            [.., equals] if is_punct(Some(equals), '=') => {}
            _ => self.made(id, token, behind, helps),
        }
    }

    fn made(&mut self, id: String, token: &TokenTree, behind: &[TokenTree], helps: &[String]) {
        let named =
            || behind.iter().find_map(|token| self.named.get(&ident(Some(token))?.to_string()).cloned());
        let words = first_string(behind).or_else(named);
        let site = Site { file: self.source.file.clone(), line: line_of(token), words };
        let code = self.found.codes.entry(id).or_default();
        code.sites.push(site);
        code.helps.extend(helps.iter().cloned());
        if let [comma, TokenTree::Literal(status), ..] = behind
            && is_punct(Some(comma), ',')
            && status.to_string().parse::<u16>().is_ok()
        {
            code.answers.insert(status.to_string());
        }
    }

    /// `1 Syntax Error "the file is not valid TOML";`
    fn listed(&mut self, family: &str, tokens: &[TokenTree]) {
        for row in tokens.split(|token| is_punct(Some(token), ';')) {
            let [TokenTree::Literal(number), middle @ .., TokenTree::Literal(words)] = row else { continue };
            let Ok(number) = number.to_string().parse::<u16>() else { continue };
            let code = self.found.codes.entry(format!("{family}-{number:03}")).or_default();
            let line = line_of(&TokenTree::Literal(words.clone()));
            code.sites.push(Site { file: self.source.file.clone(), line, words: string_of(words) });
            if let [_, TokenTree::Ident(severity)] = middle {
                code.answers.insert(severity.to_string().to_lowercase());
            }
        }
    }

    /// The variants of an enum, with the words of `#[error("…")]`.
    fn variants(&mut self, behind: &[TokenTree]) {
        let (Some(name), Some(TokenTree::Group(body))) =
            (ident(behind.first()), behind.iter().find(|token| is_brace(token)))
        else {
            return;
        };
        let mut words = None;
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        for (position, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                    let attribute: Vec<TokenTree> = group.stream().into_iter().collect();
                    if ident(attribute.first()).is_some_and(|word| word == "error") {
                        words = first_string(&attribute);
                    }
                }
                TokenTree::Ident(variant) => {
                    let key = (self.name.to_owned(), name.to_string(), variant.to_string());
                    let entry = self.found.variants.entry(key).or_default();
                    entry.words = words.take().or_else(|| entry.words.take());
                    if entry.line == 0 {
                        (entry.file, entry.line) =
                            (self.source.file.clone(), line_of(tokens.get(position).unwrap_or(token)));
                    }
                }
                _ => {}
            }
        }
    }

    fn help_arms(&mut self, behind: &[TokenTree], of: &str) {
        let Some(TokenTree::Group(body)) = behind.iter().find(|token| is_brace(token)) else { return };
        let inner: Vec<TokenTree> = body.stream().into_iter().collect();
        each_list(&inner, &mut |list| {
            for arm in arms(list) {
                let Some(help) = first_string(&arm.body) else { continue };
                for name in arm.variants {
                    let key = (self.name.to_owned(), of.to_owned(), name);
                    self.found.variants.entry(key).or_default().helps.insert(help.clone());
                }
            }
        });
    }
}

/// One arm of a match over variants.
struct Arm {
    variants: Vec<String>,
    body: Vec<TokenTree>,
}

fn arms(list: &[TokenTree]) -> Vec<Arm> {
    let mut found = Vec::new();
    let arrows = list
        .windows(2)
        .enumerate()
        .filter(|(_, two)| is_punct(two.first(), '=') && is_punct(two.last(), '>'));
    for (position, _) in arrows {
        let variants = names_before_arrow(list.get(..position).unwrap_or_default());
        let behind = list.get(position.saturating_add(2)..).unwrap_or_default();
        let body: Vec<TokenTree> = match behind.first() {
            Some(block) if is_brace(block) => vec![block.clone()],
            _ => behind.iter().take_while(|token| !is_punct(Some(token), ',')).cloned().collect(),
        };
        found.push(Arm { variants, body });
    }
    found
}

/// `Self::A { .. } | Error::B` before the arrow of an arm: A and B.
fn names_before_arrow(head: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = head;
    loop {
        if let Some((TokenTree::Group(group), before)) = rest.split_last()
            && matches!(group.delimiter(), Delimiter::Brace | Delimiter::Parenthesis)
        {
            rest = before;
        }
        let Some((TokenTree::Ident(name), before)) = rest.split_last() else { return names };
        let [qualified @ .., _, first, second] = before else { return names };
        if !is_punct(Some(first), ':') || !is_punct(Some(second), ':') {
            return names;
        }
        names.push(name.to_string());
        match qualified.split_last() {
            Some((sign, before)) if is_punct(Some(sign), '|') => rest = before,
            _ => return names,
        }
    }
}

fn constants(tokens: &[TokenTree]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    each_list(tokens, &mut |list| {
        for (position, token) in list.iter().enumerate() {
            let (Some(name), true) = (
                ident(list.get(position.saturating_add(1))),
                ident(Some(token)).is_some_and(|word| word == "const"),
            ) else {
                continue;
            };
            let value = list.iter().skip(position).take_while(|token| !is_punct(Some(token), ';')).last();
            if let Some(TokenTree::Literal(literal)) = value
                && let Some(text) = string_of(literal)
                && codes_in(&text) == [text.clone()]
            {
                found.insert(name.to_string(), text);
            }
        }
    });
    found
}

/// The type of an `impl`, behind `for` if there is one.
fn type_of_impl(behind: &[TokenTree]) -> String {
    let head: Vec<&TokenTree> = behind.iter().take_while(|token| !is_brace(token)).collect();
    let start = head
        .iter()
        .position(|token| ident(Some(token)).is_some_and(|word| word == "for"))
        .map_or(0, |at| at.saturating_add(1));
    // Behind the last `::`, before any `<`.
    let mut last = String::new();
    let mut depth = 0_i32;
    for token in head.iter().skip(start) {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '<' => depth = depth.saturating_add(1),
            TokenTree::Punct(sign) if sign.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Ident(name) if depth == 0 => last = name.to_string(),
            _ => {}
        }
    }
    last
}

fn source_crate(file: &str) -> &str {
    file.split('/').nth(1).unwrap_or_default()
}

fn is_brace(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn is_doc(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(doc), equals] if doc == "doc" && is_punct(Some(equals), '='))
}

/// What stands in `.help("…")` behind a call.
fn chained_helps(behind: &[TokenTree]) -> Vec<String> {
    let mut helps = Vec::new();
    let mut rest = behind;
    while let [dot, TokenTree::Ident(name), TokenTree::Group(group), more @ ..] = rest {
        if !is_punct(Some(dot), '.') {
            break;
        }
        if name == "help" {
            helps.extend(first_string(&group.stream().into_iter().collect::<Vec<_>>()));
        }
        rest = more;
    }
    helps
}

fn helps_in(tokens: &[TokenTree]) -> Vec<String> {
    let mut helps = Vec::new();
    each_list(tokens, &mut |list| {
        for two in list.windows(2) {
            if let [TokenTree::Ident(name), TokenTree::Group(group)] = two
                && name == "help"
            {
                helps.extend(first_string(&group.stream().into_iter().collect::<Vec<_>>()));
            }
        }
    });
    helps
}

/// `(error.code(), 500, …)`: how errors are answered that are not named.
fn usual_status(list: &[TokenTree]) -> Option<String> {
    let mut arguments = list.split(|token| is_punct(Some(token), ','));
    let code = arguments.next()?.iter().any(|token| ident(Some(token)).is_some_and(|word| word == "code"));
    match arguments.next()? {
        [TokenTree::Literal(status)] if code && status.to_string().parse::<u16>().is_ok() => {
            Some(status.to_string())
        }
        _ => None,
    }
}

fn status_in(tokens: &[TokenTree]) -> Option<String> {
    let mut status = None;
    each_list(tokens, &mut |list| {
        for three in list.windows(3) {
            if let [TokenTree::Ident(name), colon, TokenTree::Literal(number)] = three
                && name == "status"
                && is_punct(Some(colon), ':')
            {
                status = Some(number.to_string());
            }
        }
    });
    status
}

fn mentions(token: &TokenTree, name: &str) -> bool {
    match token {
        TokenTree::Ident(word) => word == name,
        TokenTree::Group(group) => group.stream().into_iter().any(|token| mentions(&token, name)),
        _ => false,
    }
}

/// The first string in these tokens, at any depth, unless it is a code itself.
fn first_string(tokens: &[TokenTree]) -> Option<String> {
    fn find(tokens: impl Iterator<Item = TokenTree>) -> Option<String> {
        for token in tokens {
            let found = match token {
                TokenTree::Literal(literal) => string_of(&literal),
                TokenTree::Group(group) => find(group.stream().into_iter()),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
    find(tokens.iter().cloned()).filter(|text| codes_in(text).is_empty() && text.contains(' '))
}

/// Every code in a text.
fn codes_in(text: &str) -> Vec<String> {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    let words = text.split(|sign: char| !is_part(sign));
    words
        .filter(|word| {
            let mut parts = word.split('-');
            let (family, name, number) = (parts.next(), parts.next(), parts.next());
            family == Some("SR")
                && name.is_some_and(|name| {
                    !name.is_empty() && name.chars().all(|sign| sign.is_ascii_uppercase())
                })
                && number.is_some_and(|number| {
                    number.len() == 3 && number.chars().all(|sign| sign.is_ascii_digit())
                })
                && parts.next().is_none()
        })
        .map(str::to_owned)
        .collect()
}

/// `{name}` of a format as a gap.
fn with_gaps(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for sign in text.chars() {
        match sign {
            '{' => {
                inside = true;
                out.push('…');
            }
            '}' if inside => inside = false,
            _ if inside => {}
            _ => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(house: &str) -> Found {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("crates/strongroom/src/lib.rs", house),
            (
                "crates/seal/src/lib.rs",
                "enum Error { #[error(\"suite {suite} is not known\")] Suite { suite: u8 }, /// Gone.\n #[error(\"the key is gone\")] Gone }\n\
                 impl Error { fn code(&self) -> &str { match self { Self::Suite { .. } => \"SR-SEAL-001\", Error::Gone => \"SR-SEAL-002\" } }\n\
                 fn help(&self) -> &str { match self { Self::Suite { .. } | Self::Gone => { \"look again\" } } } }",
            ),
        ] {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Found::read(folder.path()).unwrap()
    }

    fn faults(house: &str, meanings: &[(&str, &str)]) -> Vec<String> {
        let meanings = meanings.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
        read(house).faults(&meanings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_is_found_with_its_status_its_words_and_its_help() {
        let found = read(
            "fn a() { Problem::new(\"SR-X-001\", 404, format!(\"no {what} here\")).at(\"/x\").help(\"write it first\") }\n\
             const MOVED: &str = \"SR-X-002\"; fn b() { Problem::new(MOVED, 503, \"it moved\") }\n\
             fn c() { Some((\"SR-X-003\", \"it is edited\")) }\n\
             fn d() { let what = format!(\"{n} are wrong\"); if n > 0 { return Err(Row { code: \"SR-X-004\", what }) } }\n\
             impl From<seal::Error> for Problem { fn from(e: seal::Error) -> Problem { let p = Problem::new(e.code(), 500, e.to_string()); match e { E::Gone => Problem { status: 410, ..p }.help(\"restore it\"), _ => p } } }\n\
             enum KeysError { #[error(\"it is open\")] Open } impl KeysError { fn code(&self) -> &str { match self { KeysError::Open => \"SR-KEYS-001\" } } }\n\
             impl From<KeysError> for Problem { fn from(e: KeysError) -> Problem { let help = match e { KeysError::Open => \"close it\" }; Problem::new(code, 500, title).help(help) } }",
        );
        let page = found.write(&BTreeMap::new()).unwrap();
        for row in [
            "| `SR-X-001` | 404 | no … here | write it first |",
            "| `SR-X-002` | 503 | it moved |  |",
            "| `SR-X-003` |  | it is edited |  |",
            "| `SR-X-004` |  | … are wrong |  |",
            "| `SR-KEYS-001` | 500 | it is open | close it |",
            "| `SR-SEAL-001` | 500 | suite … is not known | look again |",
            "| `SR-SEAL-002` | 410 | the key is gone | look again · restore it |",
        ] {
            assert!(page.contains(row), "{row}\n{page}");
        }
    }

    #[test]
    fn a_code_with_two_meanings_is_found_unless_the_one_that_they_share_is_written_down() {
        let two = "fn a() { Problem::new(\"SR-X-001\", 404, \"no record\") }\nfn b() { Problem::new(\"SR-X-001\", 404, \"no subject\") }";
        let found = faults(two, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("lib.rs:2: no subject"), "{found:?}");
        assert_eq!(faults(two, &[("SR-X-001", "nothing is there")]), [""; 0]);
    }

    #[test]
    fn a_code_without_words_wants_its_meaning_and_a_needless_meaning_is_found() {
        let silent = "fn a(title: String) { Problem::new(\"SR-X-001\", 404, title) }";
        assert_eq!(faults(silent, &[]).len(), 1);
        assert_eq!(faults(silent, &[("SR-X-001", "nothing is there")]), [""; 0]);
        let said = "fn a() { Problem::new(\"SR-X-001\", 404, \"no record\") }";
        assert_eq!(faults(said, &[("SR-X-001", "nothing is there")]).len(), 1);
        assert_eq!(faults(said, &[("SR-X-009", "gone")]).len(), 1);
    }

    #[test]
    fn a_code_that_is_named_and_made_nowhere_is_found() {
        assert_eq!(
            faults("/// Fails: `SR-X-404`.\nfn a() {}", &[]),
            ["crates/strongroom/src/lib.rs:1: `SR-X-404` is named here and made nowhere"]
        );
        assert_eq!(faults("fn a(p: P) -> bool { p.code == \"SR-X-404\" }", &[]), [""; 0]);
    }
}
