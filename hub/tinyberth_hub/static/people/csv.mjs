/** CSV as spreadsheets read it, and names as people type them. */

/**
 * Return rows as CSV with CRLF, for files and for the clipboard.
 *
 * A cell that begins as a formula does (`=`, `+`, `-`, `@`) gets an apostrophe before it: a name
 * from a sign-in provider must not run in the admin's spreadsheet.
 *
 * @param {string[][]} rows
 */
export function toCsv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** @param {string} text */
function cell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Return the names in a text, separated by commas, semicolons, spaces or lines.
 *
 * @param {string} text
 */
export function splitNames(text) {
  return text.split(/[\s,;]+/u).filter((name) => name !== "");
}

/**
 * Tell whether a text that was pasted among names is CSV: its first line says so.
 *
 * @param {string} text
 */
export function looksLikeCsv(text) {
  return /^\uFEFF?\s*"?name"?\s*,/i.test(text);
}
