// Fake trackers on loopback: each answers any path as its real one would, leaves the cookies and keys that the real one
// leaves, and writes down who came. They stand in for services that a shop calls; nothing leaves the machine.

import { createServer } from "node:http";

const leave = (cookies, keys = []) => `
  ${cookies.map((name) => `document.cookie = "${name}=1;path=/;max-age=9999;domain=" + location.hostname.split(".").slice(-2).join(".");`).join("\n")}
  ${keys.map((key) => `localStorage.setItem("${key}", "1");`).join("\n")}
  (window.ran = window.ran || []).push(document.currentScript && document.currentScript.src.replace(/.*:\\d+/, "").replace(/[?].*/, ""));`;

const SCRIPTS = {
  "/hm.js": leave(["Hm_lvt_0", "Hm_lpvt_0", "HMACCOUNT"], ["Hm_lvt_0"]) + `new Image().src = new URL("/hm.gif?si=0", document.currentScript.src);`,
  "/z.js": leave(["UM_distinctid", "CNZZDATA1"], ["umeng_id"]),
  "/gtag/js": leave(["_ga", "_ga_1"]) + `
    window.heard = [].map.call(window.dataLayer || [], (said) => [].slice.call(said));
    new Image().src = new URL("/g/collect", document.currentScript.src);`,
  "/i18n/pixel/events.js": leave(["_ttp", "_tt_enable_cookie", "ttcsid_0"], ["tt_sessionId"]) + `new Image().src = new URL("/api/v2/pixel", document.currentScript.src);`,
  "/one.js": leave(["sg_one"]),
  "/two.js": leave(["sg_two"]),
};

/** Opens a fake tracker. Gives: its address and the requests that it saw. */
export async function openTracker(host = "tracker.localhost") {
  const tracker = { seen: [], url: "", close };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://tracker");
    tracker.seen.push({ path: pathname, cookie: request.headers.cookie ?? "", referrer: request.headers.referer ?? "" });
    const script = SCRIPTS[pathname];
    if (pathname === "/slow.js") return void setTimeout(() => reply(response, "text/javascript", SCRIPTS["/one.js"]), 300);
    if (script) return reply(response, "text/javascript", script);
    if (pathname === "/video") return reply(response, "text/html", "<!doctype html><title>Video</title><p>A video");
    response.writeHead(200, { "content-type": "image/gif" }).end(Buffer.from("R0lGODlhAQABAAAAACw=", "base64"));
  });
  await new Promise((open) => server.listen(0, "127.0.0.1", open));
  tracker.url = `http://${host}:${server.address().port}`;
  return tracker;

  function close() {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  }
}

function reply(response, type, text) {
  response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "access-control-allow-origin": "*" }).end(text);
}
