// The guide's way from a policy to the certificate of an erasure (docs/guide/api.md), walked with a client that
// openapi-fetch makes of the types that openapi-typescript made of the OpenAPI document: what the document says wrongly does
// not compile, or stops it.
//
// Takes, on stdin: {"api": address, "admin": credential, "policy": text}. Prints how many answers it saw.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Shapes = components["schemas"];
type Problem = Shapes["Problem"];

const given: { api: string; admin: string; policy: string } = JSON.parse(readFileSync(0, "utf8"));
let answers = 0;

function by(credential?: string): Client<paths> {
  const headers = credential === undefined ? {} : { Authorization: `Bearer ${credential}` };
  return createClient<paths>({ baseUrl: given.api, headers });
}

interface Answered<T, E> {
  data?: T;
  error?: E;
  response: Response;
}

/** What was answered, once it has the status that the guide says. */
async function ask<T>(status: number, asked: Promise<Answered<T, unknown>>): Promise<T> {
  const { data, error, response } = await asked;
  assert.equal(response.status, status, JSON.stringify(error));
  assert.ok(data !== undefined, response.url);
  answers += 1;
  return data;
}

/** The problem, once it has the status and the code that the guide says. */
async function refused(status: number, code: string, asked: Promise<Answered<unknown, Problem>>): Promise<Problem> {
  const { error, response } = await asked;
  assert.equal(response.status, status, JSON.stringify(error));
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.ok(error !== undefined, response.url);
  assert.deepEqual([error.code, error.status, error.type], [code, status, `urn:strongroom:problem:${code}`]);
  answers += 1;
  return error;
}

/** The first of a list that has one. */
function first<T>(list: T[]): T {
  const [one] = list;
  assert.ok(one !== undefined);
  return one;
}

// ── The policy, and credentials under it ────────────────────────────────────────────────────────────────────────────────

const stranger = by();
const admin = by(given.admin);
assert.equal((await ask(200, stranger.GET("/health/live"))).status, "ok");
assert.equal((await ask(200, stranger.GET("/health/ready"))).status, "ok");

const before = await ask(200, admin.GET("/v1/policy"));
assert.deepEqual([before.shop, before.version, before.text], ["harbour-hill", 1, given.policy]);
assert.equal(typeof before.registry.purposes["delivery"], "number");
assert.equal(before.registry.kinds["order"]?.of, "customer");
const published = await ask(201, admin.POST("/v1/policies", { body: { text: `${given.policy}# once more\n` } }));
assert.deepEqual([published.version, published.findings.ok], [2, true]);
const old = await ask(200, admin.GET("/v1/policy", { params: { query: { version: 1 } } }));
assert.equal(old.digest, before.digest);
assert.deepEqual((await ask(200, admin.GET("/v1/policies"))).map((found) => found.version), [2, 1]);
await refused(404, "SR-NOTICE-005", admin.GET("/v1/policy", { params: { query: { version: 9 } } }));

async function make(body: Shapes["CredentialIn"]): Promise<Shapes["CredentialMade"]> {
  return ask(201, admin.POST("/v1/credentials", { body }));
}

const purposes = ["account", "after_sales", "delivery", "marketing_email"];
const intake = by((await make({ label: "intake", role: "intake" })).credential);
const backend = by((await make({ label: "backend", role: "service", purposes, on_behalf_of: true })).credential);
const officer = by((await make({ label: "officer", role: "officer", purposes: ["account"] })).credential);
const auditor = by((await make({ label: "auditor", role: "auditor" })).credential);
const revoked = await make({ label: "mailer", role: "service", purposes: ["marketing_email"] });
const mailer = by(revoked.credential);
await ask(200, mailer.GET("/v1/policy"));
const revoke = { params: { path: { id: revoked.id } } };
assert.equal((await ask(200, admin.POST("/v1/credentials/{id}:revoke", revoke))).id, revoked.id);
await refused(401, "SR-PEOPLE-001", mailer.GET("/v1/policy"));
const listed = new Map((await ask(200, admin.GET("/v1/credentials"))).map((found) => [found.label, found]));
assert.equal(typeof listed.get("mailer")?.revoked, "string");
assert.deepEqual(listed.get("backend")?.purposes, purposes);
await refused(403, "SR-PEOPLE-003", auditor.GET("/v1/credentials"));

// ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const notice = { version: 2, language: "zh" };

function write(client: Client<paths>, body: Shapes["RecordIn"], key?: string) {
  return client.POST("/v1/records", { body, params: { header: key === undefined ? {} : { "Idempotency-Key": key } } });
}

const made = await ask(
  201,
  write(intake, {
    kind: "customer",
    external_id: "C-1001",
    fields: { name: "陈安安", email: "an.an@shop.example", phone: "138 0013 8000", birth_date: "1990-04-01" },
    events: { active: "2026-11-20T09:00:00+08:00" },
    choices: [{ purpose: "marketing_email", choice: "granted", notice }],
  }),
);
assert.deepEqual([made.outcome, made.version, made.kept], ["created", 1, ["email", "name", "phone"]]);
assert.deepEqual([made.unknown, made.choices?.length], [["birth_date"], 1]);

const ben = { kind: "customer", external_id: "C-1002", fields: { name: "Ben Ode", email: "ben@shop.example" } };
const once = await ask(201, write(intake, ben, "signup-2"));
assert.equal((await ask(201, write(intake, ben, "signup-2"))).record, once.record);
await refused(422, "SR-HTTP-008", write(intake, { ...ben, fields: { name: "Ben Odd" } }, "signup-2"));
const phone = { kind: "customer", external_id: "C-1002", fields: { phone: "+44 20 7946 0018" }, if_version: 1 };
const changed = await ask(200, write(backend, phone));
assert.deepEqual([changed.outcome, changed.version], ["updated", 2]);
const away = { ...phone, fields: { phone: null } };
assert.equal((await refused(409, "SR-COLLECT-016", write(backend, away))).pointer, "/if_version");
const wrong = { kind: "customer", external_id: "C-1003", fields: { email: "nobody at shop.example" } };
assert.equal((await refused(422, "SR-KEEP-016", write(backend, wrong))).pointer, "/fields/email");
await refused(403, "SR-PEOPLE-003", write(auditor, wrong));

const batch = await ask(
  200,
  backend.POST("/v1/records:batch", {
    body: {
      items: [
        {
          kind: "order",
          external_id: "SO-5001",
          subject: { external_id: "C-1001" },
          fields: {
            recipient_name: "陈安安",
            phone: "138 0013 8000",
            address: "上海市武康路88号",
            items: "龙井 250 g",
            amount: "168.00",
            payment_reference: "HP-77120",
          },
          events: { placed: "2026-11-20T09:05:00+08:00" },
        },
        { kind: "order", external_id: "SO-5002", subject: { external_id: "C-9999" }, fields: { items: "teapot" } },
      ],
    },
  }),
);
assert.deepEqual([batch.written, batch.refused], [1, 1]);
assert.deepEqual(batch.results.map((item) => item.status), [201, 404]);
assert.equal(batch.results[1]?.problem?.code, "SR-KEEP-018");
const order = first(batch.results).record?.record;
assert.ok(order !== undefined);

const record = { kind: "order", external_id: "SO-5001" };
const delivered = { record, event: "delivered", at: "2026-11-22T15:00:00+08:00" };
assert.equal((await ask(200, backend.POST("/v1/records:event", { body: delivered }))).version, 2);

// ── Choices ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const subject = { external_id: "C-1001" };

function choose(purpose: string, choice: Shapes["Said"]) {
  return backend.POST("/v1/choices", { body: { subject, purpose, choice, notice } });
}

const withdrawn = await ask(201, choose("marketing_email", "withdrawn"));
assert.deepEqual([withdrawn.outcome, withdrawn.receipt?.format], ["kept", "strongroom/receipt/1"]);
assert.equal((await ask(200, choose("marketing_email", "withdrawn"))).outcome, "unchanged");
assert.equal((await refused(422, "SR-CHOOSE-001", choose("delivery", "refused"))).pointer, "/purpose");

