// The first tab: curves, what other steps cost, how fast modes learn, the numbers, the doubts.
import { Chart, short, spansADecade } from "./plots.js";
import { element } from "./forms.js";
import { labelOfSide, plainWarning } from "./words.js";

const narrow = () => window.matchMedia("(max-width: 860px)").matches;
const byId = (id) => document.getElementById(id);

export class Curves {
  constructor() {
    this.curve = new Chart(byId("chart-curve"), () => (narrow() ? 190 : 380));
    this.cost = new Chart(byId("chart-cost"), () => 260);
    this.rates = new Chart(byId("chart-rates"), () => 260);
    this.charts = [this.curve, this.cost, this.rates];
  }
  again() {
    for (const chart of this.charts) chart.again();
  }
  /** found[side] = { predict, optimum, rates, bands, preview }: what has been answered, each or null. */
  drawCurve(found, sides, state, onDrawn) {
    const lines = [];
    for (const side of sides) {
      const curve = found[side].predict ?? found[side].preview;
      if (!curve?.risk) continue;
      const name = labelOfSide(side, sides, found[side].name), bands = found[side].bands;
      const banded = bands?.low && found[side].predict ? { low: bands.low, high: bands.high } : {};
      lines.push({ label: found[side].predict ? name : `${name}, a first look`, x: curve.steps, y: curve.risk,
                   colour: `--${side}`, dash: found[side].predict ? undefined : [6, 4], ...banded });
      if (curve.averaged_risk)
        lines.push({ label: `${name}, of the average`, x: curve.steps, y: curve.averaged_risk, colour: `--${side}`, dash: [2, 3] });
    }
    const logY = spansADecade(lines.flatMap((line) => [line.y.filter((v) => v !== 0), line.low ?? []]));
    const summary = lines.map((line) => `${line.label}: risk from ${short(line.y[0])} to ${short(line.y.at(-1))} after ${short(line.x.at(-1))} steps`);
    this.figure = { lines, xLabel: "steps k", yLabel: "excess risk R", logX: state["run.spacing"] === "log", logY,
                    summary: summary.length ? summary.join("; ") : "no curve" };
    this.curve.draw(this.figure, onDrawn);
  }
  drawCost(found, sides, onDrawn) {
    const lines = [];
    for (const side of sides) {
      const optimum = found[side].optimum ?? found[side].firstOptimum;
      if (!optimum?.around) continue;
      const first = found[side].optimum ? "" : ", a first look";
      // Of steps that leave more than twice the risk of the start nothing is to be seen but the scale.
      const most = 2 * (found[side].predict?.risk[0] ?? Infinity);
      lines.push({ label: labelOfSide(side, sides, found[side].name) + first, x: optimum.around.step,
                   y: optimum.around.risk.map((risk) => (risk > most ? null : risk)), colour: `--${side}`, points: true });
    }
    const summary = sides.filter((side) => found[side].optimum?.around).map((side) => {
      const { step, risk, around } = found[side].optimum;
      return `${labelOfSide(side, sides, found[side].name)}: best step ${short(step)}, risk ${short(risk)}; half of it costs ${short(around.above_percent[2])} percent, twice it ${short(around.above_percent[6])} percent`;
    }).join("; ");
    this.cost.draw({ lines, xLabel: "step size γ, constant", yLabel: "R at the end", logX: true,
                     logY: spansADecade(lines.map((line) => line.y)), summary: summary || "no optimum yet" }, onDrawn);
  }
  drawRates(found, sides) {
    const lines = [];
    for (const side of sides) {
      const rates = found[side].rates;
      if (!rates?.drift) continue;
      const name = labelOfSide(side, sides, found[side].name);
      lines.push({ label: name, x: rates.index, y: rates.drift.map((a) => a * rates.step), colour: `--${side}` });
    }
    const summary = lines.map((line) => `${line.label}: mode 1 learns ${short(line.y[0])} of itself a step, mode ${short(line.x.at(-1))} ${short(line.y.at(-1))}`);
    this.rates.draw({ lines, xLabel: "mode j, the largest eigenvalue first", yLabel: "learned a step, γ a", logX: true, logY: true,
                      summary: summary.join("; ") || "no rates yet" });
  }
  drawNumbers(found, sides) {
    const sections = sides.map((side) => {
      const { predict, preview, bands, name, failed } = found[side];
      const curve = predict ?? preview, optimum = found[side].optimum ?? found[side].firstOptimum;
      const first = found[side].optimum ? "" : " (a first look)";
      const pairs = [];
      if (curve?.risk) {
        pairs.push([`R after ${short(curve.steps.at(-1))} steps${predict ? "" : " (a first look)"}`, short(curve.risk.at(-1)), curve.risk.at(-1)]);
        if (bands?.low) pairs.push(["95 of 100 runs end between", `${short(bands.low.at(-1))} and ${short(bands.high.at(-1))}`]);
        if (curve.largest_stable_step) pairs.push(["steps diverge above", short(curve.largest_stable_step)]);
      }
      if (optimum?.step) {
        pairs.push([`best constant step γ*${first}`, short(optimum.step), optimum.step], ["R at γ*", short(optimum.risk), optimum.risk]);
        if (curve?.risk?.length && !first) {
          const ratio = curve.risk.at(-1) / optimum.risk, above = 100 * (ratio - 1);
          pairs.push(["your schedule, against γ*", ratio >= 10 ? `${short(ratio)} times` : `${above >= 0 ? "+" : "−"}${short(Math.abs(above))} %`]);
        }
      }
      if (optimum?.error) pairs.push(["best constant step γ*", "none found"]);
      return element("section", { class: `side-${side}` }, element("h3", {}, labelOfSide(side, sides, name)),
        failed ? element("p", {}, "No curve: see the message above.")
          : element("dl", {}, ...pairs.map(([key, text, value]) => element("div", {}, element("dt", {}, key), element("dd", { "data-value": value }, text)))));
    });
    byId("numbers").replaceChildren(...sections);
  }
  drawTrust(found, sides) {
    const cards = [];
    for (const side of sides) {
      const lines = new Set([...(found[side].predict?.warnings ?? []), ...(found[side].bands?.warnings ?? [])]);
      for (const error of [found[side].optimum?.error, found[side].rates?.error])
        if (error) lines.add(error.line);
      for (const line of lines)
        cards.push(element("div", { class: "warning" },
          `${sides.length > 1 ? `${side.toUpperCase()}: ` : ""}${plainWarning(line)}`, element("small", {}, line)));
    }
    const known = sides.every((side) => found[side].predict);
    byId("trust").replaceChildren(element("h2", {}, "How far to trust it"),
      ...(cards.length ? cards : [element("p", {}, known ? "Nothing speaks against the prediction: many directions share the risk, and steps are small." : "Nothing to say without a curve.")]));
  }
  drawTable(found, sides) {
    const columns = sides.map((side) => found[side].predict).filter(Boolean);
    const head = element("tr", {}, element("th", { scope: "col" }, "step"), ...sides.flatMap((side) => {
      const name = labelOfSide(side, sides, found[side].name);
      return found[side].bands?.low ? [name, "low", "high"] : [name];
    }).map((text) => element("th", { scope: "col" }, text)));
    const rows = (columns[0]?.steps ?? []).map((step, i) => element("tr", {}, element("th", { scope: "row" }, String(step)),
      ...sides.flatMap((side) => {
        const bands = found[side].bands;
        return [found[side].predict?.risk[i], ...(bands?.low ? [bands.low[i], bands.high[i]] : [])];
      }).map((x) => element("td", { "data-value": x }, short(x)))));
    byId("table").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  }
}
