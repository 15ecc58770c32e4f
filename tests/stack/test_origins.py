"""Names, origins and where one is led, in bytes (THREATS A11); in Chromium: tests/browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import quote, urljoin, urlsplit

import pytest
import requests
from people_fixtures import Admin, signed_in_at_own_server

from deployment import PASSWORD, Deployment, Person


@pytest.fixture
def admin(deployment: Deployment) -> Iterator[Admin]:
    admin = Admin(deployment)
    yield admin
    admin.person.session.close()


def ask(
    deployment: Deployment, host: str, path: str, method: str = "GET", **headers: str
) -> requests.Response:
    """Ask the proxy by its address, in another name."""
    return requests.request(
        method, f"http://127.0.0.1:{deployment.port}{path}",
        headers={"Host": host, **headers}, timeout=30, allow_redirects=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_a11_the_names_of_this_machine_lead_to_the_hubs(deployment: Deployment, name: str) -> None:
    host = f"{name}:{deployment.port}"
    for path in ("/", "/hub/login?next=%2Fhub%2Fhome", "/user/alice/lab?reset"):
        for method in ("GET", "HEAD"):
            answer = ask(deployment, host, path, method)
            assert answer.status_code == 302
            assert answer.headers["Location"] == deployment.url + path
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = ask(deployment, host, "/hub/login", method)
        assert refused.status_code == 403
        assert deployment.url in refused.text
    for path in ("/_chp_healthz", "/hub/health"):
        assert ask(deployment, host, path).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "hub.localhost.evil.example:{port}", "169.254.1.1",
     "hub.localhost.:{port}", "x.y.hub.localhost:{port}", ":{port}", ""],
)  # fmt: skip
def test_a11_any_other_host_is_refused_on_a_page_that_says_what_to_do(
    deployment: Deployment, host: str
) -> None:
    """DNS rebinding: a site's own name that leads to 127.0.0.1."""
    deployment.with_server("alice")
    for path in ("/hub/login", "/hub/health", "/user/alice/api", "/hub/api/"):
        refused = ask(deployment, host.format(port=deployment.port), path)
        assert refused.status_code == 403, path
        assert f"Open {deployment.url}" in refused.text
        assert "PUBLIC_URL" in refused.text
        assert "frame-ancestors 'none'" in refused.headers["Content-Security-Policy"]
    log = deployment.compose("logs", "--no-log-prefix", "--tail", "20", "proxy").stdout
    assert "403 GET" in log


def test_a11_a_tunnel_with_another_port_is_told_so(deployment: Deployment) -> None:
    refused = ask(deployment, "localhost:1", "/")
    assert refused.status_code == 403
    assert f"ssh -L {deployment.port}:localhost:{deployment.port} USER@HOST" in refused.text


@pytest.mark.parametrize(
    ("host", "more", "status"),
    [
        ("evil.example", "", 403), ("localhost:{port}", "", 403),
        ("alice.hub.localhost:{port}", "Origin: http://bob.hub.localhost:{port}\r\n", 403),
        ("alice.hub.localhost:{port}", "Origin: null\r\n", 403),
        ("alice.hub.localhost:{port}", "Origin: http://alice.hub.localhost:{port}\r\n", 101),
    ],
)  # fmt: skip
def test_a11_websockets_from_elsewhere_are_refused(
    deployment: Deployment, host: str, more: str, status: int
) -> None:
    """With the cookies that her browser would send; the last line is the control."""
    alice = deployment.with_server("alice")
    cookies = "; ".join(f"{c.name}={c.value}" for c in signed_in_at_own_server(alice).cookies)
    lines = (
        f"GET /user/alice/api/events/subscribe HTTP/1.1\r\nHost: {host}\r\n{more}"
        f"Cookie: {cookies}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).format(port=deployment.port)
    assert _raw(deployment, lines).startswith(f"HTTP/1.1 {status} ")


@pytest.mark.parametrize("target", ["http://evil.example/", "*", "evil.example:443"])
def test_a11_the_proxy_is_none_for_other_hosts(deployment: Deployment, target: str) -> None:
    host = f"hub.localhost:{deployment.port}"
    assert _raw(deployment, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").startswith(
        "HTTP/1.1 400 "
    )


def _raw(deployment: Deployment, request: str) -> str:
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=30) as connection:
        connection.sendall(request.encode())
        return connection.recv(4096).decode("latin-1")


def test_a11_the_hubs_pages_are_not_in_a_persons_origin(deployment: Deployment) -> None:
    """Whoever owns an origin reads all of it: passwords typed there, too."""
    for name in ("alice", "nobody-of-this-name"):
        host = f"{name}.hub.localhost:{deployment.port}"
        page = ask(deployment, host, "/hub/login?x=1")
        assert page.headers["Location"] == f"{deployment.url}/hub/login?x=1"
        assert ask(deployment, host, "/hub/login", "POST").status_code == 403
        assert ask(deployment, host, "/hub/api/user", "PATCH").status_code == 403


def test_a11_pages_cannot_be_framed_nor_taken_for_something_else(
    deployment: Deployment, admin: Admin
) -> None:
    alice = deployment.with_server("alice")
    pages = [
        admin.person.session.get(f"{deployment.url}{path}", timeout=30)
        for path in (
            "/hub/token",
            "/hub/home",
            "/hub/people",
            "/hub/nothing-here",
            "/hub/api/user",
        )
    ]
    pages.append(requests.get(f"{deployment.url}/hub/login", timeout=30))
    signed_in_at_own_server(alice)
    server = [
        alice.session.get(f"{alice.server_url}{path}", timeout=30)
        for path in ("/lab", "/tree", "/api/contents", "/files/none", "/nothing-here")
    ]
    for page in [*pages, *server]:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"], page.url
        assert page.headers["X-Content-Type-Options"] == "nosniff", page.url
        assert "Access-Control-Allow-Origin" not in page.headers
    for page in pages:
        assert page.headers["Referrer-Policy"] == "same-origin"


