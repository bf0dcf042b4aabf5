// The controls: a table of a problem file is a fieldset, made from its keys.
import { fromSlider, labelOf, sliderOf, toSlider } from "./fields.js";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  made.append(...children);
  return made;
}

const idOf = (field) => field.replaceAll(".", "-");

export class Forms {
  /** changed(field, kind of change: "value" or "shape"). */
  constructor(model, state, changed) {
    Object.assign(this, { model, state, changed });
  }
  set(field, text, change = "value") {
    this.state[field] = text;
    this.changed(field, change);
  }
  row(field, label, ...controls) {
    return element("div", { class: "field", "data-field": field },
      element("label", { for: idOf(field) }, label), ...controls,
      element("p", { class: "error", id: `${idOf(field)}-error`, hidden: true }));
  }
  choice(field, label, options, choose) {
    const select = element("select", { id: idOf(field), onchange: (event) => choose(event.target.value) },
      ...options.map(([value, text]) => element("option", { value, selected: value === this.state[field] }, text)));
    select.value = this.state[field];
    return this.row(field, label, select);
  }
  key(field, key) {
    const label = labelOf(field);
    this.state[field] ??= key.default === null || key.default === undefined ? "" : String(key.default);
    if (key.type === "bool")
      return this.choice(field, label, [["false", "no"], ["true", "yes"]], (text) => this.set(field, text));
    if (key.type === "choice")
      return this.choice(field, label, key.choices.map((text) => [text, text.replaceAll("_", " ")]), (text) => this.set(field, text));
    const slider = sliderOf(field, key);
    const input = element("input", {
      id: idOf(field), type: "text", inputmode: key.type === "list" || key.type === "pair" ? "text" : "decimal",
      autocomplete: "off", spellcheck: "false", "aria-describedby": `${idOf(field)}-error`, value: this.state[field],
      placeholder: key.required ? false : "none",
    });
    const range = slider && element("input", {
      type: "range", min: 0, max: 1000, step: 1, "aria-label": `${label}, slider`, value: toSlider(slider, this.state[field]),
      "aria-valuetext": this.state[field],
    });
    input.addEventListener("input", () => {
      if (range) range.value = toSlider(slider, input.value);
      range?.setAttribute("aria-valuetext", input.value);
      this.set(field, input.value.trim());
    });
    range?.addEventListener("input", () => {
      input.value = fromSlider(slider, Number(range.value));
      range.setAttribute("aria-valuetext", input.value);
      this.set(field, input.value);
    });
    return this.row(field, label, input, ...(range ? [range] : []));
  }
  keys(table, keys) {
    return keys.flatMap((key) => {
      const field = `${table}.${key.key}`;
      return key.type === "table" ? this.inner(field, key) : [this.key(field, key)];
    });
  }
  /** A table among the keys: none, or one of its kinds. */
  inner(field, key) {
    const kinds = key.kinds.map((kind) => [kind.kind ?? "on", (kind.kind ?? "yes").replaceAll("_", " ")]);
    const chooser = `${field}.kind`;
    this.state[chooser] ??= key.given ? kinds[0][0] : "none";
    const chosen = key.kinds.find((kind) => (kind.kind ?? "on") === this.state[chooser]);
    return [
      this.choice(chooser, labelOf(field), [...(key.given ? [] : [["none", "none"]]), ...kinds], (text) => {
        for (const other of Object.keys(this.state)) if (other.startsWith(`${field}.`)) delete this.state[other];
        if (text !== "none")
          for (const inner of key.kinds.find((kind) => (kind.kind ?? "on") === text).keys)
            if (inner.required) this.state[`${field}.${inner.key}`] = "10";
        this.set(chooser, text, "shape");
      }),
      ...(chosen ? this.keys(field, chosen.keys) : []),
    ];
  }
  table(table, legend) {
    const { model, state } = this;
    const chooser = model.chooser(table);
    const kinds = model.kinds(table, state).map((kind) => [kind.kind, kind.title ?? kind.kind.replaceAll("_", " ")]);
    const children = [
      this.choice(chooser, table.endsWith("optimizer") ? "optimizer" : "kind", kinds, (text) => {
        model.choose(table, text, state);
        this.changed(chooser, "shape");
      }),
      ...this.keys(table, model.keys(table, state)),
    ];
    if (table.endsWith("optimizer")) {
      const around = model.around(table, state);
      const used = around.some((key) => !["", undefined, "none", "0", "false", String(key.default)].includes(
        state[`${table}.${key.key}${key.type === "table" ? ".kind" : ""}`]));
      children.push(element("details", { open: used, class: "around" },
        element("summary", {}, "momentum, decay, averages"), ...this.keys(table, around)));
    }
    return element("fieldset", {}, element("legend", {}, legend), ...children);
  }
}

/** Marks the field that an error is about, or none; answers whether one was found. */
export function markError(scope, side, error) {
  for (const row of scope.querySelectorAll(`.field.wrong[data-by="${side}"]`)) {
    row.classList.remove("wrong");
    row.querySelector("input, select")?.removeAttribute("aria-invalid");
    row.querySelector(".error").hidden = true;
  }
  if (!error?.field) return false;
  const name = error.field.replace(/\[\d+\]$/, "");
  const rows = [...scope.querySelectorAll(".field")];
  const own = rows.filter((row) => [name, `${side}.${name}`, `problem.${name}`].includes(row.dataset.field));
  const row = own[0] ?? rows.find((other) => other.dataset.field.endsWith(`.${name.split(".").pop()}`) &&
    (other.dataset.field.startsWith("problem") || other.dataset.field.startsWith(side)));
  if (!row) return false;
  row.classList.add("wrong");
  row.dataset.by = side;
  row.closest("details")?.setAttribute("open", "");
  row.querySelector("input, select")?.setAttribute("aria-invalid", "true");
  const text = row.querySelector(".error");
  text.textContent = `${error.value}: expected ${error.expected}`;
  text.hidden = false;
  return true;
}
