// Charts by uPlot: lines over one axis, each with a band if it has one, either axis logarithmic.
import uPlot from "uplot";

export const short = (x) =>
  x === null || x === undefined || !Number.isFinite(x) ? "–"
  : x === 0 ? "0"
  : Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e")
  : String(Number(x.toPrecision(4)));

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The positive values span more than a decade, and there are no others. */
export function spansADecade(lists) {
  let least = Infinity, most = 0;
  for (const list of lists)
    for (const x of list ?? []) {
      if (x === null) continue;
      if (!(x > 0)) return false;
      least = Math.min(least, x);
      most = Math.max(most, x);
    }
  return most > 10 * least;
}

/** Round numbers along an axis. */
export function ticks(from, to, log) {
  if (log) {
    const list = [], decades = Math.log10(to / from);
    for (let e = Math.floor(Math.log10(from)); e <= Math.ceil(Math.log10(to)); ++e)
      for (const m of decades < 2 ? [1, 2, 5] : [1]) list.push(m * 10 ** e);
    const inside = list.filter((v) => v >= from * 0.999 && v <= to * 1.001);
    const each = Math.ceil(inside.length / 8);
    return inside.filter((_, i) => i % each === 0);
  }
  const rough = (to - from) / 6, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough);
  const list = [];
  for (let k = Math.ceil(from / step); k * step <= to * (1 + 1e-12); ++k) list.push(k * step);
  return list;
}

/** Columns over the union of all x, null where a line has none there. */
function aligned(lines, logX, logY) {
  const clean = (list, log) => list.map((v) => (v === null || !Number.isFinite(v) || (log && !(v > 0)) ? null : v));
  const tables = lines.map(({ x, y, low, high }) => {
    const keep = clean(x, logX).map((v, i) => [v, i]).filter(([v]) => v !== null).sort((p, q) => p[0] - q[0]);
    const of = (list) => { const values = clean(list, logY); return keep.map(([, i]) => values[i]); };
    return [keep.map(([v]) => v), of(y), ...(low ? [of(low), of(high)] : [])];
  });
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

/**
 * A chart in `element` (role img). draw({ lines, xLabel, yLabel, logX, logY, summary }): a line is
 * { label, x, y, low, high, colour, dash, points }. onDrawn is called when it is on the canvas.
 */
export class Chart {
  constructor(element, height) {
    this.element = element;
    this.height = height;
    this.shape = "";
    new ResizeObserver(() => this.fit()).observe(element);
  }
  fit() {
    const width = this.element.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: this.height() });
  }
  draw(figure, onDrawn) {
    this.figure = figure;
    this.drawn = onDrawn;
    this.element.setAttribute("aria-label", figure.summary);
    const { lines, logX, logY } = figure;
    const data = lines.length ? aligned(lines, logX, logY) : [[], []];
    const shape = JSON.stringify([logX, logY, figure.xLabel, figure.yLabel, this.height(),
      lines.map(({ label, colour: c, dash, points, low }) => [label, c, dash, points, !!low])]);
    if (shape === this.shape) {
      this.plot.setData(data);
      return;
    }
    this.shape = shape;
    this.plot?.destroy();
    this.element.replaceChildren();
    this.plot = new uPlot(this.options(figure), data, this.element);
  }
  /** In new colours. */
  again() {
    this.shape = "";
    if (this.figure) this.draw(this.figure);
  }
  options({ lines, xLabel, yLabel, logX, logY }) {
    const series = [{ label: xLabel, value: (_, v) => short(v) }], bands = [];
    for (const line of lines) {
      const stroke = colour(line.colour), at = series.length;
      series.push({ label: line.label, stroke, width: 2, dash: line.dash, spanGaps: true, value: (_, v) => short(v),
                    points: { show: !!line.points, size: 6, fill: stroke } });
      if (!line.low) continue;
      for (const end of ["low", "high"])
        series.push({ label: `${line.label}, ${end}`, class: "quiet", stroke: `${stroke}55`, width: 1, value: (_, v) => short(v),
                      points: { show: false } });
      bands.push({ series: [at + 2, at + 1], fill: `${stroke}22` });
    }
    const axis = (label, log, size) => ({
      // Its own on a logarithmic axis do not end where the scale starts between powers of ten.
      ...(log ? { splits: (_, __, from, to) => ticks(from, to, true) } : {}),
      label, labelSize: 22, labelFont: "13px system-ui, sans-serif", font: "12px system-ui, sans-serif",
      stroke: colour("--soft"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { stroke: colour("--grid"), width: 1 },
      filter: (_, splits) => splits, values: (_, splits) => splits.map((v) => (v === null ? "" : short(v))), ...(size ? { size } : {}),
    });
    const scale = (log) => ({
      time: false, distr: log ? 3 : 1, log: 10,
      range: (_, from, to) => {
        if (from === null) return log ? [0.1, 10] : [0, 1];
        if (from === to) return log ? [from / 2, to * 2] : [from - 1, to + 1];
        if (!log) return [from, to];
        const margin = (to / from) ** 0.03;
        return [from / margin, to * margin];
      },
    });
    const y = scale(logY);
    if (!logY) y.range = (_, from, to) => (from === null ? [0, 1] : uPlot.rangeNum(Math.min(from, 0), to, 0.08, true));
    return {
      pxAlign: 0, width: this.element.clientWidth || 600, height: this.height(), series, bands,
      scales: { x: scale(logX), y }, axes: [axis(xLabel, logX, 34), axis(yLabel, logY, 62)],
      cursor: { drag: { x: false, y: false } }, legend: { live: true },
      hooks: { draw: [() => { const done = this.drawn; this.drawn = null; done?.(); }] },
    };
  }
}
