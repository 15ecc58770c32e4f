/** What each line would do, before anything is done. */

import { badge, h } from "./dom.mjs";
import { checkField } from "./fields.mjs";
import { counted } from "./format.mjs";

/** @typedef {import("./types.mjs").PreviewLine} PreviewLine */

const COLOURS = { new: "text-bg-success", exists: "text-bg-secondary", refused: "text-bg-danger" };

/**
 * Return the preview's elements, and what to do when it is accepted.
 *
 * @param {PreviewLine[]} lines
 * @param {boolean} isLocal
 */
export function addPreview(lines, isLocal) {
  const of = (/** @type {string} */ outcome) => lines.filter((line) => line.outcome === outcome);
  const fresh = of("new");
  const existing = of("exists");
  const refused = of("refused");
  const again = checkField({
    label: "Also make new links for those here already who have not set a password yet; their old links die",
  });
  const offersLinks = isLocal && existing.length > 0;
  const summary = [
    `${fresh.length} new`,
    existing.length > 0 && `${existing.length} here already`,
    refused.length > 0 && `${refused.length} refused`,
  ].filter(Boolean);
  return {
    content: [
      h(
        "p",
        { role: "status", class: "fs-5", id: "preview-summary" },
        `${counted(lines.length, "line", "lines")}: ${summary.join(", ")}`,
      ),
      refused.length > 0 && h("p", {}, "Refused lines are left out; the others do not wait for them."),
      offersLinks && h("div", { class: "mb-3" }, again.field),
      h(
        "div",
        { class: "table-responsive" },
        h(
          "table",
          { class: "table table-sm", id: "preview-table" },
          h("caption", { class: "visually-hidden" }, "What each line would do"),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ...["Line", "Name", "Outcome", "uid:gid", "Teams", "Admin"].map((title) =>
                h("th", { scope: "col" }, title),
              ),
            ),
          ),
          h("tbody", {}, ...lines.map(row)),
        ),
      ),
    ],
    again: again.input,
    fresh,
    /** The lines to work on: the new ones, and if so chosen who waits for a link. */
    chosen: () => (offersLinks && again.input.checked ? [...fresh, ...existing] : fresh),
  };
}

/** @param {PreviewLine} line */
function row({ line, name, login, uid, gid, teams, new_teams, admin, outcome, why }) {
  return h(
    "tr",
    { "data-outcome": outcome },
    h("td", {}, String(line)),
    h(
      "th",
      { scope: "row", class: "fw-normal preview-name" },
      name,
      login && login !== name && h("code", { class: "d-block" }, login),
    ),
    h("td", {}, badge(outcome, COLOURS[outcome]), why && h("span", { class: "ms-2" }, why)),
    h("td", { class: "font-monospace text-nowrap" }, ids(uid, gid, outcome)),
    h("td", {}, teams.map((team) => (new_teams.includes(team) ? `${team} (new)` : team)).join(", ")),
    h("td", {}, admin && badge("admin", "text-bg-primary")),
  );
}

/**
 * @param {number | null} uid
 * @param {number | null} gid
 * @param {string} outcome
 */
function ids(uid, gid, outcome) {
  if (uid === null) {
    return outcome === "new" ? "next free" : "";
  }
  return `${uid}:${gid ?? uid}`;
}
