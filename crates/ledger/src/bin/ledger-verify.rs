//! `ledger-verify`: checks an exported log, one entry, the way between two checkpoints, or a receipt. Offline; it trusts
//! nothing but the key it is given.
//!
//! Results go to stdout, talk and progress to stderr. Exit codes: 0 verified, 1 not verified, 2 wrong usage, 3 something
//! could not be read.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use data_encoding::HEXLOWER;
use ledger::archive::{
    Folder, Options, Trust, verify_consistency_in, verify_cosigned_in, verify_inclusion_in, verify_whole,
};
use ledger::checkpoint::Checkpoint;
use ledger::choice::{Held, read_all};
use ledger::cosign::{Cosignature, Quorum, WitnessKey};
use ledger::entry::Entry;
use ledger::hash::leaf_hash;
use ledger::instant::text as instant;
use ledger::note::{MAX_NOTE_BYTES, Verifier};
use ledger::opening::Opening;
use ledger::receipt::MAX_RECEIPT_BYTES;
use lexopt::ValueExt;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let (answer, form) = match Call::parse(lexopt::Parser::from_env()) {
        Ok(Some(call)) => (call.run(), call.form),
        Ok(None) => (Answer::verified(HELP.to_owned(), Value::Null), Form::Text),
        Err(error) => {
            say(&format!("ledger-verify: {error}\nTry `ledger-verify --help`."));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let text = match form {
        Form::Json => format!("{}\n", answer.json),
        Form::Text => answer.text,
    };
    // A result that reached nobody is not a result.
    if io::stdout().write_all(text.as_bytes()).is_err() {
        return ExitCode::from(UNREADABLE);
    }
    ExitCode::from(answer.code)
}

const HELP: &str = "\
ledger-verify checks a Strongroom ledger offline. It trusts nothing but the key.

Usage:
  ledger-verify whole DIR --key VKEY [--since OLD_CHECKPOINT_FILE] [--threads N]
  ledger-verify entry DIR --key VKEY INDEX
  ledger-verify consistency DIR --key VKEY OLD_CHECKPOINT NEW_CHECKPOINT
  ledger-verify receipt FILE --key VKEY
  each of them with [--witness WITNESS_VKEY]... [--quorum K]

  whole        every entry, every tile, the signed root and the order of time;
               with --since also that nothing was lost or changed since
  entry        that one entry is in the log, and what it says
  consistency  that the log only grew between two checkpoints
  receipt      that a receipt is true, and what it proves; of a choice also that
               its record is signed, and says the same

  With --witness each also asks that enough of these witnesses have cosigned
  DIR/cosigned (or DIR/checkpoint), the new checkpoint, or the receipt's.

Options:
  --key VKEY       the log's verifier key, name+hash+base64, not from DIR
  --witness VKEY   a witness's verifier key; once for each witness
  --quorum K       how many of them are needed (all if not given)
  --origin O       the log's origin, if it is not the name in the key
  --since FILE     a checkpoint of this log that you kept earlier
  --threads N      threads for `whole` (one for each core if not given)
  --json           the result as JSON
  -h, --help       this text

DIR is the folder of an exported log: checkpoint, log.json, tile/, and perhaps
cosigned. Results go to stdout, talk and progress to stderr.

Exit codes:
  0  verified
  1  not verified
  2  the command was not understood
  3  something could not be read, so nothing is known
";

struct Call {
    command: Command,
    trust: Trust,
    quorum: Option<Quorum>,
    form: Form,
}

enum Command {
    Whole { folder: OsString, since: Option<OsString>, threads: usize },
    Entry { folder: OsString, index: u64 },
    Consistency { folder: OsString, old: OsString, new: OsString },
    Receipt { file: OsString },
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

struct Answer {
    text: String,
    json: Value,
    code: u8,
}

/// Why there is no yes: something was found wrong, or could not be read.
enum Refusal {
    Ledger(ledger::Error),
    File(OsString, io::ErrorKind),
}

impl Call {
    /// What was asked for; `None` is a call for help.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::Arg::{Long, Short, Value};
        let mut words = Vec::new();
        let (mut key, mut origin, mut since, mut threads) = (None, None, None, None);
        let (mut witnesses, mut least) = (Vec::new(), None);
        let mut form = Form::Text;
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => {
                    return Ok(None);
                }
                Long("key") => key = Some(parser.value()?.parse_with(Verifier::parse)?),
                Long("witness") => witnesses.push(parser.value()?.parse_with(WitnessKey::parse)?),
                Long("quorum") => least = Some(parser.value()?.parse()?),
                Long("origin") => origin = Some(parser.value()?.string()?),
                Long("since") => since = Some(parser.value()?),
                Long("threads") => threads = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
                Long("json") => form = Form::Json,
                Value(word) => words.push(word),
                _ => return Err(argument.unexpected()),
            }
        }
        let mut words = words.into_iter();
        let verb = words.next().ok_or("a command is missing")?.string()?;
        let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
        let is_whole = verb == "whole";
        let command = match verb.as_str() {
            "whole" => {
                // More threads than cores only wait for each other.
                let threads = threads.unwrap_or_else(cores).min(MOST_THREADS);
                Command::Whole { folder: word("DIR")?, since: since.take(), threads }
            }
            "entry" => Command::Entry { folder: word("DIR")?, index: word("INDEX")?.parse()? },
            "consistency" => Command::Consistency {
                folder: word("DIR")?,
                old: word("OLD_CHECKPOINT")?,
                new: word("NEW_CHECKPOINT")?,
            },
            "receipt" => Command::Receipt { file: word("FILE")? },
            _ => return Err("no such command".into()),
        };
        if words.next().is_some() || since.is_some() || (threads.is_some() && !is_whole) {
            return Err("too many arguments for this command".into());
        }
        let trust = Trust::new(key.ok_or("--key is missing")?);
        let trust = match origin {
            Some(origin) => trust.for_origin(&origin),
            None => trust,
        };
        let quorum = match (witnesses.len(), least) {
            (0, None) => None,
            (all, least) => {
                let quorum = Quorum::new(witnesses, least.unwrap_or(all));
                Some(quorum.map_err(|error| error.to_string())?)
            }
        };
        Ok(Some(Self { command, trust, quorum, form }))
    }

    fn run(&self) -> Answer {
        let (trust, quorum) = (&self.trust, self.quorum.as_ref());
        let answer = match &self.command {
            Command::Whole { folder, since, threads } => {
                whole(trust, quorum, folder, since.as_ref(), *threads)
            }
            Command::Entry { folder, index } => entry(trust, quorum, folder, *index),
            Command::Consistency { folder, old, new } => consistency(trust, quorum, folder, old, new),
            Command::Receipt { file } => receipts(trust, quorum, file),
        };
        answer.unwrap_or_else(|refusal| Answer::refused(&refusal))
    }
}

