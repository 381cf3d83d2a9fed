//! Differences between two versions, each made by one edit of the example.

use crate::sketch::sketches;
use crate::{SHOP, policy_of};
use policy::{Change, ChangeCode, Effect, diff, void_choices};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn changes(from: &str, to: &str) -> Vec<Change> {
    let edited = SHOP.replace(from, to);
    assert_ne!(edited, SHOP, "{from}");
    diff(&policy_of(SHOP), &policy_of(&edited))
}

/// Code, what it is about, effect, and the purposes whose choices are void.
fn told(changes: &[Change]) -> Vec<(ChangeCode, &str, Effect, Vec<&str>)> {
    changes
        .iter()
        .map(|change| {
            (
                change.code,
                change.about.as_str(),
                change.effect,
                change.voids.iter().map(policy::Name::as_str).collect(),
            )
        })
        .collect()
}

/// Edits of the example, each with the changes it must be told as.
type Edit = (&'static str, &'static str, Vec<(ChangeCode, &'static str, Effect, Vec<&'static str>)>);

fn edits() -> Vec<Edit> {
    use ChangeCode as C;
    use Effect::{Alters, Narrows, Neutral, Widens};
    let (marketing, recommendations) = ("purpose.marketing_email", "purpose.recommendations");
    vec![
        (
            "serves = [\"cn\", \"eu\", \"us-ca\"]",
            "serves = [\"cn\", \"eu\", \"sg\"]",
            vec![
                (C::ShopServes, "shop.serves", Widens, vec![]),
                (C::ShopServes, "shop.serves", Narrows, vec![]),
            ],
        ),
        (
            "[purpose.delivery]\n",
            "[purpose.delivery]\nlimit = \"200 subjects per hour, 900 per day\"\n",
            vec![(C::PurposeLimit, "purpose.delivery", Neutral, vec![])],
        ),
        // Its seat is there, too, where the file does not say otherwise.
        (
            "kept_in = \"cn\"",
            "kept_in = \"sg\"",
            vec![
                (C::ShopKeptIn, "shop.kept_in", Alters, vec![]),
                (C::ShopSeat, "shop.established_in", Alters, vec![]),
            ],
        ),
        (
            "minors = \"not_served\"",
            "minors = \"with_guardian\"\nsells_on = [\"own\", \"tmall\"]\nacts_as = \"platform_operator\"\n\
             persons = 1_000\nrepresentative.sg = { name = \"A. B.\", contact = \"sg@harbour-hill.example\" }",
            vec![
                (C::ShopSellsOn, "shop.sells_on", Widens, vec![]),
                (C::ShopMinors, "shop.minors", Widens, vec![]),
                (C::ShopRole, "shop.acts_as", Alters, vec![]),
                (C::ShopRepresentative, "shop.representative", Neutral, vec![]),
                (C::ShopFacts, "shop", Neutral, vec![]),
            ],
        ),
        (
            "[record.order]\n",
            "[record.order]\nis = [\"transaction\"]\n",
            vec![(C::KindIs, "record.order", Neutral, vec![])],
        ),
        (
            "[purpose.marketing_email]\n",
            "[purpose.marketing_email]\nask_again = \"12mo\"\nwait = \"6mo\"\n",
            vec![
                (C::PurposeAskAgain, "purpose.marketing_email", Narrows, vec![]),
                (C::PurposeWait, "purpose.marketing_email", Widens, vec![]),
            ],
        ),
        (
            "[purpose.marketing_email]\n",
            "[purpose.marketing_email]\nsimilar = true\n",
            vec![(C::PurposeSimilar, "purpose.marketing_email", Narrows, vec![])],
        ),
        (
            "[purpose.marketing_email]\n",
            "[purpose.marketing_email]\ncookies = [\"_mail*\"]\nstorage = [\"mail\"]\n",
            vec![(C::PurposeInPages, "purpose.marketing_email", Neutral, vec![])],
        ),
        (
            "[purpose.marketing_email]\n",
            "[purpose.marketing_email]\nlabel = { zh = \"邮件\", en = \"Mail\" }\n",
            vec![(C::Words, "purpose.marketing_email", Neutral, vec![])],
        ),
        (
            "contact = \"privacy@sf-express.example\"\nroute = { eu = \"standard_contract\" }",
            "acts_as = \"handler\"\ncontact = \"dpo@sf-express.example\"\nroute = { eu = \"exempt\" }",
            vec![
                (C::RecipientRole, "recipient.sf-express", Widens, vec![]),
                (C::RecipientRoute, "recipient.sf-express", Alters, vec![]),
                (C::RecipientContact, "recipient.sf-express", Neutral, vec![]),
            ],
        ),
        (
            "zone = \"Asia/Shanghai\"",
            "zone = \"Asia/Singapore\"",
            vec![(C::ShopFacts, "shop", Neutral, vec![])],
        ),
        ("Lin Yue 林月", "Wu Min 吴敏", vec![(C::ShopOfficer, "shop.officer", Neutral, vec![])]),
        ("reviewed = 2026-11-01", "reviewed = 2026-11-20", vec![]),
        (
            "[field.name]",
            "[record.visit]\nlabel = { zh = \"到访\", en = \"Visit\" }\nfields = [\"note\"]\n[field.note]\ncategory = \"user.content\"\nlabel = { zh = \"备注\", en = \"Note\" }\n[field.name]",
            vec![(C::KindAdded, "record.visit", Widens, vec![])],
        ),
        ("of = \"customer\" ", "# ", vec![(C::KindParent, "record.order", Alters, vec![])]),
        (
            "fields = [\"name\", \"email\", \"phone\"]",
            "fields = [\"name\", \"email\", \"phone\", \"address\"]",
            vec![
                (C::KindFieldAdded, "record.customer", Widens, vec![]),
                (C::PurposeFieldAdded, "purpose.after_sales", Widens, vec![]),
                (C::PurposeFieldAdded, "purpose.delivery", Widens, vec![]),
            ],
        ),
        (
            "events = [\"placed\", \"delivered\", \"completed\"]",
            "events = [\"paid\", \"delivered\", \"completed\"]",
            vec![
                (C::KindEvents, "record.order", Neutral, vec![]),
                (C::KindEvents, "record.order", Neutral, vec![]),
            ],
        ),
        (
            "label = { zh = \"订单\", en = \"Order\" }",
            "label = { zh = \"订单\", en = \"Purchase\" }",
            vec![(C::Words, "record.order", Neutral, vec![])],
        ),
        (
            "[field.amount]\nkind = \"decimal\"",
            "[field.amount]\nkind = \"integer\"",
            vec![(C::FieldKind, "field.amount", Alters, vec![])],
        ),
        (
            "user.behavior.purchase_history",
            "user.behavior.browsing_history",
            vec![(C::FieldCategory, "field.items", Alters, vec!["recommendations"])],
        ),
        (
            "category = \"user.name\"\nlabel = { zh = \"发票",
            "sensitive = true\ncategory = \"user.name\"\nlabel = { zh = \"发票",
            vec![(C::FieldSensitive, "field.invoice_title", Narrows, vec![])],
        ),
        (
            "mask = \"last4\"",
            "mask = \"all\"",
            vec![(C::FieldMask, "field.payment_reference", Alters, vec![])],
        ),
        ("mask = \"last4\"\n", "", vec![(C::FieldMask, "field.payment_reference", Widens, vec![])]),
        (
            "index = \"exact\"\nmask = \"last4\"",
            "mask = \"last4\"",
            vec![(C::FieldIndex, "field.payment_reference", Narrows, vec![])],
        ),
        ("unique = true ", "# ", vec![(C::FieldUnique, "field.email", Neutral, vec![])]),
        (
            "normalise = \"upper\"",
            "normalise = \"text\"",
            vec![(C::FieldNormalise, "field.tax_number", Neutral, vec![])],
        ),
        (
            "[purpose.marketing_email]",
            "[purpose.fraud]\nuse = \"essential.fraud_detection\"\nbasis = \"contract\"\nsays = { zh = \"防诈骗\", en = \"x\" }\nfields = [\"amount\"]\nkeep = \"1y after collected\"\n[purpose.marketing_email]",
            vec![(C::PurposeAdded, "purpose.fraud", Widens, vec![])],
        ),
        (
            "use = \"marketing.communications.email\"",
            "use = \"marketing.advertising.profiling\"",
            vec![(C::PurposeUse, marketing, Alters, vec!["marketing_email"])],
        ),
        (
            "basis = \"consent\"\nsays = { zh = \"给您",
            "basis = \"separate_consent\"\nsays = { zh = \"给您",
            vec![(C::PurposeBasis, marketing, Alters, vec!["marketing_email"])],
        ),
        (
            "basis = \"contract\"\nsays = { zh = \"为您管理",
            "basis = \"consent\"\nsays = { zh = \"为您管理",
            vec![(C::PurposeBasis, "purpose.account", Alters, vec![])],
        ),
        (
            "fields = [\"email\"]\nkeep",
            "fields = [\"email\", \"name\"]\nkeep",
            vec![(C::PurposeFieldAdded, marketing, Widens, vec!["marketing_email"])],
        ),
        (
            "\"address\", \"items\", { field = \"amount\", optional = true }]\nkeep",
            "\"address\", { field = \"amount\", optional = true }]\nkeep",
            vec![(C::PurposeFieldRemoved, "purpose.after_sales", Narrows, vec![])],
        ),
        (
            "{ field = \"order.phone\", as = \"masked\" }",
            "\"order.phone\"",
            vec![(C::PurposeMask, "purpose.delivery", Widens, vec![])],
        ),
        (
            "{ field = \"invoice_title\", optional = true }",
            "\"invoice_title\"",
            vec![(C::PurposeOptional, "purpose.tax", Widens, vec![])],
        ),
        (
            "keep = \"90d after order.delivered\"",
            "keep = \"60d after order.delivered\"",
            vec![(C::PurposeKeep, "purpose.delivery", Narrows, vec![])],
        ),
        (
            "keep = \"90d after order.delivered\"",
            "keep = \"90d after order.completed\"",
            vec![(C::PurposeKeep, "purpose.delivery", Alters, vec![])],
        ),
        ("must_keep = \"10y", "must_keep = \"9y", vec![(C::PurposeMustKeep, "purpose.tax", Narrows, vec![])]),
        (
            "at_most = \"2y after collected\"\nrecipients",
            "at_most = \"3y after collected\"\nrecipients",
            vec![(C::PurposeAtMost, "purpose.payment", Widens, vec![])],
        ),
        (
            "at_most = \"1y after collected\" ",
            "# ",
            vec![(C::PurposeAtMost, "purpose.delivery", Widens, vec![])],
        ),
        (
            "fields = [\"items\"]\n",
            "fields = [\"items\"]\nrecipients = [\"harbour-pay\"]\n",
            vec![(C::PurposeRecipientAdded, recommendations, Widens, vec!["recommendations"])],
        ),
        (
            "en = \"To suggest things that go with what you bought\"",
            "en = \"To guess\"",
            vec![(C::PurposeSays, recommendations, Neutral, vec![])],
        ),
        ("law = \"税收", "law = \"新税收", vec![(C::PurposeLaw, "purpose.tax", Neutral, vec![])]),
        (
            "[recipient.harbour-pay]",
            "[recipient.post]\nkind = \"logistics\"\nname = { zh = \"邮局\", en = \"Post\" }\nin = \"de\"\n[recipient.harbour-pay]",
            vec![(C::RecipientAdded, "recipient.post", Widens, vec![])],
        ),
        (
            "in = \"cn\"\nagreement = { signed = 2026",
            "in = \"hk\"\nagreement = { signed = 2026",
            vec![(C::RecipientPlace, "recipient.sf-express", Widens, vec![])],
        ),
        (
            "kind = \"payment\"",
            "kind = \"processor\"",
            vec![
                (C::RecipientKind, "recipient.harbour-pay", Alters, vec![]),
                (C::RecipientRole, "recipient.harbour-pay", Narrows, vec![]),
            ],
        ),
        (
            "reviewed = 2026-06-15",
            "consideration = \"exchange\"",
            vec![(C::RecipientConsideration, "recipient.harbour-pay", Widens, vec![])],
        ),
        (
            "keep = \"30d after order.delivered\"",
            "keep = \"60d after order.delivered\"",
            vec![(C::RecipientKeep, "recipient.sf-express", Widens, vec![])],
        ),
        (
            "until = 2027-03-01",
            "until = 2027-06-01",
            vec![(C::RecipientAgreement, "recipient.sf-express", Neutral, vec![])],
        ),
        (
            "[role.marketing]",
            "[role.press]\nlabel = { zh = \"媒体\", en = \"Press\" }\npurposes = [\"account\"]\n[role.marketing]",
            vec![(C::RoleAdded, "role.press", Widens, vec![])],
        ),
        (
            "purposes = [\"payment\", \"tax\"]",
            "purposes = [\"payment\", \"delivery\"]",
            vec![
                (C::RolePurposeAdded, "role.finance", Widens, vec![]),
                (C::RolePurposeRemoved, "role.finance", Narrows, vec![]),
            ],
        ),
        (
            "label = { zh = \"财务\", en = \"Finance\" }",
            "label = { zh = \"财会\", en = \"Finance\" }",
            vec![(C::Words, "role.finance", Neutral, vec![])],
        ),
    ]
}

