"""Behind TLS: a deployment of its own, and the nginx of docs/front-proxy before it."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from chromium import launch
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deployment import (
    PASSWORD,
    REPO,
    Deployment,
    Person,
    first_link,
    free_port,
    localhost_names,
    start_deployment,
    variables_for_another,
    wait_until,
)

NAME = "hub.example.org"


@dataclass
class Front:
    """nginx as an admin runs it, with a certificate that a CA of the tests' own has signed."""

    folder: Path
    upstream: int
    tls: int
    plain: int

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.tls}"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def make_certificate(self) -> None:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        self._openssl("req", "-x509", *key, "-subj", "/CN=Tests", "-days", "2",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        self._openssl("req", "-x509", *key, "-subj", f"/CN={NAME}", "-days", "2",
                      "-CA", "ca.pem", "-CAkey", "ca.key",
                      "-addext", f"subjectAltName=DNS:{NAME},DNS:*.{NAME}",
                      "-addext", "basicConstraints=critical,CA:FALSE",
                      "-keyout", "privkey.pem", "-out", "fullchain.pem")  # fmt: skip

    def key_hash(self) -> str:
        """Return what Chromium wants to know a key by."""
        public = self._openssl("x509", "-in", "fullchain.pem", "-noout", "-pubkey")
        encoded = "".join(public.splitlines()[1:-1])
        return base64.b64encode(hashlib.sha256(base64.b64decode(encoded)).digest()).decode()

    def configuration(self) -> Path:
        """Write the file of the docs with the lines changed that say what to change."""
        text = (REPO / "docs/front-proxy/nginx.conf").read_text()
        for line, count, ours in [
            ("listen 80;", 1, f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ssl;", 1, f"listen 127.0.0.1:{self.tls} ssl;"),
            ("https://$host$request_uri", 1, f"https://$host:{self.tls}$request_uri"),
            ("/etc/ssl/hub.example.org", 2, str(self.folder)),
            ("http://127.0.0.1:8000;", 2, f"http://127.0.0.1:{self.upstream};"),
        ]:
            assert text.count(line) == count, line
            text = text.replace(line, ours)
        (self.folder / "tinyberth.conf").write_text(text)
        main = self.folder / "nginx.conf"
        main.write_text(
            f"user root; daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{}}\nhttp {{ access_log {self.folder}/access.log;\n"
            f"include {self.folder}/tinyberth.conf; }}\n"
        )
        return main

    def _openssl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def front(
    project: str, work: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Front, dict[str, str]]]:
    variables = variables_for_another("tls", work)
    folder = tmp_path_factory.mktemp("front")
    front = Front(folder, int(variables["PORT"]), tls=free_port(), plain=free_port())
    front.make_certificate()
    nginx = subprocess.Popen(["nginx", "-c", front.configuration()])
    yield front, {**variables, "PUBLIC_URL": front.url}
    nginx.terminate()
    nginx.wait()


@pytest.fixture(scope="module")
def behind(front: tuple[Front, dict[str, str]]) -> Iterator[Deployment]:
    """Return the deployment; Python knows its names and believes the tests' CA."""
    with localhost_names(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(front[0].ca))
        yield start_deployment(**front[1])