fn whole(
    trust: &Trust,
    quorum: Option<&Quorum>,
    folder: &OsString,
    since: Option<&OsString>,
    threads: usize,
) -> Result<Answer, Refusal> {
    let archive = Folder::new(folder);
    let mut known = Vec::new();
    if let Some(file) = since {
        known.push(trust.open(&text_of(file, MAX_NOTE_BYTES)?)?);
    }
    let options = Options { threads, since: &known, ..Options::default() };
    let said = AtomicU64::new(0);
    let progress = |entries: u64| {
        if said.fetch_max(entries / PROGRESS_STEP, Ordering::Relaxed) < entries / PROGRESS_STEP {
            say(&format!("{entries} entries read"));
        }
    };
    let report = verify_whole(&archive, trust, &options, &progress)?;
    let mut json = json!({ "verified": report.is_verified() });
    if let (Value::Object(all), Ok(Value::Object(more))) = (&mut json, serde_json::to_value(&report)) {
        all.extend(more);
    }
    let mut text = format!("log       {}\n", plain(&report.origin));
    let _ = writeln!(text, "size      {} entries, {} read", report.size, report.entries);
    let _ = writeln!(text, "root      {}", report.root);
    if let (Some(first), Some(last)) = (report.first_at, report.last_at) {
        let _ = writeln!(text, "time      {} to {}", instant(first), instant(last));
    }
    for finding in &report.findings {
        let kind = if finding.problem.is_warning() { "warning  " } else { "damage   " };
        let _ = write!(text, "{kind} {}", finding.problem);
        let _ = match finding.times {
            1 => writeln!(text),
            times => writeln!(text, " (the first of {times})"),
        };
    }
    if report.is_verified() {
        // Looked at last: a damaged log is named by its damage.
        if let Some(quorum) = quorum {
            let (seen, found) = verify_cosigned_in(&archive, trust, quorum)?;
            say_cosigned(&seen, &found, &mut text, &mut json);
        }
        text.push_str("verified\n");
        return Ok(Answer::verified(text, json));
    }
    text.push_str("NOT VERIFIED\n");
    Ok(Answer { text, json, code: NOT_VERIFIED })
}

