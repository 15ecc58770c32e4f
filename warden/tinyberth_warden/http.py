"""The server on the warden's socket: who may ask, how much, for how long, and how it is told."""

import asyncio
import logging
import os
import socket
import struct
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

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
NOTE = web.ResponseKey("note", str)
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """Return the JSON object in a request's body, read by ``strict_json``."""
    if request.content_length is None or "Transfer-Encoding" in request.headers:
        raise RefusedError("length_required", "Send the body whole, with Content-Length.")
    if request.content_length > MAX_BODY:
        raise RefusedError("too_large", f"The body has more than {MAX_BODY} bytes.")
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise RefusedError("not_json", "Send Content-Type: application/json, not encoded.")
    try:
        return strict_json.parse(await asyncio.wait_for(request.read(), BODY_SECONDS))
    except (web.RequestPayloadError, TimeoutError):
        raise RefusedError("bad_request", "The body was not sent as announced.") from None


def guarded(handler: Handler, hub_uid: int = HUB_UID) -> Handler:
    """Wrap ``handler``: peers checked, work bounded, failures answered, one log line each."""
    at_once = asyncio.Semaphore(MAX_AT_ONCE)

    async def answer(request: web.BaseRequest, uid: int) -> web.StreamResponse:
        try:
            if uid != hub_uid and (uid, request.raw_path) != (0, "/v1/health"):
                return _error(RefusedError("not_the_hub", "Only the hub is served here."))
            async with asyncio.timeout(REQUEST_SECONDS), at_once:
                return await handler(request)
        except RefusedError as refusal:
            return _error(refusal)
        except TimeoutError:
            return _error(RefusedError("timeout", "This took too long: try again."))
        except Exception as error:
            _log.error("%s", _fault(error))
            why = "The warden failed on this request: its log names the cause."
            return _error(RefusedError("internal", why))

    async def guard(request: web.BaseRequest) -> web.StreamResponse:
        began, uid = time.monotonic(), _peer_uid(request)
        response = await answer(request, uid)
        healthy = response.status < 400
        quiet = healthy and request.raw_path == "/v1/health"
        _log.log(
            logging.DEBUG if quiet else logging.INFO if healthy else logging.WARNING,
            "uid %d %s %s %d %d ms%s",
            *(uid, request.method, shown(request.raw_path), response.status),
            *(round((time.monotonic() - began) * 1000), response.get(NOTE, "")),
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
    runner = web.ServerRunner(web.Server(handler, auto_decompress=False, access_log=None))
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _error(refusal: RefusedError) -> web.Response:
    """Answer in our form, which is docker-py's too: it shows ``message``."""
    body = {"error": refusal.code, "message": refusal.message}
    response = web.json_response(body, status=refusal.status)
    response[NOTE] = f" {refusal.code}: {ascii(refusal.message)[:300]}"
    response.force_close()  # what is left of a refused body is not the next request
    return response


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
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {shown(str(error))}"
