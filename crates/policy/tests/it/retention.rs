//! Retention: ends on the calendar, and layouts that lose no field.

use crate::sketch::{Sketch, field_masks, purpose_sets, sketches, standings};
use crate::{SHOP, compiled_of};
use policy::{COLLECTED_EVENT, Compiled, End, FieldMask, Layout, Life, PurposeSet, Standing};
use proptest::prelude::*;

fn micros(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// An order of the example shop.
struct Order {
    compiled: Compiled,
    events: Vec<(u8, i64)>,
    granted: PurposeSet,
    standing: Standing,
}

impl Order {
    fn new(text: &str) -> Self {
        Self {
            compiled: compiled_of(text),
            events: Vec::new(),
            granted: PurposeSet::EMPTY,
            standing: Standing::Present,
        }
    }

    fn event(mut self, name: &str, at: &str) -> Self {
        let event = self.compiled.find_kind("order").unwrap().find_event(name).unwrap();
        self.events.push((event, micros(at)));
        self
    }

    fn life(&self) -> Life<'_> {
        Life { events: &self.events, granted: self.granted, standing: self.standing, ..Life::default() }
    }

    fn end(&self, purpose: &str) -> Option<String> {
        let kind = self.compiled.find_kind("order").unwrap().ordinal();
        let purpose = self.compiled.find_purpose(purpose).unwrap().ordinal;
        self.compiled.end_of(kind, purpose, &self.life()).map(shown)
    }

    fn layout(&self, fields: &[&str], now: &str) -> Vec<String> {
        let kind = self.compiled.find_kind("order").unwrap();
        let present = fields.iter().map(|name| kind.find_field(name).unwrap().ordinal).collect();
        let layout = self.compiled.layout(kind.ordinal(), present, &self.life(), micros(now));
        let names = |fields: FieldMask| {
            fields
                .iter()
                .map(|field| kind.field(field).unwrap().name.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut lines: Vec<String> = layout
            .groups
            .iter()
            .map(|group| {
                format!(
                    "{} {}: {}",
                    if group.retained { "retained" } else { "kept" },
                    shown(group.end),
                    names(group.fields)
                )
            })
            .collect();
        lines.extend((!layout.ended.is_empty()).then(|| format!("ended: {}", names(layout.ended))));
        lines.extend(
            (!layout.without_purpose.is_empty())
                .then(|| format!("without purpose: {}", names(layout.without_purpose))),
        );
        lines
    }
}

fn shown(end: End) -> String {
    match end {
        End::Open => "open".to_owned(),
        End::At(at) => {
            let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
            jiff::Timestamp::from_microsecond(at).unwrap().to_zoned(zone).strftime("%F %R").to_string()
        }
    }
}

const ALL: [&str; 8] = [
    "recipient_name",
    "phone",
    "address",
    "items",
    "amount",
    "payment_reference",
    "invoice_title",
    "tax_number",
];

#[test]
fn a_new_order_waits_for_its_events_and_no_longer_than_the_caps() {
    let order = Order::new(SHOP).event("collected", "2026-11-22T10:00+08:00");
    assert_eq!(order.end("delivery").as_deref(), Some("2027-11-22 10:00"));
    assert_eq!(order.end("after_sales").as_deref(), Some("2028-11-22 10:00"));
    assert_eq!(order.end("tax").as_deref(), Some("2037-11-22 10:00"));
    assert_eq!(order.end("recommendations"), None); // nobody has agreed
    assert_eq!(order.end("account"), None); // uses nothing of an order
}

#[test]
fn events_start_the_clocks_and_a_law_gets_its_last_day_whole() {
    let order = Order::new(SHOP)
        .event("collected", "2026-11-22T10:00+08:00")
        .event("delivered", "2026-11-25T15:30+08:00")
        .event("completed", "2026-12-05T09:00+08:00");
    assert_eq!(order.end("delivery").as_deref(), Some("2027-02-23 15:30"));
    assert_eq!(order.end("after_sales").as_deref(), Some("2027-12-05 09:00"));
    assert_eq!(order.end("tax").as_deref(), Some("2036-12-06 00:00"));
}

#[test]
fn of_several_events_the_latest_counts() {
    let order = Order::new(SHOP)
        .event("collected", "2026-11-01T10:00+08:00")
        .event("delivered", "2026-12-01T10:00+08:00")
        .event("delivered", "2026-11-25T15:30+08:00");
    assert_eq!(order.end("delivery").as_deref(), Some("2027-03-01 10:00"));
}

#[test]
fn a_cap_cuts_keep_but_never_a_legal_duty_that_has_begun() {
    let text = SHOP.replace("at_most = \"11y after collected\"", "at_most = \"1y after collected\"");
    let order = Order::new(&text).event("collected", "2026-11-22T10:00+08:00");
    assert_eq!(order.end("tax").as_deref(), Some("2027-11-22 10:00")); // never completed: the law asks for nothing
    let order = order.event("completed", "2026-12-05T09:00+08:00");
    assert_eq!(order.end("tax").as_deref(), Some("2036-12-06 00:00"));
}

#[test]
fn fields_go_with_the_last_purpose_that_uses_them() {
    let order = Order::new(SHOP)
        .event("collected", "2026-11-22T10:00+08:00")
        .event("delivered", "2026-11-25T15:30+08:00")
        .event("completed", "2026-12-05T09:00+08:00");
    let at_first = [
        "retained 2036-12-06 00:00: amount invoice_title items tax_number",
        "kept 2027-12-05 09:00: address phone recipient_name",
        "kept 2027-06-03 09:00: payment_reference",
    ];
    assert_eq!(order.layout(&ALL, "2026-12-06T00:00+08:00"), at_first);
    let in_autumn = [
        "retained 2036-12-06 00:00: amount invoice_title items tax_number",
        "kept 2027-12-05 09:00: address phone recipient_name",
        "ended: payment_reference",
    ];
    assert_eq!(order.layout(&ALL, "2027-06-03T09:00+08:00"), in_autumn);
}

#[test]
fn a_choice_keeps_a_field_open_until_it_is_withdrawn() {
    let mut order = Order::new(SHOP).event("collected", "2026-11-22T10:00+08:00");
    order.granted = PurposeSet::only(order.compiled.find_purpose("recommendations").unwrap().ordinal);
    assert_eq!(order.layout(&["items"], "2026-11-22T10:00+08:00"), ["retained open: items"]);
    order.granted = PurposeSet::EMPTY;
    assert_eq!(order.layout(&["items"], "2026-11-22T10:00+08:00"), ["retained 2037-11-22 10:00: items"]);
}

#[test]
fn after_an_erasure_only_the_legal_duty_is_left() {
    let text = SHOP
        .replace("keep = \"10y after order.completed\"\nmust", "keep = \"20y after order.completed\"\nmust");
    let text = text.replace("at_most = \"11y after collected\"", "at_most = \"30y after collected\"");
    let mut order = Order::new(&text)
        .event("collected", "2026-11-22T10:00+08:00")
        .event("completed", "2026-12-05T09:00+08:00");
    assert_eq!(order.end("tax").as_deref(), Some("2046-12-05 09:00"));
    order.standing = Standing::Erased;
    order.granted = PurposeSet::ALL;
    let left = ["retained 2036-12-06 00:00: amount items", "without purpose: address phone"];
    assert_eq!(order.layout(&["amount", "items", "address", "phone"], "2027-01-01T00:00+08:00"), left);
}

#[test]
fn a_duty_that_is_over_retains_nothing() {
    let mut order = Order::new(SHOP)
        .event("collected", "2014-11-22T10:00+08:00")
        .event("completed", "2014-12-05T09:00+08:00");
    order.granted = PurposeSet::only(order.compiled.find_purpose("recommendations").unwrap().ordinal);
    let fields = ["amount", "items"];
    let before = ["retained open: items", "retained 2024-12-06 00:00: amount"];
    assert_eq!(order.layout(&fields, "2024-12-05T23:59+08:00"), before);
    assert_eq!(order.layout(&fields, "2024-12-06T00:00+08:00"), ["kept open: items", "ended: amount"]);
}

#[test]
fn an_order_moves_the_clock_of_its_customer() {
    let text = SHOP.replace("at_most = \"3y after customer.active\"", "at_most = \"3y after order.placed\"");
    let compiled = compiled_of(&text);
    let (customer, order) = (compiled.find_kind("customer").unwrap(), compiled.find_kind("order").unwrap());
    let account = compiled.find_purpose("account").unwrap().ordinal;
    let placed = order.find_event("placed").unwrap();
    let events = [(COLLECTED_EVENT, micros("2020-01-01T00:00Z"))];
    let end = |children: &[(u8, u8, i64)]| {
        let life = Life { events: &events, children, ..Life::default() };
        shown(compiled.end_of(customer.ordinal(), account, &life).unwrap())
    };
    let child = |at: &str| (order.ordinal(), placed, micros(at));
    assert_eq!(end(&[]), "open");
    assert_eq!(end(&[child("2026-02-01T10:00+08:00"), child("2025-02-01T10:00+08:00")]), "2029-02-01 10:00");
    // The same event ordinal of another kind is another event.
    assert_eq!(end(&[(customer.ordinal(), placed, micros("2026-02-01T10:00+08:00"))]), "open");
}

#[test]
fn an_objection_ends_a_legitimate_interest() {
    let text = SHOP.replace(
        "basis = \"contract\"\nsays = { zh = \"处理退换货",
        "basis = \"legitimate_interest\"\nsays = { zh = \"处理退换货",
    );
    let compiled = compiled_of(&text);
    let order = compiled.find_kind("order").unwrap().ordinal();
    let after_sales = compiled.find_purpose("after_sales").unwrap().ordinal;
    let events = [(COLLECTED_EVENT, 0)];
    let life = Life { events: &events, ..Life::default() };
    assert!(compiled.end_of(order, after_sales, &life).is_some());
    let refused = Life { refused: PurposeSet::only(after_sales), ..life };
    assert_eq!(compiled.end_of(order, after_sales, &refused), None);
}

/// A life at random: some events of the record and of its children, some choices.
#[derive(Clone, Debug)]
struct AnyLife {
    events: Vec<(u8, i64)>,
    children: Vec<(u8, u8, i64)>,
    granted: PurposeSet,
    refused: PurposeSet,
    standing: Standing,
}

impl AnyLife {
    fn life(&self) -> Life<'_> {
        let Self { events, children, granted, refused, standing } = self;
        Life { events, children, granted: *granted, refused: *refused, standing: *standing }
    }
}

fn lives() -> impl Strategy<Value = AnyLife> {
    let instant = || 1_700_000_000_000_000i64..1_900_000_000_000_000;
    let event = || prop_oneof![Just(COLLECTED_EVENT), 0u8..3];
    let events = proptest::collection::vec((event(), instant()), 0..6);
    let children = proptest::collection::vec((0u8..3, event(), instant()), 0..6);
    (events, children, purpose_sets(), purpose_sets(), standings()).prop_map(
        |(events, children, granted, refused, standing)| AnyLife {
            events,
            children,
            granted,
            refused,
            standing,
        },
    )
}

/// Where a layout puts a field.
fn place(layout: &Layout, field: u8) -> Option<(bool, End)> {
    layout.groups.iter().find(|group| group.fields.has(field)).map(|group| (group.retained, group.end))
}

proptest! {
    #[test]
    fn every_field_stands_in_one_place_and_it_is_the_right_one(sketch in sketches(), any in lives(), kind in 0u8..4, present in field_masks(), now in 1_700_000_000_000_000i64..2_000_000_000_000_000) {
        let (policy, registry, compiled) = sketch.compiled();
        let life = any.life();
        let layout = compiled.layout(kind, present, &life, now);
        let all = layout.groups.iter().fold(layout.without_purpose.or(layout.ended), |all, group| all.or(group.fields));
        prop_assert_eq!(all, present);
        let count = layout.groups.iter().map(|group| group.fields.count()).sum::<u32>() + layout.without_purpose.count() + layout.ended.count();
        prop_assert_eq!(count, present.count());
        prop_assert!(layout.groups.windows(2).all(|pair| pair[0].end >= pair[1].end && pair[0] != pair[1]));
        for field in &present {
            // The slow way: ask every purpose that lists the field, by name.
            let entry = registry.kind_of(kind);
            let name = entry.and_then(|(kind, entry)| Some((kind, entry.field_name(field)?)));
            let using = policy.purposes.iter().filter(|purpose| {
                name.is_some_and(|(kind, field)| purpose.fields.iter().any(|used| used.kind == *kind && used.field == *field))
            });
            // For an erased subject a purpose ends with its duty: so that is how to ask for the duty's end.
            let erased = Life { standing: Standing::Erased, ..life };
            let ends: Vec<(End, bool)> = using
                .filter_map(|purpose| {
                    let ordinal = registry.find_purpose(purpose.name.as_str()).unwrap();
                    let duty = compiled.end_of(kind, ordinal, &erased);
                    Some((compiled.end_of(kind, ordinal, &life)?, duty.is_some_and(|duty| !duty.is_over(now))))
                })
                .collect();
            let expected = ends.iter().map(|(end, _)| *end).max();
            match expected {
                None => prop_assert!(layout.without_purpose.has(field)),
                Some(End::At(at)) if at <= now => prop_assert!(layout.ended.has(field)),
                Some(end) => prop_assert_eq!(place(&layout, field), Some((ends.iter().any(|(_, must)| *must), end))),
            }
        }
    }

    #[test]
    fn the_purposes_that_ended_are_those_whose_end_is_past(sketch in sketches(), any in lives(), kind in 0u8..4, now in 1_700_000_000_000_000i64..2_000_000_000_000_000) {
        let (_, _, compiled) = sketch.compiled();
        let life = any.life();
        let ended = compiled.ended_purposes(kind, &life, now);
        for purpose in 0..6 {
            let over = matches!(compiled.end_of(kind, purpose, &life), Some(End::At(at)) if at <= now);
            prop_assert_eq!(ended.has(purpose), over);
        }
    }

    #[test]
    fn withdrawing_never_keeps_anything_longer(sketch in sketches(), any in lives(), kind in 0u8..4, present in field_masks(), less in purpose_sets(), more in purpose_sets()) {
        let (_, _, compiled) = sketch.compiled();
        let life = any.life();
        let tighter = Life { granted: life.granted.minus(less), refused: life.refused.or(more), ..life };
        let (before, after) = (compiled.layout(kind, present, &life, i64::MIN), compiled.layout(kind, present, &tighter, i64::MIN));
        for field in &present {
            prop_assert!(place(&after, field).map(|(_, end)| end) <= place(&before, field).map(|(_, end)| end));
        }
        let erased = compiled.layout(kind, present, &Life { standing: Standing::Erased, ..life }, i64::MIN);
        for field in &present {
            prop_assert!(place(&erased, field).map(|(_, end)| end) <= place(&before, field).map(|(_, end)| end));
            prop_assert!(place(&erased, field).is_none_or(|(retained, _)| retained));
        }
    }

    #[test]
    fn any_instants_have_a_layout(sketch in sketches(), events: Vec<(u8, i64)>, children: Vec<(u8, u8, i64)>, present: [u64; 4], kind: u8, now: i64) {
        let (_, _, compiled) = sketch.compiled();
        let life = Life { events: &events, children: &children, granted: PurposeSet::ALL, ..Life::default() };
        let layout = compiled.layout(kind, FieldMask::from_words(present), &life, now);
        let all = layout.groups.iter().fold(layout.without_purpose.or(layout.ended), |all, group| all.or(group.fields));
        prop_assert_eq!(all, FieldMask::from_words(present));
    }
}

#[test]
fn a_layout_of_many_ends_keeps_them_all() {
    let many = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("\"g{number}\"")).collect();
        let part = |number: usize| {
            format!(
                "[field.g{number}]\ncategory = \"user.contact\"\nlabel = {{ en = \"Field\" }}\n[purpose.q{number}]\n\
                 use = \"essential.service\"\nbasis = \"contract\"\nsays = {{ en = \"x\" }}\nfields = [\"g{number}\"]\n\
                 keep = \"{}d after collected\"\n",
                count - number
            )
        };
        let parts: Vec<String> = (0..count).map(part).collect();
        let sketch =
            Sketch { holds: [[true; 6]; 3], indexed: [false; 6], purposes: Vec::new() }.to_toml(false);
        let kind = format!("[record.d]\nlabel = {{ en = \"Kind\" }}\nfields = [{}]\n", names.join(", "));
        compiled_of(&(sketch + &kind + &parts.concat()))
    };
    // Six groups are held without allocation; more are not, and must come out the same.
    for count in [1, 6, 7, 20] {
        let compiled = many(count);
        let kind = compiled.find_kind("d").unwrap();
        let life = Life { events: &[(COLLECTED_EVENT, 0)], ..Life::default() };
        let layout = compiled.layout(kind.ordinal(), kind.declared(), &life, 0);
        let names: Vec<String> = layout
            .groups
            .iter()
            .map(|group| kind.field(group.fields.first().unwrap()).unwrap().name.to_string())
            .collect();
        assert_eq!(names, (0..count).map(|number| format!("g{number}")).collect::<Vec<_>>());
        let later = compiled.layout(
            kind.ordinal(),
            kind.declared(),
            &Life { events: &[(COLLECTED_EVENT, 1)], ..life },
            0,
        );
        assert!(layout.groups == layout.groups.clone() && layout.groups != later.groups);
    }
}
