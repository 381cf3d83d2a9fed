//! What visitors can choose from, in one language and under one law: the same for everybody whom it is the same for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use policy::record::{self, country_name};
use policy::{
    Basis, Button, Compiled, CompiledPurpose, Consideration, Home, Person, Size, Weight, WindowAnswer,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ground::{InForce, hex};

/// The words of the interface. Their keys are the same in both languages; the window's own tests see to that.
static ENGLISH: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| read(include_str!("../../../../../window/texts/en.json")));
static CHINESE: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| read(include_str!("../../../../../window/texts/zh.json")));

fn read(text: &str) -> BTreeMap<String, String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// A purpose as visitors meet it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedPurpose {
    /// Its name in the policy.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What it is, in one sentence; empty where that is what it is called.
    pub says: String,
    /// `necessary`, `consent`, `separate` or `interest`.
    pub kind: &'static str,
    /// Allowed before any choice, where the law is one of opting out.
    pub on_by_default: bool,
    /// Who receives data for it.
    pub recipients: Vec<OfferedRecipient>,
    /// Names of Google Consent Mode that stand for it.
    pub signals: Vec<&'static str>,
    /// Cookies that pages set for it; `*` stands for any characters.
    pub cookies: Vec<String>,
    /// Keys of the browser's storage for it, likewise.
    pub storage: Vec<String>,
    /// Its ordinal.
    #[serde(skip)]
    pub ordinal: u16,
    /// Does a signal against selling and sharing stop it?
    #[serde(skip)]
    pub is_sold: bool,
}

/// A recipient as visitors meet it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedRecipient {
    /// Its name in the policy.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// The code of its country.
    #[serde(rename = "in")]
    pub place: String,
    /// The country in words.
    #[serde(rename = "place")]
    pub place_name: String,
}

/// How a button looks, as far as the shop sets it: values of properties of its style, by their names in scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedLook {
    /// The colour of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The colour behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// How heavy its text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font_weight: Option<&'static str>,
    /// How large it is, counted by its usual size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font_size: Option<&'static str>,
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The shop's name.
    pub shop: String,
    /// The language, one of the shop's.
    pub language: String,
    /// The law by which it is asked; `None` where it may be one of several.
    pub law: Option<String>,
    /// The purposes, in the policy's order.
    pub purposes: Vec<OfferedPurpose>,
    /// The words of the interface, with the shop's own on its buttons.
    pub texts: BTreeMap<String, String>,
    /// The order of the three buttons, by their letters.
    pub variant: String,
    /// How they look, by their letters, where the shop sets that.
    pub look: BTreeMap<String, OfferedLook>,
    /// SHA-256 of the policy and of all of the above, hex.
    pub digest: String,
}

impl Offer {
    /// What is offered under a policy.
    ///
    /// Takes: the tag of the language that is asked for, and where the visitor lives, if the page knows. What a law bars there is not
    /// offered: nobody can agree to it.
    pub fn of(policy: &InForce, wanted: &str, home: Home) -> Offer {
        let compiled = &policy.compiled;
        let language = policy.nearest_language(wanted).map_or_else(String::new, ToString::to_string);
        let barred = compiled.barred(Person { home, ..Person::default() });
        let offered = compiled.purposes().filter(|purpose| !barred.has(purpose.ordinal));
        let law = compiled.law_of(home).map(str::to_owned);
        let mut purposes: Vec<OfferedPurpose> =
            offered.map(|purpose| of_purpose(compiled, purpose, &language)).collect();
        for purpose in &mut purposes {
            purpose.on_by_default = is_on(compiled, purpose, law.as_deref());
        }
        let texts = texts(compiled, &language);
        let (variant, look) = (variant(compiled), look(compiled));
        let shop = compiled.shop().name.or_first(&language).to_owned();
        let mut hasher = Sha256::new();
        hasher.update(policy.digest);
        // Written in one way: maps are sorted, and nothing in them can fail to be written.
        hasher.update(serde_json::to_vec(&(&shop, &language, &purposes, &texts, &look)).unwrap_or_default());
        Offer { shop, language, law, purposes, texts, variant, look, digest: hex(&hasher.finalize()) }
    }

    /// The purpose of this name.
    pub fn find(&self, name: &str) -> Option<&OfferedPurpose> {
        self.purposes.iter().find(|purpose| purpose.name == name)
    }

    /// Those that a signal stops.
    pub fn sold(&self) -> impl Iterator<Item = &OfferedPurpose> {
        self.purposes.iter().filter(|purpose| purpose.is_sold)
    }
}

impl OfferedPurpose {
    /// Does it leave a choice?
    pub fn is_choice(&self) -> bool {
        self.kind != "necessary"
    }

