//! From a [`Book`] to bytes, by `rust_xlsxwriter`.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::{Book, Cell, Fault, Look, Sheet};

pub(crate) fn to_bytes(book: &Book) -> Result<Vec<u8>, Fault> {
    if book.sheets.is_empty() {
        return Err(Fault::Size);
    }
    let mut made = Workbook::new();
    made.set_properties(&properties(book)?);
    for sheet in &book.sheets {
        fill(made.add_worksheet(), sheet)?;
    }
    made.save_to_buffer().map_err(Fault::from)
}

fn properties(book: &Book) -> Result<DocProperties, Fault> {
    let year = u16::try_from(book.made_on.year()).map_err(|_| Fault::Other)?;
    let month = u8::try_from(book.made_on.month()).map_err(|_| Fault::Other)?;
    let day = u8::try_from(book.made_on.day()).map_err(|_| Fault::Other)?;
    // The library would put the time of its machine here, and no two workbooks would be the same.
    let made_on = ExcelDateTime::from_ymd(year, month, day)?;
    Ok(DocProperties::new().set_title(&book.title).set_creation_datetime(&made_on))
}

fn fill(made: &mut Worksheet, sheet: &Sheet) -> Result<(), Fault> {
    made.set_name(&sheet.name)?;
    let head = text_format().set_bold().set_background_color(Color::RGB(HEAD)).set_border(FormatBorder::Thin);
    for (at, column) in sheet.columns.iter().enumerate() {
        let at = u16::try_from(at).map_err(|_| Fault::Size)?;
        made.set_column_width(at, f64::from(column.width))?;
        write_text(made, (0, at), &column.title, &head)?;
    }
    for (row, cells) in sheet.rows.iter().enumerate() {
        let row = u32::try_from(row).ok().and_then(|row| row.checked_add(1)).ok_or(Fault::Size)?;
        for (at, cell) in cells.iter().enumerate() {
            let at = u16::try_from(at).map_err(|_| Fault::Size)?;
            write_text(made, (row, at), &cell.text, &look(cell))?;
        }
    }
    lay_out(made)
}

/// The heading and the first column stay in sight, on the screen and on every printed page.
fn lay_out(made: &mut Worksheet) -> Result<(), Fault> {
    made.set_freeze_panes(1, 1)?;
    made.set_repeat_rows(0, 0)?;
    made.set_repeat_columns(0, 0)?;
    made.set_landscape();
    made.set_paper_size(A4);
    Ok(())
}

fn write_text(made: &mut Worksheet, at: (u32, u16), text: &str, format: &Format) -> Result<(), Fault> {
    // A text is written as one and never read as a formula. The prefix keeps it a text when somebody edits the cell, too.
    let guarded = text.starts_with(FORMULA).then(|| format.clone().set_quote_prefix());
    made.write_string_with_format(at.0, at.1, text, guarded.as_ref().unwrap_or(format))?;
    Ok(())
}

fn look(cell: &Cell) -> Format {
    match cell.look {
        Look::Plain => text_format(),
        Look::Open => {
            text_format().set_background_color(Color::RGB(OPEN)).set_border(FormatBorder::Dashed).set_italic()
        }
    }
}

/// `@`, so that what a person fills in stays text as well.
fn text_format() -> Format {
    Format::new().set_text_wrap().set_align(FormatAlign::Top).set_num_format("@")
}

impl From<XlsxError> for Fault {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::RowColumnLimitError => Self::Size,
            XlsxError::SheetnameCannotBeBlank(_)
            | XlsxError::SheetnameLengthExceeded(_)
            | XlsxError::SheetnameReused(_)
            | XlsxError::SheetnameContainsInvalidCharacter(_)
            | XlsxError::SheetnameStartsOrEndsWithApostrophe(_) => Self::SheetName,
            XlsxError::MaxStringLengthExceeded => Self::CellTooLong,
            _ => Self::Other,
        }
    }
}

const HEAD: u32 = 0x00E8_EDF2;
const OPEN: u32 = 0x00FF_F4D6;
/// What a spreadsheet takes for the beginning of a formula when it is typed in; the wide forms in Chinese and Japanese ones.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/// The library's number for the paper.
const A4: u8 = 9;
