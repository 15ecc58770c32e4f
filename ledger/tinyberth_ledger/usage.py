"""How much each home holds on disk, measured in the background by du(1)."""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import datetime, timezone

from .data_root import DataRoot

EVERY_SECONDS = 300
"""The least time between two measurements; a walk over many files costs the disk."""
# The last to be served, of CPU and of disk; in bytes, of one file system, no link followed, and
# the folders in data/users alone; each line ends with NUL.
_DU = [
    *("nice", "-n", "19", "ionice", "-c", "3"),
    *("du", "--null", "--block-size=1", "--one-file-system", "--max-depth=1", "."),
]

_log = logging.getLogger("ledger")


class Usage:
    """Bytes by login of the last measurement, which began when somebody asked."""

    def __init__(self, root: DataRoot) -> None:
        self._root = root
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0
        self.homes: dict[str, int] = {}
        self.measured_at: datetime | None = None

    def ask(self) -> None:
        """Measure, unless that is going on or was just done; return at once."""
        if (self._task is None or self._task.done()) and time.monotonic() >= self._next:
            self._task = asyncio.create_task(self._measure())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _measure(self) -> None:
        try:
            lines = (line.partition(b"\t./") for line in (await self._du()).split(b"\0"))
            self.homes = {name.decode(): int(size) for size, _, name in lines if name}
            self.measured_at = datetime.now(timezone.utc)
        except Exception as error:
            _log.error("The sizes of the homes cannot be measured: %s", error)
        finally:
            self._next = time.monotonic() + EVERY_SECONDS

    async def _du(self) -> bytes:
        with self._root.open("users"):  # of the real data root
            folder, quiet = self._root.path / "users", asyncio.subprocess.DEVNULL
        du = await asyncio.create_subprocess_exec(
            *_DU, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=quiet
        )
        try:
            out, _ = await du.communicate()
        finally:
            if du.returncode is None:
                du.kill()
                await du.wait()
        if du.returncode not in (0, 1):  # 1: a file vanished meanwhile; what it says is true
            raise OSError(f"du ended with {du.returncode}")
        return out
