"""Teams: two people in containers share files, a third sees nothing, and leaving ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from people_fixtures import Admin, ledger

from deployment import Deployment, Person


@pytest.fixture
def admin(deployment: Deployment) -> Iterator[Admin]:
    admin = Admin(deployment)
    yield admin
    admin.person.session.close()


def contents(person: Person, method: str, path: str, text: str | None = None) -> requests.Response:
    """Ask the person's own server for a file, as JupyterLab does."""
    body = None if text is None else {"type": "file", "format": "text", "content": text}
    return requests.request(
        method, f"{person.server_url}/api/contents/{path}", json=body, timeout=60,
        headers={"Authorization": f"token {person.make_token()}"},
    )  # fmt: skip


def test_files_of_a_team_are_written_by_each_of_it_and_seen_by_nobody_else(
    deployment: Deployment, admin: Admin
) -> None:
    uma, viv = (admin.add(name, teams=["astro"]) for name in ("uma", "viv"))
    other = admin.add("xaver")
    for person in (uma, viv, other):
        person.start_server()
    folder = deployment.host_data_dir / "teams" / "astro"
    gid = int(ledger(deployment, "group")["astro"][2])
    assert ledger(deployment, "group")["astro"][3] == "uma,viv"
    assert 30000 <= gid <= 39999
    assert (folder.stat().st_uid, folder.stat().st_gid) == (0, gid)
    assert folder.stat().st_mode & 0o7777 == 0o2770

    # In a terminal, and in what the other one makes.
    deployment.as_user("uma", "mkdir /teams/astro/sky; echo one > /teams/astro/sky/stars")
    deployment.as_user("viv", "echo two >> /teams/astro/sky/stars; touch /teams/astro/sky/mine")
    stars = folder / "sky" / "stars"
    assert stars.read_text() == "one\ntwo\n"
    uid = {login: int(ledger(deployment)[login][2]) for login in ("uma", "viv")}
    assert (stars.stat().st_uid, stars.stat().st_gid) == (uid["uma"], gid)
    assert stars.stat().st_mode & 0o7777 == 0o664
    assert (folder / "sky").stat().st_mode & 0o7777 == 0o2775
    assert ((folder / "sky/mine").stat().st_uid, (folder / "sky/mine").stat().st_gid) == (
        uid["viv"], gid,
    )  # fmt: skip

    # Through Jupyter's contents API, below the link in the home that the file browser shows.
    assert contents(uma, "PUT", "teams/astro/page.txt", "by uma").status_code == 201
    assert contents(viv, "PUT", "teams/astro/page.txt", "by viv").status_code == 200
    assert contents(uma, "GET", "teams/astro/page.txt").json()["content"] == "by viv"
    page = (folder / "page.txt").stat()
    assert (page.st_gid, page.st_mode & 0o060) == (gid, 0o060)

    # Names of people and teams, from the ledger.
    listed = deployment.as_user("viv", "ls -l /teams/astro/sky/stars; getent group astro; id -nG")
    assert listed.stdout.split()[2:4] == ["uma", "astro"]
    assert f"astro:!:{gid}:uma,viv" in listed.stdout
    assert listed.stdout.splitlines()[-1].split() == ["viv", "astro"]

    # Nothing of it for who is not in the team; not as files on the host either.
    assert deployment.as_user("xaver", "ls /teams").stdout == ""
    assert contents(other, "GET", "teams/astro/page.txt").status_code == 404
    host_ids = ledger(deployment)["xaver"][2]
    image, mount = f"{deployment.project}-singleuser:0.1.0", f"{folder}:/teams/astro:ro"
    seen = deployment.docker(
        "run", "--rm", "--user", f"{host_ids}:{host_ids}", "--volume", mount,
        "--entrypoint", "ls", image, "/teams/astro", check=False,
    )  # fmt: skip
    assert "Permission denied" in seen.stderr
    other.stop_server()


def test_joining_and_leaving_count_from_the_next_start(
    deployment: Deployment, admin: Admin
) -> None:
    yves = admin.add("yves", teams=["oak"])
    yves.start_server()
    home = f"{deployment.url}/hub/home"
    assert 'id="teams-changed"' not in yves.session.get(home, timeout=30).text
    assert admin.ok("GET", "/people/yves")["server"]["teams_changed"] is False

    changed = admin.ok("PATCH", "/people/yves", {"teams": ["elm", "fir"]})

    assert (changed["teams"], changed["server"]["teams_changed"]) == (["elm", "fir"], True)
    assert changed["server"]["since"]
    assert changed["server"]["memory"] > 2**20
    assert changed["server"]["memory_limit"] == 4 * 2**30
    said = " ".join(yves.session.get(home, timeout=30).text.split())
    assert (
        "Restart your server to join the teams elm, fir and to leave the team oak: stop it" in said
    )
    groups = ledger(deployment, "group")
    assert [groups[team][3] for team in ("oak", "elm", "fir")] == ["", "yves", "yves"]
    assert deployment.as_user("yves", "ls /teams").stdout.split() == ["oak"]
    yves.stop_server()
    yves.start_server()
    assert deployment.as_user("yves", "ls /teams; id -nG").stdout.split() == [
        "elm", "fir", "yves", "elm", "fir",
    ]  # fmt: skip
    assert 'id="teams-changed"' not in yves.session.get(home, timeout=30).text
    yves.stop_server()


def test_a_team_has_a_life_of_its_own(deployment: Deployment, admin: Admin) -> None:
    admin.add("zita")
    made = admin.ok("POST", "/teams", {"name": "yew"})
    assert (made["name"], made["members"]) == ("yew", [])
    assert admin.ok("PUT", "/teams/yew", {"members": ["zita"]})["members"] == ["zita"]
    admin.refused("PUT", "/teams/yew", {"members": ["nobody-here"]}, 400, "nobody named")
    admin.refused("POST", "/teams", {"name": "yew"}, 409, "here already")
    admin.refused("POST", "/teams", {"name": "zita"}, 409, "is or was a person")
    admin.refused("POST", "/people", {"name": "yew"}, 409, "yew")
    admin.refused("POST", "/people", {"name": "new", "teams": ["No Team"]}, 400, "team's name")
    listed = {team["name"]: team for team in admin.ok("GET", "/teams")["teams"]}
    assert listed["yew"]["gid"] == made["gid"]
    (deployment.host_data_dir / "teams/yew/shared").write_text("kept")
    removed = admin.ok("DELETE", "/teams/yew")
    assert removed == {"archive": "yew~1", "home": "data/archive/yew~1"}
    assert (deployment.host_data_dir / "archive/yew~1/shared").read_text() == "kept"
    assert admin.ok("GET", "/people/zita")["teams"] == []
    again = admin.ok("POST", "/teams", {"name": "yew"})
    assert again["gid"] != made["gid"]
    admin.ok("DELETE", "/teams/yew")


def test_a_list_of_people_is_shown_before_anything_is_done(admin: Admin) -> None:
    before = admin.ok("GET", "/people")["people"]
    text = "\ufeffname,teams\r\nalma,elm;ash\r\nroot\r\nadmin\r\nalma\r\n"
    lines = admin.ok("POST", "/people/preview", {"csv": text})["lines"]
    assert [(line["line"], line["outcome"]) for line in lines] == [
        (2, "new"), (3, "refused"), (4, "exists"), (5, "refused"),
    ]  # fmt: skip
    assert "ash" in lines[0]["new_teams"]
    admin.refused("POST", "/people/preview", {}, 400, "either csv or people")
    assert len(admin.ok("GET", "/people")["people"]) == len(before)
