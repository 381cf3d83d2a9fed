// The contract as it is written, and the server of the tests, say the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KEY, openShop } from "./server.mjs";

const spec = readFileSync(new URL("../../docs/spec/window.md", import.meta.url), "utf8");
const contract = readFileSync(new URL("../src/contract.ts", import.meta.url), "utf8");
const example = (name) => JSON.parse(new RegExp(`<!-- example: ${name} -->\n\`\`\`json\n([^]*?)\`\`\``).exec(spec)[1]);
const ask = (shop, path, options) => fetch(`http://127.0.0.1:${shop.port}/w/${KEY}/${path}`, options);
const say = (shop, body, more = {}) => ask(shop, "choices", { method: "POST", headers: { "content-type": "application/json", ...more }, body: JSON.stringify(body) });

async function withShop(run, options) {
  const shop = await openShop(options);
  try {
    await run(shop);
  } finally {
    await shop.close();
  }
}

const said = (init, more) => ({ id: "i".repeat(32), snapshot: init.snapshot, choices: { statistics: true }, source: "banner", variant: init.variant, language: init.notice.language, claimed_at: "2026-11-28T08:00:00.000Z", ...more });

test("the_answers_have_the_fields_that_are_written_down", () => withShop(async (shop) => {
  const init = await (await ask(shop, "init?lang=en")).json();
  const written = example("init");
  assert.deepEqual(Object.keys(init).sort(), Object.keys(written).sort());
  assert.deepEqual(Object.keys(init.notice), Object.keys(written.notice));
  assert.deepEqual(Object.keys(init.gpc), Object.keys(written.gpc));
  for (const purpose of init.purposes) assert.deepEqual(Object.keys({ on_by_default: 0, ...purpose }).sort(), Object.keys(written.purposes[0]).sort());
  const saved = await (await say(shop, said(init))).json();
  assert.deepEqual(Object.keys(saved).sort(), Object.keys(example("saved")).sort());
  assert.deepEqual(Object.keys(said(init)).sort(), Object.keys(example("choices")).sort());
}));

test("the_types_of_the_window_have_the_fields_that_are_written_down", () => {
  const fields = (name) => [...new RegExp(`interface ${name} \\{([^]*?)\n\\}`).exec(contract)[1].matchAll(/^  (\w+)\??:/gm)].map((found) => found[1]).sort();
  assert.deepEqual(fields("Init"), Object.keys(example("init")).sort());
  assert.deepEqual(fields("Notice"), Object.keys(example("init").notice).sort());
  assert.deepEqual(fields("Purpose"), Object.keys(example("init").purposes[0]).sort());
  assert.deepEqual(fields("Recipient"), Object.keys(example("init").purposes[0].recipients[0]).sort());
  assert.deepEqual(fields("Said"), Object.keys(example("choices")).sort());
  assert.deepEqual(fields("Saved"), Object.keys(example("saved")).sort());
});

test("asking_sets_no_cookie_and_a_choice_sets_one", () => withShop(async (shop) => {
  const answer = await ask(shop, "init?lang=zh-CN");
  assert.equal(answer.headers.get("set-cookie"), null);
  const init = await answer.json();
  assert.equal(init.notice.language, "zh");
  const cookie = (await say(shop, said(init))).headers.get("set-cookie");
  assert.match(cookie, /^sr=1\.3\.statistics\.; Path=\/; .*SameSite=Lax; Secure$/);
}));

test("the_header_of_the_signal_is_exactly_1", () => withShop(async (shop) => {
  const heard = async (value) => (await (await ask(shop, "init?lang=en", { headers: value === null ? {} : { "sec-gpc": value } })).json()).gpc.heard;
  for (const [value, yes] of [["1", true], ["1, 1", true], ["0, 1", true], [" 1 ", true], ["0", false], ["true", false], ["11", false], ["", false], [null, false]]) {
    assert.equal(await heard(value), yes, JSON.stringify(value));
  }
}, { law: "us-ca" }));

test("what_is_not_of_the_form_is_refused_and_leaves_nothing", () => withShop(async (shop) => {
  const init = await (await ask(shop, "init?lang=en")).json();
  const wrong = [
    [{ choices: {} }, 422], [{ choices: { delivery: true } }, 422], [{ choices: { profiling: true } }, 422], [{ choices: { statistics: "yes" } }, 422],
    [{ choices: { statistics: true, repairs: true } }, 422], [{ source: "robot" }, 422], [{ variant: "rac" }, 422], [{ language: "zh" }, 422],
    [{ id: "short" }, 422], [{ claimed_at: "yesterday" }, 422], [{ more: 1 }, 422], [{ snapshot: "x.y" }, 409], [{ snapshot: `${init.snapshot}x` }, 409],
  ];
  for (const [more, status] of wrong) assert.equal((await say(shop, said(init, more))).status, status, JSON.stringify(more));
  assert.equal((await say(shop, said(init), { "content-type": "text/plain" })).status, 415);
  assert.equal(shop.said.length, 0);
}));

test("the_same_id_is_one_choice_and_another_body_under_it_is_refused", () => withShop(async (shop) => {
  const init = await (await ask(shop, "init?lang=en")).json();
  const first = await (await say(shop, said(init))).json();
  assert.deepEqual(await (await say(shop, said(init))).json(), first);
  assert.equal((await say(shop, said(init, { choices: { statistics: false } }))).status, 422);
  assert.equal(shop.said.length, 1);
}));

test("every_problem_that_the_server_answers_is_written_down", () => {
  const server = readFileSync(new URL("server.mjs", import.meta.url), "utf8");
  const codes = new Set(server.match(/SR-WINDOW-\d{3}/g));
  assert.ok(codes.size >= 5);
  for (const code of codes) assert.ok(spec.includes(`\`${code}\``), code);
});
