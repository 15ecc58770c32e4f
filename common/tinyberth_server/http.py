"""The server on a socket: who may ask, how much, for how long, and how it is told.

What one caller can hold is bounded, and so is for how long: connections, bodies, requests in work,
answers that are not fetched. Together it stays well below the service's memory limit
(tests/stack/test_warden_limits.py fills all of it).
"""

import asyncio
import logging
import os
import signal
import socket
import struct
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from . import strict_json
from .calls import Call, Caller, Request, find
from .checks import HUB_GID, HUB_UID
from .errors import RefusedError, shown

MAX_CONNECTIONS = 256
"""Of one uid; one more is closed."""
IDLE_SECONDS = 15
"""For a connection that sends no request, or not all of its headers."""
MAX_BODY = 2**18
"""Bytes; what docker-py sends for a container is about 5,000."""
BODY_SECONDS = 10
MAX_AT_ONCE = 64
"""Requests in work; a stop waits up to a minute in the engine, so there is room for many."""
REQUEST_SECONDS = 150
SEND_SECONDS = 10
"""For the caller to fetch an answer."""

_log = logging.getLogger("server")
NOTE = web.ResponseKey("note", str)
Handler = Callable[[Request], Awaitable[web.Response]]


async def _read_body(request: Request) -> bytes:
    if request.content_length is None or "Transfer-Encoding" in request.headers:
        raise RefusedError("length_required", "Send the body whole, with Content-Length.")
    if request.content_length > MAX_BODY:
        raise RefusedError("too_large", f"The body has more than {MAX_BODY} bytes.")
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise RefusedError("not_json", "Send Content-Type: application/json, not encoded.")
    try:
        return await asyncio.wait_for(request.read(), BODY_SECONDS)
    except (web.RequestPayloadError, TimeoutError):
        raise RefusedError("bad_request", "The body was not sent as announced.") from None


def guarded(calls: Sequence[Call], hub_uid: int = HUB_UID) -> Handler:
    """Return the handler of ``calls``: callers checked, work bounded, failures answered, logged.

    Calls of different callers have slots of their own. The two services ask each other while they
    answer the hub: were the slots shared, the hub's requests could take them all on both sides,
    and each would wait for the other.
    """
    slots = {call.callers: asyncio.Semaphore(MAX_AT_ONCE) for call in calls}

    async def answer(request: Request, uid: int) -> web.Response:
        call, found = find(calls, request, Caller.of(uid, hub_uid))
        # Before it takes a slot: who sends slowly holds nobody up.
        raw = await _read_body(request) if call.body else b""
        async with asyncio.timeout(REQUEST_SECONDS), slots[call.callers]:
            document = [strict_json.parse(raw)] if call.body else []
            made = await call.handler(request, *found, *document)
            return web.json_response(made) if isinstance(made, dict) else made

    async def guard(request: Request) -> web.Response:
        began, uid = time.monotonic(), _peer_uid(request.transport)
        try:
            response = await answer(request, uid)
        except RefusedError as refusal:
            response = _error(refusal)
        except TimeoutError:
            response = _error(RefusedError("timeout", "This took too long: try again."))
        except Exception as error:
            _log.error("%s", _fault(error))
            why = "The service failed on this request: its log names the cause."
            response = _error(RefusedError("internal", why))
        _log_line(request, response, uid, began)
        await _send(request, response)
        return response

    return guard


async def _send(request: Request, response: web.Response) -> None:
    """Send the answer; who does not fetch it loses the connection."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.prepare(request)
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        if request.transport:
            request.transport.abort()


async def serve(handler: Handler, container_socket: Path, gid: int = HUB_GID) -> web.ServerRunner:
    """Listen on ``container_socket``, which only root and the group ``gid`` can connect to."""
    container_socket.unlink(missing_ok=True)  # left by a service that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(container_socket))
    # Mode before group, both before listening. Root stays the owner: the other service and the
    # health check are root without CAP_DAC_OVERRIDE. Who is in a group needs no CAP_CHOWN for it.
    container_socket.chmod(0o660)
    os.chown(container_socket, -1, gid)
    server = _Server(
        handler, auto_decompress=False, access_log=None, keepalive_timeout=IDLE_SECONDS,
        lingering_time=1.0,  # what is left of a refused body is read for so long
    )  # fmt: skip
    runner = web.ServerRunner(server)
    await runner.setup()
    # Of unix(7): a connection beyond the backlog is not waited for but refused, root's too.
    await web.SockSite(runner, listener, backlog=4 * MAX_CONNECTIONS).start()
    return runner


async def until_stopped(runner: web.ServerRunner) -> None:
    """Return at SIGTERM, when what is in work has ended."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await runner.cleanup()


def log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    # It writes a stack trace for every request that is no HTTP; those are answered 400.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


class _Server(web.Server):
    """Keeps each uid to its share of connections."""

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        uids = [_peer_uid(connection.transport) for connection in self.connections]
        if uids.count(_peer_uid(transport)) > MAX_CONNECTIONS:
            transport.abort()


def _log_line(request: Request, response: web.Response, uid: int, began: float) -> None:
    healthy = response.status < 400
    quiet = healthy and request.raw_path == "/v1/health"
    _log.log(
        logging.DEBUG if quiet else logging.INFO if healthy else logging.WARNING,
        "uid %d %s %s %d %d ms%s",
        *(uid, request.method, shown(request.raw_path), response.status),
        *(round((time.monotonic() - began) * 1000), response.get(NOTE, "")),
    )


def _error(refusal: RefusedError) -> web.Response:
    """Answer in our form, which is docker-py's too: it shows ``message``."""
    body = {"error": refusal.code, "message": refusal.message}
    response = web.json_response(body, status=refusal.status)
    response[NOTE] = f" {refusal.code}: {ascii(refusal.message)[:300]}"
    response.force_close()  # what is left of a refused body is not the next request
    return response


def _peer_uid(transport: asyncio.BaseTransport | None) -> int:
    """Return the uid of the process at the other end (unix(7), SO_PEERCRED); -1 if it is gone."""
    peer = transport.get_extra_info("socket") if transport else None
    if peer is None or peer.fileno() < 0:
        return -1
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", credentials)[1]
    return uid


def _fault(error: Exception) -> str:
    """Say in one bounded line what went wrong and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {shown(str(error))}"
