/** The People page: brings its parts together. */

import { addDialog } from "./add_dialog.mjs";
import { Api } from "./api.mjs";
import { linksDialog, stopAllDialog } from "./bulk_dialogs.mjs";
import { find } from "./dom.mjs";
import { removeDialog, renameDialog, restoreDialog } from "./life_dialogs.mjs";
import { entriesOf, menuItems } from "./menu.mjs";
import { People } from "./people.mjs";
import { adminDialog, linkDialog, parkDialog, stopDialog } from "./person_dialogs.mjs";
import { PeopleTable } from "./table.mjs";
import { teamsDialog } from "./team_dialogs.mjs";
import { TeamsTable } from "./teams_table.mjs";
import { Toolbar } from "./toolbar.mjs";

const OPERATIONS = {
  link: linkDialog,
  admin: adminDialog,
  teams: teamsDialog,
  rename: renameDialog,
  park: parkDialog,
  stop: stopDialog,
  remove: removeDialog,
  restore: restoreDialog,
};

function start() {
  const { api, page, login, user } = find("#people-page").dataset;
  const people = new People(new Api({ api: api ?? "", page: page ?? "", login: login ?? "" }), user ?? "");

  const table = new PeopleTable(find("#people-table"), (person) =>
    menuItems(person, entriesOf(person, people), (operation, id) => {
      table.menuButton(id)?.focus(); // where the focus comes back to
      OPERATIONS[operation](people, people.get(id) ?? person);
    }),
  );
  const toolbar = new Toolbar(people, table);
  const teams = new TeamsTable(people);
  const add = /** @type {HTMLButtonElement} */ (find("#add-people"));
  const unreachable = find("#unreachable");
  const chosen = () =>
    people.people.filter((person) => table.selected.has(person.login) && person.archive === null);

  people.onChange = () => {
    add.disabled = false;
    find("#selected-links").hidden = !people.isLocal;
    table.setPeople(people.people);
    teams.draw();
  };
  people.onReachable = (problem) => {
    unreachable.hidden = problem === null;
    unreachable.textContent =
      problem === null ? "" : `${problem} What you see may be old; trying again every few seconds.`;
  };
  add.addEventListener("click", () => addDialog(people));
  find("#selected-links").addEventListener("click", () => linksDialog(people, chosen()));
  find("#selected-stop").addEventListener("click", () => stopAllDialog(people, chosen()));
  toolbar.filter.focus();
  people.start();
}

start();
