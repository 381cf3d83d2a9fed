//! Law that is made and not in force yet, taken as law from its first day on; and the days on which a pack's law turns.
//!
//! What a coming law will change is what a pack says of some facts, and what it says of them [with its pending law](Pack::with_pending_law),
//! both asked about a day after one of its [turning days](Pack::turning_days).

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::pack::{Pack, Rule, Status};

impl Pack {
    /// The pack as it will be when the law that is made and not in force yet has come.
    ///
    /// Gives: a copy in which each rule that is pending and has a [first day](Pack::first_day) decides from that day on, where it stands in
    /// the file, and ends what other versions of it say the day before. Drafts stay drafts: nobody knows whether they become law.
    #[must_use]
    pub fn with_pending_law(&self) -> Pack {
        let has_its_day = |rule: &Rule| rule.status == Status::Pending && self.first_day(rule).is_some();
        let mut pack = self.clone();
        for (number, coming) in self.rules.iter().enumerate().filter(|(_, rule)| has_its_day(rule)) {
            for (other, rule) in pack.rules.iter_mut().enumerate().filter(|(_, rule)| rule.id == coming.id) {
                if other == number {
                    rule.status = Status::InForce;
                } else if rule.from < coming.from {
                    let last = coming.from.yesterday().ok();
                    rule.until = rule.until.into_iter().chain(last).min();
                }
            }
        }
        pack
    }

    /// The first day on which a rule of this pack is law, where one is set.
    ///
    /// What is made or proposed and had not come by the day of the sources, although its day in the file lies before that, has none: there
    /// stands the day on which it was made, or looked up.
    pub fn first_day(&self, rule: &Rule) -> Option<Date> {
        (rule.decides() || rule.from > self.checked_on).then_some(rule.from)
    }

