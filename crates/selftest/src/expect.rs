//! What is declared: which purposes there are, who receives data for them, what they leave on the device. It comes from the answer of
//! `init` that the page itself got (docs/spec/window.md), and from a file of expectations for pages without our window.

use serde::Deserialize;

use crate::banner::Buttons;
use crate::{Error, Pattern, Stage};

/// The longest file of expectations that is read.
const MAX_FILE_BYTES: usize = 1_048_576;

/// What a page declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// The purposes, in their order.
    pub purposes: Vec<Purpose>,
    /// Purposes that a signal of the browser stops: a yes to all does not reach them.
    pub honoured: Vec<String>,
    /// Buttons that are named by hand.
    pub buttons: Option<Buttons>,
}

/// What a purpose may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Its name.
    pub name: String,
    /// What a visitor has to say to it.
    pub kind: Kind,
    /// It runs before somebody says no, under a law of opting out.
    #[serde(default)]
    pub on_by_default: bool,
    /// Who receives data for it.
    #[serde(default, rename = "recipient")]
    pub recipients: Vec<Recipient>,
    /// Hosts that receive data for it, when it does not matter who they are.
    #[serde(default)]
    pub hosts: Vec<Pattern>,
    /// Names of its cookies.
    #[serde(default)]
    pub cookies: Vec<Pattern>,
    /// Names of what else it keeps on the device: storage keys, databases, caches, scopes of service workers.
    #[serde(default)]
    pub storage: Vec<Pattern>,
}

/// Who receives data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Its name, as the notice has it.
    pub name: String,
    /// Its hosts.
    #[serde(default)]
    pub hosts: Vec<Pattern>,
}

/// What a visitor has to say to a purpose before it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing.
    Necessary,
    /// Yes.
    Consent,
    /// A yes of its own, that a yes to all does not give.
    Separate,
    /// Nothing, until they object.
    Interest,
}

impl Declared {
    /// Reads a file of expectations, TOML or JSON.
    ///
    /// Fails: `SR-SELFTEST-008` with the line.
    pub fn read(text: &str) -> Result<Declared, Error> {
        if text.len() > MAX_FILE_BYTES {
            return Err(Error::ExpectMalformed { line: 0 });
        }
        let file: File = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| Error::ExpectMalformed { line: error.line() })?
        } else {
            toml::from_str(text).map_err(|error| Error::ExpectMalformed { line: line_of(text, &error) })?
        };
        Ok(Declared { purposes: file.purposes, honoured: Vec::new(), buttons: file.buttons })
    }

    /// Adds what an answer of `init` says. Gives `None`, and adds nothing, when it is not of the form that this program knows.
    pub(crate) fn add_init(&mut self, body: &str) -> Option<Init> {
        let init: Init = serde_json::from_str(body).ok()?;
        if init.format != 1 {
            return None;
        }
        for said in &init.purposes {
            let found = self.purposes.iter().position(|purpose| purpose.name == said.name);
            match found.and_then(|at| self.purposes.get_mut(at)) {
                // ORDER: what the page tells its visitors comes before what was expected of it.
                Some(purpose) => purpose.join(said),
                None => self.purposes.push(said.as_purpose()),
            }
        }
        self.honoured.extend(init.gpc.honoured.iter().cloned());
        Some(init)
    }

    /// The purpose of this name.
    pub fn purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.name == name)
    }

    /// Is there anything to choose?
    pub fn leaves_a_choice(&self) -> bool {
        self.purposes.iter().any(|purpose| purpose.kind != Kind::Necessary)
    }

    /// May this purpose run at this stage? One that is not declared may not.
    ///
    /// Source: docs/spec/window.md, "What may run".
    pub fn may_run(&self, name: &str, stage: Stage) -> bool {
        let Some(purpose) = self.purpose(name) else { return false };
        if purpose.kind == Kind::Necessary {
            return true;
        }
        if self.honoured.iter().any(|honoured| honoured == name) {
            return false;
        }
        match (stage, purpose.kind) {
            (Stage::Before, Kind::Interest) | (Stage::Accepted, Kind::Interest | Kind::Consent) => true,
            (Stage::Before, Kind::Consent) => purpose.on_by_default,
            _ => false,
        }
    }
}

