//! `strongroom notice …`: the notice for storefronts of marketplaces.

mod browser;
mod png;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use policy::notice::export::{Exported, Form, Frame, Manifest, Sheet, Stamp, Standing};
use policy::notice::{Edition, Links, Notice, Site};
use policy::{Channel, Language, Policy, learn, record};
use serde_json::{Value as Json, json};

use super::answers::text;
use super::files::{unwritable, write_new_file};
use super::{Context, Exit, Voice};
use crate::ground::Problem;
use browser::Browser;

/// What `notice` can do.
#[derive(Debug, Subcommand)]
pub(super) enum NoticeCommand {
    /// Write the notice and the learning cards for a marketplace's storefront: HTML without scripts, text, and pictures
    Export(ExportArgs),
    /// Say whether an export is whole, and of the policy in force
    Compare(CompareArgs),
}

/// What `notice export` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strongroom notice export shop.toml --for tmall --site https://shop.example --out for-tmall
  strongroom notice export --for tiktok-shop --lang en --data vault      # the version in force
  strongroom notice export shop.toml --for jd --no-pictures --out for-jd

Pictures are made by Chromium or Chrome, found by its usual names or named with --browser; Chinese needs a font for it (Debian: apt-get install
chromium fonts-noto-cjk). Without a browser HTML and text are written all the same, and the exit code is 4. What marketplaces take in sizes and
tags is not verified for any of them. docs/guide/notice.md says what is in the folder.")]
pub(super) struct ExportArgs {
    /// The policy file; without one it is the version in force in the data folder
    file: Option<PathBuf>,
    /// The marketplace
    #[arg(long = "for", value_enum, value_name = "MARKETPLACE")]
    market: Market,
    /// Languages, of those of the shop; all of them, if none is named
    #[arg(long, value_delimiter = ',', value_name = "LANGUAGES")]
    lang: Vec<String>,
    /// A new folder, or an empty one
    #[arg(long, value_name = "DIR", default_value = "storefront")]
    out: PathBuf,
    /// The shop's own site, where the whole notice is: `https://shop.example`. Without it there is no code
    #[arg(long, value_name = "ADDRESS", value_parser = Site::parse)]
    site: Option<Site>,
    /// The browser that makes the pictures
    #[arg(long, value_name = "PROGRAM")]
    browser: Option<PathBuf>,
    /// HTML and text only
    #[arg(long, conflicts_with = "browser")]
    no_pictures: bool,
    /// Width of pictures in pixels, even, 600 to 1600
    #[arg(long, value_name = "PIXELS", default_value_t = Frame::USUAL.width)]
    width: u32,
    /// Height of pictures in pixels at the most, even, 600 to 8000
    #[arg(long, value_name = "PIXELS", default_value_t = Frame::USUAL.height)]
    height: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Market {
    Tmall,
    Taobao,
    Jd,
    TiktokShop,
}

impl Market {
    const fn channel(self) -> Channel {
        match self {
            Self::Tmall => Channel::Tmall,
            Self::Taobao => Channel::Taobao,
            Self::Jd => Channel::Jd,
            Self::TiktokShop => Channel::TiktokShop,
        }
    }
}

/// What `notice compare` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 4 when a file is missing or was changed, or when the export is of another policy than the one in force."
)]
pub(super) struct CompareArgs {
    /// The folder of an export
    dir: PathBuf,
    /// A policy file to hold it against; without one it is the version in force in the data folder
    file: Option<PathBuf>,
}

pub(super) async fn run(command: NoticeCommand, context: &Context) -> Result<Exit, Problem> {
    match command {
        NoticeCommand::Export(args) => export(args, context).await,
        NoticeCommand::Compare(args) => compare(&args, context).await,
    }
}

/// A policy file, and which version it is if it was published.
struct Source {
    name: String,
    text: String,
    /// Its number, and when it was published.
    published: Option<(u64, jiff::Timestamp)>,
}

impl Source {
    async fn of(file: Option<&Path>, context: &Context) -> Result<Source, Problem> {
        if let Some(file) = file {
            let (name, text) = (file.display().to_string(), super::init::read_policy(file)?);
            return Ok(Source { name, text, published: None });
        }
        let client = context.reach().await?;
        let found: Result<Json, Problem> = client.get("/v1/policy").await;
        client.close().await;
        let found = found?;
        let version = found.get("version").and_then(Json::as_u64);
        let published = version.zip(text(&found, "published").parse().ok());
        Ok(Source { name: String::from("the policy in force"), text: text(&found, "text"), published })
    }

    /// The first day on which it holds, in the shop's zone.
    fn in_force(&self, policy: &Policy) -> Option<Date> {
        let (_, at) = self.published?;
        at.in_tz(&policy.shop.zone).ok().map(|at| at.date())
    }
}

