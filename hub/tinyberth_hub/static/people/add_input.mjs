/** Names typed, or CSV pasted, chosen or dropped: the first stage of adding people. */

import { looksLikeCsv, splitNames } from "./csv.mjs";
import { h, freshId } from "./dom.mjs";
import { formatBytes } from "./format.mjs";

const MAX_BYTES = 1024 * 1024; // the hub takes no more

/**
 * Return the fields and what was put into them, as the preview is asked for.
 */
export function addInput() {
  const names = area({
    label: "Names",
    hint: "Separated by commas, spaces or lines.",
    placeholder: "alice bob carol",
  });
  const csv = area({
    label: "CSV",
    hint: "Columns name, uid, gid, teams, admin: all but name optional, teams separated by spaces or semicolons, admin yes or no. With or without a first line of headings.",
    placeholder: "name,uid,gid,teams,admin\nalice,,,nlp vision,\nbob,1005,1005,,yes",
  });
  const problem = h("p", { class: "text-danger mb-0", role: "alert" });
  const byNames = choice("Type names", true);
  const byCsv = choice("Paste or upload CSV", false);
  const file = h("input", {
    type: "file",
    class: "form-control mb-2",
    accept: ".csv,.txt,text/csv,text/plain",
    "aria-label": "CSV file",
  });
  const csvFields = h(
    "div",
    {},
    h("p", { class: "mb-2" }, "Paste, drop a file anywhere on this page, or choose one:"),
    file,
    csv.field,
  );

  const choose = (/** @type {boolean} */ isCsv) => {
    byCsv.input.checked = isCsv;
    byNames.input.checked = !isCsv;
    csvFields.hidden = !isCsv;
    names.field.hidden = isCsv;
    names.input.required = !isCsv;
    csv.input.required = isCsv;
    (isCsv ? csv : names).input.focus();
  };
  const take = async (/** @type {File} */ chosen) => {
    problem.textContent = "";
    if (chosen.size > MAX_BYTES) {
      problem.textContent = `${chosen.name} has ${formatBytes(chosen.size)}; the hub takes ${formatBytes(MAX_BYTES)} at once.`;
      return;
    }
    csv.input.value = decode(await chosen.arrayBuffer());
    choose(true);
  };
  byNames.input.addEventListener("change", () => choose(false));
  byCsv.input.addEventListener("change", () => choose(true));
  file.addEventListener("change", () => file.files?.[0] && take(file.files[0]));
  names.input.addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (looksLikeCsv(pasted)) {
      event.preventDefault();
      csv.input.value = pasted;
      choose(true);
    }
  });
  csvFields.hidden = true;
  names.input.required = true;
  names.input.setAttribute("data-focus", "");

  return {
    content: [
      h(
        "div",
        { class: "btn-group mb-3", role: "group", "aria-label": "How" },
        byNames.input,
        byNames.label,
        byCsv.input,
        byCsv.label,
      ),
      names.field,
      csvFields,
      problem,
    ],
    take,
    /** What to ask a preview of. */
    read: () =>
      byCsv.input.checked
        ? { csv: csv.input.value }
        : { people: splitNames(names.input.value).map((name) => ({ name })) },
  };
}

/**
 * Return the text of a file: UTF-8, or what Excel on Windows writes where it is not.
 *
 * @param {ArrayBuffer} bytes
 */
function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** @param {{label: string, hint: string, placeholder: string}} options */
function area({ label, hint, placeholder }) {
  const id = freshId();
  const input = h("textarea", {
    ...{ id, class: "form-control font-monospace", rows: 8, placeholder, "aria-describedby": `${id}-hint` },
    ...{ autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
  });
  const field = h(
    "div",
    {},
    h("label", { for: id, class: "form-label" }, label),
    input,
    h("div", { class: "form-text", id: `${id}-hint` }, hint),
  );
  return { field, input };
}

/**
 * @param {string} text
 * @param {boolean} checked
 */
function choice(text, checked) {
  const id = freshId();
  const input = h("input", { type: "radio", class: "btn-check", name: "add-how", id, autocomplete: "off" });
  input.checked = checked;
  return { input, label: h("label", { class: "btn btn-outline-primary", for: id }, text) };
}
