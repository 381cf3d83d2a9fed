//! The record of processing activities. `tests/records` holds the records of two examples as approved: JSON for
//! programs, HTML for people. After a change that is meant, look at the `.new` files and move them over the others.

use crate::{TODAY, policy_of};
use calamine::{Data, Reader, Xlsx};
use policy::Policy;
use policy::record::{Cell, Language, Law, Record};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;
use workbook::{Book, Column, Sheet};

const BICYCLES: &str = include_str!("../../../../examples/adventureworks/shop.toml");
const IMPORTS: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];
const LAWS: [Law; 2] = [Law::Gdpr30, Law::Cn];

/// Texts that would do something if they were taken for anything but text.
const HOSTILE: &str = "=cmd|' /C calc'!A0<script>alert(1)</script>\\\" onload=\\\"x";

fn records() -> impl Iterator<Item = (String, Record)> {
    let texts = [("adventureworks", BICYCLES), ("zh-shop", IMPORTS), ("harbour-hill", crate::SHOP)];
    texts.into_iter().flat_map(|(name, text)| {
        let policy = policy_of(text);
        let each = LAWS.into_iter().flat_map(|law| LANGUAGES.map(|language| (law, language)));
        each.map(move |(law, language)| {
            let name = format!("{name}.{}.{}", law.as_str(), language.as_str());
            (name, Record::of(&policy, law, language, TODAY))
        })
        .collect::<Vec<_>>()
    })
}

/// The cell of a record, by sheet, row and column.
fn cell<'r>(record: &'r Record, sheet: &str, row: &str, column: &str) -> &'r Cell {
    let sheet = record.sheets.iter().find(|one| one.key == sheet).unwrap();
    let row = sheet.rows.iter().find(|one| one.key == row).unwrap();
    &row.cells[sheet.columns.iter().position(|one| one.key == column).unwrap()]
}

fn known<'r>(record: &'r Record, row: &str, column: &str) -> &'r str {
    match cell(record, "activities", row, column) {
        Cell::Known(text) => text,
        Cell::Task(text) => panic!("{row}, {column} is a task: {text}"),
    }
}

fn task<'r>(record: &'r Record, row: &str, column: &str) -> &'r str {
    match cell(record, "activities", row, column) {
        Cell::Task(text) => text,
        Cell::Known(text) => panic!("{row}, {column} is known: {text}"),
    }
}

/// The record as a workbook, as the command makes it.
fn workbook_of(record: &Record) -> Vec<u8> {
    let sheet = |table: policy::record::Table| Sheet {
        name: table.title,
        columns: table.head.into_iter().map(|(title, width)| Column { title, width }).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(|cell| written(record, cell)).collect()).collect(),
    };
    let sheets = record.tables().into_iter().map(sheet).collect();
    Book { title: record.title().to_owned(), made_on: record.reviewed, sheets }.to_bytes().unwrap()
}

fn written(record: &Record, cell: &Cell) -> workbook::Cell {
    let shown = cell.shown(record.language);
    match cell {
        Cell::Known(_) => workbook::Cell::plain(shown),
        Cell::Task(_) => workbook::Cell::open(shown),
    }
}

fn opened(record: &Record) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(workbook_of(record))).unwrap()
}

fn hostile() -> Policy {
    let text = IMPORTS
        .replace("为您管理账户", HOSTILE)
        .replace("To run your account", HOSTILE)
        .replace("海外购", HOSTILE)
        .replace("Haiwai Gou", HOSTILE)
        .replace("\"手机号码\"", &format!("\"{HOSTILE}\""))
        .replace("Mobile number", HOSTILE);
    assert!(text.matches("cmd|").count() == 6);
    policy_of(&text)
}

