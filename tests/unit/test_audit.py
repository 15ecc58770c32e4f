"""tests/audit.py: what fails, what is only said, and that no lock is forgotten."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from audit import (
    NPM,
    Audit,
    Finding,
    Ignored,
    ask,
    faults,
    locks,
    read_ignored,
    read_npm_audit,
    read_pip_audit,
)

TODAY = datetime.date(2026, 11, 22)
MENDED = Finding("thing 1.0", ("GHSA-aaaa", "CVE-2026-1"), "1.1")
NOT_MENDED = Finding("other 2.0", ("PYSEC-2026-2",), "")

PIP = {
    "dependencies": [
        {"name": "fine", "version": "1", "vulns": []},
        {"name": "thing", "version": "1.0", "vulns": [
            {"id": "GHSA-aaaa", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}]},
        {"name": "other", "version": "2.0", "vulns": [
            {"id": "PYSEC-2026-2", "fix_versions": []}]},
    ],
    "fixes": [],
}  # fmt: skip

NPM_REPORT: dict[str, Any] = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "ws": {"range": "<8.17.1", "fixAvailable": True, "via": [
            {"source": 1, "url": "https://example.org/advisories/GHSA-bbbb", "title": "DoS"}]},
        "needs-ws": {"range": "*", "fixAvailable": True, "via": ["ws"]},
        "old": {"range": "*", "fixAvailable": False, "via": [{"url": "x/GHSA-cccc"}]},
        "far": {"range": "*", "fixAvailable": {"name": "far", "version": "9.0.0"},
                "via": [{"url": "x/GHSA-dddd"}]},
    },
}  # fmt: skip


def test_pips_report_is_understood() -> None:
    assert read_pip_audit(json.dumps(PIP)) == Audit((MENDED, NOT_MENDED))


def test_npms_report_is_understood() -> None:
    assert read_npm_audit(json.dumps(NPM_REPORT)).findings == (
        Finding("ws <8.17.1", ("GHSA-bbbb",), "npm audit fix"),
        Finding("old *", ("GHSA-cccc",), ""),
        Finding("far *", ("GHSA-dddd",), "far 9.0.0"),
    )


@pytest.mark.parametrize(
    ("read", "text", "why"),
    [
        (read_pip_audit, json.dumps({"dependencies": [
            {"name": "a", "skip_reason": "not found"}, {"name": "b", "version": "1", "vulns": []},
        ]}), "1 of 2 packages: not found"),
        (read_pip_audit, "Traceback\n\nConnectionError: no https://u:p@host/x\n",
         "ConnectionError: no its service"),
        (read_pip_audit, "", "it said nothing"),
        (read_npm_audit, json.dumps({"message": "405 Method Not Allowed - POST https://r/x"}),
         "405 Method Not Allowed - POST its service"),
        (read_npm_audit, "npm error ENOTFOUND\n", "npm error ENOTFOUND"),
    ],
)  # fmt: skip
def test_what_was_not_looked_at_is_said_and_is_no_fault(read: Any, text: str, why: str) -> None:
    audit = read(text)
    assert audit.why_not == why
    assert faults(audit, [], TODAY) == []


def test_only_what_can_be_mended_fails() -> None:
    [line] = faults(Audit((MENDED, NOT_MENDED)), [], TODAY)
    assert line == "thing 1.0: GHSA-aaaa CVE-2026-1; fixed in: 1.1"


@pytest.mark.parametrize(
    ("name", "until", "fails"),
    [
        ("CVE-2026-1", TODAY, False),
        ("GHSA-aaaa", datetime.date(2027, 1, 1), False),
        ("GHSA-aaaa", datetime.date(2026, 11, 21), True),
        ("GHSA-else", datetime.date(2027, 1, 1), True),
    ],
)
def test_a_fault_may_stay_until_its_day(name: str, until: datetime.date, fails: bool) -> None:
    assert bool(faults(Audit((MENDED,)), [Ignored(name, until, "why")], TODAY)) == fails


def test_the_list_of_what_may_stay_has_reasons_and_days(root: Path) -> None:
    text = (root / "tests/audit-ignore.toml").read_text(encoding="utf-8")
    for entry in read_ignored(text):
        assert entry.reason.strip()
        assert isinstance(entry.until, datetime.date)
    example = "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("#   "))
    [shown] = read_ignored(example)
    assert shown.name == "GHSA-xxxx-xxxx-xxxx"
    with pytest.raises(KeyError):
        read_ignored('[[ignore]]\nname = "x"\nuntil = 2027-01-01\n')


class FakeRegistry(http.server.BaseHTTPRequestHandler):
    """Knows a fault of one package, which its next version has not."""

    version = ""

    def do_POST(self) -> None:
        self.answer({"async": [{
            "id": 1, "url": "https://registry.example/GHSA-eeee-ffff-gggg", "title": "made up",
            "severity": "high", "vulnerable_versions": f"<={self.version}", "cwe": [],
            "cvss": {"score": 9, "vectorString": None},
        }]})  # fmt: skip

    def do_GET(self) -> None:
        name = self.path.strip("/").replace("%2f", "/")
        versions = {
            version: {"name": name, "version": version, "dist": {"tarball": "http://x/y.tgz"}}
            for version in (self.version, "3.99.0")
        }
        self.answer({"name": name, "dist-tags": {"latest": "3.99.0"}, "versions": versions})

    def answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(not Path(NPM).is_file(), reason="npm is in the tests' image alone")
def test_the_real_npm_finds_a_fault_that_a_registry_knows(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = root / "proxy/package-lock.json"
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    FakeRegistry.version = packages["node_modules/async"]["version"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeRegistry) as registry:
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        port = registry.server_address[1]
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{port}/")
        audit = ask(lock)
        registry.shutdown()
    assert audit.why_not == ""
    assert any("GHSA-eeee-ffff-gggg" in fault for fault in faults(audit, [], TODAY)), audit


def test_every_lock_is_audited(root: Path) -> None:
    assert {str(lock.relative_to(root)) for lock in locks(root)} == {
        "hub/requirements.txt",
        "ledger/requirements.txt",
        "proxy/npm.txt",
        "proxy/package-lock.json",
        "singleuser/gpu/requirements.txt",
        "singleuser/gpu/tensorflow.txt",
        "singleuser/requirements.txt",
        "singleuser/tensorflow.txt",
        "tests/oidc/package-lock.json",
        "tests/requirements.txt",
        "warden/requirements.txt",
    }
