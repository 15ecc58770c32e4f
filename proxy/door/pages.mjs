/** What people read who are not let in: what happened, why, what to do now. Pure. */

const TUNNEL = ({ localPort, tunnelEnd }) => `ssh -L ${localPort}:${tunnelEnd} USER@HOST`;

export function unknownName(names, host) {
  return page("This hub has another name", [
    `You asked for ${quoted(host)}. This hub answers at ${names.origin} alone, so that no other name can be made to lead here.`,
    names.scheme === "https"
      ? `Open ${names.origin}.`
      : `Open ${names.origin}. From another machine run ${TUNNEL(names)} there first.`,
    "For whoever runs it: another name needs a TLS proxy in front and PUBLIC_URL in .env (docs/operations.md).",
  ]);
}

export function otherPort(names, { port }) {
  return page("This hub is at another port", [
    `You came by port ${port}, and every address of this hub has port ${names.port} in it.`,
    names.scheme === "https"
      ? `Open ${names.origin}.`
      : `Give your end of the tunnel the same number: ${TUNNEL(names)}. Then open ${names.origin}.`,
    "If that port is taken on your machine: whoever runs the hub can set another PORT in .env, for everybody.",
  ]);
}

export function otherName(names) {
  return page("This hub has another name", [
    `What changes something is taken at ${names.origin} alone. Nothing was changed.`,
    `Open ${names.origin}, or send programs there. Where that name does not resolve, it is this end of the tunnel: 127.0.0.1.`,
  ]);
}

export function onlyHttps(names) {
  return page("This hub speaks https alone", [
    `It is at ${names.origin}. Nothing was changed.`,
    "For whoever runs it: the TLS proxy in front must set X-Forwarded-Proto to https (docs/operations.md).",
  ]);
}

export function crossSite(names) {
  return page("That came from another page", [
    "A page that is not the hub's own asked for this in your name. Nothing was changed.",
    `If it was you: open ${names.origin} and do it there.`,
  ]);
}

export function twoCookies(names) {
  return page("You are signed out", [
    "Your browser sent two cookies that sign in. One of them was put there by a page on somebody's server, to make you work as somebody else.",
    `Both are gone now. Open ${names.origin} and sign in again. If this page comes back, remove the cookies of ${names.name} in your browser.`,
  ]);
}

export function noAddress() {
  return page("That is not a request for this hub", [
    "Its first line has an address where a path should be: this is no proxy for other hosts.",
  ]);
}

/** Nothing in it comes from elsewhere, so nothing may be loaded or run. */
export const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

function page(title, sentences) {
  const text = sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join("\n");
  return `<!doctype html>\n<html lang="en"><title>${title}</title>\n<h1>${title}</h1>\n${text}\n</html>\n`;
}

/** At most 80 characters of what somebody sent, so that page and log stay bounded. */
export function quoted(text) {
  return text ? JSON.stringify(text.slice(0, 80)) : "no name";
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
