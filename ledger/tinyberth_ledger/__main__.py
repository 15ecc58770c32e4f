"""Start the ledger: settings, data root, and then the socket."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from tinyberth_common.settings import SettingsError, load
from tinyberth_server.errors import RefusedError
from tinyberth_server.http import guarded, log_to_stderr, serve, until_stopped
from tinyberth_server.peer import Peer

from .berths import Berths
from .berths_api import BerthsApi
from .data_root import DataRoot
from .usage import Usage

CONTAINER_DATA = Path("/data")
CONTAINER_HOST_ETC = Path("/host/etc")
CONTAINER_RUN = Path("/run/tinyberth/ledger")
CONTAINER_WARDEN_SOCKET = Path("/run/tinyberth/warden/warden.sock")
EXIT_SETTINGS = 3

_log = logging.getLogger("ledger")


async def run(berths: Berths) -> None:
    usage, warden = Usage(berths.root), Peer("warden", CONTAINER_WARDEN_SOCKET)
    try:
        socket_path = CONTAINER_RUN / "ledger.sock"
        calls = BerthsApi(berths, usage, warden).calls()
        runner = await serve(guarded(calls), socket_path)
        _log.info("serving %s", socket_path)
        await until_stopped(runner)
    finally:
        await usage.close()
        await warden.close()


def main() -> int:
    root = DataRoot(CONTAINER_DATA, CONTAINER_RUN / "data-owner")
    try:
        settings = load(os.environ)
        berths = Berths(root, CONTAINER_HOST_ETC, settings)
        berths.host_accounts().check_ranges(settings)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)  # one line for each problem
        return EXIT_SETTINGS
    log_to_stderr(settings.log_level)
    try:
        # Before anybody is served: no server starts while a folder is on its way.
        berths.prepare()
    except RefusedError as refusal:  # told by the health check and by every request too
        _log.error("%s", refusal.message)
    asyncio.run(run(berths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
