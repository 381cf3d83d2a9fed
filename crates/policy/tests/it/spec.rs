//! The specification in step with the source: every table in docs/spec/policy.md between `<!-- NAME -->` and
//! `<!-- end -->` is what the source says. After a change that is meant, move `policy.md.new` over `policy.md`.

use crate::TODAY;
use policy::taxonomy::{Category, DataUse};
use policy::{ChangeCode, Code, KEYS, ReasonId, Region, check};
use std::path::Path;

fn row<const N: usize>(cells: [&str; N]) -> String {
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn head<const N: usize>(cells: [&str; N]) -> String {
    row(cells) + &format!("|{}\n", "---|".repeat(N))
}

fn keys(table: &str) -> String {
    let rows = KEYS.iter().filter(|key| key.table == table).map(|key| {
        let default = key.default.unwrap_or("**must be there**");
        row([&format!("`{}`", key.key), key.takes, default, key.means])
    });
    head(["key", "takes", "without it", "says"]) + &rows.collect::<String>()
}

fn codes() -> String {
    let rows = Code::ALL.iter().map(|code| row([&code.id(), code.severity().as_str(), code.title()]));
    head(["code", "severity", "says"]) + &rows.collect::<String>()
}

fn changes() -> String {
    let rows = ChangeCode::ALL.iter().map(|code| row([&code.to_string(), code.title()]));
    head(["code", "says"]) + &rows.collect::<String>()
}

fn reasons() -> String {
    let rows = ReasonId::ALL
        .iter()
        .map(|id| row([&id.number().to_string(), &format!("`{}`", id.name()), id.english(), id.chinese()]));
    head(["number", "name", "English", "中文"]) + &rows.collect::<String>()
}

fn regions() -> String {
    let rows = Region::all().map(|region| {
        let (from, to) = region.digits();
        let digits = if from == to { from.to_string() } else { format!("{from}–{to}") };
        row([region.code(), &format!("+{}", region.calling_code()), region.trunk(), &digits])
    });
    head(["region", "calling code", "trunk prefix", "digits"]) + &rows.collect::<String>()
}

fn categories() -> String {
    let rows = Category::all().map(|category| {
        let laws: Vec<String> = category.sensitive_by().iter().map(ToString::to_string).collect();
        row([&format!("`{}`", category.key()), category.name(), &laws.join(", ")])
    });
    head(["data category", "name", "sensitive by"]) + &rows.collect::<String>()
}

fn uses() -> String {
    let rows = DataUse::all().map(|data_use| {
        let replaced = data_use.replaced_by().map(|key| format!("`{key}`")).unwrap_or_default();
        row([&format!("`{}`", data_use.key()), data_use.name(), &replaced])
    });
    head(["data use", "name", "replaced by"]) + &rows.collect::<String>()
}

#[test]
fn the_tables_of_the_specification_are_those_of_the_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/policy.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut blocks: Vec<(String, String)> = vec![
        ("codes".to_owned(), codes()),
        ("changes".to_owned(), changes()),
        ("reasons".to_owned(), reasons()),
        ("regions".to_owned(), regions()),
        ("categories".to_owned(), categories()),
        ("uses".to_owned(), uses()),
    ];
    let mut tables: Vec<&str> = KEYS.iter().map(|key| key.table).collect();
    tables.dedup();
    blocks.extend(tables.iter().map(|table| (format!("keys {table}").trim().to_owned(), keys(table))));
    let mut right = text.clone();
    for (name, block) in blocks {
        let mark = format!("<!-- {name} -->\n");
        let start = right.find(&mark).unwrap_or_else(|| panic!("no {mark}")) + mark.len();
        let end = start + right[start..].find("<!-- end -->").unwrap();
        right.replace_range(start..end, &block);
    }
    if right != text {
        std::fs::write(path.with_extension("md.new"), right).unwrap();
        panic!("docs/spec/policy.md has fallen behind; look at policy.md.new");
    }
}

#[test]
fn the_example_of_the_specification_is_a_policy() {
    let text = include_str!("../../../../docs/spec/policy.md");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let report = check(example, "policy.md", TODAY);
    assert_eq!(report.render(&policy::Options::default()), "policy.md: nothing to find fault with\n");
}

#[test]
fn the_example_of_a_finding_is_what_is_rendered() {
    let text = include_str!("../../../../docs/spec/policy.md");
    let approved = include_str!("../broken/050-purposeless.txt");
    assert!(text.contains(approved.split_once("\nshop.toml:").unwrap().0.trim_end()));
}
