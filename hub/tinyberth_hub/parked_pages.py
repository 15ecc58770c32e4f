"""JupyterHub's own addresses that lead to a person's server: a parked one goes on at once.

Stock, a reload of a page of a stopped server offers a button, and a start shows its steps. Whoever
comes back to a parked server is sent to it directly: it takes less time than either page.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.handlers.base import BaseHandler, UserUrlHandler
from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.user import User
from tornado import web
from tornado.web import RequestHandler

PATIENCE_SECONDS = 5.0
"""How long a page waits for a server that goes on; after that, the steps are shown."""

_LOOK_SECONDS = 0.02


class _ResumingHandler(BaseHandler):
    """Lets the own parked server go on before the stock handler looks at it."""

    _is_resuming = False

    @property
    def slow_spawn_timeout(self) -> float:
        return PATIENCE_SECONDS if self._is_resuming else float(super().slow_spawn_timeout)

    async def resume_own_server(self, user_name: str | None) -> None:
        """Return when the server of who asks goes on, if it is parked and ``user_name``'s."""
        user = self.current_user
        if not isinstance(user, User) or user_name not in {None, user.name}:
            return
        if not self.has_scope(f"servers!server={user.name}/"):
            return
        await _parked_to_the_end(user)
        if not user.spawner.is_parked:
            return
        self._is_resuming, spawner = True, user.spawner
        start = asyncio.ensure_future(self.spawn_single_user(user))
        # One that is replaced takes longer: its steps are shown at once.
        while not start.done() and spawner.may_go_on:
            await asyncio.wait([start], timeout=_LOOK_SECONDS)
        if start.done() and (error := start.exception()):
            self.log.error("The parked server of %s does not go on: %s", user.name, error)


class ResumingSpawnHandler(_ResumingHandler, SpawnHandler):
    @web.authenticated
    async def get(self, user_name: str | None = None, server_name: str = "") -> None:
        await self.resume_own_server(user_name)
        await super().get(user_name, server_name)


class ResumingUserUrlHandler(_ResumingHandler, UserUrlHandler):
    """``/user/NAME/…`` while no server of NAME's runs."""

    @web.authenticated
    async def get(self, user_name: str, user_path: str | None = None) -> None:
        if self._is_shown_as_page():
            await self.resume_own_server(user_name)
        await super().get(user_name, user_path)

    def _is_shown_as_page(self) -> bool:
        """Tell a visit from what an open page asks for by itself, which wakes nobody up."""
        mode = self.request.headers.get("Sec-Fetch-Mode")
        accepted: str = self.request.headers.get("Accept", "")
        return mode == "navigate" or (mode is None and "text/html" in accepted)


async def _parked_to_the_end(user: Any) -> None:
    """Wait for a moment if the server is just being parked."""
    now = asyncio.get_running_loop().time
    deadline = now() + PATIENCE_SECONDS
    while user.spawner.pending == "stop" and now() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)


parked_handlers: list[tuple[str, type[RequestHandler]]] = [
    ("/spawn", ResumingSpawnHandler),
    ("/spawn/([^/]+)", ResumingSpawnHandler),
    ("/user/(?P<user_name>[^/]+)(?P<user_path>/.*)?", ResumingUserUrlHandler),
]
