"""The hub's side of the ledger's REST API (berths and teams), over its unix socket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .patience import ask_patiently
from .refusals import ChangeRefusedError
from .settings import LEDGER_SOCKET
from .unix_http import UnreachableError, request_json

LEDGER_WAIT_SECONDS = 20.0
"""How long a ledger that restarts is waited for; its restart takes one or two."""

NOT_ANSWERING = (
    "The part of Tinyberth that keeps people and their files does not answer; please try again "
    "in a minute. For the admin: docker compose logs ledger."
)


class LedgerError(ChangeRefusedError):
    """The ledger refused (a status below 500) or did not answer."""


@dataclass(frozen=True)
class Berth:
    """A person's place on the host, as the ledger has it.

    ``name`` is the person's name as it was given; ``archive`` names the tombstone of someone
    who was removed (``alice~1``).
    """

    name: str
    login: str
    uid: int
    gid: int
    archive: str | None = None


@dataclass(frozen=True)
class Team:
    """A team, as the ledger has it."""

    name: str
    gid: int
    members: tuple[str, ...]
    archive: str | None = None


@dataclass(frozen=True)
class LedgerClient:
    """Ask the ledger. Every method raises LedgerError, and all can be called again."""

    socket: Path = LEDGER_SOCKET

    async def ensure_berth(
        self,
        login: str,
        *,
        uid: int | None = None,
        gid: int | None = None,
        name: str | None = None,
    ) -> Berth:
        """Return the berth of ``login``: ledger entry and home, made if missing.

        ``name`` is kept beside it, as far as a line of passwd(5) can hold it.
        """
        given = {"uid": uid, "gid": gid, "name": passwd_field(name or "") or None}
        body = {key: value for key, value in given.items() if value is not None}
        return _berth(await self._call("PUT", f"/v1/berths/{quote(login, safe='')}", body))

    async def list_berths(self) -> list[Berth]:
        """Return everybody's berth, the removed ones' too, in order of arrival."""
        answer = await self._call("GET", "/v1/berths")
        return [_berth(item) for item in answer["berths"]]

    async def archive_berth(self, login: str) -> Berth | None:
        """Move the home to the archive and leave a tombstone; None if there is no berth."""
        try:
            answer = await self._call("POST", f"/v1/berths/{quote(login, safe='')}/archive", {})
        except LedgerError as error:
            if error.status != 404:
                raise
            return None
        return _berth(answer)

    async def rename_berth(self, login: str, to: str) -> Berth:
        """Give uid, gid and home another login; the name that was given stays."""
        path = f"/v1/berths/{quote(login, safe='')}/rename"
        return _berth(await self._call("POST", path, {"to": to}))

    async def restore_berth(self, archive: str, login: str) -> Berth:
        """Bring a removed person's uid, gid and home back as ``login``."""
        path = f"/v1/berths/{quote(archive, safe='')}/restore"
        return _berth(await self._call("POST", path, {"as": login}))

    async def list_teams(self) -> list[Team]:
        """Return the living teams."""
        answer = await self._call("GET", "/v1/teams")
        return [_team(item) for item in answer["teams"] if not item.get("archive")]

    async def put_team(self, name: str, members: Iterable[str]) -> Team:
        """Set exactly the members of a team, which is made with its folder if missing."""
        body = {"members": sorted(members)}
        return _team(await self._call("PUT", f"/v1/teams/{quote(name, safe='')}", body))

    async def archive_team(self, name: str) -> Team | None:
        """Move a team's folder to the archive; None if there is no such team."""
        try:
            answer = await self._call("POST", f"/v1/teams/{quote(name, safe='')}/archive", {})
        except LedgerError as error:
            if error.status != 404:
                raise
            return None
        return _team(answer)

    async def usage(self) -> dict[str, Any]:
        """Return the sizes of homes in bytes, as last measured."""
        answer: dict[str, Any] = await self._call("GET", "/v1/usage")
        return answer

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        try:
            status, answer = await ask_patiently(
                lambda: request_json(self.socket, method, path, body=body),
                lambda error: isinstance(error, UnreachableError),
                LEDGER_WAIT_SECONDS,
            )
        except UnreachableError as error:
            raise LedgerError(503, f"{NOT_ANSWERING} ({error})") from error
        if status >= 400:
            message = answer.get("message") if isinstance(answer, dict) else None
            raise LedgerError(
                status, message or f"The ledger answered {status} to {method} {path}."
            )
        return answer


def passwd_field(name: str) -> str:
    """Return ``name`` as a field of passwd(5) can hold it: no colon, no control character.

    At most 255 bytes of UTF-8, cut at a whole character.
    """
    clean = "".join(" " if c == ":" or not c.isprintable() else c for c in name)
    return clean.encode("utf-8", "replace")[:255].decode("utf-8", "ignore").strip()


def _berth(answer: dict[str, Any]) -> Berth:
    known = {field: answer[field] for field in ("name", "login", "uid", "gid")}
    return Berth(**known, archive=answer.get("archive"))


def _team(answer: dict[str, Any]) -> Team:
    members = tuple(sorted(answer.get("members", ())))
    return Team(answer["name"], answer["gid"], members, answer.get("archive"))
