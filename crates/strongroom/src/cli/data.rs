//! `strongroom import`, `subject`, `reveal`, `erase`.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::answers::{list, part, text, texts};
use super::client::body_of;
use super::credentials::safe;
use super::{Context, Exit, blocking};
use crate::collect::import::encoding::{Encoding, unknown_encoding};
use crate::collect::import::rows::Format;
use crate::collect::import::{Counts, Reject};
use crate::desk::operator::{DIGEST, Line};
use crate::ground::keys_folder::{self, KeysError, read_private};
use crate::ground::{Problem, hex};

/// What `import` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "The mapping says which column is which field; columns that it does not name are dropped at the door and counted.
Running the same file again changes nothing; an import that was cut off goes on where it was.
docs/guide/import.md describes the mapping file."
)]
pub(super) struct ImportArgs {
    /// The file: .csv, .tsv or .jsonl, also .gz; or .xlsx
    file: PathBuf,
    /// The mapping file
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// csv, jsonl or xlsx, when the file's name does not say
    #[arg(long)]
    format: Option<String>,
    /// utf-8, utf-16le, utf-16be or gb18030 (also for gbk): how a .csv or .jsonl is written, whatever the mapping says
    #[arg(long)]
    encoding: Option<String>,
    /// Where rejected rows go: line, column and code, without values [default: FILE.rejects.csv, in this folder]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

pub(super) async fn import(args: ImportArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    let format = format_of(&args)?.word();
    let encoding = args.encoding.as_deref();
    let encoding = encoding.map(|name| Encoding::of_name(name).ok_or_else(unknown_encoding)).transpose()?;
    let mapping = read_text(&args.mapping)?;
    let mut file = keys_folder::open_plain(&args.file).map_err(|error| unreadable(&args.file, &error))?;
    let digest = blocking({
        let mut file = file.try_clone()?;
        move || digest_of(&mut file)
    })
    .await?;
    file.seek(SeekFrom::Start(0))?;
    let size = file.metadata()?.len();
    let client = context.reach().await?;
    let mut rejects = Rejects::new(args.rejects.unwrap_or_else(|| beside(&args.file)));
    let mut bar = voice.bar("rows");
    let encoding = encoding.map_or_else(String::new, |encoding| format!("&encoding={}", encoding.name()));
    let path = format!("/operator/import?format={format}&size={size}{encoding}");
    let body = body_of(said_before(&mapping), file);
    let begun = std::time::Instant::now();
    let mut rows_done = 0;
    let headers = [(DIGEST, digest)];
    let running = client.run(&path, &headers, body, |line| match line {
        Line::Resumed { rows, line } => {
            bar.hide(|| voice.say(format!("going on behind {rows} rows that are done")));
            rejects.go_on_at(line);
        }
        Line::Progress { what, done, of } => {
            rows_done = done;
            bar.set(&what, done, of);
        }
        Line::Item(reject) => rejects.add(&reject),
        Line::Heard | Line::Done(_) | Line::Problem(_) => {}
    });
    let outcome = tokio::select! {
        outcome = running => outcome,
        _ = tokio::signal::ctrl_c() => {
            // Dropping the request ends the import; what it has committed stays.
            Err(Problem::new("SR-IMPORT-008", 500, "the import was interrupted").help("run the same command again: it goes on where it was"))
        }
    };
    bar.finish();
    if outcome.is_err() && rows_done > 0 {
        voice.say(format!("{rows_done} rows are done"));
    }
    client.close().await;
    let counts: Counts = serde_json::from_value(outcome?).unwrap_or_default();
    let told = counts.rejected.saturating_add(counts.bad_values.values().sum());
    if rejects.written < told {
        let missing = told.saturating_sub(rejects.written);
        voice.say(format!("{missing} rejects of an interrupted run are not in the file; run the import once more to have them all"));
    }
    let rejects = rejects.finish()?;
    if voice.json {
        voice.print_json(&json!({ "counts": counts, "rejects": rejects }));
    } else {
        show_counts(&counts, rejects.as_deref(), context);
        let seconds = begun.elapsed().as_secs_f64();
        voice.say(format!("{} rows in {seconds:.1} s", counts.rows));
    }
    Ok(Exit::Done)
}

fn format_of(args: &ImportArgs) -> Result<Format, Problem> {
    let name = args.file.to_string_lossy().to_lowercase();
    let said = args.format.as_deref().map_or_else(|| Format::of_name(&name), Format::of_word);
    said.ok_or_else(|| {
        // Nobody would say any of our formats of these.
        let others = [".xls", ".xlsb", ".ods", ".et"];
        if args.format.is_none() && others.iter().any(|ending| name.ends_with(ending)) {
            Problem::new("SR-IMPORT-006", 400, "the file is a workbook, and not an .xlsx")
                .help("open the workbook in its program and save it as .xlsx")
        } else {
            Problem::new("SR-IMPORT-006", 400, "the file's name does not say how it is written")
                .help("say `--format csv`, `--format jsonl` or `--format xlsx`")
        }
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    super::init::unreadable(path, error.kind())
}

/// Reads a file of text that the command line names.
pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
    keys_folder::read_text(path).map_err(|error| unreadable(path, &error))
}

fn digest_of(file: &mut impl Read) -> Result<String, Problem> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hex(&hash.finalize()))
}

