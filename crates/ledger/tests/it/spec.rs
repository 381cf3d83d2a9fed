//! The document and the program say the same: every vector and every table of `docs/spec/ledger.md` is checked here.

use ledger::archive::{Options, Problem, Trust, verify_whole};
use ledger::bundle;
use ledger::checkpoint::Checkpoint;
use ledger::entry::{Act, Actor, Entry, Figure, OPEN, Outcome, Part, RecordMark};
use ledger::hash::{Hash, leaf_hash};
use ledger::note::Signer;
use ledger::opening::{Opening, Tag, commitment};
use ledger::receipt::Receipt;
use ledger::tree::{Frontier, verify_consistency, verify_inclusion};

use crate::support::Memory;

const DOCUMENT: &str = include_str!("../../../../docs/spec/ledger.md");
const AT: i64 = 1_795_305_600_000_000;

/// The text between "```vector NAME" and "```".
fn text(name: &str) -> &'static str {
    let (_, rest) =
        DOCUMENT.split_once(&format!("```vector {name}\n")).unwrap_or_else(|| panic!("no {name}"));
    rest.split_once("```").unwrap().0
}

fn bytes(name: &str) -> Vec<u8> {
    let hex: String = text(name).split_whitespace().collect();
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn hashes(name: &str) -> Vec<Hash> {
    text(name).split_whitespace().map(|hash| hash.parse().unwrap()).collect()
}

fn span(first: u8) -> [u8; 16] {
    std::array::from_fn(|place| first + u8::try_from(place).unwrap())
}

fn openings() -> [Opening; 4] {
    let (subject, record) = ("sub_0123456789abcdefghjkmnpqrs", "rec_0123456789abcdefghjkmnpqrs");
    let digest = std::array::from_fn(|place| u8::try_from(place).unwrap());
    let fields = Part::of(1, [0, 1, 2, 4, 7, 9, 11]);
    let written =
        Opening::builder().act(Act::Collected).subject(subject).record(record).version(1).digest(&digest);
    let chosen =
        Opening::builder().act(Act::Chose).subject(subject).purpose("marketing_email").choice("withdrawn");
    [
        Opening::builder().act(Act::Opened),
        written.purpose("delivery").fields(&fields),
        chosen.notice("2026-11-01").language("zh-CN").at(AT + 2_000_000),
        Opening::builder().act(Act::Erased).subject(subject),
    ]
    .map(|builder| builder.build().unwrap())
}

fn salt(number: u8) -> [u8; 16] {
    [number; 16]
}

fn entries() -> [Entry; 4] {
    let mut opened = Entry::new(AT, Act::Opened, Outcome::Yes, Actor::operator());
    opened.figures.push((Figure::Generation, 1));
    let mut collected = Entry::new(AT + 1_500_000, Act::Collected, Outcome::Yes, Actor::credential(42));
    collected.policy = 3;
    collected.purpose = Some(5);
    collected.parts.push(Part::of(1, [0, 1, 2, 4, 7, 9, 11]));
    collected.reasons.push(17);
    collected.alias = Some(span(0x10));
    collected.record = Some(RecordMark { alias: span(0x20), version: 1, until: OPEN });
    let person = Actor::credential(300).on_behalf_of(span(0x10));
    let mut chose = Entry::new(AT + 2_000_000, Act::Chose, Outcome::Yes, person);
    chose.policy = 3;
    chose.purpose = Some(260);
    chose.recipient = Some(2);
    chose.alias = Some(span(0x10));
    let mut erased = Entry::new(AT + 3_000_000, Act::Erased, Outcome::Yes, Actor::house());
    erased.policy = 3;
    erased.reasons = vec![4, 1000];
    erased.alias = Some(span(0x10));
    erased.destroyed.push(span(0x30));
    erased.figures = vec![(Figure::Keys, 1), (Figure::Epoch, 200)];
    let mut entries = [opened, collected, chose, erased];
    for ((number, entry), opening) in (0u8..).zip(&mut entries).zip(openings()) {
        entry.commitment = commitment(&salt(number), &opening);
    }
    entries
}

fn leaves() -> Vec<Hash> {
    entries().iter().map(|entry| leaf_hash(&entry.encode().unwrap())).collect()
}

fn signer() -> Signer {
    let seed: [u8; 32] = bytes("seed").try_into().unwrap();
    Signer::from_seed("shop.example/ledger", &seed).unwrap()
}

#[test]
fn the_entries_of_the_document_are_ours_byte_by_byte() {
    for (number, entry) in entries().iter().enumerate() {
        let written = bytes(&format!("entry-{number}"));
        assert_eq!(entry.encode().unwrap(), written, "entry {number}");
        assert_eq!(Entry::decode(&written).as_ref(), Ok(entry));
    }
}

#[test]
fn the_opening_and_commitment_of_the_document_are_ours() {
    let opening = &openings()[2];
    assert_eq!(opening.as_bytes(), bytes("opening-2"));
    assert_eq!(salt(2).to_vec(), bytes("salt-2"));
    assert_eq!(commitment(&salt(2), opening).to_vec(), bytes("commitment-2"));
    assert_eq!(Opening::decode(&bytes("opening-2")).as_ref(), Ok(opening));
}

#[test]
fn the_tree_of_the_document_is_ours() {
    let leaves = leaves();
    assert_eq!(hashes("leaf-hashes"), leaves);
    let roots: Vec<Hash> = (1..=4).map(|size| Frontier::over(&leaves[..size]).root()).collect();
    assert_eq!(hashes("roots"), roots);
    assert_eq!(verify_inclusion(&leaves[2], 2, 4, &hashes("inclusion-2-of-4"), &roots[3]), Ok(()));
    assert_eq!(verify_consistency(3, &roots[2], 4, &roots[3], &hashes("consistency-3-to-4")), Ok(()));
}

#[test]
fn the_bundle_of_the_document_is_ours() {
    let entries: Vec<Vec<u8>> = entries().iter().map(|entry| entry.encode().unwrap()).collect();
    assert_eq!(bundle::encode(entries.iter().map(Vec::as_slice)).unwrap(), bytes("bundle"));
}

#[test]
fn the_key_and_checkpoint_of_the_document_are_ours() {
    assert_eq!(signer().verifier().to_string(), text("vkey").trim());
    let root = Frontier::over(&leaves()).root();
    let checkpoint = Checkpoint::new("shop.example/ledger", 4, root).unwrap();
    assert_eq!(checkpoint.sign(&signer()).unwrap(), text("checkpoint"));
}

#[test]
fn the_receipt_of_the_document_proves_what_it_says() {
    let receipt = Receipt::from_json(text("receipt")).unwrap();
    let proved = receipt.verify(signer().verifier(), "shop.example/ledger").unwrap();
    assert_eq!((proved.entry_index, &proved.entry), (2, &entries()[2]));
    assert_eq!(proved.opening.text(Tag::Choice), Some("withdrawn"));
    assert_eq!(receipt.to_json().unwrap(), text("receipt").trim());
}

#[test]
fn the_archive_of_the_document_is_a_whole_log() {
    let tile: Vec<u8> = leaves().iter().flat_map(|leaf| leaf.0).collect();
    let files = [
        ("log.json", text("log.json").as_bytes().to_vec()),
        ("checkpoint", text("checkpoint").as_bytes().to_vec()),
        ("tile/entries/000.p/4", bytes("bundle")),
        ("tile/0/000.p/4", tile),
    ];
    let archive = Memory(files.map(|(path, bytes)| (path.to_owned(), bytes)).into());
    let trust = Trust::new(signer().verifier().clone());
    let report = verify_whole(&archive, &trust, &Options::default(), &|_| {}).unwrap();
    assert_eq!((report.entries, report.findings), (4, vec![]));
}

#[test]
fn every_number_of_the_format_stands_in_its_table() {
    let listed = |number: u8, name: String| {
        let row = format!("| {number} | `{name}` |");
        assert!(DOCUMENT.contains(&row), "{row}");
    };
    for act in Act::ALL {
        listed(act.number(), act.to_string());
    }
    for figure in Figure::ALL {
        listed(figure.number(), figure.to_string());
    }
    for tag in Tag::ALL {
        listed(tag.number(), tag.to_string());
    }
}

#[test]
fn every_code_stands_in_its_table_with_its_message() {
    for code in 1..=40 {
        let row = format!("| SR-LEDGER-{code:03} | ");
        assert_eq!(DOCUMENT.matches(&row).count(), 1, "{row}");
    }
    let words = [
        ledger::Error::NotSigned,
        ledger::Error::CommitmentWrong,
        ledger::Error::HashMalformed,
        ledger::Error::JwsMalformed,
        ledger::Error::JwsOtherKey,
        ledger::Error::JwsWrong,
        ledger::Error::RecordOther,
    ];
    for error in words {
        assert!(DOCUMENT.contains(&format!("| {} | {error} |", error.code())), "{error}");
    }
}

#[test]
fn every_finding_stands_in_its_table() {
    let file = "tile/0/000".parse().unwrap();
    for problem in [
        Problem::FileMissing { file },
        Problem::TileDamaged { file, position: 0, index: 0 },
        Problem::EntryEdited { index: 0 },
        Problem::EntryRemoved { index: 0 },
        Problem::EntryAdded { index: 0 },
        Problem::EntriesSwapped { index: 0, other: 1 },
        Problem::EntriesReordered { index: 0 },
        Problem::BundleTruncated { index: 0 },
        Problem::EntryUnreadable { index: 0 },
        Problem::EntriesRewritten { index: 0, last: 255 },
        Problem::Undecided { index: 0 },
        Problem::RootDiffers { size: 1 },
        Problem::Shortened { size: 1, known: 2 },
        Problem::HistoryDiffers { known: 1 },
        Problem::TimeRunsBack { index: 0, by_micros: 1 },
    ] {
        let json = serde_json::to_value(problem).unwrap();
        let name = json["problem"].as_str().unwrap();
        assert!(DOCUMENT.contains(&format!("| `{name}` |")), "{name}");
    }
}