// ── Reveal and search ───────────────────────────────────────────────────────────────────────────────────────────────────

function reveal(client: Client<paths>, body: Shapes["RevealIn"], who?: string) {
  const header = who === undefined ? {} : { "Strongroom-On-Behalf-Of": who };
  return client.POST("/v1/records:reveal", { body, params: { header } });
}

const sales = first((await ask(200, reveal(backend, { purpose: "after_sales", record }, "wang.wei"))).records);
assert.deepEqual([sales.fields["recipient_name"], sales.fields["phone"]], ["陈安安", "+8613800138000"]);
const narrow = { purpose: "delivery", record, fields: ["order.phone", "amount"] };
const delivery = first((await ask(200, reveal(backend, narrow))).records);
assert.deepEqual([delivery.fields, delivery.masked], [{ phone: "138****8000" }, ["phone"]]);
assert.deepEqual(delivery.refused?.map(({ name, fields }) => [name, fields]), [["outside_purpose", ["amount"]]]);
assert.equal(first((await ask(200, reveal(backend, { purpose: "delivery", record: order }))).records).record, order);
const matched = { purpose: "account", subject: { match: { email: "an.an@shop.example" } } };
assert.equal((await ask(200, reveal(backend, matched))).subject, made.subject);
const objected = await refused(403, "SR-REVEAL-001", reveal(backend, { purpose: "marketing_email", subject }));
assert.deepEqual(objected.reasons?.map((reason) => reason.name), ["objected"]);
await refused(404, "SR-KEEP-001", reveal(officer, { purpose: "delivery", subject }));
await refused(403, "SR-PEOPLE-003", reveal(intake, { purpose: "delivery", subject }));
await refused(403, "SR-PEOPLE-007", reveal(officer, { purpose: "account", subject }, "x"));

function search(value: string) {
  return backend.POST("/v1/records:search", { body: { purpose: "after_sales", field: "phone", value } });
}

const match = first((await ask(200, search("138-0013-8000"))).matches);
assert.deepEqual([match.kind, match.external_id, match.record], ["order", "SO-5001", order]);
assert.deepEqual((await ask(200, search("139 9999 9999"))).matches, []);

// ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const wanted = { purpose: "delivery", record, field: "phone", recipient: "sf-express", made: "from_value" } as const;
const { token } = await ask(201, backend.POST("/v1/tokens", { body: wanted }));
const theirs = { token, purpose: "delivery", recipient: "sf-express" };
const resolved = await ask(200, backend.POST("/v1/tokens:resolve", { body: theirs }));
assert.equal(first(resolved.records).fields["phone"], "138****8000");
await refused(404, "SR-KEEP-001", backend.POST("/v1/tokens:resolve", { body: { token, purpose: "delivery" } }));

// ── The subject, and its erasure ────────────────────────────────────────────────────────────────────────────────────────

const asked = { subject: { match: { email: "an.an@shop.example" } } };
const found = await ask(200, officer.POST("/v1/subjects:find", { body: asked }));
assert.deepEqual([found.subject, found.standing], [made.subject, "present"]);
assert.deepEqual(found.records.map((kept) => kept.kind), ["customer", "order"]);
const uses = found.records[1]?.purposes.map((use) => use.purpose);
assert.deepEqual(uses, ["after_sales", "delivery", "payment", "tax"]);
assert.deepEqual(found.choices.map((one) => one.said), ["granted", "withdrawn"]);

function erase(client: Client<paths>, id: string) {
  return client.POST("/v1/subjects/{id}:erase", { params: { path: { id } } });
}

