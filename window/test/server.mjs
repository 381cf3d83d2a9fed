// A server of the tests that keeps the contract of docs/spec/window.md, and serves a shop's pages beside it.
// It is strict: what the contract forbids is answered with an error, so that a window that breaks it fails its tests.

import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { purposesUnder, SHOP } from "./fixture.mjs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const TEXTS = { en: JSON.parse(read("../texts/en.json")), zh: JSON.parse(read("../texts/zh.json")) };
const LANGUAGES = [{ tag: "en", name: "English" }, { tag: "zh", name: "中文" }];
const DIST = { "/strongroom.js": "text/javascript", "/strongroom.css": "text/css", "/strongroom-adapters.js": "text/javascript" };
export const KEY = "srp_harbour";
const CRAWLER = /bot|crawl|spider|slurp/i;
export const STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'";

/**
 * Opens a shop on loopback.
 *
 * Takes: `law`, the law that governs; `pages`, by path, each a text or a function of the request; `csp`, what the
 * pages' policy says. Gives: its address, what was asked of it and said to it, and switches for what may go wrong.
 */
export async function openShop({ law = "eu", pages = {}, csp = STRICT, host = "www.shop.localhost" } = {}) {
  const secret = randomBytes(32);
  const site = host.split(".").slice(-2).join(".");
  const shop = {
    law, version: 3, voided: [], away: false, savings: 0, lifetime: 3_600_000, variant: "arc", refuse: null, slow: 0, slowStyle: 0, inSpite: new Set(), alter: (init) => init,
    asked: [], said: [], seen: [], taken: new Map(), csp, pages, publish, close, url: "",
  };

  const server = createServer((request, response) => void answer(request, response).catch((error) => {
    response.writeHead(500).end(String(error));
  }));
  await new Promise((open) => server.listen(0, "127.0.0.1", open));
  shop.port = server.address().port;
  shop.url = `http://${host}:${shop.port}`;
  return shop;

  async function answer(request, response) {
    const url = new URL(request.url, shop.url);
    shop.seen.push({ method: request.method, path: url.pathname, cookie: request.headers.cookie ?? "", referrer: request.headers.referer ?? "" });
    const [, door, key, verb] = url.pathname.split("/");
    if (door === "w") {
      if (request.headers.origin && request.headers.origin !== `http://${request.headers.host}`) share(request, response);
      if (request.method === "OPTIONS") return void response.writeHead(204).end();
      if (shop.away) return void request.socket.destroy();
      if (shop.slow) await new Promise((done) => setTimeout(done, shop.slow));
      if (key !== KEY) return problem(response, 404, "SR-WINDOW-001");
      if (verb === "init" && request.method === "GET") return init(request, response, url);
      if (verb === "choices" && request.method === "POST") return choices(request, response);
      return problem(response, 405, "SR-WINDOW-001");
    }
    const type = DIST[url.pathname];
    if (type === "text/css") await new Promise((done) => setTimeout(done, shop.slowStyle));
    if (type) return void response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(read(`../dist${url.pathname}`));
    const page = shop.pages[url.pathname] ?? (url.pathname === "/favicon.ico" ? "" : null);
    if (page === null) return void response.writeHead(404).end();
    const text = typeof page === "function" ? page(url) : page;
    const kind = url.pathname.endsWith(".js") ? "text/javascript" : url.pathname.endsWith(".css") ? "text/css" : "text/html";
    response.writeHead(200, { "content-type": `${kind}; charset=utf-8`, "content-security-policy": shop.csp }).end(text);
  }

  // A shop may have the server under a name of its own: only pages of the same site may ask.
  function share(request, response) {
    const { origin } = request.headers;
    if (!new URL(origin).hostname.endsWith(`.${site}`)) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("access-control-allow-headers", "content-type");
    response.setHeader("access-control-expose-headers", "retry-after");
  }

  function init(request, response, url) {
    shop.asked.push({ language: url.searchParams.get("lang"), gpc: url.searchParams.get("gpc"), cookie: request.headers.cookie ?? "" });
    const language = /^zh\b/i.test(url.searchParams.get("lang") ?? "") ? "zh" : "en";
    const purposes = purposesUnder(shop.law, language);
    const standing = stands(request, url.searchParams.get("sr"));
    const heard = url.searchParams.get("gpc") === "1" || (request.headers["sec-gpc"] ?? "").split(",").some((one) => one.trim() === "1");
    // LAW: 11 CCR 7025(c): the signal is followed where a law says so; a yes said in spite of it stands.
    const sold = heard && shop.law.startsWith("us") ? purposes.filter((one) => one.signals.includes("ad_user_data")).map((one) => one.name) : [];
    const honoured = sold.filter((name) => !(standing[name] === true && shop.inSpite.has(name)));
    const together = purposes.filter(({ kind }) => kind === "consent" || kind === "interest");
    const open = together.some(({ name }) => standing[name] === undefined);
    send(response, 200, shop.alter({
      format: 1,
      shop: SHOP[language],
      notice: { version: String(shop.version), digest: digest(language), url: `/privacy?lang=${language}`, language, languages: LANGUAGES },
      law: shop.law,
      ask: open && !heard && !CRAWLER.test(request.headers["user-agent"] ?? ""),
      ask_again_at: open ? null : "2027-11-28T00:00:00Z",
      choices: standing,
      until: Object.keys(standing).length ? "2027-11-28T00:00:00Z" : null,
      purposes,
      gpc: { heard, honoured, conflict: honoured.filter((name) => standing[name] === true) },
      texts: TEXTS[language],
      snapshot: sign({ key: KEY, version: shop.version, language, variant: shop.variant, honoured, until: Date.now() + shop.lifetime }),
      variant: shop.variant,
      look: {},
    }));
  }

  async function choices(request, response) {
    let text = "";
    for await (const piece of request) text += piece;
    const wrong = shop.refuse;
    if (wrong) return problem(response, wrong.status, wrong.code ?? "SR-WINDOW-003", wrong.headers);
    if (request.headers["content-type"] !== "application/json") return problem(response, 415, "SR-WINDOW-003");
    const { standing: carried, ...said } = JSON.parse(text);
    const fields = Object.keys(said).sort().join();
    if (fields !== "choices,claimed_at,id,language,snapshot,source,variant") return problem(response, 422, "SR-WINDOW-003");
    const before = shop.taken.get(said.id);
    if (before) return before.text === text ? keep(request, response, said, before.standing) : problem(response, 422, "SR-WINDOW-004");
    const shown = open(said.snapshot);
    if (!shown) return problem(response, 409, "SR-WINDOW-002");
    const purposes = purposesUnder(shop.law, shown.language);
    const names = purposes.filter(({ kind }) => kind !== "necessary").map(({ name }) => name);
    const well = Object.entries(said.choices).every(([name, yes]) => names.includes(name) && typeof yes === "boolean")
      && Object.keys(said.choices).length > 0 && /^[\w-]{22,64}$/.test(said.id) && said.language === shown.language
      && ["banner", "preferences", "signal"].includes(said.source) && said.variant === shown.variant
      && !Number.isNaN(Date.parse(said.claimed_at));
    if (!well) return problem(response, 422, "SR-WINDOW-003");
    // LAW: PIPL 23, 29, 39: a yes to a separate consent is alone in its request.
    const separate = purposes.filter(({ name, kind }) => kind === "separate" && said.choices[name] === true);
    if (separate.length && Object.keys(said.choices).length > 1) return problem(response, 422, "SR-WINDOW-005");
    const standing = { ...stands(request, carried), ...said.choices };
    // LAW: 11 CCR 7025(c)(4): a yes comes before a signal only if the visitor says it in spite of the signal.
    if (said.source !== "signal") for (const name of shown.honoured) if (name in said.choices) standing[name] = false;
    shop.taken.set(said.id, { text, standing });
    shop.said.push(said);
    shop.savings += 1;
    if (said.source === "signal") for (const [name, yes] of Object.entries(said.choices)) yes ? shop.inSpite.add(name) : shop.inSpite.delete(name);
    keep(request, response, said, standing);
  }

  function keep(_request, response, said, standing) {
    const names = (yes) => Object.keys(standing).filter((name) => standing[name] === yes).join("+");
    const value = `1.${shop.version}.${names(true)}.${names(false)}`;
    response.setHeader("set-cookie", `sr=${value}; Path=/; Domain=${site}; Max-Age=31536000; SameSite=Lax; Secure`);
    send(response, 200, { choices: standing, receipt_url: `/my/receipts/${said.id}`, until: "2027-11-28T00:00:00Z", standing: value });
  }

  // A caller without cookies carries along what it was given.
  function stands(request, carried) {
    const [, , yes = "", no = ""] = (/(?:^|; )sr=([^;]*)/.exec(request.headers.cookie ?? "")?.[1] ?? carried ?? "").split(".");
    const all = {};
    for (const name of yes.split("+")) if (name && !shop.voided.includes(name)) all[name] = true;
    for (const name of no.split("+")) if (name) all[name] = false;
    return all;
  }

  /** Publishes the next version of the notice, and voids what was granted to these purposes. */
  function publish(...voided) {
    shop.version += 1;
    shop.voided = voided;
  }

  function digest(language) {
    return `sha256:${createHmac("sha256", "notice").update(`${shop.version}.${language}`).digest("hex")}`;
  }

  function sign(shown) {
    const body = Buffer.from(JSON.stringify(shown)).toString("base64url");
    return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
  }

  function open(snapshot) {
    const [body, mac] = String(snapshot).split(".");
    if (!body || createHmac("sha256", secret).update(body).digest("base64url") !== mac) return null;
    const shown = JSON.parse(Buffer.from(body, "base64url").toString());
    return shown.version === shop.version && shown.until > Date.now() ? shown : null;
  }

  function close() {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  }
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", vary: "Cookie, Origin, Sec-GPC" }).end(JSON.stringify(body));
}

function problem(response, status, code, headers = {}) {
  response.writeHead(status, { "content-type": "application/problem+json", ...headers }).end(JSON.stringify({ status, code }));
}
