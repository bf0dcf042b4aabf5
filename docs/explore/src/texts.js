// The state as a problem file, as Python, and as a link.
import { plainName } from "./fields.js";

const isNumber = (text) => /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim());
/** A number as TOML has it; what is none goes to the library as a text, which says what it expected. */
const number = (text) => (isNumber(text) ? String(Number(text)) : JSON.stringify(text));
const list = (text) => `[${text.split(/[\s,;]+/).filter(Boolean).map(number).join(", ")}]`;

function valueOf(key, text) {
  if (key.type === "list" || key.type === "pair") return list(text);
  if (key.type === "bool") return text;
  if (key.type === "choice") return JSON.stringify(text);
  return number(text);
}

/** [key, TOML text] of the keys that are not left at their defaults. */
function pairsOf(model, table, keys, state) {
  const pairs = [];
  for (const key of keys) {
    const field = `${table}.${key.key}`;
    if (key.type === "table") {
      const inner = innerTable(model, field, key, state);
      if (inner) pairs.push([key.key, inner]);
      continue;
    }
    const text = state[field];
    if (text === undefined || text === "") continue;
    const plain = Array.isArray(key.default) ? key.default.join(", ") : key.default;
    if (!key.required && plain !== null && plain !== undefined && String(plain) === text) continue;
    pairs.push([key.key, valueOf(key, text), key]);
  }
  return pairs;
}

/** The chosen kind of a table among the keys ("average", "lookahead"), as pairs; null: none. */
export function innerKind(field, key, state) {
  const chosen = state[`${field}.kind`] ?? (key.given ? key.kinds[0].kind : "none");
  if (chosen === "none") return null;
  return key.kinds.find((kind) => (kind.kind ?? "on") === chosen) ?? null;
}
function innerTable(model, field, key, state) {
  const kind = innerKind(field, key, state);
  if (!kind) return null;
  const pairs = pairsOf(model, field, kind.keys, state);
  if (kind.kind) pairs.unshift(["kind", JSON.stringify(kind.kind)]);
  if (key.given && pairs.length === 1) return null;
  return { pairs, kind: kind.kind };
}
const inline = (value) => (typeof value === "string" ? value
  : value.pairs.length ? `{ ${value.pairs.map(([k, v]) => `${k} = ${inline(v)}`).join(", ")} }` : "{}");

function tablePairs(model, table, state) {
  const kind = state[model.chooser(table)];
  const keys = table.endsWith("optimizer")
    ? [...model.keys(table, state), ...model.around(table, state)] : model.keys(table, state);
  return [[table.endsWith("optimizer") ? "name" : "kind", JSON.stringify(kind)],
          ...pairsOf(model, table, keys, state)];
}
const lines = (pairs) => pairs.map(([key, value]) => `${key} = ${inline(value)}\n`).join("");

function runPairs(state) {
  const pairs = [["steps", number(state["run.steps"])]];
  if (state["run.points"] !== "50") pairs.push(["points", number(state["run.points"])]);
  for (const [key, usual] of [["spacing", "linear"], ["signal", "auto"]])
    if (state[`run.${key}`] !== usual) pairs.push([key, JSON.stringify(state[`run.${key}`])]);
  return pairs;
}

/** The problem file of side "a" or "b": what the engine runs, letter by letter. */
export function tomlOf(model, side, state) {
  const matrix = state["problem.geometry"] === "matrix";
  let text = "[problem]\n" + (matrix ? 'geometry = "matrix"\n' : "");
  for (const table of model.tables(state)) {
    const pairs = tablePairs(model, table, state);
    text += `${table.slice("problem.".length)} = ${inline({ pairs })}\n`;
  }
  text += `\n[optimizer]\n${lines(tablePairs(model, `${side}.optimizer`, state))}`;
  text += `\n[schedule]\n${lines(tablePairs(model, `${side}.schedule`, state))}`;
  return `${text}\n[run]\n${lines(runPairs(state))}`;
}

