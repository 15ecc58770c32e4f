"""Identity to mounts: what a person's container sees of the host. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any


@dataclass(frozen=True)
class Mount:
    """One mount: ``host_source`` is a path on the host, or a volume's name."""

    host_source: str
    container_target: str
    read_only: bool
    volume: bool = False


def resolve_mounts(login: str, host_data: PurePosixPath, hub_run_volume: str) -> tuple[Mount, ...]:
    """Return the mounts of the person ``login``: the home is the only writable one."""
    return (
        Mount(str(host_data / "users" / login), f"/home/{login}", read_only=False),
        Mount(str(host_data / "datasets"), "/datasets", read_only=True),
        Mount(str(host_data / "presets"), "/opt/tinyberth/presets-site", read_only=True),
        # The folder, not its files: the warden replaces them by rename.
        Mount(str(host_data / "ledger"), "/var/lib/extrausers", read_only=True),
        Mount(hub_run_volume, "/run/tinyberth/hub", read_only=True, volume=True),
    )


def engine_mount(mount: Mount) -> dict[str, Any]:
    """Return ``mount`` as the engine's API (1.44) wants it in HostConfig.Mounts."""
    body: dict[str, Any] = {
        "Type": "volume" if mount.volume else "bind",
        "Source": mount.host_source,
        "Target": mount.container_target,
        "ReadOnly": mount.read_only,
    }
    if mount.volume:
        body["VolumeOptions"] = {"NoCopy": True}  # what the image has there is not the hub's
    else:
        # A missing source fails instead of becoming root's empty folder. Private: a mount made
        # in a container never reaches the host. Recursive, so that a disk mounted below
        # data/datasets is seen, and read-only with it (API 1.44).
        body["BindOptions"] = {"Propagation": "rprivate", "CreateMountpoint": False}
    return body
