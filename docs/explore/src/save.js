// A figure as an SVG of its own, and as a PNG of that.
import { colour, short, ticks } from "./plots.js";

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** The figure of a Chart (plots.js), 800 by 500, in the colours of the page as they are. */
export function svgOf(figure, title) {
  const [width, height, left, top, right, bottom] = [800, 500, 80, 60, 24, 64];
  const finite = (log) => (v) => v !== null && Number.isFinite(v) && (!log || v > 0);
  const xs = figure.lines.flatMap((line) => line.x).filter(finite(figure.logX));
  const ys = figure.lines.flatMap((line) => [...line.y, ...(line.low ?? []), ...(line.high ?? [])]).filter(finite(figure.logY));
  const ends = (list, log) => (log ? [Math.min(...list), Math.max(...list)] : [Math.min(0, ...list), Math.max(...list)]);
  const [x0, x1] = ends(xs, figure.logX), [y0, y1] = ends(ys, figure.logY);
  const place = (from, to, log, a, b) => (v) =>
    a + (b - a) * (log ? Math.log(v / from) / Math.log(to / from || 2) : (v - from) / (to - from || 1));
  const px = place(x0, x1, figure.logX, left, width - right), py = place(y0, y1, figure.logY, height - bottom, top);
  const path = (x, y) => {
    let text = "", pen = "M";
    x.forEach((v, i) => {
      if (!finite(figure.logX)(v) || !finite(figure.logY)(y[i])) return;
      text += `${pen}${px(v).toFixed(2)} ${py(y[i]).toFixed(2)}`;
      pen = "L";
    });
    return text;
  };
  const ink = colour("--ink"), soft = colour("--soft"), grid = colour("--grid");
  let body = "";
  for (const v of ticks(x0, x1, figure.logX))
    body += `<path d="M${px(v)} ${top}V${height - bottom}" stroke="${grid}"/><text x="${px(v)}" y="${height - bottom + 18}" text-anchor="middle">${short(v)}</text>`;
  for (const v of ticks(y0, y1, figure.logY))
    body += `<path d="M${left} ${py(v)}H${width - right}" stroke="${grid}"/><text x="${left - 8}" y="${py(v) + 4}" text-anchor="end">${short(v)}</text>`;
  let key = left;
  for (const line of figure.lines) {
    const stroke = colour(line.colour);
    if (line.low)
      body += `<path d="${path(line.x, line.high)}${path([...line.x].reverse(), [...line.low].reverse()).replace("M", "L")}Z" fill="${stroke}" fill-opacity=".13"/>`;
    body += `<path d="${path(line.x, line.y)}" fill="none" stroke="${stroke}" stroke-width="2"${line.dash ? ` stroke-dasharray="${line.dash.join(" ")}"` : ""}/>`;
    if (line.points)
      line.x.forEach((v, i) => { if (finite(figure.logY)(line.y[i])) body += `<circle cx="${px(v)}" cy="${py(line.y[i])}" r="3.5" fill="${stroke}"/>`; });
    body += `<path d="M${key} 46h22" stroke="${stroke}" stroke-width="2"${line.dash ? ` stroke-dasharray="${line.dash.join(" ")}"` : ""}/><text x="${key + 28}" y="50" fill="${ink}">${escape(line.label)}</text>`;
    key += 48 + 7 * line.label.length;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${soft}">` +
    `<rect width="${width}" height="${height}" fill="${colour("--ground")}"/><text x="${left}" y="26" font-size="15" fill="${ink}">${escape(title)}</text>${body}` +
    `<text x="${(left + width - right) / 2}" y="${height - 16}" text-anchor="middle" font-size="13">${escape(figure.xLabel)}</text>` +
    `<text transform="translate(20 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" font-size="13">${escape(figure.yLabel)}</text></svg>`;
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export async function pngOf(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.width;
  canvas.height = 2 * image.height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
