/** Adds many people, a few at a time; can be cancelled, and outlives a hub that is away. */

import { RefusedError, UnreachableError, segment, sentence } from "./api.mjs";

/**
 * @typedef {import("./api.mjs").Api} Api
 * @typedef {import("./types.mjs").PreviewLine} PreviewLine
 * @typedef {{name: string, login: string, link: string | null}} Done
 * @typedef {{line: PreviewLine, done?: Done, why?: string}} Result neither: not tried
 */

const AT_ONCE = 3; // the hub does the steps of one person after another; more would only queue
const RETRY_MS = 2000;

/**
 * Work on every line; a failure of one is told in its result and spoils no other.
 *
 * @param {PreviewLine[]} lines
 * @param {(line: PreviewLine) => Promise<Done>} work
 * @param {object} options
 * @param {AbortSignal} options.signal cancels what has not begun
 * @param {(finished: number) => void} options.onProgress
 * @returns {Promise<Result[]>} in the order of the lines
 */
export async function runImport(lines, work, { signal, onProgress }) {
  /** @type {Result[]} */
  const results = lines.map((line) => ({ line }));
  let next = 0;
  let finished = 0;
  const worker = async () => {
    while (next < results.length && !signal.aborted) {
      const result = results[next];
      next += 1;
      try {
        result.done = await work(result.line);
      } catch (error) {
        result.why = signal.aborted && error instanceof UnreachableError ? undefined : sentence(error);
      }
      finished += 1;
      onProgress(finished);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/**
 * Add the person of a new line, or make a link for who exists and has not used one.
 *
 * A request whose answer got lost is asked again: if it had been done, the hub says "exists" now,
 * and a fresh link stands for the one that got lost.
 *
 * @param {Api} api
 * @param {PreviewLine} line
 * @param {object} options
 * @param {boolean} options.isLocal
 * @param {AbortSignal} options.signal
 * @param {(waiting: boolean) => void} options.onWaiting
 * @returns {Promise<Done>}
 */
export async function addOne(api, line, { isLocal, signal, onWaiting }) {
  let lost = false;
  for (;;) {
    try {
      const done =
        line.outcome === "new"
          ? await api.ask("POST", "people", bodyOf(line))
          : await linkIfInvited(api, line);
      onWaiting(false);
      return done;
    } catch (error) {
      if (error instanceof UnreachableError && !signal.aborted) {
        lost = true;
        onWaiting(true);
        await pause(RETRY_MS, signal);
      } else if (lost && error instanceof RefusedError && error.status === 409) {
        return isLocal
          ? linkIfInvited(api, line)
          : { name: line.name, login: line.login ?? line.name, link: null };
      } else {
        throw error;
      }
    }
  }
}

/**
 * @param {Api} api
 * @param {PreviewLine} line
 */
function linkIfInvited(api, line) {
  return api.ask("POST", `people/${segment(line.login ?? line.name)}/link`, { if_invited: true });
}

/**
 * Return what the hub is asked to make of a line: only what the line says.
 *
 * @param {PreviewLine} line
 */
export function bodyOf({ name, uid, gid, teams, admin }) {
  return {
    name,
    ...(uid === null ? {} : { uid }),
    ...(gid === null ? {} : { gid }),
    ...(teams.length > 0 ? { teams } : {}),
    ...(admin ? { admin } : {}),
  };
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