    /// Every day on which a rule begins to decide, or decides no more. Rules that do not decide at all have none.
    pub fn turning_days(&self) -> BTreeSet<Date> {
        let ends = |rule: &Rule| rule.until.and_then(|last| last.tomorrow().ok());
        let deciding = self.rules.iter().filter(|rule| rule.decides());
        deciding.flat_map(|rule| std::iter::once(rule.from).chain(ends(rule))).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::{Facts, Outcome, decide, explain, question, read_pack};

    /// A pack whose law knows one age of consent, another one from 2027 on, a proposal, and what is made and has no day.
    fn pack() -> Pack {
        let head = r#"
            pack = { id = "xx", kind = "law", name = { en = "X", zh = "某国" }, depth = "thin", checked_on = 2026-11-28, zone = "UTC", calendar = "us", counting = { first_day = "excludes_first_day", last_day = "as_it_falls" }, about = { en = "X", zh = "某国" } }
            [law.old]
            short = "Old Act"
            name = { en = "Old Act", zh = "旧法" }
            from = 2020-01-01
            confidence = "verified"
        "#;
        let rule = |id: &str, when: &str, more: &str| {
            format!(
                "[[rule]]\nid = {id:?}\nquestion = \"minor\"\nwhen = {when:?}\nsays = {{ guardian_consent = true }}\ncite = [\"old 1\"]\n{more}\n"
            )
        };
        let text = [
            head.to_owned(),
            rule("minor.age", "age < 13", "until = 2029-12-31"),
            rule("minor.age", "age < 16", "status = \"pending\"\nfrom = 2027-01-01"),
            rule("minor.proposed", "age < 18", "status = \"draft\"\nfrom = 2027-06-01"),
            rule("minor.made", "age < 21", "status = \"pending\"\nfrom = 2026-07-17"),
        ];
        read_pack("xx.toml", &text.join("\n")).unwrap()
    }

    /// Does a guardian have to consent at this age on that day? `None`: the pack does not say.
    fn guardian(pack: &Pack, age: u64, on: Date) -> Option<serde_json::Value> {
        let question = question::find("minor").unwrap();
        let facts = Facts::read(question.facts, json!({ "age": age }).as_object().unwrap()).unwrap();
        let ruling = decide(pack, question, &facts, Some(on)).unwrap();
        explain(pack, &facts, &ruling).answers.first().map(|answer| answer.says.clone())
    }

    #[test]
    fn a_pending_rule_decides_from_its_first_day_on_in_the_copy_and_never_in_the_pack() {
        let (pack, coming) = (pack(), pack().with_pending_law());
        let (before, day) = (date(2026, 12, 31), date(2027, 1, 1));
        assert_eq!([guardian(&pack, 15, before), guardian(&pack, 15, day)], [None, None]);
        assert_eq!([guardian(&coming, 15, before), guardian(&coming, 15, day)], [None, Some(json!(true))]);
    }

    #[test]
    fn what_another_version_of_the_rule_says_ends_the_day_before() {
        let ends = |pack: &Pack| pack.rules.first().and_then(|rule| rule.until);
        assert_eq!(ends(&pack()), Some(date(2029, 12, 31)));
        assert_eq!(ends(&pack().with_pending_law()), Some(date(2026, 12, 31)));
    }

    #[test]
    fn a_draft_decides_nothing_in_the_copy_either() {
        let coming = pack().with_pending_law();
        assert_eq!(guardian(&coming, 17, date(2030, 1, 1)), None);
        let question = question::find("minor").unwrap();
        let ruling = decide(&coming, question, &Facts::none(question.facts), Some(date(2030, 1, 1))).unwrap();
        assert_eq!((ruling.outcome, ruling.coming), (Outcome::AskAPerson, vec![2, 3]));
    }

    #[test]
    fn what_is_made_and_has_no_day_yet_decides_nothing_and_is_explained_without_one() {
        let coming = pack().with_pending_law();
        assert_eq!(guardian(&coming, 20, date(2030, 1, 1)), None);
        let question = question::find("minor").unwrap();
        let facts = Facts::none(question.facts);
        let ruling = decide(&pack(), question, &facts, Some(date(2026, 11, 28))).unwrap();
        let got = explain(&pack(), &facts, &ruling).coming;
        let days: Vec<_> = got.iter().map(|coming| (coming.rule.as_str(), coming.from.as_deref())).collect();
        let (age, proposed) = (("minor.age", Some("2027-01-01")), ("minor.proposed", Some("2027-06-01")));
        assert_eq!(days, [age, proposed, ("minor.made", None)]);
    }

    #[test]
    fn law_turns_on_the_first_day_of_a_rule_and_on_the_day_after_its_last() {
        assert_eq!(Vec::from_iter(pack().turning_days()), [date(2020, 1, 1), date(2030, 1, 1)]);
        let coming = pack().with_pending_law().turning_days();
        assert_eq!(Vec::from_iter(coming), [date(2020, 1, 1), date(2027, 1, 1)]);
    }

    #[test]
    fn between_two_turning_days_every_built_in_pack_has_the_same_rules_in_force() {
        for pack in
            crate::built_in().packs.iter().flat_map(|pack| [Pack::clone(pack), pack.with_pending_law()])
        {
            let in_force = |on: Date| pack.rules.iter().map(|rule| rule.is_in_force(on)).collect::<Vec<_>>();
            let days = Vec::from_iter(pack.turning_days());
            for pair in days.windows(2) {
                assert_eq!(in_force(pair[0]), in_force(pair[1].yesterday().unwrap()), "{}", pack.id);
                assert_ne!(in_force(pair[0]), in_force(pair[1]), "{} {}", pack.id, pair[1]);
            }
        }
    }

    #[test]
    fn no_rule_of_a_built_in_pack_is_in_force_twice_on_one_day_when_pending_law_has_come() {
        for pack in crate::built_in().packs.iter().map(|pack| pack.with_pending_law()) {
            for on in pack.turning_days() {
                let ids: Vec<&str> = pack
                    .rules
                    .iter()
                    .filter(|rule| rule.is_in_force(on))
                    .map(|rule| rule.id.as_str())
                    .collect();
                assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{} {on}", pack.id);
            }
        }
    }
}
