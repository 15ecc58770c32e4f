/**
 * What the people API answers; `hub/tinyberth_hub/people_api.py` has the words.
 *
 * @typedef {"invited" | "active" | "throttled" | "removed"} State
 *
 * @typedef {object} Server
 * @property {string | null} since ISO 8601
 * @property {string | null} parked_since ISO 8601, of a server that is paused until the next visit
 * @property {number | null} memory bytes
 * @property {number | null} memory_limit bytes
 * @property {boolean} teams_changed whether a restart would change the teams
 *
 * @typedef {object} Person
 * @property {string} name as the admin or the provider gives it
 * @property {string} login
 * @property {number | null} uid
 * @property {number | null} gid
 * @property {State} state
 * @property {string | null} throttled_until
 * @property {boolean} admin
 * @property {string[]} teams
 * @property {number | null} disk bytes
 * @property {Server | null} server
 * @property {string | null} last_seen
 * @property {string | null} archive `alice~1` for who was removed
 * @property {string | null} created
 *
 * @typedef {Person & {link: string | null}} AddedPerson
 *
 * @typedef {object} PeopleAnswer
 * @property {Person[]} people
 * @property {string | null} measured_at when the homes were measured
 * @property {string} auth `local` where people sign in with a password of ours
 *
 * @typedef {object} Team
 * @property {string} name
 * @property {number | null} gid null until the warden knows it
 * @property {string[]} members logins
 *
 * @typedef {object} PreviewLine
 * @property {number} line
 * @property {string} name
 * @property {string | null} login
 * @property {number | null} uid
 * @property {number | null} gid
 * @property {string[]} teams
 * @property {string[]} new_teams those among them that are made with this line
 * @property {boolean} admin
 * @property {"new" | "exists" | "refused"} outcome
 * @property {string | null} why
 */

export {};
