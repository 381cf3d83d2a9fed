//! Guards of the schema. A table belongs to the room that its migration's name says; its name stands in that room's `sql.rs`
//! only, and SQL stands nowhere else. The store's own tables stay in the store. Every column says what it means.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::TokenTree;

use crate::shell::{self, Breach};
use crate::source::{self, each_list, line_of, string_of};

/// Of which class a column can be, and what that means for people.
pub(crate) const CLASSES: &[(&str, &str)] = &[
    ("number", "a number that says which: of a shop, a subject, a record"),
    ("clear", "not personal data"),
    ("index", "a keyed hash of a value; dead with its key"),
    ("key", "a key, sealed under another one"),
    ("sealed", "personal data, sealed"),
    ("hash", "a hash of a secret or of a request"),
    ("mac", "what notices that a row was edited"),
];

/// One table of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// The room that owns it, or `store`.
    pub(crate) owner: String,
    /// What it is for.
    pub(crate) what: String,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as the migration writes it.
    pub(crate) kind: String,
    /// Of which class it is.
    pub(crate) class: String,
    /// What it means.
    pub(crate) means: String,
}

/// Runs the guard of table names on this repository.
pub(crate) fn run() -> Result<()> {
    let root = shell::root();
    let Schema { tables, mut strangers, .. } = read_schema(&root)?;
    let (statements, more) = look(&root, &tables)?;
    strangers.extend(more);
    let well = format!("{} tables and {statements} statements, each where it belongs", tables.len());
    shell::verdict("tables", &strangers, &well)
}

/// Runs the guard of columns on this repository.
pub(crate) fn run_datamap() -> Result<()> {
    let Schema { tables, unsaid, .. } = read_schema(&shell::root())?;
    let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
    shell::verdict("datamap", &unsaid, &format!("{columns} columns, each with its meaning and class"))
}

/// What all migrations together make.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The tables, in the order in which they are made.
    pub(crate) tables: Vec<Table>,
    /// Columns that do not say what they are.
    pub(crate) unsaid: Vec<Breach>,
    /// Migrations that touch tables of others.
    pub(crate) strangers: Vec<Breach>,
}

/// Reads every migration.
pub(crate) fn read_schema(root: &Path) -> Result<Schema> {
    let mut schema = Schema::default();
    for path in source::files(&root.join("migrations"), "sql")? {
        let file = path.strip_prefix(root)?.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| file.clone())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let owner = stem.split('_').nth(1).unwrap_or_default().to_owned();
        Reader { file, owner, schema: &mut schema }.read(&text);
    }
    Ok(schema)
}

struct Reader<'a> {
    file: String,
    owner: String,
    schema: &'a mut Schema,
}

