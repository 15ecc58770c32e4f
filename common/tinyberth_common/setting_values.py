"""How the text of a setting becomes its value: pure parsers, for the schema in ``settings.py``.

Each raises ``ValueError`` with what to write instead, or returns such a parser.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEZONE = re.compile(r"\A[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z")
_SIZE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class IdRange:
    """Unix ids from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last

    def overlaps(self, other: IdRange) -> bool:
        return self.first <= other.last and other.first <= self.last


def integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return parse


def cpus(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", text) or float(text) < 0.1:
        raise ValueError("write a number of CPUs, at least 0.1, such as 2 or 0.5")
    return float(text)


def size(minimum: str) -> Callable[[str], int]:
    def in_bytes(text: str) -> int | None:
        match = re.fullmatch(r"([0-9]{1,12})([KMGT]?)", text)
        return int(match[1]) * _SIZE_UNITS[match[2]] if match else None

    least = in_bytes(minimum) or 0

    def parse(text: str) -> int:
        size = in_bytes(text)
        if size is None or size < least:
            raise ValueError(f"write a size of at least {minimum}, such as 512M or 4G")
        return size

    return parse


def yes_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("write yes or no")
    return text == "yes"


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return parse


def id_range(text: str) -> IdRange:
    match = re.fullmatch(r"([1-9][0-9]{3,9})-([1-9][0-9]{3,9})", text)
    # 65534 and 65535 are nobody and (uid_t)-1 of 16-bit interfaces; above 2^31-1 some
    # programs read a negative number.
    if not match or not 1000 <= int(match[1]) < int(match[2]) <= 2**31 - 2:
        raise ValueError("write FIRST-LAST with 1000 or more first, such as 20000-29999")
    return IdRange(int(match[1]), int(match[2]))


def _matching(pattern: str, advice: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(advice)
        return text

    return parse


bridge_name = _matching(
    r"[a-z][a-z0-9-]{0,14}",  # IFNAMSIZ: 15 characters and a NUL
    "write an interface name: 1 to 15 characters a-z, 0-9 and -",
)
image = _matching(
    r"[a-z0-9][a-zA-Z0-9._/:@-]{0,254}", "write an image reference, such as debian:trixie-slim"
)


def line(most: int) -> Callable[[str], str]:
    """One line of printable text, without spaces at its ends."""

    def parse(text: str) -> str:
        if len(text) > most or not text.isprintable() or text != text.strip():
            raise ValueError(f"write 1 to {most} printable characters, no space at the ends")
        return text

    return parse


def _words(pattern: str, example: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of lists with commas; every word must match ``pattern``."""

    def parse(text: str) -> tuple[str, ...]:
        words = [word.strip() for word in text.split(",")]
        if not all(re.fullmatch(pattern, word) and word.isprintable() for word in words):
            raise ValueError(f"write one or more with commas between, such as {example}")
        return tuple(dict.fromkeys(words))

    return parse


_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
domains = _words(rf"{_LABEL}(\.{_LABEL})+", "uni.example,labs.uni.example")
groups = _words(r".{1,255}", "physics,physics-students")
scopes = _words(r"[!#-\[\]-~]+", "openid,profile,email")  # RFC 6749, section 3.3


def is_private_way(url: str) -> bool:
    """Tell whether a secret may go to ``url``: https, or http within this machine."""
    try:
        parts = urlsplit(url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s#@\\]", url)
    except ValueError:
        return False
    return whole and (parts.scheme == "https" or (parts.scheme == "http" and local))


def provider_url(text: str) -> str:
    if not is_private_way(text) or "?" in text:
        raise ValueError("write an address such as https://login.example.org")
    return text


def public_url(text: str) -> str:
    """Return the address behind a TLS proxy, without a slash at its end and the port of https."""
    match = re.fullmatch(
        rf"https://({_LABEL}(?:\.{_LABEL})+)(?::(?P<port>[1-9][0-9]{{0,4}}))?/?", text
    )
    if not match or len(match[1]) > 190 or match[1].rpartition(".")[2].isdigit():
        raise ValueError(
            "write https:// and a name in lower case, such as https://hub.example.org, no path"
        )
    port = int(match["port"] or 443)
    if port > 65535:
        raise ValueError("write a port up to 65535, or none")
    return f"https://{match[1]}" + (f":{port}" if port != 443 else "")


def timezone(text: str) -> str:
    advice = (
        "write a name of the tz database, such as Europe/Berlin (`timedatectl list-timezones`)"
    )
    if not _TIMEZONE.match(text):
        raise ValueError(advice)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # On a machine without the database no name can be told from another; the user image
        # has it.
        if zoneinfo.available_timezones():
            raise ValueError(advice) from None
    return text


def folder(default: str, example: str) -> Callable[[str], str]:
    """Return a parser of folders on the host; only ``default`` may lie in the checkout."""

    def parse(text: str) -> str:
        if text == default:
            return text
        parts = text.split("/")
        if not text.startswith("/") or text.strip("/") == "" or ".." in parts or ":" in text:
            raise ValueError(f"write an absolute path to a folder other than /, such as {example}")
        return text

    return parse


def file_path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("write the absolute path of a file")
    return text
