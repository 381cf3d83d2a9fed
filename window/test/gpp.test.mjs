// Strings of the Global Privacy Platform, read by the IAB's own decoder.

import { GppModel } from "@iabgpp/cmpapi";
import assert from "node:assert/strict";
import { build } from "esbuild";
import { test } from "node:test";

const built = await build({
  entryPoints: [new URL("../src/gpp.ts", import.meta.url).pathname], bundle: true, format: "esm", write: false,
});
const { encode, fields } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
const IDS = { usnat: 7, usca: 8 };
const ANSWERS = [null, true, false];

for (const section of ["usnat", "usca"]) {
  test(`the_foreign_decoder_reads_${section}_as_it_was_meant`, () => {
    let read = 0;
    for (const sale of ANSWERS) for (const sharing of ANSWERS) for (const gpc of [true, false]) {
      const said = { sale, sharing, gpc };
      const model = new GppModel(encode(section, said));
      assert.deepEqual(model.getSectionIds(), [IDS[section]]);
      for (const [name, value] of Object.entries(fields(section, said))) {
        assert.deepEqual(model.getFieldValue(section, name), value, `${name} of ${JSON.stringify(said)}`);
        read += 1;
      }
      assert.equal(model.getFieldValue(section, "Gpc"), gpc);
    }
    assert.ok(read > 200);
  });

  test(`the_foreign_encoder_writes_${section}_alike`, () => {
    for (const sale of ANSWERS) for (const sharing of ANSWERS) for (const gpc of [true, false]) {
      const said = { sale, sharing, gpc };
      const model = new GppModel();
      for (const [name, value] of Object.entries(fields(section, said))) model.setFieldValue(section, name, value);
      model.setFieldValue(section, "GpcSegmentIncluded", true);
      model.setFieldValue(section, "Gpc", gpc);
      assert.equal(encode(section, said), model.encode());
    }
  });
}

test("an_opt_out_is_said_as_the_platform_says_it", () => {
  const model = new GppModel(encode("usca", { sale: true, sharing: false, gpc: true }));
  assert.equal(model.getFieldValue("usca", "SaleOptOut"), 1);
  assert.equal(model.getFieldValue("usca", "SharingOptOut"), 2);
  assert.equal(model.getFieldValue("usca", "Gpc"), true);
});

test("elsewhere_no_section_applies_and_the_string_still_reads", () => {
  const model = new GppModel(encode(null, { sale: null, sharing: null, gpc: false }));
  assert.deepEqual(model.getSectionIds(), []);
});
