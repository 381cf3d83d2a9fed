// The window on a page, in a real Chromium, against a server that keeps the contract and fake trackers on loopback.

import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, openBrowser, pageOf, PHONE, sendSignal, SHOP_CSS } from "./browser.mjs";
import { openShop, STRICT } from "./server.mjs";
import { openTracker } from "./trackers.mjs";

let browser;
let tracker;
const open = [];

before(async () => {
  browser = await openBrowser();
  tracker = await openTracker();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  tracker.seen.length = 0;
});
after(async () => {
  await browser.close();
  await tracker.close();
});

/** A shop whose page calls two scripts, a frame and a pixel of a tracker, and a visitor who comes to it. */
async function visit({ law = "eu", language = "en", size = DESKTOP, held = heldParts(), signal = false, csp, page: parts = {}, shop: own, browser: more = {}, wait = ".sr-banner" } = {}) {
  const shop = own ?? await openShop({ law, csp: csp ?? withTracker() });
  if (!own) open.push(shop);
  shop.pages = { "/shop.css": SHOP_CSS, "/": pageOf(language, { body: held, ...parts }), "/privacy": pageOf(language), "/privacy/choices": pageOf(language), "/two": pageOf(language), ...shop.pages };
  const context = await browser.newContext({ viewport: size, ...more });
  open.push(context);
  if (signal) await sendSignal(context);
  const page = await context.newPage();
  page.violations = [];
  page.on("console", (message) => { if (message.type() === "error") page.violations.push(message.text()); });
  page.on("pageerror", (error) => page.violations.push(String(error)));
  await page.goto(shop.url);
  if (wait) await page.waitForSelector(wait);
  return { shop, context, page };
}

function withTracker() {
  return `default-src 'none'; script-src 'self' ${tracker.url}; style-src 'self'; connect-src 'self'; img-src 'self' ${tracker.url}; frame-src ${tracker.url}`;
}

function heldParts() {
  return `
    <script type="text/plain" data-purpose="statistics" data-recipient="baidu-tongji" data-src="${tracker.url}/hm.js?id"></script>
    <script type="text/plain" data-purpose="advertising" data-recipient="tiktok" data-src="${tracker.url}/i18n/pixel/events.js"></script>
    <iframe title="How a bowl is thrown" width="560" height="315" data-purpose="videos" data-recipient="hill-video" data-src="${tracker.url}/video"></iframe>
    <img alt="" width="1" height="1" data-purpose="advertising" data-recipient="google-ads" data-src="${tracker.url}/pixel.gif">`;
}

const paths = () => tracker.seen.map(({ path }) => path);
const cookies = async (context) => (await context.cookies()).map(({ name }) => name).sort();
const keys = (page) => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort());
const quiet = (page) => page.waitForTimeout(350);
const line = (page) => page.locator(".sr-line").innerText();
const until = (page, run, ...rest) => page.waitForFunction(run, ...rest);

const WORDS = {
  en: { stopped: /^Stopped: Visitor statistics, Advertising, Product videos, Suggestions in the shop\. Your choice is saved\./, saved: /^Your choice is saved\./ },
  "zh-CN": { stopped: /^已停止：访问统计、广告推广、商品视频、店内推荐。您的选择已保存。/, saved: /^您的选择已保存。/ },
};

for (const [language, words] of Object.entries(WORDS)) for (const [where, size] of [["phone", PHONE], ["desktop", DESKTOP]]) for (const colorScheme of ["light", "dark"]) {
  test(`the_journey_holds_in_${language}_on_a_${where}_in_${colorScheme}`, async () => {
    const { shop, context, page } = await visit({ language, size, law: "cn", browser: { colorScheme } });
    assert.deepEqual([paths(), await cookies(context), await keys(page)], [[], [], []]);

    let clicks = 0;
    const click = (selector) => { clicks += 1; return page.click(selector); };
    await click("[data-sr=reject]");
    await page.waitForSelector(".sr-line a");
    assert.match(await line(page), words.saved);
    await quiet(page);
    assert.deepEqual([clicks, paths(), await cookies(context)], [1, [], ["sr"]]);

    await page.click("footer [data-strongroom-open]");
    await page.click("[data-sr=accept]");
    await until(page, () => window.ran?.length === 2);
    await page.waitForSelector("iframe[src]");
    await page.click("[data-sr=close]");

    clicks = 0;
    await click("footer [data-strongroom-open]");
    await click("[data-sr=reject]");
    await until(page, () => window.strongroom.state().waiting === 0 && document.querySelector(".sr-line a"));
    assert.match(await line(page), words.stopped);
    await page.waitForTimeout(400);
    assert.deepEqual([clicks, await cookies(context), await keys(page)], [2, ["sr"], []]);
    assert.equal(await page.locator("iframe[src]").count(), 0);
    assert.deepEqual(shop.said.map(({ language }) => language), Array(3).fill(language.slice(0, 2)));
    assert.deepEqual(page.violations, []);
  });
}

test("before_a_choice_nothing_is_requested_set_or_kept", async () => {
  const { shop, context, page } = await visit();
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.deepEqual(await cookies(context), []);
  assert.deepEqual(await keys(page), []);
  assert.deepEqual(shop.seen.filter(({ path }) => path.startsWith("/w/")).map(({ method }) => method), ["GET"]);
  assert.deepEqual(page.violations, []);
});

