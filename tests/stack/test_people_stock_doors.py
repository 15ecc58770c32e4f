"""JupyterHub's own admin page, groups page and REST API lead to the very same people and teams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from people_fixtures import Admin, ledger, same_password

from deployment import Deployment, Person


@pytest.fixture
def admin(deployment: Deployment) -> Iterator[Admin]:
    admin = Admin(deployment)
    yield admin
    admin.person.session.close()


def test_adding_makes_accounts_that_wait_for_their_links(
    deployment: Deployment, admin: Admin
) -> None:
    stock = admin.person.api
    made = stock("POST", "/users", json={"usernames": ["sam", "SUE", "sue", "admin"]})
    assert made.status_code == 201, made.text
    assert [user["name"] for user in made.json()] == ["sam", "sue"]
    assert stock("POST", "/users/sid", json={"admin": True}).status_code == 201
    assert stock("POST", "/users/sid").status_code == 409
    assert stock("POST", "/users", json={"usernames": ["sam"]}).status_code == 409
    assert stock("POST", "/users", json={"usernames": [1]}).status_code == 400
    for login in ("sam", "sue", "sid"):
        person = admin.ok("GET", f"/people/{login}")
        assert (person["state"], person["admin"]) == ("invited", login == "sid")
        assert deployment.home(login).stat().st_uid == person["uid"]
    for login in ("sam", "sue", "sid"):
        assert stock("DELETE", f"/users/{login}").status_code == 204
        assert not deployment.home(login).exists()


def test_renaming_keeps_uid_and_home(deployment: Deployment, admin: Admin) -> None:
    admin.add("tess")
    before = deployment.home("tess").stat()
    patched = admin.person.api("PATCH", "/users/tess", json={"name": "tessa", "admin": True})
    assert patched.status_code == 200, patched.text
    assert (patched.json()["name"], patched.json()["admin"]) == ("tessa", True)
    after = deployment.home("tessa").stat()
    assert (after.st_ino, after.st_uid) == (before.st_ino, before.st_uid)
    assert same_password(deployment, "tessa") == 302
    taken = admin.person.api("PATCH", "/users/tessa", json={"name": "admin"})
    assert taken.status_code == 409
    bad = admin.person.api("PATCH", "/users/tessa", json={"name": "../x"})
    assert bad.status_code == 400
    assert admin.person.api("DELETE", "/users/tessa").status_code == 204


def test_the_last_admin_stays(admin: Admin) -> None:
    unmade = admin.person.api("PATCH", "/users/admin", json={"admin": False})
    assert unmade.status_code == 409
    assert "last admin" in unmade.json()["message"]
    assert admin.person.api("DELETE", "/users/admin").status_code == 400


def test_groups_are_teams(deployment: Deployment, admin: Admin) -> None:
    stock = admin.person.api
    admin.add("vera")
    assert stock("POST", "/groups/glee", json={"users": ["vera"]}).status_code == 201
    folder = deployment.host_data_dir / "teams" / "glee"
    gid = int(ledger(deployment, "group")["glee"][2])
    found = folder.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, gid, 0o2770)
    assert ledger(deployment, "group")["glee"][3] == "vera"
    assert stock("DELETE", "/groups/glee/users", json={"users": ["vera"]}).status_code == 200
    assert ledger(deployment, "group")["glee"][3] == ""
    assert stock("POST", "/groups/glee/users", json={"users": ["vera"]}).status_code == 200
    assert ledger(deployment, "group")["glee"][3] == "vera"
    nobody = stock("POST", "/groups/glee/users", json={"users": ["nobody-here"]})
    assert nobody.status_code == 400
    assert stock("POST", "/groups", json={"groups": ["glum"], "users": []}).status_code == 201
    for name in ("Not a team", "..%2f", "vera", "root"):
        refused = stock("POST", f"/groups/{name}", json={})
        assert 400 <= refused.status_code < 500, (name, refused.text)
    assert stock("POST", "/groups/glee", json={}).status_code == 409
    (folder / "shared").write_text("kept")
    assert stock("DELETE", "/groups/glee").status_code == 204
    assert stock("DELETE", "/groups/glum").status_code == 204
    assert not folder.exists()
    lines = ledger(deployment, "group")
    assert "glee" not in lines
    archived = deployment.host_data_dir / "archive" / "glee~1"
    assert (archived / "shared").read_text() == "kept"
    assert stock("POST", "/groups/glee", json={}).status_code == 201
    assert int(ledger(deployment, "group")["glee"][2]) != gid
    assert list(folder.iterdir()) == []
    assert stock("DELETE", "/groups/glee").status_code == 204


def test_the_stock_pages_still_work(admin: Admin) -> None:
    page = admin.person.session.get(f"{admin.person.url}/hub/admin", timeout=30)
    assert page.status_code == 200
    listed = admin.person.api("GET", "/users?limit=500")
    assert listed.status_code == 200
    assert admin.person.api("GET", "/groups").status_code == 200


def test_who_is_no_admin_is_refused_there_too(deployment: Deployment, admin: Admin) -> None:
    wim: Person = admin.add("wim")
    for method, path in [
        ("POST", "/users"), ("POST", "/users/x"), ("DELETE", "/users/admin"),
        ("PATCH", "/users/admin"), ("POST", "/groups"), ("POST", "/groups/x"),
        ("POST", "/groups/x/users"), ("DELETE", "/groups/x"),
    ]:  # fmt: skip
        assert wim.api(method, path, json={"name": "x"}).status_code in {403, 404}, path
