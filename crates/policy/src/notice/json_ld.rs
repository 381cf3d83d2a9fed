//! The twin of a notice for programs.

use super::{Author, Notice, Place};
use serde_json::{Value as Json, json};

impl Notice {
    /// The notice as JSON-LD: the policy in terms of DPV ([`crate::dpv::json_ld`]), and the notice that tells people of it,
    /// with its language, its sections and the law that asks for each.
    ///
    /// Addresses in it that begin with `#` belong to the address of the page: `#rights` is the section of that id.
    pub fn to_json_ld(&self) -> Json {
        let mut twin = self.twin.clone();
        if let Some(document) = twin.as_object_mut() {
            document.insert("dpv:hasNotice".to_owned(), self.described());
        }
        twin
    }

    fn described(&self) -> Json {
        let parts = self.sections.iter().map(|section| {
            let author = match section.author {
                Author::Policy => "#policy",
                Author::Shop => "#shop",
            };
            let mut part = json!({
                "@id": format!("#{}", section.id),
                "dct:title": said(&section.title.plain(), self.language.as_str()),
                "dct:source": { "@id": author },
            });
            let laws = self.laws_of(&section.id);
            if let Some(part) = part.as_object_mut().filter(|_| !laws.is_empty()) {
                part.insert("dct:conformsTo".to_owned(), Json::from(laws));
            }
            part
        });
        let mut notice = json!({
            "@id": "#notice",
            "@type": ["dpv:PrivacyNotice", "dpv:LayeredNotice"],
            "dct:title": said(&self.title.plain(), self.language.as_str()),
            "dct:language": self.language.as_str(),
            "dct:publisher": { "@id": "#shop" },
            "dct:hasPart": parts.collect::<Vec<_>>(),
        });
        if let Some(notice) = notice.as_object_mut() {
            let version = self.edition.version.map(|number| ("dct:identifier", number.to_string()));
            let since = self.edition.in_force.map(|day| ("dct:valid", format!("{day}/..")));
            notice.extend(
                version.into_iter().chain(since).map(|(key, text)| (key.to_owned(), Json::from(text))),
            );
        }
        notice
    }

    /// The articles for which a section is there, each once.
    fn laws_of(&self, section: &str) -> Vec<String> {
        let is_its = |place: Place| matches!(place, Place::Section(id) if id.as_str() == section);
        let cites = self.required.iter().filter(|required| is_its(required.place)).flat_map(|one| &one.laws);
        let mut laws: Vec<String> = cites.map(|cite| format!("{} {}", cite.law, cite.article)).collect();
        laws.sort();
        laws.dedup();
        laws
    }
}

fn said(text: &str, language: &str) -> Json {
    json!({ "@language": language, "@value": text })
}
