"""What the terminal's commands ask the hub, over its unix socket, as the service tinyberth-cli."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from .settings import HUB_SOCKET, read_cli_token
from .unix_http import TIMEOUT_SECONDS, UnreachableError, request_json

API = "/hub/api/tinyberth"
PEOPLE = f"{API}/people"
TEAMS = f"{API}/teams"
SURVEY = f"{API}/survey"

STOP_SECONDS = 180.0
"""For requests that wait for the end of a server, which saves what it holds first."""

Person = dict[str, Any]
"""One of the API's people; its fields are also those of `--json`."""


class HubError(Exception):
    """The hub refused or failed; the message is one sentence. ``status`` is HTTP's, if any."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class HubSilentError(HubError):
    """The hub gives no answer, so that there is no use in asking for the next name."""


def ask(method: str, path: str, body: object = None, *, timeout: float = TIMEOUT_SECONDS) -> Any:
    """Return the hub's answer.

    Raises
    ------
    HubError
        With the API's own sentence.
    HubSilentError
        If the hub cannot be reached.
    """
    try:
        status, answer = asyncio.run(
            request_json(
                HUB_SOCKET, method, path, body=body, token=read_cli_token(), timeout=timeout
            )
        )
    except (UnreachableError, FileNotFoundError) as error:
        raise HubSilentError(
            f"The hub does not answer ({error}). Is it up? ./tinyberth status says; "
            "./tinyberth up starts it."
        ) from error
    if status >= 500:
        raise HubError(
            f"{_message(answer) or 'The hub failed.'} (HTTP {status}; ./tinyberth logs hub)",
            status,
        )
    if status >= 400:
        raise HubError(_message(answer) or f"The hub refused this (HTTP {status}).", status)
    return answer


def person_path(name: str, *steps: str) -> str:
    """Return the API's path of a person: by login, by name, or the removed ``alice~1``.

    Raises
    ------
    HubError
        If that would be another path.
    """
    return "/".join([PEOPLE, _quoted(name), *steps])


def team_path(name: str) -> str:
    return f"{TEAMS}/{_quoted(name)}"


def _quoted(name: str) -> str:
    # Quoted or not, these are the folder itself and the one above it to whoever reads a URL.
    if name in {"", ".", ".."}:
        raise HubError(f"{name!r} is nobody's name.")
    return quote(name, safe="", errors="replace")


def _message(answer: Any) -> str | None:
    message = answer.get("message") if isinstance(answer, dict) else None
    return message if isinstance(message, str) else None
