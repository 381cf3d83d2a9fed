// A real Chromium for the tests, and the pages of the shop that it visits.

import { chromium } from "playwright-core";
import { KEY } from "./server.mjs";

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

/** Opens Debian's Chromium. */
export function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A page of the shop. Takes: its language; what stands in its head and in its body. */
export function pageOf(language, { head = "", body = "", script = "", footer = true } = {}) {
  const words = language.startsWith("zh")
    ? { title: "海港与山", text: "手工陶器，产自海边小镇。", more: "查看全部商品", settings: "隐私设置", buy: "加入购物车" }
    : { title: "Harbour & Hill", text: "Pottery made by hand in a small town by the sea.", more: "See all goods", settings: "Privacy settings", buy: "Put into the basket" };
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${words.title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/shop.css">${head}
    <script src="/strongroom.js" data-key="${KEY}" ${script} defer></script></head>
    <body><main><h1>${words.title}</h1><p>${words.text}</p><p><a href="#all">${words.more}</a></p>
    <button type="button">${words.buy}</button>${body}</main>
    ${footer ? `<footer><a href="/privacy/choices" data-strongroom-open>${words.settings}</a></footer>` : ""}</body></html>`;
}

export const SHOP_CSS = `:root{color-scheme:light dark}body{margin:0 auto;padding:1rem;max-width:60rem;font:1rem/1.5 system-ui,"WenQuanYi Micro Hei",sans-serif}
  button{min-height:2.75rem;text-transform:uppercase}a{color:light-dark(#0a4a7a,#8ac7ff)}body{background:Canvas}footer a{display:inline-block;padding:.5rem 0}main{min-height:60vh}iframe{border:0;max-width:100%}`;

/** Tells a page's scripts, and the server, that the browser sends the Global Privacy Control. */
export async function sendSignal(context) {
  await context.setExtraHTTPHeaders({ "Sec-GPC": "1" });
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: true }));
}
