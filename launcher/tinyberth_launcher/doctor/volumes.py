"""The deployment's volumes: whether they are there, whose they are, and what keeps secrets."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping, Sequence

from ..command import capture
from .data_facts import FILES
from .finding import Finding, Fix, fault, fine, note, skipped
from .in_container import MODE, OWNER, SEARCH, command
from .patient import Patient

STATE = "hub-state"
EXPECTED = {
    STATE: (10001, 10001, 0o700),
    "hub-run": (10001, 10001, 0o755),
    "proxy-run": (10002, 10001, 0o750),
    "ledger-run": (0, 0, 0o755),
    "warden-run": (0, 0, 0o755),
    "firewall-run": (0, 0, 0o755),
}
"""Owner and mode of each: what the images make of a new one."""

_LOOK = """
import json, os
def told(path):
    found = os.lstat(path)
    return [found.st_uid, found.st_gid, found.st_mode]
volumes = {name: told("/volumes/" + name) for name in os.listdir("/volumes")}
files = {}
if "hub-state" in volumes:
    files = {name: told("/volumes/hub-state/" + name) for name in os.listdir("/volumes/hub-state")}
print(json.dumps({"volumes": volumes, "files": files}))
"""


def look(patient: Patient) -> list[Finding]:
    project = patient.checkout.project
    listed = capture(["docker", "volume", "ls", "--quiet"]).out.split()
    there = [name for name in EXPECTED if f"{project}_{name}" in listed]
    found = judge_missing(there, has_people=_has_people(patient))
    if not there:
        return found
    image = patient.image("hub")
    if not patient.inspect(image, kind="image"):
        return [*found, skipped("owners are not looked at: there is no image of the hub", why="")]
    answer = capture(_look_inside(project, image, there), timeout=60)
    if not answer.ok:
        return [*found, skipped("owners cannot be seen.", why=answer.err.strip()[-300:])]
    said = json.loads(answer.out)
    found += judge_owners(said["volumes"], project, image)
    found += judge_state(said["files"], f"{project}_{STATE}", image)
    return found or [fine(f"all {len(there)} are there, and their owners'")]


def _look_inside(project: str, image: str, names: Sequence[str]) -> list[str]:
    return [
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--user", "0:0"),
        *("--cap-drop", "ALL", "--cap-add", "DAC_READ_SEARCH"),  # closed folders, to look
        *("--security-opt", "no-new-privileges"),
        *(
            word
            for name in names
            for word in (
                "--mount",
                f"type=volume,source={project}_{name},target=/volumes/{name},readonly,volume-nocopy",
            )
        ),
        *(image, "python3", "-IS", "-c", _LOOK),
    ]


def _has_people(patient: Patient) -> bool:
    ledger = patient.checkout.host_data_dir / "ledger" / FILES[0]
    try:
        return ledger.stat().st_size > 0
    except OSError:
        return False


def judge_missing(there: Sequence[str], *, has_people: bool) -> list[Finding]:
    """Judge which volumes there are; of a deployment that never started there are none."""
    if STATE not in there and has_people:
        return [
            fault(
                "state_missing",
                f"the volume {STATE} is gone, and the ledger knows people.",
                why="Passwords, sessions, tokens and groups were in it. Files are not.",
                remedy="Put it back from a backup. Without one, ./tinyberth up begins anew, "
                "and ./tinyberth user add NAME lets each person in again, with uid and files.",
            )
        ]
    if not there:
        return [note("volumes_new", "there are none yet; ./tinyberth up makes them.")]
    missing = [name for name in EXPECTED if name not in there]
    return [
        fault(
            "volume_missing",
            f"the volume {', '.join(missing)} is not there.",
            why="The services meet in it, so some of them cannot start.",
            remedy="./tinyberth down, then ./tinyberth up",
        )
    ] if missing else []  # fmt: skip


def judge_owners(
    volumes: Mapping[str, Sequence[int]], project: str, image: str
) -> Iterator[Finding]:
    """Judge the folder that each volume is."""
    for name, (uid, gid, mode) in sorted(volumes.items()):
        want = EXPECTED[name]
        if (uid, gid, stat.S_IMODE(mode)) != want:
            owner = f"{want[0]}:{want[1]}"
            words = (("chown", owner, "/it"), ("chmod", f"{want[2]:o}", "/it"))
            yield _owner_fault(
                f"the volume {name} belongs to {uid}:{gid} with the mode {stat.S_IMODE(mode):o}, "
                f"not to {owner} with {want[2]:o}.",
                f"{project}_{name}",
                image,
                words,
            )


def judge_state(files: Mapping[str, Sequence[int]], volume: str, image: str) -> Iterator[Finding]:
    """Judge the files of the hub's state: databases, keys, the terminal's token."""
    uid, gid, _ = EXPECTED[STATE]
    wrong = sorted(
        name for name, (owner, _, mode) in files.items() if owner != uid or mode & 0o077
    )
    if wrong:
        paths = [f"/it/{name}" for name in wrong]
        words = (("chown", "-h", f"{uid}:{gid}", *paths), ("chmod", "go-rwx", *paths))
        yield _owner_fault(
            f"of the hub's state, {', '.join(wrong)} is not the hub's alone.",
            volume,
            image,
            words,
        )


def _owner_fault(
    what: str, volume: str, image: str, words: Sequence[Sequence[str]]
) -> Finding:  # fmt: skip
    commands = tuple(command(image, volume, (OWNER, MODE, SEARCH), *word) for word in words)
    return fault(
        "volume_owner",
        what,
        why="A service cannot work there, or others can read its secrets. A backup put back by "
        "root looks like this.",
        remedy="./tinyberth doctor volumes --fix",
        fix=Fix(f"gives it back in the volume {volume}", commands),
    )
