"""A server that is stopped for a while: its container is paused, and goes on with the next start.

To JupyterHub a parked server is a stopped one whose spawner says ``will_resume``, which is
DockerSpawner's own way with containers that it keeps: API token and OAuth client stay, and the
start that finds the container takes its token from there.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime
from typing import Any

from docker.errors import APIError, DockerException
from jupyterhub import orm
from requests.exceptions import RequestException

from .server_probe import wait_until_it_answers
from .sessions import revoke_server_tokens, valid_server_token
from .team_spawner import TeamSpawner

PAUSE_ATTEMPTS, PAUSE_AGAIN_SECONDS = 5, 0.2
"""With control groups 1 the kernel may fail to freeze processes that start others just then."""

RESUME_SECONDS = 10.0
"""How long a resumed server may take to answer; it is then replaced by a new one."""

PARKED = "parked"
"""What ``poll`` says of a parked server: not running, and why."""

_FAULTS = (DockerException, RequestException)


class _CannotGoOnError(Exception):
    """A parked server is to be replaced; the message says why."""


class ParkingSpawner(TeamSpawner):
    """Knows since when its server is parked, pauses it and lets it go on."""

    parked_at: datetime | None = None
    """In UTC; None for a server that runs, or that was stopped."""

    may_go_on = False
    """Whether the start that is under way has not found yet that it must make a new server."""

    api_token: str  # JupyterHub's
    _is_paused = False

    @property
    def will_resume(self) -> bool:
        """Tell JupyterHub, at a stop, to keep the server's token and OAuth client."""
        return self.parked_at is not None

    @property
    def is_parked(self) -> bool:
        return self.parked_at is not None and not self.active

    async def pause(self) -> bool:
        """Pause the container; where that cannot be, say why in the log and return False."""
        for _ in range(PAUSE_ATTEMPTS):
            if await self._is_paused_now():
                self.parked_at = self.parked_at or _now()
                return True
            await asyncio.sleep(PAUSE_AGAIN_SECONDS)
        return False

    async def stop(self, now: bool = False) -> None:
        """End the container and remove it, unless it is the stop of a server just paused."""
        if self.parked_at is None:
            await super().stop(now)

    async def poll(self) -> int | str | None:
        """Return None while the server runs, else why it does not.

        Whoever paused the container, it is a parked server: the hub may have been killed after
        it did, before it wrote that down.
        """
        status: int | str | None = await super().poll()
        if status is not None:
            self.parked_at = None
        elif self._is_paused or (self._resume_was_cut_short and await self.pause()):
            self.parked_at = self.parked_at or _now()
            return PARKED
        return status

    @property
    def _resume_was_cut_short(self) -> bool:
        """Whether an earlier run of the hub died while it let this server go on.

        The container runs, and JupyterHub's OAuth client has a secret that it does not know,
        so that nobody could sign in there. Paused again, it is resumed by the next visit.
        """
        return bool(self._check_pending) and self.parked_at is not None

    async def get_object(self) -> Any:
        found = await super().get_object()
        self._is_paused = bool(found and found["State"].get("Paused"))
        return found

    async def resume(self) -> tuple[str, int] | None:
        """Let a parked server go on where it was; return (ip, port), or None to start anew.

        The warden refuses what a start would not make now: another image, uid, team, limit.

        Raises
        ------
        DockerException, RequestException
            The warden cannot say just now; the server stays parked.
        """
        parked_at, self.parked_at = self.parked_at, None
        if parked_at is None:
            return None
        try:
            async with asyncio.timeout(RESUME_SECONDS):
                address, token = await self._go_on()
        except (_CannotGoOnError, TimeoutError) as error:
            why = str(error) or f"it does not answer within {RESUME_SECONDS:g} s"
            self.log.warning("%s is started anew: %s", self.object_name, why)
            revoke_server_tokens(self.user, keep=self.api_token)
            self.may_go_on = False
            return None
        except _FAULTS:
            self.parked_at = parked_at
            raise
        revoke_server_tokens(self.user, keep=token)
        self.api_token = token
        return address

    async def _go_on(self) -> tuple[tuple[str, int], str]:
        moments = [time.perf_counter()]
        found = await self.get_object()
        moments.append(time.perf_counter())
        if not self._is_paused:
            raise _CannotGoOnError("its container is gone or has ended")
        if (token := valid_server_token(self.user, found["Config"]["Env"])) is None:
            raise _CannotGoOnError("its token was revoked")
        try:
            await self.docker("unpause", self.object_id)
        except APIError as refusal:
            if refusal.is_client_error():
                raise _CannotGoOnError(refusal.explanation or str(refusal)) from None
            raise
        moments.append(time.perf_counter())
        address = self.get_network_ip(found["NetworkSettings"]), self.port
        await wait_until_it_answers(*address, self.server.base_url)
        moments.append(time.perf_counter())
        spans = [round((end - begin) * 1000) for begin, end in itertools.pairwise(moments)]
        self.log.info(
            "%s goes on: found in %d, resumed in %d, answers in %d ms", self.object_name, *spans
        )
        return address, token

    async def end_parked(self) -> None:
        """End a parked server for good, as a stop does: its processes may save what they hold."""
        try:
            await self.stop_object()
        except _FAULTS as error:
            self.log.warning("%s is removed without a stop: %s", self.object_name, error)

    def forget_parked(self) -> None:
        """Leave of a server that was parked what JupyterHub leaves of one that is stopped."""
        self.parked_at = None
        revoke_server_tokens(self.user)
        client = orm.OAuthClient.identifier == self.oauth_client_id
        for row in self.user.db.query(orm.OAuthClient).filter(client):
            self.user.db.delete(row)
        self.orm_spawner.state = self.get_state()
        self.user.db.commit()

    async def _is_paused_now(self) -> bool:
        try:
            await self.docker("pause", self.object_id or self.object_name)
        except _FAULTS as error:
            self.log.warning("%s cannot be paused: %s", self.object_name, error)
            return False
        return True

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.parked_at is not None:
            state["parked_at"] = self.parked_at.isoformat()
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        parked_at = state.get("parked_at")
        self.parked_at = datetime.fromisoformat(parked_at) if parked_at else None
        self.may_go_on = bool(parked_at)


def _now() -> datetime:
    return datetime.now(UTC)
