//! Workbooks as they are written, damaged, and made to ask for much.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::raw::place;
use super::workbook::{shown_by, shown_by_number};
use super::*;

const RELATIONS: &str = r#"<Relationships>
    <Relationship Id="a" Type="x/officeDocument" Target="/xl/workbook.xml"/></Relationships>"#;
const OF_WORKBOOK: &str = r#"<Relationships>
    <Relationship Id="r1" Type="x/worksheet" Target="worksheets/one.xml"/>
    <Relationship Id="r2" Type="x/sharedStrings" Target="../xl/texts.xml"/>
    <Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<x:workbook xmlns:x="x" xmlns:r="r"><x:sheets><x:sheet name="One" sheetId="7" r:id="r1"/></x:sheets></x:workbook>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="00000"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;

/// A workbook of one sheet: what stands in it, and the texts that its cells share.
fn book(sheet: &str, texts: &str) -> Vec<u8> {
    book_of(WORKBOOK, OF_WORKBOOK, sheet, texts)
}

fn book_of(workbook: &str, of_workbook: &str, sheet: &str, texts: &str) -> Vec<u8> {
    zip_of(&parts_of(workbook, of_workbook, sheet, texts))
}

fn parts_of<'t>(
    workbook: &'t str,
    of_workbook: &'t str,
    sheet: &'t str,
    texts: &'t str,
) -> [(&'static str, &'t str); 6] {
    [
        ("_rels/.rels", RELATIONS),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", of_workbook),
        ("xl/styles.xml", STYLES),
        ("xl/texts.xml", texts),
        ("xl/worksheets/one.xml", sheet),
    ]
}

fn zip_of(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, text) in parts {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(rows: &str) -> String {
    let header = r#"<row r="1"><c t="inlineStr"><is><t>id</t></is></c><c t="inlineStr"><is><t>name</t></is></c></row>"#;
    format!("<worksheet><sheetData>{header}{rows}</sheetData></worksheet>")
}

type Cells = (u64, Vec<Result<String, &'static str>>);

fn read_all(book: &[u8], limits: &Limits) -> Result<Vec<Cells>, Problem> {
    let reading = Reading::default();
    let mut sheet = Sheet::open_within(book, &reading, limits)?;
    let mut all = Vec::new();
    while let Some(row) = sheet.next_row(&[Some(Use::Id), Some(Use::Text)], &reading)? {
        let Ok(row) = row else {
            all.push((0, Vec::new()));
            continue;
        };
        let cells = row.cells.iter().map(|cell| match cell {
            SheetCell::Text(text) => Ok(text.to_string()),
            SheetCell::Bad(bad) => Err(bad.code),
            SheetCell::Empty | SheetCell::Unread => Ok(String::new()),
        });
        all.push((row.line, cells.collect()));
    }
    assert_eq!(sheet.rows(), all.len() as u64, "rows are counted beforehand as they are read");
    Ok(all)
}

#[track_caller]
fn is_refused(book: &[u8], limits: &Limits, code: &str) {
    assert_eq!(read_all(book, limits).map(|_| ()).unwrap_err().code, code);
}

fn texts(row: &str, shared: &str) -> Vec<Result<String, &'static str>> {
    let all = read_all(&book(&sheet(row), shared), &LIMITS).unwrap();
    all.into_iter().next().unwrap().1
}

#[test]
fn texts_are_read_as_they_are_written() {
    let shared = r#"<sst><si><r><t>陈</t></r><rPh sb="0"><t>chen</t></rPh><r><t xml:space="preserve"> 玉&amp;&#x73CD;</t></r></si><si><t>a_x000D_b_x005F_x_xZZZZ_<![CDATA[<]]></t></si></sst>"#;
    let row = r#"<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="s"><v>0</v></c></row>"#;
    assert_eq!(texts(row, shared), [Ok("a\rb_x_xZZZZ_<".into()), Ok("陈 玉&珍".into())]);
    let row = r#"<row><c><f>1+1</f></c><c t="str"><f>"x"</f><v>x</v></c></row>"#;
    assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-026"), Ok("x".into())]);
    let row = r#"<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>"#;
    assert_eq!(texts(row, "<sst/>"), [Ok("true".into()), Err("SR-IMPORT-025")]);
}

#[test]
fn numbers_and_days_are_read_as_they_are_shown() {
    let row = r#"<row><c s="2"><v>2134</v></c><c s="1"><v>45231</v></c></row>"#;
    assert_eq!(texts(row, "<sst/>"), [Ok("02134".into()), Ok("2023-11-01".into())]);
    let row = r#"<row><c s="1"><v>45231</v></c><c t="d"><v>2023-11-01T00:00:00Z</v></c></row>"#;
    assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-028"), Ok("2023-11-01".into())]);
    let row = r"<row><c><v>2.0261122E17</v></c><c><v>1234567890123456</v></c></row>";
    assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-024"), Err("SR-IMPORT-024")]);
    let row = r"<row><c><v>1.5</v></c><c><v>0.1</v></c></row>";
    assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-028"), Ok("0.1".into())]);
}

#[test]
fn formats_tell_days_from_numbers() {
    for day in
        ["yyyy\"年\"m\"月\"d\"日\"", "[$-804]yyyy/m/d;@", "h:mm AM/PM", "d-mmm-yy", "上午/下午h\"时\"mm"]
    {
        assert_eq!(shown_by(day), Shown::Day, "{day}");
    }
    for number in [
        "General",
        "0",
        "#,##0.00",
        "0.00E+00",
        "\"day \"0",
        "[Red]0.00",
        "@",
        "[h]:mm:ss",
        "\\d0",
        "_d0",
        "",
    ] {
        assert_eq!(shown_by(number), Shown::Number(0), "{number}");
    }
    assert_eq!(shown_by("000000"), Shown::Number(6));
    assert_eq!(shown_by("00000;-00000"), Shown::Number(5));
    for id in [14, 22, 31, 57] {
        assert_eq!(shown_by_number(id), Shown::Day);
    }
    assert_eq!((shown_by_number(46), shown_by_number(9)), (Shown::Number(0), Shown::Number(0)));
}

#[test]
fn rows_of_nothing_are_none_and_cells_beyond_the_header_are_told() {
    let rows = r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="9"><c r="B9" s="1"/></row><row r="10"><c r="B10" t="inlineStr"><is><t> </t></is></c></row>
        <row r="12"><c r="A12"><v>2</v></c><c r="C12"/></row><row r="13"><c r="A13"><v>3</v></c><c r="C13"><v>4</v></c></row>"#;
    let all = read_all(&book(&sheet(rows), "<sst/>"), &LIMITS).unwrap();
    assert_eq!(all.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 12, 0]);
}

