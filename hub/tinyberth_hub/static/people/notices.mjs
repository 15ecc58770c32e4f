/** What has just happened, in a corner of the page and to screen readers. */

import { find, h } from "./dom.mjs";

const STAY_MS = 10_000;

/**
 * Show a sentence for a while; problems stay until they are closed.
 *
 * @param {string} text
 * @param {"success" | "danger"} [kind]
 */
export function notify(text, kind = "success") {
  const notice = h(
    "div",
    { class: `alert alert-${kind} alert-dismissible shadow-sm mb-2` },
    text,
    h("button", {
      type: "button",
      class: "btn-close",
      "aria-label": "Dismiss",
      click: () => notice.remove(),
    }),
  );
  find("#notices").append(notice);
  if (kind === "success") {
    setTimeout(() => notice.remove(), STAY_MS);
  }
}
