"""JSON with one reading only.

The engine is written in Go, whose decoder takes ``"hostconfig"`` for ``"HostConfig"`` and the
last of two equal keys. Where two readers could disagree, the document is refused.
"""

import json
from typing import Any, NoReturn

from .errors import RefusedError, shown

MAX_DEPTH = 16
"""Nested arrays and objects; what docker-py sends for a container has four."""
MAX_VALUES = 10_000
"""Of all kinds, keys too; what docker-py sends for a container has a hundred."""
MAX_BRACKETS = 2_000
"""Counted before anything is parsed: small arrays and objects take long, and thirty times their
bytes in memory."""


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in ``raw``.

    Raises
    ------
    RefusedError
        For anything that two readers could understand differently: invalid UTF-8, repeated
        keys (in any case), NaN, fractions, lone surrogates, deep nesting, too many values.
    """
    if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        raise RefusedError("bad_json", f"The body has more than {MAX_BRACKETS} brackets.")
    try:
        document = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        _check(document)
    except (ValueError, RecursionError) as error:
        raise RefusedError("bad_json", f"The body is not strict JSON: {error}.") from None
    if not isinstance(document, dict):
        raise RefusedError("bad_json", "The body must be a JSON object: write {…}.")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise ValueError(f"of {shown(', '.join(key for key, _ in pairs))} one is there twice")
    return dict(pairs)


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{shown(text)} is not a whole number")


def _check(document: Any) -> None:
    waiting, count = [(document, 1)], 1
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels")
        if isinstance(value, str):
            value.encode("utf-8")  # UnicodeEncodeError, a ValueError, for a lone surrogate
        elif isinstance(value, (list, dict)):
            items = value if isinstance(value, list) else (*value, *value.values())
            count += len(items)
            if count > MAX_VALUES:
                raise ValueError(f"more than {MAX_VALUES} values")
            waiting += [(item, depth + 1) for item in items]
