/** The proxy's door: who is let in by which name, by tables; `test_proxy_door.py` runs this with node. */

import assert from "node:assert/strict";
import test from "node:test";

import { namesOf, parseHost } from "../../proxy/door/names.mjs";
import { judge } from "../../proxy/door/rules.mjs";

const LOCAL = namesOf({});
const SHARED = namesOf({ ORIGINS: "shared", PORT: "8123" });
const PUBLIC = namesOf({ PUBLIC_URL: "https://hub.example.org" });
const PUBLIC_SHARED = namesOf({ PUBLIC_URL: "https://hub.example.org:8443", ORIGINS: "shared" });

const HUB = "hub.localhost:8000";
const HTTPS = { "x-forwarded-proto": "https" };
const ask = (names, host, url, { method = "GET", ...headers } = {}) =>
  judge(names, { method, url, headers: { host, ...headers } });
const seen = (verdict) => (verdict === undefined ? "in" : (verdict.location ?? verdict.status));

/** Each line: names, host, url, more, what becomes of it. */
function table(title, lines) {
  test(title, () => {
    for (const [names, host, url, more, wanted] of lines) {
      assert.equal(seen(ask(names, host, url, more)), wanted, `${host} ${url} ${JSON.stringify(more)}`);
    }
  });
}

table("A11: own names are let in, at their own port", [
  [LOCAL, HUB, "/hub/login", {}, "in"],
  [LOCAL, "HUB.localhost:8000", "/hub/login", {}, "in"],
  [LOCAL, HUB, "/", {}, "in"],
  [LOCAL, "alice.hub.localhost:8000", "/user/alice/lab?x", {}, "in"],
  [LOCAL, "jose--ooipcc62.hub.localhost:8000", "/user/jose--ooipcc62/", { method: "POST" }, "in"],
  [LOCAL, HUB, "/hub/login", { method: "POST" }, "in"],
  [SHARED, "localhost:8123", "/user/alice/lab", {}, "in"],
  [PUBLIC, "hub.example.org", "/hub/login", HTTPS, "in"],
  [PUBLIC, "hub.example.org:443", "/hub/login", HTTPS, "in"],
  [PUBLIC, "alice.hub.example.org", "/user/alice/lab", HTTPS, "in"],
  [PUBLIC_SHARED, "hub.example.org:8443", "/user/alice/lab", HTTPS, "in"],
]);

table("A11: the names of this machine lead to the hub's, with path and query, for reading alone", [
  [LOCAL, "localhost:8000", "/hub/login?next=%2Fx", {}, "http://hub.localhost:8000/hub/login?next=%2Fx"],
  [LOCAL, "127.0.0.1:8000", "/", { method: "HEAD" }, "http://hub.localhost:8000/"],
  [LOCAL, "[::1]:8000", "//evil.example/", {}, "http://hub.localhost:8000//evil.example/"],
  [LOCAL, "localhost:8000", "/hub/login", { method: "POST" }, 403],
  [LOCAL, "127.0.0.1:8000", "/hub/api/users", { method: "DELETE" }, 403],
  [SHARED, "127.0.0.1:8123", "/hub/", {}, "http://localhost:8123/hub/"],
  [SHARED, "hub.localhost:8123", "/hub/", {}, "http://localhost:8123/hub/"],
  [PUBLIC, "localhost:8000", "/a?b", {}, "https://hub.example.org/a?b"],
  [PUBLIC, "hub.localhost:9000", "/", {}, "https://hub.example.org/"],
  [PUBLIC_SHARED, "127.0.0.1:8000", "/", {}, "https://hub.example.org:8443/"],
]);

table("A11: every other name is refused", [
  ...["evil.example:8000", "evil.example", "192.168.1.2:8000", "hub.localhost.evil.example:8000"],
  ...["xhub.localhost:8000", "hub.localhost.:8000", "a.b.hub.localhost:8000", ".hub.localhost:8000"],
  ...["a_b.hub.localhost:8000", "localhost.hub:8000", "127.0.0.2:8000", "127.1:8000", "[::]:8000"],
  ...["hub.localhost:8000@evil.example", "hub.localhost:8000, evil.example", "user@hub.localhost:8000"],
  ...["hub.localhost:8000:8000", "hub.localhost:0x1f40", "", undefined, "\u212aub.localhost:8000"],
].map((host) => [LOCAL, host, "/hub/login", {}, 403]));

