// Exit 0 if the proxy answers on its public port.
import http from "node:http";

const port = process.env.PORT || "8000";
const request = http.get(
  { host: "127.0.0.1", port, path: "/_chp_healthz", timeout: 4000 },
  (response) => process.exit(response.statusCode === 200 ? 0 : 1),
);
request.on("timeout", () => request.destroy(new Error("no answer within 4 s")));
request.on("error", (error) => {
  console.error(`The proxy does not answer on 127.0.0.1:${port}: ${error.message}`);
  process.exit(1);
});
