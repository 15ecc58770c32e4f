"""The launcher's decisions about packages: which mirror, which packages, from which suite."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyberth_launcher.apt_sources import (
    Mirrors,
    Source,
    debian_mirrors,
    parse_deb822,
    parse_one_line,
    trixie_source,
)
from tinyberth_launcher.base import mmdebstrap_command
from tinyberth_launcher.packages import Machine, parse_policy, plan_packages, version_tuple

ALL = frozenset({"engine", "compose", "buildx"})

DEB822 = """\
Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs:
 https://security.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main # a remark
deb http://security.example/debian-security/ bookworm-security main
deb cdrom:[Debian]/ bookworm main
"""


def test_deb822_sources_are_read() -> None:
    assert list(parse_deb822(DEB822)) == [
        Source("http://mirror.example/debian", "bookworm", ("main", "contrib")),
        Source("http://mirror.example/debian", "bookworm-updates", ("main", "contrib")),
        Source("https://security.example/debian-security", "bookworm-security", ("main",)),
    ]


def test_one_line_sources_are_read() -> None:
    found = list(parse_one_line(ONE_LINE))
    assert found[0] == Source("http://mirror.example/debian", "bookworm", ("main",))
    assert found[1].uri == "http://security.example/debian-security"


MIRRORS = Mirrors("http://mirror.example/debian", "http://security.example/debian-security")


@pytest.mark.parametrize(
    ("sources", "codename", "expected"),
    [
        (list(parse_one_line(ONE_LINE)), "bookworm", MIRRORS),
        (list(parse_one_line(ONE_LINE)), "trixie", Mirrors()),
        ([], "bookworm", Mirrors()),
        ([Source("cdrom:[Debian]/", "bookworm", ("main",))], "bookworm", Mirrors()),
        ([Source("http://x.example/debian", "bookworm", ("contrib",))], "bookworm", Mirrors()),
        ([Source("http://ubuntu.example/ubuntu", "noble", ("main",))], "trixie", Mirrors()),
    ],
)
def test_the_mirror_is_the_machines_own_or_not_known(
    sources: list[Source], codename: str, expected: Mirrors
) -> None:
    assert debian_mirrors(sources, codename) == expected


@pytest.mark.parametrize(
    ("mirrors", "lines"),
    [
        (
            MIRRORS,
            [
                "deb http://mirror.example/debian trixie main",
                "deb http://mirror.example/debian trixie-updates main",
                "deb http://security.example/debian-security trixie-security main",
            ],
        ),
        (
            Mirrors("http://mirror.example/debian"),
            [
                "deb http://mirror.example/debian trixie main",
                "deb http://mirror.example/debian trixie-updates main",
            ],
        ),
        (Mirrors(), []),
    ],
)
def test_the_base_comes_from_the_machines_mirror_or_from_mmdebstraps_default(
    mirrors: Mirrors, lines: list[str]
) -> None:
    command = mmdebstrap_command(mirrors, Path("/x/base.tar"))
    assert command[command.index("trixie") :] == ["trixie", "/x/base.tar", *lines]


def test_a_base_keeps_no_packages_and_reads_no_descriptions(tmp_path: Path) -> None:
    """By running the hook as mmdebstrap does, on a root of the test's own."""
    command = mmdebstrap_command(MIRRORS, Path("/x/base.tar"))
    (hook,) = (word.partition("=")[2] for word in command if word.startswith("--customize-hook="))
    (tmp_path / "etc/apt/apt.conf.d").mkdir(parents=True)
    subprocess.run(["sh", "-c", hook, "sh", str(tmp_path)], check=True)
    (written,) = (tmp_path / "etc/apt/apt.conf.d").iterdir()
    says = 'APT::Keep-Downloaded-Packages "false"; Acquire::Languages "none";\n'
    assert written.read_text() == says


def test_the_added_suite_uses_the_machines_mirror_and_debians_key() -> None:
    [first, second] = parse_deb822(trixie_source(MIRRORS))
    assert (first.uri, first.suite, second.suite) == (MIRRORS.main, "trixie", "trixie-updates")
    assert "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" in trixie_source(MIRRORS)


