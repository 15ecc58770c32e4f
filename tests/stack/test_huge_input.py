"""THREATS B7: names of 10 MB and bytes that are no text, at every door that reads a body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deployment import Deployment, Person, first_link, hidden_xsrf

HUGE = "a" * 10_000_000
LONGEST_LINE = 2_000
"""Characters of a log line that names what was wrong; all of a name would be 10 million."""


@pytest.fixture(scope="module")
def admin(deployment: Deployment) -> Iterator[Person]:
    person = Person(deployment.url, "admin")
    person.open_link(first_link(deployment.tinyberth("user", "link", "admin").stdout))
    person.session.headers["Content-Type"] = "application/json"
    yield person
    person.session.close()


def bodies(name: bytes) -> dict[str, bytes]:
    """Return what each call takes, with ``name`` where a name stands."""
    return {
        "/users": b'{"usernames": ["%s"]}' % name,
        "/groups/b7": b'{"users": ["%s"]}' % name,
        "/tinyberth/people": b'{"name": "%s"}' % name,
        "/tinyberth/people/preview": b'{"people": [{"name": "%s"}]}' % name,
        "/tinyberth/people/alice/rename": b'{"to": "%s"}' % name,
        "/tinyberth/teams": b'{"name": "%s"}' % name,
    }


def log_of(deployment: Deployment) -> dict[str, list[str]]:
    lines = {}
    for service in ("hub", "proxy", "warden"):
        log = deployment.docker("logs", deployment.service(service))
        lines[service] = (log.stdout + log.stderr).splitlines()
    return lines


def said_since(deployment: Deployment, before: dict[str, list[str]]) -> list[str]:
    """Return the new lines of the log, each of which must be short."""
    now = log_of(deployment)
    new = [line for service in now for line in now[service][len(before[service]) :]]
    assert max(map(len, new), default=0) <= LONGEST_LINE
    assert len(new) < 100
    return new


def people(deployment: Deployment) -> str:
    return (deployment.host_data_dir / "ledger" / "passwd").read_text()


@pytest.mark.parametrize("path", list(bodies(b"")))
@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("huge", HUGE.encode()),
        ("no UTF-8", b"\xff\xfe\x80"),
        ("half a character", b"\xe2\x82"),
        ("half a surrogate pair", b"\\ud83d"),
        ("not even JSON", b'"\x00\xff'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_b7_an_admins_call_with_it_is_refused_and_the_log_stays_short(
    deployment: Deployment, admin: Person, path: str, what: str, name: bytes
) -> None:
    deployment.add("alice")
    ledger, before = people(deployment), log_of(deployment)
    answer = admin.api("POST", path, data=bodies(name)[path])
    said: dict[str, Any] = answer.json()
    if path.endswith("/preview") and answer.status_code == 200:
        [line] = said["lines"]  # each line is judged by itself
        assert line["outcome"] == "refused", line
    else:
        assert 400 <= answer.status_code < 500, answer.text[:1000]
    assert len(answer.text) < LONGEST_LINE
    assert "Traceback" not in answer.text
    assert people(deployment) == ledger
    assert said_since(deployment, before), "the control: a refusal is logged"
    assert admin.api("GET", "/users/alice").status_code == 200


@pytest.mark.parametrize(
    # Two, because what is no login counts as one name, whose failures other tests count on.
    "name",
    [HUGE.encode(), b"\xff\xfe\x80"],
    ids=["huge", "no UTF-8"],
)
def test_b7_at_the_login_page_it_is_a_wrong_name(deployment: Deployment, name: bytes) -> None:
    before = log_of(deployment)
    stranger = requests.Session()
    page = stranger.get(f"{deployment.url}/hub/login", timeout=60).text
    form = {"_xsrf": hidden_xsrf(page).encode(), "username": name, "password": b"x"}
    answer = stranger.post(f"{deployment.url}/hub/login", data=form, timeout=120)
    assert answer.status_code == 403, answer.text[:1000]
    assert "Invalid username or password" in answer.text
    assert HUGE[:1000] not in answer.text
    said = said_since(deployment, before)
    assert said, "the control: a refusal is logged"
    assert not [line for line in said if "Traceback" in line]


@pytest.mark.parametrize("path", ["/hub/api/users/", "/user/", "/hub/login?next="])
def test_b7_in_an_address_it_is_refused_by_the_proxy(deployment: Deployment, path: str) -> None:
    before = log_of(deployment)
    try:
        answer = requests.get(f"{deployment.url}{path}{HUGE}", timeout=60)
    except requests.ConnectionError:
        pass  # closed while the rest was still on its way
    else:
        assert 400 <= answer.status_code < 500
    said_since(deployment, before)
    assert deployment.hub_healthy()