def test_a11_cookies_are_for_their_own_name_and_no_script_sees_those_that_sign_in(
    deployment: Deployment,
) -> None:
    alice = deployment.with_server("alice")
    again = Person(deployment.url, "alice")
    signed_in = again.sign_in()
    again.session.get(f"{alice.server_url}/lab", timeout=60)
    domains = {}
    for cookie in again.session.cookies:
        domains[cookie.name] = cookie.domain
        hidden = "HttpOnly" in (cookie._rest or {})  # type: ignore[attr-defined]
        assert hidden == (cookie.name != "_xsrf"), cookie.name
    for name, domain in domains.items():
        assert domain.endswith("hub.localhost"), name
        # Of these one is for all names of the hub: it tells sessions apart and lets nobody in.
        assert domain.startswith(".") == (name == "jupyterhub-session-id"), name
    set_now = signed_in.headers["Set-Cookie"]
    assert set_now.count("SameSite=Lax") == set_now.lower().count("; path=")


ELSEWHERE = [
    "//evil.example", "///evil.example", "////evil.example/x", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
    "\t//evil.example", " //evil.example", "\x00//evil.example", "/%09/evil.example",
    "http://evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example",
    "http:\\\\evil.example", "HTTP://evil.example", "javascript:alert(1)", "java\tscript:alert(1)",
    "data:text/html,x", "vbscript:x", "%2f%2fevil.example", "/%2f/evil.example",
    "%5c%5cevil.example",
    "//user:pw@evil.example", "http://hub.localhost:{port}@evil.example", "evil.example",
    "//[::1]",
    "http://hub.localhost:{port}.evil.example", "//hub.localhost:{port}\\@evil.example",
    "//hub.localhost:{port}//evil.example", "http://hub.localhost:{port}\\.evil.example",
    "http://bob.hub.localhost:{port}/user/bob/", "//bob.hub.localhost:{port}/x",
    "http://xhub.localhost:{port}/", "http://localhost:{port}/", "//hub.localhost:1/",
    "\uff0f\uff0fevil.example", "/\u2028/evil.example", "//evil\u3002example", ".//evil.example",
]  # fmt: skip


@pytest.mark.parametrize("spelling", ELSEWHERE, ids=ascii)
def test_a11_next_stays_local_in_all_its_spellings(deployment: Deployment, spelling: str) -> None:
    """Where one is signed in already, where one signs in, and at the server's own door."""
    alice = deployment.with_server("alice")
    next_url = quote(spelling.format(port=deployment.port), safe="")
    stays = {urlsplit(deployment.url).netloc, urlsplit(alice.server_url).netloc}
    for url in (
        f"{deployment.url}/hub/login?next={next_url}",
        f"{deployment.url}/hub/spawn?next={next_url}",
        f"{deployment.url}/hub/logout?next={next_url}",
        f"{alice.server_url}/login?next={next_url}",
    ):
        who = alice if "/logout" not in url else Person(deployment.url, "alice")
        answer = who.session.get(url, timeout=30, allow_redirects=False)
        assert answer.status_code < 500
        assert _leads_to(url, answer) in stays, answer.headers
    fresh = Person(deployment.url, "alice")
    page = f"{deployment.url}/hub/login?next={next_url}"
    form = {"_xsrf": fresh._xsrf(page), "username": "alice", "password": PASSWORD}
    signed_in = fresh._request("POST", page, data=form)
    assert signed_in.status_code == 302
    assert _leads_to(page, signed_in) in stays


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "/\\evil.example/", "//evil.example/%2e%2e", "/hub//evil.example/",
     "/hub/user-redirect//evil.example/", "/hub/user-redirect/\\evil.example", "/%2fevil.example/",
     "/.//evil.example/", "/hub/%2f%2fevil.example/", "/hub/home//evil.example/.."],
)  # fmt: skip
def test_a11_no_path_leads_elsewhere(deployment: Deployment, path: str) -> None:
    alice = deployment.with_server("alice")
    for base in (deployment.url, alice.server_url.removesuffix("/user/alice"), alice.server_url):
        cookies = "; ".join(f"{c.name}={c.value}" for c in alice.session.cookies)
        host = urlsplit(base).netloc
        prefix = urlsplit(base).path
        raw = _raw(
            deployment,
            f"GET {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n"
            "Connection: close\r\n\r\n",
        )
        for line in raw.split("\r\n\r\n", 1)[0].splitlines():
            if line.lower().startswith("location:"):
                location = line.split(":", 1)[1].strip()
                there = urlsplit(urljoin(base + "/", location.replace("\\", "/"))).netloc
                assert there.endswith(f"hub.localhost:{deployment.port}"), line


def _leads_to(url: str, answer: requests.Response) -> str:
    """Return the host and port that a browser would go to, which takes a backslash for /."""
    location = answer.headers.get("Location", "").replace("\\", "/")
    for ignored in "\t\r\n":
        location = location.replace(ignored, "")
    return urlsplit(urljoin(url, location)).netloc
