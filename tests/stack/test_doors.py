"""Names, passwords and links at the hub's doors (THREATS B1 to B3, A13, A14)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from deployment import PASSWORD, Deployment, Person, first_link

BAD_NAMES = [
    "..", "%2e%2e", "a/b", "a\\b", "-rf", "$(id)", "a:b", "{username}", "a\nb", "a\x00b",
    "a" * 33, "x" * 300, "root", "hub", "nobody", "José", "\u212aelvin", "\uff41lice", " ", "",
]  # fmt: skip


@pytest.fixture
def admin(deployment: Deployment) -> Iterator[Person]:
    person = Person(deployment.url, "admin")
    person.open_link(first_link(deployment.tinyberth("user", "link", "admin").stdout))
    yield person
    person.session.close()


def people(deployment: Deployment) -> str:
    return (deployment.host_data_dir / "ledger" / "passwd").read_text()


@pytest.mark.parametrize("name", BAD_NAMES)
def test_b1_bad_names_are_refused_by_the_admin_pages_api(
    deployment: Deployment, admin: Person, name: str
) -> None:
    before = people(deployment)
    listed = admin.api("POST", "/users", json={"usernames": [name]})
    assert listed.status_code == 400, listed.text
    named = admin.api("POST", f"/users/{quote(name, safe='')}")
    assert 400 <= named.status_code < 500, named.text
    ours = admin.api("POST", "/tinyberth/people", json={"name": name})
    assert ours.status_code == 400, ours.text
    assert ours.json()["message"].count("\n") == 0
    assert people(deployment) == before


@pytest.mark.parametrize("name", [n for n in BAD_NAMES if "\x00" not in n])
def test_b1_bad_names_are_refused_in_the_terminal(deployment: Deployment, name: str) -> None:
    before = people(deployment)
    refused = deployment.tinyberth("user", "add", "--", name, check=False)
    assert refused.returncode != 0
    assert refused.stderr.strip() or refused.stdout.strip()
    assert "Traceback" not in refused.stderr
    assert people(deployment) == before


def test_capitals_lead_to_the_same_person(deployment: Deployment, admin: Person) -> None:
    deployment.add("alice")
    before = people(deployment)
    assert admin.api("POST", "/tinyberth/people", json={"name": "ALICE"}).status_code == 409
    shouting = Person(deployment.url, "ALICE")
    assert shouting.sign_in().status_code == 302
    assert people(deployment) == before


@pytest.mark.parametrize("number", ["0", "-1", "", "01000", "1e3", " 1000", "2147483648",
                                    "4294967296", "10001", "65534", "999", "20000"])  # fmt: skip
def test_b4_bad_and_taken_uids_are_refused(deployment: Deployment, number: str) -> None:
    before = people(deployment)
    refused = deployment.tinyberth("user", "add", "erin", f"--uid={number}", check=False)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert people(deployment) == before


def test_an_explicit_uid_is_kept_and_a_home_made_for_it(deployment: Deployment) -> None:
    deployment.tinyberth("user", "add", "frank", "--uid", "4321")
    found = deployment.home("frank").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (4321, 4321, 0o700)


def test_stock_admin_api_leads_to_an_account_that_waits_for_its_link(
    deployment: Deployment, admin: Person
) -> None:
    assert admin.api("POST", "/users/grace").status_code == 201
    assert (
        "invited" in deployment.tinyberth("user", "list").stdout.split("grace")[1].splitlines()[0]
    )
    grace = Person(deployment.url, "grace")
    assert grace.sign_in("").status_code == 403
    assert grace.open_link(first_link(deployment.tinyberth("user", "link", "grace").stdout)).ok


def test_a_removed_person_leaves_files_in_the_archive_and_a_name_that_is_somebody_new(
    deployment: Deployment, admin: Person
) -> None:
    first = deployment.add("henry")
    uid = deployment.home("henry").stat().st_uid
    (deployment.home("henry") / "diary").write_text("old")
    old_link = first_link(deployment.tinyberth("user", "link", "henry").stdout)

    assert admin.api("DELETE", "/users/henry").status_code == 204
    assert not deployment.home("henry").exists()
    archived = deployment.host_data_dir / "archive" / "henry~1"
    assert (archived / "diary").read_text() == "old"
    assert f"henry~1:*:{uid}:" in people(deployment)
    assert first.api("GET", "/users/henry").status_code in {403, 404}

    deployment.tinyberth("user", "add", "henry")
    assert deployment.home("henry").stat().st_uid != uid
    assert list(deployment.home("henry").iterdir()) == []
    assert Person(deployment.url, "henry").sign_in().status_code == 403
    assert Person(deployment.url, "henry").open_link(old_link).status_code == 403


@pytest.mark.parametrize("password", ["", "short", "elevenchars", "aaaaaaaaaaaaaa", "x1y2" * 300])
def test_b3_bad_passwords_are_refused_with_the_reason_and_the_link_still_works(
    deployment: Deployment, password: str
) -> None:
    name = "iris"
    if name not in people(deployment):
        deployment.tinyberth("user", "add", name)
    link = first_link(deployment.tinyberth("user", "link", name).stdout)
    refused = Person(deployment.url, name).open_link(link, password)
    assert refused.status_code == 400
    assert 'role="alert"' in refused.text
    assert Person(deployment.url, name).open_link(link, "ⓔmoji 🐢 and 73 bytes and more " * 4).ok


def test_a_wrong_name_and_a_wrong_password_look_the_same(deployment: Deployment) -> None:
    deployment.add("alice")
    known = Person(deployment.url, "alice").sign_in("wrong password")
    unknown = Person(deployment.url, "nobody-here").sign_in("wrong password")
    assert known.status_code == unknown.status_code == 403
    assert "Invalid username or password" in known.text
    assert "Invalid username or password" in unknown.text


def test_no_one_signs_up(deployment: Deployment) -> None:
    before = people(deployment)
    stranger = Person(deployment.url, "mallory")
    assert stranger.sign_in(PASSWORD).status_code == 403
    assert stranger.session.get(f"{deployment.url}/hub/signup", timeout=30).status_code == 404
    assert people(deployment) == before
