/**
 * What becomes of a request before anything else sees it: let in, sent on, or refused. Pure.
 *
 * The browser's word is taken for what only a browser can be made to say: a page of another site
 * cannot change Host, Origin or Sec-Fetch-*. Programs can; they hold no one else's cookies.
 */

import { isPersons, parseHost } from "./names.mjs";
import * as pages from "./pages.mjs";

const READS = new Set(["GET", "HEAD"]);

/** What the engine and monitors ask on this machine, by whatever name it has there. */
const HEALTH = new Set(["/_chp_healthz", "/hub/health"]);

/** Only these lead to people's servers and to services; all else is the hub's. */
const SERVERS = /^\/(user|services)\//;

/**
 * The hub sets this cookie once, for its own name. A second one is from a person's page, which can set
 * cookies for that name, too; the hub would take the wrong one.
 */
const SIGNED_IN_TWICE = /(?:^|; ?)jupyterhub-hub-login=.*; ?jupyterhub-hub-login=/;

/** What the hub's pages show, also where such a page is an error on another name. */
const PICTURES = /^\/hub\/(static\/|tinyberth-static\/|logo$)/;

/**
 * @param names of `namesOf`
 * @param request `method`, `url` as it stands in the request's first line, and `headers`
 * @returns `undefined` to let it in, `{ location }` to send it on, or `{ status, page }`, with `forget` where the
 *   browser's cookies are to go
 */
export function judge(names, { method, url, headers }) {
  // As the proxy reads it for its routes: without dots, backslashes and a host before it.
  const path = url.startsWith("/") ? URL.parse(url, "http://example.com")?.pathname : undefined;
  if (path === undefined) {
    return refuse(400, pages.noAddress());
  }
  const host = parseHost(headers.host, names.scheme);
  const persons = host && isPersons(names, host.name);
  const move = READS.has(method) ? { location: names.origin + url } : undefined;
  const here = names.loopback.includes(host?.name);
  if (here && READS.has(method) && HEALTH.has(path)) {
    return undefined;
  }
  if (host?.name !== names.name && !persons) {
    if (!here) {
      return refuse(403, pages.unknownName(names, headers.host));
    }
    return samePort(names, host) ? (move ?? refuse(403, pages.otherName(names))) : refuse(403, pages.otherPort(names, host));
  }
  if (host.port !== names.port) {
    return refuse(403, pages.otherPort(names, host));
  }
  if (names.scheme === "https" && headers["x-forwarded-proto"] !== "https") {
    const toHttps = READS.has(method) ? { location: `https://${headers.host.toLowerCase()}${url}` } : undefined;
    return toHttps ?? refuse(403, pages.onlyHttps(names));
  }
  if (SERVERS.test(path)) {
    return undefined;
  }
  if (persons) {
    // The hub in a person's origin would be that person's to read and to use.
    return move ?? refuse(403, pages.otherName(names));
  }
  if (isCrossSite(names, method, path, headers)) {
    return refuse(403, pages.crossSite(names));
  }
  return SIGNED_IN_TWICE.test(headers.cookie ?? "") ? { ...refuse(403, pages.twoCookies(names)), forget: true } : undefined;
}

/** Behind TLS the address carries no local port, so any way to this machine will do. */
function samePort(names, host) {
  return names.scheme === "https" || host.port === names.port;
}

/**
 * Tell whether a page of another origin asks the hub for more than to be shown.
 *
 * SameSite cookies cannot tell a person's page from the hub's, which are one site, and an XSRF
 * cookie can be planted from there. Without Sec-Fetch-* (old browsers, programs) Origin decides,
 * which browsers send with everything that changes something.
 */
function isCrossSite(names, method, path, headers) {
  if (method === "OPTIONS" || /^(token|bearer) /i.test(headers.authorization ?? "")) {
    return false; // a browser adds no such header by itself, and asks by OPTIONS before it does
  }
  const site = headers["sec-fetch-site"];
  if (site === undefined) {
    return !READS.has(method) && headers.origin !== undefined && headers.origin !== names.origin;
  }
  if (site === "same-origin" || site === "none") {
    return false;
  }
  const isShown = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  // The menu of a person's server, which is of the same site, signs out. Nobody else's link should.
  const signsOut = site === "cross-site" && path === "/hub/logout";
  return !(READS.has(method) && ((isShown && !signsOut) || PICTURES.test(path)));
}

function refuse(status, page) {
  return { status, page };
}