table("A11: nor in the other modes", [
  [SHARED, "alice.localhost:8123", "/user/alice/lab", {}, 403],
  [PUBLIC, "example.org", "/", HTTPS, 403],
  [PUBLIC, "hub.example.org.evil.example", "/", HTTPS, 403],
  [PUBLIC_SHARED, "alice.hub.example.org:8443", "/user/alice/lab", HTTPS, 403],
]);

table("another port than the one in the hub's addresses", [
  [LOCAL, "localhost:9000", "/", {}, 403],
  [LOCAL, "hub.localhost:9000", "/", {}, 403],
  [LOCAL, "alice.hub.localhost", "/user/alice/", {}, 403],
  [PUBLIC, "hub.example.org:8000", "/", HTTPS, 403],
]);

test("each page says what to do", () => {
  const page = (...request) => ask(...request).page;
  assert.match(page(LOCAL, "localhost:9000", "/"), /ssh -L 8000:localhost:8000 USER@HOST/);
  const unix = namesOf({ LISTEN: "unix", LISTEN_DIR: "/srv/door" });
  assert.match(page(unix, "localhost:9000", "/"), /ssh -L 8000:\/srv\/door\/hub\.sock USER@HOST/);
  assert.match(page(LOCAL, "localhost:9000", "/"), /came by port 9000/);
  assert.match(page(LOCAL, "evil.example", "/"), /Open http:\/\/hub\.localhost:8000\./);
  assert.match(page(PUBLIC, "evil.example", "/"), /Open https:\/\/hub\.example\.org\./);
  assert.match(page(PUBLIC, "hub.example.org", "/", { method: "POST" }), /X-Forwarded-Proto/);
  const bad = page(LOCAL, `<script>${"x".repeat(5000)}`, "/");
  assert.ok(bad.includes("&lt;script&gt;") && !bad.includes("<script>") && bad.length < 1200);
});

table("health checks are answered by every name of this machine", [
  [LOCAL, "127.0.0.1:8000", "/_chp_healthz", {}, "in"],
  [LOCAL, "localhost:8000", "/hub/health", { method: "HEAD" }, "in"],
  [LOCAL, "127.0.0.1:8000", "/hub/health", { method: "POST" }, 403],
  [PUBLIC, "127.0.0.1:8000", "/_chp_healthz", {}, "in"],
  [SHARED, "localhost", "/_chp_healthz", {}, "in"],
  [SHARED, "localhost", "/", {}, 403],
  [LOCAL, "evil.example:8000", "/hub/health", {}, 403],
]);

table("without TLS in front, what should have it is sent there or refused", [
  [PUBLIC, "hub.example.org", "/hub/?a", {}, "https://hub.example.org/hub/?a"],
  [PUBLIC, "Alice.hub.example.org", "/user/alice/", {}, "https://alice.hub.example.org/user/alice/"],
  [PUBLIC, "hub.example.org", "/hub/login", { method: "POST" }, 403],
  [PUBLIC, "hub.example.org", "/hub/login", { method: "POST", "x-forwarded-proto": "http" }, 403],
  [PUBLIC, "hub.example.org", "/hub/login", { method: "POST", "x-forwarded-proto": "http,https" }, 403],
  [LOCAL, HUB, "/hub/login", { method: "POST", "x-forwarded-proto": "http" }, "in"],
]);

table("the hub's pages are in the hub's origin alone", [
  [LOCAL, "bob.hub.localhost:8000", "/hub/login?a", {}, "http://hub.localhost:8000/hub/login?a"],
  [LOCAL, "bob.hub.localhost:8000", "/", {}, "http://hub.localhost:8000/"],
  [LOCAL, "bob.hub.localhost:8000", "/hub/login", { method: "POST" }, 403],
  [LOCAL, "bob.hub.localhost:8000", "/hub/api/user", { method: "PATCH" }, 403],
  [PUBLIC, "bob.hub.example.org", "/hub/login", HTTPS, "https://hub.example.org/hub/login"],
]);

