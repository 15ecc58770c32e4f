"""What of a container the hub may choose, as its request says it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyberth_server.errors import RefusedError, shown

MIN_MEMORY = 64 * 2**20
"""Bytes; below, not even the server's Python starts."""
MAX_ENV_COUNT = 256
MAX_ENV_BYTES = 128 * 1024
"""All variables together: far below what Linux lets a program start with (execve(2))."""

_ENV_ITEM = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,127})=(?P<value>[^\0]*)", re.DOTALL)
# What decides which program runs, or who it thinks it is, is the image's and the warden's.
_ENV_OURS = re.compile(r"PATH|LD_.*|PYTHON.*|HOME|USER|LOGNAME|SHELL|TINYBERTH_.*")


@dataclass(frozen=True)
class SpawnRequest:
    """What the hub may choose. ``memory`` in bytes, ``nano_cpus`` in 10^-9 of a CPU."""

    env: Mapping[str, str]
    memory: int
    nano_cpus: int


def refused(path: str, why: str) -> RefusedError:
    return RefusedError("refused", f"containers/create: {path} is refused: {why}.")


def parse_env(items: Any, own: Mapping[str, str]) -> dict[str, str]:
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


def parse_memory(host_config: Mapping[str, Any], limit: int) -> int:
    memory = _whole(host_config, "Memory") or limit
    if not min(MIN_MEMORY, limit) <= memory <= limit:
        raise refused("HostConfig.Memory", f"it must be from {MIN_MEMORY} to {limit} bytes")
    return memory


def parse_cpus(host_config: Mapping[str, Any], cpu_limit: float, host_cpus: int) -> int:
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