#[test]
fn a_workbook_that_unfolds_too_far_is_refused_before_its_first_row_is_given() {
    let rows = r"<row><c><v>1</v></c><c><v>2</v></c></row>".repeat(500);
    let shared = format!("<sst>{}</sst>", "<si><t>ten bytes!</t></si>".repeat(100));
    let file = book(&sheet(&rows), &shared);
    assert_eq!(read_all(&file, &LIMITS).unwrap().len(), 500);
    let limits = LIMITS;
    is_refused(&file, &Limits { file_bytes: 10_000, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { sheet_bytes: 10_000, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { part_bytes: 100, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { cells: 1_001, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { rows: 500, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { columns: 1, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { text_bytes: 999, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { texts: 99, ..limits }, "SR-IMPORT-031");
    is_refused(&file, &Limits { parts: 5, ..limits }, "SR-IMPORT-030");
    let enough =
        Limits { cells: 1_002, rows: 501, columns: 2, text_bytes: 1_000, texts: 100, parts: 6, ..limits };
    assert_eq!(read_all(&file, &enough).unwrap().len(), 500);
}

#[test]
fn texts_and_elements_without_end_are_refused() {
    let refused = |rows: &str, code| is_refused(&book(&sheet(rows), "<sst/>"), &LIMITS, code);
    let runs = "<r><t>0123456789</t></r>".repeat(CELL_LIMIT / 10 + 1);
    refused(&format!("<row><c t=\"inlineStr\"><is>{runs}</is></c></row>"), "SR-IMPORT-031");
    let long = "x".repeat(5 << 20);
    refused(&format!("<row><c t=\"str\"><v>{long}</v></c></row>"), "SR-IMPORT-031");
    refused(&format!("<row {long}=\"1\"/>"), "SR-IMPORT-031");
    let cell = format!("<c t=\"str\"><v>{}</v></c>", "x".repeat(100_000));
    refused(&format!("<row>{}</row>", cell.repeat(50)), "SR-IMPORT-031");
    let nested = |depth: usize| format!("<row><c/>{}{}</row>", "<a>".repeat(depth), "</a>".repeat(depth));
    refused(&nested(DEPTH_LIMIT), "SR-IMPORT-030");
    assert!(read_all(&book(&sheet(&nested(DEPTH_LIMIT - 3)), "<sst/>"), &LIMITS).is_ok());
}

#[test]
fn a_workbook_that_contradicts_itself_is_damaged() {
    for rows in [
        "<row r=\"3\"/><row r=\"3\"/>",
        "<row r=\"0\"/>",
        "<row r=\"2\"><c r=\"A3\"/></row>",
        "<row><c t=\"s\"><v>x</v></c></row>",
        "<row><c r=\"B2\"/><c r=\"A2\"/></row>",
        "<row><c><v>x</v></c></row>",
        "<row><c t=\"str\"><v>&lol;</v></c></row>",
        "<row>",
        "</row>",
    ] {
        is_refused(&book(&sheet(rows), "<sst/>"), &LIMITS, "SR-IMPORT-030");
    }
    is_refused(&book(&sheet(""), "<!DOCTYPE sst [<!ENTITY a \"a\">]><sst/>"), &LIMITS, "SR-IMPORT-030");
    is_refused(b"PK\x03\x04", &LIMITS, "SR-IMPORT-030");
    is_refused(b"", &LIMITS, "SR-IMPORT-030");
    is_refused(COMPOUND, &LIMITS, "SR-IMPORT-030");
    let mut flipped = book(&sheet("<row><c><v>1234</v></c></row>"), "<sst/>");
    let at = flipped.windows(4).position(|window| window == b"1234").unwrap();
    flipped[at] = b'9';
    is_refused(&flipped, &LIMITS, "SR-IMPORT-030");
    is_refused(&book(&sheet("<row><c t=\"s\"><v>0</v></c></row>"), "<sst/>"), &LIMITS, "SR-IMPORT-030");
}

#[test]
fn sheets_and_relations_without_end_are_refused() {
    let many = |text: &str, element: &str, times: usize| text.replace(element, &element.repeat(times));
    let one = r#"<x:sheet name="One" sheetId="7" r:id="r1"/>"#;
    let texts = r#"<Relationship Id="r2" Type="x/sharedStrings" Target="../xl/texts.xml"/>"#;
    let sheets = |times| book_of(&many(WORKBOOK, one, times), OF_WORKBOOK, &sheet(""), "<sst/>");
    let relations = |times| book_of(WORKBOOK, &many(OF_WORKBOOK, texts, times), &sheet(""), "<sst/>");
    assert!(read_all(&sheets(4_096), &LIMITS).is_ok());
    is_refused(&sheets(4_097), &LIMITS, "SR-IMPORT-031");
    assert!(read_all(&relations(4_094), &LIMITS).is_ok());
    is_refused(&relations(4_095), &LIMITS, "SR-IMPORT-031");
}

#[test]
fn a_shared_text_is_as_large_in_each_name_of_a_column_and_blanks_are_looked_at_once() {
    let shared =
        format!("<sst><si><t>{}x</t></si><si><t>{}</t></si></sst>", " ".repeat(100_000), " ".repeat(9));
    let header = |columns| {
        let row = format!("<row>{}</row>", r#"<c t="s"><v>0</v></c>"#.repeat(columns));
        format!("<worksheet><sheetData>{row}</sheetData></worksheet>")
    };
    assert!(read_all(&book(&header(41), &shared), &LIMITS).is_ok());
    is_refused(&book(&header(42), &shared), &LIMITS, "SR-IMPORT-031");
    let file = book(&sheet(""), &shared);
    let sheet = Sheet::open_within(&file[..], &Reading::default(), &LIMITS).unwrap();
    assert_eq!((sheet.book.texts.find(0).unwrap().len(), sheet.book.texts.find(1)), (100_001, Some("")));
}

#[test]
fn what_merged_cells_give_to_the_rows_below_counts_as_cells() {
    let letter = |of: usize| char::from(b'A' + u8::try_from(of).unwrap());
    let column = |at: usize| String::from_iter([at / 676, at / 26 % 26, at % 26].map(letter));
    let merge = |at| format!("<mergeCell ref=\"{0}2:{0}60000\"/>", column(at));
    let merges = (0..2_000).map(merge).collect::<Vec<_>>().concat();
    let first = format!("<row>{}</row>", "<c><v>1</v></c>".repeat(3));
    let whole = |rows: usize| {
        let rows = format!("{first}{}", "<row><c><v>1</v></c></row>".repeat(rows));
        sheet(&rows).replace("</worksheet>", &format!("<mergeCells>{merges}</mergeCells></worksheet>"))
    };
    let open = |rows| Sheet::open_within(&book(&whole(rows), "<sst/>")[..], &Reading::default(), &LIMITS);
    assert!(open(40_000).is_ok());
    assert_eq!(open(55_000).map(|_| ()).unwrap_err().code, "SR-IMPORT-031");
}

#[test]
fn merged_cells_are_shown_beside_each_row_up_to_their_last() {
    let rows = "<row><c><v>1</v></c><c t=\"str\"><v>a</v></c></row><row><c><v>2</v></c><c t=\"str\"><v>under it</v></c></row>
        <row/><row><c><v>3</v></c></row><row><c><v>4</v></c></row>";
    let merges = "<mergeCell ref=\"B2:B5\"/><mergeCell ref=\"B3:B6\"/><mergeCell ref=\"A6:A9\"/>";
    let whole =
        sheet(rows).replace("</worksheet>", &format!("<mergeCells>{merges}</mergeCells></worksheet>"));
    let all = read_all(&book(&whole, "<sst/>"), &LIMITS).unwrap();
    let shown: Vec<String> = all.into_iter().map(|(line, cells)| format!("{line} {cells:?}")).collect();
    assert_eq!(
        shown,
        [
            r#"2 [Ok("1"), Ok("a")]"#,
            r#"3 [Ok("2"), Ok("a")]"#,
            r#"5 [Ok("3"), Ok("a")]"#,
            r#"6 [Ok("4"), Ok("")]"#,
        ]
    );
    // Beside the columns of the header, a cell is one too many in each of its rows.
    let beside =
        "<row><c><v>1</v></c><c/><c><v>9</v></c></row><row><c><v>2</v></c></row><row><c><v>3</v></c></row>";
    let merges = "<mergeCells><mergeCell ref=\"C2:C3\"/></mergeCells></worksheet>";
    let all = read_all(&book(&sheet(beside).replace("</worksheet>", merges), "<sst/>"), &LIMITS).unwrap();
    assert_eq!(all.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [0, 0, 4]);
}

/// The numbers of the end of a zip: how many parts, how long their directory is, and where it begins.
fn end_of(zip: &[u8]) -> (usize, [u32; 3]) {
    let end = zip.len() - 22;
    let number = |at: usize| u32::from_le_bytes(zip[end + at..end + at + 4].try_into().unwrap());
    (end, [number(10) & 0xffff, number(12), number(16)])
}

#[test]
fn a_workbook_with_two_ends_is_refused() {
    let shown = |id: &str| book(&sheet(&format!("<row><c><v>{id}</v></c></row>")), "<sst/>");
    let (one, other) = (shown("1"), shown("2"));
    let (end, _) = end_of(&one);
    assert!(read_all(&one, &LIMITS).is_ok());
    let with_comment = |comment: &[u8]| {
        let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
        [&one[..end + 20], &length, comment].concat()
    };
    assert!(read_all(&with_comment(b"made by hand"), &LIMITS).is_ok());
    // From the back, the end in the comment is found first; from the front, or by its length, the one before it.
    is_refused(&with_comment(&one[end..]), &LIMITS, "SR-IMPORT-030");
    is_refused(&with_comment(b"PK\x05\x06"), &LIMITS, "SR-IMPORT-030");
    is_refused(&with_comment(&other), &LIMITS, "SR-IMPORT-030");
    // A whole other workbook before or behind it, with what hides it.
    let mut longer = [&one[..], &other].concat();
    is_refused(&longer, &LIMITS, "SR-IMPORT-030");
    let length = u16::try_from(other.len()).unwrap().to_le_bytes();
    longer[end + 20..end + 22].copy_from_slice(&length);
    is_refused(&longer, &LIMITS, "SR-IMPORT-030");
    is_refused(&[&one[..], b"\0"].concat(), &LIMITS, "SR-IMPORT-030");
    // A part that is a zip itself, as an embedded table is, has an end of its own.
    let inner = String::from_utf8_lossy(&one[end..]).replace(char::REPLACEMENT_CHARACTER, "?");
    let embedded = book(&sheet(&format!("<!--{inner}--><row><c><v>1</v></c></row>")), "<sst/>");
    assert!(read_all(&embedded, &LIMITS).is_ok());
}

#[test]
fn an_end_for_large_files_says_the_same_or_the_workbook_is_refused() {
    let one = book(&sheet("<row><c><v>1</v></c></row>"), "<sst/>");
    let (end, said) = end_of(&one);
    let with = |said: [u32; 3], at: usize| {
        let numbers = said.map(|number| u64::from(number).to_le_bytes());
        let [parts, length, from] = numbers.each_ref();
        let zeros = [0_u8; 8];
        let record =
            [b"PK\x06\x06", &44_u64.to_le_bytes()[..], &[45, 0, 45, 0], &zeros, parts, parts, length, from];
        let locator = [b"PK\x06\x07", &zeros[..4], &(at as u64).to_le_bytes(), &[1, 0, 0, 0]];
        [&one[..end], &record.concat(), &locator.concat(), &one[end..]].concat()
    };
    assert!(read_all(&with(said, end), &LIMITS).is_ok());
    let [parts, length, from] = said;
    for (other, at) in [
        ([parts + 1, length, from], end),
        ([parts, length - 1, from], end),
        ([parts, length, from + 1], end),
        (said, end - 1),
    ] {
        is_refused(&with(other, at), &LIMITS, "SR-IMPORT-030");
    }
    let mut elsewhere = one.clone();
    elsewhere[end + 16] ^= 1;
    is_refused(&elsewhere, &LIMITS, "SR-IMPORT-030");
}

#[test]
fn a_part_that_is_there_twice_is_refused() {
    let (one, all) = (sheet("<row><c><v>1</v></c></row>"), ["xl/a1.xml", "xl/a2.xml"].map(|name| (name, "")));
    let file = zip_of(&[&parts_of(WORKBOOK, OF_WORKBOOK, &one, "<sst/>")[..], &all].concat());
    assert!(read_all(&file, &LIMITS).is_ok());
    for again in [b"xl/a1.xml", b"xl/A1.XML"] {
        let mut file = file.clone();
        // Before the part, and in the directory.
        while let Some(at) = file.windows(again.len()).position(|window| window == b"xl/a2.xml") {
            file[at..at + again.len()].copy_from_slice(again);
        }
        is_refused(&file, &LIMITS, "SR-IMPORT-030");
    }
}

#[test]
fn merges_without_end_cost_no_more_than_their_columns() {
    let rows = "<row><c><v>1</v></c></row>".repeat(2_000);
    let merges = "<mergeCell ref=\"A2:A2000\"/>".repeat(20_000);
    let whole =
        sheet(&rows).replace("</worksheet>", &format!("<mergeCells>{merges}</mergeCells></worksheet>"));
    let file = book(&whole, "<sst/>");
    let reading = Reading::default();
    let mut sheet = Sheet::open_within(&file[..], &reading, &LIMITS).unwrap();
    for _ in 0..2 {
        sheet.next_row(&[], &reading).unwrap();
        assert_eq!(sheet.covering.len(), 1);
    }
    is_refused(&file, &Limits { merges: 19_999, ..LIMITS }, "SR-IMPORT-031");
}

#[test]
fn places_are_columns_and_rows() {
    assert_eq!(place("A1"), Some((0, 1)));
    assert_eq!(place("XFD1048576"), Some((16_383, 1_048_576)));
    for not in ["", "1", "A", "A-1", "Ä1", "AAAAAAAAAA1", "A99999999999"] {
        assert_eq!(place(not), None, "{not}");
    }
}
