/** One dialog at a time, in stages: ask, do, tell. Bootstrap keeps the focus inside it. */

import { fill, find, freshId, h } from "./dom.mjs";
import { sentence } from "./api.mjs";

/** @typedef {import("./dom.mjs").Child} Child */

/**
 * @typedef {object} Stage
 * @property {Child[]} content
 * @property {string} [action] label of the button that runs; none where there is nothing to do
 * @property {boolean} [danger] whether the button is red
 * @property {() => Promise<Stage | void>} [run] what it does; the next stage, or the dialog closes
 * @property {string} [close] label of the other button
 * @property {() => void} [onClose] what that button does, where it does not close the dialog
 * @property {boolean} [sticky] Escape and a click beside the dialog do not close it
 * @property {() => void} [onShown]
 * @property {Child[]} [more] more buttons, left of the two
 */

export class Dialog {
  /**
   * @param {object} options
   * @param {string} options.title
   * @param {boolean} [options.wide]
   * @param {() => void} [options.onClosed]
   */
  constructor({ title, wide = false, onClosed }) {
    const titleId = freshId();
    this.opener = /** @type {HTMLElement | null} */ (document.activeElement);
    this.stage = /** @type {Stage} */ ({ content: [] });
    this.busy = false;
    this.closing = false;
    this.body = h("div", { class: "modal-body" });
    this.problem = h("p", { class: "alert alert-danger mx-3 mb-0", role: "alert", hidden: true });
    this.footer = h("div", { class: "modal-footer" });
    this.title = h("h2", { class: "modal-title fs-5", id: titleId }, title);
    const form = h(
      "form",
      { class: "modal-content", submit: (/** @type {Event} */ event) => this.#submit(event) },
      h(
        "div",
        { class: "modal-header" },
        this.title,
        h("button", { type: "button", class: "btn-close", "aria-label": "Close", click: () => this.close() }),
      ),
      this.body,
      this.problem,
      this.footer,
    );
    this.element = h(
      "div",
      { class: "modal", tabindex: "-1", "aria-labelledby": titleId },
      h("div", { class: `modal-dialog modal-dialog-scrollable ${wide ? "modal-wide" : ""}` }, form),
    );
    this.element.addEventListener("hide.bs.modal", (event) => {
      if (this.busy || (this.stage.sticky && !this.closing)) {
        event.preventDefault();
      }
      this.closing = false;
    });
    this.element.addEventListener("hidden.bs.modal", () => {
      this.element.remove();
      onClosed?.();
      focusAgain(this.opener);
    });
    document.body.append(this.element);
    // @ts-ignore JupyterHub's page loads Bootstrap before us
    this.modal = new bootstrap.Modal(this.element);
  }

  /** @param {Stage} stage */
  show(stage) {
    this.stage = stage;
    this.setProblem("");
    fill(this.body, ...stage.content);
    fill(
      this.footer,
      ...(stage.more ?? []),
      h(
        "button",
        { type: "button", class: "btn btn-outline-contrast", "data-close": true, click: () => this.close() },
        stage.close ?? "Cancel",
      ),
      stage.action !== undefined &&
        h(
          "button",
          { type: "submit", class: `btn btn-${stage.danger ? "danger" : "primary"}` },
          stage.action,
        ),
    );
    this.modal.show();
    stage.onShown?.();
    const first =
      this.body.querySelector("[data-focus]") ?? find(".modal-footer button:last-child", this.element);
    /** @type {HTMLElement} */ (first).focus();
    return this;
  }

  close() {
    if (this.stage.onClose) {
      this.stage.onClose();
      return;
    }
    this.closing = true;
    this.modal.hide();
  }

  /** @param {string} text */
  setProblem(text) {
    this.problem.textContent = text;
    this.problem.hidden = text === "";
  }

  /** The button that runs the stage. */
  get submitButton() {
    return /** @type {HTMLButtonElement} */ (find("button[type=submit]", this.footer));
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.busy || !this.stage.run || this.submitButton.disabled) {
      return;
    }
    this.#setBusy(true);
    this.setProblem("");
    try {
      const next = await this.stage.run();
      this.#setBusy(false);
      if (next) {
        this.show(next);
      } else {
        this.close();
      }
    } catch (error) {
      this.#setBusy(false);
      this.setProblem(sentence(error));
    }
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    if (busy) {
      // Stopping a server takes seconds.
      this.submitButton.prepend(
        h("span", { class: "spinner-border spinner-border-sm me-2", "aria-hidden": "true" }),
      );
    } else {
      this.footer.querySelector(".spinner-border")?.remove();
    }
    for (const button of this.element.querySelectorAll(".modal-footer button, .btn-close")) {
      /** @type {HTMLButtonElement} */ (button).disabled = busy;
    }
  }
}

/**
 * Bring the focus back to where it was before the dialog; rows may be gone by then.
 *
 * @param {HTMLElement | null} opener
 */
function focusAgain(opener) {
  const here = opener?.isConnected && opener.getClientRects().length > 0;
  /** @type {HTMLElement} */ (here ? opener : find("#filter")).focus();
}
