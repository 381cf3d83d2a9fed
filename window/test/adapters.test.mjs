// The adapters on a page: what was chosen, in the words of Google, Shopify and the Global Privacy Platform.

import { GppModel } from "@iabgpp/cmpapi";
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, openBrowser, pageOf, sendSignal, SHOP_CSS } from "./browser.mjs";
import { openShop } from "./server.mjs";

let browser;
const open = [];
before(async () => { browser = await openBrowser(); });
afterEach(async () => { for (const one of open.splice(0).reverse()) await one.close(); });
after(() => browser.close());

async function visit({ law = "us-ca", use = "google shopify gpp", own = "", signal = false } = {}) {
  const shop = await openShop({ law });
  open.push(shop);
  const head = `<script src="/own.js"></script><script src="/strongroom-adapters.js" data-use="${use}"></script>`;
  shop.pages = { "/shop.css": SHOP_CSS, "/own.js": own, "/frame.js": FRAME, "/frame": "<!doctype html><title>f</title><script src=/frame.js></script>",
    "/": pageOf("en", { head, body: "<iframe title='Ad' src='/frame'></iframe>" }) };
  const context = await browser.newContext({ viewport: DESKTOP });
  open.push(context);
  if (signal) await sendSignal(context);
  const page = await context.newPage();
  await page.goto(shop.url);
  await page.waitForFunction(() => window.strongroom?.state().ready);
  return { shop, page };
}

const FRAME = `window.answers = [];
  window.addEventListener("message", (message) => answers.push(message.data));`;

const gpp = (page, ...call) => page.evaluate(([command, parameter]) => new Promise((done) => window.__gpp(command, (data, success) => done({ data, success }), parameter)), call);

test("google_hears_seven_signals_denied_first_and_then_what_was_chosen", async () => {
  const { page } = await visit({ law: "eu" });
  const heard = () => page.evaluate(() => window.dataLayer.map((said) => [...said]).filter(([command]) => command === "consent"));
  const [first, ready] = await heard();
  assert.equal(first[1], "default");
  const { wait_for_update, ...signals } = first[2];
  assert.equal(wait_for_update, 500);
  assert.equal(Object.keys(signals).length, 7);
  assert.ok(Object.values(signals).every((word) => word === "denied"));
  assert.deepEqual(ready[2], {
    ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied", analytics_storage: "denied",
    functionality_storage: "granted", personalization_storage: "granted", security_storage: "granted",
  });
  await page.evaluate(() => window.strongroom.choose({ advertising: true, statistics: false }));
  const [, word, signs] = (await heard()).at(-1);
  assert.equal(word, "update");
  assert.deepEqual([signs.ad_storage, signs.ad_user_data, signs.ad_personalization, signs.analytics_storage], ["granted", "granted", "granted", "denied"]);
});

test("shopifys_words_read_and_say_the_same_choices", async () => {
  const { shop, page } = await visit({ law: "eu", own: `window.collected = []; document.addEventListener("visitorConsentCollected", (event) => collected.push(event.detail));` });
  const privacy = () => page.evaluate(() => {
    const { customerPrivacy: asked } = window.Shopify;
    return [asked.analyticsProcessingAllowed(), asked.marketingAllowed(), asked.preferencesProcessingAllowed(), asked.saleOfDataAllowed(), asked.currentVisitorConsent(), asked.shouldShowBanner(), asked.getRegion()];
  });
  assert.deepEqual(await privacy(), [false, false, true, false, { analytics: "", marketing: "", preferences: "", sale_of_data: "" }, true, "EU"]);
  const error = await page.evaluate(() => new Promise((done) => window.Shopify.customerPrivacy.setTrackingConsent({ analytics: true, marketing: false, preferences: true, sale_of_data: true }, (error) => done(error ?? null))));
  assert.equal(error, null);
  assert.deepEqual(shop.said[0].choices, { statistics: true, advertising: false, suggestions: true });
  assert.deepEqual(await privacy(), [true, false, true, false, { analytics: "yes", marketing: "no", preferences: "yes", sale_of_data: "no" }, false, "EU"]);
  assert.deepEqual((await page.evaluate(() => window.collected)).at(-1), { analyticsAllowed: true, marketingAllowed: false, preferencesAllowed: true, saleOfDataAllowed: false });
});

test("a_real_customer_privacy_of_shopify_is_left_alone", async () => {
  const { page } = await visit({ own: "window.Shopify = { customerPrivacy: { real: true } };" });
  assert.deepEqual(await page.evaluate(() => window.Shopify.customerPrivacy), { real: true });
});

