// Builds window/dist from window/src. The same sources give the same bytes: `node build.mjs FOLDER` builds elsewhere, and
// a test compares.

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = process.argv[2] ?? `${here}dist`;
const licence = "/*! Strongroom, Apache-2.0 */";

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  target: ["es2020"],
};
const script = { ...common, format: "iife", banner: { js: licence } };

await Promise.all([
  build({ ...script, entryPoints: ["src/main.ts"], outfile: `${folder}/strongroom.js` }),
  build({ ...script, entryPoints: ["src/adapters.ts"], outfile: `${folder}/strongroom-adapters.js` }),
  // Mini-programs load CommonJS, and their engines are older.
  build({ ...common, format: "cjs", target: ["es2018"], banner: { js: licence }, entryPoints: ["src/mini.ts"], outfile: `${folder}/strongroom-core.js` }),
  build({ ...common, target: ["chrome100", "firefox100", "safari15"], banner: { css: licence }, entryPoints: ["src/strongroom.css"], outfile: `${folder}/strongroom.css` }),
]);
