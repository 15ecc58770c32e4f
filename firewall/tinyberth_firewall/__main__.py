"""Apply the table, keep it, answer who asks; `remove` takes it away for good."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from tinyberth_common.settings import SettingsError

from . import nft
from .guard import Guard, State
from .rules import Policy
from .settings import CONTAINER_RESOLV_CONF, CONTAINER_SOCKET, load_policy

EXIT_SETTINGS = 3
LOOK_SECONDS = 5.0
"""How long a table that somebody removed (`nft flush ruleset`) is missing at most."""

_log = logging.getLogger("firewall")


class _StoppedError(Exception):
    """The engine wants us to end."""


def _stop(_signum: int, _frame: object) -> NoReturn:
    raise _StoppedError


def _listen() -> socket.socket:
    CONTAINER_SOCKET.unlink(missing_ok=True)  # of one that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(CONTAINER_SOCKET))
    # Who can reach the volume may ask; there is nothing to say to us.
    CONTAINER_SOCKET.chmod(0o666)
    listener.listen(64)
    listener.settimeout(LOOK_SECONDS)
    return listener


def _serve(guard: Guard, listener: socket.socket) -> NoReturn:
    """Look at the table when somebody asks, and every few seconds."""
    was_ok = True
    while True:
        connection = None
        with suppress(TimeoutError):
            connection, _ = listener.accept()
        state = guard.ensure()
        if state.ok != was_ok:
            _log.log(logging.INFO if state.ok else logging.ERROR, "%s", state.message)
        was_ok = state.ok
        if connection:
            with connection, suppress(OSError):  # who asked is gone
                connection.settimeout(1)
                connection.sendall(_answer(state, guard.policy))


def _answer(state: State, policy: Policy) -> bytes:
    in_force = {"EGRESS": policy.egress, "EGRESS_ALLOW": ",".join(map(str, policy.allow))}
    return json.dumps({"ok": state.ok, "message": state.message, **in_force}).encode() + b"\n"


def main(arguments: list[str]) -> int:
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        policy = load_policy(os.environ, CONTAINER_RESOLV_CONF.read_text(encoding="utf-8"))
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)  # one line for each problem
        return EXIT_SETTINGS
    if arguments == ["remove"]:
        try:
            nft.remove(policy.table)
        except nft.NftError as error:
            print(f"The table {policy.table} cannot be removed: {error}", file=sys.stderr)
            return 1
        return 0
    guard = Guard(policy)
    signal.signal(signal.SIGTERM, _stop)
    try:
        first = guard.ensure()
        if not first.ok:
            _log.error("%s", first.message)
            return 1
        _log.info("%s EGRESS=%s", first.message, policy.egress)
        _serve(guard, _listen())
    except _StoppedError:
        guard.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
