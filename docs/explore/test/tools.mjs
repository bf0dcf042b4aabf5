// What the tests of the page share: browser, command, comparison.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";

const { chromium } = createRequire(join(resolve(process.env.NPM), "package.json"))("playwright-core");
export const folder = resolve(process.env.PAGE);
export const fromFolder = `file://${folder}/index.html`;
const command = resolve(process.env.RISKCURVE);
const work = mkdtempSync(join(tmpdir(), "explore-"));

export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://x").pathname.slice(1);
  try {
    const bytes = readFileSync(join(folder, path));
    response.writeHead(200, { "content-type": types[extname(path)] ?? "text/plain" }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
export const fromServer = `http://127.0.0.1:${server.address().port}/index.html`;

export async function close() {
  await browser.close();
  server.close();
}

/** What any page has complained about. */
export const complaints = [];

/** A page that is ready: its first curve is drawn. */
export async function open(link = "", { base = fromFolder, viewport = { width: 1300, height: 1000 } } = {}) {
  const context = await browser.newContext({ viewport, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  page.on("pageerror", (error) => complaints.push(error.stack));
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  page.on("request", (request) => {
    if (!/^(file|blob|data):|^http:\/\/127\.0\.0\.1:/.test(request.url())) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(base + link);
  await page.waitForSelector("#form fieldset", { state: "attached" });
  return page;
}

/** Until nothing is being computed on the first tab; with the bands of runs. */
export const settled = (page) => page.waitForFunction(() => document.body.dataset.busy === "");
export const curved = (page) => page.waitForFunction(() => document.querySelector("#numbers dd[data-value], #failure:not([hidden])"));

/** Sets a control as a user does. */
export async function type(page, field, text) {
  await page.fill(`#${field.replaceAll(".", "-")}`, text);
}

/** The command's record of a problem file's text. */
export function run(name, toml, ...options) {
  const path = join(work, "problem.toml");
  writeFileSync(path, toml);
  return JSON.parse(execFileSync(command, [name, path, "--json", ...options], { stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1e9 }));
}
export const runPlain = (...options) =>
  JSON.parse(execFileSync(command, [...options, "--json"], { stdio: ["ignore", "pipe", "ignore"] }));

/** Equal to 1e-9 of themselves. */
export function close9(mine, theirs, what) {
  assert.equal(mine.length, theirs.length, what);
  mine.forEach((x, i) => {
    if (x === null || theirs[i] === null) return assert.equal(x, theirs[i], `${what} ${i}`);
    assert.ok(Math.abs(x - theirs[i]) <= 1e-9 * Math.abs(theirs[i]), `${what} ${i}: ${x}, the command has ${theirs[i]}`);
  });
}
export const values = (page, selector) =>
  page.$$eval(selector, (cells) => cells.map((cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value))));
