//! What changed between two versions of a policy: each change with a code, whether it widens or narrows the use of data,
//! and whose choices it makes void.
//!
//! A choice was made about what the notice said then. When the meaning of a purpose by consent widens (its basis, its use,
//! more fields, less masking, more recipients, recipients abroad or paid), the yes to it is void and has to be asked for
//! again. A no is never void. LAW: PIPL 14(2).

mod alone;
mod change;

pub use alone::Alone;
pub use change::{Change, ChangeCode, Effect};

use crate::file::FileRule;
use crate::model::{Agreed, Field, Kind, Policy, Purpose, Recipient, RouteAbroad, Window};
use crate::period::{After, Anchor, Keep, Period};
use crate::text::{Name, quoted};
use crate::words::{Consideration, Minors, RecipientRole, WindowAnswer};
use std::collections::BTreeSet;
use std::fmt;

/// What changed from one policy to another?
///
/// Gives: the changes in the order shop, kinds, fields, purposes, recipients, roles, notes, window, each by name; none if nothing changed
/// but the order of the file, the dates of reviews and its comments.
pub fn diff(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut changes = Changes { list: Vec::new(), old, new };
    changes.shop();
    changes.kinds();
    changes.fields();
    changes.purposes();
    changes.recipients();
    changes.roles();
    changes.notes();
    changes.window();
    changes.list
}

/// The purposes whose granted choices some change makes void.
pub fn void_choices(changes: &[Change]) -> BTreeSet<Name> {
    changes.iter().flat_map(|change| &change.voids).cloned().collect()
}