    /// Is it asked together with others?
    pub fn is_asked_together(&self) -> bool {
        matches!(self.kind, "consent" | "interest")
    }
}

/// Is a switch on before anybody touched it? Only of a consent, where the policy says so and the law is one of opting out.
fn is_on(compiled: &Compiled, purpose: &OfferedPurpose, law: Option<&str>) -> bool {
    let opts_out = law.is_some_and(|law| law == "us" || law.starts_with("us-"));
    let is_named = compiled.window().on.iter().any(|name| name.as_str() == purpose.name);
    purpose.kind == "consent" && opts_out && is_named
}

fn texts(compiled: &Compiled, language: &str) -> BTreeMap<String, String> {
    let mut texts = match record::Language::beside(language) {
        record::Language::Zh => CHINESE.clone(),
        record::Language::En => ENGLISH.clone(),
    };
    for (answer, _, key) in BUTTONS {
        if let Some(label) = &compiled.window().button(answer).label {
            texts.insert(key.to_owned(), label.or_first(language).to_owned());
        }
    }
    texts
}

/// The answers, their letters, and the keys of their words.
const BUTTONS: [(WindowAnswer, &str, &str); 3] = [
    (WindowAnswer::Accept, "a", "accept_all"),
    (WindowAnswer::Reject, "r", "reject_all"),
    (WindowAnswer::Choose, "c", "choose"),
];

fn variant(compiled: &Compiled) -> String {
    let letter =
        |answer: &WindowAnswer| BUTTONS.iter().find(|(of, ..)| of == answer).map(|(_, letter, _)| *letter);
    compiled.window().order.iter().filter_map(letter).collect()
}

fn look(compiled: &Compiled) -> BTreeMap<String, OfferedLook> {
    let looks =
        BUTTONS.iter().map(|(answer, letter, _)| (*letter, look_of(compiled.window().button(*answer))));
    looks
        .filter(|(_, look)| *look != OfferedLook::default())
        .map(|(letter, look)| (letter.to_owned(), look))
        .collect()
}

fn look_of(button: &Button) -> OfferedLook {
    OfferedLook {
        color: button.colours.map(|(text, _)| text.to_string()),
        background_color: button.colours.map(|(_, ground)| ground.to_string()),
        font_weight: (button.weight == Weight::Strong).then_some("700"),
        font_size: (button.size == Size::Large).then_some("1.25em"),
    }
}

fn of_purpose(compiled: &Compiled, purpose: &CompiledPurpose, language: &str) -> OfferedPurpose {
    let said = &purpose.said;
    let says = said.says.or_first(language).to_owned();
    let (label, says) = match &said.label {
        Some(label) => (label.or_first(language).to_owned(), says),
        None => (says, String::new()),
    };
    let recipients = || said.recipients.iter().filter_map(|name| compiled.find_recipient(name.as_str()));
    let use_is = |key: &str| said.data_use.is_within(key);
    OfferedPurpose {
        name: said.name.to_string(),
        label,
        says,
        kind: kind_of(said.basis),
        on_by_default: false,
        recipients: recipients()
            .map(|recipient| OfferedRecipient {
                name: recipient.said.name.to_string(),
                label: recipient.said.title.or_first(language).to_owned(),
                place: recipient.said.place.as_str().to_owned(),
                place_name: country_name(&recipient.said.place, language).to_owned(),
            })
            .collect(),
        signals: signals_of(&use_is),
        cookies: said.cookies.clone(),
        storage: said.storage.clone(),
        ordinal: purpose.ordinal,
        // LAW: Cal. Civ. Code 1798.140(ad), (ah): selling is any consideration; sharing is cross-context advertising.
        is_sold: said.basis.can_be_refused()
            && (recipients().any(|recipient| recipient.said.consideration != Consideration::None)
                || (use_is("marketing.advertising") && recipients().next().is_some())),
    }
}

fn kind_of(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "consent",
        Basis::SeparateConsent => "separate",
        Basis::LegitimateInterest => "interest",
        Basis::Contract | Basis::LegalObligation | Basis::VitalInterest | Basis::PublicTask => "necessary",
    }
}

/// SOURCE: Google, "Consent mode", consent types: which of the seven stands for a use of data.
fn signals_of(use_is: &impl Fn(&str) -> bool) -> Vec<&'static str> {
    if use_is("marketing.advertising") {
        vec!["ad_storage", "ad_user_data", "ad_personalization"]
    } else if use_is("analytics") {
        vec!["analytics_storage"]
    } else if use_is("personalize") {
        vec!["personalization_storage"]
    } else if use_is("functional") {
        vec!["functionality_storage"]
    } else if use_is("essential") {
        vec!["security_storage"]
    } else {
        Vec::new()
    }
}
