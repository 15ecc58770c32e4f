"""The one exception that becomes an answer."""

_STATUS = {
    "bad_request": 400, "bad_json": 400, "bad_name": 400, "bad_id": 400,
    "refused": 403, "wrong_caller": 403, "not_found": 404,
    "taken": 409, "no_berth": 409, "no_free_id": 409, "home_refused": 409, "running": 409,
    "changing": 409, "stale_container": 409, "length_required": 411, "too_large": 413,
    "not_json": 415, "internal": 500, "data_root": 503, "ledger_damaged": 503,
    "engine_down": 503, "ledger_down": 503, "warden_down": 503, "timeout": 504,
}  # fmt: skip


class RefusedError(Exception):
    """A request is not carried out.

    ``code`` is a word for programs and gives the HTTP ``status``; ``message`` is one sentence
    for a person: what, why, what to do.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        self.code, self.message, self.status = code, message, status or _STATUS[code]
        super().__init__(message)


def shown(text: str) -> str:
    """Quote ``text`` for a log line or a message: ASCII, escaped, at most 120 characters."""
    return ascii(text if len(text) <= 120 else text[:120] + "...")
