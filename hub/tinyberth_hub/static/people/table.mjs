/** The table of people: draws what changed, and nothing else, so that 500 rows stay quick. */

import { COLUMNS } from "./columns.mjs";
import { fill, find } from "./dom.mjs";
import { newRow } from "./row.mjs";
import { filtered, idOf, isRemoved, sorted } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./row.mjs").Row} Row
 */

export class PeopleTable {
  /**
   * @param {HTMLTableElement} table
   * @param {(person: Person) => Node[]} menuOf makes the entries of a person's menu
   */
  constructor(table, menuOf) {
    this.table = table;
    this.body = find("tbody", table);
    this.menuOf = menuOf;
    this.people = /** @type {Person[]} */ ([]);
    this.filter = { text: "", state: "here" };
    this.sort = { column: "name", descending: false };
    this.selected = /** @type {Set<string>} */ (new Set());
    this.shown = /** @type {Person[]} */ ([]);
    this.onDrawn = () => {};
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.selectAll = /** @type {HTMLInputElement} */ (find("#select-all", table));
    for (const button of table.querySelectorAll(".column-button")) {
      button.addEventListener("click", () => this.#sortBy(/** @type {HTMLElement} */ (button.closest("th"))));
    }
    this.selectAll.addEventListener("change", () => this.#selectShown(this.selectAll.checked));
    this.body.addEventListener("change", (event) =>
      this.#selectOne(/** @type {HTMLInputElement} */ (event.target)),
    );
    this.body.addEventListener("show.bs.dropdown", (event) =>
      this.#fillMenu(/** @type {HTMLElement} */ (event.target)),
    );
  }

  /** @param {Person[]} people */
  setPeople(people) {
    this.people = people;
    const ids = new Set(people.map(idOf));
    for (const [id, row] of this.rows) {
      if (!ids.has(id)) {
        row.tr.remove();
        this.rows.delete(id);
        this.selected.delete(id);
      }
    }
    this.draw();
  }

  draw() {
    const start = performance.now();
    const now = Date.now();
    this.shown = sorted(filtered(this.people, this.filter), this.sort);
    const wanted = this.shown.map((person) => this.#row(person, now));
    this.#arrange(wanted.map((row) => row.tr));
    this.#drawSelection();
    this.#drawSort();
    this.onDrawn();
    performance.measure("draw people", { start }); // tests/browser/test_people.py reads it
  }

  selectNobody() {
    this.selected.clear();
    this.draw();
  }

  /** Return the button that opens a person's menu, for the focus to come back to. @param {string} id */
  menuButton(id) {
    return this.rows.get(id)?.tr.querySelector("button");
  }

  /**
   * @param {Person} person
   * @param {number} now
   */
  #row(person, now) {
    const id = idOf(person);
    let row = this.rows.get(id);
    if (!row) {
      row = newRow(person);
      this.rows.set(id, row);
    }
    row.person = person;
    for (const [number, column] of COLUMNS.entries()) {
      const key = JSON.stringify(column.key(person, now));
      if (row.keys[number] !== key) {
        row.keys[number] = key;
        fill(row.cells[number], ...column.render(person, now));
      }
    }
    return row;
  }

  /** Bring the rows into order; the focus stays, and an open menu is not torn from its button. @param {HTMLElement[]} wanted */
  #arrange(wanted) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const keep = new Set(wanted);
    for (const tr of [...this.body.children]) {
      if (!keep.has(/** @type {HTMLElement} */ (tr))) {
        tr.remove();
      }
    }
    if (this.body.childElementCount === 0) {
      this.body.append(...wanted);
      return;
    }
    let next = this.body.firstElementChild;
    for (const tr of wanted) {
      if (tr === next) {
        next = next.nextElementSibling;
      } else {
        this.body.insertBefore(tr, next);
      }
    }
    if (focused && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {HTMLElement} heading */
  #sortBy(heading) {
    const column = heading.dataset.column ?? "name";
    this.sort = { column, descending: this.sort.column === column && !this.sort.descending };
    this.draw();
  }

  #drawSort() {
    for (const heading of this.table.querySelectorAll("th[data-column]")) {
      const direction = this.sort.descending ? "descending" : "ascending";
      const isOurs = /** @type {HTMLElement} */ (heading).dataset.column === this.sort.column;
      heading.setAttribute("aria-sort", isOurs ? direction : "none");
    }
  }

  /** @param {boolean} on */
  #selectShown(on) {
    for (const person of this.shown) {
      if (on && !isRemoved(person)) {
        this.selected.add(idOf(person));
      } else {
        this.selected.delete(idOf(person));
      }
    }
    this.draw();
  }

  /** @param {HTMLInputElement} box */
  #selectOne(box) {
    const id = box.dataset.select;
    if (id !== undefined) {
      this.selected[box.checked ? "add" : "delete"](id);
      this.draw();
    }
  }

  #drawSelection() {
    for (const [id, row] of this.rows) {
      row.box.checked = this.selected.has(id);
    }
    const living = this.shown.filter((person) => !isRemoved(person));
    const chosen = living.filter((person) => this.selected.has(idOf(person))).length;
    this.selectAll.checked = chosen > 0 && chosen === living.length;
    this.selectAll.indeterminate = chosen > 0 && chosen < living.length;
  }

  /** @param {HTMLElement} button */
  #fillMenu(button) {
    const row = this.rows.get(button.dataset.menu ?? "");
    if (row && button.nextElementSibling) {
      fill(button.nextElementSibling, ...this.menuOf(row.person));
    }
  }
}
