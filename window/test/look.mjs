// Takes pictures of everything that the window shows: both languages, phone and desktop, light and dark. `npm run look`,
// then open the folder `screens`.

import { mkdirSync } from "node:fs";
import { DESKTOP, openBrowser, pageOf, PHONE, sendSignal, SHOP_CSS } from "./browser.mjs";
import { openShop, STRICT } from "./server.mjs";
import { openTracker } from "./trackers.mjs";

const folder = new URL("../screens/", import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const tracker = await openTracker();
const video = `<p><iframe title="Video" width="560" height="315" data-purpose="videos" data-recipient="hill-video" data-src="${tracker.url}/video"></iframe></p>`;
const pages = { "/shop.css": SHOP_CSS };
for (const language of ["en", "zh-CN"]) pages[`/${language}`] = pageOf(language, { body: video });

const shop = await openShop({ law: "cn", pages, csp: `${STRICT} ${tracker.url}` });
const signalled = await openShop({ law: "us-ca", pages, csp: `${STRICT} ${tracker.url}` });
const browser = await openBrowser();

for (const language of ["en", "zh-CN"]) {
  for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
    for (const colorScheme of ["light", "dark"]) {
      const name = (what) => ({ path: `${folder}${what}-${language}-${size}-${colorScheme}.png` });
      const context = await browser.newContext({ viewport, colorScheme });
      const page = await context.newPage();
      await page.goto(`${shop.url}/${language}`);
      await page.waitForSelector(".sr-banner");
      await page.screenshot(name("banner"));
      await page.click("[data-sr=choose]");
      await page.screenshot(name("settings-first"));
      await page.locator(".sr-body").evaluate((body) => body.scrollTo(0, 9999));
      await page.screenshot(name("settings-end"));
      await page.click("[data-sr=reject]");
      await page.waitForSelector(".sr-line a");
      await page.locator(".sr-held").scrollIntoViewIfNeeded();
      await page.screenshot(name("placeholder"));
      await page.click("footer [data-strongroom-open]");
      await page.check("[data-sr=tick-statistics]");
      await page.uncheck("[data-sr=tick-statistics]");
      await page.waitForTimeout(200);
      await page.screenshot(name("settings-later"));
      await page.evaluate(() => window.strongroom.open("repairs"));
      await page.screenshot(name("question"));
      await context.close();

      const other = await browser.newContext({ viewport, colorScheme });
      await sendSignal(other);
      const told = await other.newPage();
      await told.goto(`${signalled.url}/${language}`);
      await told.waitForSelector(".sr-told");
      await told.screenshot(name("signal"));
      await other.close();
    }
  }
}

await browser.close();
await Promise.all([shop.close(), signalled.close(), tracker.close()]);
