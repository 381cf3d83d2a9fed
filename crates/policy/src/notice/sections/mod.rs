//! The sections of a notice. Each is written from the policy; one that has nothing to say is left out.

mod choices;
mod kept;
mod others;
mod purposes;
mod rights;
mod shop;

use super::line::{Line, Mark};
use super::order::Reader;
use super::required::Required;
use super::scribe::Scribe;
use super::{Author, Block, Section, Table, words};
use crate::model::Note;
use crate::words::SectionId;

/// Every section, in the order of its readers, with the notes of the shop behind those that they name.
pub(super) fn all(scribe: &Scribe<'_>, demands: &[Required], reader: Reader) -> Vec<Section> {
    let mut sections = Vec::new();
    for id in reader.order() {
        sections.extend(section(*id, scribe, demands));
        sections.extend(notes(scribe, Some(*id)));
    }
    sections.extend(notes(scribe, None));
    sections
}

fn section(id: SectionId, scribe: &Scribe<'_>, demands: &[Required]) -> Option<Section> {
    let blocks = match id {
        SectionId::Summary => purposes::summary(scribe),
        SectionId::Shop => shop::shop(scribe),
        SectionId::Purposes => purposes::purposes(scribe),
        SectionId::Data => purposes::data(scribe),
        SectionId::Sensitive => choices::sensitive(scribe, demands),
        SectionId::Choices => choices::choices(scribe),
        SectionId::Automated => choices::automated(scribe),
        SectionId::Recipients => others::recipients(scribe),
        SectionId::Sale => others::sale(scribe, demands),
        SectionId::Abroad => others::abroad(scribe),
        SectionId::Retention => kept::retention(scribe),
        SectionId::Safety => kept::safety(scribe),
        SectionId::Minors => rights::minors(scribe),
        SectionId::Rights => rights::rights(scribe),
        SectionId::Signals => rights::signals(scribe),
        SectionId::Complaints => shop::complaints(scribe),
        SectionId::Changes => shop::changes(scribe),
    };
    let title = scribe.words(words::section(id));
    (!blocks.is_empty()).then(|| Section {
        id: id.as_str().to_owned(),
        author: Author::Policy,
        title,
        blocks,
    })
}

fn notes<'s>(scribe: &'s Scribe<'_>, after: Option<SectionId>) -> impl Iterator<Item = Section> + 's {
    let notes = scribe.policy.notes.iter();
    notes.filter(move |note| note.after == after).map(|note| of_note(scribe, note))
}

fn of_note(scribe: &Scribe<'_>, note: &Note) -> Section {
    let body = scribe.text(&note.body).plain();
    let paragraphs = body.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    // Lines within a paragraph are where its author broke them.
    let one_line = |text: &str| {
        let between = scribe.of(" ", "");
        text.lines().map(str::trim).collect::<Vec<_>>().join(between)
    };
    Section {
        id: format!("note-{}", note.name),
        author: Author::Shop,
        title: scribe.mark(scribe.text(&note.title), Mark::Added),
        blocks: paragraphs.map(|text| Block::Paragraph(Line::shop(one_line(text)))).collect(),
    }
}

/// What stands in a cell of which the policy says nothing.
pub(in crate::notice) const NOT_SAID: &str = "—";

/// A table, without the columns in which nothing stands.
fn table(caption: Line, columns: Vec<Line>, rows: Vec<Vec<Vec<Line>>>) -> Block {
    let is_said = |at: usize| rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
    let said: Vec<bool> = (0..columns.len()).map(is_said).collect();
    let kept = |at: usize| said.get(at).copied().unwrap_or(true);
    let columns = columns.into_iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, one)| one).collect();
    let narrowed = |row: Vec<Vec<Line>>| -> Vec<Vec<Line>> {
        let cells = row.into_iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, cell)| cell);
        cells.map(|cell| if cell.is_empty() { vec![Line::own(NOT_SAID)] } else { cell }).collect()
    };
    Block::Table(Table { caption, columns, rows: rows.into_iter().map(narrowed).collect() })
}
