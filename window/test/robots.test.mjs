// Robots that answer for a visitor: somebody else's program refuses in one step.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, openBrowser, pageOf, SHOP_CSS } from "./browser.mjs";
import { openShop } from "./server.mjs";

const robot = readFileSync(createRequire(import.meta.url).resolve("@duckduckgo/autoconsent").replace(/[^/]*$/, "autoconsent.playwright.js"), "utf8");
const rule = JSON.parse(readFileSync(new URL("../robots/autoconsent.json", import.meta.url), "utf8"));

let browser;
const open = [];
before(async () => { browser = await openBrowser(); });
afterEach(async () => { for (const one of open.splice(0).reverse()) await one.close(); });
after(() => browser.close());

/** A visitor whose browser carries DuckDuckGo's autoconsent. Gives: what it said of its work. */
async function visitWithRobot({ autoAction, rules = [rule], heuristicMode = "off", language = "en" }) {
  const shop = await openShop();
  open.push(shop);
  shop.pages = { "/": pageOf(language), "/shop.css": SHOP_CSS };
  const context = await browser.newContext({ viewport: DESKTOP });
  open.push(context);
  const page = await context.newPage();
  const said = [];
  await page.exposeBinding("autoconsentSendMessage", async ({ frame }, message) => {
    said.push(message);
    if (message.type !== "init") return;
    const config = { enabled: true, autoAction, disabledCmps: [], enablePrehide: true, detectRetries: 20, enableCosmeticRules: true, enableHeuristicDetection: true, heuristicMode };
    await frame.evaluate((answer) => window.autoconsentReceiveMessage(answer), { type: "initResp", config, rules: { autoconsent: rules } });
  });
  await page.goto(shop.url);
  await page.evaluate(robot);
  return { shop, page, said };
}

async function until(seen) {
  for (let tries = 0; tries < 200 && !seen(); tries += 1) await new Promise((done) => setTimeout(done, 50));
}

test("autoconsent_refuses_with_one_click", async () => {
  for (const language of ["en", "zh-CN"]) {
    const { shop, page, said } = await visitWithRobot({ autoAction: "optOut", language });
    await until(() => shop.said.length && said.some(({ type }) => type === "optOutResult"));
    assert.equal(shop.said.length, 1);
    assert.ok(Object.values(shop.said[0].choices).every((yes) => yes === false));
    assert.ok(said.some(({ type, result }) => type === "optOutResult" && result === true));
    assert.equal(await page.locator(".sr-card").count(), 0);
  }
});

test("autoconsent_refuses_even_without_a_rule_for_us", async () => {
  const { shop } = await visitWithRobot({ autoAction: "optOut", rules: [], heuristicMode: "reject" });
  await until(() => shop.said.length);
  assert.equal(shop.said.length, 1);
  assert.ok(Object.values(shop.said[0].choices).every((yes) => yes === false));
});

test("the_rule_for_consent_o_matic_names_what_the_banner_has", async () => {
  const { page } = await visitWithRobot({ autoAction: null });
  await page.waitForSelector(".sr-banner");
  const text = readFileSync(new URL("../robots/consent-o-matic.json", import.meta.url), "utf8");
  const selectors = [...text.matchAll(/"selector": "([^"]+)"/g)].map((found) => found[1]);
  assert.equal(selectors.length, 4);
  for (const selector of selectors) assert.equal(await page.locator(selector).count(), 1, selector);
});
