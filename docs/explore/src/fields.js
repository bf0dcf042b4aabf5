// What the state of the page is: one text for every field of a problem file, by its dotted name
// ("problem.covariance.alpha"), fields of an optimizer under "a." or "b.". From the catalogue of the
// library comes which fields there are; from here only where a slider starts and ends, and words.

/** key: [start, from, to, "log" | "lin"]; of a required key the start is its first value. */
const SLIDERS = {
  "covariance.dimension": [2000, 10, 1e6, "log"],
  "covariance_in.dimension": [200, 10, 1e4, "log"],
  "covariance_out.dimension": [200, 10, 1e4, "log"],
  "covariance.alpha": [0.25, 0, 1.5, "lin"],
  "covariance.value": [1, 0.01, 100, "log"],
  "covariance.length": [50, 1, 1e4, "log"],
  "covariance.ratio": [0.5, 0.05, 20, "log"],
  "covariance.correlation": [0.5, -0.95, 0.95, "lin"],
  "covariance.bulk": [1, 0.001, 10, "log"],
  "target.beta": [0.2, 0, 1.5, "lin"],
  "target.risk": [1, 1e-3, 1e3, "log"],
  "noise.std": [0.2, 1e-3, 10, "log"],
  "noise.scale": [0.2, 1e-3, 10, "log"],
  "noise.half_width": [0.3, 1e-3, 10, "log"],
  "noise.nu": [3, 0.5, 50, "log"],
  "optimizer.batch": [4, 1, 4096, "log"],
  "optimizer.exponent": [0.5, 0, 1, "lin"],
  "optimizer.threshold": [1, 0.01, 100, "log"],
  "optimizer.epsilon": [0.1, 1e-4, 10, "log"],
  "optimizer.share": [0.2, 0, 0.99, "lin"],
  "optimizer.momentum": [0, 0, 0.99, "lin"],
  "optimizer.ns_steps": [5, 1, 10, "lin"],
  "optimizer.local.steps": [10, 1, 1000, "log"],
  "optimizer.lookahead.sync_period": [5, 1, 1000, "log"],
  "schedule.step": [5e-4, 1e-6, 1, "log"],
  "schedule.exponent": [0.5, 0, 3, "lin"],
  "schedule.decay": [0.2, 0.01, 1, "lin"],
  "schedule.delay": [100, 1, 1e5, "log"],
  "run.steps": [4000, 10, 1e5, "log"],
  "run.points": [50, 5, 400, "log"],
  "tuned": [1e-3, 1e-6, 1, "log"],
  "map.dimension": [1e6, 100, 1e9, "log"],
  "map.batch": [1e6, 1, 1e9, "log"],
};
/** First values of required lists. */
const LISTS = {
  "covariance.values": "4, 2, 1, 0.5, 0.25",
  "covariance.spikes": "10, 5, 2",
  "covariance.first_row": "1, 0.5, 0.25, 0.125",
  "noise.sample": "-1, -0.2, 0.1, 0.3, 0.8",
  "schedule.at": "0, 1000, 4000",
  "schedule.from": "0, 2000",
  "schedule.step": "5e-4, 1e-4",
};
const LABELS = {
  "covariance.alpha": "decay α, λⱼ = j^(−2α)",
  "covariance.dimension": "dimension d",
  "covariance.orientation": "orientation of eigenvectors",
  "target.beta": "decay β of the target, j^(−2β)",
  "target.risk": "risk at the start, R(0)",
  "noise.nu": "degrees of freedom ν",
  "noise.std": "standard deviation",
  "optimizer.batch": "batch",
  "optimizer.alpha": "α, decay of squares",
  "optimizer.betas": "β₁, β₂",
  "optimizer.exponent": "exponent",
  "optimizer.l2": "l2 (in the gradient)",
  "schedule.step": "step size γ",
  "schedule.warmup": "warm-up, steps",
  "schedule.horizon": "horizon (the run's steps)",
  "schedule.decay": "share that decays",
  "run.steps": "steps of the run",
  "run.points": "recorded steps",
  "run.signal": "signal the theory allows for",
};
/** Kept when another kind is chosen. */
const KEPT = new Set(["dimension", "batch", "step", "risk", "orientation", "scale", "warmup"]);

/** "covariance.alpha" of "problem.covariance_in.alpha", "optimizer.batch" of "a.optimizer.batch". */
export const plainName = (field) =>
  field.replace(/^(problem|a|b)\./, "").replace(/^covariance_(in|out)\b/, "covariance");
const hintOf = (field) => SLIDERS[field.replace(/^problem\./, "")] ?? SLIDERS[plainName(field)];
const lastOf = (field) => field.slice(field.lastIndexOf(".") + 1);

export const labelOf = (field) =>
  LABELS[plainName(field)] ?? lastOf(field).replaceAll("_", " ");

/** Where the slider of a field runs; null: it has none. */
export function sliderOf(field, key) {
  if (key.type !== "int" && key.type !== "float" && key.type !== "schedule") return null;
  const known = hintOf(field);
  if (known) return { from: known[1], to: known[2], log: known[3] === "log", whole: key.type === "int" };
  if (!(Number.isFinite(key.low) && Number.isFinite(key.high) && key.high <= 1)) return null;
  return { from: key.low, to: key.high, log: false, whole: key.type === "int" };
}

