//! `configuration.md`: every key of `strongroom.toml`, from the structs that read it and from what they hold by default.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value as Json;

use super::cell;
use crate::shell::at;

const SOURCE: &str = "crates/strongroom/src/config.rs";

/// The page.
///
/// Takes: the default configuration as JSON, as the program itself writes it.
pub(super) fn page(root: &Path, defaults: &str) -> Result<String> {
    let text = std::fs::read_to_string(root.join(SOURCE)).context(SOURCE)?;
    let defaults: Json = serde_json::from_str(defaults)?;
    write_page(&text, &defaults)
}

fn write_page(source: &str, defaults: &Json) -> Result<String> {
    let file = syn::parse_file(source)?;
    let structs: BTreeMap<String, &syn::ItemStruct> = file
        .items
        .iter()
        .filter_map(|item| {
            if let syn::Item::Struct(item) = item { Some((item.ident.to_string(), item)) } else { None }
        })
        .collect();
    let mut page = String::from(
        "# Configuration\n\nWritten by `cargo xtask docs` from `crates/strongroom/src/config.rs`.\n\n`strongroom.toml` stands in the \
         data folder. `--config FILE` or the variable `STRONGROOM_CONFIG` names another file; nothing else of the environment is read. \
         What is not said is as below; a key that is not below is refused. Flags win over the file. Secrets stand in files of their \
         own, readable by their owner only. `init` writes the file.\n",
    );
    let whole = structs.get("Config").context("config.rs has no struct `Config`")?;
    for section in &whole.fields {
        let name = section.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        write_section(&mut page, &file, &structs, section, &name, defaults)?;
    }
    Ok(page)
}

/// A section, and behind it those that stand in it.
fn write_section(
    page: &mut String,
    file: &syn::File,
    structs: &BTreeMap<String, &syn::ItemStruct>,
    section: &syn::Field,
    name: &str,
    defaults: &Json,
) -> Result<()> {
    let (kind, optional) = kind_of(&section.ty);
    let inner = structs.get(&kind).with_context(|| format!("config.rs has no struct `{kind}`"))?;
    let is_list = is_list(&section.ty);
    let heading = if is_list { format!("[[{name}]]") } else { format!("[{name}]") };
    write!(page, "\n## `{heading}`\n\n{}", doc_of(&section.attrs))?;
    page.push_str(match (is_list, optional) {
        (true, _) => " As many such sections as are wanted, or none.\n",
        (_, true) => " The whole section may be left out.\n",
        _ => "\n",
    });
    page.push_str("\n| key | takes | if left out | means |\n|---|---|---|---|\n");
    let key_of = |field: &syn::Field| field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let (deeper, fields): (Vec<_>, Vec<_>) =
        inner.fields.iter().partition(|field| structs.contains_key(&kind_of(&field.ty).0));
    for field in fields {
        let key = key_of(field);
        let (kind, may_be_absent) = kind_of(&field.ty);
        let usual = match at(defaults, &format!("/{}/{key}", name.replace('.', "/"))) {
            _ if is_list => of_one(file, field, may_be_absent)?,
            Json::Null if optional && !may_be_absent => String::from("must be said"),
            Json::Null => String::from("none"),
            Json::String(text) => format!("`\"{text}\"`"),
            other => format!("`{other}`"),
        };
        writeln!(page, "| `{key}` | {} | {usual} | {} |", words_of(&kind)?, cell(&doc_of(&field.attrs)))?;
    }
    for field in deeper {
        write_section(page, file, structs, field, &format!("{name}.{}", key_of(field)), defaults)?;
    }
    Ok(())
}

/// What a key of a list's section holds when it is left out: there is no section by default to read it from.
fn of_one(file: &syn::File, field: &syn::Field, may_be_absent: bool) -> Result<String> {
    let mut usual = if may_be_absent { "none" } else { "must be said" }.to_owned();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                if let Ok(value) = meta.value() {
                    let name: syn::LitStr = value.parse()?;
                    usual = format!("`{}`", given_by(file, &name.value()).unwrap_or_default());
                } else if kind_of(&field.ty).0 == "bool" {
                    "`false`".clone_into(&mut usual);
                }
            }
            Ok(())
        })?;
    }
    Ok(usual)
}

/// The number that a function of no argument gives.
fn given_by(file: &syn::File, name: &str) -> Option<String> {
    let function = file.items.iter().find_map(|item| match item {
        syn::Item::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    })?;
    match function.block.stmts.first()? {
        syn::Stmt::Expr(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }), None) => {
            Some(number.base10_digits().to_owned())
        }
        _ => None,
    }
}

fn is_list(kind: &syn::Type) -> bool {
    let syn::Type::Path(path) = kind else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Vec")
}

/// The type of a field, or of the parts of a list, and whether it may be absent.
fn kind_of(kind: &syn::Type) -> (String, bool) {
    let syn::Type::Path(path) = kind else { return (String::new(), false) };
    let Some(last) = path.path.segments.last() else { return (String::new(), false) };
    if (last.ident == "Option" || last.ident == "Vec")
        && let syn::PathArguments::AngleBracketed(inside) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = inside.args.first()
    {
        return (kind_of(inner).0, true);
    }
    (last.ident.to_string(), false)
}

fn words_of(kind: &str) -> Result<&'static str> {
    Ok(match kind {
        "PathBuf" => "a path",
        "SocketAddr" => "an address and a port",
        "bool" => "`true` or `false`",
        "u16" | "u32" | "u64" | "usize" => "a whole number",
        "String" => "a text",
        "WitnessKind" => "`\"file\"` or `\"http\"`",
        "MailTls" => "`\"implicit\"`, `\"starttls\"` or `\"none\"`",
        _ => anyhow::bail!("no words for the type `{kind}`: add them in xtask/src/docs/configuration.rs"),
    })
}

fn doc_of(attributes: &[syn::Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
            let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else {
                return None;
            };
            Some(text.value().trim().to_owned())
        });
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_there_with_its_words_and_its_default() {
        let source = "/// All.\nstruct Config { /// Where.\n pub server: Server, /// TLS.\n pub tls: Option<Tls>, /// Who.\n pub who: Vec<Who> }\n\
                      struct Who { /// Its name.\n pub name: String, /// How often.\n #[serde(default = \"often\")]\n pub every: u32, \
                      /// Must it?\n #[serde(default)]\n pub must: bool }\nfn often() -> u32 { 1_000 }\n\
                      struct Server { /// Threads that\n /// serve.\n pub threads: usize, /// A file.\n pub file: Option<PathBuf>, /// More.\n pub more: Option<More> }\n\
                      struct More { /// A name.\n pub name: String }\n\
                      struct Tls { /// The key.\n pub key_file: PathBuf }";
        let defaults = serde_json::json!({ "server": { "threads": 3, "file": null }, "tls": null });
        let page = write_page(source, &defaults).unwrap();
        for line in [
            "## `[server]`",
            "| `threads` | a whole number | `3` | Threads that serve. |",
            "| `file` | a path | none | A file. |",
            "TLS. The whole section may be left out.",
            "| `key_file` | a path | must be said | The key. |",
            "## `[[who]]`",
            "| `name` | a text | must be said | Its name. |",
            "| `every` | a whole number | `1000` | How often. |",
            "| `must` | `true` or `false` | `false` | Must it? |",
            "## `[server.more]`\n\nMore. The whole section may be left out.",
            "| `name` | a text | must be said | A name. |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
