//! Any mapping over any file: it is refused in words of ours, or its rows become drafts; and no fault that is told holds a
//! value.
//!
//! An input is a mapping, a line `---`, and a file. A mapping whose first line is `# jsonl` or `# xlsx` is one of such
//! a file.

use strongroom::collect::import::mapping::Mapping;
use strongroom::collect::import::rows::{Format, Rows, told_name};
use strongroom::collect::import::{Counts, Drafting};

use super::made::{NOW, PLANTED, shop};

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    const BETWEEN: &[u8] = b"\n---\n";
    let Some(cut) = data.windows(BETWEEN.len()).position(|window| window == BETWEEN) else { return };
    let (head, behind) = data.split_at(cut);
    let file = behind.get(BETWEEN.len()..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(head) else { return };
    let format = match text.split_once('\n').map(|(first, _)| first) {
        Some("# jsonl") => Format::Jsonl,
        Some("# xlsx") => Format::Xlsx,
        _ => Format::Csv,
    };
    let policy = shop().policy();
    let Ok(mapping) = Mapping::parse(text, &policy) else { return };
    let Ok(mut rows) = Rows::open(file, format, &mapping.reading) else { return };
    let drafting = Drafting::new(&mapping, &policy, shop(), 0);
    let (mut counts, mut told, mut last) = (Counts::default(), Vec::new(), 0);
    loop {
        let row = match rows.next_row() {
            Ok(Some(Ok(row))) => row,
            Ok(Some(Err(bad))) => {
                assert!(bad.code.starts_with("SR-IMPORT-"), "{}", bad.code);
                continue;
            }
            Ok(None) | Err(_) => break,
        };
        assert!(row.line >= last, "lines are counted upwards");
        last = row.line;
        match drafting.draft_of(&row, rows.columns(), NOW, &mut counts, &mut told) {
            Ok(Some((line, draft))) => {
                assert_eq!(line, row.line);
                assert!(draft.set.is_sorted_by_key(|(field, _)| *field) && draft.kind == mapping.kind);
                assert!(draft.events.iter().all(|event| event.at <= NOW + 600_000_000));
            }
            Ok(None) => {}
            Err(reject) => told.push(reject),
        }
        for reject in told.drain(..) {
            // A column's name is the mapping's; what is said of it is ours.
            assert!(!reject.what.contains(PLANTED) && !reject.code.contains(PLANTED), "{reject:?}");
        }
    }
    let names = counts.dropped_columns.keys().chain(counts.bad_values.keys());
    assert!(counts.dropped_columns.keys().all(|name| told_name(name) == name && !name.contains('@')));
    assert!(names.count() <= 8_192);
}
