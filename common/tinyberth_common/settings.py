"""Every setting of a deployment: one schema, read by the hub, the warden and the launcher.

``load`` is pure: it takes a mapping and returns a frozen ``Settings`` or raises one
``SettingsError`` that lists every fault. ``.env.example`` and the compose file are compared
with this schema by ``tests/unit/test_settings.py``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .names import NameRefusedError, check_login

_SIZE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_BRIDGE_NAME = re.compile(r"\A[a-z][a-z0-9-]{0,14}\Z")  # IFNAMSIZ: 15 characters and a NUL
_IMAGE = re.compile(r"\A[a-z0-9][a-zA-Z0-9._/:@-]{0,254}\Z")


class SettingsError(ValueError):
    """One or more settings are wrong; ``problems`` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class IdRange:
    """Unix ids from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last

    def overlaps(self, other: IdRange) -> bool:
        return self.first <= other.last and other.first <= self.last


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return parse


def _cpus(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", text) or float(text) < 0.1:
        raise ValueError("write a number of CPUs, at least 0.1, such as 2 or 0.5")
    return float(text)


def _size(minimum: str) -> Callable[[str], int]:
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


def _yes_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("write yes or no")
    return text == "yes"


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return parse


def _id_range(text: str) -> IdRange:
    match = re.fullmatch(r"([1-9][0-9]{3,9})-([1-9][0-9]{3,9})", text)
    # 65534 and 65535 are nobody and (uid_t)-1 of 16-bit interfaces; above 2^31-1 some
    # programs read a negative number.
    if not match or not 1000 <= int(match[1]) < int(match[2]) <= 2**31 - 2:
        raise ValueError("write FIRST-LAST with 1000 or more first, such as 20000-29999")
    return IdRange(int(match[1]), int(match[2]))


def _matching(pattern: re.Pattern[str], advice: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(advice)
        return text

    return parse


def _login(text: str) -> str:
    try:
        return check_login(text)
    except NameRefusedError as refusal:
        raise ValueError(str(refusal)) from None


def _data_dir(text: str) -> str:
    if text == "./data":
        return text
    parts = text.split("/")
    if not text.startswith("/") or text.strip("/") == "" or ".." in parts or ":" in text:
        raise ValueError("write an absolute path to a folder other than /, such as /srv/tinyberth")
    return text


def _file_path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("write the absolute path of a file")
    return text


@dataclass(frozen=True)
class Setting:
    """One variable: its name in ``.env``, its default as written there, and its parser."""

    name: str
    default: str
    parse: Callable[[str], Any]


SCHEMA: tuple[Setting, ...] = (
    # From 1024 on: the proxy holds no capability, so it cannot bind the ports of root.
    Setting("PORT", "8000", _integer(1024, 65535)),
    Setting("ORIGINS", "users", _one_of("users", "shared")),
    Setting("DATA_DIR", "./data", _data_dir),
    Setting("ADMIN", "admin", _login),
    Setting("LINK_DAYS", "7", _integer(1, 365)),
    Setting("USER_UIDS", "20000-29999", _id_range),
    Setting("TEAM_GIDS", "30000-39999", _id_range),
    Setting("MAP_HOST_USERS", "no", _yes_no),
    Setting("MEM_LIMIT", "4G", _size("512M")),
    Setting("CPU_LIMIT", "2", _cpus),
    Setting("PIDS_LIMIT", "1024", _integer(64, 65535)),
    Setting("TMP_SIZE", "1G", _size("16M")),
    Setting("START_TIMEOUT", "120", _integer(10, 3600)),
    Setting("LOG_LEVEL", "INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    Setting(
        "BRIDGE_NAME",
        "tb-users",
        _matching(_BRIDGE_NAME, "write an interface name: 1 to 15 characters a-z, 0-9 and -"),
    ),
    Setting(
        "BASE_IMAGE", "", _matching(_IMAGE, "write an image reference, such as debian:trixie-slim")
    ),
    Setting("HOST_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt", _file_path),
)

# Variables that are in a container or a `.env` file for a reason of their own.
_NOT_OURS = re.compile(
    r"\A(COMPOSE_\w+|DOCKER_\w+|BUILDKIT_\w+|TINYBERTH_\w+|PYTHON\w*|LC_\w+|SSL_CERT_\w+"
    r"|(?i:https?_proxy|no_proxy|all_proxy|ftp_proxy)"
    r"|PATH|HOME|HOSTNAME|LANG|TERM|TZ|PWD|OLDPWD|SHLVL|_|USER|LOGNAME|container)\Z"
)


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment, parsed. Sizes are in bytes, times in the named unit."""

    port: int
    origins: str
    data_dir: str
    admin: str
    link_days: int
    user_uids: IdRange
    team_gids: IdRange
    map_host_users: bool
    mem_limit: int
    cpu_limit: float
    pids_limit: int
    tmp_size: int
    start_timeout: int
    log_level: str
    bridge_name: str
    base_image: str
    host_ca_bundle: str

    @property
    def public_url(self) -> str:
        """The address that people open, without a trailing slash."""
        host = "hub.localhost" if self.origins == "users" else "localhost"
        return f"http://{host}:{self.port}"


def load(variables: Mapping[str, str]) -> Settings:
    """Parse ``variables``; an absent or empty one takes its default.

    Raises
    ------
    SettingsError
        Naming every variable that is unknown or wrong, and what to write.
    """
    problems = _unknown(variables)
    values: dict[str, Any] = {}
    for setting in SCHEMA:
        text = variables.get(setting.name, "") or setting.default
        try:
            values[setting.name.lower()] = setting.parse(text) if text else ""
        except ValueError as error:
            problems.append(f"{setting.name}={text[:80]!a} is not valid: {error}.")
    ranges: list[Any] = [values.get("user_uids"), values.get("team_gids")]
    if all(isinstance(ids, IdRange) for ids in ranges) and ranges[0].overlaps(ranges[1]):
        problems.append(
            "USER_UIDS and TEAM_GIDS overlap: a user's private group has the user's "
            "number, so give the two ranges no number in common."
        )
    if problems:
        raise SettingsError(problems)
    return Settings(**values)


def _unknown(variables: Mapping[str, str]) -> list[str]:
    names = [setting.name for setting in SCHEMA]
    problems = []
    for name in sorted(variables):
        if name in names or _NOT_OURS.match(name):
            continue
        close = difflib.get_close_matches(name.upper().lstrip("\ufeff"), names, n=1)
        hint = f"did you mean {close[0]}?" if close else "see .env.example for the settings."
        problems.append(f"{name[:80]!a} is not a setting of Tinyberth: {hint}")
    return problems