/// What stands before the file in an import: the length of the mapping, and the mapping.
fn said_before(mapping: &str) -> Bytes {
    let length = u32::try_from(mapping.len()).unwrap_or(u32::MAX).to_be_bytes();
    Bytes::from([&length[..], mapping.as_bytes()].concat())
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".rejects.csv");
    PathBuf::from(name)
}

/// First line of a file of rejected rows.
const REJECTS_HEAD: [&str; 4] = ["line", "column", "code", "what"];

/// The file of rejected rows, made when there is a first one. Each row reaches the file before its import goes on.
struct Rejects {
    path: PathBuf,
    /// Rows of an interrupted run that still hold.
    kept: Vec<csv::StringRecord>,
    going_on: bool,
    written: u64,
    writer: Option<csv::Writer<std::fs::File>>,
    fault: Option<Problem>,
}

impl Rejects {
    fn new(path: PathBuf) -> Rejects {
        Rejects { path, kept: Vec::new(), going_on: false, written: 0, writer: None, fault: None }
    }

    /// An interrupted import goes on at this line: what was told of the lines before it stays.
    fn go_on_at(&mut self, line: u64) {
        self.going_on = true;
        let Some(mut earlier) = self.earlier() else { return };
        let before = |record: &csv::StringRecord| {
            record.len() == REJECTS_HEAD.len()
                && record.get(0).and_then(|at| at.parse().ok()).is_some_and(|at: u64| at < line)
        };
        self.kept = earlier.records().filter_map(Result::ok).filter(before).collect();
        if !self.kept.is_empty() {
            self.open();
        }
    }

    /// The file as an earlier run left it; `None` when there is none, or the file is something else.
    fn earlier(&self) -> Option<csv::Reader<std::fs::File>> {
        let file = keys_folder::open_plain(&self.path).ok()?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let is_ours = reader.headers().is_ok_and(|head| head.iter().eq(REJECTS_HEAD));
        is_ours.then_some(reader)
    }

    fn open(&mut self) {
        // Not through a link: who can make one in this folder must not choose which file is written over. Nor into a pipe.
        let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).create(true).truncate(true).custom_flags(flags).open(&self.path) {
            Ok(file) => {
                let mut writer = csv::Writer::from_writer(file);
                let _ = writer.write_record(REJECTS_HEAD);
                for record in self.kept.drain(..) {
                    let _ = writer.write_record(&record);
                    self.written = self.written.saturating_add(1);
                }
                let _ = writer.flush();
                self.writer = Some(writer);
            }
            Err(error) => self.fault = Some(unwritable(&self.path, &error)),
        }
    }

    fn add(&mut self, reject: &Json) {
        let Ok(reject) = serde_json::from_value::<Reject>(reject.clone()) else { return };
        if self.writer.is_none() && self.fault.is_none() {
            self.open();
        }
        if let Some(writer) = &mut self.writer {
            self.written = self.written.saturating_add(1);
            let line = reject.line.to_string();
            let column = harmless(reject.column.unwrap_or_default());
            let written = writer.write_record([line.as_str(), &column, &reject.code, &reject.what]);
            if written.is_err() || writer.flush().is_err() {
                self.fault = Some(unwritable(&self.path, &std::io::ErrorKind::WriteZero.into()));
            }
        }
    }

    /// Gives the file, if any row is in it.
    fn finish(self) -> Result<Option<PathBuf>, Problem> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.writer.is_none() && !self.going_on && self.earlier().is_some() {
            std::fs::remove_file(&self.path)?; // of an earlier run, whose rows are all taken now
        }
        Ok(self.writer.map(|_| self.path))
    }
}

