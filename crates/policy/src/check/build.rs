//! From a draft without errors to a [`Policy`].

use super::Checked;
use super::names::Use;
use crate::draft::{
    Draft, DraftButton, DraftField, DraftKind, DraftLaw, DraftNote, DraftPurpose, DraftRecipient,
    DraftRepresentative, DraftRole, DraftShop, DraftWindow,
};
use crate::file::{FileRule, LARGEST_KEPT};
use crate::finding::At;
use crate::model::{
    Agreed, Button, Field, Kind, Line, Note, Officer, Policy, Purpose, Recipient, Representative, Role,
    RouteAbroad, Shop, Used, Window,
};
use crate::read::table::S;
use crate::text::Name;
use crate::words::{Consideration, FieldKind, Normalise, ShopRole};

/// The policy, if nothing is missing; whatever is missing has been told as an error before.
pub(super) fn policy(checked: &Checked<'_>, text: &str) -> Option<Policy> {
    let Draft { shop: draft_shop, kinds, fields, recipients, roles, notes, window, .. } = checked.draft;
    let lines = Lines::of(text);
    Some(Policy {
        shop: shop(draft_shop)?,
        kinds: kinds.iter().map(|draft| kind(draft, &lines)).collect::<Option<_>>()?,
        fields: fields.iter().map(|draft| field(draft, &lines)).collect::<Option<_>>()?,
        purposes: checked
            .purposes()
            .map(|(draft, uses)| purpose(draft, uses, &lines))
            .collect::<Option<_>>()?,
        recipients: recipients.iter().map(|draft| recipient(draft, &lines)).collect::<Option<_>>()?,
        roles: roles.iter().map(|draft| role(draft, &lines)).collect::<Option<_>>()?,
        notes: notes.iter().map(|draft| note(draft, &lines)).collect::<Option<_>>()?,
        window: window.as_ref().map_or_else(|| Some(Window::default()), self::window)?,
    })
}

fn shop(draft: &DraftShop) -> Option<Shop> {
    Some(Shop {
        id: draft.id.clone()?,
        name: draft.name.clone()?,
        languages: draft.languages.clone(),
        zone: draft.zone.clone()?,
        region: draft.region?,
        serves: draft.serves.iter().map(|place| place.value.clone()).collect(),
        kept_in: draft.kept_in.as_ref()?.value.clone(),
        established_in: draft.seat()?.clone(),
        sells_on: draft.channels(),
        acts_as: draft.acts_as.map_or(ShopRole::Merchant, |role| role.value),
        address: draft.address.clone(),
        persons: draft.persons.map(|count| count.value),
        minors: draft.minors.map(|how| how.value),
        representatives: draft.representatives.iter().map(representative).collect::<Option<_>>()?,
        officer: Officer { name: draft.officer_name.clone()?, contact: draft.officer_contact.clone()? },
        reviewed: draft.reviewed?.value,
        review: draft.review?.value,
    })
}

fn representative(draft: &DraftRepresentative) -> Option<Representative> {
    let DraftRepresentative { place, name, contact } = draft;
    Some(Representative { place: place.value.clone(), name: name.clone()?, contact: contact.clone()? })
}

fn kind(draft: &DraftKind, lines: &Lines) -> Option<Kind> {
    Some(Kind {
        name: draft.name.value.clone(),
        label: draft.label.clone()?,
        of: draft.of.as_ref().map(|of| of.value.clone()),
        fields: names(&draft.fields),
        events: names(&draft.events),
        is: draft.is.iter().map(|word| word.value).collect(),
        line: lines.of_start(draft.name.at),
    })
}

fn field(draft: &DraftField, lines: &Lines) -> Option<Field> {
    let category = draft.category?.value;
    let sensitive = draft.is_sensitive();
    Some(Field {
        name: draft.name.value.clone(),
        kind: draft.kind?,
        category,
        label: draft.label.clone()?,
        normalise: draft.normalise.map_or(Normalise::None, |how| how.value),
        index: draft.index.map(|index| index.value),
        unique: draft.unique.is_some_and(|unique| unique.value),
        mask: draft.mask.map(|mask| mask.value),
        file: (draft.kind? == FieldKind::File)
            .then(|| FileRule { media: draft.media.clone(), at_most: draft.at_most.unwrap_or(LARGEST_KEPT) }),
        sensitive,
        sensitive_by: if sensitive { category.sensitive_by() } else { &[] },
        line: lines.of_start(draft.name.at),
    })
}

