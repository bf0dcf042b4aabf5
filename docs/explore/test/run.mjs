// The page in a headless Chromium: NPM, PAGE, ENGINE are folders of node_modules, of the page and of the engine, RISKCURVE
// is the command.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { after } from "node:test";
import { close, close9, complaints, curved, folder, fromServer, open, run, runPlain, settled, type, values } from "./tools.mjs";

after(close);
const here = dirname(fileURLToPath(import.meta.url));
const QUICK = "#problem.covariance.kind=power_law&problem.covariance.dimension=60&run.steps=200&run.points=8&problem.noise.kind=gaussian&problem.noise.std=0.2";
const MATRIX = "#problem.geometry=matrix&problem.covariance_out.kind=isotropic&problem.covariance_out.dimension=40" +
  "&problem.covariance_in.kind=power_law&problem.covariance_in.dimension=30&problem.covariance_in.alpha=0.25&run.steps=50&run.points=5";

test("weighs less than 3 MB, and asks for nothing else", () => {
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  console.log(`  page: ${(bytes / 1e6).toFixed(2)} MB`);
  assert.ok(bytes < 3e6);
});

test("works from a folder and from a server", async () => {
  for (const base of [undefined, fromServer]) {
    const page = await open(QUICK, { base });
    await curved(page);
    assert.equal((await values(page, "#numbers dd[data-value]")).length > 0, true);
    await page.context().close();
  }
});

