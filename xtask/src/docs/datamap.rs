//! `datamap.md`: every table and column, as the migrations say.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};

use super::cell;
use crate::tables::{self, CLASSES};

/// The page.
pub(super) fn page(root: &Path) -> Result<String> {
    let schema = tables::read_schema(root)?;
    if let Some(breach) = schema.unsaid.first() {
        bail!("{breach}");
    }
    let mut page = String::from(
        "# What is stored\n\nWritten by `cargo xtask docs` from `migrations/`.\n\nNo column holds a plain personal value. Instants are \
         microseconds UTC.\n\n| class | means |\n|---|---|\n",
    );
    for (class, means) in CLASSES {
        writeln!(page, "| {class} | {means} |")?;
    }
    for table in &schema.tables {
        writeln!(page, "\n## `{}`\n\nOwned by `{}`. {}\n", table.name, table.owner, cell(&table.what))?;
        page.push_str("| column | type | class | means |\n|---|---|---|---|\n");
        for column in &table.columns {
            let kind = if column.kind == "id" { "int, key" } else { &column.kind };
            writeln!(page, "| `{}` | {kind} | {} | {} |", column.name, column.class, cell(&column.means))?;
        }
    }
    Ok(page)
}
