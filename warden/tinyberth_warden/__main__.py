"""Start the warden: settings, engine, and then the socket."""

import asyncio
import logging
import os
import resource
import sys
from pathlib import Path

from tinyberth_common.settings import SettingsError
from tinyberth_server.errors import RefusedError
from tinyberth_server.http import guarded, log_to_stderr, serve, until_stopped
from tinyberth_server.peer import Peer

from . import settings
from .docker_api import DockerApi
from .engine import Engine, own_container_id
from .policy import Host

EXIT_SETTINGS = 3

_log = logging.getLogger("warden")


async def run(wiring: settings.Wiring) -> None:
    engine = Engine(settings.CONTAINER_ENGINE_SOCKET)
    ledger = Peer("ledger", settings.CONTAINER_LEDGER_SOCKET)
    try:
        await engine.version()
        own_id = own_container_id(Path("/proc/self/mountinfo").read_text())
        data = await engine.host_path(own_id, settings.CONTAINER_DATA)
        # This container's hard limit is the engine's own, above which it may not set one.
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        host = Host(data, os.cpu_count() or 1, open_files)
        calls = DockerApi(engine, ledger, host, wiring).calls()
        socket_path = settings.CONTAINER_RUN / "warden.sock"
        runner = await serve(guarded(calls), socket_path)
        _log.info("serving %s for %s; data is %s", socket_path, wiring.deployment, data)
        await until_stopped(runner)
    finally:
        await ledger.close()
        await engine.close()


def main() -> int:
    try:
        wiring = settings.load_wiring(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # one line for each problem
        return EXIT_SETTINGS
    log_to_stderr(wiring.settings.log_level)
    try:
        asyncio.run(run(wiring))
    except RefusedError as refusal:
        _log.error("%s", refusal.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