const PROBLEMS = {
  "SignSGD as the page opens": "",
  "SGD with momentum and an average, against Adam": `${QUICK}&b=on&a.optimizer.name=sgd&a.optimizer.momentum=0.9&a.optimizer.average.kind=ema&a.optimizer.average.decay=0.9` +
    "&a.schedule.step=1e-3&b.optimizer.name=adam&b.optimizer.betas=0.9, 0.95&b.optimizer.weight_decay=0.01&b.schedule.kind=cosine&b.schedule.step=1e-3&b.schedule.warmup=20",
  "clipping under heavy tails": `${QUICK.replace("noise.kind=gaussian&problem.noise.std=0.2", "noise.kind=student_t&problem.noise.nu=1&problem.noise.scale=0.2")}&a.optimizer.name=clipped_sgd&a.optimizer.threshold=1.5&a.schedule.kind=wsd&a.schedule.step=5e-3`,
  "SignSVD on a matrix": `${MATRIX}&a.optimizer.name=sign_svd&a.optimizer.batch=20&a.schedule.step=2e-3&run.signal=small`,
};
for (const [name, link] of Object.entries(PROBLEMS))
  test(`numbers are the command's: ${name}`, async () => {
    const page = await open(link);
    await settled(page);
    const sides = link.includes("b=on") ? ["a", "b"] : ["a"];
    const files = (await page.textContent("#toml")).split(/^# [AB]\n/m).filter(Boolean);
    const cells = await values(page, "#table td");
    const width = (await page.$$("#table thead th")).length - 1;
    let column = 0;
    for (const [i, side] of sides.entries()) {
      const toml = files[i], curve = run("predict", toml, "--bands"), best = run("optimum", toml);
      const of = (k) => cells.filter((_, n) => n % width === k);
      close9(of(column++), curve.risk, `${side} risk`);
      if (curve.low) {
        close9(of(column++), curve.low, `${side} low`);
        close9(of(column++), curve.high, `${side} high`);
      }
      const shown = await values(page, `#numbers .side-${side} dd[data-value]`);
      close9(shown, [curve.risk.at(-1), best.step, best.risk], `${side} numbers`);
    }
    await page.context().close();
  });

const python = join(dirname(process.env.RISKCURVE), "../python");
test("the calls of Python give the page's numbers", { skip: !existsSync(python) && "no package beside the command" }, async () => {
  const page = await open(Object.values(PROBLEMS)[1]);
  await settled(page);
  const text = `${await page.textContent("#python")}\nprint([float(x) for x in (curve_a.risk[-1], best_a.step, best_a.risk, curve_b.risk[-1], best_b.step, best_b.risk)])`;
  const printed = execFileSync(process.env.PYTHON ?? "/usr/bin/python3", ["-W", "ignore", "-c", text], { env: { PYTHONPATH: python }, stdio: ["ignore", "pipe", "inherit"] });
  close9(await values(page, "#numbers dd[data-value]"), JSON.parse(printed), "numbers");
  await page.context().close();
});

test("a slider moves the picture in 50 ms, its optimum in 300", async () => {
  const page = await open();
  await settled(page);
  const slider = page.locator('.field[data-field="problem.noise.std"] input[type="range"]');
  const durations = (name) => page.evaluate((of) => performance.getEntriesByName(of).map((entry) => entry.duration), name);
  const before = [(await durations("to curve")).length, (await durations("to optimum")).length];
  for (let i = 0; i < 24; ++i) {
    const risk = await page.getAttribute("#numbers dd[data-value]", "data-value");
    await slider.press("ArrowRight");
    await page.waitForFunction((old) => document.querySelector("#numbers dd[data-value]").dataset.value !== old, risk);
    await page.waitForFunction((count) => performance.getEntriesByName("to optimum").length > count, before[1] + i);
  }
  const toml = await page.textContent("#toml");
  const engine = JSON.parse(execFileSync(process.execPath, ["--no-experimental-fetch", join(here, "time.mjs"), process.env.ENGINE], { input: toml }));
  console.log(`  of the processor, by the engine alone: curve ${engine.curve.toFixed(0)} ms, optimum ${engine.optimum.toFixed(0)} ms`);
  const sorted = (list) => list.sort((x, y) => x - y);
  const curve = sorted((await durations("to curve")).slice(before[0])), optimum = sorted((await durations("to optimum")).slice(before[1]));
  const line = (name, list) => console.log(`  ${name}: least ${list[0].toFixed(0)} ms, median ${list[list.length >> 1].toFixed(0)} ms of ${list.length}`);
  line("slider to curve", curve);
  line("slider to optimum", optimum);
  // The least of many, and more where others use the machine at the same time.
  const slack = Math.max(1, loadavg()[0] / availableParallelism());
  console.log(`  the machine has ${availableParallelism()} cores and a load of ${loadavg()[0].toFixed(1)}`);
  assert.ok(engine.curve < 50 && engine.optimum < 300);
  assert.ok(curve[0] < 50 * slack, `${curve[0]} ms`);
  assert.ok(optimum[0] < 300 * slack, `${optimum[0]} ms`);
  await page.context().close();
});

test("every optimizer that runs can be chosen, of a vector and of a matrix", async () => {
  for (const link of [QUICK, MATRIX]) {
    const page = await open(link);
    await curved(page);
    const names = await page.$$eval("#a-optimizer-name option", (options) => options.map((option) => option.value));
    assert.ok(names.length >= 8);
    for (const name of names) {
      await page.selectOption("#a-optimizer-name", name);
      await page.waitForFunction(() => document.body.dataset.busy !== "curve" || document.getElementById("busy").hidden);
      assert.match(await page.textContent("#toml"), new RegExp(`name = "${name}"`));
      assert.equal(await page.isVisible("#failure"), false, `${name}: ${await page.textContent("#failure")}`);
    }
    await page.context().close();
  }
});

test("a link brings back what it was copied from", async () => {
  const page = await open(QUICK, { base: fromServer });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.check("#compare");
  await page.selectOption("#b-optimizer-name", "lion");
  await page.selectOption("#problem-noise-kind", "laplace");
  await type(page, "problem.noise.scale", "0.35");
  await page.selectOption("#a-schedule-kind", "cosine");
  await page.selectOption("#run-spacing", "log");
  await settled(page);
  const [toml, risk] = [await page.textContent("#toml"), await values(page, "#numbers dd[data-value]")];
  const copied = async (what) => {
    await page.click(`[data-copy="${what}"]`);
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(`# A\n${await copied("toml")}\n# B\n${await copied("toml-b")}`, toml);
  assert.match(await copied("python"), /rc\.Lion\(.*rc\.laplace\(scale=0\.35\)|rc\.laplace\(scale=0\.35\)[^]*rc\.Lion\(/);
  const link = new URL(await copied("link")).hash;
  assert.equal(await page.evaluate(() => location.hash), link);
  const other = await open(link);
  await settled(other);
  assert.equal(await other.textContent("#toml"), toml);
  assert.deepEqual(await values(other, "#numbers dd[data-value]"), risk);
  for (const each of [page, other]) await each.context().close();
});

test("wrong input is named at its field, and gone when mended", async () => {
  const page = await open(QUICK);
  await curved(page);
  await type(page, "a.optimizer.batch", "some");
  const field = page.locator('.field[data-field="a.optimizer.batch"]');
  await field.locator(".error").waitFor({ state: "visible" });
  assert.match(await field.locator(".error").textContent(), /'some': expected a whole number/);
  assert.equal(await field.locator("input[type=text]").getAttribute("aria-invalid"), "true");
  assert.match(await page.textContent("#failure"), /optimizer\.batch/);
  await type(page, "a.optimizer.batch", "8");
  await field.locator(".error").waitFor({ state: "hidden" });
  await page.waitForFunction(() => document.getElementById("failure").hidden);
  await type(page, "problem.covariance.dimension", "-5");
  await page.locator('.field[data-field="problem.covariance.dimension"] .error').waitFor({ state: "visible" });
  await page.context().close();
});

test("tabs and sliders obey the keyboard, and the numbers are said", async () => {
  const page = await open(QUICK);
  await settled(page);
  await page.waitForFunction(() => /risk .* after 200 steps/.test(document.getElementById("live").textContent));
  const slider = page.locator('.field[data-field="a.optimizer.batch"] input[type="range"]');
  const old = await page.inputValue("#a-optimizer-batch");
  await slider.press("End");
  assert.notEqual(await page.inputValue("#a-optimizer-batch"), old);
  await page.focus("#tab-curve");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute("#tab-step", "aria-selected"), "true");
  assert.ok(await page.isVisible("#counterparts"));
  const bare = await page.$$eval("input, select, button", (controls) => controls.filter((control) => control.checkVisibility() &&
    !control.ariaLabel && !control.labels?.length && !control.textContent.trim()).map((control) => control.outerHTML));
  assert.deepEqual(bare, []);
  await page.context().close();
});

test("reads on a phone, in both colours", async () => {
  const page = await open(`${QUICK}&b=on`, { viewport: { width: 390, height: 844 } });
  await settled(page);
  const first = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.click("#theme");
  assert.notEqual(await page.evaluate(() => document.documentElement.dataset.theme), first);
  for (const tab of ["curve", "step", "phases"]) {
    await page.click(`#tab-${tab}`);
    assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth), 390, tab);
  }
  await page.context().close();
});

test("a tuned step is carried over as the command does", async () => {
  const page = await open(`${QUICK}&tab=step&tuned=0.003&a.optimizer.name=sign_sgd`);
  await page.waitForSelector("#counterparts tbody tr", { timeout: 300000 });
  const toml = (await page.evaluate(() => document.getElementById("toml").textContent)) || null;
  await page.click("#tab-curve");
  await curved(page);
  const table = run("transfer", toml || (await page.textContent("#toml")), "--tuned", "0.003").optimizers;
  const cells = await values(page, "#counterparts td:not(.note)");
  for (const [i, name] of ["step", "ratio", "start", "risk"].entries())
    close9(cells.filter((_, n) => n % 4 === i), table[name], name);
  await page.context().close();
});

test("the map's points are the command's", async () => {
  const page = await open(`${QUICK}&tab=phases&map.alpha=1.5&map.beta=1.5`);
  await page.waitForSelector("#panel-phases td[data-value]");
  const map = runPlain("phases", "--small", "--points", "2").map;
  const cells = await values(page, "#panel-phases .scroll td");
  close9(cells, [map.sign_sgd_exponent[3], map.sign_sgd_exponent_derived[3], map.sign_svd_exponent[3], map.sign_svd_exponent_derived[3]], "exponents");
  const made = JSON.parse(readFileSync(join(folder, "maps.js"), "utf8").replace(/^.*?=|;\n$/g, ""))[0];
  assert.deepEqual([made.phase[0][0], made.phase[0].at(-1), made.phase.at(-1)[0], made.phase.at(-1).at(-1)], map.phase);
  const canvas = await page.locator("#panel-phases .map canvas[aria-label]").boundingBox();
  await page.mouse.move(canvas.x + canvas.width / 2, canvas.y + canvas.height / 2);
  await page.waitForFunction(() => !/1\.5/.test(document.querySelector("#map-alpha").value));
  await page.waitForFunction(() => document.querySelector("#panel-phases p + .scroll") && performance.getEntriesByName("to point").length > 1);
  await page.context().close();
});

test("figures are saved as SVG and PNG", async () => {
  const page = await open(`${QUICK}&b=on`);
  await settled(page);
  for (const [kind, start] of [["svg", "<svg"], ["png", "\x89PNG"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-save="${kind}"]`)]);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.subarray(0, start.length).toString("latin1"), start);
    assert.ok(bytes.length > 2000);
    if (kind === "svg") assert.ok(!bytes.toString().includes("NaN"));
  }
  await page.context().close();
});

test("no page has complained", () => assert.deepEqual(complaints, []));