impl Reader<'_> {
    fn strange(&mut self, line: usize, what: String) {
        self.schema.strangers.push(Breach { file: self.file.clone(), line, what });
    }

    fn unsaid(&mut self, line: usize, what: String) {
        self.schema.unsaid.push(Breach { file: self.file.clone(), line, what });
    }

    fn read(&mut self, text: &str) {
        let mut said: Vec<String> = Vec::new();
        let mut open: Option<Table> = None;
        for (line, row) in (1..).zip(text.lines()) {
            let (sql, comment) = match row.split_once("--") {
                Some((sql, comment)) => (sql.trim(), Some(comment.trim())),
                None => (row.trim(), None),
            };
            let words: Vec<&str> = sql
                .split(|sign: char| sign.is_whitespace() || "(),;".contains(sign))
                .filter(|word| !word.is_empty())
                .collect();
            if let Some(mut table) = open.take() {
                if sql.starts_with(')') {
                    self.schema.tables.push(table);
                    continue;
                }
                if let Some(column) = self.column(line, &words, comment) {
                    table.columns.push(column);
                }
                open = Some(table);
                continue;
            }
            let upper: Vec<String> = words.iter().map(|word| word.to_uppercase()).collect();
            let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
            match (upper.as_slice(), words.as_slice()) {
                ([], _) => match comment {
                    Some(comment) => said.push(comment.to_owned()),
                    None => said.clear(),
                },
                (["CREATE", "TABLE", ..], [_, _, name, ..]) => {
                    if let Some(other) = self.schema.tables.iter().find(|table| table.name == *name) {
                        let what = format!("table `{name}` is made a second time; `{}` owns it", other.owner);
                        self.strange(line, what);
                    }
                    let what = std::mem::take(&mut said).join(" ");
                    let (name, owner) = ((*name).to_owned(), self.owner.clone());
                    open = Some(Table { name, owner, what, columns: Vec::new() });
                }
                (["ALTER", "TABLE", _, "ADD", "COLUMN", ..], [_, _, name, _, _, column @ ..]) => {
                    self.owned(line, name);
                    if let Some(column) = self.column(line, column, comment)
                        && let Some(table) = self.schema.tables.iter_mut().find(|table| table.name == *name)
                    {
                        table.columns.push(column);
                    }
                }
                (
                    ["CREATE", .., "ON", _, _]
                    | ["CREATE", "INDEX", _, "ON", ..]
                    | ["CREATE", "UNIQUE", "INDEX", _, "ON", ..],
                    _,
                ) => {
                    let on = upper.iter().position(|word| *word == "ON").unwrap_or(0);
                    if let Some(name) = words.get(on.saturating_add(1)) {
                        self.owned(line, name);
                    }
                }
                (_, rest) => {
                    for table in in_table_position(&rest.join(" ")) {
                        self.owned(line, &table);
                    }
                }
            }
        }
    }

    fn owned(&mut self, line: usize, name: &str) {
        let owner =
            self.schema.tables.iter().find(|table| table.name == name).map(|table| table.owner.clone());
        match owner {
            Some(owner) if owner == self.owner => {}
            Some(owner) => self.strange(
                line,
                format!("table `{name}` belongs to `{owner}`, and this migration to `{}`", self.owner),
            ),
            None => self.strange(line, format!("table `{name}` is made by no migration before this one")),
        }
    }

    fn column(&mut self, line: usize, words: &[&str], comment: Option<&str>) -> Option<Column> {
        let (name, kind) = match words {
            [] | ["PRIMARY" | "UNIQUE" | "CHECK" | "FOREIGN" | "CONSTRAINT", ..] => return None,
            [name] => (*name, ""),
            [name, kind, ..] => (*name, *kind),
        };
        let Some(comment) = comment else {
            self.unsaid(
                line,
                format!("column `{name}` does not say what it means: `-- class: meaning, unit`"),
            );
            return None;
        };
        let (class, means) = comment.split_once(':').unwrap_or(("", comment));
        let classes: Vec<&str> = class.split(',').map(str::trim).collect();
        if !classes.iter().all(|class| CLASSES.iter().any(|(known, _)| known == class)) {
            let known: Vec<&str> = CLASSES.iter().map(|(class, _)| *class).collect();
            self.unsaid(
                line,
                format!("column `{name}` does not say of which class it is: {}", known.join(", ")),
            );
        }
        let instant = ["at", "since", "until"].contains(&name)
            || ["_at", "_since", "_until", "_by"].iter().any(|ending| name.ends_with(ending));
        let said = ["µs UTC", "µs of the steady clock"].iter().any(|unit| comment.contains(unit));
        if instant && kind == "{int}" && !said {
            let what = format!(
                "column `{name}` is an instant and does not say its unit: µs UTC, or µs of the steady clock"
            );
            self.unsaid(line, what);
        }
        if means.trim().is_empty() {
            self.unsaid(line, format!("column `{name}` does not say what it means"));
        }
        Some(Column {
            name: name.to_owned(),
            kind: kind.trim_matches(['{', '}']).to_lowercase(),
            class: classes.join(", "),
            means: means.trim().to_owned(),
        })
    }
}

/// Looks at every string of every crate. Gives how many are SQL, and what stands where it does not belong.
pub(crate) fn look(root: &Path, tables: &[Table]) -> Result<(usize, Vec<Breach>)> {
    let owners: BTreeMap<&str, &str> =
        tables.iter().map(|table| (table.name.as_str(), table.owner.as_str())).collect();
    let mut breaches = Vec::new();
    let mut statements = 0_usize;
    let crates = root.join("crates");
    let mut folders: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&crates).with_context(|| crates.display().to_string())? {
        let entry = entry?;
        if entry.path().join("src").is_dir() {
            folders.push(format!("crates/{}/src", entry.file_name().to_string_lossy()));
        }
    }
    folders.sort();
    for folder in folders {
        for source in source::read_sources(root, &folder)? {
            let place = Place::of(&folder, &source.file, &source.module);
            each_list(&source.tokens, &mut |tokens| {
                for (position, token) in tokens.iter().enumerate() {
                    let Some(text) = text_of(token, tokens, position).filter(|text| is_sql(text)) else {
                        continue;
                    };
                    statements = statements.saturating_add(1);
                    for what in place.faults(&text, &owners) {
                        breaches.push(Breach { file: source.file.clone(), line: line_of(token), what });
                    }
                }
            });
        }
    }
    Ok((statements, breaches))
}

/// The text of a literal that is no documentation.
fn text_of(token: &TokenTree, tokens: &[TokenTree], position: usize) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    let before = position.checked_sub(2).and_then(|at| source::ident(tokens.get(at)));
    if before.is_some_and(|word| word == "doc") { None } else { string_of(literal) }
}

