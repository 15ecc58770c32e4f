"""A person's life in files and owners: added, renamed, removed, somebody new, restored."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
from people_fixtures import Admin, ledger, same_password, signed_in_at_own_server

from deployment import PASSWORD, Deployment, Person, wait_until
from kernels import Kernel


@pytest.fixture
def admin(deployment: Deployment) -> Iterator[Admin]:
    admin = Admin(deployment)
    yield admin
    admin.person.session.close()


def test_a_rename_keeps_uid_home_password_and_teams(deployment: Deployment, admin: Admin) -> None:
    lena = admin.add("lena", teams=["lenas"])
    lena.start_server()
    deployment.as_user("lena", "echo kept > diary")
    before = deployment.home("lena").stat()
    admin.refused("POST", "/people/lena/rename", {"to": "lena2"}, 409, "stop it first")
    assert admin.ok("POST", "/people/lena/stop", {})["server"] is None
    old_link = admin.ok("POST", "/people/lena/link")["link"]

    renamed = admin.ok("POST", "/people/lena/rename", {"to": "lena2"})

    assert (renamed["login"], renamed["name"], renamed["uid"]) == ("lena2", "lena2", before.st_uid)
    after = deployment.home("lena2").stat()
    assert (after.st_ino, after.st_uid, after.st_gid) == (
        before.st_ino, before.st_uid, before.st_gid,
    )  # fmt: skip
    assert (deployment.home("lena2") / "diary").read_text() == "kept\n"
    assert not deployment.home("lena").exists()
    assert "lena" not in ledger(deployment)
    assert admin.ask("GET", "/people/lena").status_code == 404
    assert same_password(deployment, "lena") == 403
    assert Person(deployment.url, "lena").open_link(old_link).status_code == 403
    lena2 = Person(deployment.url, "lena2")
    assert lena2.sign_in().status_code == 302
    lena2.start_server()
    said = deployment.as_user("lena2", "whoami; pwd; cat diary; id -nG").stdout.split()
    assert said == ["lena2", "/home/lena2", "kept", "lena2", "lenas"]
    assert lena2.session.get(f"{lena2.server_url}/api/me", timeout=30).status_code in {200, 403}
    lena2.stop_server()
    admin.ok("POST", "/people/lena2/rename", {"to": "lena"})


def test_a16_who_is_removed_while_working_is_out_and_the_files_are_in_the_archive(
    deployment: Deployment, admin: Admin
) -> None:
    """THREATS A14, A16, F14."""
    rosa = admin.add("rosa")
    rosa.start_server()
    browser, token, server = signed_in_at_own_server(rosa), rosa.make_token(), rosa.server_url
    kernel = Kernel(rosa)
    assert kernel.run("print('at work')") == "at work\n"
    work = threading.Thread(target=_until_cut_off, args=[kernel])
    work.start()
    deployment.as_user("rosa", "echo old > diary")
    before = deployment.home("rosa").stat()
    old_link = admin.ok("POST", "/people/rosa/link")["link"]

    answer = admin.ok("DELETE", "/people/rosa")

    archive = answer["archive"]
    assert (archive[:5], answer["home"]) == ("rosa~", f"data/archive/{archive}")
    archived = deployment.host_data_dir / "archive" / archive
    after = archived.stat()
    assert (after.st_ino, after.st_uid, after.st_mode) == (
        before.st_ino, before.st_uid, before.st_mode,
    )  # fmt: skip
    assert (archived / "diary").read_text() == "old\n"
    assert not deployment.home("rosa").exists()
    lines = ledger(deployment)
    assert "rosa" not in lines
    assert (int(lines[archive][2]), lines[archive][6]) == (before.st_uid, "/usr/sbin/nologin")
    running = ("ps", "-aq", "--filter", f"name=^/{deployment.container('rosa')}$")
    assert not deployment.docker(*running).stdout
    work.join(timeout=30)
    assert not work.is_alive()  # the websocket is closed
    # The cookie opens nothing: what asks for one is sent to the login page.
    home = browser.get(f"{deployment.url}/hub/home", timeout=30, allow_redirects=False)
    assert "/hub/login" in home.headers["Location"]
    assert "/hub/login" in browser.get(f"{server}/api/contents", timeout=30).url
    headers = {"Authorization": f"token {token}"}
    asked = requests.get(f"{deployment.url}/hub/api/user", headers=headers, timeout=30)
    assert asked.status_code == 403
    for held in (headers, {"Cookie": "; ".join(f"{c.name}={c.value}" for c in browser.cookies)}):
        left = requests.get(f"{server}/api/contents", headers=held, timeout=30)
        assert "diary" not in left.text
        assert (left.status_code, urlsplit(left.url).path) == (200, "/hub/login"), left.url
    assert same_password(deployment, "rosa") == 403
    shown = {p["archive"]: p for p in admin.ok("GET", "/people")["people"] if p["login"] == "rosa"}
    assert shown[archive]["state"] == "removed"

    # The same name later is a new person.
    admin.ok("POST", "/people", {"name": "rosa"})
    new = deployment.home("rosa").stat()
    assert new.st_uid not in {int(line[2]) for name, line in lines.items()}
    assert list(deployment.home("rosa").iterdir()) == []
    assert Person(deployment.url, "rosa").open_link(old_link).status_code == 403
    assert same_password(deployment, "rosa") == 403
    home = browser.get(f"{deployment.url}/hub/home", timeout=30, allow_redirects=False)
    assert "/hub/login" in home.headers["Location"]
    asked = requests.get(f"{deployment.url}/hub/api/user", headers=headers, timeout=30)
    assert asked.status_code == 403
    archive_of_the_second = admin.ok("DELETE", "/people/rosa")["archive"]
    assert archive_of_the_second != archive


def _until_cut_off(kernel: Kernel) -> None:
    with contextlib.suppress(AssertionError, aiohttp.ClientError):
        kernel.run("import time\nwhile True: time.sleep(1)")


def test_a_restore_brings_home_uid_and_name_back_and_needs_a_link(
    deployment: Deployment, admin: Admin
) -> None:
    admin.add("ruth", teams=["ruths"])
    (deployment.home("ruth") / "diary").write_text("kept")
    before = deployment.home("ruth").stat()
    archive = admin.ok("DELETE", "/people/ruth")["archive"]
    admin.ok("POST", "/people", {"name": "ruth"})
    admin.refused("POST", f"/people/{archive}/restore", {}, 409, "somebody's login name")
    second = admin.ok("DELETE", "/people/ruth")["archive"]
    admin.refused("POST", "/people/ruth~77/restore", {}, 404, "Nobody was archived")

    restored = admin.ok("POST", f"/people/{archive}/restore", {})

    assert (restored["login"], restored["name"], restored["uid"]) == (
        "ruth",
        "ruth",
        before.st_uid,
    )
    assert (restored["state"], restored["teams"]) == ("invited", [])
    after = deployment.home("ruth").stat()
    assert (after.st_ino, after.st_uid) == (before.st_ino, before.st_uid)
    assert (deployment.home("ruth") / "diary").read_text() == "kept"
    assert archive not in ledger(deployment)
    assert same_password(deployment, "ruth") == 403
    ruth = Person(deployment.url, "ruth")
    assert ruth.open_link(restored["link"], PASSWORD).status_code == 302
    ruth.start_server()
    assert deployment.as_user("ruth", "cat diary; ls /teams").stdout == "kept"
    ruth.stop_server()
    another = admin.ok("POST", f"/people/{second}/restore", {"as": "ruth2"})
    assert (another["login"], deployment.home("ruth2").stat().st_uid) == ("ruth2", another["uid"])


def test_a_new_password_ends_older_sessions_at_the_hub_and_at_the_server(
    deployment: Deployment, admin: Admin
) -> None:
    nora = admin.add("nora")
    nora.start_server()
    old, token, server = signed_in_at_own_server(nora), nora.make_token(), nora.server_url
    assert old.get(f"{server}/api/contents", timeout=30).status_code == 200

    again = Person(deployment.url, "nora")
    link = admin.ok("POST", "/people/nora/link")["link"]
    assert again.open_link(link).status_code == 302

    home = old.get(f"{deployment.url}/hub/home", timeout=30, allow_redirects=False)
    assert "/hub/login" in home.headers["Location"]
    wait_until(
        lambda: old.get(f"{server}/api/contents", timeout=30).status_code == 403,
        "the old browser is out at the server too", 15,
    )  # fmt: skip
    assert signed_in_at_own_server(again).get(f"{server}/api/me", timeout=30).status_code == 200
    # What scripts use stays; the Token page lists and revokes it.
    headers = {"Authorization": f"token {token}"}
    assert requests.get(f"{server}/api/me", headers=headers, timeout=30).status_code == 200
    again.stop_server()


def test_a_removal_while_the_server_starts_leaves_nothing(
    deployment: Deployment, admin: Admin
) -> None:
    hasty = admin.add("hasty")
    assert hasty.api("POST", "/users/hasty/server").status_code in {201, 202}
    admin.ok("DELETE", "/people/hasty")
    name = f"name=^/{deployment.container('hasty')}$"
    assert not deployment.docker("ps", "-aq", "--filter", name).stdout
    assert not deployment.home("hasty").exists()


def test_the_last_admin_and_oneself_stay(admin: Admin) -> None:
    admin.refused("PATCH", "/people/admin", {"admin": False}, 409, "last admin")
    admin.refused("DELETE", "/people/admin", None, 409, "removes themselves")
    admin.add("deputy", admin=True)
    admin.ok("PATCH", "/people/deputy", {"admin": False})
    admin.refused("PATCH", "/people/admin", {"admin": False}, 409, "last admin")


CALLS = [
    ("GET", "/people"), ("POST", "/people"), ("POST", "/people/preview"), ("GET", "/people/admin"),
    ("PATCH", "/people/admin"), ("DELETE", "/people/admin"), ("POST", "/people/admin/link"),
    ("POST", "/people/admin/rename"), ("POST", "/people/admin/stop"),
    ("POST", "/people/rosa~1/restore"), ("GET", "/teams"), ("POST", "/teams"),
    ("PUT", "/teams/x"), ("DELETE", "/teams/x"),
]  # fmt: skip


def test_others_learn_and_change_nothing(deployment: Deployment, admin: Admin) -> None:
    """A5; and a token that an admin made for less does not do it either."""
    alice = deployment.add("alice")
    for method, path in CALLS:
        refused = alice.api(method, f"/tinyberth{path}", json={})
        assert refused.status_code == 403, (method, path)
        assert "rosa" not in refused.text
        stranger = requests.request(
            method, f"{deployment.url}/hub/api/tinyberth{path}", timeout=30
        )
        assert stranger.status_code == 403, (method, path)
    small = admin.person.api("POST", "/users/admin/tokens", json={"scopes": ["read:users!user"]})
    headers = {"Authorization": f"token {small.json()['token']}"}
    for method, path in CALLS:
        url = f"{deployment.url}/hub/api/tinyberth{path}"
        assert requests.request(method, url, headers=headers, timeout=30).status_code == 403
    # Another site's form, which has the cookie and no XSRF token.
    url = f"{deployment.url}/hub/api/tinyberth/people"
    forged = admin.person.session.post(url, json={"name": "forged"}, timeout=30)
    assert forged.status_code == 403
    assert admin.ask("GET", "/people/forged").status_code == 404


def test_each_change_is_one_line_in_the_log_without_links(
    deployment: Deployment, admin: Admin
) -> None:
    link = admin.ok("POST", "/people", {"name": "logged"})["link"]
    admin.ok("DELETE", "/people/logged")
    log = deployment.compose("logs", "--no-log-prefix", "hub").stdout
    assert "admin added logged (uid " in log
    assert "admin made a link for logged" in log
    assert "admin removed logged (files in data/archive/logged~" in log
    assert link.partition("#")[2] not in log


@pytest.mark.parametrize("change", ["remove", "rename"])
def test_a_hub_that_is_killed_in_the_middle_finishes_when_it_is_back(
    deployment: Deployment, admin: Admin, change: str
) -> None:
    """The ledger is held still, so that the change has begun and cannot end."""
    name = f"cut-{change}"
    person = admin.add(name)
    uid = deployment.home(name).stat().st_uid
    ledger = deployment.service("ledger")

    def ask() -> None:
        with contextlib.suppress(requests.RequestException, AssertionError):
            if change == "remove":
                admin.ask("DELETE", f"/people/{name}")
            else:
                admin.ask("POST", f"/people/{name}/rename", {"to": f"{name}ed"})

    asking = threading.Thread(target=ask)
    deployment.docker("pause", ledger)
    try:
        asking.start()
        wait_until(lambda: _under_way(deployment) == 1, "the change has begun", 30)
        deployment.kill_service("hub")
    finally:
        deployment.docker("unpause", ledger)
        asking.join()
    wait_until(deployment.hub_healthy, "the hub is back", 180)
    if change == "remove":
        wait_until(lambda: admin.ask("GET", f"/people/{name}").status_code == 404, "removed")
        archived = deployment.host_data_dir / "archive" / f"{name}~1"
        assert archived.stat().st_uid == uid
        assert not deployment.home(name).exists()
        assert person.api("GET", f"/users/{name}").status_code in {403, 404}
        admin.ok("POST", f"/people/{name}~1/restore", {"as": name})
    else:
        found = wait_until(
            lambda: (a := admin.ask("GET", f"/people/{name}ed")).ok and a.json(), "renamed"
        )
        assert found["uid"] == deployment.home(f"{name}ed").stat().st_uid == uid
        assert admin.ask("GET", f"/people/{name}").status_code == 404
        assert same_password(deployment, f"{name}ed") == 302
        admin.ok("DELETE", f"/people/{name}ed")
    assert _under_way(deployment) == 0
    log = deployment.compose("logs", "hub").stdout
    assert "Finishing what was cut short" in log


def _under_way(deployment: Deployment) -> int:
    """Return how many changes the hub's journal knows."""
    script = (
        "import sqlite3; c = sqlite3.connect('/var/lib/tinyberth/accounts.sqlite'); "
        "print(c.execute('SELECT count(*) FROM operations').fetchone()[0])"
    )
    return int(
        deployment.docker("exec", deployment.service("hub"), "python3", "-c", script).stdout
    )
