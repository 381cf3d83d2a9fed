//! Pages with a banner of their own: the buttons and the purposes come from a file of expectations.

use crate::shop::{Shop, page, tracker};
use crate::{found, passes, visited};
use selftest::{Declared, Report};

const EXPECT: &str = r##"
[[purpose]]
name = "statistics"
kind = "consent"
cookies = ["_count"]
storage = ["count_id"]
[[purpose.recipient]]
name = "counter"
hosts = ["tracker.localhost", "collector.localhost"]

[buttons]
accept = ["#yes"]
refuse = ["#no"]
settings = ["#more"]
withdraw = ["#back"]
record = ["said"]
"##;

/// An honest page: what is said is kept in `said`, and a yes loads the tracker.
const HONEST: &str = r##"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title></head><body>
<div id="banner" hidden><button id="yes">Yes</button><button id="no">No</button></div><button id="back">Change</button><script>
  const said = localStorage.getItem("said"), banner = document.querySelector("#banner");
  const load = () => document.body.append(Object.assign(document.createElement("script"), { src: "http://tracker.localhost:PORT/count.js" }));
  if (said === "yes") load();
  banner.hidden = said !== null;
  document.querySelector("#back").onclick = () => { banner.hidden = false; };
  document.querySelector("#yes").onclick = () => { localStorage.setItem("said", "yes"); banner.hidden = true; load(); };
  document.querySelector("#no").onclick = () => {
    localStorage.setItem("said", "no");
    localStorage.removeItem("count_id");
    document.cookie = "_count=;path=/;max-age=0;domain=shop.localhost";
    banner.hidden = true;
  };
</script></body></html>"##;

fn visited_as(text: &str) -> Option<Report> {
    let shop = Shop::open(&[&[("www.shop.localhost/", page(text))][..], &tracker()[..]].concat());
    visited(&shop, Declared::read(EXPECT).unwrap()).map(|(_, report)| report)
}

#[test]
fn an_honest_banner_that_is_named_by_hand_passes() {
    let Some(report) = visited_as(HONEST) else { return };
    passes(&report);
    assert_eq!(report.banner.as_deref(), Some("by-hand"));
}

#[test]
fn a_refusal_that_is_hidden_forgotten_and_not_obeyed_is_found() {
    // The no stands behind another button, is not kept, and leaves everything as it is.
    let cheat = HONEST
        .replace(r#"<button id="no">No</button>"#, r#"<button id="more">More</button><button id="no" hidden>No</button>"#)
        .replace("<script>\n", "<script>\n document.querySelector('#more').onclick = () => { document.querySelector('#no').hidden = false; };\n")
        .replace(r#"localStorage.setItem("said", "no");"#, r"return void (banner.hidden = true);");
    let Some(report) = visited_as(&cheat) else { return };
    let codes: Vec<&str> = found(&report).into_iter().map(|(code, _)| code).collect();
    // Longer to refuse, asked again, three clicks to withdraw, and then everything goes on.
    for code in [
        "SR-SELFTEST-153",
        "SR-SELFTEST-154",
        "SR-SELFTEST-156",
        "SR-SELFTEST-104",
        "SR-SELFTEST-124",
        "SR-SELFTEST-134",
    ] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
}

#[test]
fn a_page_that_does_not_ask_at_all_is_found() {
    let silent = HONEST
        .replace(r#"<div id="banner" hidden>"#, r#"<div id="banner" style="display:none">"#)
        .replace(r#"<button id="back">Change</button>"#, r#"<button id="back" hidden>Change</button>"#);
    let Some(report) = visited_as(&silent) else { return };
    assert_eq!(found(&report), [("SR-SELFTEST-151", String::new())]);
    assert_eq!(report.stages.len(), 1);
}
