/** Adding people: put in, look at what would happen, do it, hand out the links. */

import { addInput } from "./add_input.mjs";
import { addPreview } from "./add_preview.mjs";
import { Dialog } from "./dialog.mjs";
import { h } from "./dom.mjs";
import { paragraph } from "./fields.mjs";
import { counted } from "./format.mjs";
import { addOne, runImport } from "./import_run.mjs";
import { linkList } from "./links.mjs";

/**
 * @typedef {import("./people.mjs").People} People
 * @typedef {import("./types.mjs").PreviewLine} PreviewLine
 * @typedef {import("./import_run.mjs").Result} Result
 * @typedef {import("./dialog.mjs").Stage} Stage
 */

/** @param {People} people */
export function addDialog(people) {
  const dialog = new Dialog({ title: "Add people", wide: true });
  const input = addInput();
  dialog.element.addEventListener("dragover", (event) => event.preventDefault());
  dialog.element.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file && dialog.stage === first) {
      input.take(file);
    }
  });

  /** @type {Stage} */
  const first = { content: input.content, action: "Preview", run: () => preview(), sticky: true };

  /** @returns {Promise<Stage>} */
  const preview = async () => {
    const { lines } = await people.api.ask("POST", "people/preview", input.read());
    if (lines.length === 0) {
      throw new Error("There is no name in it.");
    }
    const { content, fresh, again, chosen } = addPreview(lines, people.isLocal);
    const label = () =>
      chosen().length > fresh.length
        ? "Add, and make links"
        : `Add ${counted(fresh.length, "person", "people")}`;
    const drawButton = () => {
      dialog.submitButton.disabled = chosen().length === 0;
      dialog.submitButton.textContent = label();
    };
    again.addEventListener("change", drawButton);
    return {
      content,
      action: label(),
      onShown: drawButton,
      sticky: true,
      more: [
        h(
          "button",
          { type: "button", class: "btn btn-outline-contrast me-auto", click: () => dialog.show(first) },
          "Back",
        ),
      ],
      run: async () => progress(chosen()),
    };
  };

  /**
   * @param {PreviewLine[]} lines
   * @returns {Stage}
   */
  const progress = (lines) => {
    const cancel = new AbortController();
    const bar = h("div", { class: "progress-bar" });
    const frame = h(
      "div",
      {
        class: "progress mb-2",
        role: "progressbar",
        "aria-label": "People added",
        "aria-valuemin": 0,
        "aria-valuemax": lines.length,
      },
      bar,
    );
    const told = h("p", { id: "import-progress" });
    const waits = h("p", { role: "alert", class: "text-warning-emphasis" });
    const onProgress = (/** @type {number} */ finished) => {
      frame.setAttribute("aria-valuenow", String(finished));
      bar.style.width = `${(100 * finished) / lines.length}%`;
      told.textContent = `${finished} of ${lines.length}`;
    };
    const onWaiting = (/** @type {boolean} */ waiting) => {
      waits.textContent = waiting ? "The hub does not answer; trying again until it does." : "";
    };
    const stay = (/** @type {Event} */ event) => event.preventDefault();
    window.addEventListener("beforeunload", stay);
    onProgress(0);
    const work = (/** @type {PreviewLine} */ line) =>
      addOne(people.api, line, { isLocal: people.isLocal, signal: cancel.signal, onWaiting });
    runImport(lines, work, { signal: cancel.signal, onProgress }).then((results) => {
      window.removeEventListener("beforeunload", stay);
      people.refresh();
      dialog.show(outcome(results));
    });
    return {
      content: [
        told,
        frame,
        waits,
        paragraph(
          "Each line is done whole or not at all. Those that are begun are finished when you cancel.",
        ),
      ],
      sticky: true,
      close: "Cancel",
      onClose: () => cancel.abort(),
    };
  };

  /**
   * @param {Result[]} results
   * @returns {Stage}
   */
  const outcome = (results) => {
    const failed = results.filter((result) => result.why !== undefined);
    const untried = results.filter((result) => !result.done && result.why === undefined);
    const added = results.filter((result) => result.done && result.line.outcome === "new");
    const links = results.flatMap(({ done }) =>
      done?.link ? [{ name: done.name, login: done.login, link: done.link }] : [],
    );
    return {
      content: [
        h(
          "p",
          { role: "status", class: "fs-5", id: "import-outcome" },
          [
            `${counted(added.length, "person", "people")} added`,
            failed.length > 0 && `${failed.length} failed`,
            untried.length > 0 && `${untried.length} not tried`,
          ]
            .filter(Boolean)
            .join(", ") + ".",
        ),
        failed.length > 0 &&
          h(
            "ul",
            { id: "import-failures", class: "text-danger" },
            ...failed.map(({ line, why }) => h("li", {}, `Line ${line.line}, ${line.name}: ${why}`)),
          ),
        failed.length + untried.length > 0 &&
          paragraph("The same list can be run again: who is here already is told apart in the preview."),
        links.length > 0 && linkList(links),
        !people.isLocal && paragraph("They can sign in now, with the name that their provider gives."),
      ],
      ...(failed.length + untried.length > 0 ? { action: "Preview again", run: preview } : {}),
      sticky: true,
      close: "Done",
    };
  };

  dialog.show(first);
}