test("one_click_refuses_and_nothing_but_the_record_of_it_is_left", async () => {
  const { shop, context, page } = await visit();
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  assert.deepEqual(shop.said.map(({ choices, source }) => [source, choices]), [["banner",
    { statistics: false, advertising: false, videos: false, suggestions: false, repairs: false }]]);
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.deepEqual(await cookies(context), ["sr"]);
  assert.deepEqual(await keys(page), []);
  assert.equal(await page.locator(".sr-card").count(), 0);
});

test("a_visitor_who_refused_is_not_asked_again", async () => {
  const { page, shop } = await visit();
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  await page.goto(`${shop.url}/two`);
  await until(page, () => window.strongroom.state().ready);
  await quiet(page);
  assert.equal(await page.locator(".sr-card").count(), 0);
});

test("accepting_all_starts_what_was_accepted_and_no_separate_consent", async () => {
  const { shop, page } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  await quiet(page);
  for (const path of ["/hm.js", "/hm.gif", "/i18n/pixel/events.js", "/video", "/pixel.gif"]) assert.ok(paths().includes(path), path);
  assert.equal("repairs" in shop.said[0].choices, false);
  assert.equal(await page.evaluate(() => window.strongroom.allows("repairs")), false);
});

test("withdrawing_takes_two_clicks_and_no_reload_and_clears_what_was_left", async () => {
  const { context, page } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  await page.evaluate(() => { window.same = true; sessionStorage.setItem("tt_session", "1"); localStorage.setItem("basket", "1"); document.cookie = "basket=1;path=/"; });
  assert.ok((await cookies(context)).length > 5);
  tracker.seen.length = 0;

  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=reject]");

  await page.waitForSelector(".sr-line a");
  assert.match(await line(page), /^Stopped: Visitor statistics, Advertising, Product videos, Suggestions in the shop\. Your choice is saved\./);
  assert.equal(await page.evaluate(() => window.same), true);
  assert.deepEqual(await cookies(context), ["basket", "sr"]);
  assert.deepEqual(await keys(page), ["basket"]);
  assert.equal(await page.locator("iframe:not([src])").count(), 1);
  assert.equal(await page.locator(".sr-held").isVisible(), true);
  await page.reload();
  await until(page, () => window.strongroom.state().ready);
  await quiet(page);
  assert.deepEqual(paths(), []);
});

test("one_purpose_is_withdrawn_in_two_clicks_and_the_others_stay", async () => {
  const { context, page } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=tick-statistics]");
  await page.waitForSelector(".sr-line a");
  assert.match(await line(page), /^Stopped: Visitor statistics\. /);
  const left = await cookies(context);
  assert.equal(left.some((name) => /^(Hm_|HMACCOUNT)/.test(name)), false);
  assert.equal(left.includes("_ttp"), true);
  assert.equal(await page.evaluate(() => window.strongroom.allows("advertising", "tiktok")), true);
});

test("a_script_that_writes_its_cookie_again_after_a_withdrawal_is_cleared_again", async () => {
  const { context, page } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  await page.evaluate(() => { setTimeout(() => { document.cookie = "_ttp=again;path=/"; }, 100); return window.strongroom.withdraw("advertising"); });
  await page.waitForTimeout(500);
  assert.equal((await cookies(context)).includes("_ttp"), false);
});

test("a_change_of_mind_grants_what_was_refused", async () => {
  const { shop, page } = await visit();
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=tick-videos]");
  await page.waitForSelector("iframe[src]");
  await until(page, () => document.querySelector(".sr-line a"));
  assert.deepEqual(shop.said.at(-1).choices, { videos: true });
  assert.equal(shop.said.at(-1).source, "preferences");
  assert.ok(paths().includes("/video"));
  assert.equal(paths().includes("/hm.js"), false);
});

test("on_a_first_visit_only_what_is_ticked_and_saved_is_granted", async () => {
  const { shop, page } = await visit();
  await page.click("[data-sr=choose]");
  assert.equal(await page.locator(".sr-settings input:checked").count(), 0);
  await page.click("[data-sr=tick-statistics]");
  await quiet(page);
  assert.deepEqual(paths(), []);
  await page.click("[data-sr=save]");
  await until(page, () => window.ran?.length === 1);
  await page.waitForSelector(".sr-line a");
  assert.deepEqual(shop.said[0].choices, { statistics: true, advertising: false, videos: false, suggestions: true });
});

test("an_objection_is_ticked_and_stops_what_ran_without_a_yes", async () => {
  const { shop, page } = await visit();
  assert.equal(await page.evaluate(() => window.strongroom.allows("suggestions")), true);
  await page.click("[data-sr=choose]");
  await page.click("[data-sr=tick-suggestions]");
  await page.click("[data-sr=save]");
  await page.waitForSelector(".sr-line a");
  assert.equal(shop.said[0].choices.suggestions, false);
  assert.equal(await page.evaluate(() => window.strongroom.allows("suggestions")), false);
});

test("nothing_is_ticked_before_a_visitor_ticks_it_under_any_law", async () => {
  for (const law of ["cn", "eu", "us-ca"]) {
    const { page } = await visit({ law });
    await page.click("[data-sr=choose]");
    assert.equal(await page.locator(".sr-settings input:checked").count(), 0, law);
  }
});

