"""What Kaggle is asked, and what its refusals mean. Credentials: the environment's, never kept."""

from __future__ import annotations

import base64
import urllib.error
from collections.abc import Mapping

from .problem import FAILED, REFUSED, Problem

_ENDPOINT = "https://www.kaggle.com"
CREDENTIALS = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY")
"""The variables of Kaggle's own programs: the token, or user name and key together."""


def api_url(shell: Mapping[str, str], path: str) -> str:
    """Return the address of one call; KAGGLE_API_ENDPOINT as in Kaggle's own programs."""
    endpoint = shell.get("KAGGLE_API_ENDPOINT") or _ENDPOINT
    return f"{endpoint.rstrip('/')}/api/v1/{path}"


def auth_headers(shell: Mapping[str, str]) -> dict[str, str]:
    """Return the header that signs in, or nothing where the environment has no credentials."""
    token, user, key = (shell.get(name, "") for name in CREDENTIALS)
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user and key:
        pair = base64.b64encode(f"{user}:{key}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}


def need_credentials(shell: Mapping[str, str], what: str) -> dict[str, str]:
    headers = auth_headers(shell)
    if not headers:
        raise Problem(
            f"Kaggle gives {what} to people who are signed in, and no credentials are set.",
            remedy="Set KAGGLE_USERNAME and KAGGLE_KEY (or KAGGLE_API_TOKEN) in the shell, from "
            "your settings page at Kaggle. They are used once and written nowhere.",
            code=REFUSED,
        )
    return headers


def explain_refusal(error: urllib.error.HTTPError, *, what: str, page: str) -> Problem:
    """Return what an HTTP error of Kaggle means for the person who asked for ``what``."""
    if error.code == 401:
        return Problem(
            "Kaggle does not accept these credentials.",
            remedy="Make a new key on your settings page at Kaggle and set it in the shell.",
            code=REFUSED,
        )
    if error.code == 403:
        return Problem(
            f"Kaggle does not give {what} to this account.",
            why="Mostly because its terms were not accepted yet.",
            remedy=f"Sign in, accept them at {page}, then run the same command again.",
            code=REFUSED,
        )
    if error.code == 404:
        return Problem(
            f"Kaggle has no {what} (any more).",
            remedy=f"Look at {page}, and report it: the name is pinned in this repository.",
            code=FAILED,
        )
    if error.code == 429:
        return Problem(
            "Kaggle allows no more downloads for now.", remedy="Try again in an hour.", code=FAILED
        )
    return Problem(
        f"Kaggle answered {error.code} ({error.reason}) for {what}.",
        remedy="Run the same command again later; it goes on where it stopped.",
        code=FAILED,
    )
