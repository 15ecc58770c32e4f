/** Rename, remove, restore. */

import { segment } from "./api.mjs";
import { Dialog } from "./dialog.mjs";
import { h } from "./dom.mjs";
import { paragraph, textField } from "./fields.mjs";
import { formatBytes } from "./format.mjs";
import { notify } from "./notices.mjs";
import { linksStage } from "./person_dialogs.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./people.mjs").People} People
 */

const LOGIN_HINT = "a-z, 0-9, _ and -, beginning with a letter, 32 characters at most.";

/**
 * @param {People} people
 * @param {Person} person
 */
export function renameDialog(people, person) {
  const { field, input } = textField({ label: "New login", value: person.login, hint: LOGIN_HINT });
  new Dialog({ title: `Rename ${person.login}` }).show({
    content: [
      field,
      paragraph(
        `The uid (${person.uid}), all files, teams and the password stay. The folder becomes /home/NEW and data/users/NEW.`,
      ),
      paragraph(
        "What does not follow: paths that were written down in full, such as ",
        h("code", {}, `/home/${person.login}/…`),
        " in notebooks, scripts, virtual environments and symbolic links.",
      ),
      person.server &&
        paragraph(
          h("strong", {}, "The server runs and is stopped first: "),
          "what runs in it ends, and variables are lost.",
        ),
    ],
    action: person.server ? "Stop the server and rename" : "Rename",
    danger: person.server !== null,
    run: async () => {
      const to = input.value.trim();
      if (person.server) {
        await checkFree(people, to); // no server is stopped for a name that is refused then
        people.put(await people.ask("POST", `people/${segment(person.login)}/stop`, {}));
      }
      const renamed = await people.ask("POST", `people/${segment(person.login)}/rename`, { to });
      people.forget(person);
      people.put(renamed);
      notify(`${person.login} is now ${renamed.login}, with the same uid and files.`);
    },
  });
}

/**
 * @param {People} people
 * @param {string} name
 */
async function checkFree(people, name) {
  const { lines } = await people.api.ask("POST", "people/preview", { people: [{ name }] });
  if (lines[0].outcome !== "new") {
    throw new Error(lines[0].why ?? `${name} is here already: choose another login name.`);
  }
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function removeDialog(people, person) {
  const size = person.disk === null ? "" : ` (${formatBytes(person.disk)})`;
  new Dialog({ title: `Remove ${person.name}` }).show({
    content: [
      h(
        "ul",
        {},
        person.server && h("li", {}, "The running server is stopped; what runs in it ends."),
        h("li", {}, "Sessions, tokens, password and links end now."),
        h(
          "li",
          {},
          "No file is deleted: the home",
          size,
          " moves from ",
          h("code", {}, `data/users/${person.login}`),
          " to ",
          h("code", {}, `data/archive/${person.login}~N`),
          ".",
        ),
        h(
          "li",
          {},
          `The uid ${person.uid} is given to nobody else; ${person.login} added later is somebody new.`,
        ),
      ),
      paragraph("You can bring this person back: choose “removed” beside the filter, then Restore."),
    ],
    action: "Remove",
    danger: true,
    run: async () => {
      const { home } = await people.ask("DELETE", `people/${segment(person.login)}`);
      people.forget(person);
      await people.refresh();
      notify(`${person.name} is removed; the files are in ${home}.`);
    },
  });
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function restoreDialog(people, person) {
  const { field, input } = textField({
    label: "Login",
    value: person.login,
    hint: `Another one if ${person.login} is somebody else's by now: ${LOGIN_HINT}`,
  });
  new Dialog({ title: `Restore ${person.archive}`, wide: true }).show({
    content: [
      paragraph(`Home, uid and gid (${person.uid}:${person.gid}) come back. Teams do not: add them again.`),
      people.isLocal && paragraph("The old password is gone: a new link is made."),
      field,
    ],
    action: "Restore",
    run: async () => {
      const restored = await people.ask("POST", `people/${segment(person.archive ?? "")}/restore`, {
        as: input.value.trim(),
      });
      people.forget(person);
      people.put(restored);
      notify(`${restored.login} is back, with the files and uid ${restored.uid}.`);
      return restored.link ? linksStage([restored]) : undefined;
    },
  });
}
