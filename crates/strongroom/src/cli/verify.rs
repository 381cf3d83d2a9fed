//! `strongroom verify`: is a receipt true? Without a vault, and without a network.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ledger::choice::{Fact, Held, VerifiedChoice, read_all};
use ledger::instant;
use ledger::note::Verifier;
use ledger::receipt::{MAX_RECEIPT_BYTES, VerifiedReceipt};
use policy::record::Words;
use serde_json::{Value as Json, json};

use super::{Context, Exit, Voice};
use crate::ground::Problem;

/// What `verify` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strongroom verify receipt.json --key 'strongroom/harbour-hill+1f2e3d4c+Ab12…'
  strongroom verify receipts.json --key \"$(cat shop.key)\" --lang zh

The file holds one receipt, of a choice or of an entry, or several as a shop's page gives them. The key is the shop's verifier key: on the shop's
site it stands in /.well-known/privacy.json, and it is worth comparing with one from elsewhere. Nothing is sent and no vault is
needed. Exit code 4 when a receipt does not hold. docs/spec/receipt.md has the format, and says what a receipt proves.")]
pub(super) struct VerifyArgs {
    /// The receipt
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The shop's verifier key: name+hash+base64
    #[arg(long, value_name = "VKEY", value_parser = Verifier::parse)]
    key: Verifier,
    /// The name of the log, if it is not the one in the key
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Language of the answer
    #[arg(long, value_enum, default_value_t = Language::En, value_name = "LANGUAGE")]
    lang: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    En,
    Zh,
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<Exit, Problem> {
    let (voice, origin) = (context.voice, args.origin.as_deref().unwrap_or_else(|| args.key.name()));
    let text = read(&args.file)?;
    let proved = read_all(&text).and_then(|held| {
        let proved = held.iter().map(|held| Proved::of(held, &args.key, origin));
        proved.collect::<Result<Vec<Proved>, ledger::Error>>()
    });
    let proved = match proved {
        Ok(proved) => proved,
        Err(error) => {
            refuse(error, args.lang, voice);
            return Ok(Exit::Found);
        }
    };
    if voice.json {
        let receipts: Vec<Json> = proved.iter().map(|one| one.to_json(&args.key)).collect();
        voice.print_json(&json!({ "verified": true, "receipts": receipts }));
        return Ok(Exit::Done);
    }
    for one in &proved {
        one.tell(args.lang, voice);
    }
    tell_all(&[PROVEN_HEAD], args.lang, voice);
    let of_choices = proved.iter().any(|one| matches!(one, Proved::Choice(_)));
    tell_points(if of_choices { &PROVEN_CHOICE } else { &PROVEN_ENTRY }, args, voice);
    tell_all(&[UNPROVEN_HEAD], args.lang, voice);
    tell_points(if of_choices { &UNPROVEN_CHOICE } else { &UNPROVEN_ENTRY }, args, voice);
    Ok(Exit::Done)
}

/// What a receipt has proved.
enum Proved {
    Entry(VerifiedReceipt),
    Choice(VerifiedChoice),
}

impl Proved {
    fn of(held: &Held, key: &Verifier, origin: &str) -> Result<Proved, ledger::Error> {
        match held {
            Held::Entry(receipt) => receipt.verify(key, origin).map(Proved::Entry),
            Held::Choice(receipt) => receipt.verify(key, origin).map(Proved::Choice),
        }
    }

    fn ledger(&self) -> &VerifiedReceipt {
        match self {
            Proved::Entry(proved) => proved,
            Proved::Choice(proved) => &proved.ledger,
        }
    }

    fn to_json(&self, key: &Verifier) -> Json {
        let ledger = self.ledger();
        let mut json = json!({
            "signed_by": key.id(),
            "log": ledger.checkpoint.origin(),
            "entry_index": ledger.entry_index,
            "entered_at": instant::text(ledger.entry.at),
            "act": ledger.entry.act.to_string(),
            "size": ledger.checkpoint.size(),
        });
        if let (Proved::Choice(choice), Json::Object(all)) = (self, &mut json) {
            let facts = Fact::ALL.iter().filter_map(|fact| Some((fact.as_str(), choice.text(*fact)?)));
            all.insert(
                "facts".into(),
                facts.map(|(fact, text)| (fact.to_owned(), Json::from(text))).collect(),
            );
            all.insert("record".into(), choice.record.clone());
        }
        json
    }

