"""The server on the warden's socket: who may ask, how much, for how long, and how it is told."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Callable

from aiohttp import web

from . import strict_json
from .errors import RefusedError, shown
from .settings import HUB_UID

MAX_BODY = 2**20
"""Bytes; what docker-py sends for a container is about 5,000."""
BODY_SECONDS = 10
REQUEST_SECONDS = 150
MAX_AT_ONCE = 64
"""Requests in work; a stop waits up to a minute in the engine, so there is room for many."""

_log = logging.getLogger("warden")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def error_response(status: int, code: str, message: str) -> web.Response:
    """Answer an error in our form, which is docker-py's too: it shows ``message``."""
    return web.json_response({"error": code, "message": message}, status=status)


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """Return the JSON object in a request's body, read by ``strict_json``."""
    if request.content_length is None or "Transfer-Encoding" in request.headers:
        raise RefusedError(411, "length_required", "Send the body whole, with Content-Length.")
    if request.content_length > MAX_BODY:
        raise RefusedError(413, "too_large", f"The body has more than {MAX_BODY} bytes.")
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise RefusedError(415, "not_json", "Send Content-Type: application/json, not encoded.")
    return strict_json.parse(await asyncio.wait_for(request.read(), BODY_SECONDS))


def guarded(handler: Handler, hub_uid: int = HUB_UID) -> Handler:
    """Wrap ``handler``: peers checked, work bounded, failures answered, one log line each."""
    at_once = asyncio.Semaphore(MAX_AT_ONCE)

    async def answer(request: web.BaseRequest, uid: int) -> web.StreamResponse:
        if uid != hub_uid and not (uid == 0 and request.raw_path == "/v1/health"):
            raise RefusedError(403, "not_the_hub", "Only the hub is served on this socket.")
        async with asyncio.timeout(REQUEST_SECONDS), at_once:
            return await handler(request)

    async def guard(request: web.BaseRequest) -> web.StreamResponse:
        began, uid, note = time.monotonic(), _peer_uid(request), ""
        response: web.StreamResponse
        try:
            response = await answer(request, uid)
        except RefusedError as refusal:
            note = f" {refusal.code}: {refusal.message[:300]}"
            response = error_response(refusal.status, refusal.code, refusal.message)
        except asyncio.TimeoutError:
            note = " timeout"
            response = error_response(504, "timeout", "The request took too long: try again.")
        except (web.HTTPException, web.RequestPayloadError) as error:
            note = f" {type(error).__name__}"
            response = error_response(400, "bad_request", "The body was not sent as announced.")
        except Exception as error:
            note = f" {_fault(error)}"
            message = "The warden failed on this request: its log names the cause."
            response = error_response(500, "internal", message)
        if response.status >= 400:
            response.force_close()  # what is left of a refused body is not the next request
        level = (
            logging.DEBUG if request.raw_path == "/v1/health" and not note
            else logging.WARNING if note else logging.INFO
        )  # fmt: skip
        milliseconds = round((time.monotonic() - began) * 1000)
        line = f"{request.method} {shown(request.raw_path)} {response.status} {milliseconds} ms"
        _log.log(
            level, "%s", (f"uid {uid} {line}{note}").encode("ascii", "backslashreplace").decode()
        )
        return response

    return guard


async def serve(handler: Handler, container_socket: Path, owner: int) -> web.ServerRunner:
    """Listen on ``container_socket``, which only ``owner`` and root's group can connect to."""
    container_socket.unlink(missing_ok=True)  # left by a warden that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(container_socket))
    # Mode before owner, both before listening. Group root: the healthcheck is root without
    # CAP_DAC_OVERRIDE, whom an owner's 0600 would keep out.
    container_socket.chmod(0o660)
    os.chown(container_socket, owner, 0)
    server = web.Server(handler, auto_decompress=False, access_log=None)
    runner = web.ServerRunner(server, handle_signals=False, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _peer_uid(request: web.BaseRequest) -> int:
    """Return the uid of the process at the other end (unix(7), SO_PEERCRED); -1 if it is gone."""
    peer = request.transport.get_extra_info("socket") if request.transport else None
    if peer is None:
        return -1
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", credentials)[1]
    return uid


def _fault(error: Exception) -> str:
    """Say in one bounded line what went wrong and where."""
    trace, where = error.__traceback__, "?"
    while trace:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {where}: {shown(str(error))}"