fn shown_routes(routes: &[RouteAbroad]) -> String {
    let shown = |route: &RouteAbroad| match &route.law {
        None => route.route.to_string(),
        Some(law) => format!("{law} {}", route.route),
    };
    if routes.is_empty() {
        "none".to_owned()
    } else {
        routes.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

struct Changes<'p> {
    list: Vec<Change>,
    old: &'p Policy,
    new: &'p Policy,
}

impl Changes<'_> {
    fn add(
        &mut self,
        code: ChangeCode,
        about: &str,
        effect: Effect,
        before: impl fmt::Display,
        after: impl fmt::Display,
    ) {
        self.add_voiding(code, about, effect, before, after, BTreeSet::new());
    }

    fn add_voiding(
        &mut self,
        code: ChangeCode,
        about: &str,
        effect: Effect,
        before: impl fmt::Display,
        after: impl fmt::Display,
        voids: BTreeSet<Name>,
    ) {
        let (about, before, after) = (about.to_owned(), before.to_string(), after.to_string());
        self.list.push(Change { code, about, effect, before, after, voids });
    }

    fn shop(&mut self) {
        let (old, new) = (&self.old.shop, &self.new.shop);
        for (place, effect) in compared(&old.serves, &new.serves) {
            self.add_or_remove(
                ChangeCode::ShopServes,
                ChangeCode::ShopServes,
                "shop.serves",
                effect,
                place.as_str(),
            );
        }
        if old.kept_in != new.kept_in {
            self.add(ChangeCode::ShopKeptIn, "shop.kept_in", Effect::Alters, &old.kept_in, &new.kept_in);
        }
        if old.established_in != new.established_in {
            let (was, is) = (&old.established_in, &new.established_in);
            self.add(ChangeCode::ShopSeat, "shop.established_in", Effect::Alters, was, is);
        }
        for (channel, effect) in compared(&old.sells_on, &new.sells_on) {
            let code = ChangeCode::ShopSellsOn;
            self.add_or_remove(code, code, "shop.sells_on", effect, channel.as_str());
        }
        if old.minors != new.minors {
            let shown = |how: Option<Minors>| how.map_or("not said", Minors::as_str);
            let effect = match (old.minors, new.minors) {
                (_, Some(Minors::WithGuardian)) => Effect::Widens,
                (Some(Minors::WithGuardian), _) => Effect::Narrows,
                _ => Effect::Neutral,
            };
            self.add(ChangeCode::ShopMinors, "shop.minors", effect, shown(old.minors), shown(new.minors));
        }
        if old.acts_as != new.acts_as {
            self.add(ChangeCode::ShopRole, "shop.acts_as", Effect::Alters, old.acts_as, new.acts_as);
        }
        if old.representatives != new.representatives {
            self.add(ChangeCode::ShopRepresentative, "shop.representative", Effect::Neutral, "", "");
        }
        let (a, b) = (
            (&old.address, &old.persons, &old.name, &old.zone, old.region, &old.languages),
            (&new.address, &new.persons, &new.name, &new.zone, new.region, &new.languages),
        );
        if a != b {
            self.add(ChangeCode::ShopFacts, "shop", Effect::Neutral, "", "");
        }
        if old.officer != new.officer {
            self.add(
                ChangeCode::ShopOfficer,
                "shop.officer",
                Effect::Neutral,
                quoted(&old.officer.name),
                quoted(&new.officer.name),
            );
        }
    }

    fn add_or_remove(
        &mut self,
        added: ChangeCode,
        removed: ChangeCode,
        about: &str,
        effect: Effect,
        what: &str,
    ) {
        if effect == Effect::Widens {
            self.add(added, about, effect, "", what);
        } else {
            self.add(removed, about, effect, what, "");
        }
    }

    fn kinds(&mut self) {
        for (name, pair) in paired(&self.old.kinds, &self.new.kinds, |kind| &kind.name) {
            let about = format!("record.{name}");
            match pair {
                Pair::Added(_) => self.add(ChangeCode::KindAdded, &about, Effect::Widens, "", name),
                Pair::Removed(_) => self.add(ChangeCode::KindRemoved, &about, Effect::Narrows, name, ""),
                Pair::Both(old, new) => self.kind(&about, old, new),
            }
        }
    }

    fn kind(&mut self, about: &str, old: &Kind, new: &Kind) {
        if old.of != new.of {
            let shown = |of: &Option<Name>| of.as_ref().map_or_else(|| "none".to_owned(), Name::to_string);
            self.add(ChangeCode::KindParent, about, Effect::Alters, shown(&old.of), shown(&new.of));
        }
        for (field, effect) in compared(&old.fields, &new.fields) {
            self.add_or_remove(
                ChangeCode::KindFieldAdded,
                ChangeCode::KindFieldRemoved,
                about,
                effect,
                field.as_str(),
            );
        }
        for (event, effect) in compared(&old.events, &new.events) {
            let (before, after) =
                if effect == Effect::Widens { ("", event.as_str()) } else { (event.as_str(), "") };
            self.add(ChangeCode::KindEvents, about, Effect::Neutral, before, after);
        }
        if old.is != new.is {
            let shown = |is: &[&str]| if is.is_empty() { "none".to_owned() } else { is.join(", ") };
            self.add(ChangeCode::KindIs, about, Effect::Neutral, shown(&old.is), shown(&new.is));
        }
        if old.label != new.label {
            self.add(ChangeCode::Words, about, Effect::Neutral, "", "");
        }
    }

    fn fields(&mut self) {
        for (name, pair) in paired(&self.old.fields, &self.new.fields, |field| &field.name) {
            // A field that comes or goes is told with the kinds that hold it.
            if let Pair::Both(old, new) = pair {
                self.field(&format!("field.{name}"), old, new);
            }
        }
    }

    fn field(&mut self, about: &str, old: &Field, new: &Field) {
        if old.kind != new.kind {
            self.add(ChangeCode::FieldKind, about, Effect::Alters, old.kind, new.kind);
        }
        if old.category != new.category {
            let voids = self.consents_using(&new.name);
            self.add_voiding(
                ChangeCode::FieldCategory,
                about,
                Effect::Alters,
                old.category.key(),
                new.category.key(),
                voids,
            );
        }
        if old.sensitive != new.sensitive {
            let effect = if new.sensitive { Effect::Narrows } else { Effect::Widens };
            self.add(ChangeCode::FieldSensitive, about, effect, old.sensitive, new.sensitive);
        }
        if old.mask != new.mask {
            let shown = |mask: Option<crate::words::Mask>| mask.map_or("none", crate::words::Mask::as_str);
            let effect = match (old.mask, new.mask) {
                (None, _) => Effect::Narrows,
                (_, None) => Effect::Widens,
                _ => Effect::Alters,
            };
            self.add(ChangeCode::FieldMask, about, effect, shown(old.mask), shown(new.mask));
        }
        if old.index != new.index {
            let shown =
                |index: Option<crate::words::Index>| index.map_or("none", crate::words::Index::as_str);
            let effect = if new.index.is_some() { Effect::Widens } else { Effect::Narrows };
            self.add(ChangeCode::FieldIndex, about, effect, shown(old.index), shown(new.index));
        }
        if old.unique != new.unique {
            self.add(ChangeCode::FieldUnique, about, Effect::Neutral, old.unique, new.unique);
        }
        if old.normalise != new.normalise {
            self.add(ChangeCode::FieldNormalise, about, Effect::Neutral, old.normalise, new.normalise);
        }
        if let (Some(old), Some(new)) = (&old.file, &new.file) {
            self.files(about, old, new);
        }
        if old.label != new.label {
            self.add(ChangeCode::Words, about, Effect::Neutral, "", "");
        }
    }

    fn files(&mut self, about: &str, old: &FileRule, new: &FileRule) {
        for (media, effect) in compared(&old.media, &new.media) {
            self.add_or_remove(ChangeCode::FieldMedia, ChangeCode::FieldMedia, about, effect, media.as_str());
        }
        if old.at_most != new.at_most {
            let effect = if new.at_most > old.at_most { Effect::Widens } else { Effect::Narrows };
            self.add(ChangeCode::FieldAtMost, about, effect, old.shown(), new.shown());
        }
    }

    fn purposes(&mut self) {
        for (name, pair) in paired(&self.old.purposes, &self.new.purposes, |purpose| &purpose.name) {
            let about = format!("purpose.{name}");
            match pair {
                Pair::Added(new) => self.add(ChangeCode::PurposeAdded, &about, Effect::Widens, "", new.basis),
                // The choices about a purpose that is gone mean nothing should it ever come back.
                Pair::Removed(old) => {
                    let voids = void_if(old.basis.is_consent(), name);
                    self.add_voiding(
                        ChangeCode::PurposeRemoved,
                        &about,
                        Effect::Narrows,
                        old.basis,
                        "",
                        voids,
                    );
                }
                Pair::Both(old, new) => self.purpose(&about, old, new),
            }
        }
    }

    fn purpose(&mut self, about: &str, old: &Purpose, new: &Purpose) {
        let voids = || void_if(old.basis.is_consent(), &old.name);
        if old.data_use != new.data_use {
            self.add_voiding(
                ChangeCode::PurposeUse,
                about,
                Effect::Alters,
                old.data_use.key(),
                new.data_use.key(),
                voids(),
            );
        }
        if old.basis != new.basis {
            self.add_voiding(ChangeCode::PurposeBasis, about, Effect::Alters, old.basis, new.basis, voids());
        }
        self.uses(about, old, new);
        for (recipient, effect) in compared(&old.recipients, &new.recipients) {
            if effect == Effect::Widens {
                self.add_voiding(ChangeCode::PurposeRecipientAdded, about, effect, "", recipient, voids());
            } else {
                self.add(ChangeCode::PurposeRecipientRemoved, about, effect, recipient, "");
            }
        }
        if old.keep != new.keep {
            self.add(ChangeCode::PurposeKeep, about, longer_keep(&old.keep, &new.keep), &old.keep, &new.keep);
        }
        let clocks = [
            (ChangeCode::PurposeMustKeep, &old.must_keep, &new.must_keep, Effect::Widens),
            (ChangeCode::PurposeAtMost, &old.at_most, &new.at_most, Effect::Narrows),
        ];
        for (code, old, new, when_added) in clocks.into_iter().filter(|(_, old, new, _)| old != new) {
            self.add(
                code,
                about,
                longer_clock(old.as_ref(), new.as_ref(), when_added),
                shown(old.as_ref()),
                shown(new.as_ref()),
            );
        }
        if old.limit != new.limit {
            // It protects people from a stolen credential; what their data is used for stays the same.
            let (was, is) = (old.limit(), new.limit());
            self.add(ChangeCode::PurposeLimit, about, Effect::Neutral, was, is);
        }
        if old.similar != new.similar {
            let effect = if new.similar { Effect::Narrows } else { Effect::Widens };
            self.add(ChangeCode::PurposeSimilar, about, effect, old.similar, new.similar);
        }
        let asking = [
            (ChangeCode::PurposeAskAgain, old.ask_again, new.ask_again),
            (ChangeCode::PurposeWait, old.wait, new.wait),
        ];
        for (code, old, new) in asking.into_iter().filter(|(_, old, new)| old != new) {
            // A yes that was said before keeps the end that it was given; nobody is asked sooner for more.
            let longer_allows_more = code == ChangeCode::PurposeAskAgain;
            let effect =
                if is_longer(old, new) == longer_allows_more { Effect::Widens } else { Effect::Narrows };
            let shown = |period: Option<Period>| period.map(|period| period.to_string()).unwrap_or_default();
            self.add(code, about, effect, shown(old), shown(new));
        }
        if (&old.cookies, &old.storage) != (&new.cookies, &new.storage) {
            self.add(ChangeCode::PurposeInPages, about, Effect::Neutral, "", "");
        }
        if old.label != new.label {
            self.add(ChangeCode::Words, about, Effect::Neutral, "", "");
        }
        if old.says != new.says {
            self.add(
                ChangeCode::PurposeSays,
                about,
                Effect::Neutral,
                quoted(old.says.or_first("")),
                quoted(new.says.or_first("")),
            );
        }
        if (&old.law, &old.law_text) != (&new.law, &new.law_text) {
            let shown = |law: &Option<String>| law.as_deref().map(quoted).unwrap_or_default();
            self.add(ChangeCode::PurposeLaw, about, Effect::Neutral, shown(&old.law), shown(&new.law));
        }
    }

    fn uses(&mut self, about: &str, old: &Purpose, new: &Purpose) {
        let voids = || void_if(old.basis.is_consent(), &old.name);
        let places = |purpose: &Purpose| -> BTreeSet<(Name, Name)> {
            purpose.fields.iter().map(|used| (used.kind.clone(), used.field.clone())).collect()
        };
        for place in places(old).union(&places(new)) {
            let find = |purpose: &Purpose| {
                purpose.fields.iter().find(|used| (&used.kind, &used.field) == (&place.0, &place.1)).cloned()
            };
            let path = format!("{}.{}", place.0, place.1);
            match (find(old), find(new)) {
                (None, Some(_)) => {
                    self.add_voiding(
                        ChangeCode::PurposeFieldAdded,
                        about,
                        Effect::Widens,
                        "",
                        &path,
                        voids(),
                    );
                }
                (Some(_), None) => {
                    self.add(ChangeCode::PurposeFieldRemoved, about, Effect::Narrows, &path, "");
                }
                (Some(was), Some(is)) => {
                    let shown = |masked: bool| format!("{path} {}", if masked { "masked" } else { "plain" });
                    if was.masked && !is.masked {
                        self.add_voiding(
                            ChangeCode::PurposeMask,
                            about,
                            Effect::Widens,
                            shown(true),
                            shown(false),
                            voids(),
                        );
                    } else if is.masked && !was.masked {
                        self.add(ChangeCode::PurposeMask, about, Effect::Narrows, shown(false), shown(true));
                    }
                    if was.optional != is.optional {
                        let shown = |optional: bool| {
                            format!("{path} {}", if optional { "optional" } else { "required" })
                        };
                        let effect = if is.optional { Effect::Narrows } else { Effect::Widens };
                        self.add(
                            ChangeCode::PurposeOptional,
                            about,
                            effect,
                            shown(was.optional),
                            shown(is.optional),
                        );
                    }
                }
                (None, None) => {}
            }
        }
    }

    fn recipients(&mut self) {
        for (name, pair) in paired(&self.old.recipients, &self.new.recipients, |recipient| &recipient.name) {
            let about = format!("recipient.{name}");
            match pair {
                Pair::Added(new) => {
                    self.add(ChangeCode::RecipientAdded, &about, Effect::Widens, "", &new.place);
                }
                Pair::Removed(old) => {
                    self.add(ChangeCode::RecipientRemoved, &about, Effect::Narrows, &old.place, "");
                }
                Pair::Both(old, new) => self.recipient(&about, old, new),
            }
        }
    }

    fn recipient(&mut self, about: &str, old: &Recipient, new: &Recipient) {
        if old.place != new.place {
            let abroad = new.place.country() != self.new.shop.kept_in.country();
            let voids = if abroad { self.consents_sharing(&new.name) } else { BTreeSet::new() };
            let effect = if abroad { Effect::Widens } else { Effect::Narrows };
            self.add_voiding(ChangeCode::RecipientPlace, about, effect, &old.place, &new.place, voids);
        }
        if old.kind != new.kind {
            self.add(ChangeCode::RecipientKind, about, Effect::Alters, old.kind, new.kind);
        }
        if old.acts_as != new.acts_as {
            // Whoever decides by himself does more with the data than whoever is told.
            let decides = new.acts_as == RecipientRole::Handler;
            let voids = if decides { self.consents_sharing(&new.name) } else { BTreeSet::new() };
            let effect = if decides { Effect::Widens } else { Effect::Narrows };
            self.add_voiding(ChangeCode::RecipientRole, about, effect, old.acts_as, new.acts_as, voids);
        }
        if old.routes != new.routes {
            let (was, is) = (shown_routes(&old.routes), shown_routes(&new.routes));
            self.add(ChangeCode::RecipientRoute, about, Effect::Alters, was, is);
        }
        if old.contact != new.contact {
            self.add(ChangeCode::RecipientContact, about, Effect::Neutral, "", "");
        }
        if old.consideration != new.consideration {
            let paid = new.consideration != Consideration::None;
            let voids = if paid { self.consents_sharing(&new.name) } else { BTreeSet::new() };
            let effect = if paid { Effect::Widens } else { Effect::Narrows };
            self.add_voiding(
                ChangeCode::RecipientConsideration,
                about,
                effect,
                old.consideration,
                new.consideration,
                voids,
            );
        }
        if old.keep != new.keep {
            let effect = longer_clock(old.keep.as_ref(), new.keep.as_ref(), Effect::Narrows);
            self.add(
                ChangeCode::RecipientKeep,
                about,
                effect,
                shown(old.keep.as_ref()),
                shown(new.keep.as_ref()),
            );
        }
        if old.agreement != new.agreement {
            let shown = |agreed: Option<Agreed>| match agreed {
                None => "none".to_owned(),
                Some(Agreed { signed, until: None }) => format!("{signed} on"),
                Some(Agreed { signed, until: Some(until) }) => format!("{signed} to {until}"),
            };
            self.add(
                ChangeCode::RecipientAgreement,
                about,
                Effect::Neutral,
                shown(old.agreement),
                shown(new.agreement),
            );
        }
        if old.title != new.title {
            self.add(ChangeCode::Words, about, Effect::Neutral, "", "");
        }
    }

    fn roles(&mut self) {
        for (name, pair) in paired(&self.old.roles, &self.new.roles, |role| &role.name) {
            let about = format!("role.{name}");
            match pair {
                Pair::Added(_) => self.add(ChangeCode::RoleAdded, &about, Effect::Widens, "", name),
                Pair::Removed(_) => self.add(ChangeCode::RoleRemoved, &about, Effect::Narrows, name, ""),
                Pair::Both(old, new) => {
                    for (purpose, effect) in compared(&old.purposes, &new.purposes) {
                        let (added, removed) = (ChangeCode::RolePurposeAdded, ChangeCode::RolePurposeRemoved);
                        self.add_or_remove(added, removed, &about, effect, purpose.as_str());
                    }
                    if old.label != new.label {
                        self.add(ChangeCode::Words, &about, Effect::Neutral, "", "");
                    }
                }
            }
        }
    }

    /// What the shop says in its own words: people see it, and nothing is decided by it.
    fn notes(&mut self) {
        for (name, pair) in paired(&self.old.notes, &self.new.notes, |note| &note.name) {
            let about = format!("note.{name}");
            match pair {
                Pair::Added(_) => self.add(ChangeCode::NoteAdded, &about, Effect::Neutral, "", name),
                Pair::Removed(_) => self.add(ChangeCode::NoteRemoved, &about, Effect::Neutral, name, ""),
                Pair::Both(old, new) => {
                    if (&old.title, &old.body, old.after) != (&new.title, &new.body, new.after) {
                        self.add(ChangeCode::NoteWords, &about, Effect::Neutral, "", "");
                    }
                }
            }
        }
    }

    /// What the shop sets of the window. A switch that is on before anybody touched it lets more happen.
    fn window(&mut self) {
        let (old, new) = (&self.old.window, &self.new.window);
        let look = |window: &Window| {
            (
                window.order,
                WindowAnswer::ALL.iter().map(|one| window.button(*one).clone()).collect::<Vec<_>>(),
            )
        };
        if look(old) != look(new) {
            self.add(ChangeCode::Window, "window", Effect::Neutral, "", "");
        }
        for (purpose, effect) in compared(&old.on, &new.on) {
            let about = "window.on";
            self.add_or_remove(ChangeCode::WindowOn, ChangeCode::WindowOn, about, effect, purpose.as_str());
        }
    }

    /// The purposes by consent, before and now, that use a field.
    fn consents_using(&self, field: &Name) -> BTreeSet<Name> {
        self.consents(|purpose| purpose.fields.iter().any(|used| used.field == *field))
    }

    /// The purposes by consent, before and now, that share with a recipient.
    fn consents_sharing(&self, recipient: &Name) -> BTreeSet<Name> {
        self.consents(|purpose| purpose.recipients.contains(recipient))
    }

    fn consents(&self, concerned: impl Fn(&Purpose) -> bool) -> BTreeSet<Name> {
        let now = self.new.purposes.iter().filter(|purpose| concerned(purpose));
        let before =
            |name: &Name| self.old.find_purpose(name.as_str()).is_some_and(|old| old.basis.is_consent());
        now.map(|purpose| purpose.name.clone()).filter(before).collect()
    }
}