async fn export(args: ExportArgs, context: &Context) -> Result<Exit, Problem> {
    let frame = Frame::new(args.width, args.height).ok_or_else(|| {
        Problem::new("SR-EXPORT-002", 422, "pictures have no such width or height")
            .help("both are even; a width is 600 to 1600 pixels, a height 600 to 8000")
    })?;
    let source = Source::of(args.file.as_deref(), context).await?;
    let today = super::check::today();
    let report = policy::check(&source.text, &source.name, source_day(&source, today));
    let Some(policy) = &report.policy else {
        context.voice.say(super::check::rendered(&report));
        return Ok(Exit::Found);
    };
    let languages = languages(&args.lang, policy)?;
    let stamp = Stamp {
        version: source.published.map(|(version, _)| version),
        in_force: source.in_force(policy),
        site: args.site.clone(),
        asks: context.shop.as_ref().map(|shop| format!("&shop={shop}")).unwrap_or_default(),
    };
    let sheets = sheets(policy, &languages, &stamp, today, context)?;
    say_what_is_unsure(&args, policy, context.voice);
    let browser = if args.no_pictures { None } else { browser::find(args.browser.as_deref()) };
    let lacks_browser = browser.is_none() && !args.no_pictures;
    let mut manifest = Manifest::of(args.market.channel(), &policy.shop.id, &source.text);
    (manifest.version, manifest.in_force) = (stamp.version, stamp.in_force.map(|day| day.to_string()));
    manifest.languages = languages.iter().map(ToString::to_string).collect();
    manifest.frame = browser.as_ref().map(|_| [frame.width, frame.height]);
    let (voice, out) = (context.voice, args.out.clone());
    let manifest =
        super::blocking(move || write_all(manifest, &sheets, browser.as_deref(), frame, &args.out, voice))
            .await?;
    show(&manifest, &out, voice);
    if lacks_browser {
        voice.say(NO_BROWSER);
        return Ok(Exit::Found);
    }
    Ok(Exit::Done)
}

const NO_BROWSER: &str = "no pictures were made: there is no Chromium or Chrome under its usual names.\n  help: install one (Debian: \
apt-get install chromium fonts-noto-cjk), or name one with `--browser`, and export again; `--no-pictures` asks for none";

