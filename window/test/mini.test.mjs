// The core in a mini-program: the ground of the README, as it stands there, over a stand-in of `wx`.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { KEY, openShop } from "./server.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [, ground] = /<!-- recipe: mini-program -->\n```js\n([^]*?)```/.exec(readme);

/** Starts the mini-program of the README on a phone that keeps `storage`. */
function start(shop, storage) {
  const wx = {
    getStorageSync: (key) => storage.get(key) ?? "",
    setStorageSync: (key, value) => storage.set(key, value),
    removeStorageSync: (key) => storage.delete(key),
    getAppBaseInfo: () => ({ language: "zh_CN" }),
    getRandomValues: ({ length, success }) => success({ randomValues: webcrypto.getRandomValues(new Uint8Array(length)).buffer }),
    request: ({ url, method, data, header, success, fail }) => void fetch(url, { method, headers: header, ...(data ? { body: JSON.stringify(data) } : {}) })
      .then(async (answer) => success({ statusCode: answer.status, data: await answer.json(), header: Object.fromEntries(answer.headers) })).catch(fail),
  };
  const module = { exports: {} };
  const require = () => createRequire(import.meta.url)("../dist/strongroom-core.js");
  const text = ground.replace(/https:\/\/privacy\.shop\.example\/w\/srp_…\//, `http://127.0.0.1:${shop.port}/w/${KEY}/`);
  // A program that is closed waits for nothing.
  const later = (run, milliseconds) => setTimeout(run, milliseconds).unref();
  new Function("require", "module", "wx", "setTimeout", text)(require, module, wx, later);
  return module.exports;
}

test("a_mini_program_asks_refuses_and_still_knows_it_the_next_time", async () => {
  const shop = await openShop({ law: "cn" });
  const storage = new Map();
  const first = start(shop, storage);
  assert.equal(await first.core.refresh(), true);
  assert.equal(first.core.init().notice.language, "zh");
  assert.equal(first.core.init().ask, true);
  assert.equal(storage.size, 0);
  assert.equal(await first.core.choose(first.toAll(first.core.init(), false), "banner"), "saved");
  assert.equal(await first.core.choose({ videos: true }), "saved");

  const next = start(shop, storage);
  await next.core.refresh();
  assert.equal(next.core.init().ask, false);
  assert.equal(next.core.allows("videos"), true);
  assert.equal(next.core.allows("statistics"), false);
  assert.deepEqual([...storage.keys()], ["sr"]);
  await shop.close();
});

test("a_mini_program_without_the_server_keeps_a_choice_for_the_next_time", async () => {
  const shop = await openShop({ law: "cn" });
  const storage = new Map();
  const first = start(shop, storage);
  await first.core.refresh();
  shop.refuse = { status: 503 };
  assert.equal(await first.core.choose({ statistics: true }), "later");
  assert.equal(first.core.allows("statistics"), true);
  shop.refuse = null;
  const next = start(shop, storage);
  await next.core.refresh();
  for (let tries = 0; tries < 100 && next.core.state().waiting; tries += 1) await new Promise((done) => setTimeout(done, 10));
  assert.equal(shop.said.length, 1);
  assert.deepEqual([...storage.keys()], ["sr"]);
  await shop.close();
});