#[test]
fn every_edit_is_told_as_what_it_is() {
    for (from, to, expected) in edits() {
        assert_eq!(told(&changes(from, to)), expected, "{to}");
    }
}

#[test]
fn every_edit_backwards_does_the_opposite() {
    for (from, to, expected) in edits() {
        let back = diff(&policy_of(&SHOP.replace(from, to)), &policy_of(SHOP));
        assert_eq!(back.len(), expected.len(), "{to}");
        for (change, forth) in back.iter().zip(changes(from, to)) {
            if let Some(opposite) = match forth.effect {
                Effect::Alters | Effect::Neutral => Some(forth.effect),
                Effect::Widens | Effect::Narrows if change.code == ChangeCode::ShopServes => None,
                Effect::Widens | Effect::Narrows if change.code == forth.code => {
                    Some(if forth.effect == Effect::Widens { Effect::Narrows } else { Effect::Widens })
                }
                _ => None,
            } {
                assert_eq!(change.effect, opposite, "{to}: {change}");
            }
        }
    }
}

#[test]
fn every_code_is_told_by_some_edit() {
    let mut seen = BTreeSet::new();
    for (from, to, _) in edits() {
        let (old, new) = (policy_of(SHOP), policy_of(&SHOP.replace(from, to)));
        seen.extend(diff(&old, &new).iter().chain(&diff(&new, &old)).map(|change| change.code));
    }
    let (old, new) =
        (policy_of(&with_a_file(MEDIA, "")), policy_of(&with_a_file("[\"image/png\"]", SHORTER)));
    seen.extend(diff(&old, &new).iter().map(|change| change.code));
    let (without, one, other) = (policy_of(SHOP), with_a_note("a", ""), with_a_note("b", ""));
    let notes = [diff(&without, &one), diff(&one, &other), diff(&one, &without)];
    seen.extend(notes.iter().flatten().map(|change| change.code));
    let window = "\n[window]\non = [\"marketing_email\"]\norder = [\"reject\", \"accept\", \"choose\"]\n";
    let states =
        |text: &str| policy_of(&text.replace("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"us-ca\"]"));
    seen.extend(diff(&states(SHOP), &states(&format!("{SHOP}{window}"))).iter().map(|change| change.code));
    let missing: Vec<_> = ChangeCode::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

const MEDIA: &str = "[\"image/jpeg\", \"application/pdf\"]";
const SHORTER: &str = "at_most = \"500 kB\"\n";

/// The example with a field that holds files.
fn with_a_file(media: &str, at_most: &str) -> String {
    let field = format!(
        "[field.scan]\nkind = \"file\"\nmedia = {media}\n{at_most}category = \"user.content\"\n\
         label = {{ zh = \"附件\", en = \"Attachment\" }}\n[field.name]"
    );
    SHOP.replace("[field.name]", &field)
}

#[test]
fn what_files_a_field_takes_widens_and_narrows_and_voids_no_choice() {
    use Effect::{Narrows, Widens};
    let told_from = |old: (&str, &str), new: (&str, &str)| {
        let changes = diff(&policy_of(&with_a_file(old.0, old.1)), &policy_of(&with_a_file(new.0, new.1)));
        changes
            .into_iter()
            .map(|change| (change.to_string(), change.effect, change.voids.len()))
            .collect::<Vec<_>>()
    };
    let (media, at_most) = (
        "field.scan: a field takes files of other media types",
        "field.scan: a field takes longer or shorter files",
    );
    let less = "[\"application/pdf\"]";
    assert_eq!(told_from((MEDIA, ""), (less, "")), [(format!("{media}: image/jpeg"), Narrows, 0)]);
    assert_eq!(told_from((less, ""), (MEDIA, "")), [(format!("{media}: image/jpeg"), Widens, 0)]);
    assert_eq!(
        told_from((MEDIA, ""), (MEDIA, SHORTER)),
        [(format!("{at_most}: 10 MB → 500 kB"), Narrows, 0)]
    );
    assert_eq!(told_from((MEDIA, SHORTER), (MEDIA, "")), [(format!("{at_most}: 500 kB → 10 MB"), Widens, 0)]);
    assert_eq!(told_from((MEDIA, "at_most = \"10000 kB\"\n"), (MEDIA, "")), []);
}

#[test]
fn a_recipient_that_moves_abroad_or_pays_makes_the_consents_it_serves_void() {
    let with =
        SHOP.replace("fields = [\"items\"]\n", "fields = [\"items\"]\nrecipients = [\"harbour-pay\"]\n");
    for (from, to) in [
        ("in = \"cn\"\nagreement = { signed = 2025", "in = \"us\"\nagreement = { signed = 2025"),
        ("reviewed = 2026-06-15", "consideration = \"exchange\""),
    ] {
        let changes = diff(&policy_of(&with), &policy_of(&with.replace(from, to)));
        let void: Vec<_> = void_choices(&changes).iter().map(ToString::to_string).collect();
        assert_eq!(void, ["recommendations"]);
        assert!(changes.iter().all(Change::is_material));
        // Coming home again asks for nothing anew.
        assert!(void_choices(&diff(&policy_of(&with.replace(from, to)), &policy_of(&with))).is_empty());
    }
}

#[test]
fn a_purpose_that_goes_takes_its_choices_with_it() {
    let start = SHOP.find("[purpose.marketing_email]").unwrap();
    let end = SHOP.find("[purpose.recommendations]").unwrap();
    let without =
        SHOP.replace(&SHOP[start..end], "").replace("purposes = [\"marketing_email\", ", "purposes = [");
    let changes = diff(&policy_of(SHOP), &policy_of(&without));
    let expected = [
        (ChangeCode::PurposeRemoved, "purpose.marketing_email", Effect::Narrows, vec!["marketing_email"]),
        (ChangeCode::RolePurposeRemoved, "role.marketing", Effect::Narrows, vec![]),
    ];
    assert_eq!(told(&changes), expected);
}

#[test]
fn a_change_reads_as_a_line() {
    let shorter = changes("keep = \"90d after order.delivered\"", "keep = \"60d after order.delivered\"");
    assert_eq!(
        shorter[0].to_string(),
        "purpose.delivery: a purpose keeps data longer, shorter or from another event: 90d after order.delivered → 60d after order.delivered"
    );
    assert_eq!(serde_json::to_value(&shorter[0]).unwrap()["code"], "SR-DIF-028");
}

proptest! {
    #[test]
    fn nothing_changed_when_only_the_order_did(sketch in sketches()) {
        prop_assert_eq!(diff(&policy_of(&sketch.to_toml(false)), &policy_of(&sketch.to_toml(true))), vec![]);
    }

    #[test]
    fn what_changed_is_told(a in sketches(), b in sketches()) {
        let (old, new) = (a.policy(), b.policy());
        prop_assert_eq!(diff(&old, &new).is_empty(), policy_of(&a.to_toml(true)) == policy_of(&b.to_toml(true)));
        let consents: Vec<_> = old.purposes.iter().filter(|purpose| purpose.basis.is_consent()).map(|purpose| &purpose.name).collect();
        prop_assert!(void_choices(&diff(&old, &new)).iter().all(|name| consents.contains(&name)));
    }
}

#[test]
fn what_a_shop_says_in_its_own_words_is_told_and_changes_nothing() {
    let (without, one, other) = (policy_of(SHOP), with_a_note("a", ""), with_a_note("b", ""));
    let moved = with_a_note("a", "after = \"rights\"");
    for (old, new, code) in [
        (&without, &one, ChangeCode::NoteAdded),
        (&one, &without, ChangeCode::NoteRemoved),
        (&one, &other, ChangeCode::NoteWords),
        (&one, &moved, ChangeCode::NoteWords),
    ] {
        let changes = diff(old, new);
        assert_eq!(changes.iter().map(|change| change.code).collect::<Vec<_>>(), [code]);
        assert!(!changes[0].is_material() && changes[0].voids.is_empty());
        assert!(changes[0].alone(old, new).about.is_empty());
    }
    assert!(diff(&one, &with_a_note("a", "")).is_empty());
}

fn with_a_note(body: &str, after: &str) -> policy::Policy {
    policy_of(&format!(
        "{SHOP}\n[note.packing]\ntitle = {{ zh = \"包装\", en = \"Packing\" }}\n\
         body = {{ zh = \"{body}\", en = \"{body}\" }}\n{after}"
    ))
}
