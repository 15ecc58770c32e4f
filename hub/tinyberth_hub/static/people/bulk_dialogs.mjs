/** What is done with everybody selected. */

import { segment, sentence } from "./api.mjs";
import { Dialog } from "./dialog.mjs";
import { h } from "./dom.mjs";
import { paragraph } from "./fields.mjs";
import { counted } from "./format.mjs";
import { notify } from "./notices.mjs";
import { linksStage } from "./person_dialogs.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./people.mjs").People} People
 */

/**
 * @param {People} people
 * @param {Person[]} chosen
 */
export function linksDialog(people, chosen) {
  new Dialog({ title: `New links for ${counted(chosen.length, "person", "people")}`, wide: true }).show({
    content: [
      paragraph("The links made before stop working at once. Passwords stay until a new link is opened."),
      h("p", { class: "selected-names" }, names(chosen)),
    ],
    action: "Make new links",
    run: async () => {
      const { done, problems } = await forEach(chosen, (person) =>
        people.ask("POST", `people/${segment(person.login)}/link`, {}),
      );
      await people.refresh();
      return linksStage(done, ...problems);
    },
  });
}

/**
 * @param {People} people
 * @param {Person[]} chosen
 */
export function stopAllDialog(people, chosen) {
  const running = chosen.filter((person) => person.server !== null);
  new Dialog({ title: `Stop ${counted(running.length, "server", "servers")}` }).show({
    content: [
      paragraph(
        "What runs in notebooks and terminals ends, and variables are lost. Files that are saved stay.",
      ),
      h(
        "p",
        { class: "selected-names" },
        running.length > 0 ? names(running) : "None of those selected has a running server.",
      ),
    ],
    ...(running.length > 0 ? { action: "Stop servers", danger: true } : {}),
    run: async () => {
      const { done, problems } = await forEach(running, (person) =>
        people.ask("POST", `people/${segment(person.login)}/stop`, {}),
      );
      await people.refresh();
      notify(`${counted(done.length, "server is", "servers are")} stopped.`);
      return problems.length > 0 ? { content: problems, close: "Done" } : undefined;
    },
  });
}

/** @param {Person[]} chosen */
function names(chosen) {
  return chosen.map((person) => person.name).join(", ");
}

/**
 * One after another; a failure is told and spoils no other.
 *
 * @param {Person[]} chosen
 * @param {(person: Person) => Promise<any>} work
 */
async function forEach(chosen, work) {
  const done = [];
  const problems = [];
  for (const person of chosen) {
    try {
      done.push(await work(person));
    } catch (error) {
      problems.push(h("p", { class: "text-danger" }, `${person.name}: ${sentence(error)}`));
    }
  }
  return { done, problems };
}