impl Purpose {
    fn join(&mut self, said: &Said) {
        let fresh = said.as_purpose();
        self.kind = fresh.kind;
        self.on_by_default = fresh.on_by_default;
        self.cookies.extend(fresh.cookies);
        self.storage.extend(fresh.storage);
        for recipient in fresh.recipients {
            if !self.recipients.iter().any(|known| known.name == recipient.name) {
                self.recipients.push(recipient);
            }
        }
    }
}

/// What a file of expectations holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "purpose")]
    purposes: Vec<Purpose>,
    buttons: Option<Buttons>,
}

/// An answer of `init`, as far as it is of use here.
#[derive(Debug, Deserialize)]
pub(crate) struct Init {
    format: u64,
    pub(crate) notice: InitNotice,
    pub(crate) law: Option<String>,
    #[serde(default)]
    pub(crate) ask: bool,
    purposes: Vec<Said>,
    #[serde(default)]
    gpc: Gpc,
}

#[derive(Debug, Deserialize)]
pub(crate) struct InitNotice {
    pub(crate) version: String,
    pub(crate) digest: String,
}

#[derive(Debug, Default, Deserialize)]
struct Gpc {
    #[serde(default)]
    honoured: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    name: String,
    kind: Kind,
    #[serde(default)]
    on_by_default: bool,
    #[serde(default)]
    recipients: Vec<SaidRecipient>,
    #[serde(default)]
    cookies: Vec<Pattern>,
    #[serde(default)]
    storage: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
struct SaidRecipient {
    name: String,
}

impl Said {
    fn as_purpose(&self) -> Purpose {
        let recipient = |said: &SaidRecipient| Recipient { name: said.name.clone(), hosts: Vec::new() };
        Purpose {
            name: self.name.clone(),
            kind: self.kind,
            on_by_default: self.on_by_default,
            recipients: self.recipients.iter().map(recipient).collect(),
            hosts: Vec::new(),
            cookies: self.cookies.clone(),
            storage: self.storage.clone(),
        }
    }
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return 0 };
    before.matches('\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"
[[purpose]]
name = "statistics"
kind = "consent"
cookies = ["_ga*"]

[[purpose.recipient]]
name = "google-analytics"
hosts = ["google-analytics.com"]

[buttons]
accept = ["#yes"]
refuse = ["#no"]
"##;

    #[test]
    fn a_file_of_expectations_is_read_as_toml_and_as_json() {
        let declared = Declared::read(FILE).unwrap();
        let purpose = declared.purpose("statistics").unwrap();
        assert!(purpose.recipients[0].hosts[0].fits_host("www.google-analytics.com"));
        assert_eq!(declared.buttons.unwrap().refuse, ["#no"]);
        let json = r#"{"purpose": [{"name": "statistics", "kind": "interest"}]}"#;
        assert!(Declared::read(json).unwrap().may_run("statistics", Stage::Before));
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_with_its_line() {
        let wrong = FILE.replace("kind =", "sort =");
        assert_eq!(Declared::read(&wrong), Err(Error::ExpectMalformed { line: 4 }));
        assert_eq!(Declared::read("{\n\"purposes\": []}"), Err(Error::ExpectMalformed { line: 2 }));
    }

    #[test]
    fn what_the_page_says_comes_before_what_was_expected() {
        let mut declared = Declared::read(&FILE.replace("consent", "necessary")).unwrap();
        let init = r#"{"format": 1, "notice": {"version": "3", "digest": "sha256:00"}, "law": "eu", "ask": true,
            "purposes": [{"name": "statistics", "kind": "consent", "recipients": [{"name": "umeng"}], "cookies": ["UM_*"]}]}"#;
        assert!(declared.may_run("statistics", Stage::Before));
        assert!(declared.add_init(init).is_some());
        assert!(
            !declared.may_run("statistics", Stage::Before) && declared.may_run("statistics", Stage::Accepted)
        );
        let purpose = declared.purpose("statistics").unwrap();
        assert_eq!((purpose.recipients.len(), purpose.cookies.len()), (2, 2));
        assert!(declared.add_init(&init.replace("\"format\": 1", "\"format\": 2")).is_none());
    }
}