#[test]
fn the_records_of_the_examples_look_as_approved() {
    let shown = records()
        .filter(|(name, _)| name.starts_with("adventureworks.gdpr-30") || name.starts_with("zh-shop.cn"));
    let made = shown.flat_map(|(name, record)| {
        let json = format!("{}\n", serde_json::to_string_pretty(&record.to_json()).unwrap());
        // The style stands in `page.css`, and is the same on every page.
        let page = record.to_html();
        let (before, rest) = page.split_once("<style>\n").unwrap();
        let page = format!("{before}<style>…{}", &rest[rest.find("</style>").unwrap()..]);
        [(format!("{name}.json"), json), (format!("{name}.html"), page)]
    });
    crate::look_as_approved(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records"), made);
}

#[test]
fn every_purpose_and_every_recipient_has_its_row() {
    let policy = policy_of(BICYCLES);
    let record = Record::of(&policy, Law::Gdpr30, Language::En, TODAY);
    let rows = |at: usize| record.sheets[at].rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>();
    assert_eq!(rows(1), policy.purposes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    assert_eq!(rows(2), policy.recipients.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
}

#[test]
fn no_cell_is_empty_and_every_row_is_as_long_as_its_heading() {
    for (name, record) in records() {
        for sheet in &record.sheets {
            for row in &sheet.rows {
                assert_eq!(row.cells.len(), sheet.columns.len(), "{name}: {}", row.key);
                for (column, cell) in sheet.columns.iter().zip(&row.cells) {
                    let (Cell::Known(text) | Cell::Task(text)) = cell;
                    assert!(!text.trim().is_empty(), "{name}: {} {}", row.key, column.key);
                }
            }
        }
    }
}

#[test]
fn every_open_cell_stands_once_more_among_the_tasks() {
    for (name, record) in records() {
        let cells = record.sheets.iter().flat_map(|sheet| &sheet.rows).flat_map(|row| &row.cells);
        let open: Vec<&Cell> = cells.filter(|cell| matches!(cell, Cell::Task(_))).collect();
        let tasks: Vec<Cell> = record.tasks().map(|task| Cell::Task(task.text.to_owned())).collect();
        assert_eq!(open, tasks.iter().collect::<Vec<_>>(), "{name}");
        assert!(!tasks.is_empty(), "{name}");
        let json = record.to_json();
        assert_eq!(json["tasks"].as_array().unwrap().len(), tasks.len(), "{name}");
    }
}

#[test]
fn a_retention_is_said_in_words_with_the_labels_of_the_shop() {
    let policy = policy_of(BICYCLES);
    let record = |language| Record::of(&policy, Law::Gdpr30, language, TODAY);
    assert_eq!(
        known(&record(Language::En), "delivery", "retention"),
        "used: 90 days after the latest “Order: shipped”\nat the latest: 1 year after the record was last collected"
    );
    assert_eq!(
        known(&record(Language::Zh), "delivery", "retention"),
        "使用期限：最近一次订单发货后90天\n最迟：最近一次收集后1年"
    );
    assert_eq!(known(&record(Language::Zh), "marketing_email", "retention"), "使用期限：至撤回同意时止");
}

#[test]
fn what_a_law_demands_to_keep_is_said_with_the_law() {
    let policy = policy_of(crate::SHOP);
    let record = Record::of(&policy, Law::Cn, Language::En, TODAY);
    let lawful = policy.purposes.iter().find(|purpose| purpose.must_keep.is_some()).unwrap();
    let said = known(&record, lawful.name.as_str(), "retention");
    assert!(said.contains("kept by law: 10 years after the latest “Order: completed”"), "{said}");
    assert!(said.contains(lawful.law.as_ref().unwrap()), "{said}");
}

#[test]
fn each_basis_has_its_letter_in_the_gdpr() {
    for (basis, letter) in [
        ("consent", "a"),
        ("separate_consent", "a"),
        ("contract", "b"),
        ("legal_obligation", "c"),
        ("vital_interest", "d"),
        ("public_task", "e"),
        ("legitimate_interest", "f"),
    ] {
        let record = Record::of(&with_basis(basis), Law::Gdpr30, Language::En, TODAY);
        let said = known(&record, "account", "basis");
        assert!(said.ends_with(&format!(": GDPR 6(1)({letter})")), "{basis}: {said}");
    }
}

#[test]
fn a_basis_that_pipl_has_is_cited_and_one_that_it_lacks_is_said_to_be_lacking() {
    for (basis, number) in [("consent", 1), ("separate_consent", 1), ("contract", 2), ("legal_obligation", 3)]
    {
        let record = Record::of(&with_basis(basis), Law::Cn, Language::En, TODAY);
        let said = known(&record, "account", "basis");
        assert!(said.ends_with(&format!(": PIPL 13(1)({number})")), "{basis}: {said}");
    }
    for basis in ["legitimate_interest", "public_task"] {
        let record = Record::of(&with_basis(basis), Law::Cn, Language::En, TODAY);
        let said = task(&record, "account", "basis");
        assert!(said.contains("PIPL 13 has no such basis"), "{basis}: {said}");
    }
    let record = Record::of(&with_basis("vital_interest"), Law::Cn, Language::En, TODAY);
    assert!(task(&record, "account", "basis").contains("emergencies only"));
}

/// The import shop, with another basis of its accounts.
fn with_basis(basis: &str) -> Policy {
    let text = IMPORTS.replacen("basis = \"contract\"", &format!("basis = \"{basis}\""), 1);
    let keep = "keep = \"30d after customer.closed\"\nat_most = \"3y after collected\"";
    let is_consent = basis.ends_with("consent");
    policy_of(&if is_consent { text.replace(keep, "keep = \"until withdrawn\"") } else { text })
}

#[test]
fn sensitive_data_asks_for_separate_consent_and_an_assessment_by_its_reason() {
    let policy = policy_of(IMPORTS);
    let record = Record::of(&policy, Law::Cn, Language::Zh, TODAY);
    assert_eq!(known(&record, "customs", "sensitive"), "身份证号码：GB/T 35273附录B");
    assert!(task(&record, "customs", "separate_consent").starts_with("单独同意为本目的的合法性基础；"));
    assert!(task(&record, "customs", "assessment").contains("处理敏感个人信息、委托处理或向他人提供"));
    assert_eq!(known(&record, "account", "sensitive"), "政策中无");
    assert!(known(&record, "account", "separate_consent").starts_with("政策中无需要单独同意的情形"));
    assert!(task(&record, "delivery", "separate_consent").contains("第23条"));
    let by_consent = Record::of(&with_basis("separate_consent"), Law::Cn, Language::Zh, TODAY);
    assert_eq!(known(&by_consent, "account", "separate_consent"), "是：单独同意即本目的的合法性基础");
}

#[test]
fn a_category_of_article_9_asks_for_its_condition() {
    let text = BICYCLES.replace("category = \"user.workplace\"", "category = \"user.health_and_medical\"");
    let policy = policy_of(&text);
    let record = Record::of(&policy, Law::Gdpr30, Language::En, TODAY);
    assert!(task(&record, "delivery", "special").contains("Article 9(2)"));
    assert!(task(&record, "delivery", "special").ends_with("Purchase order number"));
    assert!(known(&record, "account", "special").starts_with("none needed"));
}

#[test]
fn what_the_shop_itself_calls_sensitive_is_for_a_person_to_judge() {
    let category = "category = \"user.workplace\"";
    let policy = policy_of(&BICYCLES.replace(category, &format!("{category}\nsensitive = true")));
    let record = Record::of(&policy, Law::Gdpr30, Language::En, TODAY);
    let why = "Purchase order number: declared sensitive in the policy";
    assert_eq!(known(&record, "delivery", "sensitive"), why);
    assert!(task(&record, "delivery", "special").starts_with("whether Article 9 or 10 applies"));
}

#[test]
fn what_leaves_the_area_of_a_law_is_a_task_and_what_stays_is_not() {
    let abroad = IMPORTS.replacen("\nin = \"cn\"", "\nin = \"sg\"", 1);
    let policy = policy_of(&abroad);
    let record = Record::of(&policy, Law::Cn, Language::En, TODAY);
    assert!(task(&record, "delivery", "route").starts_with("for Singapore:"));
    assert_eq!(known(&record, "customs", "route"), "none: all of it stays in mainland China");
    assert!(known(&record, "delivery", "places").contains("SF Express: Singapore (outside mainland China)"));
    let at_home = policy_of(&BICYCLES.replace("in = \"us\"", "in = \"no\""));
    let at_home = Record::of(&at_home, Law::Gdpr30, Language::En, TODAY);
    assert_eq!(known(&at_home, "delivery", "safeguards"), "none needed: all of it stays in the EEA");
}

#[test]
fn agreements_and_reviews_are_judged_as_of_the_day() {
    let text = IMPORTS.replacen("signed = 2026-03-01 }", "signed = 2026-03-01, until = 2027-02-28 }", 1);
    let policy = policy_of(&text);
    let on = |day| Record::of(&policy, Law::Cn, Language::En, day);
    let (now, later) = (on(TODAY), on(jiff::civil::date(2027, 11, 2)));
    assert_eq!(known(&now, "delivery", "agreements"), "SF Express: signed 2026-03-01, until 2027-02-28");
    assert!(known(&later, "delivery", "agreements").ends_with("not in force on 2027-11-02"));
    assert_eq!(known(&now, "account", "review"), "last: 2026-11-01\nnext, by: 2027-11-01");
    assert_eq!(known(&later, "account", "review"), "last: 2026-11-01\noverdue since 2027-11-01");
}

#[test]
fn a_policy_that_does_not_speak_a_language_says_so_in_the_notes() {
    let text: String = BICYCLES
        .lines()
        .map(|line| match line.split_once(", zh = ") {
            Some((before, _)) => format!("{before} }}\n"),
            None => format!("{line}\n"),
        })
        .collect();
    let policy = policy_of(&text.replace("languages = [\"en\", \"zh\"]", "languages = [\"en\"]"));
    let says = |language| {
        let notes = Record::of(&policy, Law::Gdpr30, language, TODAY).notes;
        notes.iter().any(|note| note.contains("没有中文版本") || note.contains("do not exist in"))
    };
    assert_eq!((says(Language::Zh), says(Language::En)), (true, false));
}

#[test]
fn a_law_that_protects_nobody_whom_the_shop_serves_is_doubted() {
    let (abroad, home) = (policy_of(IMPORTS), policy_of(BICYCLES));
    let doubts = |policy: &Policy, law| {
        Record::of(policy, law, Language::En, TODAY).notes.iter().any(|note| note.contains("applies at all"))
    };
    assert!(doubts(&abroad, Law::Gdpr30) && doubts(&home, Law::Cn));
    assert!(!doubts(&abroad, Law::Cn) && !doubts(&home, Law::Gdpr30));
}

#[test]
fn the_chinese_page_has_no_english_left_on_it() {
    for (name, record) in records().filter(|(_, record)| record.language == Language::Zh) {
        let page = record.to_html();
        assert!(page.contains("<html lang=\"zh-CN\">"), "{name}");
        // Names of things that have no Chinese one: the program, laws and standards, places to write to.
        let body =
            shown(&page).replace("Strongroom", "").replace("GDPR", "").replace("GB/T", "").replace("UTC", "");
        // What the shop itself writes in Latin letters in a Chinese policy.
        let allowed = [
            "Fahrrad Vertretung GmbH, Bremen",
            "Teehaus Vertretung GmbH, Hamburg",
            "Privacy office",
            "Lin Yue",
            "（CA）",
            "Rules for the Tax Collection Law, Art. 29",
        ];
        let body = allowed.iter().fold(body, |body, word| body.replace(word, ""));
        let body: String = body.split_whitespace().filter(|word| !word.contains('@')).collect();
        let english: Vec<&str> = body
            .split(|character: char| !character.is_ascii_alphabetic())
            .filter(|word| word.len() > 1)
            .collect();
        assert_eq!(english, Vec::<&str>::new(), "{name}");
    }
}

/// What a reader sees of a page: no style, no tags; labels that the print shows count.
fn shown(page: &str) -> String {
    let body = &page[page.find("<body>").unwrap()..];
    let mut text = String::new();
    for piece in body.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap();
        let label = tag.split_once("data-label=\"").map(|(_, label)| label.split('"').next().unwrap());
        text.push_str(label.unwrap_or_default());
        text.push(' ');
        text.push_str(words);
    }
    text
}

#[test]
fn a_page_is_whole_and_every_task_is_marked_on_it() {
    for (name, record) in records() {
        let page = record.to_html();
        for tag in ["section", "table", "thead", "tbody", "tr", "th", "td", "div", "ul", "li", "b", "small"] {
            let begun = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(begun, page.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
        }
        let marks = page.matches("<b>").count();
        assert_eq!(marks, record.tasks().count(), "{name}");
        let ids: Vec<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: {ids:?}");
        for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(ids.contains(&link), "{name}: {link}");
        }
    }
}

#[test]
fn a_workbook_holds_what_the_json_says_cell_by_cell() {
    for (name, record) in records() {
        let json = record.to_json();
        let mut read = opened(&record);
        let names = read.sheet_names();
        for (sheet, tab) in json["sheets"].as_array().unwrap().iter().zip(&names) {
            let range = read.worksheet_range(tab).unwrap();
            let rows = sheet["rows"].as_array().unwrap();
            assert_eq!(range.height(), rows.len() + 1, "{name}: {tab}");
            for (row, seen) in rows.iter().zip(range.rows().skip(1)) {
                let said: Vec<Data> = row["cells"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|cell| Data::String(of_json(cell, record.language)))
                    .collect();
                assert_eq!(seen, said, "{name}: {tab}");
            }
        }
        let tasks = read.worksheet_range(&names[names.len() - 2]).unwrap();
        assert_eq!(tasks.height(), json["tasks"].as_array().unwrap().len() + 1, "{name}");
    }
}

/// What stands in a cell for people, by what the JSON says of it.
fn of_json(cell: &serde_json::Value, language: Language) -> String {
    match (cell["known"].as_str(), cell["task"].as_str(), language) {
        (Some(known), None, _) => known.to_owned(),
        (None, Some(task), Language::En) => format!("To be filled in by a person: {task}"),
        (None, Some(task), Language::Zh) => format!("待人工填写：{task}"),
        _ => panic!("a cell is either known or a task: {cell}"),
    }
}

#[test]
fn the_same_policy_makes_the_same_workbook() {
    let made = || workbook_of(&Record::of(&policy_of(BICYCLES), Law::Gdpr30, Language::Zh, TODAY));
    assert_eq!(made(), made());
}

#[test]
fn hostile_texts_are_texts_on_a_page() {
    for language in LANGUAGES {
        let page = Record::of(&hostile(), Law::Cn, language, TODAY).to_html();
        assert!(!page.contains("<script") && !page.contains("\" onload="), "{}", language.as_str());
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x"));
    }
}

#[test]
fn hostile_texts_are_texts_in_a_workbook() {
    let record = Record::of(&hostile(), Law::Cn, Language::Zh, TODAY);
    let mut read = opened(&record);
    let mut seen = 0;
    for name in read.sheet_names() {
        assert!(read.worksheet_formula(&name).unwrap().is_empty(), "{name}");
        let range = read.worksheet_range(&name).unwrap();
        assert!(range.rows().flatten().all(|cell| matches!(cell, Data::String(_) | Data::Empty)), "{name}");
        seen += range.rows().flatten().filter(|cell| cell.to_string().starts_with("=cmd|")).count();
    }
    assert!(seen >= 2, "the shop's name and an activity begin like a formula: {seen}");
}

#[test]
fn hostile_texts_come_back_from_the_json_as_they_were() {
    let record = Record::of(&hostile(), Law::Cn, Language::En, TODAY);
    let back: serde_json::Value =
        serde_json::from_str(&serde_json::to_string(&record.to_json()).unwrap()).unwrap();
    assert_eq!(back["shop"]["name"].as_str().unwrap(), HOSTILE.replace("\\\"", "\""));
}
