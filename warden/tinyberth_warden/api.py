"""Every path that is served; all others are refused before the engine hears of them."""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .berths_api import BerthsApi
from .docker_api import DockerApi
from .errors import RefusedError, shown
from .http import Handler

_V = r"(?:/v1\.[0-9]{2})?"
_CONTAINER = r"/containers/([a-zA-Z0-9][a-zA-Z0-9_.-]{0,127})"


def router(own: BerthsApi, docker: DockerApi) -> Handler:
    """Return the handler that finds the handler.

    Matched against the path as sent: nothing is decoded or folded, so there is no second
    spelling. A berth's name takes what is left, slashes too, and is checked as a login.
    """
    # Some expect a body; the others are refused one, as older engines' start takes it.
    routes: list[tuple[str, str, Callable[..., Any], bool]] = [
        ("GET", r"/v1/health", own.health, False),
        ("GET", r"/v1/openapi\.json", own.openapi, False),
        ("GET", r"/v1/berths", own.list, False),
        ("PUT", r"/v1/berths/(.*)", own.ensure, True),
        ("POST", r"/v1/berths/(.*)/archive", own.archive, True),
        ("POST", r"/v1/berths/(.*)/rename", own.rename, True),
        ("POST", r"/v1/berths/(.*)/restore", own.restore, True),
        ("GET", r"/v1/teams", own.list_teams, False),
        ("PUT", r"/v1/teams/(.*)", own.ensure_team, True),
        ("POST", r"/v1/teams/(.*)/archive", own.archive_team, True),
        ("GET", r"/v1/usage", own.usage, False),
        ("GET", _V + r"/_ping", docker.ping, False),
        ("GET", _V + r"/version", docker.version, False),
        ("GET", _V + r"/images/([a-zA-Z0-9._/:@-]{1,255})/json", docker.image, False),
        ("POST", _V + r"/containers/create", docker.create, True),
        ("GET", _V + _CONTAINER + r"/json", docker.inspect, False),
        ("GET", _V + _CONTAINER + r"/logs", docker.logs, False),
        ("GET", _V + _CONTAINER + r"/stats", docker.stats, False),
        ("POST", _V + _CONTAINER + r"/start", docker.start, False),
        ("POST", _V + _CONTAINER + r"/stop", docker.stop, False),
        ("DELETE", _V + _CONTAINER, docker.remove, False),
    ]

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        for method, pattern, handler, takes_body in routes:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                if request.body_exists and not takes_body:
                    raise RefusedError("bad_request", "This call takes no body.")
                if path.startswith("/v1/") and query:
                    raise RefusedError("bad_request", "This call takes no query.")
                response: web.StreamResponse = await handler(request, *match.groups())
                return response
        what = f"{request.method} {shown(path)}"
        raise RefusedError("refused", f"{what} is not a call that the warden makes.")

    return handle