/// Where a file stands, as far as SQL is concerned.
enum Place {
    /// In the store.
    Store,
    /// A room's `sql.rs`.
    Statements(String),
    /// Where no table of ours may be named.
    Apart,
    /// Where no SQL belongs.
    Elsewhere,
}

impl Place {
    fn of(folder: &str, file: &str, module: &[String]) -> Place {
        match (folder, module) {
            ("crates/store/src", _) => Place::Store,
            // Servers for tests have tables of their tests, and those of the server itself.
            ("crates/testbed/src", _) => Place::Apart,
            // A baseline measures the engine alone, on tables of its own in a file of its own.
            ("crates/strongroom/src", _) if file.ends_with("cli/bench/raw.rs") => Place::Apart,
            ("crates/strongroom/src", [room, sql]) if sql == "sql" && file.ends_with("/sql.rs") => {
                Place::Statements(room.clone())
            }
            _ => Place::Elsewhere,
        }
    }

    fn faults(&self, text: &str, owners: &BTreeMap<&str, &str>) -> Vec<String> {
        let owner = match self {
            Place::Elsewhere => return vec!["SQL stands outside of a room's sql.rs".into()],
            Place::Store => "store",
            Place::Apart => "a baseline",
            Place::Statements(room) => room,
        };
        let named = in_table_position(text);
        let foreign = named.iter().filter_map(|name| Some((name, owners.get(name.as_str())?)));
        foreign
            .filter(|(_, of)| **of != owner)
            .map(|(name, of)| format!("the table `{name}` belongs to `{of}`, and this is `{owner}`"))
            .collect()
    }
}

