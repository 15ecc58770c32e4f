"""The hub's API for people and teams, in memory, on a unix socket: for `tinyberth-hub user …`.

As much of it as its callers can tell from the real one, which the stack ring has.
"""

from __future__ import annotations

import asyncio
import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tinyberth_common.names import NameRefusedError, check_login

TOKEN = "0123456789abcdef"

Person = dict[str, Any]


def make_person(login: str, number: int, **fields: Any) -> Person:
    return {
        "name": login, "login": login, "uid": number, "gid": number, "state": "invited",
        "throttled_until": None, "admin": False, "teams": [], "disk": None, "server": None,
        "last_seen": None, "archive": None, "created": None, **fields,
    }  # fmt: skip


class RefusedError(Exception):
    """The API's answer is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FakeHub:
    """People by login or ``alice~1``; ``asked`` is every request, in order."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.teams: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.before_add: Callable[[str], None] = lambda _: None
        self.has_links = True
        self._next = 20001

    def put(self, login: str, **fields: Any) -> Person:
        person = make_person(login, self._next, **fields)
        self._next += 1
        self.people[person["archive"] or login] = person
        return person

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        quoted = path.removeprefix("/hub/api/tinyberth/").split("/")
        kind, *words = (unquote(word, errors="strict") for word in quoted)
        if kind == "teams":
            return self._teams(method, words, body)
        if method == "GET" and not words:
            people = list(self.people.values())
            return 200, {"people": people, "measured_at": None, "auth": "local"}
        if method == "POST" and not words:
            return 201, self._add(body)
        if words == ["preview"]:
            return 200, {"lines": list(self._preview(body["csv"]))}
        return 200, self._one(method, words[0], words[1:], body)

    def _add(self, body: Any) -> Person:
        self.before_add(body["name"])
        login = self._new(body["name"])
        person = self.put(login, **{key: body[key] for key in body if key != "name"})
        return {**person, "link": self._link(login)}

    def _link(self, login: str, wanted: bool = True) -> str | None:
        return f"http://hub.localhost/hub/welcome#{login}" if self.has_links and wanted else None

    def _new(self, name: str) -> str:
        try:
            login = check_login(name.lower() if name.isascii() else name)
        except NameRefusedError as refusal:
            raise RefusedError(400, str(refusal)) from None
        if login in self.people:
            raise RefusedError(409, f"{login} is there already.")
        return login

    def _login(self, name: str) -> str:
        """Return whose name that is, as the real API does."""
        named = (login for login, person in self.people.items() if person["name"] == name)
        return next(named, name.lower() if name.isascii() else name)

    def _preview(self, text: str) -> Iterator[Any]:
        for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
            name, uid, gid, teams, admin = (row + [""] * 5)[:5]
            if name in {"", "name"}:
                continue
            line = {"line": number, "name": name, "login": None, "uid": int(uid or 0) or None,
                    "gid": int(gid or 0) or None, "teams": teams.split(),
                    "new_teams": [team for team in teams.split() if team not in self.teams],
                    "admin": admin == "yes", "outcome": "new", "why": None}  # fmt: skip
            try:
                line["login"] = self._new(name)
            except RefusedError as refusal:
                line["outcome"] = "exists" if refusal.status == 409 else "refused"
                line["why"] = None if refusal.status == 409 else str(refusal)
            yield line

    def _one(self, method: str, key: str, steps: list[str], body: Any) -> Any:
        key = self._login(key)
        person = self.people.get(key)
        if person is None:
            raise RefusedError(404, f"There is nobody named {key[:40]!a} here.")
        if method == "DELETE":
            del self.people[key]
            archive = f"{key}~1"
            self.people[archive] = {**person, "state": "removed", "archive": archive}
            return {"archive": archive, "home": f"data/archive/{archive}"}
        if method == "PATCH":
            person.update(body)
        if steps == ["link"]:
            wanted = not body["if_invited"] or person["state"] == "invited"
            if wanted and not self.has_links and not body["if_invited"]:
                raise RefusedError(409, "There are no one-time links.")
            return {"name": person["name"], "login": key, "link": self._link(key, wanted)}
        if steps == ["park"]:
            person["server"]["parked_since"] = "2026-01-01T00:00:00+00:00"
        if steps == ["stop"]:
            person["server"] = None
        if steps == ["rename"]:
            del self.people[key]
            person["login"] = person["name"] = self._new(body["to"])
            self.people[body["to"]] = person
        if steps == ["restore"]:
            del self.people[key]
            login = body.get("as") or person["login"]
            person.update(login=login, name=login, archive=None, state="invited")
            self.people[login] = person
            return {**person, "link": self._link(login)}
        return person

    def _teams(self, method: str, words: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"teams": list(self.teams.values())}
        if method == "POST":
            team = {"name": body["name"], "gid": 30001 + len(self.teams), "members": []}
            self.teams[body["name"]] = team
            return 201, team
        if words[0] not in self.teams:
            raise RefusedError(404, f"There is no team {words[0][:40]!a}.")
        del self.teams[words[0]]
        archive = f"{words[0]}~1"
        return 200, {"archive": archive, "home": f"data/archive/{archive}"}


@contextmanager
def served(hub: FakeHub, socket: Path) -> Iterator[None]:
    """Serve ``hub`` on ``socket`` from a thread."""

    async def handle(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"token {TOKEN}":
            return web.json_response({"message": "Forbidden"}, status=403)
        body = await request.json() if request.can_read_body else None
        try:
            status, document = await asyncio.to_thread(
                hub.answer, request.method, request.raw_path, body
            )
        except RefusedError as refusal:
            status, document = refusal.status, {"message": str(refusal)}
        return web.json_response(document, status=status)

    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
