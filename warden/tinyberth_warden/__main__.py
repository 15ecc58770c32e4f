"""Start the warden: settings, data root, engine, and then the socket."""

import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path

from tinyberth_common.settings import SettingsError

from . import settings
from .api import router
from .berths import Berths
from .berths_api import BerthsApi
from .data_root import DataRoot
from .docker_api import DockerApi
from .engine import Engine, own_container_id
from .errors import RefusedError
from .http import guarded, serve
from .policy import Host
from .usage import Usage

EXIT_SETTINGS = 3

_log = logging.getLogger("warden")


async def run(wiring: settings.Wiring, berths: Berths) -> None:
    engine, usage = Engine(settings.CONTAINER_ENGINE_SOCKET), Usage(berths.root)
    try:
        await engine.version()
        own_id = own_container_id(Path("/proc/self/mountinfo").read_text())
        data = await engine.host_path(own_id, settings.CONTAINER_DATA)
        # This container's hard limit is the engine's own, above which it may not set one.
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        docker = DockerApi(engine, berths, Host(data, os.cpu_count() or 1, open_files), wiring)
        handler = guarded(router(BerthsApi(engine, berths, docker, usage), docker))
        socket_path = settings.CONTAINER_RUN / "warden.sock"
        runner = await serve(handler, socket_path, owner=settings.HUB_UID)
        _log.info("serving %s for %s; data is %s", socket_path, wiring.deployment, data)
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
        await runner.cleanup()
    finally:
        await usage.close()
        await engine.close()


def main() -> int:
    root = DataRoot(settings.CONTAINER_DATA, settings.CONTAINER_RUN / "data-owner")
    try:
        wiring = settings.load_wiring(os.environ)
        berths = Berths(root, settings.CONTAINER_HOST_ETC, wiring.settings)
        berths.host_accounts().check_ranges(wiring.settings)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)  # one line for each problem
        return EXIT_SETTINGS
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=wiring.settings.log_level, format=form)
    # It writes a stack trace for every request that is no HTTP; those are answered 400.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    try:
        berths.prepare()
    except RefusedError as refusal:  # told by the health check and by every request too
        _log.error("%s", refusal.message)
    try:
        asyncio.run(run(wiring, berths))
    except RefusedError as refusal:
        _log.error("%s", refusal.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