@pytest.fixture(scope="module")
def chromium(front: tuple[Front, dict[str, str]]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(
            playwright,
            "--host-resolver-rules=MAP *.example.org 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={front[0].key_hash()}",
        )
        yield browser
        browser.close()


_RUN_IN_A_KERNEL = """async () => {
  const api = location.pathname.match("/user/[^/]+")[0] + "/api/kernels";
  const headers = {"X-XSRFToken": document.cookie.match(/_xsrf=([^;]+)/)[1]};
  const kernel = await (await fetch(api, {method: "POST", headers})).json();
  const socket = new WebSocket(`wss://${location.host}${api}/${kernel.id}/channels`);
  const header = {msg_id: "1", msg_type: "execute_request", username: "", session: "s",
                  version: "5.3"};
  const content = {code: "import os; print(os.getuid())", silent: false};
  socket.onopen = () => socket.send(JSON.stringify(
    {header, parent_header: {}, metadata: {}, content, channel: "shell"}));
  return new Promise((done) => {
    socket.onerror = () => done("no websocket");
    socket.onmessage = ({data}) => {
      const message = JSON.parse(data);
      if (message.msg_type === "stream") done(message.content.text.trim());
    };
  });
}"""


def test_up_prints_the_public_address_and_links_begin_with_it(
    behind: Deployment, front: tuple[Front, dict[str, str]]
) -> None:
    url = front[0].url
    assert f"Tinyberth is up:      {url}\n" in behind.up_output
    assert f"Your TLS proxy asks:  http://127.0.0.1:{behind.port}\n" in behind.up_output
    assert "ssh -L" not in behind.up_output
    assert first_link(behind.up_output).startswith(f"{url}/hub/welcome#")
    assert url in behind.tinyberth("status").stdout


def test_one_signs_in_starts_a_server_and_runs_code_through_nginx(
    behind: Deployment, chromium: Browser
) -> None:
    link = first_link(behind.tinyberth("user", "add", "tilda").stdout)
    assert link.startswith(behind.url)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_label("New password:").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go in").click()
    port = behind.url.rpartition(":")[2]
    page.wait_for_url(
        re.compile(rf"^https://tilda\.{re.escape(NAME)}:{port}/user/tilda/"),
        timeout=120_000, wait_until="commit",
    )  # fmt: skip
    page.wait_for_load_state()
    uid = behind.home("tilda").stat().st_uid
    assert page.evaluate(_RUN_IN_A_KERNEL) == str(uid)
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert set(cookies) >= {"__Host-jupyterhub-hub-login", "__Host-jupyterhub-user-tilda",
                            "jupyterhub-session-id", "_xsrf"}  # fmt: skip
    for cookie in context.cookies():
        assert cookie["secure"], cookie
        assert cookie["sameSite"] == "Lax", cookie
        assert cookie["httpOnly"] == (cookie["name"] != "_xsrf"), cookie
    assert cookies["__Host-jupyterhub-hub-login"]["domain"] == NAME
    assert cookies["__Host-jupyterhub-user-tilda"]["domain"] == f"tilda.{NAME}"

    # A page of hers cannot plant the cookie that signs in at the hub.
    page.evaluate(
        f"document.cookie = '__Host-jupyterhub-hub-login=x; path=/; secure; domain={NAME}'"
    )
    page.goto(f"{behind.url}/hub/home")
    assert page.evaluate("window.jhdata.user") == "tilda"
    _signs_out(page)
    context.close()


def _signs_out(page: Page) -> None:
    page.locator("#logout").click()
    expect(page.get_by_label("Password:")).to_be_visible()
    assert not [c for c in page.context.cookies() if "hub-login" in c["name"]]


def test_a11_without_tls_nothing_is_served(
    behind: Deployment, front: tuple[Front, dict[str, str]]
) -> None:
    """At the nginx, and past it, on the machine itself."""
    name, tls, plain = NAME, front[0].tls, front[0].plain

    def ask(port: int, host: str, method: str = "GET", **headers: str) -> requests.Response:
        return requests.request(
            method, f"http://127.0.0.1:{port}/hub/login?a=b", headers={"Host": host, **headers},
            timeout=30, allow_redirects=False,
        )  # fmt: skip

    redirected = ask(plain, f"alice.{name}")
    assert redirected.status_code == 301
    assert redirected.headers["Location"] == f"https://alice.{name}:{tls}/hub/login?a=b"
    past = behind.port
    for host in (f"{name}:{tls}", "localhost:1", f"127.0.0.1:{past}", f"hub.localhost:{past}"):
        sent = ask(past, host)
        assert sent.status_code == 302
        assert sent.headers["Location"] == f"{behind.url}/hub/login?a=b"
        assert ask(past, host, "POST").status_code == 403
    assert ask(past, f"{name}:{tls}", "POST", **{"X-Forwarded-Proto": "http"}).status_code == 403
    # Other headers of this kind are not believed.
    lies = {"Forwarded": "proto=https;host=evil.example", "X-Scheme": "https",
            "X-Forwarded-Host": "evil.example", "X-Forwarded-Ssl": "on"}  # fmt: skip
    assert ask(past, f"{name}:{tls}", "POST", **lies).status_code == 403
    assert requests.get(f"http://127.0.0.1:{past}/_chp_healthz", timeout=30).ok


def test_a11_another_name_is_refused_through_nginx_too(behind: Deployment) -> None:
    refused = requests.get(f"{behind.url}/hub/login", headers={"Host": "evil.example"}, timeout=30)
    assert refused.status_code == 403
    assert f"Open {behind.url}." in refused.text
    good = requests.get(f"{behind.url}/hub/login", timeout=30)
    assert good.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "frame-ancestors 'none'" in good.headers["Content-Security-Policy"]


def test_with_shared_origins_all_is_on_one_name(behind: Deployment) -> None:
    admin = Person(behind.url, "admin")
    admin.open_link(first_link(behind.tinyberth("user", "link", "admin").stdout))
    assert admin.api("DELETE", "/users/tilda/server").status_code in {202, 204}
    behind.variables["ORIGINS"] = "shared"
    behind.tinyberth("up", "--yes")
    wait_until(behind.hub_healthy, "the hub is back")
    tilda = Person(behind.url, "tilda")
    assert tilda.sign_in().status_code == 302
    tilda.start_server()
    assert tilda.server_url == f"{behind.url}/user/tilda"
    lab = tilda.session.get(f"{tilda.server_url}/lab", timeout=60)
    assert lab.status_code == 200
    cookies = {(cookie.name, cookie.path): cookie.secure for cookie in tilda.session.cookies}
    assert cookies == {
        ("jupyterhub-session-id", "/"): True, ("jupyterhub-hub-login", "/hub/"): True,
        ("_xsrf", "/hub/"): True, ("jupyterhub-user-tilda", "/user/tilda/"): True,
        ("_xsrf", "/user/tilda/"): True,
    }  # fmt: skip
    other = requests.get(
        f"http://127.0.0.1:{behind.port}/", headers={"Host": f"tilda.{NAME}"}, timeout=30
    )
    assert other.status_code == 403
