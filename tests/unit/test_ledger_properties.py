"""Any life of people and teams, killed at any step, keeps numbers, homes and members apart."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import getent
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from ledger_crash import Killed, kill_before
from made_berths import make_berths, written

from tinyberth_ledger.ledger import Ledger
from tinyberth_ledger.teams import Teams
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")

LOGINS = st.sampled_from(["alice", "bob", "carol", "nlp"])
TEAMS = st.sampled_from(["nlp", "vision", "alice"])
WHICH = st.integers(0, 5)
"""Which of the people or tombstones that there are."""
GECOS = st.none() | st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":"), min_size=1, max_size=20
).filter(lambda name: not name.startswith(" "))
CRASH = st.none() | st.integers(5, 14) | st.integers(0, 20)
"""How many changes of the file system are made before the process is killed; None: all.

One has 7 to 22; from the 6th on passwd is written, and group from the 11th.
"""


class Lives(RuleBasedStateMachine):
    """What the ledger says after each step is compared with what it said before."""

    def __init__(self) -> None:
        super().__init__()
        shm = Path("/dev/shm")  # memory: what is tested is order, not the disk
        self.folder = tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None)
        self.berths = make_berths(Path(self.folder.name) / "w")
        self.teams, self.data = Teams(self.berths), self.berths.root.path
        self.ledger = Ledger()
        for login in ("alice", "bob"):
            self.berths.ensure(login, None)
        self.teams.ensure("nlp", ["alice", "bob"])
        self.work()

    def pick(self, which, *, archived):
        """Return the name of somebody who is there."""
        names = [e.name for e in self.ledger.entries if bool(e.archived) == archived]
        return names[which % len(names)] if names else "alice~1" if archived else "alice"

    def teardown(self) -> None:
        """End this life; it may end after any step, and every program can read what it left."""
        with self.folder:
            for name in ("passwd", "group") if getent.is_here() else ():
                lines = (self.data / "ledger" / name).read_text().split("\n")[:-1]
                assert getent.getent(self.data / "ledger", name) == lines

    def do(self, crash, act, *, may_leave=False, may_join=False):
        """Do ``act``, killed or refused or not; then compare what is written."""
        before = self.ledger
        with pytest.MonkeyPatch.context() as patch:
            if crash is not None:
                kill_before(patch, crash)
            with suppress(Killed, RefusedError):
                act()
        self.ledger = after = written(self.berths)
        assert {e.uid for e in before.entries} <= {e.uid for e in after.entries}
        assert {t.gid for t in before.teams} <= {t.gid for t in after.teams}
        ids = {e.uid: e.gid for e in before.entries}
        assert all(ids.get(e.uid, e.gid) == e.gid for e in after.entries)
        old, new = members(before), members(after)
        for gid in new:
            assert may_leave or old.get(gid, set()) <= new[gid]
            assert may_join or new[gid] <= old.get(gid, set())

    @rule(crash=CRASH, login=LOGINS, gecos=GECOS)
    def add(self, crash, login, gecos):
        self.do(crash, lambda: self.berths.ensure(login, None, gecos))

    @rule(crash=CRASH, which=WHICH)
    def remove(self, crash, which):
        login = self.pick(which, archived=False)
        self.do(crash, lambda: self.berths.archive(login), may_leave=True)

    @rule(crash=CRASH, which=WHICH, to=LOGINS)
    def rename(self, crash, which, to):
        login = self.pick(which, archived=False)
        self.do(crash, lambda: self.berths.rename(login, to))

    @rule(crash=CRASH, which=WHICH, login=LOGINS)
    def restore(self, crash, which, login):
        tombstone = self.pick(which, archived=True)
        self.do(crash, lambda: self.berths.restore(tombstone, login))

    @rule(crash=CRASH, name=TEAMS, which=st.sets(WHICH))
    def put_team(self, crash, name, which):
        people = {self.pick(number, archived=False) for number in which or range(6)}
        act = lambda: self.teams.ensure(name, people)  # noqa: E731 - as in the rules above
        self.do(crash, act, may_leave=True, may_join=True)

    @rule(crash=CRASH, name=TEAMS)
    def archive_team(self, crash, name):
        self.do(crash, lambda: self.teams.archive(name), may_leave=True)

    @rule(crash=CRASH)
    def restart(self, crash):
        self.do(crash, self.berths.prepare)

    @rule()
    def work(self):
        """After a restart everybody starts a server; each folder gets its owner's number."""
        self.berths.prepare()
        for entry in written(self.berths).entries:
            if not entry.archived:
                _, teams = self.berths.ensure_folders(entry.login)
                sign(self.data / "users" / entry.login, entry.uid, entry.uid)
                for team in teams:
                    sign(self.data / "teams" / team.login, 0, team.gid)
        self.ledger = written(self.berths)
        for entry in self.ledger.entries:
            if entry.archived and (self.data / "archive" / entry.name).exists():
                sign(self.data / "archive" / entry.name, entry.uid, entry.uid)
        for team in self.ledger.teams:
            if team.archived and (self.data / "archive" / team.name).exists():
                sign(self.data / "archive" / team.name, 0, team.gid)

    @invariant()
    def numbers_and_homes_are_one_persons(self):
        people, teams = self.ledger.entries, self.ledger.teams
        numbers = [e.uid for e in people] + [t.gid for t in teams]
        assert len(set(numbers)) == len(numbers)
        names = [owner.name for owner in (*people, *teams)]
        assert len(set(names)) == len(names)
        places = [e.moving_from or e.place for e in people]
        assert len(set(places)) == len(places)
        assert not {e.login for e in people} & {t.login for t in teams}


def members(ledger):
    """Return who is in each team, by numbers: names may change."""
    uids = {e.login: e.uid for e in ledger.entries if not e.archived}
    return {team.gid: {uids[login] for login in team.members} for team in ledger.teams}


def sign(folder, uid, gid):
    """Leave the owner's number in a folder; find nobody else's in it."""
    found = folder.lstat()
    assert (found.st_uid, found.st_gid) == (uid, gid)
    assert [path.name for path in folder.iterdir()] in ([], [str(uid or gid)])
    (folder / str(uid or gid)).touch()


Lives.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLives = pytest.mark.timeout(300)(Lives.TestCase)


def test_getent_reads_long_lines_and_any_name(tmp_path):
    """500 members in one line, and a name in any script, beyond what one buffer holds."""
    berths = make_berths(tmp_path)
    logins = [f"person-{number:03}-{'x' * 20}" for number in range(500)]
    entry, _, _ = berths.ensure(logins[0], None, "José \N{PILE OF POO}" + "ß" * 120)
    entries = [
        type(entry)(login, 20000 + n, 20000 + n, entry.gecos) for n, login in enumerate(logins)
    ]
    team = Teams(berths).ensure("nlp", [])
    folder = tmp_path / "data/ledger"
    ledger = Ledger(tuple(entries), (type(team)("nlp", 30000, frozenset(logins)),))
    (folder / "passwd").write_text(ledger.passwd)
    (folder / "group").write_text(ledger.group)
    berths.prepare()
    assert getent.getent(folder, "passwd") == ledger.passwd.splitlines()
    assert getent.getent(folder, "group") == ledger.group.splitlines()
    assert getent.getent(folder, "group", "nlp") == [ledger.teams[0].group_line]
    assert getent.getent(folder, "group", "30000") == [ledger.teams[0].group_line]
    assert getent.getent(folder, "passwd", logins[499]) == [entries[499].passwd_line]
