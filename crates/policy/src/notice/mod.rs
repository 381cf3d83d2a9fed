//! The notice: what a shop's policy says, as the people read it whose data it is.
//!
//! A notice is made of a policy, in one of its languages, for the law of one day ([`Notice::of`]). It says nothing that the
//! policy does not say or the program does not do; what the shop wants to say besides stands in notes of its own and is
//! shown as such. First a table that is read in a minute, then everything in full, in the order in which readers under
//! their law look for it.
//!
//! [`Notice::to_html_fragment`] and [`Notice::to_html_page`] write it for people, [`Notice::to_text`] where no page can be
//! shown, [`Notice::to_json_ld`] for programs. [`differences`] shows what a newer one says otherwise, word by word. What the
//! packs demand in a notice, and where it stands there, is [`Notice::required`]. [`export`] is the notice for storefronts that carry
//! no page of the shop's.
//!
//! The fixed words exist in English and in Chinese. A notice in another language has the shop's own texts in it, and its
//! fixed words in English; pages say of each text in which language it is.

mod differences;
mod edition;
pub mod export;
mod html;
mod json_ld;
mod line;
mod order;
mod required;
mod scribe;
mod sections;
mod text;
mod words;

pub use differences::{Differences, SectionDifferences, Segment, differences};
pub use edition::{Edition, Links, NotASite, Site};
pub use html::{Forms, NOTICE_STYLE, content_security_policy, page_with, security_policy};
pub use line::{Line, Mark, Piece, Voice};
pub use order::Reader;
pub use required::{Place, Required};

pub use html::page as page_of;
pub(crate) use html::page;
pub use line::address_of;

use crate::model::Policy;
use crate::text::Language;
use crate::words::SectionId;
use jiff::civil::Date;
use rulebook::Pack;
use scribe::Scribe;
use serde_json::Value as Json;

/// A notice in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The language that it is in, one of the shop's.
    pub language: Language,
    /// The language of its fixed words.
    pub words: crate::record::Language,
    /// The shop's id.
    pub shop: String,
    /// The shop's name in that language.
    pub shop_name: String,
    /// Which version it is, since when it holds, and where its links lead.
    pub edition: Edition,
    /// For whom its sections are ordered.
    pub reader: Reader,
    /// What it is called.
    pub title: Line,
    /// What it is, in two sentences.
    pub lead: Line,
    /// The sections, in order.
    pub sections: Vec<Section>,
    /// What the packs demand in it, and where that stands.
    pub required: Vec<Required>,
    /// The policy in terms of DPV.
    twin: Json,
}

/// A section of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its id, stable over versions: `rights`, or `note-packing` of a note.
    pub id: String,
    /// Who says it.
    pub author: Author,
    /// Its heading.
    pub title: Line,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// Who says what a section says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The policy: it was generated, and the gate enforces it.
    Policy,
    /// The shop, in words of its own that nothing enforces.
    Shop,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading below the section's own.
    Heading {
        /// Its id: `purpose-delivery`.
        id: String,
        /// What it says.
        title: Line,
    },
    /// A paragraph.
    Paragraph(Line),
    /// A list.
    List(Vec<Line>),
    /// Names, each with what stands behind it.
    Facts(Vec<(Line, Vec<Line>)>),
    /// A table.
    Table(Table),
}

/// A table of a notice. The first cell of a row says what the row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: Line,
    /// What its columns are called.
    pub columns: Vec<Line>,
    /// Its rows, each with as many cells as there are columns; a cell has one line or more.
    pub rows: Vec<Vec<Vec<Line>>>,
}

impl Notice {
    /// The notice that a policy makes in one of its languages.
    ///
    /// *Takes* the policy; the language; the edition, which says since when it holds and where links lead; the packs there
    /// are; the day whose law is asked. *Gives* the notice, the same for the same input; `None` where the shop does not list
    /// that language.
    pub fn of(
        policy: &Policy,
        language: &Language,
        edition: &Edition,
        packs: &[&Pack],
        on: Date,
    ) -> Option<Self> {
        if !policy.shop.languages.contains(language) {
            return None;
        }
        let scribe = Scribe::new(policy, language, edition, packs, on);
        let demands = required::asked(&scribe);
        let reader = Reader::of(&scribe);
        let sections = sections::all(&scribe, &demands, reader);
        Some(Self {
            language: language.clone(),
            words: scribe.words,
            shop: policy.shop.id.clone(),
            shop_name: policy.shop.name.or_first(language.as_str()).to_owned(),
            edition: edition.clone(),
            reader,
            title: words::title(scribe.words),
            lead: words::lead(&scribe),
            required: required::placed(demands, &sections),
            sections,
            twin: crate::dpv::json_ld(policy),
        })
    }

    /// The section of that id.
    pub fn find(&self, id: SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id.as_str())
    }

    /// What the packs demand and this notice does not say: a person has to add a note, or to publish another language.
    pub fn unsaid(&self) -> impl Iterator<Item = &Required> {
        self.required.iter().filter(|required| required.place == Place::Nowhere)
    }
}