await refused(403, "SR-PEOPLE-003", erase(backend, found.subject));
await refused(404, "SR-KEEP-001", erase(officer, "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa"));
const certificate = await ask(200, erase(officer, found.subject));
assert.equal((await ask(200, erase(officer, found.subject))).body, certificate.body);
const body: Shapes["CertificateBody"] = JSON.parse(certificate.body);
assert.deepEqual([body.shop, body.subject, body.policy], ["harbour-hill", made.subject, 2]);
assert.deepEqual(body.retained.map((kept) => kept.purpose), ["tax"]);
assert.ok(body.destroyed_keys.length === 1 && body.unreadable_here_since < body.unreadable_everywhere_by);
const erased = await refused(403, "SR-REVEAL-001", reveal(backend, { purpose: "delivery", record }));
assert.deepEqual(erased.reasons?.map((reason) => reason.name), ["erased"]);

// ── The ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// What was erased is cleaned up meanwhile, and the log grows: the two are held together when it did not grow in between.
const shop = { params: { path: { shop: "harbour-hill" } } };
let [head, named, after] = ["", "", "none yet"];
while (head !== after) {
  head = await ask(200, stranger.GET("/ledger/checkpoint", { parseAs: "text" }));
  named = await ask(200, stranger.GET("/ledger/{shop}/checkpoint", { ...shop, parseAs: "text" }));
  after = await ask(200, stranger.GET("/ledger/checkpoint", { parseAs: "text" }));
}
assert.equal(named, head);
const [origin, size] = [head.split("\n")[0], Number(head.split("\n")[1])];
const log = await ask(200, stranger.GET("/ledger/log.json"));
assert.deepEqual([log.origin, log.names?.purposes["tax"]], [origin, before.registry.purposes["tax"]]);
assert.deepEqual(await ask(200, stranger.GET("/ledger/{shop}/log.json", shop)), log);

function file<As extends "arrayBuffer">(client: Client<paths>, path: string, parseAs: As) {
  return client.GET("/ledger/{path}", { params: { path: { path } }, parseAs });
}

const tile = new Uint8Array(await ask(200, file(stranger, `tile/0/000.p/${size}`, "arrayBuffer")));
assert.equal(tile.length, 32 * size);
await refused(401, "SR-PEOPLE-001", file(stranger, `tile/entries/000.p/${size}`, "arrayBuffer"));
await refused(403, "SR-PEOPLE-003", file(backend, `tile/entries/000.p/${size}`, "arrayBuffer"));
await refused(404, "SR-HTTP-005", file(stranger, "tile/9/000", "arrayBuffer"));

const proof = await ask(200, backend.GET("/v1/ledger/proof", { params: { query: { entry: found.entry } } }));
const leaf = tile.subarray(32 * proof.index, 32 * proof.index + 32);
assert.equal(proof.leaf, Buffer.from(leaf).toString("hex"));
const sizes = (from: number, to: number) => ({ params: { query: { from, to } } });
assert.equal((await ask(200, auditor.GET("/v1/ledger/consistency", sizes(5, size)))).to, size);
await refused(400, "SR-ACCOUNT-007", auditor.GET("/v1/ledger/consistency", sizes(size, 5)));
assert.equal((await ask(200, backend.GET("/v1/ledger/checkpoint"))).verifier_key, log.vkey);

const entries: Shapes["EntryFound"][] = [];
for (let from: number | null | undefined = 0; from !== undefined && from !== null; ) {
  const page: Shapes["EntriesFound"] = await ask(
    200,
    auditor.GET("/v1/ledger/entries", { params: { query: { from, limit: 20 } } }),
  );
  entries.push(...page.entries);
  from = page.next;
}
const acts = new Set(entries.map((one) => one.entry.act));
for (const act of ["published", "credential_added", "credential_revoked", "collected", "happened", "chose"]) {
  assert.ok(acts.has(act), act);
}
for (const act of ["revealed", "searched", "tokenised", "resolved", "erased"]) {
  assert.ok(acts.has(act), act);
}
const id = entries[certificate.receipt.entry_index]?.id;
assert.ok(id !== undefined);
const shown = await ask(200, auditor.GET("/v1/ledger/entries/{id}", { params: { path: { id } } }));
assert.deepEqual([shown.entry.act, shown.entry.destroyed], ["erased", body.destroyed_keys]);

console.log(JSON.stringify({ answers, certificate }));
