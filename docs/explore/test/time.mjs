// Processor time of the engine, in ms, the least of ten: node time.mjs ENGINE <problem.toml, as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const toml = readFileSync(0, "utf8");
const engine = await createRequire(import.meta.url)(join(resolve(process.argv[2]), "engine.js"))();
const time = (question, ...values) => {
  let least = Infinity;
  for (let i = 0; i < 10; ++i) {
    const before = process.cpuUsage();
    engine.ccall(question, "string", ["string", ...values.map(() => "number")], [toml, ...values]);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
};
process.stdout.write(JSON.stringify({ curve: time("ask_predict", 0, 0), optimum: time("ask_optimum", 0) }));
