/**
 * Start the proxy as configurable-http-proxy's own command would, with our door before it:
 * people on 127.0.0.1:PORT or, with LISTEN=unix, on a unix socket; the hub's requests on another.
 */

import { chmodSync } from "node:fs";

import { defaultLogger } from "configurable-http-proxy/lib/log.js";

import { Door } from "./door.mjs";
import { namesOf } from "./names.mjs";

const HUB = "http+unix://%2Frun%2Ftinyberth%2Fhub%2Fhub.sock";
const API_SOCKET = "/run/tinyberth/proxy/api.sock";
const PEOPLES_SOCKET = "/run/tinyberth/listen/hub.sock";

const names = namesOf(process.env);
const log = defaultLogger({ level: "info" });
const door = new Door({
  names,
  log,
  authToken: process.env.CONFIGPROXY_AUTH_TOKEN,
  defaultTarget: HUB,
  errorTarget: `${HUB}/hub/error`,
  hostRouting: names.perUser, // NAME.hub.localhost leads to NAME's server
  xfwd: true, // the hub's log names who asked
  prependPath: true,
  includePrefix: true,
});
for (const server of [door.proxyServer, door.apiServer]) {
  server.on("error", (error) => {
    const remedy = error.code === "EACCES" ? "; LISTEN_DIR must belong to uid 10002 (docs/tunnel.md)" : "";
    log.error("The proxy cannot listen: %s%s", error.message, remedy);
    process.exit(1);
  });
}
if (process.env.LISTEN === "unix") {
  // Who may connect is the folder's to say.
  door.proxyServer.listen(PEOPLES_SOCKET, () => chmodSync(PEOPLES_SOCKET, 0o666));
  log.info("Listening on hub.sock in LISTEN_DIR; people open %s", names.origin);
} else {
  door.proxyServer.listen(Number(names.localPort), "127.0.0.1");
  log.info("Listening on 127.0.0.1:%s; people open %s", names.localPort, names.origin);
}
door.apiServer.listen(API_SOCKET);

process.on("SIGTERM", () => process.exit(0));
// One request's surprise must not end everybody's connections.
process.on("uncaughtException", (error) => log.error("Uncaught exception: %s", error.stack));