/// Words of a statement, in lower case, with commas, dots and brackets as words of their own.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for sign in text.chars() {
        if sign.is_alphanumeric() || sign == '_' {
            word.extend(sign.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if matches!(sign, ',' | '.' | '(' | ')' | ';') {
            words.push(sign.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Is this text SQL, and not a sentence for people?
fn is_sql(text: &str) -> bool {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pair = |first: &str, second: &str| words.windows(2).any(|two| two == [first, second]);
    let has = |word: &str| words.contains(&word);
    // In a sentence these words stand in small letters and without a list behind them.
    let shouted = |word: &str| text.split(|sign: char| !sign.is_alphabetic()).any(|found| found == word);
    match words.first().copied() {
        Some("select") => has("from") || shouted("SELECT"),
        Some("update") => has("set"),
        Some("with") => has("select") && has("from"),
        Some("pragma") => true,
        Some("insert" | "replace") => has("into"),
        Some("delete") => has("from"),
        Some("create" | "alter" | "drop") => has("table") || has("index") || has("view") || has("trigger"),
        Some("attach" | "detach") => has("database") || shouted("ATTACH") || shouted("DETACH"),
        _ => pair("insert", "into") || pair("delete", "from") || (shouted("SELECT") && shouted("FROM")),
    }
}

/// The names that stand where a table's name stands.
fn in_table_position(text: &str) -> Vec<String> {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut named = Vec::new();
    let mut listing = false;
    for (position, word) in words.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
        let introduced = matches!(before, "from" | "into" | "update" | "join" | "table" | "exists");
        match *word {
            "set" | "where" | "select" | "values" | "on" | "order" | "group" | "limit" | "(" | ")" | ";" => {
                listing = false;
            }
            "," | "." | "as" | "if" | "not" | "exists" => {}
            // A schema before the dot, or an alias: the name is the word behind.
            name if introduced || before == "." || (listing && before == ",") => {
                listing = true;
                named.push(name.to_owned());
            }
            _ => {}
        }
        let after_on = before == "on" && words.first() == Some(&"create");
        if after_on {
            named.push((*word).to_owned());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: &str = "-- Room `keep`.\n\n-- Those whom the data is about.\nCREATE TABLE subject (\n    id {id},  -- number: dense\n    since {int} NOT NULL,  -- clear: when, µs UTC\n    PRIMARY KEY (id)\n) {rows};\nCREATE INDEX subject_since ON subject (since);\n";
    const STORE: &str = "CREATE TABLE leaf (\n    id {id}   -- number: of the leaf\n) {rows};\n";

    fn repository(planted: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let lawful = [
            ("migrations/0001_store_furniture.sql", STORE),
            ("migrations/0002_keep_subjects.sql", KEEP),
            ("crates/store/src/log.rs", "const A: &str = \"INSERT INTO leaf (id) VALUES ($1)\";"),
            (
                "crates/strongroom/src/keep/sql.rs",
                "statements! { A = \"SELECT id FROM subject WHERE shop = $1\"; }",
            ),
            (
                "crates/strongroom/src/keep/mod.rs",
                "/// SELECT id FROM subject\nfn a() { edited(\"subject\"); help(\"drop `unique` from the field\"); }",
            ),
        ];
        for (file, text) in lawful.iter().chain(planted) {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        folder
    }

    fn breaches(planted: &[(&str, &str)]) -> Vec<String> {
        let folder = repository(planted);
        let Schema { tables, strangers, mut unsaid } = read_schema(folder.path()).unwrap();
        let mut breaches = strangers;
        breaches.append(&mut unsaid);
        breaches.extend(look(folder.path(), &tables).unwrap().1);
        breaches.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_lawful_repository_has_no_breach_and_its_tables_are_read() {
        assert_eq!(breaches(&[]), [""; 0]);
        let schema = read_schema(repository(&[]).path()).unwrap();
        let subject = schema.tables.iter().find(|table| table.name == "subject").unwrap();
        assert_eq!(
            (subject.owner.as_str(), subject.what.as_str()),
            ("keep", "Those whom the data is about.")
        );
        let columns: Vec<&str> = subject.columns.iter().map(|column| column.means.as_str()).collect();
        assert_eq!(columns, ["dense", "when, µs UTC"]);
    }

    #[test]
    fn a_table_of_another_room_is_found_in_every_kind_of_statement() {
        let file = "crates/strongroom/src/reveal/sql.rs";
        for text in [
            "SELECT id FROM subject WHERE shop = $1",
            "select a.id from choice a join subject b on a.id = b.id",
            "SELECT id FROM choice, subject WHERE 1",
            "DELETE FROM choice WHERE id IN (SELECT id FROM subject)",
            "UPDATE subject SET since = $1",
            "INSERT INTO subject (id) VALUES ($1)",
            "DELETE FROM main.subject",
            "WITH a AS (SELECT id FROM subject) SELECT id FROM a",
        ] {
            let said = format!("{file}:2: the table `subject` belongs to `keep`, and this is `reveal`");
            let planted = format!("statements! {{\n A = \"{text}\"; }}");
            assert_eq!(breaches(&[(file, &planted)]), [said], "{text}");
        }
        assert_eq!(breaches(&[(file, "statements! { A = \"SELECT id FROM leaf\"; }")]).len(), 1);
        let store = ("crates/store/src/peek.rs", "fn a() { run(\"SELECT id FROM subject\") }");
        assert_eq!(breaches(&[store]).len(), 1);
    }

    #[test]
    fn sql_outside_of_sql_rs_is_found() {
        for file in [
            "crates/strongroom/src/keep/mod.rs",
            "crates/strongroom/src/cli/sql/mod.rs",
            "crates/seal/src/lib.rs",
        ] {
            let text = "fn a() { run(r#\"delete from subject\"#) }";
            assert_eq!(
                breaches(&[(file, text)]),
                [format!("{file}:1: SQL stands outside of a room's sql.rs")]
            );
        }
    }

    #[test]
    fn a_column_says_meaning_class_and_unit() {
        let table = |column: &str| format!("CREATE TABLE choice (\n    {column}\n) {{rows}};\n");
        let file = "migrations/0003_choose_choices.sql";
        for (column, said) in [
            ("said {int} NOT NULL", "column `said` does not say what it means: `-- class: meaning, unit`"),
            (
                "said {int} NOT NULL -- what was said",
                "column `said` does not say of which class it is: number, clear, index, key, sealed, hash, mac",
            ),
            (
                "said {int} NOT NULL -- secret: what was said",
                "column `said` does not say of which class it is: number, clear, index, key, sealed, hash, mac",
            ),
            (
                "at {int} NOT NULL -- clear: when",
                "column `at` is an instant and does not say its unit: µs UTC, or µs of the steady clock",
            ),
        ] {
            assert_eq!(breaches(&[(file, &table(column))]), [format!("{file}:2: {said}")], "{column}");
        }
    }

    #[test]
    fn a_migration_touches_the_tables_of_its_own_room_only() {
        let file = "migrations/0003_choose_choices.sql";
        for text in [
            "ALTER TABLE subject ADD COLUMN x {int} -- clear: x",
            "CREATE INDEX x ON subject (since);",
            "CREATE UNIQUE INDEX x ON subject (since);",
            "DELETE FROM subject;",
            "DROP TABLE subject;",
        ] {
            let said = format!("{file}:1: table `subject` belongs to `keep`, and this migration to `choose`");
            assert_eq!(breaches(&[(file, text)]), [said], "{text}");
        }
    }
}