/// A cell that a spreadsheet takes for text: what begins like a formula gets an apostrophe before it.
/// SOURCE: OWASP, "CSV Injection".
fn harmless(mut cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        cell.insert(0, '\'');
    }
    cell
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new("SR-CLI-006", 500, format!("`{}` cannot be written ({:?})", path.display(), error.kind()))
        .help("the rows are in; run the import again with another `--rejects FILE` to hear of the rejected ones")
}

fn show_counts(counts: &Counts, rejects: Option<&Path>, context: &Context) {
    let voice = context.voice;
    let heads = [
        "records made",
        "records changed",
        "records unchanged",
        "records removed: nothing of them is left",
        "no records, as the mapping says",
        "about records that are not here",
        "refused: past the end of their retention",
        "refused: no purpose keeps anything of them",
        "rejected",
    ];
    voice.print(format!("{:>9} rows read", counts.rows));
    if counts.hidden_rows > 0 {
        voice.print(format!("{:>9}   of them hidden in the sheet", counts.hidden_rows));
    }
    for ((_, count), what) in counts.by_outcome().into_iter().zip(heads).filter(|((_, count), _)| *count > 0)
    {
        voice.print(format!("{count:>9}   {what}"));
    }
    if counts.choices > 0 {
        voice.print(format!("{:>9} choices kept", counts.choices));
    }
    let lists = [
        ("values dropped because they are not what their field holds, by column:", &counts.bad_values),
        (
            "cells dropped at the door because the mapping does not name their column:",
            &counts.dropped_columns,
        ),
        ("values dropped by the gate, by field:", &counts.dropped_fields),
    ];
    for (head, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        voice.print(format!("\n{head}"));
        for (name, count) in list {
            voice.print(format!("{count:>9} {name}"));
        }
    }
    if counts.other_sheets > 0 {
        let other = if counts.other_sheets == 1 { "sheet was" } else { "sheets were" };
        voice.print(format!(
            "\n{} other {other} not read: `sheet` in the mapping says which is",
            counts.other_sheets
        ));
    }
    if let Some(rejects) = rejects {
        voice.print(format!("\nrejects by line, column and code: {}", rejects.display()));
    }
}

/// What `subject` can do.
#[derive(Debug, Subcommand)]
pub(super) enum SubjectCommand {
    /// Show kinds, versions, ends and choices; never a value
    Show {
        #[command(flatten)]
        who: Who,
    },
}

/// Whom a command is about.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// The subject: sub_…, or the shop's own id of its main record
    subject: Option<String>,
    /// Find the subject by a searchable field; the value is read from stdin, so that no history keeps it
    #[arg(
        long = "match",
        value_name = "FIELD",
        conflicts_with = "subject",
        required_unless_present = "subject"
    )]
    matching: Option<String>,
    /// Kind of the main record, when several kinds belong to nothing
    #[arg(long)]
    kind: Option<String>,
}

impl Who {
    fn reference(&self) -> Result<Json, Problem> {
        if let Some(field) = &self.matching {
            let mut value = String::new();
            std::io::stdin().lock().take(4_096).read_to_string(&mut value)?;
            return Ok(json!({ "match": { field.clone(): value.trim() } }));
        }
        let subject = self.subject.clone().unwrap_or_default();
        if subject.starts_with("sub_") {
            return Ok(json!({ "id": subject }));
        }
        Ok(match &self.kind {
            Some(kind) => json!({ "kind": kind, "external_id": subject }),
            None => json!({ "external_id": subject }),
        })
    }
}

pub(super) async fn subject(command: SubjectCommand, context: &Context) -> Result<Exit, Problem> {
    let SubjectCommand::Show { who } = command;
    let client = context.reach().await?;
    let reference = who.reference()?;
    let found = find_all(&client, &reference).await;
    client.close().await;
    show_subject(&found?, context);
    Ok(Exit::Done)
}

