"""Every setting of a deployment: one schema, read by the hub, the warden and the launcher.

``load`` is pure: it takes a mapping and returns a frozen ``Settings`` or raises one
``SettingsError`` that lists every fault. ``.env.example`` and the compose file are compared
with this schema by ``tests/unit/test_settings.py``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import parking_settings as parking
from . import setting_values as parse
from .networks import Network, networks
from .parking_settings import Memory
from .setting_values import IdRange
from .sign_in_settings import PROVIDERS, sign_in_problems


class SettingsError(ValueError):
    """One or more settings are wrong; ``problems`` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Setting:
    """One variable: its name in ``.env``, its default as written there, and its parser."""

    name: str
    default: str
    parse: Callable[[str], Any]
    empty: Any = ""
    """Its value where neither a text nor a default is given."""
    secret: bool = False
    """Its value is in no message, and the hub's container alone gets it."""


SCHEMA: tuple[Setting, ...] = (
    # From 1024 on: the proxy holds no capability, so it cannot bind the ports of root.
    Setting("PORT", "8000", parse.integer(1024, 65535)),
    Setting("ORIGINS", "users", parse.one_of("users", "shared")),
    Setting("PUBLIC_URL", "", parse.public_url),
    Setting("LISTEN", "tcp", parse.one_of("tcp", "unix")),
    Setting("LISTEN_DIR", "./listen", parse.folder("./listen", "/srv/tinyberth-door")),
    Setting("DATA_DIR", "./data", parse.folder("./data", "/srv/tinyberth")),
    Setting("ADMIN", "admin", parse.line(255)),
    Setting("LINK_DAYS", "7", parse.integer(1, 365)),
    Setting("PASSWORD_MIN", "12", parse.integer(8, 64)),
    Setting("USER_UIDS", "20000-29999", parse.id_range),
    Setting("TEAM_GIDS", "30000-39999", parse.id_range),
    Setting("MAP_HOST_USERS", "no", parse.yes_no),
    Setting("AUTH", "local", parse.one_of("local", *PROVIDERS)),
    Setting("AUTH_URL", "", parse.provider_url),
    Setting("AUTH_NAME", "", parse.line(40)),
    Setting("AUTH_CLIENT_ID", "", parse.line(512)),
    Setting("AUTH_CLIENT_SECRET", "", parse.line(4096), secret=True),
    Setting("AUTH_NAME_CLAIM", "", parse.line(255)),
    Setting("AUTH_GROUPS_CLAIM", "", parse.line(255)),
    Setting("AUTH_SCOPES", "", parse.scopes, empty=()),
    Setting("ALLOW_ADDED", "no", parse.yes_no),
    Setting("ALLOW_GROUPS", "", parse.groups, empty=()),
    Setting("ALLOW_DOMAINS", "", parse.domains, empty=()),
    Setting("MEM_LIMIT", "4G", parse.size("512M")),
    Setting("CPU_LIMIT", "2", parse.cpus),
    Setting("PIDS_LIMIT", "1024", parse.integer(64, 65535)),
    Setting("TMP_SIZE", "1G", parse.size("16M")),
    Setting("START_TIMEOUT", "120", parse.integer(10, 3600)),
    Setting("PARK_AFTER", "20", parking.minutes_or_off),
    Setting("PARKED_MEMORY", "25%", parking.memory),
    Setting("PARKED_HOURS", "12", parking.hours),
    Setting("EGRESS", "internet", parse.one_of("internet", "none", "all")),
    Setting("EGRESS_ALLOW", "", networks, empty=()),
    Setting("TIMEZONE", "UTC", parse.timezone),
    Setting("LOG_LEVEL", "INFO", parse.one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    Setting("BRIDGE_NAME", "tb-users", parse.bridge_name),
    Setting("BASE_IMAGE", "", parse.image),
    Setting("HOST_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt", parse.file_path),
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
    public_url: str
    """The address that people open, without a trailing slash."""
    listen: str
    listen_dir: str
    data_dir: str
    admin: str
    link_days: int
    password_min: int
    user_uids: IdRange
    team_gids: IdRange
    map_host_users: bool
    auth: str
    auth_url: str
    auth_name: str
    auth_client_id: str
    auth_client_secret: str = field(repr=False)
    auth_name_claim: str
    auth_groups_claim: str
    auth_scopes: tuple[str, ...]
    allow_added: bool
    allow_groups: tuple[str, ...]
    allow_domains: tuple[str, ...]
    mem_limit: int
    cpu_limit: float
    pids_limit: int
    tmp_size: int
    start_timeout: int
    park_after: int | None
    """Minutes; None where nothing is parked."""
    parked_memory: Memory
    parked_hours: int
    egress: str
    egress_allow: tuple[Network, ...]
    timezone: str
    log_level: str
    bridge_name: str
    base_image: str
    host_ca_bundle: str

    @property
    def is_behind_tls(self) -> bool:
        """Whether a proxy of the admin's stands in front, to which alone browsers speak."""
        return self.public_url.startswith("https:")

    @property
    def sign_in_service(self) -> str:
        """What people call who knows them, such as GitHub; empty with AUTH=local."""
        name = {"github": "GitHub", "gitlab": "GitLab", "google": "Google"}.get(self.auth, "")
        host = urlsplit(self.auth_url).hostname or ""
        return self.auth_name or (f"{name} ({host})" if name and host else name or host)


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
            values[setting.name.lower()] = setting.parse(text) if text else setting.empty
        except ValueError as error:
            shown = "(not shown)" if setting.secret else ascii(text[:80])
            problems.append(f"{setting.name}={shown} is not valid: {error}.")
    ranges: list[Any] = [values.get("user_uids"), values.get("team_gids")]
    if all(isinstance(ids, IdRange) for ids in ranges) and ranges[0].overlaps(ranges[1]):
        problems.append(
            "USER_UIDS and TEAM_GIDS overlap: a user's private group has the user's "
            "number, so give the two ranges no number in common."
        )
    if len(values) == len(SCHEMA):
        problems += sign_in_problems(values, admin_given=bool(variables.get("ADMIN")))
    if problems:
        raise SettingsError(problems)
    host = "hub.localhost" if values["origins"] == "users" else "localhost"
    values["public_url"] = values["public_url"] or f"http://{host}:{values['port']}"
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