test("the_three_answers_are_alike_in_element_size_and_look", async () => {
  for (const language of ["en", "zh-CN"]) for (const size of [PHONE, DESKTOP]) for (const colorScheme of ["light", "dark"]) {
    const { page } = await visit({ language, size, browser: { colorScheme } });
    const looks = await page.locator(".sr-banner .sr-button").evaluateAll((buttons) => buttons.map((button) => {
      const style = getComputedStyle(button);
      const { width, height, top } = button.getBoundingClientRect();
      return [button.tagName, Math.round(width), Math.round(height), Math.round(top), style.color, style.backgroundColor, style.borderColor, style.font].join();
    }));
    assert.equal(looks.length, 3);
    assert.equal(new Set(looks).size, 1, looks.join("\n"));
    assert.ok(Number(looks[0].split(",")[2]) >= 44);
  }
});

test("reject_is_never_later_than_second_whatever_the_server_says", async () => {
  for (const [variant, order] of [["rac", "reject accept choose"], ["cra", "choose reject accept"], ["acr", "accept reject choose"]]) {
    const shop = await openShop();
    open.push(shop);
    shop.variant = variant;
    const { page } = await visit({ shop, held: "" });
    const shown = await page.locator(".sr-banner .sr-button").evaluateAll((buttons) => buttons.map((button) => button.dataset.sr).join(" "));
    assert.equal(shown, order);
  }
});

test("the_first_layer_names_every_purpose_and_how_many_receive", async () => {
  const { page } = await visit();
  const text = await page.locator(".sr-banner").innerText();
  for (const words of ["Visitor statistics 3 recipients", "Advertising 2 recipients", "Product videos 1 recipient", "Suggestions in the shop Stays with the shop", "Repairs abroad"]) {
    assert.ok(text.replace(/\s+/g, " ").includes(words), words);
  }
});

test("a_separate_consent_is_asked_and_sent_alone", async () => {
  const { shop, page } = await visit({ law: "cn" });
  await page.click("[data-sr=accept]");
  await page.waitForSelector(".sr-line a");
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=agree-repairs]");
  await until(page, () => window.strongroom.state().choices.repairs === true && window.strongroom.state().waiting === 0);
  assert.deepEqual(shop.said.at(-1).choices, { repairs: true });
  assert.equal(await page.locator("[data-sr=disagree-repairs]").innerText(), "Withdraw");
  await page.click("[data-sr=disagree-repairs]");
  await until(page, () => window.strongroom.state().choices.repairs === false && window.strongroom.state().waiting === 0);
  assert.deepEqual(shop.said.at(-1).choices, { repairs: false });
});

test("a_page_can_ask_one_question_alone_and_leaving_it_says_nothing", async () => {
  const { shop, page } = await visit({ law: "cn" });
  await page.evaluate(() => window.strongroom.open("repairs"));
  assert.match(await page.locator(".sr-settings").innerText(), /Repairs abroad[^]*Repair Desk Inc\. · United States/);
  await page.click("[data-sr=close]");
  assert.equal(shop.said.length, 0);
  assert.equal(await page.locator(".sr-banner").count(), 1);
});

test("a_frame_says_who_and_why_and_is_allowed_once_without_a_record", async () => {
  const { shop, context, page } = await visit({ size: { width: 1280, height: 1200 } });
  const text = await page.locator(".sr-held").innerText();
  assert.match(text, /From Hill Video[^]*Hill Video \(Singapore\) receives data[^]*To play the videos/);
  await page.click("[data-sr=once]");
  await page.waitForSelector("iframe[src]");
  await quiet(page);
  assert.deepEqual(paths(), ["/video"]);
  assert.equal(shop.said.length, 0);
  assert.deepEqual(await cookies(context), []);
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-held");
  assert.equal(await page.locator("iframe[src]").count(), 0);
});

test("a_placeholder_is_as_large_as_its_frame_and_nothing_moves_however_slow_the_style_is", async () => {
  for (const slow of [0, 600]) {
    const shop = await openShop({ csp: withTracker() });
    open.push(shop);
    shop.slowStyle = slow;
    const { page } = await visit({ shop, size: { width: 1280, height: 1200 }, wait: null });
    await page.evaluate(() => {
      window.shift = 0;
      new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value; }).observe({ type: "layout-shift", buffered: true });
    });
    await page.waitForSelector(".sr-banner");
    await page.waitForSelector(".sr-held");
    await quiet(page);
    const box = await page.locator(".sr-held").boundingBox();
    assert.equal(Math.round(box.width), 560);
    assert.equal(Math.round(box.height), 315);
    await page.click("[data-sr=reject]");
    await page.waitForSelector(".sr-line a");
    assert.equal(await page.evaluate(() => window.shift), 0);
  }
});

test("the_address_of_a_page_is_not_told_to_the_server", async () => {
  const { shop, page } = await visit({ held: "" });
  await page.goto(`${shop.url}/two?order=4711`);
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  const asked = shop.seen.filter(({ path }) => path.startsWith("/w/"));
  assert.ok(asked.length >= 3);
  for (const { referrer } of asked) assert.ok(!referrer.includes("4711") && !referrer.includes("/two"), referrer);
});

