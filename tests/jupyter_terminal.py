"""A terminal of JupyterLab, opened as the page does: REST to start it, a websocket to type."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from deployment import Person
from kernels import server_session


class JupyterTerminal:
    """One terminal at one user's server."""

    def __init__(self, person: Person) -> None:
        self._base = person.server_url
        self._token = person.make_token()
        self.name = asyncio.run(self._open())

    def run(self, typed: str, until: str, seconds: float = 60) -> str:
        """Type a line and return what was shown until ``until``; fail after ``seconds``."""
        return asyncio.run(self._run(typed, until, seconds))

    async def _open(self) -> str:
        async with (
            server_session(self._token) as session,
            session.post(f"{self._base}/api/terminals") as answer,
        ):
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["name"])

    async def _run(self, typed: str, until: str, seconds: float) -> str:
        shown = ""
        url = f"{self._base}/terminals/websocket/{self.name}"
        async with server_session(self._token) as session, session.ws_connect(url) as socket:
            await socket.send_str(json.dumps(["stdin", f"{typed}\r"]))
            try:
                async with asyncio.timeout(seconds):
                    while until not in shown:
                        message = await socket.receive()
                        assert message.type == aiohttp.WSMsgType.TEXT, f"closed after:\n{shown}"
                        kind, *content = json.loads(message.data)
                        shown += content[0] if kind == "stdout" else ""
            except TimeoutError:
                raise AssertionError(f"no {until!r} in:\n{shown}") from None
        return shown
