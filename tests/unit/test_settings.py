"""THREATS B5: every setting's good and bad values, and the places that repeat the names."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from tinyberth_common.parking_settings import Memory
from tinyberth_common.setting_values import IdRange
from tinyberth_common.settings import SCHEMA, Settings, SettingsError, load

DEFAULTS = {setting.name: setting.default for setting in SCHEMA}

GOOD = [
    ("PORT", "1024", 1024),
    ("PORT", "65535", 65535),
    ("ORIGINS", "shared", "shared"),
    *[
        ("PUBLIC_URL", text, value)
        for text, value in (
            ("https://hub.example.org", "https://hub.example.org"),
            ("https://hub.example.org/", "https://hub.example.org"),
            ("https://hub.example.org:443", "https://hub.example.org"),
            ("https://xn--hb-1ia.example.org:8443", "https://xn--hb-1ia.example.org:8443"),
        )
    ],
    ("LISTEN", "unix", "unix"),
    ("LISTEN_DIR", "/srv/door", "/srv/door"),
    ("DATA_DIR", "/srv/tinyberth", "/srv/tinyberth"),
    ("DATA_DIR", "./data", "./data"),
    ("ADMIN", "ada", "ada"),
    ("LINK_DAYS", "365", 365),
    ("PASSWORD_MIN", "64", 64),
    ("USER_UIDS", "50000-59999", IdRange(50000, 59999)),
    ("MAP_HOST_USERS", "yes", True),
    ("MEM_LIMIT", "512M", 512 * 2**20),
    ("MEM_LIMIT", "1T", 2**40),
    ("CPU_LIMIT", "0.5", 0.5),
    ("TMP_SIZE", "16M", 16 * 2**20),
    ("PARK_AFTER", "off", None),
    ("PARK_AFTER", "10080", 10080),
    ("PARKED_MEMORY", "100%", Memory(percent=100)),
    ("PARKED_MEMORY", "8G", Memory(8 * 2**30)),
    ("PARKED_HOURS", "720", 720),
    ("TIMEZONE", "Europe/Berlin", "Europe/Berlin"),
    ("TIMEZONE", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
    ("LOG_LEVEL", "DEBUG", "DEBUG"),
    ("EGRESS", "none", "none"),
    (
        "EGRESS_ALLOW",
        "10.20.30.0/24, 192.168.7.5,FD12::/32",
        tuple(map(ip_network, ("10.20.30.0/24", "192.168.7.5/32", "fd12::/32"))),
    ),
    ("BRIDGE_NAME", "a23456789012345", "a23456789012345"),
    (
        "BASE_IMAGE",
        "reg.example:5000/debian:trixie@sha256:00",
        "reg.example:5000/debian:trixie@sha256:00",
    ),
    ("HOST_CA_BUNDLE", "/etc/pki/ca.pem", "/etc/pki/ca.pem"),
]

BAD = [
    *[
        ("PORT", text)
        for text in ("0", "80", "1023", "-1", "65536", "8000 ", "08000", "1e3", "８０００")
    ],
    *[("ORIGINS", text) for text in ("user", "USERS", "users,shared")],
    *[("LISTEN", text) for text in ("socket", "UNIX", "0.0.0.0", "tcp,unix")],
    *[
        ("PUBLIC_URL", text)
        for text in (
            *("http://hub.example.org", "hub.example.org", "https://", "https://hub"),
            *(
                "https://Hub.example.org",
                "https://hub.example.org/tb",
                "https://hub.example.org?a",
            ),
            *("https://192.0.2.1", "https://[2001:db8::1]", "https://me:pw@hub.example.org"),
            *("https://hub.example.org:0", "https://hub.example.org:65536", "https://a..b"),
            *(
                "https://hub.example.org.",
                "https://hub.example.org\\",
                "https://h\u00fcb.example.org",
            ),
        )
    ],
    *[
        (name, text)
        for name in ("DATA_DIR", "LISTEN_DIR")
        for text in ("/", "//", "data", "../data", "~/x", "/a/../b", "/a:b", ".")
    ],
    *[("ADMIN", text) for text in ("root", "Admin", "a b", "-rf", "a\n")],
    *[("LINK_DAYS", text) for text in ("0", "-7", "366", "7d")],
    *[("PASSWORD_MIN", text) for text in ("0", "-12", "7", "65", "012", "twelve")],
    *[
        ("USER_UIDS", text)
        for text in ("20000", "999-2000", "3000-2000", "0-1", "1000-2147483647")
    ],
    *[("MAP_HOST_USERS", text) for text in ("true", "1", "Yes")],
    *[("MEM_LIMIT", text) for text in ("-4G", "4", "511M", "4GB", "4g", "4 G", "lots")],
    *[("CPU_LIMIT", text) for text in ("0", "-2", "0.05", "two", "1,5", "nan", "inf")],
    *[("PIDS_LIMIT", text) for text in ("-1", "0", "63")],
    *[("START_TIMEOUT", text) for text in ("9", "3601", "-120")],
    *[("PARK_AFTER", text) for text in ("0", "-20", "10081", "no", "OFF", "20m")],
    *[("PARKED_MEMORY", text) for text in ("0%", "101%", "-1%", "25 %", "0", "63M", "off")],
    *[("PARKED_HOURS", text) for text in ("0", "721", "off")],
    *[
        ("TIMEZONE", text)
        for text in ("Berlin", "Europe", "europe/berlin", "../etc/passwd", "/UTC", "UTC+1", "a b")
    ],
    *[("EGRESS", text) for text in ("yes", "Internet", "none,all")],
    *[
        ("EGRESS_ALLOW", text)
        for text in (
            *("10.0.0.5/24", "10.0.0.0/33", "0.0.0.0/0", "::/0", "nas.lab", "10.0.0.0/8;fd00::/8"),
            *("169.254.169.254", "fe80::1%eth0", "224.0.0.0/8", "127.0.0.1", "10.0.0.1:80", ","),
        )
    ],
    *[("BRIDGE_NAME", text) for text in ("a234567890123456", "TB", "tb users", "1tb", "-tb")],
    *[("BASE_IMAGE", text) for text in ("debian trixie", "-x", "$(id)")],
    *[("HOST_CA_BUNDLE", text) for text in ("ca.pem", "/etc/ssl/")],
]


def test_nothing_set_gives_the_defaults() -> None:
    settings = load({})
    assert (settings.port, settings.data_dir, settings.admin) == (8000, "./data", "admin")
    assert settings.public_url == "http://hub.localhost:8000"


def test_an_empty_variable_means_the_default() -> None:
    assert load(dict.fromkeys(DEFAULTS, "")) == load({})


def test_shared_origins_change_the_address() -> None:
    assert load({"ORIGINS": "shared", "PORT": "9000"}).public_url == "http://localhost:9000"


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_good_value_is_parsed(name: str, text: str, value: object) -> None:
    assert getattr(load({name: text}), name.lower()) == value


@pytest.mark.parametrize(("name", "text"), BAD)
def test_b5_a_bad_value_is_one_error_that_names_the_key(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load({name: text})
    [problem] = refusal.value.problems
    assert problem.startswith(f"{name}=")
    assert "\n" not in problem


def test_b5_all_errors_are_reported_at_once() -> None:
    wrong = {"PORT": "-1", "MEM_LIMIT": "-4G", "DATA_DIR": "/", "PROT": "8000"}
    with pytest.raises(SettingsError) as refusal:
        load(wrong)
    named = sorted(
        re.split(r"[=' ]", problem.lstrip("'"))[0] for problem in refusal.value.problems
    )
    assert named == sorted(wrong)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("PROT", "did you mean PORT?"), ("port", "did you mean PORT?"), ("XYZZY", ".env.example")],
)
def test_b5_an_unknown_key_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(hint)):
        load({name: "1"})


@pytest.mark.parametrize("name", ["COMPOSE_PROJECT_NAME", "DOCKER_HOST", "http_proxy", "TZ"])
def test_variables_of_other_programs_pass(name: str) -> None:
    load({name: "1"})


def test_a_share_of_memory_is_of_the_hosts() -> None:
    assert load({}).parked_memory.of(16 * 2**30) == 4 * 2**30
    assert load({"PARKED_MEMORY": "1G"}).parked_memory.of(16 * 2**30) == 2**30


def test_user_and_team_ranges_may_not_overlap() -> None:
    with pytest.raises(SettingsError, match="overlap"):
        load({"USER_UIDS": "20000-30000"})


def test_settings_have_a_field_for_every_variable_and_no_other() -> None:
    assert list(Settings.__dataclass_fields__) == [name.lower() for name in DEFAULTS]


def test_env_example_shows_every_setting_commented_at_its_default(root: Path) -> None:
    text = (root / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert shown == DEFAULTS
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]


def test_compose_passes_every_setting_to_every_service(root: Path) -> None:
    compose = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    settings = compose["x-settings"]
    own = {name: value for name, value in settings.items() if not name.startswith("TINYBERTH_")}
    secret = {setting.name for setting in SCHEMA if setting.secret}
    given = {name: f"${{{name}:-}}" for name in DEFAULTS}
    # The others learn that there is a secret, so that a missing one stops them, too.
    assert own == given | {name: f"${{{name}:+(known to the hub)}}" for name in secret}
    for service in ("ledger", "warden", "firewall", "proxy"):
        assert compose["services"][service]["environment"] == settings
    assert compose["services"]["hub"]["environment"] == settings | {
        name: given[name] for name in secret
    }


@pytest.mark.parametrize("name", ["DATA_DIR", "BRIDGE_NAME", "HOST_CA_BUNDLE"])
def test_composes_own_defaults_are_the_schemas(root: Path, name: str) -> None:
    """Compose reads these itself, for mounts, the bridge and the build secret."""
    text = (root / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(rf"\$\{{{name}:-([^}}]+)\}}", text)) == {DEFAULTS[name]}
