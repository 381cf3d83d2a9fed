//! The shop of the demonstration, in a real browser: whoever refuses everything can do all that there is to do, the page obeys, and My data
//! opens for a customer who comes from their account.

use std::process::Command;

use serde_json::{Value as Json, json};

use crate::browser::{Browser, OVERFLOW, find_browser};
use crate::demo::{end, stays_up};

/// Where the shop is, in a language.
fn address_in(said: &str, language: &str) -> String {
    let end = format!("/?lang={language}");
    let found = said
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("http://localhost:") && line.ends_with(&end));
    found.unwrap().to_owned()
}

fn goods(browser: &mut Browser) -> Json {
    browser.look("[...document.querySelectorAll('.goods h2')].map(one => one.textContent)")
}

#[test]
fn whoever_refuses_everything_can_do_all_that_there_is_to_do_and_no_order_depends_on_who_looks() {
    let Some(name) = find_browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (child, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
    for (language, refuse, width, scheme) in
        [("zh", "全部拒绝", 390, "light"), ("en", "Reject all", 1280, "dark")]
    {
        let shop = address_in(&said, language);
        let at = |path: &str| shop.replace("/?", &format!("/{path}?"));
        let mut browser = Browser::open(name);
        browser.go(&shop, width, scheme);
        browser.until("document.querySelector('.sr-banner') !== null");
        browser.shoot(&format!("shop-banner-{language}-{width}"));
        assert_eq!(browser.look("document.querySelector('[data-sr=reject]').textContent"), refuse);
        browser.look("document.querySelector('[data-sr=reject]').click()");
        browser.until("document.querySelector('.sr-banner') === null && document.cookie.includes('sr=')");
        let everybody = goods(&mut browser);
        assert_eq!(everybody.as_array().unwrap().len(), 8);
        assert_eq!(browser.look(OVERFLOW)["more"], 0, "{language} {width}");

        // A parcel is ordered, by nobody who is known.
        browser.follow("document.querySelector('.goods a').click()");
        browser.follow("document.querySelector('main form button').click()");
        browser.shoot(&format!("shop-basket-{language}-{width}"));
        browser.look("document.querySelector('#name').value = '陈小红'; document.querySelector('#address').value = '上海市淮海中路 1 号'; document.querySelector('#phone').value = '13912345678'");
        browser.follow("document.querySelector('main form button').click()");
        let ordered = if language == "zh" { "订单已提交" } else { "Ordered" };
        assert_eq!(
            browser.look("document.querySelector('h1').textContent"),
            ordered,
            "{}",
            browser.look("document.body.innerText")
        );

        // Two customers who allowed nothing see what everybody sees.
        for customer in 0..2 {
            browser.go(&at("account"), width, scheme);
            browser.follow(&format!(
                "document.querySelectorAll('main form:last-of-type button')[{customer}].click()"
            ));
            browser.go(&shop, width, scheme);
            assert_eq!(goods(&mut browser), everybody, "customer {customer}");
        }
        // One of them comes to My data from their account, and allows recommendations: then, and not before, the order is theirs.
        browser.go(&at("account"), width, scheme);
        browser.follow("document.querySelector('form[action^=\"/my/enter\"] button').click()");
        assert_eq!(browser.look("document.querySelectorAll('.cards li').length"), 4);
        browser.shoot(&format!("shop-my-{language}-{width}"));
        browser.go(&at("my/choices"), width, scheme);
        let switch = "[...document.querySelectorAll('.choice')].find(f => f.elements.purpose.value === 'recommendations')";
        browser.follow(&format!("{switch}.querySelector('button').click()"));
        browser.go(&shop, width, scheme);
        let theirs = browser.look("document.querySelector('main > p.quiet') !== null");
        assert_eq!(theirs, true, "what stands first is said to be a recommendation");
        browser.go(&at("my/choices"), width, scheme);
        browser.follow(&format!("{switch}.querySelector('button').click()"));
        browser.go(&shop, width, scheme);
        assert_eq!(goods(&mut browser), everybody, "off: the same as everybody, at the next page");
        assert_eq!(
            browser.look("window.counted === undefined && window.measured === undefined"),
            json!(true)
        );
        assert!(
            !browser
                .requests
                .iter()
                .any(|address| address.contains("count.js") || address.contains("hill.js"))
        );
    }
    assert_eq!(end(child, "-INT"), Some(0));
}

#[test]
fn the_self_test_finds_nothing_on_the_shops_page() {
    if find_browser().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (child, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
    let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
        .args(["selftest", &address_in(&said, "en"), "--no-sandbox", "--json"])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"], json!([]), "{report}");
    // It was asked for once it was allowed: the test would see nothing on a page that never asks for anything.
    assert!(shown.contains("count.js"), "{report}");
    assert_eq!(end(child, "-INT"), Some(0));
}