test("what_waits_is_kept_from_a_pattern_that_takes_everything", async () => {
  const shop = await openShop();
  open.push(shop);
  shop.alter = (init) => ({ ...init, purposes: init.purposes.map((purpose) => ({ ...purpose, cookies: ["*"], storage: ["*"] })).filter(({ kind }) => kind !== "necessary") });
  const { page } = await visit({ shop, held: "" });
  shop.refuse = { status: 503 };
  await page.click("[data-sr=reject]");
  await until(page, () => /will be sent/.test(document.querySelector(".sr-line").textContent));
  assert.deepEqual(await keys(page), ["sr-queue"]);
});

test("scripts_run_in_their_order_even_if_the_first_is_slow", async () => {
  const held = ["slow", "two"].map((name) => `<script type="text/plain" data-purpose="suggestions" data-src="${tracker.url}/${name}.js"></script>`).join("");
  const { page } = await visit({ held });
  await until(page, () => window.ran?.length === 2);
  assert.deepEqual(await page.evaluate(() => window.ran), ["/slow.js", "/two.js"]);
});

test("what_a_page_adds_later_is_held_and_let_go_alike", async () => {
  const { page } = await visit({ held: "" });
  const add = (name, purpose) => page.evaluate(([src, purpose]) => {
    const script = document.createElement("script");
    script.type = "text/plain";
    Object.assign(script.dataset, { purpose, src });
    document.body.append(script);
  }, [`${tracker.url}/${name}.js`, purpose]);
  await add("one", "suggestions");
  await until(page, () => window.ran?.length === 1);
  await add("two", "statistics");
  await quiet(page);
  assert.deepEqual(paths(), ["/one.js"]);
});

test("what_no_purpose_or_recipient_of_the_notice_names_is_never_loaded", async () => {
  const held = [["profiling", ""], ["statistics", "somebody"]].map(([purpose, recipient]) =>
    `<script type="text/plain" data-purpose="${purpose}" data-recipient="${recipient}" data-src="${tracker.url}/one.js"></script>`).join("") +
    `<iframe title="x" data-purpose="videos" data-recipient="somebody" data-src="${tracker.url}/video"></iframe>`;
  const { page } = await visit({ held });
  await page.click("[data-sr=accept]");
  await page.waitForSelector(".sr-line a");
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.match(await page.locator(".sr-held").innerText(), /does not name who/);
  assert.equal(await page.locator("[data-sr=once]").count(), 0);
});

test("a_script_that_asks_for_it_gets_a_fresh_page_when_it_is_withdrawn", async () => {
  const held = `<script type="text/plain" data-purpose="statistics" data-recipient="umeng" data-src="${tracker.url}/z.js" data-reload></script>`;
  const { page, shop } = await visit({ held });
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 1);
  await page.evaluate(() => { window.same = true; });
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=tick-statistics]");
  await until(page, () => window.same === undefined && window.strongroom?.state().ready);
  assert.deepEqual(shop.said.at(-1).choices, { statistics: false });
  assert.equal(await page.evaluate(() => window.ran), undefined);
});

test("the_strictest_policy_of_content_is_kept_from_first_visit_to_withdrawal", async () => {
  const { page } = await visit({ csp: "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'", held: "" });
  await page.click("[data-sr=choose]");
  await page.click("[data-sr=tick-statistics]");
  await page.click("[data-sr=save]");
  await page.waitForSelector(".sr-line a");
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=reject]");
  await quiet(page);
  assert.deepEqual(page.violations, []);
  assert.equal(await page.locator("[style]").count(), 0);
});

test("words_of_the_server_are_shown_as_words", async () => {
  const shop = await openShop();
  open.push(shop);
  const bad = `<img src=x onerror="window.broken=1">{shop}`;
  shop.alter = (init) => ({ ...init, shop: bad, purposes: init.purposes.map((purpose) => ({ ...purpose, label: bad, says: bad })) });
  const { page } = await visit({ shop, held: "" });
  await page.click("[data-sr=choose]");
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator("#strongroom img").count(), 0);
  assert.ok((await page.locator(".sr-settings").innerText()).includes("onerror"));
});

test("without_the_server_nothing_loads_the_page_works_and_a_link_leads_to_the_settings", async () => {
  const shop = await openShop({ csp: withTracker() });
  open.push(shop);
  shop.away = true;
  const { page, context } = await visit({ shop, wait: ".sr-held" });
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.deepEqual(await cookies(context), []);
  assert.match(await page.locator(".sr-held").innerText(), /cannot be reached at the moment/);
  await page.click("footer [data-strongroom-open]");
  await page.waitForURL(/\/privacy\/choices$/);
});

test("without_the_server_a_chinese_page_says_so_in_chinese", async () => {
  const shop = await openShop({ csp: withTracker() });
  open.push(shop);
  shop.away = true;
  const { page } = await visit({ shop, language: "zh-CN", wait: ".sr-held" });
  assert.equal(await page.locator(".sr-held").innerText(), "暂未加载：目前无法连接隐私设置。");
});

