/** Above the table: filter, states with their counts, what is shown, what is selected. */

import { fill, find, h } from "./dom.mjs";
import { counted, formatAgo, formatTime } from "./format.mjs";
import { HERE, STATES, inState } from "./view.mjs";

/**
 * @typedef {import("./people.mjs").People} People
 * @typedef {import("./table.mjs").PeopleTable} PeopleTable
 */

export class Toolbar {
  /**
   * @param {People} people
   * @param {PeopleTable} table
   */
  constructor(people, table) {
    this.people = people;
    this.table = table;
    this.filter = /** @type {HTMLInputElement} */ (find("#filter"));
    this.states = /** @type {HTMLSelectElement} */ (find("#state-filter"));
    this.options = [
      ["Everybody here", HERE],
      ...Object.entries(STATES).map(([state, { label }]) => [label, state]),
    ].map(([label, state]) => ({ label, option: h("option", { value: state }, label) }));
    fill(this.states, ...this.options.map(({ option }) => option));
    this.filter.addEventListener("input", () => this.#apply());
    this.states.addEventListener("change", () => this.#apply());
    find("#selected-none").addEventListener("click", () => table.selectNobody());
    table.onDrawn = () => this.draw();
  }

  showEverybody() {
    this.filter.value = "";
    this.states.value = HERE;
    this.#apply();
    this.filter.focus();
  }

  draw() {
    const { people, measuredAt } = this.people;
    for (const { label, option } of this.options) {
      const text = `${label} (${people.filter((person) => inState(person, option.value)).length})`;
      if (option.textContent !== text) {
        option.textContent = text;
      }
    }
    const { shown, selected } = this.table;
    put("#shown", `${counted(shown.length, "person", "people")}`);
    put(
      "#measured",
      measuredAt === null
        ? "Disk use is being measured"
        : `Disk use as of ${formatAgo(measuredAt, Date.now())}`,
    );
    find("#measured").title = formatTime(measuredAt);
    find("#selected-bar").hidden = selected.size === 0;
    put("#selected-count", `${selected.size} selected`);
    this.#drawEmpty();
  }

  #apply() {
    this.table.filter = { text: this.filter.value, state: this.states.value };
    this.table.draw();
  }

  #drawEmpty() {
    const { people } = this.people;
    const empty = find("#people-empty");
    const isAlone = people.length === 1 && this.table.shown.length === 1;
    empty.hidden = this.table.shown.length > 0 && !isAlone;
    if (isAlone) {
      put("#people-empty", "Only you are here so far. Add people, and hand each the link that you get.");
    } else if (!empty.hidden && !empty.querySelector("button")) {
      const all = h(
        "button",
        { type: "button", class: "btn btn-link p-0 align-baseline", click: () => this.showEverybody() },
        "Show everybody",
      );
      fill(empty, "Nobody like that. ", all);
    }
  }
}

/**
 * @param {string} selector
 * @param {string} text
 */
function put(selector, text) {
  const element = find(selector);
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
