"""``containers/create``: parse what the hub asks, and build what the engine gets. Pure.

Nothing of the request's body reaches the engine. What is understood becomes a
``SpawnRequest``; what else is in it must be empty or equal to what is built anyway.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tinyberth_server.errors import RefusedError, shown

from .mounts import engine_mount, resolve_mounts
from .people import Person
from .settings import Wiring

LABEL_LOGIN = "tinyberth.login"
LABEL_DEPLOYMENT = "tinyberth.deployment"
MIN_MEMORY = 64 * 2**20
"""Bytes; below, not even the server's Python starts."""
MAX_ENV_COUNT = 256
MAX_ENV_BYTES = 128 * 1024
"""All variables together: far below what Linux lets a program start with (execve(2))."""

_PORT = "8888/tcp"
_ENV_ITEM = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,127})=(?P<value>[^\0]*)", re.DOTALL)
# What decides which program runs, or who it thinks it is, is the image's and the warden's.
_ENV_OURS = re.compile(r"PATH|LD_.*|PYTHON.*|HOME|USER|LOGNAME|SHELL|TINYBERTH_.*")
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


@dataclass(frozen=True)
class SpawnRequest:
    """What the hub may choose. ``memory`` in bytes, ``nano_cpus`` in 10^-9 of a CPU."""

    env: Mapping[str, str]
    memory: int
    nano_cpus: int


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
        _parse_env(document.get("Env") or [], _own_env(person)),
        _parse_memory(host_config, wiring.settings.mem_limit),
        _parse_cpus(host_config, wiring.settings.cpu_limit, host.cpus),
    )
    built = build(request, person, host, wiring)
    _check_rest("", document, built, _PARSED)
    _check_rest("HostConfig.", host_config, built["HostConfig"], _PARSED_HOST)
    return built


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


def refused(path: str, why: str) -> RefusedError:
    return RefusedError("refused", f"containers/create: {path} is refused: {why}.")


def _own_env(person: Person) -> dict[str, str]:
    names = dict.fromkeys(("USER", "LOGNAME", "TINYBERTH_LOGIN"), person.login)
    return {**names, "HOME": f"/home/{person.login}", "SHELL": "/bin/bash"}


def _parse_env(items: Any, own: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise refused("Env", "it must be a list of NAME=value")
    if len(items) > MAX_ENV_COUNT or sum(len(item.encode()) for item in items) > MAX_ENV_BYTES:
        raise refused("Env", f"it has over {MAX_ENV_COUNT} variables or {MAX_ENV_BYTES} bytes")
    env: dict[str, str] = {}
    for item in items:
        match = _ENV_ITEM.fullmatch(item)
        if not match or match["name"] in env:
            raise refused(f"Env {shown(item.split('=')[0])}", "write NAME=value, each name once")
        name, value = match["name"], match["value"]
        if _ENV_OURS.fullmatch(name) and own.get(name) != value:
            raise refused(f"Env {name}", "the warden or the image sets it")
        env[name] = value
    return env


def _parse_memory(host_config: Mapping[str, Any], limit: int) -> int:
    memory = _whole(host_config, "Memory") or limit
    if not min(MIN_MEMORY, limit) <= memory <= limit:
        raise refused("HostConfig.Memory", f"it must be from {MIN_MEMORY} to {limit} bytes")
    return memory


def _parse_cpus(host_config: Mapping[str, Any], cpu_limit: float, host_cpus: int) -> int:
    nano_cpus, quota = _whole(host_config, "NanoCpus"), _whole(host_config, "CpuQuota")
    if quota and nano_cpus:
        raise refused("HostConfig.CpuQuota", "give it or NanoCpus, not both")
    if quota:  # microseconds of each period; 100,000 is the engine's default
        nano_cpus = quota * 10**9 // (_whole(host_config, "CpuPeriod") or 100_000)
    limit = round(cpu_limit * 10**9)
    if nano_cpus > limit:
        raise refused("HostConfig.NanoCpus", f"CPU_LIMIT is {cpu_limit}")
    # The engine refuses more CPUs than the host has; a limit above that is none, not a fault.
    return min(nano_cpus or limit, host_cpus * 10**9)


def _whole(host_config: Mapping[str, Any], key: str) -> int:
    value = host_config.get(key) or 0
    if type(value) not in (int, bool) or not 0 <= value < 2**63 or value is True:
        raise refused(f"HostConfig.{key}", "it must be a whole number")
    return int(value)


def _check_rest(
    path: str, document: Mapping[str, Any], built: Mapping[str, Any], parsed: Collection[str]
) -> None:
    for key, value in document.items():
        # Compared as JSON, where 1 is not true.
        allowed = [json.dumps(values.get(key)) for values in (built, _DROPPED)]
        if key not in parsed and value and json.dumps(value) not in allowed:
            raise refused(shown(path + key), "leave it out")