/** The class of an optimizer in the package: its name with the capitals of its title. */
export function className(kind, title) {
  const words = title.split(" ");
  const joined = words.map((word) => word[0].toUpperCase() + word.slice(1)).join("");
  if (joined.toLowerCase() === kind.replaceAll("_", "")) return joined;
  const known = Object.fromEntries(words.map((word) => [word.toLowerCase(), word]));
  return kind.split("_").map((word) =>
    known[word] && known[word] !== word ? known[word] : word[0].toUpperCase() + word.slice(1)).join("");
}
const reserved = new Set(["from", "lambda", "in", "is"]);
const python = (value, key) => {
  if (value === "true" || value === "false") return value === "true" ? "True" : "False";
  if (typeof value === "string") return value;
  if (key === "average") return call(`${value.kind}_average`, value.pairs.slice(1));
  if (!value.kind) return call(key, value.pairs);
  return `{${value.pairs.map(([k, v]) => `"${k}": ${python(v, k)}`).join(", ")}}`;
};
const call = (name, pairs) =>
  `rc.${name}(${pairs.map(([key, value]) => `${key}${reserved.has(key) ? "_" : ""}=${python(value, key)}`).join(", ")})`;

function pythonTable(model, table, state) {
  const [[, quoted], ...pairs] = tablePairs(model, table, state);
  const kind = JSON.parse(quoted);
  if (table.endsWith("optimizer")) return call(className(kind, model.kind(table, state).title), pairs);
  return call(plainName(table) === "target" ? `${kind}_target` : kind === "none" ? "no_noise" : kind, pairs);
}

/** The calls of the package for what the page shows. */
export function pythonOf(model, sides, state) {
  const matrix = state["problem.geometry"] === "matrix";
  const parts = model.tables(state).map((table) =>
    `    ${table.slice("problem.".length)}=${pythonTable(model, table, state)},\n`);
  const run = runPairs(state).map(([key, value]) => `${key}=${value}`).join(", ");
  const signal = state["run.signal"] === "auto" ? "" : `, signal=${JSON.stringify(state["run.signal"])}`;
  let text = `import riskcurve as rc\n\nproblem = rc.${matrix ? "Matrix" : "Vector"}Problem(\n${parts.join("")})\n`;
  for (const side of sides) {
    const end = sides.length > 1 ? `_${side}` : "";
    text += `optimizer${end} = ${pythonTable(model, `${side}.optimizer`, state)}\n`;
    text += `curve${end} = rc.predict(problem, optimizer${end}, ${pythonTable(model, `${side}.schedule`, state)}, ${run}, bands=True)\n`;
    text += `best${end} = rc.optimum(problem, optimizer${end}, steps=${state["run.steps"]}${signal})\n`;
  }
  return text;
}

/** The fields that a link holds: those the problem files read, and what the page shows. */
export function linkOf(model, state) {
  const kept = new Set(["tab", "b", "tuned", "problem.geometry", "run.steps", "run.points", "run.spacing", "run.signal"]);
  const tables = [...model.tables(state), "a.optimizer", "a.schedule"];
  if (state.b === "on") tables.push("b.optimizer", "b.schedule");
  const add = (table, keys) => {
    for (const key of keys) {
      const field = `${table}.${key.key}`;
      if (key.type !== "table") kept.add(field);
      const kind = key.type === "table" && innerKind(field, key, state);
      if (kind) add(field, [...kind.keys, { key: "kind" }]);
      else if (key.type === "table" && key.given) kept.add(`${field}.kind`);
    }
  };
  for (const table of tables) {
    kept.add(model.chooser(table));
    add(table, model.keys(table, state));
    if (table.endsWith("optimizer")) add(table, model.around(table, state));
  }
  const link = new URLSearchParams();
  for (const field of Object.keys(state).sort())
    if ((kept.has(field) || field.startsWith("map.")) && state[field] !== "") link.set(field, state[field]);
  return `#${link}`;
}
export const stateOf = (link) => Object.fromEntries(new URLSearchParams(link.replace(/^#/, "")));