fn void_if(consent: bool, name: &Name) -> BTreeSet<Name> {
    if consent { BTreeSet::from([name.clone()]) } else { BTreeSet::new() }
}

fn shown(clock: Option<&After>) -> String {
    clock.map_or_else(|| "none".to_owned(), After::to_string)
}

fn longer_keep(old: &Keep, new: &Keep) -> Effect {
    match (old, new) {
        (Keep::After(old), Keep::After(new)) => longer(old, new),
        _ => Effect::Alters,
    }
}

/// Clocks that may be absent; `when_added` says what it means that one comes into being.
fn longer_clock(old: Option<&After>, new: Option<&After>, when_added: Effect) -> Effect {
    match (old, new) {
        (Some(old), Some(new)) => longer(old, new),
        (None, _) => when_added,
        (_, None) if when_added == Effect::Widens => Effect::Narrows,
        (_, None) => Effect::Widens,
    }
}

/// Is the new one longer? None is the longest.
fn is_longer(old: Option<Period>, new: Option<Period>) -> bool {
    let days = |period: Option<Period>| period.map_or(u32::MAX, Period::approximate_days);
    days(new) > days(old)
}

fn longer(old: &After, new: &After) -> Effect {
    let same_event = |a: &Anchor, b: &Anchor| a == b;
    let days = |after: &After| after.period.approximate_days();
    match days(old).cmp(&days(new)) {
        _ if !same_event(&old.anchor, &new.anchor) => Effect::Alters,
        std::cmp::Ordering::Less => Effect::Widens,
        std::cmp::Ordering::Greater => Effect::Narrows,
        std::cmp::Ordering::Equal => Effect::Neutral,
    }
}

