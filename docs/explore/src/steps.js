// The second tab: a step tuned for optimizer A, carried over to others.
import { element, markError } from "./forms.js";
import { short } from "./plots.js";
import { tomlOf } from "./texts.js";
import { plainUntrusted, plainWarning } from "./words.js";

const byId = (id) => document.getElementById(id);

export class Steps {
  constructor(page) {
    this.page = page;
    byId("carry").addEventListener("click", () => this.search());
  }
  show() {
    const { state, forms } = this.page;
    state.tuned ||= state["a.schedule.step"] ?? "1e-3";
    const row = forms.key("tuned", { key: "tuned", type: "float", required: true });
    row.querySelector("label").textContent = "the step you tuned for A";
    byId("tuned-row").replaceChildren(row);
    if (!byId("counterparts").tBodies.length) this.search();
  }
  /** Of another problem or tuned step; one that is only multiplied is there at once. */
  outdated() {
    const { state } = this.page;
    if (state.tab !== "step") return;
    const toml = tomlOf(this.page.model, "a", state) + (state.b === "on" ? tomlOf(this.page.model, "b", state) : "");
    clearTimeout(this.soon);
    if (toml === this.toml) {
      if (this.answer) this.draw();
      return;
    }
    byId("counterparts").classList.add("old");
    this.soon = setTimeout(() => this.search(), 400);
  }
  async search() {
    const { state, model, slow } = this.page;
    const own = tomlOf(model, "a", state), other = state.b === "on" ? tomlOf(model, "b", state) : "";
    this.toml = own + other;
    slow.drop(() => true);
    const bar = byId("carried");
    bar.hidden = false;
    bar.value = 0;
    byId("counterparts").setAttribute("aria-busy", "true");
    const answer = await slow.ask("counterparts", "ask_counterparts", [own, 1], (fraction) => { bar.value = fraction; });
    if (!answer) return;
    this.error = answer.error ?? null;
    this.answer = answer.error ? null : answer;
    this.beside = null;
    markError(byId("form"), "a", this.error);
    if (this.answer && other) {
      const [first, second] = [await slow.ask("own", "ask_optimum", [own, 0]), await slow.ask("other", "ask_optimum", [other, 0])];
      if (!first || !second) return;
      this.beside = second.step && first.step ? { step: second.step, ratio: second.step / first.step, risk: second.risk }
        : { error: (second.error ?? first.error).line };
    }
    bar.hidden = true;
    this.draw();
  }
  draw() {
    const table = byId("counterparts"), notes = byId("carried-notes");
    const { model, state } = this.page;
    const tuned = Number(state.tuned), good = tuned > 0 && Number.isFinite(tuned);
    markError(document, "tuned", good ? null : { field: "tuned", value: state.tuned || "nothing", expected: "a finite step size > 0" });
    table.removeAttribute("aria-busy");
    table.classList.remove("old");
    if (!this.answer) {
      table.replaceChildren(element("caption", {}, this.error ? this.error.line : ""));
      notes.replaceChildren();
      return;
    }
    const found = this.answer.optimizers;
    const row = (name, step, ratio, risk, note) => element("tr", {}, element("th", { scope: "row" }, name),
      ...[step, ratio, good && ratio !== null ? ratio * tuned : null, risk].map((x) => element("td", { "data-value": x }, short(x))),
      element("td", { class: "note" }, note));
    const rows = found.optimizer.map((name, i) => row(i ? name : `${name} (yours)`, found.step[i], found.ratio[i], found.risk[i],
      [found.threshold[i] !== null ? `threshold ${short(found.threshold[i])}` : "", plainUntrusted(found.untrusted[i]),
       found.skipped[i] ? `${plainWarning(found.skipped[i]).replace("The library notes:", "")} ${found.skipped[i]}` : ""].filter(Boolean).join("; ")));
    if (this.beside) {
      const name = `B: ${model.kind("b.optimizer", state)?.title}, as set`;
      rows.push(row(name, this.beside.step ?? null, this.beside.ratio ?? null, this.beside.risk ?? null, this.beside.error ?? ""));
    }
    table.replaceChildren(
      element("caption", {}, `Best constant steps over ${state["run.steps"]} steps, each at the same batch, decay and averages.`),
      element("thead", {}, element("tr", {}, ...["optimizer", "best step", "ratio", "start with", "risk there", "notes"].map((text) =>
        element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows));
    notes.replaceChildren(...this.answer.warnings.map((line) =>
      element("div", { class: "warning" }, plainWarning(line), element("small", {}, line))));
    byId("live").textContent = `${found.optimizer.length} optimizers compared. ` + found.optimizer.slice(1).map((name, i) =>
      found.ratio[i + 1] === null ? "" : `${name}: start with ${short(tuned * found.ratio[i + 1])}.`).join(" ");
  }
}
