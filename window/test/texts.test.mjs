// The words: complete in both languages, used, and each in its own language.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const en = JSON.parse(read("../texts/en.json"));
const zh = JSON.parse(read("../texts/zh.json"));
const sources = readdirSync(new URL("../src", import.meta.url)).filter((name) => name.endsWith(".ts"))
  .map((name) => read(`../src/${name}`)).join("\n");
// Texts that are named by what became of a choice.
const OUTCOMES = ["saved", "later", "stale", "lost"];

test("both_languages_have_the_same_texts", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
});

test("both_languages_fill_the_same_places", () => {
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en)) {
    const lost = key === "recipients_one" ? [] : places(en[key]);
    assert.deepEqual(places(zh[key]), lost, key);
  }
});

test("every_text_is_used", () => {
  for (const key of Object.keys(en)) {
    const used = new RegExp(`texts\\.${key}\\b|"${key}"`).test(sources);
    assert.ok(used || OUTCOMES.includes(key), `nothing shows ${key}`);
  }
});

test("every_text_that_the_source_names_exists", () => {
  const named = [...sources.matchAll(/texts(?:\.([a-z]\w*)|\["(\w+)"\])/g)].map((found) => found[1] ?? found[2]);
  assert.ok(named.length > 30);
  for (const key of [...named, ...OUTCOMES]) assert.ok(key in en, `no text ${key}`);
});

test("chinese_texts_are_chinese", () => {
  for (const [key, text] of Object.entries(zh)) {
    const words = text.replace(/\{\w+\}/g, "");
    assert.ok(!/[a-z]/i.test(words), `${key} has Latin letters: ${text}`);
    assert.ok(!/[,.:;?!"'()]/.test(words), `${key} has the marks of another language: ${text}`);
    if (key !== "space" && key !== "comma") assert.ok(/\p{Script=Han}/u.test(words), key);
  }
});

test("english_texts_are_english", () => {
  for (const [key, text] of Object.entries(en)) assert.ok(!/\p{Script=Han}/u.test(text), key);
});

test("no_text_blames_or_frightens_who_refuses", () => {
  const forbidden = /no thanks|worse|miss out|unfortunately|are you sure|recommended|遗憾|错过|更差|推荐您|确定要拒绝|建议同意/i;
  for (const [key, text] of [...Object.entries(en), ...Object.entries(zh)]) assert.ok(!forbidden.test(text), key);
});

test("the_guide_in_chinese_names_every_attribute_event_and_call_of_the_english_one", () => {
  const guide = read("../README.md").split("## Recipes")[0];
  const chinese = read("../README.zh-CN.md");
  const names = new Set(guide.match(/data-[a-z-]+|strongroom[.:][a-z]+|dist\/[\w.-]+/g));
  assert.ok(names.size > 20);
  for (const name of names) assert.ok(chinese.includes(name), name);
});
