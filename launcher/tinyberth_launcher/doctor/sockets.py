"""The sockets by which the parts of a deployment reach each other, as the hub sees them."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from typing import Any

from .finding import Finding, Fix, fault, fine, skipped
from .patient import Patient

EXPECTED = {
    "hub": ("/run/tinyberth/hub/hub.sock", 10001, 10001, 0o666),
    "proxy": ("/run/tinyberth/proxy/api.sock", 10002, 10001, 0o770),
    "ledger": ("/run/tinyberth/ledger/ledger.sock", 0, 10001, 0o660),
    "warden": ("/run/tinyberth/warden/warden.sock", 0, 10001, 0o660),
    "firewall": ("/run/tinyberth/firewall/firewall.sock", 0, 0, 0o666),
}
"""Path, uid, gid and mode of the socket of each service. People's servers see the hub's alone."""

_LOOK = """
import json, os, socket, sys
for name, path in json.loads(sys.argv[1]).items():
    told = {"service": name}
    try:
        found = os.lstat(path)
        told.update(mode=found.st_mode, uid=found.st_uid, gid=found.st_gid)
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(path)
        told["answers"] = True
    except OSError as error:
        told["error"] = error.strerror or str(error)
    print(json.dumps(told))
"""
"""For the hub's Python. It connects and says nothing, which every server of ours takes."""


def look(patient: Patient) -> list[Finding]:
    paths = json.dumps({service: expected[0] for service, expected in EXPECTED.items()})
    answer = patient.ask("hub", "python3", "-IS", "-c", _LOOK, paths)
    if not answer.ok:
        return [skipped("the hub's container cannot be asked.", why=answer.err.strip()[-300:])]
    said = [json.loads(line) for line in answer.out.splitlines()]
    containers = {
        service: str(container["Name"]).lstrip("/")
        for service, container in patient.containers.items()
    }
    found = [one for told in said for one in judge(told, containers)]
    return found or [fine(f"all {len(said)} answer, and only to whom they should")]


def judge(told: Mapping[str, Any], containers: Mapping[str, str]) -> list[Finding]:
    """Judge one socket by what the hub sees of it; ``containers`` are names by service."""
    service = told["service"]
    path, uid, gid, mode = EXPECTED[service]
    if service not in containers:
        return []  # the topic services says so
    restart = ("docker", "restart", containers[service])
    fix = Fix(f"restarts {service}, which makes its socket anew", (restart,))
    if told.get("error") and not told.get("answers"):
        return [
            fault(
                "socket_dead",
                f"{service} does not answer on {path} ({told['error']}).",
                why="The hub cannot do what it needs that service for.",
                remedy=f"docker restart {containers[service]}; if it stays, "
                f"`./tinyberth logs {service}` says why",
                fix=fix,
            )
        ]
    if (told["uid"], told["gid"], stat.S_IMODE(told["mode"])) == (uid, gid, mode):
        return []
    return [
        fault(
            "socket_open",
            f"{path} belongs to {told['uid']}:{told['gid']} with the mode "
            f"{stat.S_IMODE(told['mode']):o}, not to {uid}:{gid} with {mode:o}.",
            why="Who may connect is what keeps the parts apart.",
            remedy=f"docker restart {containers[service]}",
            fix=fix,
        )
    ]