/** The text that a field starts with; "" for one that may be left out. */
export function startOf(field, key) {
  const name = plainName(field);
  if (key.type === "list") return LISTS[name] ?? (key.default?.length ? key.default.join(", ") : "");
  if (key.type === "pair") return key.default.join(", ");
  if (key.type === "bool") return String(key.default);
  if (key.required || key.default === null || key.default === undefined)
    return key.required ? String(hintOf(field)?.[0] ?? 1) : "";
  return String(key.default);
}

/** Whether a kind needs no file and no matrix: those the page cannot be given. */
export function isOffered(kind) {
  const types = kind.keys.map((key) => key.type);
  if (types.includes("entries") || types.includes("laws")) return false;
  return !types.includes("path") || types.includes("list");
}
/** Its keys that the page shows. */
export const shownKeys = (kind) =>
  kind.keys.filter((key) => key.type !== "path" && !["count", "first", "last", "horizon"].includes(key.key));

/** Tables of the state: where their kinds are listed. */
export class Model {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.chain = catalogue.chain.keys;
  }
  kinds(table, state) {
    const c = this.catalogue;
    if (table.endsWith("optimizer")) {
      const able = c[state["problem.geometry"] === "matrix" ? "of_a_matrix" : "of_a_vector"];
      return c.optimizer.filter((kind) => able.includes(kind.kind));
    }
    if (table.endsWith("schedule")) return c.schedule;
    const name = plainName(table);
    const list = name === "target" ? c[`${state["problem.geometry"]}_target`] : c[name];
    return list.filter(isOffered);
  }
  /** "name" of an optimizer, else "kind". */
  chooser(table) {
    return `${table}.${table.endsWith("optimizer") ? "name" : "kind"}`;
  }
  kind(table, state) {
    return this.kinds(table, state).find((kind) => kind.kind === state[this.chooser(table)]);
  }
  keys(table, state) {
    const kind = this.kind(table, state);
    if (!kind) return [];
    const keys = shownKeys(kind);
    return table.endsWith("schedule")
      ? [...keys, { key: "warmup", type: "int", default: 0, low: 0, high: null }]
      : keys;
  }
  /** The keys around the update that are not the optimizer's own. */
  around(table, state) {
    const own = new Set(this.kind(table, state)?.keys.map((key) => key.key));
    return this.chain.filter((key) => !own.has(key.key)).map((key) =>
      key.key === "weight_decay" ? { ...key, default: this.kind(table, state)?.weight_decay ?? 0 }
      : key.key === "momentum" ? { ...key, default: 0 } : key);
  }
  /** The tables that a problem of this geometry has. */
  tables(state) {
    const sides = state["problem.geometry"] === "matrix" ? ["covariance_out", "covariance_in"] : ["covariance"];
    return [...sides, "target", "noise"].map((name) => `problem.${name}`);
  }
  /** Puts a kind into a table, and what its keys start with. */
  choose(table, kind, state) {
    const chosen = this.kinds(table, state).find((other) => other.kind === kind) ?? this.kinds(table, state)[0];
    const keys = [...chosen.keys, { key: "warmup" }];
    for (const field of Object.keys(state))
      if (field.startsWith(`${table}.`)) {
        const key = field.slice(table.length + 1);
        if (!KEPT.has(key) || !keys.some((other) => other.key === key)) delete state[field];
      }
    state[this.chooser(table)] = chosen.kind;
    for (const key of this.keys(table, state)) {
      const field = `${table}.${key.key}`, listed = key.type === "list";
      if (state[field] === undefined || listed !== state[field].includes(",")) state[field] = startOf(field, key);
    }
  }
  /** Every table has a kind that its geometry knows, every required key a value. */
  complete(state) {
    state["problem.geometry"] ??= "vector";
    const tables = [...this.tables(state), "a.optimizer", "a.schedule"];
    if (state.b === "on") tables.push("b.optimizer", "b.schedule");
    const first = { covariance: "power_law", target: "power_law", noise: "gaussian", schedule: "constant" };
    for (const table of tables) {
      const kind = this.kind(table, state);
      if (!kind) {
        const start = table === "a.optimizer" ? "sign_sgd" : table === "b.optimizer" ? "sgd"
          : table === "problem.covariance_out" ? "isotropic" : first[plainName(table)];
        this.choose(table, start, state);
      }
      for (const key of this.keys(table, state)) state[`${table}.${key.key}`] ??= startOf(`${table}.${key.key}`, key);
    }
    state["run.steps"] ??= "4000";
    state["run.points"] ??= "50";
    state["run.spacing"] ??= "linear";
    state["run.signal"] ??= "auto";
    return state;
  }
}

/** From a slider's 0 .. 1000 to a number of few digits, and back. */
export function fromSlider(slider, position) {
  const share = position / 1000;
  const x = slider.log ? slider.from * (slider.to / slider.from) ** share
    : slider.from + (slider.to - slider.from) * share;
  if (slider.whole) return String(Math.round(Number(x.toPrecision(3))));
  return String(slider.log ? Number(x.toPrecision(3)) : Number(x.toFixed(3)));
}
export function toSlider(slider, text) {
  const x = Number(text);
  const share = slider.log ? Math.log(x / slider.from) / Math.log(slider.to / slider.from)
    : (x - slider.from) / (slider.to - slider.from);
  return Number.isFinite(share) ? Math.round(1000 * Math.min(1, Math.max(0, share))) : 0;
}
