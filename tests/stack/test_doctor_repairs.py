"""The doctor finds what is broken in data/ and mends what is safe: really broken, and put back."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deployment import Deployment, wait_until

PEOPLE = ("dr-mode", "dr-root", "dr-full", "dr-gone", "dr-group", "dr-link")
NOBODY = 29177
"""A uid that no test gives to anybody."""


def examined(deployment: Deployment, *words: str) -> dict[str, Any]:
    """Return what `./tinyberth doctor --json` says; its exit code is the one it tells."""
    done = deployment.tinyberth("doctor", "--json", *words, check=False)
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == document["exit_code"], done.stderr
    return document


def faults(document: dict[str, Any]) -> dict[str, str]:
    """Return the faults' keys by the words between which they stand, for looking one up."""
    return {one["what"]: one["key"] for one in document["findings"] if one["level"] == "fault"}


def key_of(found: dict[str, str], words: str) -> str:
    keys = [key for what, key in found.items() if words in what]
    assert len(keys) == 1, f"{words}: {found}"
    return keys[0]


def ids(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@pytest.fixture(scope="module")
def people(deployment: Deployment) -> None:
    deployment.tinyberth("user", "add", *PEOPLE, "--team", "dr-team")


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    away = path.with_name(f".{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
        away.rename(path)


@pytest.mark.usefixtures("people")
def test_f15_homes_are_held_against_the_ledger_and_mended_where_it_is_safe(
    deployment: Deployment,
) -> None:
    data = deployment.host_data_dir
    mode, root, full, gone, group, link = map(deployment.home, PEOPLE)
    uids = {path.name: path.stat().st_uid for path in (mode, root, full, group)}
    strangers = [data / place for place in ("users/dr-orphan", "archive/dr~7", "teams/dr-orphan")]
    before = faults(examined(deployment, "homes"))
    with moved_away(gone), moved_away(link):
        mode.chmod(0o755)
        os.chown(root, 0, 0)
        os.chown(full, 0, 0)
        (full / "somebody's").touch()
        os.chown(group, -1, 1)
        link.symlink_to("/etc")
        (data / "teams/dr-team").chmod(0o2755)
        for stranger in strangers:
            stranger.mkdir()
            os.chown(stranger, NOBODY if "teams" not in str(stranger) else 0, NOBODY)
        try:
            # Without --yes and a terminal the repairs are only shown.
            shown = deployment.tinyberth("doctor", "homes", "--fix", "--json", check=False)
            broken = faults(json.loads(shown.stdout))
            expected = {
                "users/dr-mode has": "home_mode",
                "users/dr-root belongs": "home_owner",
                "users/dr-full belongs": "home_owner",
                "dr-gone has no home": "home_missing",
                "users/dr-group has": "home_group",
                "users/dr-link is a symbolic link": "home_kind",
                "teams/dr-team has": "team_mode",
                "users/dr-orphan (": "home_orphan",
                "archive/dr~7 (": "archive_orphan",
                "teams/dr-orphan (": "team_orphan",
            }
            assert {words: key_of(broken, words) for words in expected} == expected
            assert "chmod go-rwx /it/dr-mode" in shown.stderr
            assert "Nothing was changed: nobody can be asked here" in shown.stderr
            assert ids(mode)[2] == 0o755

            mended = examined(deployment, "homes", "--fix", "--yes")
            assert [one["failure"] for one in mended["mended"]] == [""] * 4
            assert ids(mode) == (uids["dr-mode"], uids["dr-mode"], 0o700)
            assert ids(root) == (uids["dr-root"], uids["dr-root"], 0o700)
            assert ids(group) == (uids["dr-group"], uids["dr-group"], 0o700)
            assert ids(data / "teams/dr-team")[2] == 0o2770
            # What is not safe is left to a person.
            assert ids(full)[:2] == (0, 0)
            left = faults(mended)
            assert key_of(left, "users/dr-full belongs") == "home_owner"
            assert not [what for what in left if "dr-mode" in what or "dr-team" in what]
        finally:
            for stranger in strangers:
                stranger.rmdir()
            (full / "somebody's").unlink()
            os.chown(full, uids["dr-full"], uids["dr-full"])
    assert faults(examined(deployment, "homes")) == before


@contextmanager
def without_ledger_files(deployment: Deployment, *names: str) -> Iterator[None]:
    """Keep files of the ledger aside, and put them back as they were."""
    ledger = deployment.host_data_dir / "ledger"
    kept = {name: (ledger / name).read_bytes() for name in ("passwd", "group")}
    for name in names:
        (ledger / name).unlink()
    try:
        yield
    finally:
        for name, content in kept.items():
            (ledger / name).write_bytes(content)
            (ledger / name).chmod(0o644)
        deployment.compose("restart", "ledger")


@pytest.mark.usefixtures("people")
def test_f15_a_lost_ledger_starts_nobody_is_shown_and_made_again_from_the_homes(
    deployment: Deployment,
) -> None:
    passwd = deployment.host_data_dir / "ledger/passwd"
    before = {line.split(":")[0]: line.split(":")[2:4] for line in passwd.read_text().split()}
    with without_ledger_files(deployment, "passwd", "group"):
        refused = deployment.tinyberth("user", "add", "dr-late", check=False)
        assert refused.returncode == 1
        assert "data/ledger/passwd and group is gone" in refused.stderr

        lost = examined(deployment, "data", "homes", "people")
        (finding,) = [one for one in lost["findings"] if one["key"] == "ledger_lost"]
        uid = deployment.home("dr-mode").stat().st_uid
        assert f"+ dr-mode:*:{uid}:{uid}:" in finding["why"]
        assert not passwd.exists()

        done = examined(deployment, "data", "--fix", "--yes")
        assert not faults(done), done
        after = {line.split(":")[0]: line.split(":")[2:4] for line in passwd.read_text().split()}
        assert {name: after.get(name) for name in PEOPLE} == {n: before[n] for n in PEOPLE}
        group = (deployment.host_data_dir / "ledger/group").read_text()
        gid = (deployment.host_data_dir / "teams/dr-team").stat().st_gid
        assert f"dr-team:!:{gid}:" in group


def test_the_data_folders_owners_are_seen_and_given_back(deployment: Deployment) -> None:
    archive = deployment.host_data_dir / "archive"
    passwd = deployment.host_data_dir / "ledger" / "passwd"
    # Restarted by the test before: while it starts it gives the folders back by itself.
    ledger = deployment.service("ledger")
    wait_until(
        lambda: deployment.inspect(ledger)["State"]["Health"]["Status"] == "healthy",
        "the ledger serves",
    )
    try:
        os.chown(archive, NOBODY, 0)
        passwd.chmod(0o600)
        done = examined(deployment, "data", "--fix", "--yes")
        found = [(one["key"], one["what"].split()[0]) for one in done["mended"]]
        assert found == [("data_owner", "data/archive"), ("data_owner", "data/ledger/passwd")]
        assert not faults(done)
        assert ids(archive) == (0, 0, 0o755)
        assert ids(passwd) == (0, 0, 0o644)
    finally:
        os.chown(archive, 0, 0)
        passwd.chmod(0o644)
    with moved_away(deployment.host_data_dir / ".tinyberth-data"):
        assert key_of(faults(examined(deployment, "data")), "no file .tinyberth-data") == "marker"