table("a path is what the proxy takes it for", [
  ...["/user/../hub/login", "/user/%2e%2e/hub/login", "/user/..\\hub\\login", "//user/hub/login"].flatMap((url) => [
    [LOCAL, "bob.hub.localhost:8000", url, { method: "POST" }, 403],
    [LOCAL, HUB, url, { method: "POST", origin: "http://bob.hub.localhost:8000" }, 403],
  ]),
  [LOCAL, HUB, "//", {}, 400],
]);

const from = (site, mode, dest) => ({ "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest });
const SHOWN = ["navigate", "document"];

table("A11: other pages may lead to the hub and do nothing else with it", [
  [LOCAL, HUB, "/hub/home", from("cross-site", ...SHOWN), "in"],
  [LOCAL, HUB, "/hub/home", from("same-site", ...SHOWN), "in"],
  [LOCAL, HUB, "/hub/static/css/style.css", from("same-site", "no-cors", "style"), "in"],
  [LOCAL, HUB, "/hub/logout", from("same-site", "no-cors", "image"), 403],
  [LOCAL, HUB, "/hub/logout", from("same-site", ...SHOWN), "in"],
  [LOCAL, HUB, "/hub/logout?", from("cross-site", ...SHOWN), 403],
  [LOCAL, HUB, "/hub/home", from("cross-site", "navigate", "iframe"), 403],
  [LOCAL, HUB, "/hub/api/user", from("same-site", "cors", "empty"), 403],
  ...["cross-site", "same-site", "none-such"].flatMap((site) =>
    ["POST", "PUT", "PATCH", "DELETE"].map((method) => [
      LOCAL, HUB, "/hub/login", { ...from(site, ...SHOWN), method, origin: "http://hub.localhost:8000" }, 403,
    ]),
  ),
  [LOCAL, HUB, "/hub/login", { ...from("same-origin", ...SHOWN), method: "POST" }, "in"],
  [LOCAL, HUB, "/hub/api/users", { ...from("none", ...SHOWN), method: "POST" }, "in"],
  ...["http://bob.hub.localhost:8000", "http://hub.localhost:9000", "https://hub.localhost:8000", "null", ""].map(
    (origin) => [LOCAL, HUB, "/hub/login", { method: "POST", origin }, 403],
  ),
  [LOCAL, HUB, "/hub/login", { method: "POST", origin: "http://hub.localhost:8000" }, "in"],
  [LOCAL, HUB, "/hub/home", { origin: "http://evil.example" }, "in"],
  [LOCAL, HUB, "/hub/api/x", { method: "OPTIONS", origin: "http://evil.example" }, "in"],
  [LOCAL, HUB, "/hub/api/x", { method: "POST", origin: "http://evil.example", authorization: "token 1" }, "in"],
  [LOCAL, HUB, "/hub/api/x", { method: "POST", origin: "http://evil.example", authorization: "Basic 1" }, 403],
  [SHARED, "localhost:8123", "/hub/login", { method: "POST", origin: "http://evil.example" }, 403],
]);

table("a cookie that signs in comes once", [
  [LOCAL, HUB, "/hub/home", { cookie: "a=b; jupyterhub-hub-login=1; _xsrf=2" }, "in"],
  [LOCAL, HUB, "/hub/home", { cookie: "jupyterhub-hub-login=1; a=b; jupyterhub-hub-login=2" }, 403],
  [LOCAL, HUB, "/hub/home", { cookie: "jupyterhub-hub-login=1;jupyterhub-hub-login=1" }, 403],
  [LOCAL, HUB, "/hub/home", { cookie: "xjupyterhub-hub-login=1; jupyterhub-hub-login=1" }, "in"],
  [LOCAL, "alice.hub.localhost:8000", "/user/alice/", { cookie: "jupyterhub-hub-login=1; jupyterhub-hub-login=2" }, "in"],
]);

test("a request for another host by a whole address is refused", () => {
  for (const url of ["http://evil.example/", "evil.example:443", "*", ""]) {
    assert.equal(ask(LOCAL, HUB, url).status, 400, url);
  }
});

test("the names are those of the address", () => {
  assert.equal(LOCAL.origin, "http://hub.localhost:8000");
  assert.deepEqual([PUBLIC.name, PUBLIC.port, PUBLIC.localPort], ["hub.example.org", "443", "8000"]);
  assert.deepEqual(parseHost("A.b", "https"), { name: "a.b", port: "443" });
});