test("the_platforms_function_answers_as_the_foreign_decoder_reads_its_string", async () => {
  for (const [law, section, id] of [["us-ca", "usca", 8], ["us-co", "usnat", 7]]) {
    const { page } = await visit({ law });
    const { data: before } = await gpp(page, "ping");
    assert.deepEqual([before.gppVersion, before.cmpStatus, before.signalStatus, before.applicableSections], ["1.1", "loaded", "ready", [id]]);
    await page.evaluate(() => window.strongroom.choose({ advertising: false }));
    const { data } = await gpp(page, "ping");
    const model = new GppModel(data.gppString);
    assert.deepEqual(model.getSectionIds(), [id]);
    for (const field of ["SaleOptOut", "SharingOptOut"]) {
      assert.equal(model.getFieldValue(section, field), 1);
      assert.equal((await gpp(page, "getField", `${section}.${field}`)).data, 1);
    }
    assert.equal((await gpp(page, "hasSection", section)).data, true);
    const [core, gpc] = (await gpp(page, "getSection", section)).data;
    assert.equal(core.SaleOptOut, 1);
    assert.equal(gpc.Gpc, false);
    await page.evaluate(() => window.strongroom.choose({ advertising: true }));
    assert.equal(new GppModel((await gpp(page, "ping")).data.gppString).getFieldValue(section, "SaleOptOut"), 2);
  }
});

test("the_signal_of_the_browser_is_in_the_string", async () => {
  const { page } = await visit({ signal: true });
  const model = new GppModel((await gpp(page, "ping")).data.gppString);
  assert.equal(model.getFieldValue("usca", "Gpc"), true);
  assert.equal(model.getFieldValue("usca", "SaleOptOut"), 1);
});

test("outside_the_united_states_no_section_applies", async () => {
  const { page } = await visit({ law: "eu" });
  const { data } = await gpp(page, "ping");
  assert.deepEqual([data.applicableSections, data.sectionList], [[-1], []]);
  assert.deepEqual(await gpp(page, "getSection", "usca"), { data: null, success: false });
  assert.deepEqual(new GppModel(data.gppString).getSectionIds(), []);
});

test("who_asked_before_the_function_was_there_is_answered_and_listeners_hear_of_changes", async () => {
  const own = `window.__gpp = function () { (window.__gpp.queue = window.__gpp.queue || []).push(arguments); };
    window.events = [];
    window.__gpp("addEventListener", (event) => events.push([event.eventName, event.pingData.signalStatus]));`;
  const { page } = await visit({ own });
  await page.evaluate(() => window.strongroom.choose({ advertising: false }));
  assert.deepEqual(await page.evaluate(() => window.events), [
    ["listenerRegistered", "not ready"], ["cmpStatus", "ready"], ["sectionChange", "ready"], ["signalStatus", "ready"],
    ["sectionChange", "ready"], ["signalStatus", "ready"],
  ]);
  const { data } = await gpp(page, "removeEventListener", 1);
  assert.equal(data.data, true);
  await page.evaluate(() => window.strongroom.choose({ advertising: true }));
  assert.equal((await page.evaluate(() => window.events)).length, 6);
});

test("a_frame_finds_the_platform_and_asks_it_by_messages", async () => {
  const { page } = await visit();
  const frame = page.frames().find((one) => one.url().endsWith("/frame"));
  assert.equal(await frame.evaluate(() => Boolean(window.parent.frames["__gppLocator"])), true);
  await frame.evaluate(() => {
    window.parent.postMessage({ __gppCall: { command: "ping", callId: "7" } }, "*");
    window.parent.postMessage(JSON.stringify({ __gppCall: { command: "hasSection", parameter: "usca", callId: "8" } }), "*");
  });
  await frame.waitForFunction(() => window.answers.length === 2);
  const [ping, has] = await frame.evaluate(() => window.answers);
  assert.equal(ping.__gppReturn.callId, "7");
  assert.deepEqual(ping.__gppReturn.returnValue.applicableSections, [8]);
  assert.deepEqual(JSON.parse(has).__gppReturn, { returnValue: true, success: true, callId: "8" });
});

test("what_a_page_does_not_use_is_not_put_onto_it", async () => {
  const { page } = await visit({ use: "" });
  assert.deepEqual(await page.evaluate(() => [typeof window.dataLayer, typeof window.Shopify, typeof window.__gpp]), ["undefined", "undefined", "undefined"]);
});