/// What was published is judged as of its own day: it was without errors then.
fn source_day(source: &Source, today: Date) -> Date {
    source.published.map_or(today, |(_, at)| at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn languages(asked: &[String], policy: &Policy) -> Result<Vec<Language>, Problem> {
    if asked.is_empty() {
        return Ok(policy.shop.languages.clone());
    }
    let find = |tag: &String| policy.shop.languages.iter().find(|language| language.as_str() == tag.trim());
    asked.iter().map(|tag| find(tag).cloned().ok_or_else(no_language)).collect()
}

fn no_language() -> Problem {
    Problem::new("SR-EXPORT-001", 422, "the shop has no notice in one of these languages")
        .help("name languages of `[shop] languages`, as they stand there: `--lang zh,en`")
}

/// The notice and the cards, in each language. Cards exist in Chinese and English.
fn sheets(
    policy: &Policy,
    languages: &[Language],
    stamp: &Stamp,
    today: Date,
    context: &Context,
) -> Result<Vec<Sheet>, Problem> {
    let shelf = super::law::packs(context)?;
    let packs = shelf.packs()?;
    let mut sheets = Vec::new();
    for language in languages {
        let links = Links {
            site: stamp.site.clone().unwrap_or_default(),
            asks: format!("?lang={language}{}", stamp.asks),
            ..Links::default()
        };
        let edition = Edition { version: stamp.version, in_force: stamp.in_force, links };
        let notice = Notice::of(policy, language, &edition, &packs, today).ok_or_else(no_language)?;
        sheets.extend([Sheet::of_notice(&notice, stamp), Sheet::of_summary(&notice, stamp)]);
        let words = record::Language::beside(language.as_str());
        if language.as_str().starts_with(words.as_str()) {
            let of = |page: &learn::Page| Sheet::of_card(page, language, &notice.shop_name, stamp);
            sheets.extend(learn::pages(words).iter().map(of));
        }
    }
    Ok(sheets)
}

fn say_what_is_unsure(args: &ExportArgs, policy: &Policy, voice: Voice) {
    let market = args.market.channel();
    if !policy.shop.sells_on.contains(&market) {
        voice.say(format!(
            "the policy does not say that the shop sells on {market}: `[shop] sells_on` would, and `check` would ask its rules"
        ));
    }
    voice.say(format!(
        "not verified: which sizes and tags {market} takes, and whether it lets a code lead to another site"
    ));
    if args.site.is_none() {
        voice.say("there is no code, because the address of the shop's own site is not known: name it with `--site https://…`");
    }
}

/// Writes every file, and the manifest last: a folder without one is not whole.
fn write_all(
    mut manifest: Manifest,
    sheets: &[Sheet],
    browser: Option<&Path>,
    frame: Frame,
    out: &Path,
    voice: Voice,
) -> Result<Manifest, Problem> {
    new_folder(out)?;
    let mut browser = browser.map(Browser::open).transpose()?;
    let mut bar = voice.bar("sheets");
    let of = u64::try_from(sheets.len()).unwrap_or(u64::MAX);
    for (done, sheet) in (0..).zip(sheets) {
        bar.set("sheets", done, of);
        for (name, form, bytes) in files(sheet, browser.as_mut(), frame)? {
            let (language, path) =
                (sheet.language.as_str(), format!("{}/{}{name}", sheet.language, sheet.name));
            make_folder(&out.join(language))?;
            write_new_file(&out.join(&path), &bytes, 0o644)?;
            manifest.files.push(Exported::of(path, &sheet.name, language, form, &bytes));
        }
    }
    bar.finish();
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    write_new_file(&out.join(MANIFEST), text.as_bytes(), 0o644)?;
    Ok(manifest)
}

const MANIFEST: &str = "manifest.json";

/// The files of a sheet: the end of their names, what they are, and what is in them.
fn files(
    sheet: &Sheet,
    browser: Option<&mut Browser>,
    frame: Frame,
) -> Result<Vec<(String, Form, Vec<u8>)>, Problem> {
    let mut files = vec![
        (String::from(".html"), Form::Html, sheet.html.clone().into_bytes()),
        (String::from(".txt"), Form::Text, sheet.text.clone().into_bytes()),
    ];
    if let Some(code) = sheet.code() {
        files.push((String::from("-code.png"), Form::Code, png::of_code(&code)?));
    }
    if let Some(browser) = browser {
        let pictures = browser.pictures(sheet, frame)?;
        let named = (1..).zip(pictures).map(|(at, bytes)| (format!("-{at:02}.png"), Form::Picture, bytes));
        files.extend(named);
    }
    Ok(files)
}

fn new_folder(out: &Path) -> Result<(), Problem> {
    make_folder(out)?;
    let mut there = std::fs::read_dir(out).map_err(|error| unwritable(out, error.kind()))?;
    if there.next().is_some() {
        return Err(Problem::new("SR-EXPORT-005", 409, "the folder for the export is not empty")
            .help("name a new one with `--out`, so that files of two versions never lie side by side"));
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error.kind()))
}

fn show(manifest: &Manifest, out: &Path, voice: Voice) {
    if voice.json {
        return voice.print_json(manifest);
    }
    let count = |form: Form| manifest.files.iter().filter(|file| file.form == form).count();
    let version =
        manifest.version.map_or_else(|| String::from("a draft"), |version| format!("version {version}"));
    voice.print(format!(
        "{}: {version} for {} in {}: {} sheets as HTML and text, {} pictures",
        out.display(),
        manifest.marketplace,
        manifest.languages.join(", "),
        count(Form::Html),
        count(Form::Picture)
    ));
}

async fn compare(args: &CompareArgs, context: &Context) -> Result<Exit, Problem> {
    let path = args.dir.join(MANIFEST);
    let written = std::fs::read(&path).map_err(|error| super::init::unreadable(&path, error.kind()))?;
    let manifest: Manifest = serde_json::from_slice(&written).map_err(|_| no_manifest())?;
    let source = Source::of(args.file.as_deref(), context).await?;
    let is_whole = |file: &&Exported| {
        is_inside(&file.path) && std::fs::read(args.dir.join(&file.path)).is_ok_and(|bytes| file.is(&bytes))
    };
    let changed: Vec<&str> =
        manifest.files.iter().filter(|file| !is_whole(file)).map(|file| file.path.as_str()).collect();
    let is_current = manifest.standing(&source.text) == Standing::Current;
    let version = source.published.map(|(version, _)| version);
    if context.voice.json {
        context.voice.print_json(&json!({
            "current": is_current, "exported": manifest.version, "in_force": version, "changed": changed,
        }));
    } else {
        let of = |version: Option<u64>| {
            version.map_or_else(|| String::from("a draft"), |version| format!("version {version}"))
        };
        context.voice.print(if is_current {
            format!("the export is of {}", source.name)
        } else {
            format!(
                "outdated: the export is of {}, and {} is {}",
                of(manifest.version),
                source.name,
                of(version)
            )
        });
        for path in &changed {
            context.voice.print(format!("missing or changed since: {path}"));
        }
    }
    Ok(if is_current && changed.is_empty() { Exit::Done } else { Exit::Found })
}

/// A path of a manifest leads nowhere but into its folder.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn no_manifest() -> Problem {
    Problem::new("SR-EXPORT-006", 422, "this folder has no manifest of an export that this release reads")
        .help("name the folder that `strongroom notice export` wrote")
}
