// Exit 0 if the proxy answers on its public port.
import http from "node:http";

const port = process.env.PORT || "8000";
const unix = process.env.LISTEN === "unix";
const where = unix ? { socketPath: "/run/tinyberth/listen/hub.sock" } : { host: "127.0.0.1", port };
const name = unix ? "the socket in LISTEN_DIR" : `127.0.0.1:${port}`;
const request = http.get(
  { ...where, headers: { host: "localhost" }, path: "/_chp_healthz", timeout: 4000 },
  (response) => process.exit(response.statusCode === 200 ? 0 : 1),
);
request.on("timeout", () => request.destroy(new Error("no answer within 4 s")));
request.on("error", (error) => {
  console.error(`The proxy does not answer on ${name}: ${error.message}`);
  process.exit(1);
});
