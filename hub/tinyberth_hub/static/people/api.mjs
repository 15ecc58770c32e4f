/** Asks the people API. Every failure is an Error whose message is a sentence for the page. */

/** The hub refused; the message is its sentence. */
export class RefusedError extends Error {
  /**
   * @param {string} message
   * @param {number} status of HTTP
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** No answer came from the hub: what was asked may have been done, or not. */
export class UnreachableError extends Error {
  constructor() {
    super("The hub does not answer.");
  }
}

const ASK_MS = 30_000;
const CHANGE_MS = 120_000; // removing and renaming wait until a server has stopped

export class Api {
  /**
   * @param {object} where
   * @param {string} where.api address of the API, with a slash at its end
   * @param {string} where.page address of this page
   * @param {string} where.login address of the page to sign in
   */
  constructor({ api, page, login }) {
    this.api = api;
    this.page = page;
    this.login = login;
  }

  /**
   * Ask, and return the answer's JSON.
   *
   * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
   * @param {string} path below /hub/api/tinyberth/
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const { response, text } = await this.#fetch(method, path, body);
    const answer = parse(text);
    if (response.ok && answer !== undefined) {
      return answer;
    }
    if (response.status === 403 && (await this.#isSignedOut())) {
      location.assign(`${this.login}?next=${encodeURIComponent(this.page)}`);
      throw new RefusedError("You are signed out.", 403);
    }
    const sentence = answer?.message;
    if (response.status >= 502 && !sentence) {
      throw new UnreachableError(); // the proxy's own page: the hub is away
    }
    throw new RefusedError(sentence || `The hub answered ${response.status}.`, response.status);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   */
  async #fetch(method, path, body) {
    try {
      const response = await fetch(this.api + path, {
        method,
        headers: { "X-XSRFToken": xsrfToken(), "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(method === "GET" ? ASK_MS : CHANGE_MS),
      });
      return { response, text: await response.text() };
    } catch {
      throw new UnreachableError();
    }
  }

  /** The page itself leads whoever is signed out to the login. */
  async #isSignedOut() {
    try {
      const answer = await fetch(this.page, { redirect: "manual", cache: "no-store" });
      return answer.type === "opaqueredirect";
    } catch {
      return false;
    }
  }
}

/** The cookie, not the page's copy of it: it changes when one signs in again in another tab. */
function xsrfToken() {
  const match = /(?:^|;\s*)_xsrf=([^;]+)/.exec(document.cookie);
  return match ? decodeURIComponent(match[1]) : "";
}

/**
 * @param {string} text
 * @returns {any} undefined where it is no JSON, as on the proxy's own error page
 */
function parse(text) {
  if (text === "") {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Return the part of an address that stands for a person or team.
 *
 * @param {string} id a login, a tombstone (`alice~1`) or a team's name
 */
export function segment(id) {
  return encodeURIComponent(id);
}

/**
 * Return the sentence of a failure.
 *
 * @param {unknown} error
 */
export function sentence(error) {
  if (error instanceof UnreachableError) {
    return "The hub does not answer, and may have done this all the same: look again when it is back.";
  }
  return error instanceof Error ? error.message : String(error);
}
