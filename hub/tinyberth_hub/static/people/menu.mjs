/** What can be done with a person, and why something cannot. */

import { h } from "./dom.mjs";
import { idOf, isLastAdmin, isRemoved } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {"link" | "admin" | "teams" | "rename" | "park" | "stop" | "remove" | "restore"} Operation
 * @typedef {{operation: Operation, label: string, danger?: boolean, why?: string}} Entry
 *   `why` is the reason for which it cannot be done
 */

const LAST_ADMIN = "The last admin: make somebody else an admin first.";

/**
 * Return the entries of a person's menu.
 *
 * @param {Person} person
 * @param {{people: Person[], isLocal: boolean, me: string}} context
 * @returns {Entry[]}
 */
export function entriesOf(person, { people, isLocal, me }) {
  if (isRemoved(person)) {
    return [{ operation: "restore", label: "Restore…" }];
  }
  const last = isLastAdmin(person, people) ? LAST_ADMIN : undefined;
  const self = person.login === me ? "This is you: another admin can remove you." : undefined;
  /** @type {Entry[]} */
  const entries = [
    person.admin
      ? { operation: "admin", label: "Unmake admin…", why: last }
      : { operation: "admin", label: "Make admin…" },
    { operation: "teams", label: "Teams…" },
    { operation: "rename", label: "Rename…" },
    { operation: "park", label: "Park server…", why: whyNotParked(person) },
    { operation: "stop", label: "Stop server…", why: person.server ? undefined : "No server runs." },
    { operation: "remove", label: "Remove…", danger: true, why: last ?? self },
  ];
  return isLocal ? [{ operation: "link", label: "New link…" }, ...entries] : entries;
}

/** @param {Person} person */
function whyNotParked({ server }) {
  if (server === null) {
    return "No server runs.";
  }
  return server.parked_since === null ? undefined : "It is parked already.";
}

/**
 * Return the menu's elements.
 *
 * @param {Person} person
 * @param {Entry[]} entries
 * @param {(operation: Operation, id: string) => void} start
 */
export function menuItems(person, entries, start) {
  return entries.map(({ operation, label, danger, why }) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          ...{
            type: "button",
            class: `dropdown-item ${danger && why === undefined ? "text-danger" : ""}`,
            disabled: why !== undefined,
          },
          click: () => start(operation, idOf(person)),
        },
        label,
        why && h("small", { class: "d-block text-wrap" }, why),
      ),
    ),
  );
}
