//! `strongroom selftest`: does a page obey what its visitors choose? A real browser looks; the result can be signed and verified.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use ledger::note::{self, Signer, Verifier};
use selftest::{Declared, Language, Patience, Report, Sandbox, Settings, Table, Verdict, evidence};
use serde_json::json;

use super::{Context, Exit, Voice, blocking};
use crate::ground::clock::{Clock, MachineClock, instant};
use crate::ground::{Problem, private_key};

/// Ed25519, as C2SP signed-note has it.
const KEY_TYPE: u8 = 0x01;

/// What `selftest` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strongroom selftest https://www.shop.example/
  strongroom selftest https://www.shop.example/ --sign proof.key --new-key shop.example/selftest
  strongroom selftest https://www.shop.example/ --evidence proof-2026-11 --sign proof.key
  strongroom selftest --verify proof-2026-11 --key 'shop.example/selftest+…'
  strongroom selftest https://www.shop.example/ --expect shop-page.toml --lang zh

A Chromium visits the page with fresh profiles: before any choice, after refusing, after accepting, after withdrawing. Every request, cookie and
storage key that was not allowed at its stage is a finding. Exit code 4 when there are findings. It needs no vault. docs/guide/selftest.md says
how to describe a page without our window, and what no such test can see.")]
pub(super) struct SelftestArgs {
    /// The address of the page
    #[arg(value_name = "URL", required_unless_present_any = ["verify", "new_key"])]
    url: Option<String>,
    /// What belongs to which purpose, and where the buttons are, TOML or JSON: for pages without our window
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Write report and screenshots into a new folder
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// The file with the private key that signs the evidence
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Make that key under this name, print its verifier key, and end
    #[arg(long, value_name = "NAME", requires = "sign", conflicts_with_all = ["evidence", "verify"])]
    new_key: Option<String>,
    /// Verify a folder of evidence instead of visiting a page
    #[arg(long, value_name = "DIR", requires = "key", conflicts_with_all = ["url", "evidence", "sign", "expect"])]
    verify: Option<PathBuf>,
    /// The verifier key of whoever signed the evidence
    #[arg(long, value_name = "VKEY", value_parser = Verifier::parse, requires = "verify")]
    key: Option<Verifier>,
    /// Language of the tables
    #[arg(long, value_enum, default_value_t = LanguageChoice::En, value_name = "LANGUAGE")]
    lang: LanguageChoice,
    /// The browser's program, instead of the Chromium or Chrome on the path
    #[arg(long, value_name = "FILE")]
    browser: Option<PathBuf>,
    /// Run the browser without its sandbox: for root, and for containers that allow none
    #[arg(long)]
    no_sandbox: bool,
    /// How many seconds a page has to ask for nothing before it counts as settled
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LanguageChoice {
    En,
    Zh,
}

pub(super) async fn run(args: SelftestArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    blocking(move || {
        let language = match args.lang {
            LanguageChoice::En => Language::En,
            LanguageChoice::Zh => Language::Zh,
        };
        match (&args.new_key, &args.sign, &args.verify, &args.key) {
            (Some(name), Some(file), ..) => make_key(file, name, voice),
            (_, _, Some(folder), Some(key)) => verify(folder, key, language, voice),
            _ => visit(&args, language, voice),
        }
    })
    .await
}

fn visit(args: &SelftestArgs, language: Language, voice: Voice) -> Result<Exit, Problem> {
    // ORDER: whatever can be wrong with files is told before a browser is started.
    let signer = args.sign.as_deref().map(read_key).transpose()?;
    match &args.evidence {
        Some(folder) => evidence::prepare(folder)?,
        None if signer.is_some() => {
            return Err(Problem::new("SR-SELFTEST-016", 422, "there is nothing to sign")
                .help("`--sign` signs what `--evidence DIR` keeps; with `--new-key NAME` it makes the key"));
        }
        None => {}
    }
    let declared = match &args.expect {
        Some(file) => Declared::read(&super::init::read_policy(file)?)?,
        None => Declared::default(),
    };
    let settings = Settings {
        url: args.url.clone().unwrap_or_default(),
        browser: args.browser.clone(),
        sandbox: if args.no_sandbox { Sandbox::Off } else { Sandbox::On },
        patience: Patience { quiet: Duration::from_secs(args.wait), ..Patience::default() },
        declared,
    };
    let visit = selftest::visit(&settings, &mut |stage| voice.say(format!("… {}", language.stage(stage))))?;
    let report = Report::of(&visit, &instant(MachineClock::new().now()));
    if let Some(folder) = &args.evidence {
        let text = evidence::write(folder, &report, &visit.screenshots)?;
        if let Some(signer) = &signer {
            evidence::write_signed(folder, &note::sign(&text, &[signer])?)?;
        }
        let signed = if signer.is_some() { "signed" } else { "not signed" };
        voice.say(format!("{}: {} screenshots, {signed}", folder.display(), visit.screenshots.len()));
    }
    tell(&report, language, voice);
    Ok(exit_of(&report))
}

fn verify(folder: &Path, key: &Verifier, language: Language, voice: Voice) -> Result<Exit, Problem> {
    let note = note::open(&evidence::read_signed(folder)?, std::slice::from_ref(key))?;
    let report = evidence::check(folder, &note.text)?;
    voice.say(format!("signed by {}, and nothing was changed", key.name()));
    tell(&report, language, voice);
    Ok(exit_of(&report))
}

fn exit_of(report: &Report) -> Exit {
    if report.verdict == Verdict::Obeyed { Exit::Done } else { Exit::Found }
}

fn tell(report: &Report, language: Language, voice: Voice) {
    if voice.json {
        voice.print_json(report);
        return;
    }
    voice.print(format!("{} · {} · {}", report.page, report.at, report.browser));
    let tables = [language.everything(report), language.overview(report), language.findings(report)];
    for Table { head, rows } in tables.into_iter().filter(|table| !table.rows.is_empty()) {
        voice.table(&head, rows);
    }
    for remark in language.remarks(report) {
        voice.print(remark);
    }
    voice.print(language.verdict(report));
}

fn make_key(file: &Path, name: &str, voice: Voice) -> Result<Exit, Problem> {
    let key = private_key::make(file, KEY_TYPE, name, |seed| {
        let verifier = Signer::from_seed(name, seed)?.verifier().clone();
        let id = verifier.key_id();
        Ok((verifier.to_string(), id))
    })?;
    if voice.json {
        voice.print_json(&json!({ "verifier_key": key }));
    } else {
        voice.print(&key);
        voice
            .say("Give it to whoever shall verify your evidence: `strongroom selftest --verify DIR --key …`");
    }
    Ok(Exit::Done)
}

fn read_key(file: &Path) -> Result<Signer, Problem> {
    let key = private_key::read(file, KEY_TYPE, |name, seed| {
        let signer = Signer::from_seed(name, seed).ok()?;
        let id = signer.verifier().key_id();
        Some((signer, id))
    })?;
    key.ok_or_else(|| {
        Problem::new("SR-SELFTEST-015", 422, "the file holds no private key that signs evidence")
            .help("`strongroom selftest --sign FILE --new-key NAME` makes one")
    })
}

impl From<selftest::Error> for Problem {
    fn from(error: selftest::Error) -> Problem {
        use selftest::Error as E;
        let problem = Problem::new(error.code(), 500, error.to_string());
        match error {
            E::BrowserAbsent => problem.help(
                "install Chromium (Debian and Ubuntu: `apt-get install chromium`; elsewhere your package manager has it), or name a Chrome with `--browser FILE`",
            ),
            E::BrowserSilent => problem
                .help("as root, and in a container that allows no sandbox, add `--no-sandbox`; else start the browser by hand and see what it says"),
            E::BrowserRefused { .. } => problem.help("use a Chromium of this year, or say it again"),
            E::NoFolder => problem.help("free some space where temporary files lie"),
            E::PageAbsent => problem.help("open the address in a browser on this machine: is it written well, and is its certificate good?"),
            E::PageRefused { .. } => problem.help("name a page that every visitor can see"),
            E::AddressMalformed => problem.help("write it as `https://www.shop.example/`"),
            E::ExpectMalformed { .. } => problem.help("docs/guide/selftest.md has every key of that file"),
            E::EvidenceThere => problem.help("name a new folder: evidence is never written over"),
            E::EvidenceUnreachable => problem.help("is it there, and may this user read and write it?"),
            E::EvidenceMalformed | E::SignedOther | E::ScreenshotWrong => {
                problem.help("it was changed after it was signed: go back to a copy, or test the page anew")
            }
            E::Unsigned => problem.help("give `--sign FILE` when the evidence is made"),
        }
    }
}
