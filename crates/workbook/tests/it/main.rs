//! What a workbook holds, read back by a reader that is not ours.

#![expect(clippy::unwrap_used, reason = "tests stop at the first thing that is not as they say")]

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use workbook::{Book, Cell, Column, Fault, LONGEST_CELL, Sheet};

const HOSTILE: [&str; 8] = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "https://shop.example",
    "a\nb & \"c\" _x0041_",
];

fn book(texts: &[&str]) -> Book {
    let sheet = Sheet {
        name: String::from("处理活动"),
        columns: vec![Column { title: String::from("=目的"), width: 30 }],
        rows: texts.iter().map(|text| vec![Cell::plain(*text)]).collect(),
    };
    Book { title: String::from("<Record>"), made_on: jiff::civil::date(2026, 11, 1), sheets: vec![sheet] }
}

fn opened(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

#[test]
fn texts_come_back_as_they_were_and_none_is_a_formula() {
    let mut read = opened(book(&HOSTILE).to_bytes().unwrap());
    let range = read.worksheet_range("处理活动").unwrap();
    let texts: Vec<&Data> = range.rows().flatten().collect();
    let expected: Vec<Data> =
        ["=目的"].iter().chain(&HOSTILE).map(|text| Data::String((*text).into())).collect();
    assert_eq!(texts, expected.iter().collect::<Vec<_>>());
    assert!(read.worksheet_formula("处理活动").unwrap().is_empty());
}

#[test]
fn the_same_book_makes_the_same_bytes() {
    assert_eq!(book(&HOSTILE).to_bytes().unwrap(), book(&HOSTILE).to_bytes().unwrap());
}

#[test]
fn no_day_stands_in_a_workbook_but_the_one_that_was_given() {
    let bytes = book(&HOSTILE).to_bytes().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut core = String::new();
    archive.by_name("docProps/core.xml").unwrap().read_to_string(&mut core).unwrap();
    assert_eq!(core.matches("2026-11-01T00:00:00Z").count(), 2, "made and changed: {core}");
    for at in 0..archive.len() {
        let entry = archive.by_index(at).unwrap();
        assert_eq!(entry.last_modified(), Some(zip::DateTime::default()), "entry {at}");
    }
}

#[test]
fn another_day_or_another_text_makes_other_bytes() {
    let first = book(&["a"]);
    let another_day = Book { made_on: jiff::civil::date(2026, 11, 2), ..first.clone() };
    assert_ne!(first.to_bytes().unwrap(), another_day.to_bytes().unwrap());
    assert_ne!(first.to_bytes().unwrap(), book(&["b"]).to_bytes().unwrap());
}

#[test]
fn a_text_fits_up_to_the_last_character() {
    assert!(book(&["字".repeat(LONGEST_CELL).as_str()]).to_bytes().is_ok());
    let too_long = book(&["字".repeat(LONGEST_CELL + 1).as_str()]);
    assert_eq!(too_long.to_bytes(), Err(Fault::CellTooLong));
}

#[test]
fn a_book_without_sheets_is_none() {
    assert_eq!(Book { sheets: Vec::new(), ..book(&[]) }.to_bytes(), Err(Fault::Size));
}

#[test]
fn a_name_that_no_tab_can_have_is_refused() {
    for name in ["", "a/b", "a:b", "'a'", "a name of more than thirty-one characters"] {
        let mut named = book(&[]);
        for sheet in &mut named.sheets {
            name.clone_into(&mut sheet.name);
        }
        assert_eq!(named.to_bytes(), Err(Fault::SheetName), "{name}");
    }
    let mut twice = book(&[]);
    let again = twice.sheets.clone();
    twice.sheets.extend(again);
    assert_eq!(twice.to_bytes(), Err(Fault::SheetName));
}
