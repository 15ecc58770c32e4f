/** Copies text. Browsers offer their clipboard only on https:// and on *.localhost. */

import { h } from "./dom.mjs";

/**
 * Copy `text`; `place` is where a text field may stand for browsers that offer no clipboard.
 *
 * @param {string} text
 * @param {Element} place
 * @returns {Promise<string>} what to tell the reader
 */
export async function copyText(text, place) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return "Copied";
    } catch {
      // The reader refused the permission: the old way is left.
    }
  }
  place.querySelector(".copy-by-hand")?.remove();
  const field = h("textarea", {
    class: "form-control copy-by-hand",
    readonly: true,
    rows: 3,
    "aria-label": "Text to copy",
  });
  field.value = text;
  place.append(field);
  field.focus();
  field.select();
  if (document.execCommand("copy")) {
    field.remove();
    return "Copied";
  }
  return "Press Ctrl+C: this browser lets a page copy only over https:// or on *.localhost";
}

/**
 * Return a button that copies what `text` returns, and says so.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} [options.name] what a screen reader calls it, where the label says too little
 * @param {() => string} options.text
 * @param {() => Element} options.place
 */
export function copyButton({ label, name, text, place }) {
  const button = h(
    "button",
    {
      ...{ type: "button", class: "btn btn-sm btn-outline-contrast copy-button", "aria-label": name },
      click: async () => {
        const told = await copyText(text(), place());
        button.textContent = told;
        button.setAttribute("aria-label", name ? `${told}: ${name}` : told);
        if (told === "Copied") {
          button.focus();
          setTimeout(() => {
            button.textContent = label;
            button.setAttribute("aria-label", name ?? label);
          }, 3000);
        }
      },
    },
    label,
  );
  return button;
}
