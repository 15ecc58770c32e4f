/** The section of teams. */

import { sentence } from "./api.mjs";
import { fill, find, h } from "./dom.mjs";
import { membersDialog, removeTeamDialog } from "./team_dialogs.mjs";
import { notify } from "./notices.mjs";

/**
 * @typedef {import("./types.mjs").Team} Team
 * @typedef {import("./people.mjs").People} People
 */

export class TeamsTable {
  /** @param {People} people */
  constructor(people) {
    this.people = people;
    this.body = find("#teams-table tbody");
    this.drawn = "";
    const input = /** @type {HTMLInputElement} */ (find("#team-name"));
    find("#make-team").addEventListener("submit", async (event) => {
      event.preventDefault();
      const problem = find("#team-problem");
      problem.textContent = "";
      try {
        const team = await people.makeTeam(input.value.trim());
        input.value = "";
        notify(`The team ${team.name} is made.`);
      } catch (error) {
        problem.textContent = sentence(error);
      }
    });
  }

  draw() {
    const { teams } = this.people;
    const drawn = JSON.stringify(teams);
    if (drawn === this.drawn) {
      return; // so that a refresh takes the focus from no button
    }
    this.drawn = drawn;
    fill(this.body, ...teams.map((team) => this.#row(team)));
    find("#teams-table").hidden = teams.length === 0;
    find("#teams-empty").hidden = teams.length > 0;
  }

  /** @param {Team} team */
  #row(team) {
    return h(
      "tr",
      { "data-team": team.name },
      h("th", { scope: "row" }, team.name),
      h("td", { class: "font-monospace" }, String(team.gid ?? "–")),
      h(
        "td",
        { class: "w-100" },
        team.members.length > 0
          ? team.members.join(", ")
          : h("span", { class: "text-body-secondary" }, "nobody yet"),
      ),
      h(
        "td",
        { class: "text-nowrap" },
        h(
          "button",
          {
            type: "button",
            class: "btn btn-sm btn-outline-contrast me-2",
            "aria-label": `Members of ${team.name}`,
            click: () => membersDialog(this.people, team),
          },
          "Members…",
        ),
        h(
          "button",
          {
            type: "button",
            class: "btn btn-sm btn-outline-danger",
            "aria-label": `Remove ${team.name}`,
            click: () => removeTeamDialog(this.people, team),
          },
          "Remove…",
        ),
      ),
    );
  }
}
