"""``containers/create``: parse what the hub asks, and build what the engine gets. Pure.

Nothing of the request's body reaches the engine. What is understood becomes a
``SpawnRequest``; what else is there must be empty or equal to what is built anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from .errors import RefusedError, shown
from .ledger import Entry
from .mounts import engine_mount, resolve_mounts
from .settings import Wiring

PORT = "8888/tcp"
LABEL_LOGIN = "tinyberth.login"
LABEL_DEPLOYMENT = "tinyberth.deployment"
MIN_MEMORY = 64 * 2**20
"""Bytes; below, not even the server's Python starts."""
MAX_ENV_COUNT = 256
MAX_ENV_BYTES = 128 * 1024
"""All variables together: half of what Linux lets one program start with by default."""

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# What decides which program runs, or who it thinks it is, is the image's and the warden's.
_ENV_OURS = re.compile(r"PATH|LD_.*|PYTHON.*|HOME|USER|LOGNAME|SHELL|TINYBERTH_.*")

# Every key that docker-py 7 can send (docker.types.ContainerConfig and HostConfig).
_CONTAINER_KEYS = frozenset(
    [
        "Hostname",
        "Domainname",
        "ExposedPorts",
        "User",
        "Tty",
        "OpenStdin",
        "StdinOnce",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "Env",
        "Cmd",
        "Image",
        "Volumes",
        "NetworkDisabled",
        "Entrypoint",
        "WorkingDir",
        "HostConfig",
        "NetworkingConfig",
        "MacAddress",
        "Labels",
        "StopSignal",
        "Healthcheck",
        "StopTimeout",
        "Runtime",
    ]
)
_HOST_KEYS = frozenset(
    [
        "Memory",
        "MemorySwap",
        "MemoryReservation",
        "KernelMemory",
        "MemorySwappiness",
        "ShmSize",
        "PidMode",
        "IpcMode",
        "Privileged",
        "OomKillDisable",
        "OomScoreAdj",
        "PublishAllPorts",
        "ReadonlyRootfs",
        "DnsSearch",
        "NetworkMode",
        "RestartPolicy",
        "CapAdd",
        "CapDrop",
        "Devices",
        "GroupAdd",
        "Dns",
        "DnsOptions",
        "SecurityOpt",
        "Sysctls",
        "VolumesFrom",
        "Binds",
        "PortBindings",
        "ExtraHosts",
        "Links",
        "LxcConf",
        "CgroupParent",
        "Ulimits",
        "LogConfig",
        "CpuQuota",
        "CpuPeriod",
        "CpuShares",
        "CpusetCpus",
        "CpusetMems",
        "CPURealtimePeriod",
        "CPURealtimeRuntime",
        "BlkioWeight",
        "BlkioWeightDevice",
        "BlkioDeviceReadBps",
        "BlkioDeviceWriteBps",
        "BlkioDeviceReadIOps",
        "BlkioDeviceWriteIOps",
        "Tmpfs",
        "UsernsMode",
        "UTSMode",
        "PidsLimit",
        "Isolation",
        "AutoRemove",
        "StorageOpt",
        "Init",
        "InitPath",
        "VolumeDriver",
        "CpuCount",
        "CpuPercent",
        "NanoCpus",
        "Runtime",
        "Mounts",
        "DeviceCgroupRules",
        "DeviceRequests",
        "CgroupnsMode",
    ]
)
# Understood, harmless, and never passed on. AutoRemove: the engine would remove the container
# together with its last log lines, which say why a server died.
_TOLERATED = {"AttachStdout": True, "AttachStderr": True, "HostConfig.AutoRemove": True}


@dataclass(frozen=True)
class Host:
    """The machine: where data/ lies on it, its CPUs, and the open files it allows a container."""

    data: PurePosixPath
    cpus: int
    open_files: int


@dataclass(frozen=True)
class SpawnRequest:
    """What the hub may choose. ``memory`` in bytes, ``nano_cpus`` in 10^-9 of a CPU."""

    login: str
    env: tuple[tuple[str, str], ...]
    memory: int
    nano_cpus: int


def container_name(deployment: str, login: str) -> str:
    return f"{deployment}-user-{login}"


def resolve_create(
    document: Mapping[str, Any], entry: Entry, host: Host, wiring: Wiring
) -> dict[str, Any]:
    """Return the body that the engine gets for the hub's ``document``.

    Raises
    ------
    RefusedError
        403, naming the key that is not allowed; 400 for a value of a wrong shape.
    """
    if document.get("Image") != wiring.user_image:
        raise refused("Image", f"it must be {wiring.user_image}")
    if document.get("User") != f"{entry.uid}:{entry.gid}":
        raise refused("User", f"the ledger says {entry.uid}:{entry.gid} for {entry.login}")
    host_config = document.get("HostConfig") or {}
    if not isinstance(host_config, dict):
        raise refused("HostConfig", "it must be an object")
    ports = document.get("ExposedPorts") or {PORT: None}
    if not isinstance(ports, dict) or list(ports) != [PORT] or ports[PORT]:
        raise refused("ExposedPorts", f"it must be {PORT} alone")
    request = SpawnRequest(
        entry.login,
        _parse_env(document.get("Env"), entry),
        _parse_memory(host_config, wiring.settings.mem_limit),
        _parse_cpus(host_config, wiring.settings.cpu_limit, host.cpus),
    )
    built = build(request, entry, host, wiring)
    understood = {"Image", "User", "Env", "Labels", "ExposedPorts", "HostConfig"}
    _check_rest("", document, built, _CONTAINER_KEYS, understood)
    understood = {"Memory", "NanoCpus", "CpuPeriod", "CpuQuota"}
    _check_rest("HostConfig.", host_config, built["HostConfig"], _HOST_KEYS, understood)
    return built


