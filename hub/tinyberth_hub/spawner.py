"""Start a person's server: DockerSpawner, told who the person is and asked to be clear.

Identity and files are the ledger's, which makes the home before Docker sees it. The container's
limits are the warden's: it adds the mounts and takes everything away that a user's container must
not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException
from traitlets import Unicode, default

from .docker_threads import ThreadedSpawner
from .firewall import require_firewall
from .ledger_client import Berth
from .parking_spawner import ParkingSpawner
from .patience import ask_patiently
from .server_probe import wait_until_it_answers
from .spawn_refusals import SpawnRefusedError, refusals_told
from .spawn_steps import ProgressEvent, SpawnSteps
from .warden_client import WARDEN_WAIT_SECONDS

LAST_LOG_LINES = 20
"""Of a server that died at its start: kept in the hub's log, the last one on the page."""


class BerthSpawner(ThreadedSpawner, ParkingSpawner):
    """One container per person, named after the login and run with the berth's uid and gid."""

    deployment = Unicode(help="Name of the deployment; prefix of the containers' names.").tag(
        config=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._steps = SpawnSteps()

    @default("object_name")
    def _object_name_default(self) -> str:
        return f"{self.deployment}-user-{self.user.name}"

    async def docker(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call the engine through the warden; a warden that restarts is a delay, not an error.

        Without this, a stop that falls into that moment would leave the container running and
        the hub believing that it stopped.
        """
        ask = super().docker
        return await ask_patiently(
            lambda: ask(method, *args, **kwargs), _is_warden_away, WARDEN_WAIT_SECONDS
        )

    async def remove_object(self) -> None:
        """Remove the container, running or not: one that a crash left must not block a start."""
        try:
            await self.docker(
                "remove_container", self.object_id or self.object_name, v=True, force=True
            )
        except APIError as error:
            if error.status_code not in {404, 409}:  # gone, or on its way
                raise

    async def discard(self) -> None:
        """Leave no container of this person, whatever we know of it."""
        self._stop_pending = True  # so that no start meets half of it
        try:
            if self.parked_at:
                await self.end_parked()
            self.object_id = ""
            await self.remove_object()
            if self.parked_at:
                self.forget_parked()
        finally:
            self._stop_pending = False

    async def progress(self) -> AsyncIterator[ProgressEvent]:
        async for event in self._steps.follow():
            yield event

    async def get_command(self) -> None:
        """Run what the image runs: the warden accepts no other command."""

    async def start(self) -> tuple[str, int]:
        """Start the server, or let a parked one go on; return (ip, port) when it answers."""
        self._steps = SpawnSteps()
        self.note_teams()
        with refusals_told(self.image, self.log):
            before_start = self.authenticator.people.before_start(self.user.name)
            await asyncio.gather(before_start, require_firewall())
            if self.will_resume:
                await self._steps.say(50, "Your parked server goes on")
                if address := await self.resume():
                    return address
        berth = await self.authenticator.ledger.ensure_berth(self.user.name)
        await self._steps.say(10, f"Preparing your files (uid {berth.uid})")
        self.extra_create_kwargs = container_identity(berth)
        await self._steps.say(30, "Starting your container")
        with refusals_told(self.image, self.log):
            ip, port = await super().start()
        await self._steps.say(60, "Starting Jupyter")
        await wait_until_it_answers(ip, port, self.server.base_url, self._check_it_lives)
        return ip, port

    async def poll(self) -> int | str | None:
        """Return None while the server runs, else why it does not.

        A warden that is down says nothing about the servers: they run on without it, so they
        count as running until it is back. Without this, a hub that starts at the same time
        would take them for stopped.
        """
        try:
            status: int | str | None = await super().poll()
        except (RequestException, DockerException) as error:
            if isinstance(error, APIError) and error.is_client_error():
                raise
            self.log.warning(
                "Cannot ask the warden about %s, so it counts as running: %s",
                self.object_name,
                error,
            )
            return None
        return status

    async def _check_it_lives(self) -> None:
        """Raise SpawnRefusedError if the container has stopped; its last lines are in our log."""
        if (stopped := await self.poll()) is not None:
            last_words = await self._last_words(stopped)
            # JupyterHub stops only what runs; this would stay until the next start.
            await self.remove_object()
            self.object_id = ""
            raise SpawnRefusedError(last_words)

    async def _last_words(self, stopped: int | str) -> str:
        log = await self.docker(
            "logs", self.container_id, stdout=True, stderr=True, tail=LAST_LOG_LINES
        )
        lines = log.decode("utf-8", "replace").strip().splitlines()
        self.log.error(
            "%s stopped at its start (%s). Its last lines:\n%s",
            self.object_name,
            stopped,
            "\n".join(lines) or "(it printed nothing)",
        )
        last = lines[-1][:300] if lines else "It printed nothing."
        return f"Your server stopped while it was starting. Its last line: {last}"


def container_identity(berth: Berth) -> dict[str, Any]:
    """Return what ``docker create`` must be told about the person.

    Always uid and gid: with ``--user UID`` alone the container runs in group 0.
    """
    return {
        "user": f"{berth.uid}:{berth.gid}",
        "labels": {"tinyberth.login": berth.login},
    }


def _is_warden_away(error: Exception) -> bool:
    return isinstance(error, RequestException | DockerException) and not isinstance(
        error, APIError
    )
