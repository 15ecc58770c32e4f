"""THREATS A15: no secret of the hub where a person, or a program of theirs, can see it.

The provider's client secret, which a deployment of another kind has: tests/browser/test_oidc.py.
"""

from __future__ import annotations

import pytest
import requests

from deployment import Deployment
from secret_search import holds, of_container, of_pages, secrets_of


@pytest.fixture(scope="module")
def seen(deployment: Deployment) -> dict[str, bytes]:
    alice = deployment.with_server("alice")
    return {**dict(of_container(deployment, "alice")), **dict(of_pages(alice))}


def test_a15_no_secret_of_the_hub_is_where_a_person_can_see_it(
    deployment: Deployment, seen: dict[str, bytes]
) -> None:
    secrets = secrets_of(deployment)
    assert len(secrets) == 4
    assert all(len(secret) == 64 for secret in secrets.values())
    assert {
        place: found for place, content in seen.items() if (found := holds(content, secrets))
    } == {}


def test_a15_the_search_finds_what_is_there(
    deployment: Deployment, seen: dict[str, bytes]
) -> None:
    """The control: her own token, which is hers to see, and the ways a secret may be written."""
    own = deployment.as_user("alice", "echo $JUPYTERHUB_API_TOKEN").stdout.strip().encode()
    assert len(own) >= 32
    found = {place for place, content in seen.items() if holds(content, {"own": own})}
    # and on pages of her own server, which only who is signed in there sees (below)
    assert {place for place in found if "/user/" not in place} == {
        "files and processes",
        "inspect",
    }
    cookie = {"cookie": b"00ff" * 16}
    for form in (b"00ff" * 16, b"\x00\xff" * 16, b"AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8"):
        assert holds(b"before " + form + b" after", cookie) == {"cookie"}


def test_a15_error_pages_of_all_kinds_were_looked_at(seen: dict[str, bytes]) -> None:
    statuses = {content.split(b"\n", 1)[0] for place, content in seen.items() if "/" in place}
    assert {b"403", b"404", b"500"} <= statuses
    # what the proxy shows for a server that does not answer comes from the hub
    assert b"500 : Internal Server Error" in seen["GET /hub/error/500"]
    assert b"503 : Service Unavailable" in seen["GET /hub/error/503?url=/user/x"]
    assert not any(b"Traceback" in content for place, content in seen.items() if "/hub" in place)


def test_a15_anothers_error_pages_show_no_token(deployment: Deployment) -> None:
    alice, bob = deployment.with_server("alice"), deployment.add("bob")
    own = deployment.as_user("alice", "echo $JUPYTERHUB_API_TOKEN").stdout.strip()
    strangers: list[dict[str, str]] = [{}, {"Authorization": f"token {bob.make_token()}"}]
    hers = {"Authorization": f"token {alice.make_token()}"}
    shown = []
    for headers in [hers, *strangers]:
        for path in ["/nowhere", "/api/nowhere", "/files/nowhere", "/lab"]:
            answer = requests.get(
                alice.server_url + path, headers=headers, timeout=60, allow_redirects=False
            )
            shown.append((headers == hers, own in answer.text))
    assert (True, True) in shown  # the control: Jupyter writes it into her own pages
    assert (False, True) not in shown


def test_a15_the_only_thing_of_the_hubs_in_a_container_is_its_socket(
    deployment: Deployment, seen: dict[str, bytes]
) -> None:
    listed = deployment.as_user("alice", "ls -A /run/tinyberth/hub /run/tinyberth").stdout.split()
    assert listed == ["/run/tinyberth:", "hub", "/run/tinyberth/hub:", "hub.sock"]
