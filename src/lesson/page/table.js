// A table of figures: a row for each, found by its name. The keyboard reaches it, and may scroll it.

import { element } from "./element.js";

export class Table {
  #rows = new Map();
  #body = element("tbody");
  #columns;
  #bars;

  /** `columns` are the headings of the columns of figures; `bars` draws the first of each row as a bar. */
  constructor(id, { columns, bars = false, row = "" }) {
    this.#columns = columns;
    this.#bars = bars;
    this.caption = element("caption", { id });
    const heads = columns.map((name) => element("th", { scope: "col" }, name));
    const head = element("tr", {}, row ? element("th", { scope: "col" }, row) : element("td"), ...heads);
    const table = element("table", {}, this.caption, element("thead", {}, head), this.#body);
    this.node = element("div", { class: "table", role: "group", tabindex: 0, "aria-labelledby": id }, table);
  }

  /** Shows these rows: their name, their figures as text and, for bars, the first one's share of the scale. */
  show(rows) {
    const gone = new Set(this.#rows.keys());
    for (const { name, label = name, figures, share } of rows) {
      gone.delete(name);
      const row = this.#rows.get(name) ?? this.#add(name, label);
      for (const [n, figure] of figures.entries()) if (row.cells[n].data !== figure) row.cells[n].data = figure;
      if (this.#bars) row.bar.style.setProperty("--share", Math.min(share, 1).toFixed(3));
    }
    for (const name of gone) {
      this.#rows.get(name).node.remove();
      this.#rows.delete(name);
    }
  }

  #add(name, label) {
    const cells = this.#columns.map(() => new Text());
    const bar = element("i", { class: "bar", "aria-hidden": "true" });
    const columns = cells.map((cell, n) => element("td", {}, this.#bars && n === 0 && bar, element("span", {}, cell)));
    const node = element("tr", { "data-figure": name }, element("th", { scope: "row" }, label), ...columns);
    this.#body.append(node);
    const row = { node, cells, bar };
    this.#rows.set(name, row);
    return row;
  }
}
