/** The row of one person, still empty: its cells are filled by the table. */

import { COLUMNS } from "./columns.mjs";
import { h, icon } from "./dom.mjs";
import { idOf, isRemoved } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 *
 * @typedef {object} Row
 * @property {HTMLTableRowElement} tr
 * @property {Person} person
 * @property {HTMLElement[]} cells
 * @property {string[]} keys what each cell was drawn from
 * @property {HTMLInputElement} box
 */

/**
 * @param {Person} person
 * @returns {Row}
 */
export function newRow(person) {
  const id = idOf(person);
  const box = h("input", {
    type: "checkbox",
    class: "form-check-input",
    "data-select": id,
    "aria-label": `Select ${id}`,
  });
  box.disabled = isRemoved(person);
  const cells = COLUMNS.map((column, number) =>
    number === 0 ? h("th", { scope: "row", class: column.class }) : h("td", { class: column.class }),
  );
  const menu = h(
    "td",
    { class: "text-end" },
    h(
      "button",
      {
        ...{
          type: "button",
          class: "btn btn-sm menu-button",
          "aria-label": `Actions for ${id}`,
          "aria-expanded": "false",
        },
        // Fixed, so that the scrolling frame of a narrow table does not cut the menu.
        ...{ "data-bs-toggle": "dropdown", "data-bs-popper-config": '{"strategy":"fixed"}', "data-menu": id },
      },
      icon("ellipsis-vertical"),
    ),
    h("ul", { class: "dropdown-menu dropdown-menu-end" }),
  );
  const tr = h(
    "tr",
    { "data-person": id, class: isRemoved(person) ? "removed" : null },
    h("td", {}, box),
    ...cells,
    menu,
  );
  return { tr, person, cells, keys: [], box };
}
