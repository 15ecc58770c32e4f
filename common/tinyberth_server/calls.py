"""Which calls a service answers, and to whom; every other is refused."""

import enum
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .checks import HUB_UID, ROOT_UID
from .errors import RefusedError, shown

Request = web.BaseRequest
Json = dict[str, Any]


class Caller(enum.Flag):
    """Who is at the other end of the socket."""

    NOBODY = 0
    HUB = enum.auto()
    ROOT = enum.auto()  # the other service of the two, or a health check
    ANY = HUB | ROOT

    @classmethod
    def of(cls, uid: int, hub_uid: int = HUB_UID) -> "Caller":
        root, hub = cls.ROOT if uid == ROOT_UID else cls.NOBODY, cls.NOBODY
        return root | (cls.HUB if uid == hub_uid else hub)


@dataclass(frozen=True)
class Call:
    """One call: ``path`` is a pattern, whose groups ``handler`` gets after the request.

    With ``body``, a JSON object is awaited and is the handler's last argument. Without, a body is
    refused, as older engines' start takes one. A handler returns the answer's JSON, or an answer.
    """

    method: str
    path: str
    callers: Caller
    handler: Callable[..., Awaitable[web.Response | Json]]
    body: bool = False


def find(calls: Sequence[Call], request: Request, caller: Caller) -> tuple[Call, tuple[Any, ...]]:
    """Return the call that ``request`` makes, and what its path says.

    Matched against the path as sent: nothing is decoded or folded, so there is no second
    spelling. A berth's name takes what is left, slashes too, and is checked as a login.
    """
    path, _, query = request.raw_path.partition("?")
    for call in calls:
        match = re.fullmatch(call.path, path)
        if match and call.method == request.method:
            if not caller & call.callers:
                raise RefusedError("wrong_caller", "This call is not served to this uid.")
            if request.body_exists and not call.body:
                raise RefusedError("bad_request", "This call takes no body.")
            if path.startswith("/v1/") and query:
                raise RefusedError("bad_request", "This call takes no query.")
            return call, match.groups()
    raise RefusedError("refused", f"{request.method} {shown(path)} is not a call that is served.")
