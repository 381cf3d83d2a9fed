// The core on a ground of the tests: no page, no network, a clock that is moved by hand.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { purposesUnder } from "./fixture.mjs";

const { makeCore, toAll } = createRequire(import.meta.url)("../dist/strongroom-core.js");

const START = {
  format: 1, shop: "Harbour & Hill", law: "cn", ask: true, ask_again_at: null, choices: {}, until: null,
  notice: { version: "3", digest: "sha256:3", url: "/privacy", language: "en", languages: [] },
  gpc: { heard: false, honoured: [], conflict: [] }, texts: {}, snapshot: "shown-3", variant: "arc",
};

/** A ground whose server answers from lists; an empty list is a server that is away. */
function bench({ init = {}, answers = {}, kept = null, cookie = "", law = "eu" } = {}) {
  const say = (more) => ({ status: 200, body: { ...structuredClone(START), purposes: purposesUnder(law, "en"), ...more } });
  const bench = { inits: [say(init)], choices: [], sent: [], waits: [], kept, ids: 0, cookie, signal: false, say, ...answers };
  bench.ground = {
    send: async (method, path, body) => {
      if (body) bench.sent.push(structuredClone(body));
      else bench.path = path;
      const list = method === "GET" ? bench.inits : bench.choices;
      const next = list.length > 1 ? list.shift() : list[0];
      if (!next) throw new Error("away");
      return typeof next === "function" ? next(body) : next;
    },
    read: () => bench.kept,
    write: (text) => { bench.kept = text; },
    standing: () => bench.cookie,
    language: () => "en",
    signal: () => bench.signal,
    later: (run, wait) => bench.waits.push({ run, wait }),
    now: () => new Date("2026-11-28T08:00:00Z"),
    random: () => `id-${++bench.ids}`.padEnd(22, "0"),
  };
  bench.core = makeCore(bench.ground);
  bench.changes = [];
  bench.core.on("change", (change) => bench.changes.push(change));
  return bench;
}

const saved = (body) => ({ status: 200, body: { choices: body.choices, receipt_url: `/r/${body.id}`, until: null, standing: "" } });
const settled = () => new Promise((done) => setTimeout(done, 5));

test("before_the_server_has_answered_nothing_is_allowed", () => {
  const { core } = bench();
  for (const name of ["delivery", "statistics", "suggestions", "repairs"]) assert.equal(core.allows(name), false);
});

test("a_server_that_is_away_allows_nothing_whatever_the_cookie_says", async () => {
  const it = bench({ answers: { inits: [] }, cookie: "1.3.statistics." });
  assert.equal(await it.core.refresh(), false);
  assert.equal(it.core.allows("statistics"), false);
  assert.equal(it.core.allows("delivery"), false);
  assert.equal(it.waits.length, 1);
});

test("a_server_that_comes_back_is_heard", async () => {
  const it = bench();
  const back = it.inits.pop();
  await it.core.refresh();
  it.inits.push(back);
  it.waits[0].run();
  await settled();
  assert.equal(it.core.allows("delivery"), true);
});

test("before_a_choice_only_what_is_necessary_or_not_objected_to_runs", async () => {
  const it = bench();
  await it.core.refresh();
  assert.deepEqual(it.core.state().allowed, ["delivery", "suggestions"]);
  assert.equal(it.kept, null);
});

test("under_an_opt_out_law_a_consent_runs_by_default_and_a_separate_one_never_does", async () => {
  const purposes = purposesUnder("eu", "en").map((one) => ({ ...one, on_by_default: true }));
  const it = bench({ init: { purposes } });
  await it.core.refresh();
  assert.equal(it.core.allows("advertising"), true);
  assert.equal(it.core.allows("repairs"), false);
});

test("a_purpose_or_recipient_that_the_notice_does_not_name_is_not_allowed", async () => {
  const it = bench({ init: { choices: { statistics: true } } });
  await it.core.refresh();
  assert.equal(it.core.allows("statistics", "umeng"), true);
  assert.equal(it.core.allows("statistics", "somebody"), false);
  assert.equal(it.core.allows("profiling"), false);
  assert.equal(it.core.allows("constructor"), false);
});

test("accepting_all_answers_no_separate_consent_and_rejecting_all_does", async () => {
  const it = bench();
  await it.core.refresh();
  assert.equal("repairs" in toAll(it.core.init(), true), false);
  assert.equal(toAll(it.core.init(), false).repairs, false);
});

test("a_no_holds_at_once", async () => {
  const it = bench({ init: { choices: { statistics: true } }, answers: { choices: [saved] } });
  await it.core.refresh();
  void it.core.choose({ statistics: false });
  assert.equal(it.core.allows("statistics"), false);
});

test("a_yes_holds_when_it_is_taken_and_is_bound_to_what_was_shown", async () => {
  const it = bench({ answers: { choices: [saved] } });
  await it.core.refresh();
  const outcome = it.core.choose({ statistics: true }, "banner");
  assert.equal(it.core.allows("statistics"), false);
  assert.equal(it.core.state().choices.statistics, true);
  assert.equal(await outcome, "saved");
  assert.equal(it.core.allows("statistics"), true);
  assert.deepEqual(it.sent, [{
    id: "id-1".padEnd(22, "0"), snapshot: "shown-3", choices: { statistics: true }, source: "banner", variant: "arc",
    language: "en", claimed_at: "2026-11-28T08:00:00.000Z",
  }]);
  assert.equal(it.kept, null);
  assert.equal(it.core.state().receipt_url, `/r/${it.sent[0].id}`);
});