test("a_choice_made_while_the_server_is_away_holds_and_is_sent_once_when_it_is_back", async () => {
  const { shop, page } = await visit();
  shop.away = true;
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  await page.waitForSelector(".sr-line p");
  await until(page, () => /will be sent/.test(document.querySelector(".sr-line").textContent));
  assert.deepEqual(await keys(page).then((all) => all.filter((key) => key.startsWith("sr"))), ["sr-queue"]);
  shop.away = false;
  await until(page, () => window.strongroom.state().waiting === 0, null, { timeout: 8000 });
  assert.equal(shop.said.length, 1);
  assert.deepEqual(await keys(page).then((all) => all.filter((key) => key.startsWith("sr"))), []);
});

test("a_choice_that_waits_is_sent_from_the_next_page_as_the_same_choice", async () => {
  const { shop, page } = await visit();
  shop.refuse = { status: 503 };
  await page.click("[data-sr=reject]");
  await until(page, () => /will be sent/.test(document.querySelector(".sr-line").textContent));
  shop.refuse = null;
  await page.goto(`${shop.url}/two`);
  await until(page, () => window.strongroom?.state().ready && window.strongroom.state().waiting === 0);
  assert.equal(shop.said.length, 1);
  assert.equal(await page.locator(".sr-card").count(), 0);
});

test("a_notice_that_changed_while_the_banner_stood_is_asked_about_again", async () => {
  const { shop, page } = await visit();
  shop.publish();
  await page.click("[data-sr=accept]");
  await page.waitForSelector(".sr-banner");
  await until(page, () => /has changed/.test(document.querySelector(".sr-line").textContent));
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.equal(shop.said.length, 0);
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  assert.equal(shop.said.length, 1);
});

test("a_new_notice_voids_a_choice_and_holds_what_it_had_let_go", async () => {
  const { shop, page, context } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2);
  shop.publish("advertising");
  tracker.seen.length = 0;
  await page.reload();
  await page.waitForSelector(".sr-banner");
  await until(page, () => window.ran?.length === 1);
  await quiet(page);
  assert.equal(paths().includes("/i18n/pixel/events.js"), false);
  assert.equal(paths().includes("/hm.js"), true);
  assert.equal((await cookies(context)).some((name) => name.startsWith("_tt")), false);
});

test("a_choice_that_the_server_does_not_take_starts_nothing_that_lasts", async () => {
  const { shop, page } = await visit();
  shop.refuse = { status: 422 };
  await page.click("[data-sr=accept]");
  await until(page, () => /could not be saved/.test(document.querySelector(".sr-line").textContent));
  assert.equal(await page.evaluate(() => window.strongroom.allows("statistics")), false);
  assert.equal(await page.locator("iframe[src]").count(), 0);
});

test("a_browser_that_sends_the_signal_is_told_that_it_is_followed_and_nothing_is_recorded", async () => {
  const { shop, context, page } = await visit({ law: "us-ca", signal: true, wait: ".sr-told" });
  await quiet(page);
  assert.match(await page.locator(".sr-told").innerText(), /^Opt-out signal honoured[^]*Stopped: Advertising\./);
  assert.equal(await page.locator(".sr-banner").count(), 0);
  assert.equal(paths().includes("/i18n/pixel/events.js"), false);
  assert.equal(paths().includes("/pixel.gif"), false);
  assert.equal(paths().includes("/hm.js"), true);
  assert.equal(shop.said.length, 0);
  assert.equal((await cookies(context)).includes("sr"), false);
  assert.equal(shop.asked[0].gpc, "1");
});

test("a_signal_that_is_confirmed_is_not_shown_again_but_stays_in_the_settings", async () => {
  const { shop, page } = await visit({ law: "us-ca", signal: true, wait: ".sr-told" });
  await page.click("[data-sr=keep]");
  await page.waitForSelector(".sr-line a");
  assert.deepEqual(shop.said.map(({ source, choices }) => [source, choices]), [["signal", { advertising: false }]]);
  await page.reload();
  await until(page, () => window.strongroom.state().ready);
  await quiet(page);
  assert.equal(await page.locator(".sr-card").count(), 0);
  await page.click("footer [data-strongroom-open]");
  assert.match(await page.locator(".sr-signal").innerText(), /^Opt-out signal honoured/);
});

test("a_yes_from_before_the_signal_is_told_as_a_conflict_and_can_be_said_again", async () => {
  const { shop, context, page } = await visit({ law: "us-ca", wait: null });
  await until(page, () => window.strongroom?.state().ready);
  await page.evaluate(() => window.strongroom.choose({ advertising: true, statistics: true, videos: true, suggestions: true }));
  await sendSignal(context);
  await page.reload();
  await page.waitForSelector(".sr-told");
  assert.match(await page.locator(".sr-told").innerText(), /You had allowed Advertising; your browser’s signal now comes first/);
  assert.equal(await page.evaluate(() => window.strongroom.allows("advertising")), false);
  await page.click("[data-sr=allow]");
  await page.waitForSelector(".sr-line a");
  assert.equal(shop.said.at(-1).source, "signal");
  await page.reload();
  await until(page, () => window.strongroom?.state().ready);
  assert.equal(await page.evaluate(() => window.strongroom.allows("advertising")), true);
});

