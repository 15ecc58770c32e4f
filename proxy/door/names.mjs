/**
 * Which names this hub has: from the settings to what the rules compare with. Pure.
 *
 * The same address as `Settings.public_url` in common/tinyberth_common/settings.py; a test compares
 * the two.
 */

/** How this very machine is called, by whoever comes through `ssh -L`. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]", "hub.localhost"];

const DEFAULT_PORTS = { "http:": "80", "https:": "443" };

/**
 * @param {Record<string, string | undefined>} settings PORT, ORIGINS, PUBLIC_URL, LISTEN, LISTEN_DIR
 * @returns the names; `name` and `port` are of `url`, and `localPort` is what the proxy listens on;
 *   `tunnelEnd` is what `ssh -L` is told of the server's end
 */
export function namesOf({ PORT, ORIGINS, PUBLIC_URL, LISTEN, LISTEN_DIR }) {
  const localPort = PORT || "8000";
  const perUser = (ORIGINS || "users") === "users";
  const url = new URL(PUBLIC_URL || `http://${perUser ? "hub.localhost" : "localhost"}:${localPort}`);
  return {
    origin: url.origin,
    scheme: url.protocol.slice(0, -1),
    name: url.hostname,
    port: url.port || DEFAULT_PORTS[url.protocol],
    perUser,
    localPort,
    tunnelEnd: LISTEN === "unix" ? `${LISTEN_DIR || "./listen"}/hub.sock` : `localhost:${localPort}`,
    loopback: LOOPBACK,
  };
}

/**
 * Split a Host header.
 *
 * @returns {{ name: string, port: string } | undefined} in lower case; nothing if it is none
 */
export function parseHost(header, scheme) {
  const match = /^([a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/i.exec(header ?? "");
  return match ? { name: match[1].toLowerCase(), port: match[2] ?? DEFAULT_PORTS[`${scheme}:`] } : undefined;
}

/** Tell whether `name` is `NAME.` and the hub's name: what a person's server has. */
export function isPersons(names, name) {
  const suffix = `.${names.name}`;
  return names.perUser && name.endsWith(suffix) && /^[a-z0-9-]{1,63}$/.test(name.slice(0, -suffix.length));
}
