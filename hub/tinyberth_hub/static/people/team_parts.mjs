/** Parts of the dialogs of teams. */

import { segment, sentence } from "./api.mjs";
import { fill, h } from "./dom.mjs";
import { paragraph } from "./fields.mjs";
import { notify } from "./notices.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./people.mjs").People} People
 * @typedef {import("./dialog.mjs").Stage} Stage
 */

/**
 * Running servers have the teams of their start; offer to stop them.
 *
 * @param {People} people
 * @param {Person[]} waiting
 * @returns {Stage}
 */
export function restartStage(people, waiting) {
  const names = waiting.map((person) => person.name).join(", ");
  return {
    content: [
      paragraph(
        h("strong", {}, "Restart to join or leave: "),
        `running servers keep the teams that they started with. This is so for ${names}.`,
      ),
      paragraph(
        "You can stop them now, and what runs in them ends; or they restart their servers themselves, from Home.",
      ),
    ],
    action: waiting.length === 1 ? "Stop the server now" : "Stop these servers now",
    danger: true,
    close: "Leave running",
    run: async () => {
      for (const person of waiting) {
        people.put(await people.ask("POST", `people/${segment(person.login)}/stop`, {}));
      }
      notify(`Stopped: ${names}.`);
    },
  };
}

/**
 * A field and a button that make a team without leaving the dialog.
 *
 * @param {People} people
 * @param {(name: string) => void} onMade
 */
export function newTeamField(people, onMade) {
  const input = h("input", {
    ...{ type: "text", class: "form-control", placeholder: "New team", "aria-label": "Name of a new team" },
    ...{ autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
    // Enter makes the team; it would otherwise save the dialog with the name half typed.
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        make();
      }
    },
  });
  const problem = h("p", { class: "text-danger small mb-0", role: "alert" });
  const make = async () => {
    fill(problem);
    try {
      const team = await people.makeTeam(input.value.trim());
      input.value = "";
      onMade(team.name);
    } catch (error) {
      fill(problem, sentence(error));
    }
  };
  return h(
    "div",
    { class: "mb-3" },
    h(
      "div",
      { class: "input-group" },
      input,
      h("button", { type: "button", class: "btn btn-outline-contrast", click: make }, "Make team"),
    ),
    problem,
  );
}