test("accepting_all_does_not_come_before_the_signal_and_an_answer_of_its_own_does", async () => {
  const { shop, page } = await visit({ law: "us-ca", signal: true, wait: ".sr-told" });
  await page.click("[data-sr=choose]");
  assert.equal(await page.isChecked("[data-sr=tick-advertising]"), true);
  await page.click("[data-sr=accept]");
  await page.waitForSelector(".sr-line a");
  assert.equal(await page.evaluate(() => window.strongroom.allows("advertising")), false);
  assert.equal(await page.evaluate(() => window.strongroom.allows("statistics")), true);
  await page.click("footer [data-strongroom-open]");
  await page.click("[data-sr=tick-advertising]");
  await until(page, () => window.strongroom.allows("advertising"));
  assert.deepEqual([shop.said.at(-1).source, shop.said.at(-1).choices], ["signal", { advertising: true }]);
});

test("a_first_visit_that_saves_a_yes_in_spite_of_the_signal_says_it_apart", async () => {
  const { shop, page } = await visit({ law: "us-ca", signal: true, wait: ".sr-told" });
  await page.click("[data-sr=choose]");
  await page.click("[data-sr=tick-advertising]");
  await page.click("[data-sr=tick-videos]");
  await page.click("[data-sr=save]");
  await until(page, () => window.strongroom.allows("advertising"));
  assert.deepEqual(shop.said.map(({ source, choices }) => [source, choices]), [
    ["preferences", { statistics: true, videos: false, suggestions: true }], ["signal", { advertising: true }]]);
});

test("only_true_is_a_signal", async () => {
  for (const value of ["1", 1, "true", false, null]) {
    const { context, page, shop } = await visit({ law: "us-ca", held: "" });
    await context.addInitScript((value) => Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value }), value);
    await page.reload();
    await page.waitForSelector(".sr-banner");
    assert.equal(shop.asked.at(-1).gpc, null, JSON.stringify(value));
  }
});

test("the_language_follows_the_page_and_is_switched_without_a_trace", async () => {
  const { shop, context, page } = await visit({ language: "zh-CN", size: { width: 1280, height: 1200 } });
  assert.equal(shop.asked[0].language, "zh-CN");
  assert.match(await page.locator(".sr-banner").innerText(), /^您愿意让海港与山/);
  assert.equal(await page.locator("#strongroom").getAttribute("lang"), "zh");
  await page.click("[data-sr=speak-en]");
  await until(page, () => document.getElementById("strongroom").lang === "en");
  assert.match(await page.locator(".sr-banner").innerText(), /^What may Harbour & Hill/);
  assert.match(await page.locator(".sr-held").innerText(), /^From Hill Video/);
  assert.deepEqual(await cookies(context), []);
  assert.deepEqual(await keys(page), []);
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  assert.equal(shop.said[0].language, "en");
});

test("a_chinese_page_shows_no_english_but_names", async () => {
  const { page } = await visit({ language: "zh-CN", law: "cn" });
  const words = async (selector) => (await page.locator(selector).first().innerText()).replace(/TikTok|Repair Desk|English/g, "");
  assert.doesNotMatch(await words(".sr-banner"), /[a-z]{2}/i);
  assert.doesNotMatch(await words(".sr-held"), /[a-z]{2}/i);
  await page.click("[data-sr=choose]");
  for (const summary of await page.locator("summary").all()) await summary.click();
  assert.doesNotMatch(await words(".sr-settings"), /[a-z]{2}/i);
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  assert.doesNotMatch(await words(".sr-line"), /[a-z]{2}/i);
});

test("the_keyboard_alone_reaches_every_answer_sees_where_it_is_and_is_not_trapped", async () => {
  for (const language of ["en", "zh-CN"]) {
    const { shop, page } = await visit({ language, held: "" });
    const focused = () => page.evaluate(() => {
      const { activeElement } = document;
      const style = getComputedStyle(activeElement);
      return { act: activeElement.dataset.sr ?? activeElement.tagName, outline: parseFloat(style.outlineWidth), link: activeElement.textContent };
    });
    const walked = [];
    for (let step = 0; step < 8; step += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      walked.push(now.act);
      if (now.act !== "BODY") assert.ok(now.outline > 0, `${now.act} shows no focus`);
    }
    assert.deepEqual(walked.slice(0, 5), ["A", language === "en" ? "speak-zh" : "speak-en", "accept", "reject", "choose"]);
    assert.ok(walked.slice(5).includes("BUTTON"), "the page behind is reached");

    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".sr-banner").count(), 1);
    await page.focus("[data-sr=choose]");
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.tagName === "H2" && document.querySelector(".sr-settings"));
    await page.keyboard.press("Escape");
    await page.waitForSelector(".sr-banner");
    assert.equal(shop.said.length, 0);
    await page.focus("[data-sr=choose]");
    await page.keyboard.press("Enter");
    await page.focus("[data-sr=tick-videos]");
    await page.keyboard.press("Space");
    await page.focus("[data-sr=save]");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".sr-line a");
    assert.equal(shop.said[0].choices.videos, true);

    await page.focus("footer [data-strongroom-open]");
    await page.keyboard.press("Enter");
    await page.focus("[data-sr=reject]");
    await page.keyboard.press("Enter");
    await until(page, () => window.strongroom.state().choices.videos === false && window.strongroom.state().waiting === 0);
    await page.focus("[data-sr=close]");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.hasAttribute("data-strongroom-open")), true);
  }
});

