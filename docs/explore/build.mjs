// The page from its sources: node build.mjs NPM ENGINE MAPS OUT, folders of node_modules, of the
// engine's engine.js and engine.wasm, of the maps made beforehand, and of the page.
import { readFileSync, writeFileSync, mkdirSync, copyFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [npm, engine, maps, out] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const { buildSync } = createRequire(join(resolve(npm), "package.json"))("esbuild");
const bundle = (entry, options = {}) =>
  buildSync({
    entryPoints: [join(here, entry)], bundle: true, minify: !process.env.PLAIN, write: false, format: "iife", target: "es2021",
    charset: "utf8", nodePaths: [join(npm, "node_modules")], logLevel: "warning", ...options,
  }).outputFiles[0].text;

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "explore.js"), bundle("src/main.js"));
writeFileSync(join(out, "explore.css"), bundle("style.css"));
const code = readFileSync(join(engine, "engine.js"), "utf8") + bundle("src/worker.js");
const wasm = gzipSync(readFileSync(join(engine, "engine.wasm")), { level: 9 }).toString("base64");
writeFileSync(join(out, "engine.js"), `window.RISKCURVE_ENGINE=${JSON.stringify({ code, wasm })};\n`);
const drawn = readdirSync(maps).filter((name) => name.endsWith(".json")).sort()
  .map((name) => JSON.parse(readFileSync(join(maps, name), "utf8")));
writeFileSync(join(out, "maps.js"), `window.RISKCURVE_MAPS=${JSON.stringify(drawn)};\n`);
copyFileSync(join(here, "index.html"), join(out, "index.html"));
