// What is delivered: the same bytes from the same sources, small, and nothing in it that a strict page forbids.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const window = new URL("..", import.meta.url).pathname;
const dist = (name) => readFileSync(join(window, "dist", name));
const weight = (name) => gzipSync(dist(name), { level: 9 }).length;

test("the_built_files_are_those_of_the_sources", () => {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-window-"));
  try {
    execFileSync(process.execPath, ["build.mjs", folder], { cwd: window });
    const names = readdirSync(folder).sort();
    assert.deepEqual(readdirSync(join(window, "dist")).sort(), names);
    for (const name of names) assert.ok(readFileSync(join(folder, name)).equals(dist(name)), `${name} is of other sources`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the_script_weighs_at_most_8_kB", () => assert.ok(weight("strongroom.js") <= 8192, `${weight("strongroom.js")} bytes`));
test("the_style_weighs_at_most_4_kB", () => assert.ok(weight("strongroom.css") <= 4096, `${weight("strongroom.css")} bytes`));
test("the_adapters_weigh_at_most_3_kB", () => assert.ok(weight("strongroom-adapters.js") <= 3072, `${weight("strongroom-adapters.js")} bytes`));
test("the_core_weighs_at_most_3_kB", () => assert.ok(weight("strongroom-core.js") <= 3072, `${weight("strongroom-core.js")} bytes`));

test("nothing_is_evaluated_parsed_as_markup_or_styled_inline", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b|["']style["']|DOMParser|createContextualFragment/;
  for (const name of ["strongroom.js", "strongroom-adapters.js", "strongroom-core.js"]) {
    // The looks of the banner's buttons, which the policy sets, are set as properties: once, and never written as text.
    const text = dist(name).toString();
    const looks = /Object\.assign\(\w+\[\w+\]\.style,/g;
    assert.equal(text.match(looks)?.length ?? 0, name === "strongroom.js" ? 1 : 0, name);
    assert.equal(forbidden.exec(text.replace(looks, ""))?.[0], undefined, name);
  }
});

test("nobody_else_is_asked_for_anything", () => {
  for (const name of readdirSync(join(window, "dist"))) {
    assert.equal(/https?:\/\/|url\(|@import/.exec(dist(name).toString())?.[0], undefined, name);
  }
});

test("the_script_writes_no_cookie_but_to_clear_one", () => {
  const writes = dist("strongroom.js").toString().match(/document\.cookie=[^;]*;[^;]*/g) ?? [];
  assert.equal(writes.length, 1);
  assert.match(writes[0], /Max-Age=0/);
});

test("the_core_knows_no_page", () => {
  const core = dist("strongroom-core.js").toString();
  assert.equal(/\b(document|window|navigator|location|localStorage|sessionStorage|fetch|XMLHttpRequest|crypto)\b/.exec(core)?.[0], undefined);
});