/// All records of a subject, page after page. Each look is entered.
async fn find_all(client: &super::client::Client, reference: &Json) -> Result<Json, Problem> {
    let mut whole: Json = client.post("/v1/subjects:find", &json!({ "subject": reference })).await?;
    while part(&whole, "more").as_bool().unwrap_or_default() {
        let after = list(&whole, "records").last().map(|record| text(record, "record"));
        let mut page: Json =
            client.post("/v1/subjects:find", &json!({ "subject": reference, "after": after })).await?;
        let more = page.get_mut("more").map(Json::take).unwrap_or_default();
        let records =
            page.get_mut("records").and_then(Json::as_array_mut).map(std::mem::take).unwrap_or_default();
        if let Some(all) = whole.get_mut("records").and_then(Json::as_array_mut) {
            all.extend(records);
        }
        if let Some(slot) = whole.get_mut("more") {
            *slot = more;
        }
    }
    Ok(whole)
}

fn show_subject(found: &Json, context: &Context) {
    let voice = context.voice;
    if voice.json {
        return voice.print_json(found);
    }
    voice.print(format!(
        "{} · {} · since {}",
        text(found, "subject"),
        text(found, "standing"),
        text(found, "since")
    ));
    let words = |value: &Json, key: &str| {
        let list = value[key].as_array().into_iter().flatten();
        list.filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
    };
    let until = |record: &Json| {
        let purposes = list(record, "purposes");
        let one = |purpose: &Json| {
            let until = text(purpose, "until");
            let until = if until.is_empty() {
                String::from(", open-ended")
            } else {
                format!(" until {}", until.get(..10).unwrap_or(&until))
            };
            format!("{}{until}", text(purpose, "purpose"))
        };
        purposes.map(one).collect::<Vec<_>>().join("\n")
    };
    let row = |record: &Json| {
        vec![
            text(record, "record"),
            format!("{} v{}", text(record, "kind"), part(record, "version")),
            words(record, "fields"),
            until(record),
        ]
    };
    voice.table(&["record", "kind", "fields", "used for"], list(found, "records").map(row).collect());
    let choices: Vec<Vec<String>> = list(found, "choices")
        .map(|choice| {
            vec![
                text(choice, "purpose"),
                text(choice, "said"),
                text(choice, "at"),
                format!("version {} in {}", part(choice, "notice"), text(choice, "language")),
            ]
        })
        .collect();
    if !choices.is_empty() {
        voice.table(&["choice about", "said", "at", "notice"], choices);
    }
}

/// What `reveal` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Opening personal data always takes a credential that has the purpose, also at the machine itself.
It is entered before anything is shown."
)]
pub(super) struct RevealArgs {
    /// The purpose
    #[arg(long)]
    purpose: String,
    /// A file that holds the credential; readable by its owner only
    #[arg(long, value_name = "FILE")]
    credential_file: PathBuf,
    /// A record: rec_…, or KIND:EXTERNAL_ID
    #[arg(long, conflicts_with_all = ["subject", "matching"])]
    record: Option<String>,
    #[command(flatten)]
    who: RevealWho,
    /// Only this field; may be said several times
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<String>,
    /// Mask everything
    #[arg(long)]
    masked: bool,
}

/// The subject whose records are wanted, instead of one record.
#[derive(Debug, Args)]
pub(super) struct RevealWho {
    /// The subject: sub_…, or the shop's own id of its main record
    #[arg(long)]
    subject: Option<String>,
    /// Find the subject by a searchable field; the value is read from stdin
    #[arg(long = "match", value_name = "FIELD", conflicts_with = "subject")]
    matching: Option<String>,
    /// Kind of the main record, when several kinds belong to nothing
    #[arg(long)]
    kind: Option<String>,
}

