// The recipes of the README, as they stand there, against stand-ins of the services on loopback.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DESKTOP, openBrowser, pageOf, SHOP_CSS } from "./browser.mjs";
import { openShop } from "./server.mjs";
import { openTracker } from "./trackers.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** What the README says of a service: its elements, its policy of content, what it leaves. */
function recipe(name) {
  const [, html, rest] = new RegExp(`<!-- recipe: ${name} -->\n\`\`\`html\n([^]*?)\`\`\`\n([^]*?)(?=\n##|\n<!--)`).exec(readme);
  const [, policy] = /Policy of content: `([^`]+)`/.exec(rest);
  const [, cookies, storage] = /Leaves: ([^;]+); storage ([^.]+)\./.exec(rest);
  const listed = (text) => [...text.matchAll(/`([^`]+)`/g)].map((found) => found[1]);
  return { html, policy, cookies: listed(cookies), storage: listed(storage) };
}

// Where a recipe has a file of the shop, this stands for the service's own snippet.
const FILES = {
  "/js/tiktok-pixel.js": (tracker) => `
    window.ttq = window.ttq || [];
    const script = document.createElement("script");
    script.src = "${tracker}/i18n/pixel/events.js?sdkid=YOUR_ID&lib=ttq";
    document.head.append(script);`,
  "/js/google-tag.js": () => `
    window.dataLayer = window.dataLayer || [];
    function gtag() { dataLayer.push(arguments) }
    gtag("js", new Date()); gtag("config", "YOUR_ID");`,
};

const SERVICES = {
  "baidu-tongji": { asks: ["/hm.js", "/hm.gif"], leaves: "Hm_lvt_0" },
  umeng: { asks: ["/z.js"], leaves: "UM_distinctid" },
  tiktok: { asks: ["/i18n/pixel/events.js", "/api/v2/pixel"], leaves: "_ttp" },
  "google-analytics": { asks: ["/gtag/js", "/g/collect"], leaves: "_ga" },
};

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser.close());

for (const [name, { asks, leaves }] of Object.entries(SERVICES)) {
  test(`the_recipe_for_${name}_obeys_before_after_a_no_after_a_yes_and_after_a_withdrawal`, async () => {
    const { html, policy, cookies, storage } = recipe(name);
    const tracker = await openTracker();
    const here = (text) => text.replace(/https:\/\/[a-z0-9.]+/g, tracker.url);
    const rules = { "script-src": "'self'", "img-src": "'self'", "connect-src": "'self'", "style-src": "'self'" };
    for (const rule of here(policy).split("; ")) {
      const [kind, source] = rule.split(" ");
      rules[kind] += ` ${source}`;
    }
    const shop = await openShop({ csp: `default-src 'none'; ${Object.entries(rules).map(([kind, sources]) => `${kind} ${sources}`).join("; ")}` });
    shop.alter = (init) => ({ ...init, purposes: init.purposes.map((purpose) =>
      purpose.recipients.some((one) => one.name === name) ? { ...purpose, cookies, storage } : { ...purpose, cookies: [], storage: [] }) });
    const [first, ...held] = here(html).split("\n");
    const early = first.includes("adapters") ? first : "";
    shop.pages = { "/shop.css": SHOP_CSS, "/": pageOf("zh-CN", { head: early, body: early ? held.join("\n") : here(html) }) };
    for (const [path, file] of Object.entries(FILES)) shop.pages[path] = file(tracker.url);
    const context = await browser.newContext({ viewport: DESKTOP });
    const page = await context.newPage();
    const violations = [];
    page.on("console", (message) => { if (message.type() === "error") violations.push(message.text()); });
    const seen = () => tracker.seen.map(({ path }) => path);
    const left = async () => (await context.cookies()).map((one) => one.name).filter((one) => one !== "sr");

    await page.goto(shop.url);
    await page.waitForSelector(".sr-banner");
    assert.deepEqual([seen(), await left()], [[], []], "before a choice");

    await page.click("[data-sr=reject]");
    await page.waitForSelector(".sr-line a");
    await page.reload();
    await page.waitForFunction(() => window.strongroom?.state().ready);
    await page.waitForTimeout(300);
    assert.deepEqual([seen(), await left()], [[], []], "after a no");

    await page.click("footer [data-strongroom-open]");
    await page.click("[data-sr=accept]");
    await page.waitForFunction(() => window.ran?.length > 0);
    await page.waitForTimeout(300);
    for (const path of asks) assert.ok(seen().includes(path), `${path} after a yes`);
    assert.ok((await left()).includes(leaves));
    if (name === "google-analytics") assertTold(await page.evaluate(() => window.heard));

    await page.click("[data-sr=reject]");
    await page.waitForTimeout(1200);
    await page.waitForFunction(() => window.strongroom?.state().ready);
    tracker.seen.length = 0;
    await page.reload();
    await page.waitForFunction(() => window.strongroom?.state().ready);
    await page.waitForTimeout(300);
    assert.deepEqual([seen(), await left()], [[], []], "after a withdrawal");
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    assert.deepEqual(violations, []);
    await context.close();
    await shop.close();
    await tracker.close();
  });
}

// SOURCE: Google Consent Mode v2: default comes before anything else, update before the tag is configured.
function assertTold(heard) {
  const commands = heard.map(([command, what]) => command === "consent" ? `${command} ${what}` : command);
  assert.equal(commands[0], "consent default");
  assert.ok(commands.indexOf("consent update") < commands.indexOf("config"));
  assert.deepEqual(Object.values(heard[0][2]).slice(0, 7), Array(7).fill("denied"));
  assert.equal(heard.filter(([command]) => command === "consent").at(-1)[2].analytics_storage, "granted");
}
