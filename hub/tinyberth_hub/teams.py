"""Teams: JupyterHub's groups say who is in which, and the ledger follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from logging import Logger
from typing import Any

from jupyterhub import orm
from sqlalchemy import event
from sqlalchemy.orm import Session

from tinyberth_common.names import NameRefusedError, check_login

from .hub_users import HubUsers
from .ledger_client import Berth, LedgerClient, LedgerError
from .refusals import ChangeRefusedError


def check_team(name: str, berths: Iterable[Berth] = ()) -> str:
    """Return ``name`` if a team may have it; ``berths`` are everybody's, the removed ones' too.

    Raises
    ------
    ChangeRefusedError
    """
    try:
        check_login(name)
    except NameRefusedError as refusal:
        raise ChangeRefusedError(400, str(refusal).replace("login name", "team's name")) from None
    if any(name == berth.login for berth in berths):
        raise ChangeRefusedError(
            409, f"{name} is or was a person, and people and teams share one list of groups: "
            "choose another name for the team."
        )  # fmt: skip
    return name


class TeamLedger:
    """Writes memberships into the ledger."""

    def __init__(self, ledger: LedgerClient, hub: HubUsers, log: Logger) -> None:
        self._ledger, self._hub, self._log = ledger, hub, log
        # One at a time, and who is a member is looked up inside: what is written last is newest.
        self._lock = asyncio.Lock()

    async def write(self, teams: Collection[str]) -> None:
        """Set the members of ``teams`` in the ledger, where the teams are made if missing."""
        async with self._lock:
            for team in sorted(teams):
                await self._put(team)

    async def _put(self, team: str) -> None:
        members = self._hub.members(team)
        try:
            await self._ledger.put_team(team, members)
        except LedgerError as refusal:
            if refusal.status >= 500:
                raise
            # A user of JupyterHub's without a berth keeps nobody else out.
            living = {b.login for b in await self._ledger.list_berths() if not b.archive}
            if members <= living:
                raise
            await self._ledger.put_team(team, members & living)

    async def reconcile(self) -> None:
        """Bring the whole ledger up to JupyterHub's groups; raises LedgerError if unreachable.

        A team that JupyterHub does not know loses its members and nothing else: a database that
        was lost must not move anybody's files.
        """
        written = {team.name: set(team.members) for team in await self._ledger.list_teams()}
        wanted = self._hub.teams()
        for team in sorted(written.keys() | wanted.keys()):
            # None: not written at all, which is not the same as written with nobody.
            if written.get(team) != wanted.get(team, set()):
                await self._try_to_write(team)

    async def _try_to_write(self, team: str) -> None:
        try:
            check_team(team)
            await self.write([team])
        except ChangeRefusedError as refusal:
            if refusal.status >= 500:
                raise
            self._log.warning("The group %a is no team on the host: %s", team, refusal.message)


def watch_memberships(db: Session, notify: Callable[[], None]) -> None:
    """Call ``notify`` after each commit that may have changed who is in which group.

    Groups change by our own operations, and by JupyterHub itself when somebody signs in whose
    provider tells groups.
    """
    changed: list[bool] = []

    @event.listens_for(db, "after_flush")
    def _look(session: Session, _: Any) -> None:
        touched = (*session.new, *session.dirty, *session.deleted)
        if any(isinstance(row, orm.Group) for row in touched):
            changed.append(True)

    @event.listens_for(db, "after_commit")
    def _tell(_: Session) -> None:
        if changed:
            changed.clear()
            notify()
