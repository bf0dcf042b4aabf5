// The page: state, questions to the engine, and what is drawn when answers come.
import { Model } from "./fields.js";
import { Forms, element, markError } from "./forms.js";
import { linkOf, pythonOf, stateOf, tomlOf } from "./texts.js";
import { loadEngine } from "./engine.js";
import { Curves } from "./curves.js";
import { Steps } from "./steps.js";
import { Phases } from "./phases.js";
import { pngOf, save, svgOf } from "./save.js";
import { short } from "./plots.js";

const byId = (id) => document.getElementById(id);
const FIRST = { "problem.covariance.kind": "power_law", "problem.covariance.dimension": "500", "problem.noise.kind": "gaussian",
                "a.optimizer.name": "sign_sgd", "a.optimizer.batch": "4", "a.schedule.kind": "constant", "a.schedule.step": "5e-4" };
/** A first look is shown where the answer takes longer than this, in ms. */
const PATIENCE = 200;

/** What a best step depends on. */
const withoutSchedule = (toml) => toml.split("\n[schedule]\n")[0] + toml.split("\n[run]\n")[1];

class Page {
  constructor(lane, slow, model) {
    Object.assign(this, { lane, slow, model, version: 0, optima: new Map() });
    this.curves = new Curves();
    this.steps = new Steps(this);
    this.phases = new Phases(this);
    this.listen();
    this.load();
  }
  sides() {
    return this.state.b === "on" ? ["a", "b"] : ["a"];
  }
  load() {
    const given = stateOf(location.hash);
    this.state = this.model.complete(Object.keys(given).length ? given : { ...FIRST });
    this.build();
    this.show(this.state.tab ?? "curve");
    this.changed("", "value");
  }
  build() {
    const { model, state } = this;
    const forms = new Forms(model, state, (field, change) => this.changed(field, change));
    this.forms = forms;
    const names = { target: "Target", noise: "Label noise", covariance: "Spectrum of the data",
                    covariance_out: "Spectrum, output side", covariance_in: "Spectrum, input side" };
    const problem = element("fieldset", {}, element("legend", {}, "Problem"),
      forms.choice("problem.geometry", "parameters", [["vector", "a vector"], ["matrix", "a matrix"]], (text) => {
        state["problem.geometry"] = text;
        this.changed("problem.geometry", "shape");
      }));
    const tables = model.tables(state).map((table) => forms.table(table, names[table.slice("problem.".length)]));
    const steps = { type: "int", key: "steps", required: true }, points = { type: "int", key: "points", required: true };
    const run = element("fieldset", {}, element("legend", {}, "Run"), forms.key("run.steps", steps), forms.key("run.points", points),
      forms.choice("run.spacing", "spacing", [["linear", "even"], ["log", "in ratio"]], (text) => forms.set("run.spacing", text)),
      forms.choice("run.signal", "signal the theory allows for", model.catalogue.signal.map((text) => [text, text]), (text) => forms.set("run.signal", text)));
    const compare = element("input", { type: "checkbox", id: "compare", onchange: (event) => {
      state.b = event.target.checked ? "on" : "";
      state["b.optimizer.batch"] ??= state["a.optimizer.batch"];
      this.changed("b", "shape");
    } });
    compare.checked = state.b === "on";
    const both = this.sides().flatMap((side) => {
      const optimizer = forms.table(`${side}.optimizer`, `Optimizer ${side.toUpperCase()}`);
      const schedule = forms.table(`${side}.schedule`, `Schedule ${side.toUpperCase()}`);
      for (const set of [optimizer, schedule]) set.classList.add(`side-${side}`);
      return [optimizer, schedule];
    });
    const active = document.activeElement?.id;
    byId("form").replaceChildren(...both.slice(0, 2),
      element("p", { class: "check" }, compare, element("label", { for: "compare" }, "compare with a second optimizer")),
      ...both.slice(2), problem, ...tables, run);
    if (active) byId(active)?.focus({ preventScroll: true });
  }
  /** Of a value: ask again. Of a shape: other controls as well. */
  changed(field, change) {
    if (change === "shape") {
      this.model.complete(this.state);
      this.build();
    }
    clearTimeout(this.linking);
    this.linking = setTimeout(() => {
      const link = linkOf(this.model, this.state);
      if (link !== location.hash) history.replaceState(null, "", link);
    }, 150);
    this.steps.outdated();
    if ((this.state.tab ?? "curve") === "curve") this.ask();
  }
  /** A new answer to everything on the first tab; what was found before stays until then. */
  ask() {
    const began = performance.now(), version = ++this.version, sides = this.sides(), { state, model } = this;
    const old = this.found ?? {};
    this.found = Object.fromEntries(sides.map((side) => [side, {
      name: model.kind(`${side}.optimizer`, state)?.title ?? "", toml: tomlOf(model, side, state) }]));
    for (const side of sides) this.found[side].optimum = this.optima.get(withoutSchedule(this.found[side].toml));
    const current = () => version === this.version;
    const same = (side) => old[side]?.toml === this.found[side].toml && old[side].predict;
    this.slow.drop(() => true);
    byId("toml").textContent = sides.map((side) => (sides.length > 1 ? `# ${side.toUpperCase()}\n` : "") + this.found[side].toml).join("\n");
    byId("python").textContent = pythonOf(model, sides, state);
    document.querySelector('[data-copy="toml-b"]').hidden = sides.length < 2;
    byId("busy").hidden = false;
    document.body.dataset.busy = "curve";
    const waited = setTimeout(() => current() && this.firstLook(sides, current), PATIENCE);
    const answers = sides.map(async (side) => {
      const found = this.found[side];
      if (same(side)) {
        this.found[side] = old[side];
        return true;
      }
      const answer = await this.lane.ask(`predict ${side}`, "ask_predict", [found.toml, 0, 0]);
      if (!answer || !current()) return false;
      if (answer.error) found.failed = answer.error;
      else if (answer.failure) found.failed = { line: answer.failure };
      found.predict = answer.risk ? answer : undefined;
      return true;
    });
    Promise.all(answers).then((done) => {
      clearTimeout(waited);
      if (!done.every(Boolean) || !current()) return;
      const slowly = performance.now() - began > 2 * PATIENCE;
      this.slow.drop((key) => key.startsWith("look"));
      byId("busy").hidden = true;
      this.report(sides);
      this.drawAll(sides, () => performance.measure("to curve", { start: began }));
      clearTimeout(this.later);
      this.later = setTimeout(() => current() && this.askMore(sides, current, began, slowly), 0);
    });
  }
  async firstLook(sides, current) {
    for (const side of sides) {
      if (this.found[side].predict) continue;
      const answer = await this.slow.ask(`look ${side}`, "ask_predict", [this.found[side].toml, 0, 1]);
      if (!answer?.risk || !current() || this.found[side].predict) continue;
      this.found[side].preview = answer;
      this.curves.drawCurve(this.found, sides, this.state);
      this.curves.drawNumbers(this.found, sides);
    }
  }
  /** Optima, rates, bands: after the curve, and let go when the state moves on. */
  async askMore(sides, current, began, slowly) {
    const able = sides.filter((side) => this.found[side].predict);
    byId("busy-cost").hidden = able.length === 0;
    if (able.length === 0) document.body.dataset.busy = "";
    const ask = async (what, question, values, draw) => {
      await Promise.all(able.map(async (side) => {
        const found = this.found[side];
        if (found[what]) return;
        const answer = await this.slow.ask(`${what} ${side}`, question, [found.toml, ...values]);
        if (!answer || !current()) return;
        found[what] = answer;
        if (what === "optimum") this.optima.set(withoutSchedule(found.toml), answer);
        draw?.();
      }));
      return current();
    };
    const drawOptimum = (onDrawn) => {
      this.curves.drawCost(this.found, sides, onDrawn);
      this.curves.drawNumbers(this.found, sides);
    };
    const rates = async () => {
      if (!(await ask("rates", "ask_rates", []))) return false;
      this.curves.drawRates(this.found, sides);
      return true;
    };
    // Where the curve took long, each of the twenty solves of an optimum does.
    if (slowly && this.state["run.signal"] === "auto" && able.some((side) => !this.found[side].optimum)) {
      if (!(await ask("firstOptimum", "ask_optimum", [1], () => drawOptimum()))) return;
      if (!(await rates())) return;
    }
    const another = sides.length > 1 ? () => drawOptimum() : null;
    if (!(await ask("optimum", "ask_optimum", [0], another))) return;
    byId("busy-cost").hidden = true;
    drawOptimum(() => performance.measure("to optimum", { start: began }));
    this.say(sides);
    if (!(await rates())) return;
    this.curves.drawTrust(this.found, sides);
    byId("busy").textContent = "the spread of runs …";
    byId("busy").hidden = false;
    if (!(await ask("bands", "ask_predict", [1, 0]))) return;
    byId("busy").hidden = true;
    byId("busy").textContent = "computing …";
    this.drawAll(sides);
    document.body.dataset.busy = "";
    performance.measure("to bands", { start: began });
  }
  drawAll(sides, onDrawn) {
    this.curves.drawCurve(this.found, sides, this.state, onDrawn);
    this.curves.drawNumbers(this.found, sides);
    this.curves.drawTrust(this.found, sides);
    this.curves.drawTable(this.found, sides);
  }
  report(sides) {
    const lines = [];
    for (const side of ["a", "b"]) {
      const error = sides.includes(side) ? this.found[side].failed : undefined;
      markError(byId("form"), side, error);
      if (error) lines.push(sides.length > 1 ? `${side.toUpperCase()}: ${error.line}` : error.line);
    }
    byId("failure").hidden = lines.length === 0;
    byId("failure").textContent = [...new Set(lines)].join("\n");
  }
  /** The numbers, for those who hear the page. */
  say(sides) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      byId("live").textContent = sides.filter((side) => this.found[side].predict).map((side) => {
        const { predict, optimum, name } = this.found[side];
        const best = optimum?.step ? `, best constant step ${short(optimum.step)} with risk ${short(optimum.risk)}` : "";
        return `${name}: risk ${short(predict.risk.at(-1))} after ${short(predict.steps.at(-1))} steps${best}.`;
      }).join(" ");
    }, 500);
  }
  show(tab) {
    this.state.tab = tab;
    for (const button of document.querySelectorAll('[role="tab"]')) {
      const chosen = button.dataset.tab === tab;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      byId(button.getAttribute("aria-controls")).hidden = !chosen;
    }
    byId("main").classList.toggle("alone", tab === "phases");
    if (tab === "phases") this.phases.show();
    if (tab === "step") this.steps.show();
    byId("failure").hidden = true;
  }
  listen() {
    const tabs = [...document.querySelectorAll('[role="tab"]')];
    const choose = (tab) => { this.show(tab); this.changed("tab", "value"); };
    for (const tab of tabs) {
      tab.addEventListener("click", () => choose(tab.dataset.tab));
      tab.addEventListener("keydown", ({ key }) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (!by) return;
        const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
        next.focus();
        choose(next.dataset.tab);
      });
    }
    window.addEventListener("hashchange", () => this.load());
    for (const button of document.querySelectorAll("[data-copy]"))
      button.addEventListener("click", () => this.copy(button));
    for (const button of document.querySelectorAll("[data-save]"))
      button.addEventListener("click", async () => {
        const svg = svgOf(this.curves.figure, this.sides().map((side) => this.found[side].predict?.title ?? "").join("; "));
        if (button.dataset.save === "svg") save(new Blob([svg], { type: "image/svg+xml" }), "riskcurve.svg");
        else save(await pngOf(svg), "riskcurve.png");
      });
    const theme = byId("theme"), root = document.documentElement;
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const paint = (dark) => {
      root.dataset.theme = dark ? "dark" : "light";
      theme.textContent = dark ? "Light" : "Dark";
      theme.setAttribute("aria-label", dark ? "light colours" : "dark colours");
      this.curves.again();
      this.phases.again();
    };
    paint(system.matches);
    system.addEventListener("change", (event) => paint(event.matches));
    theme.addEventListener("click", () => paint(root.dataset.theme !== "dark"));
  }
  async copy(button) {
    const what = button.dataset.copy, link = linkOf(this.model, this.state);
    const text = what === "toml" ? this.found.a.toml : what === "toml-b" ? this.found.b.toml
      : what === "python" ? byId("python").textContent : location.href.replace(/#.*$/, "") + link;
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // from a folder browsers may refuse the clipboard
      const area = element("textarea", {});
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1200);
  }
}

async function start() {
  try {
    const lane = await loadEngine(window.RISKCURVE_ENGINE);
    const fast = lane(), slow = lane();
    const catalogue = await fast.ask("catalogue", "ask_catalogue", []);
    new Page(fast, slow, new Model(catalogue));
  } catch (error) {
    byId("failure").textContent = `The engine did not start: ${error.message}. It needs a browser of 2023 or later.`;
    byId("failure").hidden = false;
  }
}
start();
