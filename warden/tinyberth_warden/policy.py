"""``containers/create``: parse what the hub asks, and build what the engine gets. Pure.

Nothing of the request's body reaches the engine. What is understood becomes a
``SpawnRequest``; what else is in it must be empty or equal to what is built anyway.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tinyberth_server.errors import shown

from .mounts import engine_mount, resolve_mounts
from .people import Person
from .settings import Wiring
from .spawn_request import SpawnRequest, parse_cpus, parse_env, parse_memory, refused

LABEL_LOGIN = "tinyberth.login"
LABEL_DEPLOYMENT = "tinyberth.deployment"
LABEL_DIGEST = "tinyberth.digest"
"""Of what the warden decided when it made the container; see ``resolve_digest``."""

_PORT = "8888/tcp"
_PARSED = ("Image", "User", "Env", "Labels", "HostConfig")
_PARSED_HOST = ("Memory", "NanoCpus", "CpuPeriod", "CpuQuota")
# docker-py and DockerSpawner send these; all are dropped. AutoRemove: the engine would remove
# the container together with its last log lines, which say why a server died.
_DROPPED: dict[str, Any] = dict.fromkeys(("AttachStdout", "AttachStderr", "AutoRemove"), True)
_DROPPED["ExposedPorts"] = {_PORT: None}


@dataclass(frozen=True)
class Host:
    """The machine: where data/ lies on it, its CPUs, and the open files it allows a container."""

    data: PurePosixPath
    cpus: int
    open_files: int


def container_name(deployment: str, login: str) -> str:
    return f"{deployment}-user-{login}"


def requested_login(document: Mapping[str, Any]) -> str:
    """Return whose container is asked for: the one label that the hub sets."""
    labels = document.get("Labels")
    login = labels.get(LABEL_LOGIN) if isinstance(labels, dict) and len(labels) == 1 else None
    if not isinstance(login, str):
        raise refused("Labels", f"it must hold {LABEL_LOGIN} and nothing else")
    return login


def resolve_create(
    document: Mapping[str, Any], person: Person, host: Host, wiring: Wiring
) -> dict[str, Any]:
    """Return the body that the engine gets for the hub's ``document``.

    Raises
    ------
    RefusedError
        Naming the key that is not allowed.
    """
    host_config = document.get("HostConfig") or {}
    if not isinstance(host_config, dict):
        raise refused("HostConfig", "it must be an object")
    if document.get("Image") != wiring.user_image:
        raise refused("Image", f"it must be {wiring.user_image}")
    if document.get("User") != f"{person.uid}:{person.gid}":
        raise refused("User", f"the ledger has {person.uid}:{person.gid} for {person.login}")
    request = SpawnRequest(
        parse_env(document.get("Env") or [], _own_env(person)),
        parse_memory(host_config, wiring.settings.mem_limit),
        parse_cpus(host_config, wiring.settings.cpu_limit, host.cpus),
    )
    built = build(request, person, host, wiring)
    _check_rest("", document, built, _PARSED)
    _check_rest("HostConfig.", host_config, built["HostConfig"], _PARSED_HOST)
    built["Labels"][LABEL_DIGEST] = resolve_digest(person, host, wiring)
    return built


def resolve_digest(person: Person, host: Host, wiring: Wiring) -> str:
    """Return what tells whether a container of ``person`` is still what would be made.

    Of a body in which the hub chose nothing: uid, gid, teams, mounts, every limit of the settings,
    and whatever else a later warden may decide otherwise. The engine's own record of a container
    is no measure, as it writes its defaults into that.
    """
    settings = wiring.settings
    cpus = parse_cpus({}, settings.cpu_limit, host.cpus)
    body = build(SpawnRequest({}, settings.mem_limit, cpus), person, host, wiring)
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def build(request: SpawnRequest, person: Person, host: Host, wiring: Wiring) -> dict[str, Any]:
    """Return the whole body of ``containers/create``, from checked values alone."""
    # The deployment's time zone, unless the hub chose another for this person.
    env = {"TZ": wiring.settings.timezone, **request.env, **_own_env(person)}
    names = [team.name for team in person.teams]
    mounts = resolve_mounts(person.login, names, host.data, wiring.hub_run_volume)
    # More open files than the engine has fails. A core of TensorFlow would fill its home.
    limits = {"nofile": min(65536, host.open_files), "core": 0}
    return {
        "Image": wiring.user_image,
        "User": f"{person.uid}:{person.gid}",  # always with the gid: without, it is root's group
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": {LABEL_LOGIN: person.login, LABEL_DEPLOYMENT: wiring.deployment},
        "Hostname": wiring.deployment.replace("_", "-"),
        "WorkingDir": f"/home/{person.login}",
        "ExposedPorts": {_PORT: {}},
        "StopSignal": "SIGTERM",
        "StopTimeout": 10,  # seconds for the server to save and go
        "HostConfig": {
            "NetworkMode": wiring.user_network,
            "Mounts": [engine_mount(mount) for mount in mounts],
            "GroupAdd": [str(team.gid) for team in person.teams],
            "Memory": request.memory,
            "MemorySwap": request.memory,  # equal to Memory means no swap
            "NanoCpus": request.nano_cpus,
            "PidsLimit": wiring.settings.pids_limit,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": f"rw,nosuid,nodev,size={wiring.settings.tmp_size},mode=1777"},  # noqa: S108
            "ShmSize": 256 * 2**20,  # bytes; the engine's 64M is short for data loaders
            "Init": True,
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "Ulimits": [{"Name": name, "Soft": n, "Hard": n} for name, n in limits.items()],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            "RestartPolicy": {"Name": "no"},  # the hub decides who runs
        },
    }


def _own_env(person: Person) -> dict[str, str]:
    names = dict.fromkeys(("USER", "LOGNAME", "TINYBERTH_LOGIN"), person.login)
    return {**names, "HOME": f"/home/{person.login}", "SHELL": "/bin/bash"}


def _check_rest(
    path: str, document: Mapping[str, Any], built: Mapping[str, Any], parsed: Collection[str]
) -> None:
    for key, value in document.items():
        # Compared as JSON, where 1 is not true.
        allowed = [json.dumps(values.get(key)) for values in (built, _DROPPED)]
        if key not in parsed and value and json.dumps(value) not in allowed:
            raise refused(shown(path + key), "leave it out")
