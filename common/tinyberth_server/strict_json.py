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
"""Of all kinds, keys too; what docker-py sends has a hundred. Small ones take thirty times their
bytes in memory, and that while the request is in work."""


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in ``raw``.

    Raises
    ------
    RefusedError
        For anything that two readers could understand differently: invalid UTF-8, repeated
        keys (in any case), NaN, fractions, lone surrogates, deep nesting, too many values.
    """
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
    if _count(document, depth=1) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")


def _count(value: Any, depth: int) -> int:
    """Return how many values there are, each checked."""
    if depth > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} levels")
    if isinstance(value, str):
        value.encode("utf-8")  # UnicodeEncodeError, a ValueError, for a lone surrogate
    if not isinstance(value, (list, dict)):
        return 1
    items = value if isinstance(value, list) else (*value, *value.values())
    return 1 + sum(_count(item, depth + 1) for item in items)
