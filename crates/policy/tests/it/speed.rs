//! How long the hot paths take. Run with
//! `cargo test --release -p policy --test it -- --ignored --nocapture speed`.

use crate::{SHOP, TODAY, compiled_of};
use policy::{Act, ActSet, COLLECTED_EVENT, Facts, Flow, Given, Life, PurposeSet, check, decide};
use std::hint::black_box;
use std::time::Instant;

/// The best of fifteen rounds, in nanoseconds a call: what the code costs when nothing else gets in its way.
fn best<T>(calls: u32, mut call: impl FnMut() -> T) -> f64 {
    let mut round = || {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(&call());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    (0..15).map(|_| round()).fold(f64::MAX, f64::min)
}

#[test]
#[ignore = "a measurement: meaningful in release builds on a quiet machine"]
fn speed() {
    let compiled = compiled_of(SHOP);
    let order = compiled.find_kind("order").unwrap();
    let delivery = compiled.find_purpose("delivery").unwrap().ordinal;
    let facts = Facts { acts: ActSet::ALL, purposes: PurposeSet::ALL, ..Facts::default() };
    let listed = order.grant(delivery).allowed;
    let flow = |act, fields, purpose| Flow { act, kind: order.ordinal(), fields, purpose, recipient: None };

    let line = |what: &str, nanos: f64| println!("{what:<44} {nanos:>9.1} ns");
    let reveal = flow(Act::Reveal, listed, Some(delivery));
    line(
        "decide: reveal, yes for all",
        best(1_000_000, || decide(&compiled, black_box(&facts), black_box(&reveal))),
    );
    let partly = flow(Act::Reveal, order.declared(), Some(delivery));
    line(
        "decide: reveal, yes for some",
        best(1_000_000, || decide(&compiled, black_box(&facts), black_box(&partly))),
    );
    let collect = flow(Act::Collect, order.declared(), None);
    line(
        "decide: collect, 5 purposes",
        best(1_000_000, || decide(&compiled, black_box(&facts), black_box(&collect))),
    );
    let frozen = Facts { frozen: true, ..facts };
    line("decide: no", best(1_000_000, || decide(&compiled, black_box(&frozen), black_box(&reveal))));

    let events =
        [(COLLECTED_EVENT, 1_795_000_000_000_000), (0, 1_795_600_000_000_000), (1, 1_795_300_000_000_000)];
    let life = Life { events: &events, ..Life::default() };
    let now = 1_795_700_000_000_000;
    line(
        "layout: 8 fields, 5 purposes, 3 events",
        best(100_000, || compiled.layout(order.ordinal(), order.declared(), black_box(&life), now)),
    );
    line(
        "ended_purposes: the same",
        best(100_000, || compiled.ended_purposes(order.ordinal(), black_box(&life), now)),
    );
    let berlin = compiled_of(&SHOP.replace("Asia/Shanghai", "Europe/Berlin"));
    line(
        "layout: the same in Europe/Berlin",
        best(100_000, || berlin.layout(order.ordinal(), order.declared(), black_box(&life), now)),
    );

    line(
        "find_field: one of 8 names",
        best(1_000_000, || order.find_field(black_box("payment_reference")).map(|field| field.ordinal)),
    );
    let phone = order.find_field("phone").unwrap();
    line(
        "canonical: a phone number",
        best(100_000, || phone.canonical(Given::Text(black_box("138 0013 8000")))),
    );
    line(
        "mask: a phone number",
        best(100_000, || phone.mask.map(|mask| mask.apply(black_box("+8613800138000")))),
    );
    line(
        "FieldMask: iterate 8",
        best(1_000_000, || black_box(order.declared()).iter().map(u32::from).sum::<u32>()),
    );
    line("check: the example shop", best(200, || check(black_box(SHOP), "shop.toml", TODAY)));
}
