"""What the doctor says of the ledger's lines and of folders, by tables of broken ones."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tinyberth_launcher.doctor import data_facts, data_root, homes
from tinyberth_launcher.doctor.data_facts import Data, Entry, Folder, Team
from tinyberth_launcher.doctor.finding import FINE, Finding, fault, fine

ALICE = Entry("alice", 20001, 20001, "/home/alice")
BOB = Entry("bob", 20002, 20002, "/home/bob")
OLD = Entry("carl~1", 20003, 20003, "/nonexistent")
NLP = Team("nlp", 30000, frozenset({"alice"}))

HOMES = {
    "users/alice": Folder("folder", 20001, 20001, 0o700),
    "users/bob": Folder("folder", 20002, 20002, 0o500),  # closed by himself
    "archive/carl~1": Folder("folder", 20003, 20003, 0o755),
    "teams/nlp": Folder("folder", 0, 30000, 0o2770),
    "users/lost+found": Folder("folder", 0, 0, 0o700),
}
WELL = Data((ALICE, BOB, OLD), (NLP,), HOMES, (), {0: "root", 1000: "ubuntu"})


def judge(data: Data) -> list[Finding]:
    return homes.judge(data, Path("/srv/data"), "tb-ledger:0.1.0")


def with_folder(place: str, **changes: object) -> Data:
    folder = HOMES.get(place, Folder("folder", 0, 0, 0o755))
    return replace(WELL, folders={**HOMES, place: replace(folder, **changes)})


def without(place: str) -> Data:
    return replace(WELL, folders={key: HOMES[key] for key in HOMES if key != place})


def test_a_well_deployment_has_no_finding() -> None:
    assert [finding.level for finding in judge(WELL)] == [FINE]


@pytest.mark.parametrize(
    ("data", "key", "words", "mended"),
    [
        (without("users/alice"), "home_missing", "alice has no home", False),
        (with_folder("users/alice", kind="symbolic link"), "home_kind", "symbolic link", False),
        (with_folder("users/alice", kind="FIFO"), "home_kind", "FIFO", False),
        (with_folder("users/alice", uid=20002), "home_owner", "(bob), not to 20001", False),
        (with_folder("users/alice", uid=1000), "home_owner", "ubuntu, an account", False),
        (with_folder("users/alice", uid=20009), "home_owner", "nobody known", False),
        (with_folder("users/alice", uid=0, gid=0), "home_owner", "(root)", False),
        (with_folder("users/alice", uid=0, gid=0, empty=True), "home_owner", "(root)", True),
        (with_folder("users/alice", uid=20002, empty=True), "home_owner", "(bob)", False),
        (with_folder("users/alice", gid=100), "home_group", "the group 100", True),
        (with_folder("users/alice", mode=0o755), "home_mode", "the mode 755", True),
        (with_folder("users/alice", mode=0o710), "home_mode", "the mode 710", True),
        (without("archive/carl~1"), "archive_missing", "carl~1", False),
        (with_folder("archive/carl~1", uid=20002), "home_owner", "(bob)", False),
        (without("teams/nlp"), "team_missing", "data/teams/nlp", False),
        (with_folder("teams/nlp", kind="file"), "home_kind", "is a file", False),
        (with_folder("teams/nlp", gid=30001), "team_owner", "0:30001 (nobody known)", False),
        (with_folder("teams/nlp", uid=20001), "team_owner", "(alice)", False),
        (with_folder("teams/nlp", mode=0o2755), "team_mode", "2755", True),
        (with_folder("users/dora", uid=20009), "home_orphan", "nobody known", False),
        (with_folder("users/alice-old", uid=20001), "home_orphan", "alice", False),
        (with_folder("users/notes", kind="file"), "stray", "is a file", False),
        (with_folder("teams/old", gid=30009), "team_orphan", "nobody known", False),
        (with_folder("archive/x~1", uid=20009), "archive_orphan", "nobody known", False),
        (replace(WELL, damaged=("passwd: 'x'",)), "ledger_line", "ledger/passwd: 'x'", False),
        (replace(WELL, host_accounts={20001: "eve"}), "host_uid", "account eve", False),
        (
            replace(WELL, entries=(ALICE, BOB, replace(OLD, uid=20001))),
            "ledger_twice",
            "uid 20001 stands 2 times in the ledger: alice, carl~1",
            False,
        ),
        (
            replace(WELL, teams=(NLP, replace(NLP, name="nlp~1"))),
            "ledger_twice",
            "gid 30000 stands 2 times in the ledger: nlp, nlp~1",
            False,
        ),
        (
            replace(WELL, entries=(ALICE, BOB, replace(OLD, home="/home/carl"))),
            "home_moving",
            "waits at data/users/carl, on its way to data/archive/carl~1",
            False,
        ),
    ],
)
def test_f15_each_thing_that_is_broken_is_found(data, key, words, mended) -> None:
    found = {finding.key: finding for finding in judge(data)}
    assert key in found
    assert words in found[key].what
    assert (found[key].fix is not None) == mended


def test_only_what_is_empty_is_given_to_somebody() -> None:
    (finding,) = judge(with_folder("users/alice", uid=0, gid=0, empty=True))
    assert finding.fix
    assert [command[-3:] for command in finding.fix.commands] == [
        ("chmod", "700", "/it/alice"),
        ("chown", "20001:20001", "/it/alice"),
    ]


def test_the_ledgers_own_names_for_host_accounts_are_no_finding() -> None:
    """With libnss-extrausers on the host its people are accounts there."""
    data = replace(WELL, host_accounts={20001: "alice", 20003: "carl~1"})
    assert [finding.level for finding in judge(data)] == [FINE]


def test_what_is_gone_at_the_second_look_was_somebodys_work(monkeypatch) -> None:
    monkeypatch.setattr(homes, "_BETWEEN_LOOKS", 0)
    one, other = (fault(key, key, why="", remedy="") for key in ("one", "other"))
    looks = iter([[one, other], [other, fine("x")]])
    assert homes.twice(lambda: next(looks)) == [other, fine("x")]


def test_lines_are_read_past_those_that_are_damaged() -> None:
    passwd = (
        "alice:*:20001:20001:Alice:/home/alice:/bin/bash\n"
        "torn:*:200\n"
        "carl~1:*:20003:20003:carl:/nonexistent:/usr/sbin/nologin\n"
    )
    entries, damaged = data_facts.parse_passwd(passwd)
    assert entries == [ALICE, OLD]
    assert damaged == ["passwd: 'torn:*:200'"]
    assert entries[1].place == "archive/carl~1"
    assert not entries[1].moving_from
    teams, damaged = data_facts.parse_group("alice:*:20001:\nnlp:!:30000:alice\nx:y\n")
    assert teams == [NLP]
    assert damaged == ["group: 'x:y'"]


@pytest.mark.parametrize(
    ("files", "gone"),
    [
        ([], []),
        (["passwd", "group", ".lock"], []),
        (["passwd", ".lock"], ["group"]),
        (["group"], ["passwd"]),
        ([".lock"], ["passwd", "group"]),
    ],
)
def test_f15_a_lost_ledger_is_told_from_a_first_start(tmp_path, files, gone) -> None:
    (tmp_path / "ledger").mkdir()
    for name in files:
        (tmp_path / "ledger" / name).touch()
    assert data_facts.lost(tmp_path) == gone


def test_f15_what_the_folders_say_is_shown_before_it_is_written() -> None:
    lines = "alice:*:20001:20001:alice:/home/alice:/bin/bash\n"
    finding = data_root.judge_lost(["passwd", "group"], lines, "tb-ledger-1")
    assert "data/ledger/passwd and group are gone" in finding.what
    assert "+ alice:*:20001" in finding.why
    assert finding.fix
    assert finding.fix.commands[0][-1] == "--write"
    assert data_root.judge_lost(["passwd"], "", "").fix is None


def stats(**modes: int) -> dict[str, os.stat_result]:
    """Return what lstat(2) says of data/, all root's, with other modes for some."""
    names = {".": 0o40755, "ledger/passwd": 0o100644, "ledger/group": 0o100644}
    names |= dict.fromkeys(("ledger", "users", "teams", "archive", "datasets", "presets"), 0o40755)
    names |= {name.replace("__", "/"): mode for name, mode in modes.items()}
    return {name: os.stat_result((mode, *[0] * 9)) for name, mode in names.items() if mode}


