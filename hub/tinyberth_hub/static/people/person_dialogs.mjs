/** Link, admin, server: what an admin does with a person who stays. */

import { segment } from "./api.mjs";
import { Dialog } from "./dialog.mjs";
import { paragraph } from "./fields.mjs";
import { linkList } from "./links.mjs";
import { notify } from "./notices.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./people.mjs").People} People
 * @typedef {import("./dialog.mjs").Stage} Stage
 */

/**
 * The stage that shows links; it closes by its own button alone.
 *
 * @param {import("./links.mjs").Link[]} links
 * @param {...import("./dom.mjs").Child} before
 * @returns {Stage}
 */
export function linksStage(links, ...before) {
  return { content: [...before, linkList(links)], close: "Done", sticky: true };
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function linkDialog(people, person) {
  new Dialog({ title: `New link for ${person.name}`, wide: true }).show({
    content: [
      paragraph("A link made before stops working at once."),
      paragraph(
        person.state === "invited"
          ? `With the new one ${person.name} sets a password and comes in.`
          : `The password stays until ${person.name} opens the new link and sets another; open sessions then end.`,
      ),
    ],
    action: "Make a new link",
    run: async () => linksStage([await people.ask("POST", `people/${segment(person.login)}/link`, {})]),
  });
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function adminDialog(people, person) {
  const wanted = !person.admin;
  new Dialog({ title: wanted ? `Make ${person.name} an admin` : `${person.name} no admin any more` }).show({
    content: [
      paragraph(
        wanted
          ? "Admins add and remove people, make links for anybody, and can reach everybody's server and files."
          : `${person.name} keeps the account, the files and the server, and no longer sees this page.`,
      ),
    ],
    action: wanted ? "Make admin" : "Unmake admin",
    danger: !wanted,
    run: async () => {
      people.put(await people.ask("PATCH", `people/${segment(person.login)}`, { admin: wanted }));
      notify(wanted ? `${person.name} is an admin.` : `${person.name} is no admin any more.`);
    },
  });
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function stopDialog(people, person) {
  new Dialog({ title: `Stop the server of ${person.name}` }).show({
    content: [
      paragraph(
        "What runs in notebooks and terminals ends, and variables are lost. Files that are saved stay.",
      ),
      paragraph(`${person.name} starts it again with one click.`),
    ],
    action: "Stop server",
    danger: true,
    run: async () => {
      people.put(await people.ask("POST", `people/${segment(person.login)}/stop`, {}));
      notify(`The server of ${person.name} is stopped.`);
    },
  });
}

/**
 * @param {People} people
 * @param {Person} person
 */
export function parkDialog(people, person) {
  new Dialog({ title: `Park the server of ${person.name}` }).show({
    content: [
      paragraph("All of it stands still, and nothing is lost: the memory stays, with every variable."),
      paragraph(`It goes on when ${person.name} comes back. Idle servers are parked without you.`),
    ],
    action: "Park server",
    run: async () => {
      people.put(await people.ask("POST", `people/${segment(person.login)}/park`, {}));
      notify(`The server of ${person.name} is parked.`);
    },
  });
}