fn purpose(draft: &DraftPurpose, uses: &[Use<'_>], lines: &Lines) -> Option<Purpose> {
    let used = |used: &Use<'_>| Used {
        kind: used.kind.name.value.clone(),
        field: used.field.name.value.clone(),
        masked: used.masked,
        optional: used.optional,
    };
    Some(Purpose {
        name: draft.name.value.clone(),
        data_use: draft.data_use?,
        basis: draft.basis?.value,
        says: draft.says.clone()?,
        fields: uses.iter().map(used).collect(),
        keep: draft.keep.as_ref()?.to_keep(),
        must_keep: draft.must_keep.as_ref().map(|clock| clock.value.clone()),
        at_most: draft.at_most.as_ref().map(|clock| clock.value.clone()),
        law: draft.law.as_ref().map(|law| match law {
            DraftLaw::Once(law) => law.clone(),
            DraftLaw::InEach(law) => law.or_first("").to_owned(),
        }),
        law_text: draft.law.as_ref().and_then(|law| match law {
            DraftLaw::Once(_) => None,
            DraftLaw::InEach(law) => Some(law.clone()),
        }),
        recipients: names(&draft.recipients),
        limit: draft.limit,
        assessed: draft.assessed.map(|day| day.value),
        similar: draft.similar.is_some_and(|similar| similar.value),
        ask_again: draft.ask_again.map(|period| period.value),
        wait: draft.wait.map(|period| period.value),
        label: draft.label.clone(),
        cookies: draft.cookies.clone(),
        storage: draft.storage.clone(),
        line: lines.of_start(draft.name.at),
    })
}

fn recipient(draft: &DraftRecipient, lines: &Lines) -> Option<Recipient> {
    let agreed = |agreement: S<crate::draft::DraftAgreement>| Agreed {
        signed: agreement.value.signed.value,
        until: agreement.value.until.map(|until| until.value),
    };
    Some(Recipient {
        name: draft.name.value.clone(),
        kind: draft.kind?,
        title: draft.title.clone()?,
        place: draft.place.as_ref()?.value.clone(),
        acts_as: draft.role()?,
        contact: draft.contact.clone(),
        routes: draft
            .routes
            .iter()
            .map(|route| RouteAbroad { law: route.law.clone(), route: route.route.value })
            .collect(),
        agreement: draft.agreement.map(agreed),
        keep: draft.keep.as_ref().map(|clock| clock.value.clone()),
        consideration: draft.consideration.map_or(Consideration::None, |got| got.value),
        reviewed: draft.reviewed.map(|day| day.value),
        review: draft.review.map(|period| period.value),
        line: lines.of_start(draft.name.at),
    })
}

fn role(draft: &DraftRole, lines: &Lines) -> Option<Role> {
    Some(Role {
        name: draft.name.value.clone(),
        label: draft.label.clone()?,
        purposes: names(&draft.purposes),
        line: lines.of_start(draft.name.at),
    })
}

fn note(draft: &DraftNote, lines: &Lines) -> Option<Note> {
    Some(Note {
        name: draft.name.value.clone(),
        title: draft.title.clone()?,
        body: draft.body.clone()?,
        after: draft.after,
        line: lines.of_start(draft.name.at),
    })
}

fn window(draft: &DraftWindow) -> Option<Window> {
    let order = match &draft.order {
        Some(order) => order.value.as_slice().try_into().ok()?,
        None => Window::default().order,
    };
    let button = |draft: &DraftButton| Button {
        label: draft.label.as_ref().map(|label| label.value.clone()),
        colours: draft.text.zip(draft.background).map(|(text, ground)| (text.value, ground.value)),
        weight: draft.weight(),
        size: draft.size(),
    };
    let (accept, reject, choose) = (button(&draft.accept), button(&draft.reject), button(&draft.choose));
    Some(Window { order, on: names(&draft.on), accept, reject, choose })
}

fn names(names: &[S<Name>]) -> Vec<Name> {
    names.iter().map(|name| name.value.clone()).collect()
}

/// Where each line ends, so that hundreds of places find their lines in one pass.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place).collect())
    }

    fn of_start(&self, at: At) -> Line {
        let before = self.0.partition_point(|end| *end < at.start);
        Line(u32::try_from(before + 1).unwrap_or(u32::MAX))
    }
}
