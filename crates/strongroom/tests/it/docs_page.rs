//! The documentation page in a real browser.

use serde_json::{Value as Json, json};

use crate::browser::{Browser, OVERFLOW, find_browser};
use crate::demo::{end, stays_up};

/// The least contrast of a text against what it stands on (WCAG 2), and where.
const CONTRAST: &str = "(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const under = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  let least = { ratio: 99 };
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(under(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, where: e.outerHTML.slice(0, 80) };
  }
  return least;
})()";

#[test]
fn the_page_shows_every_route_fits_a_phone_and_asks_nobody_else() {
    let Some(name) = find_browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
    let page = said.split_whitespace().find(|word| word.ends_with("/docs")).unwrap().to_owned();
    let home = page.strip_suffix("/docs").unwrap().to_owned();
    let mut browser = Browser::open(name);

    browser.go(&page, 390, "light");
    assert_eq!(browser.look("document.documentElement.lang"), "en");
    assert_eq!(browser.look("document.scripts.length"), 0);
    let flow = browser.look(OVERFLOW);
    assert_eq!(
        (&flow["more"], &flow["out"]),
        (&json!(0), &json!([])),
        "at 390 px nothing stands out of the page"
    );
    // The measure is worth something only if it sees what is too wide.
    let wide = format!(
        "{{ const p = document.createElement('p'); p.textContent = 'x'; p.style.width = '600px'; p.style.maxWidth = 'none';
           document.querySelector('main').append(p); }} {OVERFLOW}"
    );
    assert_ne!(browser.look(&wide)["more"], 0);

    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "dark")] {
        browser.go(&page, width, scheme);
        assert_eq!(browser.look(OVERFLOW)["more"], 0, "{width} {scheme}");
        let least = browser.look(CONTRAST);
        assert!(least["ratio"].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
    }

    browser.go(&page, 1280, "light");
    let shown: Vec<String> = serde_json::from_value(browser.look(
        "[...document.querySelectorAll('main article h3')].map(h => h.textContent.trim().replace(/\\s+/g, ' '))",
    ))
    .unwrap();
    let examples = browser.look("[...document.querySelectorAll('main article')].filter(a => a.querySelector('h3 .method')).map(a => [a.id, a.querySelector('pre.ask').textContent, a.querySelector('pre.answer').textContent])");
    let broken = browser.look("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))");
    assert_eq!(broken, json!([]), "every anchor leads somewhere");
    assert_eq!(browser.look("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"), true);

    browser.go(&format!("{home}/openapi.json"), 1280, "light");
    let document: Json =
        serde_json::from_str(browser.look("document.body.innerText").as_str().unwrap()).unwrap();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes += 1;
            let head = format!("{} {path}", method.to_uppercase());
            assert!(shown.contains(&head), "{head} is not on the page");
            let id = &operation["operationId"];
            let example = examples.as_array().unwrap().iter().find(|example| example[0] == *id);
            let example = example.unwrap_or_else(|| panic!("{id} has no example"));
            assert!(
                example[1].as_str().unwrap().starts_with("curl -s") && example[2].as_str().unwrap().len() > 1,
                "{id}"
            );
        }
    }
    assert!(routes >= 24);
    let elsewhere: Vec<&String> = browser
        .requests
        .iter()
        .filter(|address| !address.starts_with(&home) && !address.starts_with("about:"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(browser.requests.iter().any(|address| address.ends_with("/docs/style.css")), "requests are seen");
    drop(browser);
    assert_eq!(end(server, "-INT"), Some(0));
}