/// Who has cosigned, when, and up to where.
fn say_cosigned(seen: &Checkpoint, found: &[Cosignature], text: &mut String, json: &mut Value) {
    for cosigned in found {
        let at = at_of(cosigned);
        let _ = writeln!(text, "cosigned  {} entries by {} at {at}", seen.size(), plain(&cosigned.witness));
    }
    let found = found.iter().map(|cosigned| json!({ "witness": cosigned.witness, "at": at_of(cosigned) }));
    if let Value::Object(all) = json {
        let found = json!({ "size": seen.size(), "root": seen.root(), "by": found.collect::<Vec<_>>() });
        all.insert("cosigned".to_owned(), found);
    }
}

fn at_of(cosigned: &Cosignature) -> String {
    instant(i64::try_from(cosigned.at_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}

fn entry(trust: &Trust, quorum: Option<&Quorum>, folder: &OsString, index: u64) -> Result<Answer, Refusal> {
    let archive = Folder::new(folder);
    let found = verify_inclusion_in(&archive, trust, index)?;
    let mut json = json!({
        "verified": true,
        "index": index,
        "size": found.checkpoint.size(),
        "root": found.checkpoint.root(),
        "leaf_hash": leaf_hash(&found.bytes),
        "proof": found.proof,
        "entry": found.entry,
    });
    let mut text = entry_text(index, &found.entry);
    let _ = writeln!(text, "leaf      {}", leaf_hash(&found.bytes));
    if let Some(quorum) = quorum {
        let (seen, cosigned) = verify_cosigned_in(&archive, trust, quorum)?;
        if index >= seen.size() {
            return Err(ledger::Error::OutsideTree { index, size: seen.size() }.into());
        }
        say_cosigned(&seen, &cosigned, &mut text, &mut json);
    }
    let _ = writeln!(text, "verified  {}", standing(&found.checkpoint));
    Ok(Answer::verified(text, json))
}

fn consistency(
    trust: &Trust,
    quorum: Option<&Quorum>,
    folder: &OsString,
    old: &OsString,
    new: &OsString,
) -> Result<Answer, Refusal> {
    let (old, new) = (text_of(old, MAX_NOTE_BYTES)?, text_of(new, MAX_NOTE_BYTES)?);
    let cosigned = quorum.map(|quorum| quorum.judge(&new)).transpose()?;
    let (old, new) = verify_consistency_in(&Folder::new(folder), trust, &old, &new)?;
    let mut json = json!({
        "verified": true,
        "old": { "size": old.size(), "root": old.root() },
        "new": { "size": new.size(), "root": new.root() },
    });
    let mut text = String::new();
    if let Some(cosigned) = cosigned {
        say_cosigned(&new, &cosigned, &mut text, &mut json);
    }
    let _ = writeln!(text, "verified  the log only grew, from {} to {} entries", old.size(), new.size());
    Ok(Answer::verified(text, json))
}

fn receipts(trust: &Trust, quorum: Option<&Quorum>, file: &OsString) -> Result<Answer, Refusal> {
    let held = read_all(&text_of(file, MAX_RECEIPT_BYTES)?)?;
    let all = held.iter().map(|held| receipt(trust, quorum, held)).collect::<Result<Vec<_>, _>>()?;
    let text = all.iter().map(|answer| answer.text.as_str()).collect::<Vec<_>>().join("\n");
    let json = match &all[..] {
        [one] => one.json.clone(),
        all => json!({ "verified": true, "receipts": all.iter().map(|one| &one.json).collect::<Vec<_>>() }),
    };
    Ok(Answer::verified(text, json))
}

fn receipt(trust: &Trust, quorum: Option<&Quorum>, held: &Held) -> Result<Answer, Refusal> {
    let (record, proved) = match held {
        Held::Entry(receipt) => (None, receipt.verify(trust.verifier(), trust.origin())?),
        Held::Choice(receipt) => {
            let proved = receipt.verify(trust.verifier(), trust.origin())?;
            (Some(proved.record), proved.ledger)
        }
    };
    let note = match held {
        Held::Entry(receipt) => &receipt.checkpoint,
        Held::Choice(receipt) => &receipt.ledger.checkpoint,
    };
    let cosigned = quorum.map(|quorum| quorum.judge(note)).transpose()?;
    let facts = facts(&proved.opening);
    let mut json = json!({
        "verified": true,
        "index": proved.entry_index,
        "size": proved.checkpoint.size(),
        "entry": proved.entry,
        "facts": facts.iter().map(|(name, value)| json!({ "fact": name, "value": value })).collect::<Vec<_>>(),
    });
    let mut text = entry_text(proved.entry_index, &proved.entry);
    for (name, value) in &facts {
        let _ = writeln!(text, "{name:<9} {}", plain(value));
    }
    if let Some(cosigned) = cosigned {
        say_cosigned(&proved.checkpoint, &cosigned, &mut text, &mut json);
    }
    let _ = writeln!(text, "verified  {}", standing(&proved.checkpoint));
    if let (Some(record), Value::Object(all)) = (record, &mut json) {
        let _ = writeln!(text, "record    signed by {}, and says the same", plain(trust.verifier().name()));
        all.insert("record".to_owned(), record);
    }
    Ok(Answer::verified(text, json))
}

/// The facts of an opening, each in the form a person can read.
fn facts(opening: &Opening) -> Vec<(String, String)> {
    let mut fields = opening.fields();
    let shown =
        |tag: ledger::opening::Tag, value: &[u8], fields: &mut dyn Iterator<Item = ledger::entry::Part>| {
            use ledger::opening::Tag;
            match tag {
                Tag::Act => opening.act().map(|act| act.to_string()),
                Tag::Version => opening.version().map(|version| version.to_string()),
                Tag::At => opening.at().map(instant),
                Tag::Fields => fields.next().map(|part| {
                    let ordinals: Vec<String> = part.ordinals().map(|ordinal| ordinal.to_string()).collect();
                    format!("{} of kind {}", ordinals.join(" "), part.kind)
                }),
                _ => opening.text(tag).map(str::to_owned),
            }
            .unwrap_or_else(|| HEXLOWER.encode(value))
        };
    opening.parts().map(|(tag, value)| (tag.to_string(), shown(tag, value, &mut fields))).collect()
}

fn entry_text(index: u64, entry: &Entry) -> String {
    let json = serde_json::to_string(entry).unwrap_or_default();
    format!("entry     {index}: {} at {}\n          {json}\n", entry.act, instant(entry.at))
}

fn standing(checkpoint: &Checkpoint) -> String {
    format!("under the signed root of {} entries of {}", checkpoint.size(), plain(checkpoint.origin()))
}

impl Answer {
    fn verified(text: String, json: Value) -> Self {
        Self { text, json, code: VERIFIED }
    }

    fn refused(refusal: &Refusal) -> Self {
        let (code, message, help, exit) = match refusal {
            Refusal::Ledger(error) => {
                let exit = if error.is_unreadable() { UNREADABLE } else { NOT_VERIFIED };
                (error.code(), error.to_string(), error.help(), exit)
            }
            Refusal::File(file, kind) => {
                let file = plain(&file.to_string_lossy());
                (FILE_CODE, format!("`{file}` cannot be read: {kind}"), None, UNREADABLE)
            }
        };
        let verdict = if exit == NOT_VERIFIED { "NOT VERIFIED" } else { "NOT READ" };
        let mut text = format!("{verdict}: {message} ({code})\n");
        if let Some(help) = help {
            let _ = writeln!(text, "help: {help}");
        }
        let json =
            json!({ "verified": false, "read": exit == NOT_VERIFIED, "code": code, "message": message });
        Self { text, json, code: exit }
    }
}

impl From<ledger::Error> for Refusal {
    fn from(error: ledger::Error) -> Self {
        Self::Ledger(error)
    }
}

fn text_of(file: &OsString, most: usize) -> Result<String, Refusal> {
    let refused = |error: &io::Error| Refusal::File(file.clone(), error.kind());
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let opened = File::open(Path::new(file)).map_err(|error| refused(&error))?;
    // One byte above the limit is read, so that what is too long is refused by its own reader.
    opened.take(most).read_to_string(&mut text).map_err(|error| refused(&error))?;
    Ok(text)
}

/// Text from a file, without anything a terminal could take for a command.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn say(text: &str) {
    // Nobody is harmed if talk is lost.
    let _ = writeln!(io::stderr(), "{text}");
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

const VERIFIED: u8 = 0;
const NOT_VERIFIED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const UNREADABLE: u8 = 3;
const FILE_CODE: &str = "SR-LEDGER-032";
const MOST_THREADS: usize = 256;
const PROGRESS_STEP: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_commands() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }

    fn refused(arguments: &[&str]) -> String {
        let parser = lexopt::Parser::from_args(arguments);
        Call::parse(parser).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn wrong_calls_say_what_is_missing() {
        assert_eq!(refused(&[]), "a command is missing");
        assert_eq!(refused(&["whole", "dir"]), "--key is missing");
        assert!(refused(&["whole", "--key", "nonsense"]).contains("not a verifier key"));
        assert_eq!(refused(&["entry", "dir"]), "INDEX is missing");
        assert_eq!(refused(&["consistency", "dir", "old"]), "NEW_CHECKPOINT is missing");
        assert_eq!(refused(&["receipt", "file", "more"]), "too many arguments for this command");
        assert_eq!(refused(&["receipt", "file", "--since", "old"]), "too many arguments for this command");
        assert_eq!(refused(&["all"]), "no such command");
        assert_eq!(refused(&["--nonsense"]), "invalid option '--nonsense'");
    }
}
