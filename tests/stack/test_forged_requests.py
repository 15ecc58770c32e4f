"""What pages of other sites, and of other people, may make a browser ask (THREATS A11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from people_fixtures import Admin

from deployment import PASSWORD, Deployment, Person, wait_until

FROM: dict[str, dict[str, str]] = {
    "another site": {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another site, in an old browser": {"Origin": "http://evil.example"},
    "a frame without an origin": {"Origin": "null"},
    "another person's server": {
        "Origin": "http://bob.hub.localhost:{port}",
        "Sec-Fetch-Site": "same-site",
    },
    "another port": {"Origin": "http://hub.localhost:1", "Sec-Fetch-Site": "same-site"},
    "a lying origin": {
        "Origin": "http://hub.localhost:{port}",
        "Sec-Fetch-Site": "cross-site",
    },
}


@pytest.fixture(scope="module")
def admin(deployment: Deployment) -> Iterator[Admin]:
    admin = Admin(deployment)
    yield admin
    admin.person.session.close()


def headers_from(deployment: Deployment, whence: str) -> dict[str, str]:
    return {name: text.format(port=deployment.port) for name, text in FROM[whence].items()}


@pytest.mark.parametrize("whence", FROM)
def test_a11_the_hub_is_changed_from_its_own_pages_alone(
    deployment: Deployment, admin: Admin, whence: str
) -> None:
    """With the cookies and even with a right token, which a page of another origin cannot know."""
    forged = headers_from(deployment, whence)
    token = {"X-XSRFToken": admin.person._xsrf_cookie()}
    before = admin.ask("GET", "/people/admin").json()
    for method, path, body in [
        ("POST", "/hub/api/tinyberth/people", {"name": "forged"}),
        ("POST", "/hub/api/users/admin/server", {}),
        ("DELETE", "/hub/api/users/admin/server", None),
        ("POST", "/hub/api/users/admin/tokens", {}),
        ("PATCH", "/hub/api/tinyberth/people/admin", {"admin": False}),
        ("POST", "/hub/spawn", None),
        ("POST", "/hub/logout", None),
        ("POST", "/hub/password", None),
        ("POST", "/hub/api/shutdown", {}),
    ]:
        answer = admin.person.session.request(
            method, f"{deployment.url}{path}", json=body, headers={**forged, **token},
            timeout=30, allow_redirects=False,
        )  # fmt: skip
        assert answer.status_code == 403, (method, path, answer.text)
    assert admin.ask("GET", "/people/forged").status_code == 404
    after = admin.ask("GET", "/people/admin").json()
    assert after["admin"]
    assert (after["server"] or {}).get("since") == (before["server"] or {}).get("since")


def test_a11_without_the_pages_token_nothing_is_changed_either(
    deployment: Deployment, admin: Admin
) -> None:
    """JupyterHub's own check, behind the door: as the hub's own origin, without the token."""
    own = {"Origin": deployment.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    url = f"{deployment.url}/hub/api/tinyberth/people"
    for token in ({}, {"X-XSRFToken": "wrong"}):
        refused = admin.person.session.post(
            url, json={"name": "forged"}, headers={**own, **token}, timeout=30
        )
        assert refused.status_code == 403
    # The control: with the token it is done.
    right = {"X-XSRFToken": admin.person._xsrf_cookie()}
    made = admin.person.session.post(
        url, json={"name": "not-forged"}, headers={**own, **right}, timeout=30
    )
    assert made.status_code == 201, made.text
    admin.ok("DELETE", "/people/not-forged")


def test_a11_nobody_is_signed_in_as_somebody_else_by_a_planted_cookie(
    deployment: Deployment,
) -> None:
    """Login CSRF from a person's own page, which can set cookies for the hub's name.

    The token of a login page is good for every browser of that kind behind the tunnel. The
    control asks the hub itself, past the proxy: JupyterHub takes it.
    """
    deployment.add("alice")
    attacker = requests.Session()
    page = attacker.get(f"{deployment.url}/hub/login", timeout=30)
    planted = {cookie.name: cookie.value for cookie in attacker.cookies}
    form = {"_xsrf": planted["_xsrf"], "username": "alice", "password": PASSWORD}
    forged = headers_from(deployment, "another person's server")
    victim = requests.Session()
    refused = victim.post(
        page.url, data=form, cookies=planted, headers=forged, timeout=30, allow_redirects=False
    )
    assert refused.status_code == 403
    assert not victim.cookies
    past_the_door = _ask_the_hub_itself(deployment, form, planted, forged)
    assert past_the_door["status"] == 302, past_the_door
    assert "jupyterhub-hub-login" in past_the_door["cookies"]


_PAST_THE_DOOR = """
import http.client, json, socket, sys, urllib.parse
form, cookies, headers = json.load(sys.stdin)
connection = http.client.HTTPConnection("hub.localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect("/run/tinyberth/hub/hub.sock")
headers |= {
    "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": AGENT, "X-Forwarded-For": "127.0.0.1",
}
connection.request("POST", "/hub/login", urllib.parse.urlencode(form), headers)
answer = connection.getresponse()
print(json.dumps({"status": answer.status, "cookies": str(answer.headers.get_all("Set-Cookie"))}))
"""


def _ask_the_hub_itself(deployment: Deployment, *request: Any) -> dict[str, Any]:
    agent = requests.utils.default_user_agent()
    script = _PAST_THE_DOOR.replace("AGENT", repr(agent)).replace(
        "json.load(sys.stdin)", f"json.loads({json.dumps(json.dumps(request))})"
    )
    asked = deployment.docker("exec", deployment.service("hub"), "python3", "-c", script)
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


def test_a11_a_persons_server_takes_no_words_from_anothers_page(deployment: Deployment) -> None:
    alice = deployment.with_server("alice")
    lab = alice.session.get(f"{alice.server_url}/lab", timeout=60)
    assert lab.status_code == 200
    xsrf = next(c.value for c in alice.session.cookies if c.name == "_xsrf" and "alice" in c.path)
    for whence in FROM:
        forged = headers_from(deployment, whence)
        for method, path in [
            ("POST", "/api/terminals"), ("PUT", "/api/contents/forged.txt"),
            ("POST", "/api/shutdown"), ("DELETE", "/api/contents/notebooks"),
        ]:  # fmt: skip
            answer = alice.session.request(
                method, f"{alice.server_url}{path}", json={"type": "file"}, headers=forged,
                timeout=30,
            )  # fmt: skip
            assert answer.status_code == 403, (whence, method, path)
    assert not (deployment.home("alice") / "forged.txt").exists()
    own = {"Origin": alice.server_url.removesuffix("/user/alice"), "X-XSRFToken": str(xsrf)}
    made = alice.session.post(f"{alice.server_url}/api/terminals", headers=own, timeout=30)
    assert made.status_code == 200, made.text


def test_the_hub_answers_many_quick_posts_without_one_503(deployment: Deployment) -> None:
    """Each used to have a connection of its own, which two in a hundred met closed already."""
    quick = Person(deployment.url, "nobody-here")
    page = f"{deployment.url}/hub/login"
    statuses = {
        quick.session.post(page, data={"_xsrf": "wrong"}, timeout=30).status_code
        for _ in range(300)
    }
    assert statuses == {403}
    wait_until(deployment.hub_healthy, "the hub is well")
