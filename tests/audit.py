"""Known faults of what the locks name: pip-audit and npm audit, for every lock in the repository.

A fault with a fix fails, unless tests/audit-ignore.toml says why it may stay and until when. Where
the services cannot be reached there is one line that begins with "not audited:" and no failure:
a machine without the internet must be able to run the tests.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
IGNORED = ROOT / "tests/audit-ignore.toml"
NPM = "/opt/npm/bin/npm-cli.js"  # tests/Dockerfile
CA_BUNDLE = Path("/run/secrets/ca")  # the host's; launcher/tinyberth_launcher/testing.py
NOT_AUDITED = "not audited: "
_SECONDS = 120
"""For one lock; the largest has 190 packages, and pip-audit asks for each."""


@dataclass(frozen=True)
class Finding:
    """A known fault of one package, by each of its names (CVE, GHSA, PYSEC)."""

    package: str
    names: tuple[str, ...]
    fix: str
    """What mends it; empty where nothing does yet."""


@dataclass(frozen=True)
class Ignored:
    """A fault that may stay for a while."""

    name: str
    until: datetime.date
    reason: str


@dataclass(frozen=True)
class Audit:
    """What one tool said of one lock; ``why_not`` tells what was not looked at, and why."""

    findings: tuple[Finding, ...] = ()
    why_not: str = ""


def locks(root: Path = ROOT) -> list[Path]:
    """Return every lock: pip's by its hashes, npm's by its name."""
    found = list(root.glob("*/package-lock.json"))
    found += root.glob("tests/*/package-lock.json")
    for path in [*root.glob("*/*.txt"), *root.glob("*/*/*.txt")]:
        if "--hash=sha256:" in path.read_text(encoding="utf-8", errors="replace"):
            found.append(path)
    return sorted(found)


def read_pip_audit(text: str) -> Audit:
    """Understand pip-audit's JSON; what is not JSON is its last line on why there is none."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(why_not=_last_line(text))
    skipped = [package for package in packages if "skip_reason" in package]
    findings = tuple(
        Finding(
            f"{package['name']} {package['version']}",
            (fault["id"], *fault.get("aliases", [])),
            ", ".join(fault["fix_versions"]),
        )
        for package in packages
        for fault in package.get("vulns", [])
    )
    why = (
        f"{len(skipped)} of {len(packages)} packages: {skipped[0]['skip_reason']}"
        if skipped
        else ""
    )
    return Audit(findings, why)


def read_npm_audit(text: str) -> Audit:
    """Understand npm's JSON of version 2, or the error that stands in its place."""
    try:
        report = json.loads(text)
    except ValueError:
        return Audit(why_not=_last_line(text))
    if "vulnerabilities" not in report:
        return Audit(why_not=_without_address(str(report.get("message") or "no report")))
    return Audit(tuple(_npm_findings(report["vulnerabilities"])))


def _npm_findings(vulnerabilities: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for package, found in vulnerabilities.items():
        names = [str(via["url"]).rpartition("/")[2] for via in found["via"] if "url" in via]
        if names:  # without: it only depends on one that has its own entry
            fix = found["fixAvailable"]
            named = f"{fix['name']} {fix['version']}" if isinstance(fix, dict) else "npm audit fix"
            yield Finding(f"{package} {found['range']}", tuple(names), named if fix else "")


def read_ignored(text: str) -> list[Ignored]:
    """Read audit-ignore.toml; an entry without a reason or a date is a mistake."""
    entries = tomllib.loads(text).get("ignore", [])
    return [Ignored(entry["name"], entry["until"], entry["reason"]) for entry in entries]


def faults(audit: Audit, ignored: list[Ignored], today: datetime.date) -> list[str]:
    """Return a line for each finding that can be mended and may not stay."""
    may_stay = {entry.name for entry in ignored if today <= entry.until}
    return [
        f"{finding.package}: {' '.join(finding.names)}; fixed in: {finding.fix}"
        for finding in audit.findings
        if finding.fix and not may_stay & set(finding.names)
    ]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _without_address(lines[-1].partition("(")[0])[:200] if lines else "it said nothing"


def _without_address(text: str) -> str:
    """Leave the service's address out: it may be a mirror's, with a password in it."""
    return re.sub(r"\w+://\S+", "its service", text)


def ask(lock: Path) -> Audit:
    """Run the tool that knows this kind of lock."""
    if lock.name == "package-lock.json":
        command = ["node", NPM, "audit", "--package-lock-only", "--json", "--loglevel=silent"]
        read, folder = read_npm_audit, lock.parent
    else:
        command = ["pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner=off",
                   "--timeout=20", "--format=json", "-r", str(lock)]  # fmt: skip
        read, folder = read_pip_audit, ROOT
    try:
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **_own_authorities()},
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return Audit(why_not=str(error))
    return read(done.stdout or done.stderr)


def _own_authorities() -> dict[str, str]:
    """Return what makes both tools believe the host's CAs: some networks inspect TLS."""
    names = ("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return dict.fromkeys(names, str(CA_BUNDLE)) if CA_BUNDLE.is_file() else {}


def main() -> int:
    ignored = read_ignored(IGNORED.read_text(encoding="utf-8"))
    today = datetime.datetime.now(datetime.timezone.utc).date()
    failed = False
    names = locks()
    with ThreadPoolExecutor(4) as pool:
        for lock, audit in zip(names, pool.map(ask, names)):
            name = lock.relative_to(ROOT)
            if audit.why_not:
                print(f"{NOT_AUDITED}{name}: {audit.why_not}")
            for fault in faults(audit, ignored, today):
                failed = True
                print(f"{name}: {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