enum Pair<'p, T> {
    Added(&'p T),
    Removed(&'p T),
    Both(&'p T, &'p T),
}

/// The items of both lists by name, each with its twin.
fn paired<'p, T>(old: &'p [T], new: &'p [T], name: impl Fn(&T) -> &Name) -> Vec<(&'p Name, Pair<'p, T>)>
where
    T: 'p,
{
    let mut pairs = std::collections::BTreeMap::new();
    for item in old {
        pairs.insert(name_of(item, &name), Pair::Removed(item));
    }
    for item in new {
        let key = name_of(item, &name);
        let pair = match pairs.get(key) {
            Some(Pair::Removed(before)) => Pair::Both(*before, item),
            _ => Pair::Added(item),
        };
        pairs.insert(key, pair);
    }
    pairs.into_iter().collect()
}

fn name_of<'p, T>(item: &'p T, name: &impl Fn(&T) -> &Name) -> &'p Name {
    name(item)
}

/// What one list has and the other has not, in order: new ones widen, gone ones narrow.
fn compared<'p, T: Ord>(old: &'p [T], new: &'p [T]) -> Vec<(&'p T, Effect)> {
    let (before, now): (BTreeSet<&T>, BTreeSet<&T>) = (old.iter().collect(), new.iter().collect());
    before
        .symmetric_difference(&now)
        .map(|item| (*item, if now.contains(item) { Effect::Widens } else { Effect::Narrows }))
        .collect()
}
