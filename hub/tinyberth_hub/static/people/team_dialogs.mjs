/** Who is in which team: from a person's side and from a team's. */

import { segment } from "./api.mjs";
import { Dialog } from "./dialog.mjs";
import { h } from "./dom.mjs";
import { checkField, paragraph } from "./fields.mjs";
import { counted } from "./format.mjs";
import { notify } from "./notices.mjs";
import { newTeamField, restartStage } from "./team_parts.mjs";
import { isRemoved } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./types.mjs").Team} Team
 * @typedef {import("./people.mjs").People} People
 */

/**
 * The teams of one person, and a new team beside them.
 *
 * @param {People} people
 * @param {Person} person
 */
export function teamsDialog(people, person) {
  /** @type {Map<string, HTMLInputElement>} */
  const boxes = new Map();
  const list = h("div", { class: "mb-3", role: "group", "aria-label": `Teams of ${person.name}` });
  const add = (/** @type {string} */ name, /** @type {boolean} */ checked) => {
    const { field, input } = checkField({ label: name, checked, focused: boxes.size === 0 });
    boxes.set(name, input);
    list.append(field);
    return input;
  };
  for (const team of people.teams) {
    add(team.name, person.teams.includes(team.name));
  }
  new Dialog({ title: `Teams of ${person.name}` }).show({
    content: [
      boxes.size > 0 ? list : h("div", {}, list, paragraph("There is no team yet: make one here.")),
      newTeamField(people, (name) => add(name, true).focus()),
      person.server &&
        h("p", { class: "mb-0" }, "Joining and leaving hold from the next start of the server."),
    ],
    action: "Save",
    run: async () => {
      const teams = [...boxes].filter(([, box]) => box.checked).map(([name]) => name);
      const changed = await people.ask("PATCH", `people/${segment(person.login)}`, { teams });
      people.put(changed);
      people.refresh();
      notify(
        teams.length > 0 ? `${person.name} is in ${teams.join(", ")}.` : `${person.name} is in no team.`,
      );
      return changed.server?.teams_changed ? restartStage(people, [changed]) : undefined;
    },
  });
}

/**
 * The members of one team.
 *
 * @param {People} people
 * @param {Team} team
 */
export function membersDialog(people, team) {
  const living = people.people.filter((person) => !isRemoved(person));
  const boxes = living.map((person) => {
    const label = person.name === person.login ? person.login : `${person.name} (${person.login})`;
    return { person, label, ...checkField({ label, checked: team.members.includes(person.login) }) };
  });
  const filter = h("input", {
    ...{
      type: "search",
      class: "form-control mb-2",
      placeholder: "Filter",
      "aria-label": "Filter people",
      "data-focus": true,
    },
    input: () => {
      for (const { label, field } of boxes) {
        field.hidden = !label.toLowerCase().includes(filter.value.trim().toLowerCase());
      }
    },
  });
  new Dialog({ title: `Members of ${team.name}` }).show({
    content: [
      filter,
      h(
        "div",
        { class: "member-list", role: "group", "aria-label": `Members of ${team.name}` },
        ...boxes.map(({ field }) => field),
      ),
    ],
    action: "Save",
    run: async () => {
      const members = boxes.filter(({ input }) => input.checked).map(({ person }) => person.login);
      await people.ask("PUT", `teams/${segment(team.name)}`, { members });
      await people.refresh();
      notify(`${team.name} has ${counted(members.length, "member", "members")}.`);
      const touched = new Set(
        [...members, ...team.members].filter(
          (login) => members.includes(login) !== team.members.includes(login),
        ),
      );
      const waiting = people.people.filter(
        (person) => touched.has(person.login) && person.server?.teams_changed,
      );
      return waiting.length > 0 ? restartStage(people, waiting) : undefined;
    },
  });
}

/**
 * @param {People} people
 * @param {Team} team
 */
export function removeTeamDialog(people, team) {
  new Dialog({ title: `Remove the team ${team.name}` }).show({
    content: [
      paragraph(
        "No file is deleted: ",
        h("code", {}, `data/teams/${team.name}`),
        " moves to ",
        h("code", {}, `data/archive/${team.name}~N`),
        `. Its ${counted(team.members.length, "member loses", "members lose")} the folder /teams/${team.name} with the next start of the own server.`,
      ),
      paragraph(`Its gid is given to no other team; a team ${team.name} made later is new and empty.`),
    ],
    action: "Remove team",
    danger: true,
    run: async () => {
      const { archive } = await people.ask("DELETE", `teams/${segment(team.name)}`);
      await people.refresh();
      notify(`${team.name} is removed; its files are in data/archive/${archive}.`);
    },
  });
}