@pytest.mark.parametrize(
    ("found", "keys"),
    [
        (stats(), []),
        (stats(users=0o40775), ["data_owner"]),
        (stats(ledger=0o40700), ["data_owner"]),
        (stats(ledger__passwd=0o100666), ["data_owner"]),
        (stats(users=0o120777), ["data_kind"]),
        (stats(ledger__group=0o120777), ["data_kind"]),
        (stats(teams=0), ["data_missing"]),
        ({".": os.stat_result((0o40700, *[0] * 9))}, ["data_new"]),
        (stats() | {".": os.stat_result((0o40700, *[0] * 9))}, ["data_closed"]),
    ],
)
def test_the_data_folders_owners_and_modes(found, keys) -> None:
    findings = data_root.judge(found, Path("/srv/data"), "tb-ledger:0.1.0")
    assert [finding.key for finding in findings] == keys


def test_what_people_cannot_open_on_a_shelf_is_named(tmp_path: Path) -> None:
    for name, mode in {"open": 0o755, "closed": 0o750, ".hidden": 0o700}.items():
        (tmp_path / "datasets" / name).mkdir(parents=True)
        (tmp_path / "datasets" / name).chmod(mode)
    (tmp_path / "datasets" / "secret.csv").touch(0o600)
    (tmp_path / "datasets" / "gone").symlink_to("nowhere")
    found = list(data_root._shelves(tmp_path))
    assert [finding.key for finding in found] == ["shelf_closed"] * 3
    assert [finding.what.split()[0] for finding in found] == [
        f"data/datasets/{name}" for name in ("closed", "gone", "secret.csv")
    ]


def test_folders_are_read_as_they_are(tmp_path: Path) -> None:
    for name in ("ledger", "users/alice/work", "users/bob", "teams", "archive"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "users" / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "users" / "pipe")
    (tmp_path / "ledger" / "passwd").write_text("alice:*:20001:20001:a:/home/alice:/bin/bash\n")
    data = data_facts.collect(tmp_path)
    assert data.living == {"alice"}
    kinds = {place: (one.kind, one.empty) for place, one in (data.folders or {}).items()}
    assert kinds == {
        "users/alice": ("folder", False),
        "users/bob": ("folder", True),
        "users/link": ("symbolic link", False),
        "users/pipe": ("FIFO", False),
    }