def requested_login(document: Mapping[str, Any]) -> str:
    """Return whose container is asked for: the one label that the hub sets."""
    labels = document.get("Labels")
    if not isinstance(labels, dict) or list(labels) != [LABEL_LOGIN]:
        raise refused("Labels", f"it must hold {LABEL_LOGIN} and nothing else")
    login = labels[LABEL_LOGIN]
    if not isinstance(login, str):
        raise refused("Labels", f"{LABEL_LOGIN} must be a login name")
    return login


def build(request: SpawnRequest, entry: Entry, host: Host, wiring: Wiring) -> dict[str, Any]:
    """Return the whole body of ``containers/create``, from checked values alone."""
    settings = wiring.settings
    env = {**dict(request.env), **_own_env(entry)}
    open_files = min(65536, host.open_files)
    mounts = resolve_mounts(entry.login, host.data, wiring.hub_run_volume)
    return {
        "Image": wiring.user_image,
        "User": f"{entry.uid}:{entry.gid}",  # always with the gid: without, it is root's group
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": {LABEL_LOGIN: entry.login, LABEL_DEPLOYMENT: wiring.deployment},
        "Hostname": wiring.deployment.replace("_", "-"),
        "WorkingDir": f"/home/{entry.login}",
        "ExposedPorts": {PORT: {}},
        "StopSignal": "SIGTERM",
        "StopTimeout": 10,  # seconds for the server to save and go
        "HostConfig": {
            "NetworkMode": wiring.user_network,
            "Mounts": [engine_mount(mount) for mount in mounts],
            "Memory": request.memory,
            "MemorySwap": request.memory,  # equal to Memory means no swap
            "NanoCpus": request.nano_cpus,
            "PidsLimit": settings.pids_limit,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": f"rw,nosuid,nodev,size={settings.tmp_size},mode=1777"},  # noqa: S108
            "ShmSize": 256 * 2**20,  # bytes; the engine's 64M is short for data loaders
            "Init": True,
            "IpcMode": "private",
            "CgroupnsMode": "private",
            # Enough for Jupyter's sockets and data files; more than the engine's own fails.
            "Ulimits": [{"Name": "nofile", "Soft": open_files, "Hard": open_files}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            "RestartPolicy": {"Name": "no"},  # the hub decides who runs
        },
    }


def refused(path: str, why: str) -> RefusedError:
    return RefusedError(403, "refused", f"containers/create: {path} is refused: {why}.")


def _own_env(entry: Entry) -> dict[str, str]:
    return {
        "HOME": f"/home/{entry.login}",
        "USER": entry.login,
        "LOGNAME": entry.login,
        "SHELL": "/bin/bash",
        "TINYBERTH_LOGIN": entry.login,
    }


def _parse_env(value: Any, entry: Entry) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refused("Env", "it must be a list of NAME=value")
    if len(value) > MAX_ENV_COUNT or sum(len(item.encode()) for item in value) > MAX_ENV_BYTES:
        raise refused("Env", f"more than {MAX_ENV_COUNT} variables or {MAX_ENV_BYTES} bytes")
    own = _own_env(entry)
    env: dict[str, str] = {}
    for item in value:
        name, equals, text = item.partition("=")
        if not equals or not _ENV_NAME.fullmatch(name) or "\0" in text or name in env:
            raise refused(f"Env {shown(name)}", "write NAME=value, each name once")
        if _ENV_OURS.fullmatch(name) and own.get(name) != text:
            raise refused(f"Env {shown(name)}", "the warden sets it")
        env[name] = text
    return tuple(env.items())


def _parse_memory(host_config: Mapping[str, Any], limit: int) -> int:
    memory = _whole(host_config, "Memory") or limit
    if not MIN_MEMORY <= memory <= limit:
        raise refused("HostConfig.Memory", f"it must be from {MIN_MEMORY} to {limit} bytes")
    return memory


def _parse_cpus(host_config: Mapping[str, Any], cpu_limit: float, host_cpus: int) -> int:
    # The engine refuses more CPUs than the host has; a limit above is no limit, not a fault.
    limit = round(min(cpu_limit, host_cpus) * 10**9)
    nano_cpus = _whole(host_config, "NanoCpus")
    period, quota = _whole(host_config, "CpuPeriod"), _whole(host_config, "CpuQuota")
    if quota:
        if nano_cpus:
            raise refused("HostConfig.CpuQuota", "give it or NanoCpus, not both")
        nano_cpus = quota * 10**9 // (period or 100_000)  # microseconds; the engine's default
    if nano_cpus > round(cpu_limit * 10**9):
        raise refused("HostConfig", f"more than {cpu_limit} CPUs")
    return min(nano_cpus or limit, limit)


def _whole(host_config: Mapping[str, Any], key: str) -> int:
    value = host_config.get(key)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**63:
        raise refused(f"HostConfig.{key}", "it must be a whole number")
    return value


def _check_rest(
    path: str,
    document: Mapping[str, Any],
    built: Mapping[str, Any],
    known: frozenset[str],
    understood: set[str],
) -> None:
    for key, value in document.items():
        where = path + key
        if key not in known:
            raise refused(shown(where), "the warden does not know it")
        if key in understood or not value or _TOLERATED.get(where) is value:
            continue
        # Compared as JSON, where 1 is not true.
        if key not in built or json.dumps(value, sort_keys=True) != json.dumps(
            built[key], sort_keys=True
        ):
            raise refused(where, "leave it out")
