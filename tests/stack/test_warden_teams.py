"""Teams, and a life with its moves, on the real engine: what `stat` on the host says."""

from __future__ import annotations

import stat
import subprocess
import time

import pytest
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(180)


def inside(warden: TestWarden, login: str, command: str) -> str:
    script = f"umask 0002; {command}"
    return docker("exec", warden.name(login), "sh", "-c", script, check=False)


def stop(warden: TestWarden, login: str) -> None:
    docker("rm", "--force", warden.name(login))


def put_team(warden: TestWarden, name: str, *members: str) -> int:
    for login in members:
        warden.ledger.ok("PUT", f"/v1/berths/{login}", {})
    gid: int = warden.ledger.ok("PUT", f"/v1/teams/{name}", {"members": list(members)})["gid"]
    return gid


def ids(path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def on_host(uid: int, *command: str) -> bool:
    """Run ``command`` on the host's files as somebody with no group but their own."""
    done = subprocess.run(
        command, user=uid, group=uid, extra_groups=[], capture_output=True, check=False
    )
    return done.returncode == 0


def test_what_one_writes_the_other_changes_and_nobody_else_sees(warden):
    gid = put_team(warden, "nlp", "alice", "bob")
    folder = warden.data / "teams/nlp"
    assert ids(folder) == (0, gid, 0o2770)
    for login in ("alice", "bob", "eve"):
        warden.spawn(login)
    uids = {login: warden.create_body(login)["User"].split(":")[0] for login in ("alice", "bob")}
    inside(warden, "alice", "mkdir /teams/nlp/data; echo first > /teams/nlp/data/paper")
    assert ids(folder / "data") == (int(uids["alice"]), gid, 0o2775)
    assert ids(folder / "data/paper") == (int(uids["alice"]), gid, 0o664)
    inside(warden, "bob", "echo second >> /teams/nlp/data/paper; echo mine > /teams/nlp/data/more")
    assert (folder / "data/paper").read_text() == "first\nsecond\n"
    assert ids(folder / "data/more") == (int(uids["bob"]), gid, 0o664)
    assert inside(warden, "alice", "rm /teams/nlp/data/more && echo gone") == "gone"
    assert f"{gid}(nlp)" in inside(warden, "alice", "id") or f"groups={uids['alice']}" in inside(
        warden, "alice", "id"
    )
    assert str(gid) in inside(warden, "alice", "id -G").split()

    assert str(gid) not in inside(warden, "eve", "id -G").split()
    assert inside(warden, "eve", "ls -A /teams/nlp && echo seen") == ""
    eve = warden.create_body("eve")["User"].split(":")[0]
    assert not on_host(int(eve), "ls", str(folder))
    assert not on_host(int(eve), "cat", str(folder / "data/paper"))
    assert not on_host(int(uids["alice"]), "ls", str(folder)), "by the group alone"


def test_a_member_cannot_change_the_folder_itself(warden):
    gid = put_team(warden, "nlp", "alice")
    warden.spawn("alice")
    for command in ("chmod 777 /teams/nlp", "chgrp alice /teams/nlp", "rmdir /teams/nlp"):
        inside(warden, "alice", command)
        assert ids(warden.data / "teams/nlp") == (0, gid, 0o2770)
    assert inside(warden, "alice", "mkdir /teams/mine && echo made") == ""


def test_who_left_has_neither_mount_nor_group_at_the_next_start(warden):
    gid = put_team(warden, "nlp", "alice", "bob")
    number = warden.spawn("alice")
    assert warden.inspect("alice")["HostConfig"]["GroupAdd"] == [str(gid)]
    put_team(warden, "nlp", "bob")
    warden.client.ok("POST", f"/containers/{number}/stop?t=1")
    status, answer = warden.client.call("POST", f"/containers/{number}/start")
    assert (status, answer["error"]) == (409, "stale_container")
    warden.client.ok("DELETE", f"/containers/{number}")
    warden.spawn("alice")
    assert not warden.inspect("alice")["HostConfig"]["GroupAdd"]
    assert str(gid) not in inside(warden, "alice", "id -G").split()
    assert inside(warden, "alice", "cat /proc/mounts").count("/teams/") == 0
    assert inside(warden, "alice", "ls /teams/nlp && echo seen") == ""


def test_a_removed_team_is_kept_and_the_next_of_that_name_is_new(warden):
    gid = put_team(warden, "vision", "alice")
    warden.spawn("alice")
    inside(warden, "alice", "echo ours > /teams/vision/paper")
    inode = (warden.data / "teams/vision").stat().st_ino
    stop(warden, "alice")
    assert warden.ledger.ok("POST", "/v1/teams/vision/archive", {})["archive"] == "vision~1"
    archived = warden.data / "archive/vision~1"
    assert ids(archived) == (0, gid, 0o2770)
    assert (archived.stat().st_ino, (archived / "paper").read_text()) == (inode, "ours\n")
    assert put_team(warden, "vision", "alice") != gid
    warden.spawn("alice")
    assert inside(warden, "alice", "ls -A /teams/vision") == ""


@pytest.mark.parametrize("mode", [0o700, 0o500])
def test_renamed_removed_and_restored_on_the_same_files(warden, mode):
    """With the ledger's real capabilities; also a home that its owner closed to themselves."""
    gid = put_team(warden, "nlp", "carol")
    warden.spawn("carol")
    home = warden.data / "users/carol"
    inside(warden, "carol", f"echo mine > ~/thesis; mkdir ~/a; chmod {mode:o} ~/a ~")
    uid, inode = home.stat().st_uid, home.stat().st_ino
    status, answer = warden.ledger.call("POST", "/v1/berths/carol/rename", {"to": "caro"})
    assert (status, answer["error"]) == (409, "running")
    stop(warden, "carol")

    def check(name: str) -> None:
        found = (warden.data / name).lstat()
        assert (found.st_ino, found.st_uid, found.st_gid) == (inode, uid, uid)
        assert (warden.data / name / "thesis").read_text() == "mine\n"

    warden.ledger.ok("POST", "/v1/berths/carol/rename", {"to": "caro"})
    check("users/caro")
    assert not home.exists()
    teams = {t["name"]: t for t in warden.ledger.ok("GET", "/v1/teams")["teams"]}
    assert (teams["nlp"]["members"], teams["nlp"]["gid"]) == (["caro"], gid)
    warden.spawn("caro")
    assert inside(warden, "caro", "pwd; cat ~/thesis; id -u") == f"/home/caro\nmine\n{uid}"
    stop(warden, "caro")
    tombstone = warden.ledger.ok("POST", "/v1/berths/caro/archive", {})["archive"]
    check(f"archive/{tombstone}")
    restored = warden.ledger.ok("POST", f"/v1/berths/{tombstone}/restore", {"as": "carol"})
    assert restored["uid"] == uid
    check("users/carol")
    warden.spawn("carol")
    assert inside(warden, "carol", "echo more >> ~/thesis; cat ~/thesis") == "mine\nmore"
    docker("exec", warden.name("carol"), "sh", "-c", "chmod 700 ~; rm ~/thesis")
    stop(warden, "carol")
    warden.ledger.ok("POST", "/v1/berths/carol/archive", {})


def test_a_team_folder_in_the_way_is_refused(warden):
    (warden.data / "teams/odd").symlink_to("/etc")
    status, answer = warden.ledger.call("PUT", "/v1/teams/odd", {"members": []})
    assert (status, answer["error"]) == (409, "home_refused")
    assert "data/teams/odd is a symbolic link" in answer["message"]
    (warden.data / "teams/odd").unlink()


def test_sizes_of_homes_that_nobody_else_may_enter(warden):
    warden.spawn("dan")
    inside(warden, "dan", "mkdir -m 700 ~/d; head -c 5000000 /dev/urandom > ~/d/f; chmod 0 ~/d/f")
    warden.ledger.ok("GET", "/v1/usage")
    end = time.monotonic() + 30
    while not (answer := warden.ledger.ok("GET", "/v1/usage"))["measured_at"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert 5_000_000 <= answer["homes"]["dan"] < 5_200_000
    assert (warden.data / "users/dan").lstat().st_mode & 0o777 == 0o700
    assert "cannot be measured" not in docker("logs", warden.ledger_container)


def test_memory_of_a_server(warden):
    number = warden.spawn("dan")
    path = f"/v1.44/containers/{number}/stats"
    answer = warden.client.ok("GET", f"{path}?stream=False&one-shot=True")
    assert answer["memory_stats"]["limit"] == 2**28
    assert 0 < answer["memory_stats"]["usage"] < 2**28
    assert set(answer) == {"read", "memory_stats"}
    assert warden.client.call("GET", path)[0] == 403


def test_killed_in_the_middle_of_a_move_the_next_start_finishes(warden):
    """The ledger said so, and the home was not there yet: as `kill -9` leaves it."""
    warden.ledger.ok("PUT", "/v1/berths/fay", {})
    inode = (warden.data / "users/fay").stat().st_ino
    docker("kill", "--signal=KILL", warden.ledger_container)
    passwd = warden.data / "ledger/passwd"
    line = next(line for line in passwd.read_text().splitlines() if line.startswith("fay:"))
    moving = "faye" + line.removeprefix("fay")
    passwd.write_text(passwd.read_text().replace(line, moving))
    docker("start", warden.ledger_container)
    warden.wait_for_health()
    assert (warden.data / "users/faye").stat().st_ino == inode
    assert ":/home/faye:" in passwd.read_text()
    assert passwd.stat().st_uid == 0
