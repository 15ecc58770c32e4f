/** What stands in dialogs: labelled fields and paragraphs. */

import { freshId, h } from "./dom.mjs";

/** @typedef {import("./dom.mjs").Child} Child */

/**
 * Return a labelled text input with a hint below it.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} [options.value]
 * @param {string} [options.hint]
 */
export function textField({ label, value = "", hint = "" }) {
  const id = freshId();
  const input = h("input", {
    ...{ type: "text", id, class: "form-control", value, "data-focus": true, required: true },
    ...{ autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
    "aria-describedby": hint ? `${id}-hint` : null,
  });
  const field = h(
    "div",
    { class: "mb-3" },
    h("label", { for: id, class: "form-label" }, label),
    input,
    hint && h("div", { class: "form-text", id: `${id}-hint` }, hint),
  );
  return { field, input };
}

/**
 * Return a labelled checkbox.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {boolean} [options.checked]
 * @param {boolean} [options.focused]
 */
export function checkField({ label, checked = false, focused = false }) {
  const id = freshId();
  const input = h("input", { type: "checkbox", id, class: "form-check-input", "data-focus": focused });
  input.checked = checked;
  const field = h(
    "div",
    { class: "form-check" },
    input,
    h("label", { for: id, class: "form-check-label" }, label),
  );
  return { field, input };
}

/**
 * Return a paragraph.
 *
 * @param {...Child} children
 */
export function paragraph(...children) {
  return h("p", {}, ...children);
}
