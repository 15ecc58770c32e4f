"""What is in a home's place and is not the user's own folder stops the spawn (THREATS F8, F9)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployment import Deployment, Person, wait_until


@pytest.fixture
def dora(deployment: Deployment) -> Iterator[Person]:
    """Return somebody without a server, whose home the test may replace."""
    person = deployment.add("dora")
    if person.server():
        person.stop_server()
    home = deployment.home("dora")
    kept = home.with_name("dora.kept")
    home.rename(kept)
    yield person
    if home.is_dir() and not home.is_symlink():
        shutil.rmtree(home)
    else:
        home.unlink(missing_ok=True)
    kept.rename(home)


def _symlink(home: Path) -> None:
    home.symlink_to("/etc")


def _file(home: Path) -> None:
    home.write_text("not a folder")


def _fifo(home: Path) -> None:
    os.mkfifo(home)


def _anothers(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "secret").write_text("of somebody else")
    os.chown(home, 23456, 23456)


@pytest.mark.parametrize("replace", [_symlink, _file, _fifo, _anothers])
def test_the_spawn_is_refused_with_a_sentence_and_nothing_changes(
    deployment: Deployment, dora: Person, replace: Callable[[Path], None]
) -> None:
    home = deployment.home("dora")
    replace(home)
    before = home.lstat()
    message = _failed_spawn(dora)
    assert "dora" in message
    after = home.lstat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert after.st_ino == before.st_ino
    assert (
        deployment.docker("ps", "-aq", "--filter", f"name={deployment.container('dora')}").stdout
        == ""
    )


def test_a_missing_home_is_made_for_its_user(deployment: Deployment, dora: Person) -> None:
    dora.start_server()
    made = deployment.home("dora").stat()
    uid = int(deployment.as_user("dora", "id -u").stdout)
    assert (made.st_uid, made.st_gid, made.st_mode & 0o7777) == (uid, uid, 0o700)
    dora.stop_server()


def test_without_the_data_root_nothing_is_written_below_its_mount_point(
    deployment: Deployment, dora: Person
) -> None:
    marker = deployment.host_data_dir / ".tinyberth-data"
    aside = marker.with_name("marker-aside")
    marker.rename(aside)
    try:
        message = _failed_spawn(dora)
        assert ".tinyberth-data" in message
        assert not deployment.home("dora").exists()
    finally:
        aside.rename(marker)
    wait_until(deployment.hub_healthy, "the hub answers")


def test_a_home_that_its_user_closed_is_theirs_to_open_again(
    deployment: Deployment, dora: Person
) -> None:
    home = deployment.home("dora")
    uid = home.with_name("dora.kept").stat().st_uid
    home.mkdir(mode=0o000)
    os.chown(home, uid, uid)
    dora.start_server()
    found = home.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (uid, uid, 0o700)
    dora.stop_server()


def _failed_spawn(person: Person) -> str:
    """Start a server, expect that it fails, and return what the page would say."""
    page = f"{person.url}/hub/spawn-pending/{person.name}"
    seen = [
        person.api("POST", f"/users/{person.name}/server"),
        person.session.get(page, timeout=60),
        person.session.get(
            f"{person.url}/hub/api/users/{person.name}/server/progress", timeout=60
        ),
    ]
    wait_until(lambda: not person.server(), "the failed server is gone")
    # Between the page and its events the spawn may have failed; the page loaded again says so.
    seen.append(person.session.get(page, timeout=60))
    text = "".join(answer.text for answer in seen)
    assert "Traceback" not in text
    return text