    fn tell(&self, language: Language, voice: Voice) {
        let ledger = self.ledger();
        voice.print(format!("{} ✓", language.of(HOLDS)));
        if let Proved::Choice(choice) = self {
            for (fact, name) in TOLD {
                if let Some(text) = choice.text(fact) {
                    voice.print(format!("  {}: {}", language.of(name), plain(&spoken(fact, text, language))));
                }
            }
        } else {
            voice.print(format!("  {}: {}", language.of(ACT), ledger.entry.act));
            voice.print(format!("  {}: {}", language.of(ENTERED), instant::text(ledger.entry.at)));
        }
        let (log, index) = (plain(ledger.checkpoint.origin()), ledger.entry_index);
        voice.print(format!("  {}: {log}, {index} / {}\n", language.of(PLACE), ledger.checkpoint.size()));
    }
}

/// A fact as people say it.
fn spoken(fact: Fact, text: &str, language: Language) -> String {
    let known = SPOKEN.iter().find(|(of, word, _)| *of == fact && *word == text);
    known.map_or_else(|| text.to_owned(), |(.., words)| language.of(*words).to_owned())
}

fn refuse(error: ledger::Error, language: Language, voice: Voice) {
    if voice.json {
        voice.print_json(&json!({ "verified": false, "code": error.code(), "message": error.to_string() }));
        return;
    }
    voice.print(format!("{} ✗", language.of(FAILS)));
    let why = why(error).map_or_else(|| error.to_string(), |words| language.of(words).to_owned());
    voice.print(format!("  {why} ({})", error.code()));
    voice.print(format!("  {}", language.of(FAILS_HELP)));
}

fn tell_all(all: &[Words], language: Language, voice: Voice) {
    for words in all {
        voice.print(language.of(*words));
    }
}

fn tell_points(points: &[Words], args: &VerifyArgs, voice: Voice) {
    for words in points {
        voice.print(format!("  · {}", args.lang.of(*words).replace("{key}", &plain(&args.key.id()))));
    }
}

/// Text from a file, without anything a terminal could take for a command.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Fails: `SR-VERIFY-001` when there is no such file, or it is no text.
fn read(file: &Path) -> Result<String, Problem> {
    let unreadable = |_| {
        Problem::new("SR-VERIFY-001", 422, "the receipt cannot be read")
            .help("check the name of the file, and that it is the file that the shop gave")
    };
    let most = u64::try_from(MAX_RECEIPT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(most).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

impl Language {
    fn of(self, words: Words) -> &'static str {
        match self {
            Language::En => words.en,
            Language::Zh => words.zh,
        }
    }
}

const fn both(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

const HOLDS: Words = both("This receipt holds", "回执有效");
const FAILS: Words = both("This receipt does not hold", "回执无效");
const FAILS_HELP: Words = both(
    "Check that the key is the shop’s and the file is as you got it; then ask the shop for the receipt again, and keep this one.",
    "请先核对密钥是否属于该店铺、文件是否保持原样；再向店铺索取一次回执，并保留这一份。",
);
const ACT: Words = both("act", "行为");
const ENTERED: Words = both("entered at", "记入账本的时间");
const PLACE: Words = both("in the ledger", "账本位置");

/// What is told of a choice, in this order.
const TOLD: [(Fact, Words); 12] = [
    (Fact::Subject, both("person", "主体")),
    (Fact::Purpose, both("purpose", "处理目的")),
    (Fact::Choice, both("said", "选择")),
    (Fact::SaidAt, both("said at", "作出选择的时间")),
    (Fact::EnteredAt, ENTERED),
    (Fact::EndsAt, both("ends by itself at", "到期时间")),
    (Fact::Notice, both("version of the notice", "隐私政策版本")),
    (Fact::Language, both("language", "语言")),
    (Fact::Way, both("where", "途径")),
    (Fact::Law, both("law", "法域")),
    (Fact::Variant, both("form of the page", "页面样式")),
    (Fact::Shown, both("digest of what was shown", "所示内容的摘要")),
];

const SPOKEN: [(Fact, &str, Words); 10] = [
    (Fact::Choice, "granted", both("granted", "同意")),
    (Fact::Choice, "refused", both("refused", "拒绝")),
    (Fact::Choice, "withdrawn", both("withdrawn", "撤回")),
    (Fact::Way, "banner", both("on the banner of a page", "页面横幅")),
    (Fact::Way, "preferences", both("in the privacy settings of a page", "页面的隐私设置")),
    (Fact::Way, "signal", both("by the signal of a browser, confirmed", "浏览器信号，经本人确认")),
    (Fact::Way, "my_data", both("on the pages of My data", "“我的数据”页面")),
    (Fact::Way, "link", both("by the link of a mail", "邮件中的链接")),
    (Fact::Way, "api", both("told to the shop’s systems", "由店铺系统录入")),
    (Fact::Way, "import", both("from a file that the shop imported", "由店铺导入")),
];

const PROVEN_HEAD: Words = both("What this proves:", "它能证明：");
const PROVEN_CHOICE: [Words; 3] = [
    both(
        "whoever holds the key {key} states this choice, word for word",
        "持有密钥 {key} 的一方作出了上述陈述，一字未改",
    ),
    both(
        "it stood in the shop’s ledger when the head in this receipt was signed, with this time",
        "在签署回执中的树头时，这一选择连同上述时间已记入该店铺的账本",
    ),
    both(
        "record and ledger say the same; neither can be changed behind your back without contradicting this file",
        "记录与账本内容一致；事后改动任何一处，都会与这份文件相矛盾",
    ),
];
const UNPROVEN_CHOICE: [Words; 4] = [
    both(
        "that the key is the shop’s: compare it with one from elsewhere",
        "密钥确属该店铺：请与其他来源的密钥核对",
    ),
    both("that it was you who clicked: the shop says so", "确实是您本人作出的选择：这是店铺的陈述"),
    both("that the shop did what was chosen", "店铺已照此执行"),
    both(
        "that the shop’s clock was right, or that the entry still stands in today’s ledger: compare a later head",
        "店铺的时钟准确，或者该条目仍在今天的账本中：请与之后的树头比对",
    ),
];
const PROVEN_ENTRY: [Words; 1] = [both(
    "this entry stood in the ledger of the key {key} when the head in this receipt was signed, with these facts and this time",
    "在签署回执中的树头时，这一条目连同其内容和时间已记入密钥 {key} 的账本",
)];
const UNPROVEN_HEAD: Words = both("What it does not prove:", "它不能证明：");
const UNPROVEN_ENTRY: [Words; 2] = [
    both(
        "that the key is the shop’s: compare it with one from elsewhere",
        "密钥确属该店铺：请与其他来源的密钥核对",
    ),
    both(
        "that the shop’s clock was right, or that the entry still stands in today’s ledger: compare a later head",
        "店铺的时钟准确，或者该条目仍在今天的账本中：请与之后的树头比对",
    ),
];

/// Why a receipt does not hold, for people; `None` where the ledger's own words have to do.
fn why(error: ledger::Error) -> Option<Words> {
    use ledger::Error as E;
    Some(match error {
        E::ReceiptMalformed | E::JwsMalformed => {
            both("it is not a receipt, or it was cut off", "这不是回执，或者内容不完整")
        }
        E::JwsOtherKey | E::NotSigned => {
            both("it was signed with another key than this one", "签名所用的不是这个密钥")
        }
        E::JwsWrong => both("the record was changed after it was signed", "记录在签名之后被改动过"),
        E::RecordOther => both(
            "the record that is shown is not the one that was signed",
            "所示的记录与签名的记录不是同一份",
        ),
        E::RecordUnlike { .. } => {
            both("the record says something else than the ledger", "记录与账本的内容不一致")
        }
        E::OutsideTree { .. } | E::InclusionWrong | E::EntryTooLong { .. } | E::EntryMalformed { .. } => {
            both("the entry does not stand in the ledger as the proof says", "按其证明，该条目不在账本中")
        }
        E::OpeningMalformed { .. } | E::CommitmentWrong | E::ActWrong => {
            both("the facts are not those of the entry", "内容与账本条目不符")
        }
        E::NoteMalformed | E::NoteTooLong { .. } | E::SignatureWrong | E::CheckpointMalformed => {
            both("the ledger’s head in it was not signed like this", "账本的树头不是这样签署的")
        }
        E::OriginWrong => both("it is of another ledger", "它属于另一个账本"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Way;

    #[test]
    fn every_fact_is_told_and_every_way_is_spoken() {
        for fact in Fact::ALL {
            assert!(TOLD.iter().any(|(told, _)| told == fact), "{fact}");
        }
        for way in Way::ALL {
            for language in [Language::En, Language::Zh] {
                assert_ne!(spoken(Fact::Way, way.name(), language), way.name());
            }
        }
    }
}
