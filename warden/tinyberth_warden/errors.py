"""The one exception that becomes an answer."""

from __future__ import annotations


class RefusedError(Exception):
    """A request is not carried out.

    ``status`` is the HTTP status, ``code`` a word for programs, ``message`` one sentence for
    a person: what, why, what to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)


def shown(text: str) -> str:
    """Quote ``text`` for a log line or a message: ASCII, escaped, at most 80 characters."""
    return ascii(text if len(text) <= 80 else text[:80] + "…")
