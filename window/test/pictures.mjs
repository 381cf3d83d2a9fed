// Composes the pictures of the READMEs out of those that `npm run look` and the tests of the house took (`my_data_page`, `verify_page`): a phone
// and a desktop beside each other, cut to one height. `npm run pictures`.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { openBrowser } from "./browser.mjs";

const screens = new URL("../screens/", import.meta.url).pathname;
const look = new URL("../../target/look/", import.meta.url).pathname;
const folder = new URL("../../docs/pictures/", import.meta.url).pathname;
const HEIGHT = 512;

/** What stands in a picture: files, each with the width at which it is shown. */
const PICTURES = {
  window: [
    [`${screens}banner-zh-CN-phone-light.png`, 262],
    [`${screens}settings-first-en-desktop-dark.png`, 820],
  ],
  "my-data": [
    [`${look}my-data-zh-390.png`, 262],
    [`${look}my-data-en-1280.png`, 820],
  ],
  "my-choices": [
    [`${look}my-choices-en-390.png`, 262],
    [`${look}my-uses-zh-1280.png`, 820],
  ],
  verify: [
    [`${look}verify-zh-390-light.png`, 262],
    [`${look}verify-en-1280-light.png`, 820],
  ],
};

mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
for (const [name, parts] of Object.entries(PICTURES)) {
  const missing = parts.map(([file]) => file).filter((file) => !existsSync(file));
  if (missing.length > 0) {
    console.error(`SKIPPED ${name}: ${missing.join(", ")} is not there; run \`npm run look\` and the tests first`);
    process.exitCode = 1;
    continue;
  }
  const images = parts.map(([file, width]) =>
    `<div style="width:${width}px;height:${HEIGHT}px;overflow:hidden;border-radius:10px;border:1px solid #b9ae9c"><img src="${pathToFileURL(file)}" style="width:${width}px;display:block"></div>`);
  const page = await browser.newPage({ viewport: { width: 1130, height: HEIGHT + 34 } });
  const html = `<body style="margin:16px;background:#e9e2d5;display:flex;gap:16px">${images.join("")}</body>`;
  const file = `${look}compose-${name}.html`;
  mkdirSync(look, { recursive: true });
  writeFileSync(file, html);
  await page.goto(pathToFileURL(file).href);
  await page.screenshot({ path: `${folder}${name}.png` });
  rmSync(file);
  await page.close();
}
await browser.close();
