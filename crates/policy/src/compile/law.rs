//! What the laws that apply let nobody do, in ordinals: what the gate asks for a home.

use super::Compiled;
use crate::home::{Age, Home, Person};
use crate::lawful::{Barred, Bars, Cited, Reach};
use crate::set::{PurposeSet, RecipientSet};

/// The laws that apply, each with what it bars.
#[derive(Debug, Default)]
pub(crate) struct LawTable {
    laws: Vec<OneLaw>,
    bars_something: bool,
}

/// One law.
#[derive(Debug)]
struct OneLaw {
    pack: String,
    reach: Reach,
    purposes: PurposeSet,
    for_minors: PurposeSet,
    /// For each purpose, the recipients to whom nothing may be sent.
    transfers: Vec<(u16, RecipientSet)>,
    because: Vec<(Because, Vec<Cited>)>,
}

/// What articles stand behind.
#[derive(Debug, PartialEq, Eq)]
enum Because {
    Purpose(u16),
    Transfer(u16, u16),
}

impl Compiled {
    /// The table with what laws bar.
    ///
    /// Takes: what [`bars`](crate::bars) found in the policy that this table was made of. Names that the table does not have bar
    /// nothing.
    #[must_use]
    pub fn under(mut self, bars: &Bars) -> Self {
        let mut laws: Vec<OneLaw> =
            bars.packs.iter().map(|(pack, reach)| OneLaw::new(pack, *reach)).collect();
        for bar in &bars.bars {
            if let Some(law) = laws.iter_mut().find(|law| law.pack == bar.pack) {
                law.add(&self, &bar.what, &bar.laws);
            }
        }
        self.law = LawTable { bars_something: !bars.bars.is_empty(), laws };
        self
    }

    /// The purposes that are barred for a person, whoever uses them.
    pub fn barred(&self, person: Person) -> PurposeSet {
        match person.age {
            Age::Minor => self.law.purposes_for_minors(person.home),
            Age::Unknown | Age::Adult => self.law.purposes(person.home),
        }
    }

    /// The law of somebody with this home, by the id of its pack; of a home that nobody knows, if it can be one law only.
    pub fn law_of(&self, home: Home) -> Option<&str> {
        let mut homes = self.law.laws.iter().filter(|law| law.may_be_of(home));
        let first = homes.next()?;
        (is_one_place(home) || homes.next().is_none()).then_some(first.pack.as_str())
    }

    /// The articles by which one of these purposes, or sending anything for it to a recipient, is barred for somebody with this
    /// home; each once.
    pub fn barred_by(&self, home: Home, purposes: PurposeSet, recipient: Option<u16>) -> Vec<&Cited> {
        let sought = |because: &Because| match because {
            Because::Purpose(one) => purposes.has(*one),
            Because::Transfer(one, to) => purposes.has(*one) && Some(*to) == recipient,
        };
        let laws = self.law.laws.iter().filter(|law| law.reach.is_of_seat() || law.may_be_of(home));
        let because = laws.flat_map(|law| &law.because).filter(|(because, _)| sought(because));
        let mut found: Vec<&Cited> = Vec::new();
        for law in because.flat_map(|(_, laws)| laws) {
            if !found.contains(&law) {
                found.push(law);
            }
        }
        found
    }
}

impl LawTable {
    /// Is there nothing that any law bars? So it is in a shop whose policy is lawful.
    pub(crate) const fn bars_nothing(&self) -> bool {
        !self.bars_something
    }

    /// The purposes that are barred for somebody with this home.
    pub(crate) fn purposes(&self, home: Home) -> PurposeSet {
        self.barred(home, |law| law.purposes)
    }

    /// The purposes that are barred for them if they are a minor: those of everybody, and more.
    pub(crate) fn purposes_for_minors(&self, home: Home) -> PurposeSet {
        self.barred(home, |law| law.for_minors.or(law.purposes))
    }

    /// The purposes for which nothing of theirs may be sent to this recipient.
    pub(crate) fn transfers(&self, home: Home, recipient: u16) -> PurposeSet {
        self.barred(home, |law| {
            let barred = law.transfers.iter().filter(|(_, recipients)| recipients.has(recipient));
            barred.map(|(purpose, _)| *purpose).collect()
        })
    }

    /// What the law of the seat bars, and what that of the home does. Where nobody knows which law is that of the home, what all
    /// that it may be have in common: nobody is cut off because of where they might live.
    fn barred(&self, home: Home, of: impl Fn(&OneLaw) -> PurposeSet) -> PurposeSet {
        let seat = self.laws.iter().filter(|law| law.reach.is_of_seat());
        let everybody = seat.fold(PurposeSet::EMPTY, |all, law| all.or(of(law)));
        let mut homes = self.laws.iter().filter(|law| law.may_be_of(home)).map(&of);
        let Some(first) = homes.next() else { return everybody };
        let theirs = if is_one_place(home) {
            homes.fold(first, PurposeSet::or)
        } else {
            homes.fold(first, PurposeSet::and)
        };
        everybody.or(theirs)
    }
}

/// Does a home tell whose law is asked? `us` alone does not say which state's.
fn is_one_place(home: Home) -> bool {
    home.is_known() && home.as_str() != "us"
}

impl OneLaw {
    fn new(pack: &str, reach: Reach) -> Self {
        Self {
            pack: pack.to_owned(),
            reach,
            purposes: PurposeSet::EMPTY,
            for_minors: PurposeSet::EMPTY,
            transfers: Vec::new(),
            because: Vec::new(),
        }
    }

    /// May this be the law of somebody with this home?
    fn may_be_of(&self, home: Home) -> bool {
        self.reach.is_of_home() && home.may_be_under(&self.pack)
    }

    fn add(&mut self, compiled: &Compiled, what: &Barred, laws: &[Cited]) {
        let ordinal =
            |name: &crate::text::Name| compiled.find_purpose(name.as_str()).map(|found| found.ordinal);
        let because = match what {
            Barred::Purpose(name) => ordinal(name).map(|purpose| {
                self.purposes.add(purpose);
                Because::Purpose(purpose)
            }),
            Barred::PurposeForMinors(name) => ordinal(name).map(|purpose| {
                self.for_minors.add(purpose);
                Because::Purpose(purpose)
            }),
            Barred::Transfer { purpose, recipient } => {
                let recipient = compiled.find_recipient(recipient.as_str()).map(|found| found.ordinal);
                ordinal(purpose).zip(recipient).map(|(purpose, recipient)| {
                    self.transfers.push((purpose, RecipientSet::only(recipient)));
                    Because::Transfer(purpose, recipient)
                })
            }
        };
        self.because.extend(because.map(|because| (because, laws.to_vec())));
    }
}
