// The third tab: which of two optimizers is ahead on power laws, over (alpha, beta), and their risks
// at the point under the pointer.
import { element } from "./forms.js";
import { Chart, colour, short } from "./plots.js";

const byId = (id) => document.getElementById(id);
const RANGE = { alpha: [0.2, 1.5], beta: [0, 1.5] };
/** Of maps that are computed while one looks. */
const COARSE = { alpha: 14, beta: 10 };
const spread = ([from, to], count) => Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

export class Phases {
  constructor(page) {
    this.page = page;
    this.panel = byId("panel-phases");
  }
  again() {
    if (!this.chart) return;
    this.chart.again();
    this.paint();
  }
  title(name) {
    return this.page.model.catalogue.optimizer.find((kind) => kind.kind === name).title;
  }
  show() {
    const { state, forms, model } = this.page;
    const able = model.catalogue.of_a_map.map((name) => [name, this.title(name)]);
    state["map.first"] ??= "sign_sgd";
    state["map.second"] ??= "sign_svd";
    state["map.alpha"] ??= "0.5";
    state["map.beta"] ??= "0.4";
    for (const key of ["dimension", "batch"]) state[`map.${key}`] ??= "1e6";
    const chosen = (field) => (text) => { state[field] = text; this.page.changed(field, "value"); this.start(); };
    const number = (field, label) => {
      const row = forms.key(field, { key: field, type: "int", required: true });
      row.querySelector("label").textContent = label;
      for (const input of row.querySelectorAll("input")) input.addEventListener("change", () => this.start());
      return row;
    };
    this.sliders = ["alpha", "beta"].map((name) => {
      const field = `map.${name}`, [low, high] = RANGE[name];
      const row = forms.key(field, { key: name, type: "float", required: true, low, high });
      row.querySelector("label").textContent = name === "alpha" ? "data exponent α, eigenvalues j^(−2α)" : "target exponent β, j^(−2β)";
      const range = element("input", { type: "range", min: low, max: high, step: 0.01, value: state[field], "aria-label": `${name}, slider` });
      const text = row.querySelector("input");
      range.addEventListener("input", () => { text.value = range.value; forms.set(field, range.value); this.point(); });
      text.addEventListener("input", () => { range.value = text.value; this.point(); });
      row.append(range);
      return { field, text, range };
    });
    this.canvas = element("canvas", { role: "img", "aria-label": "map of phases; the sliders move the point", width: 10, height: 10 });
    const move = (event) => {
      if (event.type === "pointermove" && event.pointerType !== "mouse" && !event.buttons) return;
      const box = this.canvas.getBoundingClientRect(), frame = this.frame(box.width, box.height);
      const share = [(event.clientX - box.left - frame.left) / frame.width, 1 - (event.clientY - box.top - frame.top) / frame.height];
      this.sliders.forEach(({ field, text, range }, i) => {
        const [low, high] = RANGE[i ? "beta" : "alpha"];
        text.value = range.value = state[field] = (low + (high - low) * Math.min(1, Math.max(0, share[i]))).toFixed(3);
      });
      this.page.changed("map", "value");
      this.point();
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerdown", move);
    this.key = element("ul", { class: "key" });
    this.progress = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "map in the making" });
    const chart = element("div", { class: "chart", role: "img", "aria-label": "no risks yet" });
    this.words = element("div", {});
    this.panel.replaceChildren(
      element("div", { class: "card" }, element("h2", {}, "Who wins on power laws"),
        element("p", {}, "An N × N matrix, inputs with eigenvalues j^(−2α) in a generic orientation, target j^(−2β), no label noise; each optimizer at its best constant step for every horizon, by the rates of small signals: what riskcurve phases --small draws."),
        element("div", { class: "settings" },
          forms.choice("map.first", "first optimizer", able, chosen("map.first")), forms.choice("map.second", "second optimizer", able, chosen("map.second")),
          number("map.dimension", "N"), number("map.batch", "batch"))),
      element("div", { class: "map" },
        element("div", { class: "card" }, this.canvas, this.key, this.progress,
          ...this.sliders.map(({ text }) => text.closest(".field"))),
        element("div", { class: "card" }, element("h2", {}, "At the point: risk at the best step, by horizon"), chart, this.words)));
    this.chart = new Chart(chart, () => 300);
    new ResizeObserver(() => this.paint()).observe(this.canvas.parentElement);
    this.start();
  }
  values(alpha, beta) {
    const { state } = this.page;
    return [state["map.first"], state["map.second"], Number(state["map.dimension"]), Number(state["map.batch"]),
            alpha, beta];
  }
  /** The map that was made beforehand, or one column after another. */
  async start() {
    const { state, slow } = this.page;
    slow.drop(() => true);
    const made = window.RISKCURVE_MAPS.find((map) => map.first === state["map.first"] && map.second === state["map.second"] &&
      map.dimension === Number(state["map.dimension"]) && map.batch === Number(state["map.batch"]));
    this.map = made ?? { alpha: spread(RANGE.alpha, COARSE.alpha), beta: spread(RANGE.beta, COARSE.beta), phase: [] };
    this.point();
    this.paint();
    this.progress.hidden = Boolean(made);
    const map = this.map;
    for (let i = 0; !made && i < map.alpha.length; ++i) {
      const answer = await slow.ask("map", "ask_phases", this.values(map.alpha[i], map.beta.join(" ")));
      if (!answer || map !== this.map) return;
      if (answer.error) break;
      map.phase.push(answer.map.phase);
      this.progress.value = (i + 1) / map.alpha.length;
      this.paint();
    }
    this.progress.hidden = true;
  }
  frame(width, height) {
    return { left: 44, top: 10, width: width - 54, height: height - 50 };
  }
  paint() {
    const width = this.canvas.parentElement.clientWidth - 28, height = Math.min(400, Math.round(width * 0.8));
    if (!(width > 60)) return;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d"), frame = this.frame(width, height), { map } = this, { state } = this.page;
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    const place = (name, v) => {
      const share = (v - RANGE[name][0]) / (RANGE[name][1] - RANGE[name][0]);
      return name === "alpha" ? frame.left + share * frame.width : frame.top + (1 - share) * frame.height;
    };
    const cell = [frame.width / map.alpha.length, frame.height / map.beta.length];
    map.phase.forEach((column, i) => column.forEach((phase, j) => {
      pen.fillStyle = colour(`--phase-${phase}`);
      pen.fillRect(frame.left + i * cell[0], frame.top + (map.beta.length - 1 - j) * cell[1], cell[0] + 0.6, cell[1] + 0.6);
    }));
    pen.strokeStyle = colour("--edge");
    pen.strokeRect(frame.left, frame.top, frame.width, frame.height);
    pen.fillStyle = colour("--soft");
    pen.textAlign = "center";
    for (const v of [0.2, 0.5, 1, 1.5]) pen.fillText(v, place("alpha", v), height - 24);
    pen.fillText("data exponent α", frame.left + frame.width / 2, height - 6);
    pen.textAlign = "right";
    for (const v of [0, 0.5, 1, 1.5]) pen.fillText(v, frame.left - 6, place("beta", v) + 4);
    pen.save();
    pen.translate(12, frame.top + frame.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText("target exponent β", 0, 0);
    pen.restore();
    const [x, y] = [place("alpha", Number(state["map.alpha"])), place("beta", Number(state["map.beta"]))];
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x, frame.top);
    pen.lineTo(x, frame.top + frame.height);
    pen.moveTo(frame.left, y);
    pen.lineTo(frame.left + frame.width, y);
    pen.stroke();
    const kinds = this.kinds();
    this.key.replaceChildren(...kinds.map((text, i) => element("li", {}, element("i", { style: `background: var(--phase-${i})` }), text)));
  }
  kinds() {
    const [first, second] = [this.title(this.page.state["map.first"]), this.title(this.page.state["map.second"])];
    return [`${first} ahead at every horizon`, "the order changes", `${second} ahead at every horizon`, "within 1 %"];
  }
  async point() {
    const { state, lane } = this.page;
    this.paint();
    const began = performance.now();
    const answer = await lane.ask("point", "ask_phases", this.values(Number(state["map.alpha"]), state["map.beta"]));
    if (!answer) return;
    if (answer.error) {
      this.words.replaceChildren(element("p", { class: "failure" }, answer.error.line));
      return;
    }
    const names = [state["map.first"], state["map.second"]], { map, horizons } = answer;
    const lines = names.map((name, i) => ({ label: this.title(name), x: horizons, colour: i ? "--b" : "--a", points: true,
      y: horizons.map((_, h) => map[`${name}_risk_${h + 1}`][0]) }));
    const phase = this.kinds()[map.phase[0]];
    this.chart.draw({ lines, xLabel: "horizon T, steps", yLabel: "R at the best step", logX: true, logY: true,
      summary: `${phase}: ${lines.map((line) => `${line.label} from ${short(line.y[0])} to ${short(line.y.at(-1))}`).join("; ")}` },
      () => performance.measure("to point", { start: began }));
    const rows = names.map((name) => element("tr", {}, element("th", { scope: "row" }, this.title(name)),
      ...[map[`${name}_exponent`], map[`${name}_exponent_derived`]].map((x) => element("td", { "data-value": x?.[0] }, short(x?.[0] ?? null)))));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...["", "exponent e fitted, R ~ T^(−e)", "derived"].map((text) =>
      element("th", { scope: "col" }, text)))), element("tbody", {}, ...rows));
    this.words.replaceChildren(element("p", {}, `α = ${state["map.alpha"]}, β = ${state["map.beta"]}: ${phase}.`), element("div", { class: "scroll" }, table));
    byId("live").textContent = `${phase} at alpha ${state["map.alpha"]}, beta ${state["map.beta"]}.`;
  }
}
