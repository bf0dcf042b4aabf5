// The phase map that the page opens with, by the engine itself: node maps.mjs ENGINE OUT. One that this engine has
// made is left as it is.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, out] = process.argv.slice(2);
const made = createHash("sha256").update(readFileSync(join(folder, "engine.wasm"))).digest("hex");
const path = join(out, "map.json");
if (existsSync(path) && JSON.parse(readFileSync(path, "utf8")).made === made) process.exit(0);

const engine = await createRequire(import.meta.url)(resolve(folder, "engine.js"))();
const spread = (from, to, count) => Array.from({ length: count }, (_, i) => Number((from + ((to - from) * i) / (count - 1)).toFixed(4)));
const map = { made, first: "sign_sgd", second: "sign_svd", dimension: 1e6, batch: 1e6,
              alpha: spread(0.2, 1.5, 16), beta: spread(0, 1.5, 12), phase: [] };
for (const alpha of map.alpha) {
  const values = [map.first, map.second, map.dimension, map.batch, alpha, map.beta.join(" ")];
  const answer = JSON.parse(engine.ccall("ask_phases", "string",
    values.map((value) => (typeof value === "number" ? "number" : "string")), values));
  if (answer.error) throw new Error(answer.error.line);
  map.phase.push(answer.map.phase);
}
mkdirSync(out, { recursive: true });
writeFileSync(`${path}.part`, JSON.stringify(map));
renameSync(`${path}.part`, path);
