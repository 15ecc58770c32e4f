/** Shows one-time links, once. */

import { copyButton } from "./clipboard.mjs";
import { toCsv } from "./csv.mjs";
import { h } from "./dom.mjs";

/** @typedef {{name: string, login: string, link: string}} Link */

/**
 * Return a table of links, each with a button that copies it, and all of them as CSV.
 *
 * @param {Link[]} links
 */
export function linkList(links) {
  const place = h("div", { class: "mb-2" });
  const rows = links.map((link) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "fw-normal" }, link.name),
      h(
        "td",
        { class: "w-100" },
        h("input", {
          ...{
            type: "text",
            readonly: true,
            class: "form-control form-control-sm font-monospace one-time-link",
          },
          ...{ value: link.link, "aria-label": `One-time link of ${link.name}` },
          focus: (/** @type {FocusEvent} */ event) => /** @type {HTMLInputElement} */ (event.target).select(),
        }),
      ),
      h(
        "td",
        {},
        copyButton({
          label: "Copy",
          name: `Copy the link of ${link.name}`,
          text: () => link.link,
          place: () => place,
        }),
      ),
    ),
  );
  const csv = () =>
    toCsv([["name", "login", "link"], ...links.map(({ name, login, link }) => [name, login, link])]);
  return h(
    "div",
    { class: "link-list" },
    h(
      "p",
      { class: "alert alert-warning" },
      "These links are shown only now. Each sets one person's password, once: hand it to that person alone. ",
      "One that got lost is no harm: make a new link, and the old one dies.",
    ),
    links.length > 1 &&
      h(
        "div",
        { class: "d-flex gap-2 mb-2" },
        copyButton({ label: "Copy all as CSV", text: csv, place: () => place }),
        h(
          "button",
          { type: "button", class: "btn btn-sm btn-outline-contrast", click: () => download(csv()) },
          "Download CSV",
        ),
      ),
    place,
    h(
      "div",
      { class: "table-responsive" },
      h(
        "table",
        { class: "table align-middle" },
        h("caption", { class: "visually-hidden" }, "One-time links"),
        h("tbody", {}, ...rows),
      ),
    ),
  );
}

/** @param {string} csv */
function download(csv) {
  // With a byte order mark, without which Excel takes UTF-8 for something else.
  const address = URL.createObjectURL(new Blob(["\uFEFF", csv], { type: "text/csv;charset=utf-8" }));
  h("a", { href: address, download: "one-time-links.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