test("a_choice_that_finds_the_server_away_waits_and_goes_again_under_the_same_id", async () => {
  const it = bench();
  await it.core.refresh();
  assert.equal(await it.core.choose({ statistics: true }), "later");
  assert.equal(it.core.allows("statistics"), true);
  assert.equal(JSON.parse(it.kept).length, 1);
  it.choices.push(saved);
  it.waits.pop().run();
  await settled();
  assert.equal(it.sent.length, 2);
  assert.equal(it.sent[0].id, it.sent[1].id);
  assert.equal(it.kept, null);
});

test("a_choice_that_waits_holds_on_the_next_page_too", async () => {
  const first = bench({ init: { choices: { statistics: true } } });
  await first.core.refresh();
  await first.core.choose({ statistics: false });
  const next = bench({ init: { choices: { statistics: true } }, kept: first.kept, answers: { choices: [saved] } });
  await next.core.refresh();
  assert.equal(next.core.allows("statistics"), false);
  await settled();
  assert.equal(next.sent[0].id, first.sent[0].id);
});

test("a_yes_that_waits_does_not_outlive_the_notice_that_was_shown", async () => {
  const first = bench();
  await first.core.refresh();
  await first.core.choose({ statistics: true });
  const next = bench({ init: { notice: { ...START.notice, digest: "sha256:4" } }, kept: first.kept });
  await next.core.refresh();
  assert.equal(next.core.allows("statistics"), false);
});

test("what_is_kept_and_broken_is_passed_over", async () => {
  for (const kept of ["{", "null", "7", '"x"', "[null]", '[{"id":"x"}]', '[{"id":"x","choices":null}]', '[7]']) {
    const it = bench({ kept });
    assert.equal(await it.core.refresh(), true);
    assert.equal(it.sent.length, 0);
  }
});

test("choices_go_one_after_another_in_their_order", async () => {
  const it = bench({ answers: { choices: [saved] } });
  await it.core.refresh();
  await Promise.all([it.core.choose({ statistics: true }), it.core.choose({ statistics: false }), it.core.choose({ videos: true })]);
  assert.deepEqual(it.sent.map((one) => one.choices), [{ statistics: true }, { statistics: false }, { videos: true }]);
});

test("a_flood_and_a_repair_are_waited_for_as_long_as_the_server_says", async () => {
  for (const status of [429, 503]) {
    const it = bench({ answers: { choices: [{ status, retryAfter: 30 }] } });
    await it.core.refresh();
    assert.equal(await it.core.choose({ statistics: true }), "later");
    assert.equal(it.waits.at(-1).wait, 30_000);
  }
});

test("waiting_grows_and_has_an_end", async () => {
  const it = bench();
  await it.core.refresh();
  await it.core.choose({ statistics: false });
  for (let round = 0; round < 12; round += 1) {
    it.waits.at(-1).run();
    await settled();
  }
  const waits = it.waits.map(({ wait }) => wait);
  assert.ok(waits[0] <= 1_000 && waits[3] > waits[0]);
  assert.ok(waits.every((wait) => wait <= 60_000));
});

test("a_snapshot_that_ran_out_is_renewed_when_the_notice_is_the_same", async () => {
  const it = bench({ answers: { choices: [{ status: 409 }, saved] } });
  it.inits.push(it.say({ snapshot: "shown-3-again" }));
  await it.core.refresh();
  assert.equal(await it.core.choose({ statistics: true }), "saved");
  assert.deepEqual(it.sent.map(({ snapshot }) => snapshot), ["shown-3", "shown-3-again"]);
});

test("a_yes_to_a_notice_that_has_changed_is_asked_again_and_a_no_stands", async () => {
  const it = bench({ answers: { choices: [{ status: 409 }, saved] } });
  it.inits.push(it.say({ snapshot: "shown-4", notice: { ...START.notice, version: "4", digest: "sha256:4" } }));
  await it.core.refresh();
  assert.equal(await it.core.choose({ statistics: true, videos: false }), "stale");
  await settled();
  assert.equal(it.core.allows("statistics"), false);
  assert.deepEqual(it.sent.at(-1).choices, { videos: false });
  assert.equal(it.sent.at(-1).snapshot, "shown-4");
});

test("a_snapshot_that_is_stale_twice_is_given_up", async () => {
  const it = bench({ answers: { choices: [{ status: 409 }] } });
  await it.core.refresh();
  assert.equal(await it.core.choose({ statistics: true }), "stale");
  assert.equal(it.sent.length, 2);
  assert.equal(it.core.allows("statistics"), false);
});

