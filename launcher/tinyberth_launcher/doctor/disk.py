"""Free space and free files (inodes), on the disks of people's files and of the engine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..command import capture
from .finding import Finding, fault, fine, skipped
from .patient import Patient

_LEAST = 2 * 2**30
"""Bytes; an image is built with less than that, and people's servers still save."""
_SCARCE, _MUCH = 0.05, 20 * 2**30
"""A disk is also scarce with less than 5 % free, unless that is 20 GiB or more."""
_OWNERLESS = {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "9p", "cifs", "smb3"}
"""File systems that keep no Unix owners, or not this machine's."""


@dataclass(frozen=True)
class Disk:
    """What statvfs(3) says of the disk of a folder; ``files`` is 0 where it counts none."""

    folder: str
    what: str
    free: int
    size: int
    free_files: int
    files: int
    read_only: bool
    kind: str
    device: int


def look(patient: Patient) -> list[Finding]:
    places = [(patient.checkout.host_data_dir, "people's files")]
    if patient.engine_version:
        root = capture(["docker", "info", "--format", "{{.DockerRootDir}}"]).out.strip()
        places.append((Path(root), "images, the hub's accounts"))
    disks, found = [], []
    for folder, what in places:
        if os.access(folder, os.X_OK):
            disks.append(_measure(folder, what))
        else:
            found.append(
                skipped(
                    f"{folder} cannot be looked at, so its disk is not judged.",
                    why="It is not there, or closed to this account.",
                    remedy="sudo ./tinyberth doctor disk",
                )
            )
    return judge(disks) + found


def _measure(folder: Path, what: str) -> Disk:
    said = os.statvfs(folder)
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    return Disk(
        str(folder),
        what,
        said.f_bavail * said.f_frsize,
        said.f_blocks * said.f_frsize,
        said.f_favail,
        said.f_files,
        bool(said.f_flag & os.ST_RDONLY),
        file_system(mounts, str(folder.resolve())),
        folder.stat().st_dev,
    )


def file_system(mounts: str, folder: str) -> str:
    """Return the kind of file system of ``folder``, from the text of /proc/self/mounts."""
    kinds = {line.split()[1]: line.split()[2] for line in mounts.splitlines() if line}
    above = [point for point in kinds if f"{folder}/".startswith(f"{point.rstrip('/')}/")]
    return kinds[max(above, key=len)] if above else ""


def judge(disks: list[Disk]) -> list[Finding]:
    """Judge each disk once, however many of the places lie on it."""
    once = {disk.device: disk for disk in reversed(disks)}
    found = [finding for disk in reversed(list(once.values())) for finding in _faults(disk)]
    found += [_ownerless(disk) for disk in disks[:1] if disk.kind in _OWNERLESS]
    free = ", ".join(f"{d.folder} has {_gib(d.free)} free" for d in reversed(list(once.values())))
    return found or ([fine(free)] if disks else [])


def _faults(disk: Disk) -> list[Finding]:
    if disk.read_only:
        return [
            fault(
                "disk_read_only",
                f"the disk of {disk.folder} ({disk.what}) is mounted read-only.",
                why="Nothing can be saved. A kernel does that to a disk with faults, too.",
                remedy="`sudo dmesg | tail -50` says whether it has faults; else mount it rw.",
            )
        ]
    found = []
    if disk.free < _LEAST or disk.free < min(_MUCH, disk.size * _SCARCE):
        found.append(
            fault(
                "disk_full",
                f"the disk of {disk.folder} ({disk.what}) has {_gib(disk.free)} free of "
                f"{_gib(disk.size)}.",
                why="On a full disk nobody saves, and services stop.",
                remedy="`./tinyberth user list` shows who uses how much; `docker system df` what "
                "the engine does, and `docker builder prune` frees what builds left.",
            )
        )
    if disk.files and disk.free_files < disk.files * _SCARCE:
        found.append(
            fault(
                "disk_files",
                f"the disk of {disk.folder} ({disk.what}) has room for {disk.free_files} files "
                f"more, of {disk.files}.",
                why="Without inodes no file can be made, however many bytes are free.",
                remedy=f"`sudo du --inodes -xd2 {disk.folder} | sort -n | tail` finds the many.",
            )
        )
    return found


def _ownerless(disk: Disk) -> Finding:
    return fault(
        "disk_owners",
        f"{disk.folder} lies on {disk.kind}.",
        why="It keeps no Unix owners, on which everybody's privacy rests.",
        remedy="Move DATA_DIR to a file system such as ext4 or xfs.",
    )


def _gib(number: int) -> str:
    return f"{number / 2**30:.1f} GiB"
