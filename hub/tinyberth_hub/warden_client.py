"""The hub's side of the warden's own REST API (berths), over its unix socket."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .settings import WARDEN_SOCKET
from .unix_http import UnreachableError, request_json

WARDEN_WAIT_SECONDS = 20.0
"""How long a warden that restarts is waited for; its restart takes one or two."""

NOT_ANSWERING = (
    "The part of Tinyberth that prepares files and starts containers does not answer; please "
    "try again in a minute. For the admin: docker compose logs warden."
)


class WardenError(Exception):
    """The warden refused or did not answer; ``message`` is a sentence for a person."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        # JupyterHub shows this attribute of an exception on the spawn page.
        self.jupyterhub_message = message
        super().__init__(message)


@dataclass(frozen=True)
class Berth:
    """A person's place on the host, as the warden's ledger has it."""

    name: str
    login: str
    uid: int
    gid: int


@dataclass(frozen=True)
class WardenClient:
    """Ask the warden for berths. Every method raises WardenError."""

    socket: Path = WARDEN_SOCKET

    async def ensure_berth(
        self, name: str, *, uid: int | None = None, gid: int | None = None
    ) -> Berth:
        """Return the berth of ``name``: ledger entry and home, made if missing. Idempotent."""
        ids = {"uid": uid, "gid": gid}
        body = {key: number for key, number in ids.items() if number is not None}
        return _berth(await self._call("PUT", f"/v1/berths/{quote(name, safe='')}", body))

    async def list_berths(self) -> dict[str, Berth]:
        """Return the berths of living people by the Hub's user name."""
        answer = await self._call("GET", "/v1/berths")
        living = [item for item in answer["berths"] if item["archive"] is None]
        return {item["name"]: _berth(item) for item in living}

    async def archive_berth(self, name: str) -> None:
        """Move the home to the archive and leave a tombstone; nothing to do is success."""
        try:
            await self._call("POST", f"/v1/berths/{quote(name, safe='')}/archive", {})
        except WardenError as error:
            if error.status != 404:
                raise

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        deadline = time.monotonic() + WARDEN_WAIT_SECONDS
        while True:
            try:
                status, answer = await request_json(self.socket, method, path, body=body)
                break
            except UnreachableError as error:
                if time.monotonic() > deadline:
                    raise WardenError(503, f"{NOT_ANSWERING} ({error})") from error
                await asyncio.sleep(0.5)  # every request here can be made twice
        if status >= 400:
            message = answer.get("message") if isinstance(answer, dict) else None
            raise WardenError(
                status, message or f"The warden answered {status} to {method} {path}."
            )
        return answer


def _berth(answer: dict[str, Any]) -> Berth:
    return Berth(answer["name"], answer["login"], answer["uid"], answer["gid"])
