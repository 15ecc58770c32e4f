/** Who is shown, and in which order: pure functions. */

/** @typedef {import("./types.mjs").Person} Person */

/** The states as people read them, in the order that they sort in, with Bootstrap's classes of their colours. */
export const STATES = /** @type {const} */ ({
  invited: { label: "invited", colour: "text-bg-info" },
  active: { label: "active", colour: "bg-success-subtle text-success-emphasis" },
  throttled: { label: "throttled", colour: "text-bg-warning" },
  removed: { label: "removed", colour: "text-bg-secondary" },
});

export const HERE = "here"; // the choice that leaves out removed people

/**
 * Return what tells a person from all others, living or removed.
 *
 * @param {Person} person
 */
export function idOf(person) {
  return person.archive ?? person.login;
}

/** @param {Person} person */
export function isRemoved(person) {
  return person.archive !== null;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const STATE_ORDER = Object.keys(STATES);

/**
 * What each column sorts by; null sorts last in both directions.
 *
 * @type {Record<string, (person: Person) => string | number | null>}
 */
const SORT_KEYS = {
  name: (person) => person.name,
  login: (person) => idOf(person),
  uid: (person) => person.uid,
  state: (person) => STATE_ORDER.indexOf(person.state),
  admin: (person) => (person.admin ? 0 : 1),
  teams: (person) => person.teams.join(" ") || null,
  disk: (person) => person.disk,
  server: (person) => (person.server === null ? null : (person.server.memory ?? 0)),
  last_seen: (person) => (person.last_seen === null ? null : Date.parse(person.last_seen)),
};

/**
 * @param {Person[]} people
 * @param {{column: string, descending: boolean}} sort
 * @returns {Person[]} a new list
 */
export function sorted(people, { column, descending }) {
  const key = SORT_KEYS[column];
  const direction = descending ? -1 : 1;
  return people
    .map((person) => ({ person, key: key(person) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) {
        return Number(a.key === null) - Number(b.key === null) || byId(a.person, b.person);
      }
      const order =
        typeof a.key === "number" && typeof b.key === "number"
          ? a.key - b.key
          : collator.compare(String(a.key), String(b.key));
      return order * direction || byId(a.person, b.person);
    })
    .map(({ person }) => person);
}

/**
 * @param {Person} a
 * @param {Person} b
 */
function byId(a, b) {
  return collator.compare(idOf(a), idOf(b));
}

/**
 * Return who matches every word of `text`, in any column, and is in `state`.
 *
 * @param {Person[]} people
 * @param {{text: string, state: string}} filter
 */
export function filtered(people, { text, state }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return people.filter(
    (person) => inState(person, state) && words.every((word) => haystack(person).includes(word)),
  );
}

/**
 * @param {Person} person
 * @param {string} state
 */
export function inState(person, state) {
  return state === HERE ? !isRemoved(person) : person.state === state;
}

/** @param {Person} person */
function haystack(person) {
  return [
    person.name,
    idOf(person),
    `${person.uid}:${person.gid}`,
    person.state,
    person.admin ? "admin" : "",
    person.server ? (person.server.parked_since === null ? "running" : "parked") : "",
    ...person.teams,
  ]
    .join("\n")
    .toLowerCase();
}

/**
 * Tell whether this admin is the only one.
 *
 * @param {Person} person
 * @param {Person[]} people
 */
export function isLastAdmin(person, people) {
  return person.admin && people.filter((each) => each.admin && !isRemoved(each)).length === 1;
}
