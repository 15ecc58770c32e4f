"""One person's cookies and tokens at another's server and at the hub's API (THREATS A1, A5)."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
import requests
from people_fixtures import signed_in_at_own_server

from deployment import Deployment, Person
from kernels import Kernel, Loopback

READS = ["/api/contents", "/api/contents/notebooks", "/api/kernels", "/api/sessions",
         "/api/terminals", "/api/status", "/files/notebooks/", "/api/config/notebook"]  # fmt: skip
CHANGES = [("POST", "/api/kernels"), ("POST", "/api/terminals"), ("PUT", "/api/contents/x.txt"),
           ("DELETE", "/api/contents/notebooks"), ("POST", "/api/shutdown")]  # fmt: skip


def cookies_of(person: Person, at: Person) -> dict[str, str]:
    """Return everything in a person's browser, as if the names were ``at``'s."""
    own = signed_in_at_own_server(person).cookies
    held = {cookie.name: str(cookie.value) for cookie in own}
    renamed = {
        name.replace(f"-user-{person.name}", f"-user-{at.name}"): value
        for name, value in held.items()
    }
    return {**held, **renamed}


def test_a1_a_cookie_or_token_opens_nothing_of_anothers(deployment: Deployment) -> None:
    alice, bob = deployment.with_server("alice"), deployment.with_server("bob")
    (deployment.home("bob") / "x.txt").unlink(missing_ok=True)
    cookies, token = cookies_of(alice, at=bob), alice.make_token()
    xsrf = {"X-XSRFToken": cookies["_xsrf"]}
    for given in (
        {"cookies": cookies},
        {"cookies": cookies, "headers": xsrf},
        {"headers": {"Authorization": f"token {token}"}},
        {"headers": {"Authorization": f"Bearer {token}"}},
        {"params": {"token": token}},
    ):
        for path in READS:
            answer = requests.get(
                f"{bob.server_url}{path}", timeout=30, allow_redirects=False, **given
            )
            assert answer.status_code in {302, 403}, (path, answer.text)
            # A browser without a session there is sent to the hub, which refuses it (below).
            assert "/hub/api/oauth2/authorize" in answer.headers.get(
                "Location", "/oauth2/authorize?"
            ) or (answer.status_code == 403)
        for method, path in CHANGES:
            answer = requests.request(
                method, f"{bob.server_url}{path}", json={}, timeout=30,
                allow_redirects=False, **given,
            )  # fmt: skip
            assert answer.status_code == 403, (method, path, answer.text)
    asked = alice.session.get(f"{bob.server_url}/lab", timeout=60)
    assert asked.status_code == 403
    assert asked.url.startswith(f"{deployment.url}/hub/api/oauth2/authorize")
    assert not (deployment.home("bob") / "x.txt").exists()
    # The control: bob's own token, the same questions.
    own = {"Authorization": f"token {bob.make_token()}"}
    for path in READS[:5]:
        assert requests.get(f"{bob.server_url}{path}", headers=own, timeout=30).ok, path


def test_a1_nor_a_websocket(deployment: Deployment) -> None:
    alice, bob = deployment.with_server("alice"), deployment.with_server("bob")
    kernel = Kernel(bob)
    assert kernel.run("secret = 42; print(secret)") == "42\n"
    cookies = "; ".join(f"{name}={value}" for name, value in cookies_of(alice, at=bob).items())
    origin = bob.server_url.removesuffix("/user/bob")
    ways = [
        {"Cookie": cookies, "Origin": origin},
        {"Cookie": cookies},
        {"Authorization": f"token {alice.make_token()}"},
        {},
    ]
    channels = f"{bob.server_url}/api/kernels/{kernel.id}/channels"
    events = f"{bob.server_url}/api/events/subscribe"
    for headers in ways:
        for url in (channels, events):
            assert asyncio.run(_upgrade(url, headers)) == 403, (url, list(headers))
    own = {"Authorization": f"token {bob.make_token()}"}
    assert asyncio.run(_upgrade(channels, own)) == 101


async def _upgrade(url: str, headers: dict[str, str]) -> int:
    """Return the status of asking for a websocket."""
    connector = aiohttp.TCPConnector(resolver=Loopback())
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        try:
            async with session.ws_connect(url):
                return 101
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status


API = [
    ("GET", "/users"), ("POST", "/users"), ("GET", "/users/bob"), ("PATCH", "/users/bob"),
    ("DELETE", "/users/bob"), ("POST", "/users/bob/server"), ("DELETE", "/users/bob/server"),
    ("GET", "/users/bob/tokens"), ("POST", "/users/bob/tokens"), ("POST", "/users/bob/activity"),
    ("GET", "/proxy"), ("POST", "/proxy"), ("PATCH", "/proxy"), ("POST", "/shutdown"),
    ("GET", "/groups"), ("POST", "/groups/nlp"), ("GET", "/services"), ("GET", "/info"),
    ("GET", "/tinyberth/people"), ("POST", "/tinyberth/people"),
    ("POST", "/tinyberth/people/bob/link"), ("DELETE", "/tinyberth/people/bob"),
]  # fmt: skip
MAY_BE_404 = {"/users/bob", "/users/bob/server", "/users/bob/tokens", "/users/bob/activity"}
"""Where JupyterHub says of a person whom one may not see that there is none."""

_INSIDE = """
import http.client, json, os, socket
token = os.environ["JUPYTERHUB_API_TOKEN"]
for method, path in json.loads(CALLS):
    connection = http.client.HTTPConnection("hub.localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect("/run/tinyberth/hub/hub.sock")
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    connection.request(method, f"/hub/api{path}", "{}", headers)
    print(method, path, connection.getresponse().status)
"""


@pytest.mark.parametrize("whose", ["by hand", "the server's own"])
def test_a5_a_servers_token_may_nothing_at_the_hub_but_for_its_person(
    deployment: Deployment, whose: str
) -> None:
    """Through the proxy, and from inside the container through the hub's socket."""
    alice, bob = deployment.with_server("alice"), deployment.with_server("bob")
    before = bob.server()
    if whose == "by hand":
        headers = {"Authorization": f"token {alice.make_token()}"}
        answers = {
            (method, path): requests.request(
                method, f"{deployment.url}/hub/api{path}", json={}, headers=headers, timeout=30
            ).status_code
            for method, path in [*API, ("GET", "/user")]
        }
    else:
        calls = json.dumps([*API, ("GET", "/user")])
        script = _INSIDE.replace("CALLS", repr(calls))
        said = deployment.docker(
            "exec", deployment.container("alice"), "/opt/venv/bin/python", "-c", script
        ).stdout
        answers = {
            (line.split()[0], line.split()[1]): int(line.split()[2]) for line in said.splitlines()
        }
    assert answers.pop(("GET", "/user")) == 200  # the control: it is a token that counts
    for (method, path), status in answers.items():
        allowed = {403, 404} if path in MAY_BE_404 else {403}
        assert status in allowed, (method, path, status)
    after = bob.server()
    assert before
    assert after
    assert (after["started"], after["ready"]) == (before["started"], True)
