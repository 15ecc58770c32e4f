/** What stands in each cell of the table of people. */

import { badge, h } from "./dom.mjs";
import { formatAgo, formatBytes, formatClock, formatSpan, formatTime } from "./format.mjs";
import { STATES, idOf, isRemoved } from "./view.mjs";

/**
 * @typedef {import("./types.mjs").Person} Person
 * @typedef {import("./dom.mjs").Child} Child
 */

/**
 * Each column: what its cell depends on, and what is in it.
 *
 * @type {{key: (person: Person, now: number) => unknown, render: (person: Person, now: number) => Child[], class?: string}[]}
 */
export const COLUMNS = [
  { key: (person) => person.name, render: (person) => [person.name], class: "col-name" },
  {
    key: (person) => idOf(person),
    render: (person) => [
      h("code", {}, person.login),
      isRemoved(person) && h("small", { class: "text-body-secondary d-block" }, `kept as ${person.archive}`),
    ],
  },
  { key: (person) => ids(person), render: (person) => [ids(person)], class: "font-monospace" },
  { key: (person) => [person.state, person.throttled_until], render: (person) => [stateBadge(person)] },
  { key: (person) => person.admin, render: (person) => [person.admin && badge("admin", "text-bg-primary")] },
  { key: (person) => person.teams, render: (person) => [person.teams.join(", ")], class: "col-teams" },
  {
    key: (person) => person.disk,
    render: (person) => [formatBytes(person.disk)],
    class: "text-end text-nowrap",
  },
  {
    key: (person, now) => [serverText(person, now), restartsForTeams(person)],
    render: (person, now) => [
      h("span", { title: formatTime(person.server?.parked_since ?? null) }, serverText(person, now)),
      restartsForTeams(person) &&
        badge(
          "restart for teams",
          "text-bg-warning",
          "Teams changed: they hold from this server's next start",
        ),
    ],
  },
  {
    key: (person, now) => formatAgo(person.last_seen, now),
    render: (person, now) => [
      h("span", { title: formatTime(person.last_seen) }, formatAgo(person.last_seen, now)),
    ],
    class: "text-nowrap",
  },
];

/** Tell whether teams wait for a restart; a parked server of other teams is replaced anyway. @param {Person} person */
function restartsForTeams({ server }) {
  return server !== null && server.parked_since === null && server.teams_changed;
}

/** @param {Person} person */
function ids(person) {
  return person.uid === null ? "–" : `${person.uid}:${person.gid}`;
}

/** @param {Person} person */
function stateBadge(person) {
  const { label, colour } = STATES[person.state];
  const until = person.state === "throttled" && person.throttled_until;
  return badge(
    until ? `throttled until ${formatClock(until)}` : label,
    colour,
    until ? "Too many wrong passwords; a new link lets in at once" : undefined,
  );
}

/**
 * @param {import("./types.mjs").Server} server
 * @param {number} now
 */
function serverSince({ since, parked_since }, now) {
  if (parked_since !== null) {
    return `parked ${formatSpan(now - Date.parse(parked_since))}`;
  }
  return since === null ? "starting" : formatSpan(now - Date.parse(since));
}

/**
 * @param {Person} person
 * @param {number} now
 */
function serverText({ server }, now) {
  if (server === null) {
    return "";
  }
  const since = serverSince(server, now);
  const limit = server.memory_limit === null ? "" : ` of ${formatBytes(server.memory_limit)}`;
  return server.memory === null ? `${since} ` : `${since}, ${formatBytes(server.memory)}${limit} `;
}