test("what_has_focus_on_the_page_is_not_hidden_by_the_banner", async () => {
  for (const size of [PHONE, DESKTOP, { width: 320, height: 480 }]) {
    const { page } = await visit({ size, held: "<p><a href='#x'>x</a></p>".repeat(30) });
    const count = await page.locator("main a, footer a").count();
    for (let at = 0; at < count; at += 1) {
      const hidden = await page.locator("main a, footer a").nth(at).evaluate((link) => {
        link.focus();
        const { top, bottom } = link.getBoundingClientRect();
        const card = document.querySelector(".sr-card").getBoundingClientRect();
        return bottom > card.top && top >= card.top;
      });
      assert.equal(hidden, false, `link ${at} at ${size.width}`);
    }
  }
});

test("at_320_pixels_and_at_400_percent_every_answer_is_reached_and_nothing_is_cut_off", async () => {
  for (const language of ["en", "zh-CN"]) for (const size of [{ width: 320, height: 640 }, { width: 320, height: 256 }]) {
    const { page } = await visit({ language, size });
    const check = async (selector) => {
      for (const button of await page.locator(selector).all()) {
        await button.scrollIntoViewIfNeeded();
        const box = await button.boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= size.width && box.y >= 0 && box.y + box.height <= size.height, await button.innerText());
        assert.ok(box.height >= 44 && box.width >= 24);
        assert.equal(await button.evaluate((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1), false);
      }
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    };
    await check(".sr-banner .sr-button");
    assert.ok((await page.locator(".sr-body").boundingBox()).height >= 48, "the text can be read");
    await page.click("[data-sr=choose]");
    await check(".sr-settings .sr-button, .sr-settings label");
  }
});

test("axe_finds_nothing_in_any_view_language_size_and_colour", async () => {
  const failures = [];
  for (const language of ["en", "zh-CN"]) for (const size of [PHONE, DESKTOP]) for (const colorScheme of ["light", "dark"]) {
    const { page } = await visit({ language, size, law: "cn", held: heldParts().replace(/<script.*script>/g, ""), browser: { colorScheme } });
    const look = async (view) => {
      const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
      assert.ok(passes.length > 10);
      for (const one of violations) failures.push(`${view} ${language} ${size.width} ${colorScheme}: ${one.id} ${one.nodes.map(({ html }) => html).join(" ")}`);
    };
    await look("banner");
    await page.click("[data-sr=choose]");
    await look("settings");
    await page.click("[data-sr=reject]");
    await page.waitForSelector(".sr-line a");
    await look("after");
    await page.evaluate(() => window.strongroom.open("repairs"));
    await look("question");
    const told = await visit({ language, size, law: "us-ca", signal: true, held: "", browser: { colorScheme }, wait: ".sr-told" });
    const { violations } = await new AxeBuilder({ page: told.page }).setLegacyMode().analyze();
    for (const one of violations) failures.push(`signal ${language} ${size.width} ${colorScheme}: ${one.id} ${one.nodes.map(({ html }) => html).join(" ")}`);
  }
  assert.deepEqual(failures, []);
});

test("forced_colours_keep_every_edge_and_less_motion_is_none", async () => {
  const { page } = await visit({ browser: { forcedColors: "active", reducedMotion: "reduce" } });
  const edges = await page.locator(".sr-button").evaluateAll((buttons) => buttons.map((one) => parseFloat(getComputedStyle(one).borderTopWidth)));
  assert.ok(edges.every((width) => width >= 1));
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});

test("a_shop_that_has_no_place_for_the_way_back_gets_one_at_the_end_of_the_page", async () => {
  const { page } = await visit({ held: "", page: { footer: false } });
  await page.click("[data-sr=reject]");
  await page.click(".sr-back button");
  assert.equal(await page.locator(".sr-settings").count(), 1);
});

test("a_shop_may_say_which_theme_it_has", async () => {
  const { page } = await visit({ held: "", page: { script: 'data-theme="dark"' }, browser: { colorScheme: "light" } });
  assert.equal(await page.locator(".sr-card").evaluate((card) => getComputedStyle(card).backgroundColor), "rgb(35, 32, 28)");
});

test("a_robot_is_asked_nothing_and_leaves_nothing", async () => {
  const { shop, context, page } = await visit({ wait: null, browser: { userAgent: "Mozilla/5.0 (compatible; Googlebot/2.1)" } });
  await until(page, () => window.strongroom?.state().ready);
  await quiet(page);
  assert.equal(await page.locator(".sr-card").count(), 0);
  assert.equal(shop.said.length, 0);
  assert.deepEqual(await cookies(context), []);
});

test("a_page_that_is_made_ready_in_advance_asks_nothing_until_it_is_looked_at", async () => {
  const { shop, context, page } = await visit({ wait: null });
  await until(page, () => window.strongroom?.state().ready);
  shop.asked.length = 0;
  await context.addInitScript(() => {
    window.waiting = true;
    Object.defineProperty(Document.prototype, "prerendering", { get: () => window.waiting });
  });
  await page.reload();
  await quiet(page);
  assert.equal(shop.asked.length, 0);
  await page.evaluate(() => { window.waiting = false; document.dispatchEvent(new Event("prerenderingchange")); });
  await page.waitForSelector(".sr-banner");
  assert.equal(shop.asked.length, 1);
});

