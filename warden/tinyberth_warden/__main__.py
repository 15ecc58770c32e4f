"""Start the warden: settings, data root, engine, and then the socket."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path

from tinyberth_common.settings import SettingsError

from . import host_accounts, settings
from .api import router
from .berths import Berths
from .berths_api import BerthsApi
from .data_root import DataRoot
from .docker_api import DockerApi
from .engine import Engine, own_container_id
from .errors import RefusedError
from .http import guarded, serve
from .policy import Host

EXIT_SETTINGS = 3

_log = logging.getLogger("warden")


async def run(wiring: settings.Wiring) -> None:
    root = DataRoot(settings.CONTAINER_DATA, settings.CONTAINER_RUN / "data-owner")
    berths = Berths(root, settings.CONTAINER_HOST_ETC, wiring.settings)
    try:
        berths.prepare()
    except RefusedError as refusal:  # told by the health check and by every request too
        _log.error("%s", refusal.message)
    engine = Engine(settings.CONTAINER_ENGINE_SOCKET)
    try:
        await engine.version()
        own_id = own_container_id(Path("/proc/self/mountinfo").read_text())
        host_data = await engine.host_path(own_id, settings.CONTAINER_DATA)
        # This container's hard limit is the engine's own, above which it may not set one.
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        host = Host(host_data, os.cpu_count() or 1, open_files)
        docker = DockerApi(engine, berths, host, wiring)
        handler = guarded(router(BerthsApi(engine, berths, docker), docker))
        socket_path = settings.CONTAINER_RUN / "warden.sock"
        runner = await serve(handler, socket_path, owner=settings.HUB_UID)
        _log.info("serving %s for %s; data is %s", socket_path, wiring.deployment, host_data)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()
        await runner.cleanup()
    finally:
        await engine.close()


def main() -> int:
    try:
        wiring = settings.load_wiring(os.environ)
        host_accounts.read(settings.CONTAINER_HOST_ETC).check_ranges(wiring.settings)
    except SettingsError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return EXIT_SETTINGS
    logging.basicConfig(
        level=wiring.settings.log_level, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(run(wiring))
    except RefusedError as refusal:
        _log.error("%s", refusal.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
