"""All stores of people and teams without a hub: real SQLite files, the real ledger.

A world is opened over a folder; another process that opens the same one sees what a hub that was
killed left there.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jupyterhub import orm
from jupyterhub.roles import create_role, get_default_roles
from jupyterhub.user import UserDict

from tinyberth_common.settings import load
from tinyberth_hub.accounts import AccountStore
from tinyberth_hub.hub_users import HubUsers
from tinyberth_hub.journal import Journal
from tinyberth_hub.ledger_client import Berth, LedgerError, Team, passwd_field
from tinyberth_hub.operations import Stores
from tinyberth_hub.people import People
from tinyberth_hub.teams import TeamLedger, watch_memberships
from tinyberth_hub.throttle import Throttle
from tinyberth_ledger.berths import Berths
from tinyberth_ledger.data_root import MARKER, DataRoot
from tinyberth_ledger.teams import Teams
from tinyberth_server.errors import RefusedError


class LocalLedger:
    """The ledger's own code, called directly; ``away`` makes it unreachable."""

    def __init__(self, folder: Path) -> None:
        root = DataRoot(folder / "data", folder / "ledger-journal")
        self.berths = Berths(root, folder / "etc", load({}))
        self.berths.prepare()
        self.teams = Teams(self.berths)
        self.away = False

    async def ensure_berth(self, login, *, uid=None, gid=None, name=None):
        ids = None if uid is None else (uid, gid)
        field = passwd_field(name or "") or None  # as the real client does
        return _berth(self._call(self.berths.ensure, login, ids, field)[0])

    async def list_berths(self):
        return [_berth(entry) for entry in self._call(self.berths.ledger).entries]

    async def archive_berth(self, login):
        return _berth(self._call(self.berths.archive, login))

    async def rename_berth(self, login, to):
        return _berth(self._call(self.berths.rename, login, to))

    async def restore_berth(self, archive, login):
        return _berth(self._call(self.berths.restore, archive, login))

    async def list_teams(self):
        teams = self._call(self.berths.ledger).teams
        return [_team(team) for team in teams if not team.archived]

    async def put_team(self, name, members):
        return _team(self._call(self.teams.ensure, name, list(members)))

    async def archive_team(self, name):
        return _team(self._call(self.teams.archive, name))

    async def usage(self):
        return {"homes": {"alice": 4096}, "measured_at": "2026-01-01T00:00:00+00:00"}

    def _call(self, function, *arguments):
        if self.away:
            raise LedgerError(503, "The ledger is away.")
        try:
            return function(*arguments)
        except RefusedError as refusal:
            raise LedgerError(refusal.status, refusal.message) from None


class NoWarden:
    """Knows no container."""

    async def memory(self, _container, _timeout):
        return None


def _berth(entry: Any) -> Berth:
    archive = entry.name if entry.archived else None
    return Berth(entry.gecos, entry.login, entry.uid, entry.gid, archive)


def _team(team: Any) -> Team:
    archive = team.name if team.archived else None
    return Team(team.login, team.gid, tuple(sorted(team.members)), archive)


class QuietSpawner:
    """Runs nothing; what ``HubUsers`` asks of a spawner."""

    pending = None
    _spawn_future = None
    _check_pending = False
    parked_at = None

    def __init__(self, *, user, orm_spawner, **_):
        self.user, self.orm_spawner, self.active, self.discarded = user, orm_spawner, False, 0
        self.object_name = f"test-user-{user.name}"
        self.mem_limit = 2**30
        self.teams_to_join, self.teams_to_leave = ["nlp"], []

    def load_state(self, _state):
        pass

    async def discard(self):
        self.discarded += 1


class World:
    """A hub's stores over ``folder``, as at the start of a hub."""

    def __init__(self, folder: Path, first_admin: tuple[str, str] | None = None) -> None:
        self.folder = folder
        if not (folder / "etc").exists():
            _make(folder)
        self.db = orm.new_session_factory(f"sqlite:///{folder / 'jupyterhub.sqlite'}")()
        if not self.db.query(orm.OAuthClient).count():
            for role in get_default_roles():
                create_role(self.db, role)
            self.db.add(orm.OAuthClient(identifier="jupyterhub"))
            self.db.commit()
        self.ledger = LocalLedger(folder)
        self.accounts = AccountStore(folder / "accounts.sqlite")
        self.journal = Journal(folder / "accounts.sqlite")
        authenticator = SimpleNamespace(delete_user=lambda _user: None)
        settings = {"authenticator": authenticator, "spawner_class": QuietSpawner}
        users = UserDict(lambda: self.db, settings)
        self.app = SimpleNamespace(db=self.db, users=users, authenticator=authenticator)
        self.hub = HubUsers(self.app)
        log = logging.getLogger("world")
        teams = TeamLedger(self.ledger, self.hub, log)
        self.throttle = Throttle(folder / "accounts.sqlite", "ab" * 32, self.accounts.all)
        stores = Stores(self.ledger, NoWarden(), self.hub, self.accounts, teams, self.throttle)
        self.people = People(stores, self.journal, log, first_admin)
        watch_memberships(self.db, self.people.settle_soon)

    async def settle(self) -> None:
        """Do what the start of a hub does; ends when there is nothing left to do now."""
        self.app._start_future = asyncio.get_running_loop().create_future()
        self.app._start_future.set_result(None)
        self.task = asyncio.ensure_future(self.people.run(self.hub.serving()))
        await self.people.settled()

    async def change(self, operation: Any) -> Any:
        return await self.people.change(operation, by="root")

    def home(self, login: str) -> Path:
        return self.folder / "data/users" / login

    def state(self) -> dict[str, Any]:
        """Return what all stores say, as JSON can hold it."""
        ledger = self.ledger.berths.ledger()
        self.db.expire_all()
        return {
            "journal": [record.kind for record in self.journal.unfinished()],
            "users": sorted(row.name for row in self.hub.rows()),
            "admins": sorted(self.hub.admins()),
            "groups": {team: sorted(who) for team, who in self.hub.teams().items()},
            "accounts": {a.name: a.account_id for a in self.accounts.all().values()},
            "names": {a.name: a.given_name for a in self.accounts.all().values()},
            "berths": {e.login: e.uid for e in ledger.entries if not e.archived},
            "gecos": {e.name: e.gecos for e in ledger.entries},
            "tombstones": {e.name: e.uid for e in ledger.entries if e.archived},
            "teams": {t.login: sorted(t.members) for t in ledger.teams if not t.archived},
            "old_teams": {t.name: t.gid for t in ledger.teams if t.archived},
            "files": {
                f"{parent}/{place.name}": [place.lstat().st_uid, place.lstat().st_ino,
                                           sorted(f.name for f in place.iterdir())]
                for parent in ("users", "archive", "teams")
                for place in (self.folder / "data" / parent).iterdir() if place.is_dir()
            },
        }  # fmt: skip


def _make(folder: Path) -> None:
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (folder / "data").mkdir()
    (folder / "data" / MARKER).touch()
