/** What the page knows: people and teams, as the hub last told, asked again every 10 seconds. */

import { UnreachableError, sentence } from "./api.mjs";
import { idOf } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./types.mjs").Team} Team
 */

const REFRESH_MS = 10_000;
const RETRY_MS = 3000;

export class People {
  /**
   * @param {import("./api.mjs").Api} api
   * @param {string} me the login of who looks at the page
   */
  constructor(api, me) {
    this.api = api;
    this.me = me;
    this.people = /** @type {Person[]} */ ([]);
    this.teams = /** @type {Team[]} */ ([]);
    this.measuredAt = /** @type {string | null} */ (null);
    this.isLocal = true;
    this.onChange = () => {};
    this.onReachable = (/** @type {string | null} */ _problem) => {};
    this.timer = 0;
    this.asked = 0;
    this.touched = 0;
  }

  /** Ask now and then every 10 seconds, while the page is looked at. */
  start() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.refresh();
      }
    });
    return this.refresh();
  }

  /**
   * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async ask(method, path, body) {
    try {
      return await this.api.ask(method, path, body);
    } finally {
      this.touched += method === "GET" ? 0 : 1;
    }
  }

  /** @param {string} id */
  get(id) {
    return this.people.find((person) => idOf(person) === id);
  }

  /** Take over one person as the hub answers after a change. @param {Person} person */
  put(person) {
    const id = idOf(person);
    const others = this.people.filter((each) => idOf(each) !== id);
    this.people = [...others, person];
    this.onChange();
  }

  /** @param {Person} person who is not there under this id any more */
  forget(person) {
    this.people = this.people.filter((each) => idOf(each) !== idOf(person));
    this.onChange();
  }

  /** @param {string} name */
  async makeTeam(name) {
    const team = await this.ask("POST", "teams", { name });
    await this.refresh();
    return /** @type {Team} */ (team);
  }

  /** Ask for everything; a failure is told and mends itself. */
  async refresh() {
    clearTimeout(this.timer);
    this.asked += 1;
    const { asked, touched } = this;
    let again = REFRESH_MS;
    try {
      const [answer, { teams }] = await Promise.all([
        this.api.ask("GET", "people"),
        this.api.ask("GET", "teams"),
      ]);
      // An answer from before a change of ours, or overtaken by a later one, tells the past.
      if (asked === this.asked && touched === this.touched) {
        this.people = answer.people;
        this.measuredAt = answer.measured_at;
        this.isLocal = answer.auth === "local";
        this.teams = teams;
        this.onChange();
      } else {
        again = 500;
      }
      this.onReachable(null);
    } catch (error) {
      this.onReachable(error instanceof UnreachableError ? error.message : sentence(error));
      again = RETRY_MS;
    }
    if (asked === this.asked && !document.hidden) {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.refresh(), again);
    }
  }
}
