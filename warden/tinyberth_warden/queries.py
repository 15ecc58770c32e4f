"""What the query of a call may say; it is passed on, so nothing else is let in."""

import re

from tinyberth_server.calls import Request
from tinyberth_server.errors import RefusedError, shown

# Patterns, spelt as docker-py spells its values.
FLAG, NO = "0|1|False|True|false|true", "0|False|false"
SECONDS = "[1-5]?[0-9]"
TAIL = "[12]?[0-9]"
"""Lines of a log, fewer than 30, so that an answer stays under 500 kB."""


def checked_query(request: Request, **known: str) -> dict[str, str]:
    """Return the query; a parameter that is unknown, repeated or wrong is refused by name."""
    query: dict[str, str] = {}
    for key, text in request.query.items():
        if key in query or key not in known or not re.fullmatch(known[key], text):
            why = f"{shown(key)}={shown(text)} is not allowed in the query of this call."
            raise RefusedError("refused", why)
        query[key] = text
    return query
