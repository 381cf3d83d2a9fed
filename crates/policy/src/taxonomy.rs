//! The Fideslang taxonomy: what data is, what it is used for, whose it is.
//!
//! SOURCE: package fideslang 3.1.4 (CC BY 4.0), extracted into `data/fideslang`; see SOURCE.md there.

use crate::law::{self, Citation};
use crate::suggest::closest_path;

/// A data category: `user.contact.phone_number`.
pub type Category = Entry<Categories>;
/// A data use: `essential.service`.
pub type DataUse = Entry<Uses>;
/// A data subject: `customer`.
pub type DataSubject = Entry<Subjects>;

/// One entry of one of the three lists.
#[derive(Debug)]
pub struct Entry<L> {
    key: &'static str,
    name: &'static str,
    parent: Option<&'static str>,
    description: &'static str,
    replaced_by: Option<&'static str>,
    list: std::marker::PhantomData<fn() -> L>,
}

/// The list of data categories.
#[derive(Debug)]
pub enum Categories {}
/// The list of data uses.
#[derive(Debug)]
pub enum Uses {}
/// The list of data subjects.
#[derive(Debug)]
pub enum Subjects {}

/// One of the three lists.
pub trait List {
    /// The list as extracted: a heading, then `key, name, parent, description, replaced_by`, by tabs.
    const TABLE: &'static str;
}

impl List for Categories {
    const TABLE: &'static str = include_str!("../data/fideslang/categories.tsv");
}
impl List for Uses {
    const TABLE: &'static str = include_str!("../data/fideslang/uses.tsv");
}
impl List for Subjects {
    const TABLE: &'static str = include_str!("../data/fideslang/subjects.tsv");
}

impl<L: List> Entry<L> {
    /// The entry of that key.
    pub fn find(key: &str) -> Option<Self> {
        let line =
            Self::lines().find(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with('\t')))?;
        Self::of_line(line)
    }

    /// Every entry, by key.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::lines().filter_map(Self::of_line)
    }

    /// The key that was probably meant.
    pub fn closest(key: &str) -> Option<&'static str> {
        let keys = Self::lines().filter_map(|line| line.split('\t').next());
        closest_path(key, keys)
    }

    /// The key: `user.contact.email`.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The name in English.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, in English.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The key that takes its place, if the taxonomy has deprecated it.
    pub fn replaced_by(&self) -> Option<&'static str> {
        self.replaced_by
    }

    /// The entry one level up.
    pub fn parent(&self) -> Option<Self> {
        Self::find(self.parent?)
    }

    /// The entries above, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Is it this entry, or below it?
    pub fn is_within(&self, key: &str) -> bool {
        within(self.key, key)
    }

    fn lines() -> impl Iterator<Item = &'static str> + Clone {
        L::TABLE.lines().skip(1)
    }

    fn of_line(line: &'static str) -> Option<Self> {
        let mut cells = line.split('\t');
        let full = |cell: Option<&'static str>| cell.filter(|text| !text.is_empty());
        Some(Self {
            key: full(cells.next())?,
            name: cells.next()?,
            parent: full(cells.next()),
            description: cells.next()?,
            replaced_by: full(cells.next()),
            list: std::marker::PhantomData,
        })
    }
}

// Written out, since a derive would ask the same of the list, which has no values.
impl<L> Clone for Entry<L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L> Copy for Entry<L> {}
impl<L> PartialEq for Entry<L> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<L> Eq for Entry<L> {}

/// Categories that need special care, and the laws that say so. The nearest entry above a key counts.
const SENSITIVE: &[(&str, &[Citation])] = &[
    ("user.authorization.biometric", law::SPECIAL),
    ("user.biometric", law::SPECIAL),
    ("user.childrens", law::SPECIAL_CN),
    ("user.criminal_history", law::CRIMINAL),
    ("user.demographic.political_opinion", law::SPECIAL_EU),
    ("user.demographic.race_ethnicity", law::SPECIAL_EU),
    ("user.demographic.religious_belief", law::SPECIAL),
    ("user.demographic.sexual_orientation", law::SPECIAL_EU),
    ("user.financial", law::SPECIAL_CN),
    ("user.government_id", law::IDENTITY),
    ("user.health_and_medical", law::SPECIAL),
    ("user.location.precise", law::SPECIAL_CN),
];

/// Categories whose values should never be shown in full.
const MASK_NEEDED: &[&str] = &["user.financial", "user.government_id", "user.authorization"];

/// Categories that several people share: a family's phone, a household's address.
const SHARED: &[&str] =
    &["user.contact.phone_number", "user.contact.fax_number", "user.contact.address", "user.name"];

impl Category {
    /// The laws that make it sensitive; empty when none does.
    pub fn sensitive_by(&self) -> &'static [Citation] {
        SENSITIVE.iter().find(|(key, _)| within(self.key, key)).map_or(&[], |(_, laws)| laws)
    }

    pub(crate) fn needs_mask(&self) -> bool {
        MASK_NEEDED.iter().any(|key| within(self.key, key))
    }

    pub(crate) fn is_shared(&self) -> bool {
        SHARED.iter().any(|key| within(self.key, key))
    }
}

fn within(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole() {
        assert_eq!(
            (Category::all().count(), DataUse::all().count(), DataSubject::all().count()),
            (85, 56, 15)
        );
        for category in Category::all() {
            assert_eq!(Category::find(category.key()), Some(category));
            assert_eq!(category.parent().is_none(), !category.key().contains('.'), "{}", category.key());
        }
        for data_use in DataUse::all() {
            assert_eq!(data_use.parent().is_none(), !data_use.key().contains('.'), "{}", data_use.key());
            assert!(
                data_use.replaced_by().is_none_or(|key| DataUse::find(key).is_some()),
                "{}",
                data_use.key()
            );
        }
    }

    #[test]
    fn every_key_of_our_own_tables_is_a_category() {
        for key in SENSITIVE.iter().map(|(key, _)| key).chain(MASK_NEEDED).chain(SHARED) {
            assert!(Category::find(key).is_some(), "{key}");
        }
    }

    #[test]
    fn what_lies_below_a_sensitive_category_is_sensitive() {
        let sensitive = |key: &str| !Category::find(key).unwrap().sensitive_by().is_empty();
        assert!(sensitive("user.financial.bank_account"));
        assert!(sensitive("user.health_and_medical.genetic"));
        assert!(!sensitive("user.contact.email"));
        assert!(!sensitive("user.location.imprecise"));
    }

    #[test]
    fn ancestors_lead_to_the_root() {
        let street = Category::find("user.contact.address.street").unwrap();
        let keys: Vec<_> = street.ancestors().map(|entry| entry.key()).collect();
        assert_eq!(keys, ["user.contact.address", "user.contact", "user"]);
        assert!(Category::find("user.contact.addres").is_none());
        assert_eq!(Category::closest("user.contact.fone_number"), Some("user.contact.phone_number"));
    }
}