def machine(os_id: str, codename: str, missing: frozenset[str] = ALL, **offers: str) -> Machine:
    named = {
        name.replace("_", "-").replace("docker-io", "docker.io"): v for name, v in offers.items()
    }
    return Machine(os_id, codename, named, missing)


BOOKWORM = machine(
    "debian", "bookworm", docker_io="20.10.24+dfsg1-1", docker_compose="1.29.2-3", iptables="1.8.9"
)
TRIXIE = machine(
    "debian",
    "trixie",
    docker_io="26.1.5+dfsg1-9",
    docker_cli="26.1.5+dfsg1-9",
    docker_compose="2.26.1-4",
    docker_buildx="0.13.1",
    iptables="1.8.11",
)
NOBLE = machine(
    "ubuntu",
    "noble",
    docker_io="28.2.2-0ubuntu1~24.04.1",
    docker_compose="1.29.2-6",
    docker_compose_v2="2.37.1+ds1-0ubuntu2~24.04.1",
    docker_buildx="0.21.3",
    iptables="1.8.10",
)


def test_debian_12_takes_the_engine_from_debian_13_by_name() -> None:
    plan = plan_packages(BOOKWORM)
    assert plan.from_trixie
    assert set(plan.packages) == {
        "docker.io/trixie",
        "docker-cli/trixie",
        "docker-compose/trixie",
        "docker-buildx/trixie",
        "iptables",
    }


def test_debian_12_with_empty_package_lists_does_the_same() -> None:
    assert plan_packages(machine("debian", "bookworm")).from_trixie


def test_debian_13_and_ubuntu_take_their_own() -> None:
    assert plan_packages(TRIXIE).packages == (
        *("docker-buildx", "docker-compose", "docker.io", "docker-cli", "iptables"),
    )
    assert plan_packages(NOBLE).packages == (
        *("docker-buildx", "docker-compose-v2", "docker.io", "iptables"),
    )
    assert not plan_packages(TRIXIE).from_trixie


def test_only_what_is_missing_is_installed() -> None:
    only = Machine(NOBLE.os_id, NOBLE.codename, NOBLE.offers, frozenset({"compose"}))
    assert plan_packages(only).packages == ("docker-compose-v2",)
    only = Machine("debian", "bookworm", BOOKWORM.offers, frozenset({"buildx"}))
    assert plan_packages(only).packages == ("docker-buildx/trixie",)


def test_dockers_own_repository_is_used_where_the_machine_has_it() -> None:
    offers = {
        **BOOKWORM.offers,
        "docker-compose-plugin": "2.40.3-1",
        "docker-buildx-plugin": "0.29",
    }
    plan = plan_packages(Machine("debian", "bookworm", offers, frozenset({"compose", "buildx"})))
    assert plan.packages == ("docker-buildx-plugin", "docker-compose-plugin")
    assert not plan.from_trixie


@pytest.mark.parametrize(("os_id", "codename"), [("debian", "bullseye"), ("ubuntu", "focal")])
def test_a_release_that_is_too_old_is_refused_by_name(os_id: str, codename: str) -> None:
    plan = plan_packages(machine(os_id, codename, docker_io="20.10.5"))
    assert not plan.packages
    assert "engine" in plan.why_not


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("26.1.5+dfsg1", (26, 1, 5)),
        ("v2.24.0-desktop.1", (2, 24, 0)),
        ("5:28.0.4-1~debian.12~bookworm", (28, 0, 4)),
        ("", ()),
        ("unknown", ()),
    ],
)
def test_versions_are_compared_by_their_leading_numbers(
    version: str, expected: tuple[int, ...]
) -> None:
    assert version_tuple(version) == expected


def test_apt_cache_policy_is_read() -> None:
    text = (
        "docker.io:\n  Installed: (none)\n  Candidate: 26.1.5\n  Version table:\n"
        "     26.1.5 500\n        500 http://x trixie/main\n"
        "docker-compose-v2:\n  Installed: (none)\n  Candidate: (none)\n"
    )
    assert parse_policy(text) == {"docker.io": "26.1.5"}
