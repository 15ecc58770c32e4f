"""Which Debian mirror this machine uses, from its apt sources: pure, tested by tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_ONE_LINE = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+(.*)$")


@dataclass(frozen=True)
class Source:
    """One suite of one repository that is enabled for binary packages."""

    uri: str
    suite: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class Mirrors:
    """Where Debian's main archive and its security updates come from; empty: not known."""

    main: str = ""
    security: str = ""


def parse_one_line(text: str) -> Iterator[Source]:
    """Yield the sources of a ``.list`` file: ``deb [options] URI SUITE COMPONENT…``."""
    for line in text.splitlines():
        match = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if match:
            yield Source(match[2].rstrip("/"), match[3], tuple(match[4].split()))


def parse_deb822(text: str) -> Iterator[Source]:
    """Yield the sources of a ``.sources`` file: stanzas of ``Field: value``."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", without_comments):
        fields = _fields(stanza)
        if fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                components = tuple(fields.get("components", "").split())
                yield Source(uri.rstrip("/"), suite, components)


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1].isspace():  # a value that goes on in the next line
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def debian_mirrors(sources: list[Source], codename: str) -> Mirrors:
    """Return the mirrors that serve ``codename``, as far as the machine names any.

    Only http and https: a local cdrom: or file: source has no other release to offer.
    """
    main = security = ""
    for source in sources:
        if not source.uri.startswith(("http://", "https://")) or "main" not in source.components:
            continue
        if source.suite == codename:
            main = main or source.uri
        elif source.suite in {f"{codename}-security", f"{codename}/updates"}:
            security = security or source.uri
    return Mirrors(main, security)


def trixie_source(mirrors: Mirrors) -> str:
    """Return the ``.sources`` file that offers Debian 13's packages."""
    return (
        "# Tinyberth: the container engine of Debian 13, see the pin in preferences.d.\n"
        "Types: deb\n"
        f"URIs: {mirrors.main}\n"
        "Suites: trixie trixie-updates\n"
        "Components: main\n"
        f"Signed-By: {DEBIAN_KEYRING}\n"
    )


# 100: below installed packages' and the own release's 500, so that nothing is upgraded to
# Debian 13 unless asked for by name, and above 0, so that what was taken gets its updates.
TRIXIE_PIN = (
    "# Tinyberth: from Debian 13 only what was asked for by name.\n"
    "Package: *\n"
    "Pin: release n=trixie*\n"
    "Pin-Priority: 100\n"
)