test("a_choice_that_the_server_does_not_take_switches_nothing_on", async () => {
  for (const status of [400, 403, 404, 422]) {
    const it = bench({ answers: { choices: [{ status }] } });
    await it.core.refresh();
    assert.equal(await it.core.choose({ statistics: true }), "lost");
    assert.equal(it.core.allows("statistics"), false);
    assert.equal(it.kept, null);
  }
});

test("a_yes_to_which_something_else_answers_switches_nothing_on", async () => {
  for (const body of [null, "<html>", {}, { choices: null }]) {
    const it = bench({ answers: { choices: [{ status: 200, body }] } });
    await it.core.refresh();
    assert.equal(await it.core.choose({ statistics: true }), "lost");
    assert.equal(it.core.allows("statistics"), false);
  }
});

test("a_no_that_the_server_does_not_take_holds_on_this_page", async () => {
  const it = bench({ init: { choices: { statistics: true } }, answers: { choices: [{ status: 422 }] } });
  await it.core.refresh();
  assert.equal(await it.core.withdraw("statistics"), "lost");
  assert.equal(it.core.allows("statistics"), false);
});

test("withdrawing_tells_what_stopped", async () => {
  const it = bench({ init: { choices: { statistics: true } }, answers: { choices: [saved] } });
  await it.core.refresh();
  await it.core.withdraw("statistics");
  assert.deepEqual(it.changes[0], { started: [], stopped: ["statistics"], refused: ["statistics"] });
});

test("withdrawing_all_without_the_server_withdraws_what_the_cookie_says", async () => {
  const it = bench({ answers: { inits: [] }, cookie: "1.3.statistics+videos.advertising" });
  assert.equal(await it.core.withdraw(), "later");
  assert.deepEqual(JSON.parse(it.kept)[0].choices, { statistics: false, videos: false });
});

test("a_yes_without_the_server_is_not_taken", async () => {
  const it = bench({ answers: { inits: [] } });
  assert.equal(await it.core.choose({ statistics: true }), "lost");
  assert.equal(it.kept, null);
});

test("a_refusal_without_the_server_is_sent_under_the_first_snapshot_that_comes", async () => {
  const it = bench({ answers: { choices: [saved] } });
  assert.equal(await it.core.choose({ statistics: false }), "later");
  await it.core.refresh();
  await settled();
  assert.equal(it.sent[0].snapshot, "shown-3");
});

test("a_signal_stops_what_the_server_says_and_a_later_yes_starts_it", async () => {
  const gpc = { heard: true, honoured: ["advertising"], conflict: ["advertising"] };
  const it = bench({ init: { gpc, choices: { advertising: true } }, answers: { choices: [saved] } });
  it.signal = true;
  const heard = [];
  it.core.on("signal", (names) => heard.push(names));
  await it.core.refresh();
  assert.match(it.path, /&gpc=1$/);
  assert.deepEqual(heard, [["advertising"]]);
  assert.equal(it.core.allows("advertising"), false);
  await it.core.choose({ advertising: true }, "signal");
  assert.equal(it.core.allows("advertising"), true);
});

test("a_listener_that_fails_keeps_no_other_from_hearing", async () => {
  const it = bench({ answers: { choices: [saved] } });
  const heard = [];
  it.core.on("ready", () => { throw new Error("a shop's mistake"); });
  it.core.on("ready", () => heard.push("ready"));
  await it.core.refresh();
  assert.deepEqual(heard, ["ready"]);
});

test("who_listens_late_hears_that_it_is_ready_and_who_stops_hears_no_more", async () => {
  const it = bench({ answers: { choices: [saved] } });
  await it.core.refresh();
  const heard = [];
  it.core.on("ready", () => heard.push("ready"));
  const stop = it.core.on("change", () => heard.push("change"));
  it.core.on("change", () => heard.push("other"));
  await it.core.choose({ statistics: true });
  stop();
  stop();
  await it.core.choose({ statistics: false });
  assert.deepEqual(heard, ["ready", "change", "other", "other"]);
});

test("an_answer_that_comes_late_does_not_undo_a_newer_one", async () => {
  const it = bench();
  let late;
  it.inits = [() => new Promise((done) => { late = done; }), it.say({ choices: { statistics: false } })];
  const first = it.core.refresh();
  await it.core.refresh();
  late(it.say({ choices: { statistics: true } }));
  await first;
  assert.equal(it.core.allows("statistics"), false);
});

test("an_answer_to_a_question_from_before_a_choice_does_not_undo_the_choice", async () => {
  const it = bench({ answers: { choices: [saved] } });
  await it.core.refresh();
  let late;
  it.inits = [() => new Promise((done) => { late = done; })];
  const asked = it.core.refresh();
  await it.core.choose({ statistics: true });
  late(it.say({}));
  await asked;
  assert.equal(it.core.allows("statistics"), true);
  assert.equal(it.core.state().ask, false);
});

test("an_answer_of_another_form_counts_as_none", async () => {
  for (const body of [null, {}, { format: 2, purposes: [], snapshot: "x" }, { format: 1, purposes: [], snapshot: "x" }, "text"]) {
    const it = bench({ answers: { inits: [{ status: 200, body }] } });
    assert.equal(await it.core.refresh(), false);
    assert.equal(it.core.state().ready, false);
  }
});
