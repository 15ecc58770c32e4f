"""Identity to mounts: what a person's container sees of the host. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any


@dataclass(frozen=True)
class Mount:
    """One mount: ``host_source`` is a path on the host, or a volume's name."""

    host_source: str
    container_target: str
    read_only: bool = True
    volume: bool = False


def resolve_mounts(
    login: str, teams: Iterable[str], host_data: PurePosixPath, hub_run_volume: str
) -> tuple[Mount, ...]:
    """Return the mounts of the person ``login``: home and teams are the only writable ones."""
    return (
        Mount(str(host_data / "users" / login), f"/home/{login}", read_only=False),
        *(Mount(str(host_data / "teams" / t), f"/teams/{t}", read_only=False) for t in teams),
        Mount(str(host_data / "datasets"), "/datasets"),
        Mount(str(host_data / "presets"), "/opt/tinyberth/presets-site"),
        # The folder, not its files: the warden replaces them by rename.
        Mount(str(host_data / "ledger"), "/var/lib/extrausers"),
        Mount(hub_run_volume, "/run/tinyberth/hub", volume=True),
    )


def engine_mount(mount: Mount) -> dict[str, Any]:
    """Return ``mount`` as the engine's API (1.44) wants it in HostConfig.Mounts."""
    # NoCopy: what the image has at that path is not the hub's. CreateMountpoint: a missing
    # source fails instead of becoming root's empty folder. Private: no mount made in a
    # container reaches the host. Recursive by default, so that a disk mounted below
    # data/datasets is seen, and read-only like it.
    options: dict[str, Any] = {
        "BindOptions": {"Propagation": "rprivate", "CreateMountpoint": False}
    }
    if mount.volume:
        options = {"VolumeOptions": {"NoCopy": True}}
    return {
        "Type": "volume" if mount.volume else "bind",
        "Source": mount.host_source,
        "Target": mount.container_target,
        "ReadOnly": mount.read_only,
        **options,
    }
