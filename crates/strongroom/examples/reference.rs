//! Prints what `docs/reference` is written from, without a server: `openapi` (the document of the API) or `configuration` (the
//! configuration as it is when nothing is said).

use std::io::Write;

fn main() -> std::io::Result<()> {
    let text = match std::env::args().nth(1).as_deref() {
        Some("openapi") => strongroom::desk::openapi::json(),
        Some("configuration") => serde_json::to_string_pretty(&strongroom::config::Config::default())?,
        _ => return Err(std::io::Error::other("say `openapi` or `configuration`")),
    };
    writeln!(std::io::stdout().lock(), "{text}")
}
