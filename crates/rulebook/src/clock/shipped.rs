//! The calendars that come with the rulebook.

use std::collections::BTreeMap;

use super::calendar::{Calendar, CalendarFault};

/// Calendars by their ids.
#[derive(Clone, Debug, Default)]
pub struct Calendars(BTreeMap<String, Calendar>);

impl Calendars {
    /// Nothing if there is none with that id.
    pub fn find(&self, id: &str) -> Option<&Calendar> {
        self.0.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn list(&self) -> impl Iterator<Item = &Calendar> {
        self.0.values()
    }

    /// One more; it takes the place of one with the same id.
    pub fn add(&mut self, calendar: Calendar) {
        self.0.insert(calendar.id().to_string(), calendar);
    }
}

/// The calendars that come with the rulebook, read from their files.
///
/// *Fails* with the first flaw; a test reads them all.
pub fn shipped_calendars() -> Result<Calendars, CalendarFault> {
    let mut calendars = Calendars::default();
    for (file, text) in FILES {
        calendars.add(Calendar::parse(file, text)?);
    }
    Ok(calendars)
}

/// The file of a calendar that comes with the rulebook; nothing if there is none with that id.
pub fn shipped_file(id: &str) -> Option<&'static str> {
    let is_its = |(file, _): &&(&str, &str)| file.strip_suffix(".toml") == Some(id);
    FILES.iter().find(is_its).map(|(_, text)| *text)
}

macro_rules! files {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../packs/calendars/", $file)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "au.toml",
    "br.toml",
    "ca-qc.toml",
    "ca.toml",
    "cn.toml",
    "eu-at.toml",
    "eu-be.toml",
    "eu-bg.toml",
    "eu-cy.toml",
    "eu-cz.toml",
    "eu-de.toml",
    "eu-dk.toml",
    "eu-ee.toml",
    "eu-es.toml",
    "eu-fi.toml",
    "eu-fr.toml",
    "eu-gr.toml",
    "eu-hr.toml",
    "eu-hu.toml",
    "eu-ie.toml",
    "eu-it.toml",
    "eu-lt.toml",
    "eu-lu.toml",
    "eu-lv.toml",
    "eu-mt.toml",
    "eu-nl.toml",
    "eu-pl.toml",
    "eu-pt.toml",
    "eu-ro.toml",
    "eu-se.toml",
    "eu-si.toml",
    "eu-sk.toml",
    "eu.toml",
    "hk.toml",
    "id.toml",
    "in.toml",
    "jp.toml",
    "kr.toml",
    "my.toml",
    "ph.toml",
    "sg.toml",
    "th.toml",
    "tw.toml",
    "uk-northern-ireland.toml",
    "uk-scotland.toml",
    "uk.toml",
    "us-ca.toml",
    "us.toml",
    "vn.toml",
];