test("a_page_from_the_cache_of_back_and_forward_follows_a_choice_made_since", async () => {
  const { page, context, shop } = await visit();
  await page.click("[data-sr=accept]");
  await until(page, () => window.ran?.length === 2 && window.strongroom.state().waiting === 0);
  const other = await context.newPage();
  await other.goto(`${shop.url}/two`);
  await until(other, () => window.strongroom?.state().ready);
  await other.evaluate(() => window.strongroom.withdraw());
  assert.equal(await page.evaluate(() => window.strongroom.allows("statistics")), true);
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await until(page, () => !window.strongroom.allows("statistics"));
  assert.equal(await page.locator("iframe[src]").count(), 0);
  assert.match(await line(page), /^Stopped: /);
});

test("another_tab_follows_a_choice_when_it_is_looked_at", async () => {
  const { page, context, shop } = await visit();
  const other = await context.newPage();
  await other.goto(`${shop.url}/two`);
  await other.waitForSelector(".sr-banner");
  await other.click("[data-sr=reject]");
  await other.waitForSelector(".sr-line a");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until(page, () => !document.querySelector(".sr-card"));
  assert.equal(await page.evaluate(() => window.strongroom.state().choices.statistics), false);
});

test("a_key_that_the_server_does_not_know_loads_nothing", async () => {
  const shop = await openShop({ csp: withTracker() });
  open.push(shop);
  shop.pages["/"] = pageOf("en", { body: heldParts() }).replace("srp_harbour", "srp_other");
  const { page } = await visit({ shop, wait: ".sr-held" });
  await quiet(page);
  assert.deepEqual(paths(), []);
  assert.equal(await page.evaluate(() => window.strongroom.state().ready), false);
});

test("a_visitor_who_refuses_everything_can_use_the_shop_while_the_banner_stands_and_after", async () => {
  const { page } = await visit({ held: "" });
  await page.evaluate(() => document.querySelector("main button").addEventListener("click", () => { window.bought = (window.bought ?? 0) + 1; }));
  await page.click("main button");
  await page.click("[data-sr=reject]");
  await page.click("main button");
  assert.equal(await page.evaluate(() => window.bought), 2);
});

test("a_server_under_a_name_of_its_own_serves_the_pages_of_its_site_and_no_others", async () => {
  const shop = await openShop();
  open.push(shop);
  const apart = `http://privacy.shop.localhost:${shop.port}`;
  shop.csp = `default-src 'none'; script-src ${apart}; style-src 'self' ${apart}; connect-src ${apart}; img-src 'self'`;
  const own = pageOf("en").replace('src="/strongroom.js"', `src="${apart}/strongroom.js"`);
  shop.pages["/"] = own;
  const { page, context } = await visit({ shop });
  await page.click("[data-sr=reject]");
  await page.waitForSelector(".sr-line a");
  assert.deepEqual(page.violations, []);
  assert.deepEqual(await cookies(context), ["sr"]);
  assert.match(await page.evaluate(() => document.cookie), /^sr=1\.3\.\.statistics/);

  const stranger = await context.newPage();
  await stranger.goto(`http://www.other.localhost:${shop.port}/`);
  await quiet(stranger);
  assert.equal(await stranger.evaluate(() => window.strongroom.state().ready), false);
});

test("the_styles_of_a_shop_do_not_reach_into_the_window", async () => {
  const shop = await openShop();
  open.push(shop);
  shop.pages["/shop.css"] = `html{font-size:62.5%}*{box-sizing:content-box;letter-spacing:.3em}div,section,p{position:relative;float:left;margin:40px}
    main button,body button,body div button{background:red!;background:red;color:white;text-transform:uppercase;width:40px;font-size:9px}h2,h3{font-size:60px;color:red}label,input{display:none}`;
  const { page } = await visit({ shop, held: "" });
  const look = (selector, ...names) => page.locator(selector).first().evaluate((one, names) => names.map((name) => getComputedStyle(one)[name]), names);
  assert.deepEqual(await look(".sr-button", "backgroundColor", "textTransform", "fontSize", "boxSizing"), ["rgb(241, 234, 222)", "none", "16px", "border-box"]);
  assert.deepEqual(await look(".sr-card h2", "color", "fontSize", "float"), ["rgb(37, 34, 29)", "19.2px", "none"]);
  assert.deepEqual(await look(".sr-card p", "letterSpacing", "position", "fontSize"), ["normal", "static", "16px"]);
  await page.click("[data-sr=choose]");
  assert.equal(await page.locator("[data-sr=tick-videos]").isVisible(), true);
});

test("events_reach_the_shops_scripts", async () => {
  const { page } = await visit({ held: "", wait: null, page: { head: "<script src='/own.js'></script>" }, shop: await withOwn() });
  await page.waitForSelector(".sr-banner");
  await page.click("[data-sr=accept]");
  await page.waitForSelector(".sr-line a");
  assert.deepEqual(await page.evaluate(() => window.heard), ["ready", "change statistics,advertising,videos"]);
});

async function withOwn() {
  const shop = await openShop();
  open.push(shop);
  shop.pages["/own.js"] = `window.heard = [];
    document.addEventListener("strongroom:ready", () => heard.push("ready"));
    document.addEventListener("strongroom:change", (event) => heard.push("change " + event.detail.started));`;
  return shop;
}
