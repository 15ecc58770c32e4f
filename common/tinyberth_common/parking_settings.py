"""How the settings of parking become values: pure parsers, for the schema in ``settings.py``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .setting_values import integer, size

_minutes = integer(1, 7 * 24 * 60)
_bytes = size("64M")

hours = integer(1, 30 * 24)


@dataclass(frozen=True)
class Memory:
    """A number of bytes, or a share of the host's memory in percent."""

    bytes: int = 0
    percent: int = 0

    def of(self, host_bytes: int) -> int:
        """Return the bytes that this is on a host with ``host_bytes`` of memory."""
        return self.bytes + host_bytes * self.percent // 100


def minutes_or_off(text: str) -> int | None:
    try:
        return None if text == "off" else _minutes(text)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def memory(text: str) -> Memory:
    if match := re.fullmatch(r"([1-9][0-9]?|100)%", text):
        return Memory(percent=int(match[1]))
    try:
        return Memory(_bytes(text))
    except ValueError:
        raise ValueError(
            "write a share of the host's memory, such as 25%, or a size of at least 64M"
        ) from None
