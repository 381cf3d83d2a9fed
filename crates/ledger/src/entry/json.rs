//! Entries as JSON, for people and tools to read: ids as hex, acts by name, absent things left out. Never read back.

use data_encoding::HEXLOWER;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::entry::{Actor, ActorKind, Entry, Figure, OPEN, Outcome, Part, RecordMark};

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Entry", 14)?;
        object.serialize_field("at", &self.at)?;
        object.serialize_field("act", &self.act)?;
        object.serialize_field("outcome", &self.outcome)?;
        object.serialize_field("actor", &self.actor)?;
        object.serialize_field("policy", &self.policy)?;
        if let Some(purpose) = &self.purpose {
            object.serialize_field("purpose", purpose)?;
        }
        if let Some(recipient) = &self.recipient {
            object.serialize_field("recipient", recipient)?;
        }
        if !self.parts.is_empty() {
            object.serialize_field("parts", &self.parts)?;
        }
        if !self.reasons.is_empty() {
            object.serialize_field("reasons", &self.reasons)?;
        }
        if let Some(alias) = &self.alias {
            object.serialize_field("alias", &HEXLOWER.encode(alias))?;
        }
        if let Some(record) = &self.record {
            object.serialize_field("record", record)?;
        }
        if !self.destroyed.is_empty() {
            let ids: Vec<String> = self.destroyed.iter().map(|id| HEXLOWER.encode(id)).collect();
            object.serialize_field("destroyed", &ids)?;
        }
        if !self.figures.is_empty() {
            object.serialize_field("figures", &Figures(&self.figures))?;
        }
        object.serialize_field("commitment", &HEXLOWER.encode(&self.commitment))?;
        object.end()
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Gap => "gap",
        })
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Actor", 3)?;
        match self.kind {
            ActorKind::Credential(number) => {
                object.serialize_field("kind", "credential")?;
                object.serialize_field("number", &number)?;
            }
            ActorKind::Operator => object.serialize_field("kind", "operator")?,
            ActorKind::House => object.serialize_field("kind", "house")?,
            ActorKind::Subject => object.serialize_field("kind", "subject")?,
        }
        if let Some(alias) = &self.on_behalf_of {
            object.serialize_field("on_behalf_of", &HEXLOWER.encode(alias))?;
        }
        object.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Part", 2)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("fields", &self.ordinals().collect::<Vec<u8>>())?;
        object.end()
    }
}

impl Serialize for RecordMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("RecordMark", 3)?;
        object.serialize_field("alias", &HEXLOWER.encode(&self.alias))?;
        object.serialize_field("version", &self.version)?;
        // An open end is above what JSON's readers can hold exactly, and is no date.
        object.serialize_field("until", &Some(self.until).filter(|until| *until != OPEN))?;
        object.end()
    }
}

struct Figures<'a>(&'a [(Figure, u64)]);

impl Serialize for Figures<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named {
            figure: Figure,
            count: u64,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (figure, count) in self.0 {
            list.serialize_element(&Named { figure: *figure, count: *count })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Act;

    #[test]
    fn an_entry_is_shown_with_names_and_hex() {
        let actor = Actor::credential(42).on_behalf_of([1; 16]);
        let mut entry = Entry::new(1_000_000, Act::CredentialAdded, Outcome::Gap, actor);
        entry.purpose = Some(5);
        entry.recipient = Some(6);
        entry.parts.push(Part::of(1, [0, 11]));
        entry.reasons.push(17);
        entry.alias = Some([2; 16]);
        entry.record = Some(RecordMark { alias: [3; 16], version: 9, until: OPEN });
        entry.destroyed.push([4; 16]);
        entry.figures.push((Figure::Records, 8));
        entry.commitment = [5; 32];
        let expected = serde_json::json!({
            "at": 1_000_000, "act": "credential_added", "outcome": "gap",
            "actor": {"kind": "credential", "number": 42, "on_behalf_of": "01".repeat(16)},
            "policy": 0, "purpose": 5, "recipient": 6,
            "parts": [{"kind": 1, "fields": [0, 11]}], "reasons": [17], "alias": "02".repeat(16),
            "record": {"alias": "03".repeat(16), "version": 9, "until": null},
            "destroyed": ["04".repeat(16)], "figures": [{"figure": "records", "count": 8}],
            "commitment": "05".repeat(32),
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), expected);
    }

    #[test]
    fn absent_things_are_left_out() {
        let entry = Entry::new(-1, Act::from_number(99), Outcome::No, Actor::house());
        let expected = serde_json::json!({
            "at": -1, "act": "other_99", "outcome": "no", "actor": {"kind": "house"}, "policy": 0,
            "commitment": "00".repeat(32),
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), expected);
        let operator = serde_json::to_value(Actor::operator()).unwrap();
        assert_eq!(operator, serde_json::json!({"kind": "operator"}));
    }
}