pub(super) async fn reveal(args: RevealArgs, context: &Context) -> Result<Exit, Problem> {
    let credential = credential_of(&args.credential_file)?;
    let (of, reference) = if let Some(record) = &args.record {
        ("record", record_reference(record))
    } else {
        let RevealWho { subject, matching, kind } = args.who;
        ("subject", Who { subject, matching, kind }.reference()?)
    };
    let fields = if args.fields.is_empty() { None } else { Some(args.fields) };
    let asked = json!({ "purpose": args.purpose, "masked": args.masked, "fields": fields, of: reference });
    let client = context.reach().await?;
    let body = serde_json::to_vec(&asked).unwrap_or_default();
    let bearer = [("authorization", format!("Bearer {credential}"))];
    let answer = client.send(Method::POST, "/v1/records:reveal", &bearer, Body::from(body)).await;
    client.close().await;
    let opened: Json = answer?.read().map_err(|problem| {
        // The server does not tell the two apart, so that nobody can ask it what there is.
        if problem.status == 404 {
            problem.help("look at the id; and whether this credential has the purpose")
        } else {
            problem
        }
    })?;
    let voice = context.voice;
    if voice.json {
        voice.print_json(&opened);
        return Ok(Exit::Done);
    }
    for record in list(&opened, "records") {
        voice.print(format!(
            "{} {} (version {})",
            text(record, "kind"),
            text(record, "external_id"),
            part(record, "version")
        ));
        let masked: Vec<&str> = texts(record, "masked");
        for (name, value) in part(record, "fields").as_object().into_iter().flatten() {
            let mark = if masked.contains(&name.as_str()) { "  (masked)" } else { "" };
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            voice.print(format!("  {name:<20} {shown}{mark}"));
        }
        for refused in list(record, "refused") {
            let fields: Vec<&str> = texts(refused, "fields");
            voice.print(format!("  not shown: {} ({})", fields.join(", "), text(refused, "text")));
        }
    }
    voice.say(format!("entered as {}", text(&opened, "entry")));
    Ok(Exit::Done)
}

/// The credential in a file.
pub(super) fn credential_of(file: &Path) -> Result<String, Problem> {
    let credential = read_private(file).map_err(|fault| match fault {
        KeysError::Missing { .. } => super::init::unreadable(file, std::io::ErrorKind::NotFound),
        fault => fault.into(),
    })?;
    Ok(String::from_utf8_lossy(&credential).trim().to_owned())
}

fn record_reference(record: &str) -> Json {
    match record.split_once(':') {
        Some((kind, id)) if !record.starts_with("rec_") => json!({ "kind": kind, "external_id": id }),
        _ => json!(record),
    }
}

/// What `erase` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Destroys the subject's key: nothing that it sealed opens again, here at once and in every copy when the epoch ends.
What a law keeps stays behind a key of its own, opens for that law's purpose only, and is listed in the certificate."
)]
pub(super) struct EraseArgs {
    #[command(flatten)]
    who: Who,
    /// Erase without being asked
    #[arg(long)]
    yes: bool,
    /// Write the certificate into a file
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

pub(super) async fn erase(args: EraseArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    let client = context.reach().await?;
    let found: Json = client.post("/v1/subjects:find", &json!({ "subject": args.who.reference()? })).await?;
    if !args.yes {
        show_subject(&found, context);
        client.close().await;
        return Err(Problem::new("SR-CLI-005", 400, "nothing was erased")
            .help("to erase this subject for good, say `--yes`"));
    }
    let path = format!("/v1/subjects/{}:erase", safe(&text(&found, "subject")));
    let certificate: Result<Json, Problem> = client.post(&path, &json!({})).await;
    client.close().await;
    let certificate = certificate?;
    if let Some(file) = &args.certificate {
        let mut out = std::fs::File::create(file)?;
        out.write_all(serde_json::to_string_pretty(&certificate).unwrap_or_default().as_bytes())?;
    }
    if voice.json {
        voice.print_json(&certificate);
    } else {
        show_certificate(&certificate, voice);
    }
    Ok(Exit::Done)
}

/// A certificate for people.
pub(super) fn show_certificate(certificate: &Json, voice: super::Voice) {
    let body: Json = serde_json::from_str(&text(certificate, "body")).unwrap_or_default();
    voice.print(format!("erased {}", text(&body, "subject")));
    voice.print(format!("  unreadable here since        {}", text(&body, "unreadable_here_since")));
    voice.print(format!("  unreadable everywhere by     {}", text(&body, "unreadable_everywhere_by")));
    for key in list(&body, "destroyed_keys").filter_map(Json::as_str) {
        voice.print(format!("  destroyed key                {key}"));
    }
    let retained: Vec<&Json> = list(&body, "retained").collect();
    if retained.is_empty() {
        voice.print("  no law keeps anything of it");
    }
    for kept in retained {
        let law = text(kept, "law");
        let law = if law.is_empty() { String::new() } else { format!(" ({law})") };
        voice.print(format!("  kept by law for {}: {}{law}", text(kept, "purpose"), text(kept, "must_keep")));
    }
}
