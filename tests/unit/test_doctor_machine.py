"""What the doctor says of engine, port, disk, memory and clock, by tables of facts."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tinyberth_launcher.checkout import load_checkout
from tinyberth_launcher.doctor import clock, disk, engine, memory, port
from tinyberth_launcher.doctor.disk import Disk
from tinyberth_launcher.doctor.finding import Finding
from tinyberth_launcher.doctor.patient import Patient
from tinyberth_launcher.doctor.port import Listener

GIB = 2**30


def keys(findings: list[Finding]) -> list[str]:
    return [finding.key for finding in findings]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("26.1.5+dfsg1", "2.26.1-4", "github.com/docker/buildx 0.13.1 x"), ["fine"]),
        (("20.10.24", "2.26.1", "b 0.13.1"), ["engine_old"]),
        (("26.1.5", "2.3.0", "b 0.13.1"), ["compose_old"]),
        (("26.1.5", "", ""), ["compose_old", "buildx_missing"]),
    ],
)
def test_versions(versions, expected) -> None:
    assert keys(engine.versions(*versions)) == expected


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"SecurityOptions": ["name=seccomp,profile=builtin"], "MemoryLimit": True}, []),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, ["engine_kind"]),
        ({"SecurityOptions": ["name=userns"]}, ["engine_kind"]),
        ({"OperatingSystem": "Docker Desktop"}, ["engine_kind"]),
        ({"MemoryLimit": False, "PidsLimit": True}, ["limits_lost"]),
    ],
)
def test_kinds_of_engines(info, expected) -> None:
    assert keys(engine.kind(info)) == expected


@pytest.mark.parametrize(
    ("enabled", "expected"),
    [("enabled", []), ("", []), ("static", []), ("disabled", ["engine_not_enabled"])],
)
def test_an_engine_that_does_not_come_back_after_a_reboot(enabled, expected) -> None:
    assert keys(engine.after_a_reboot(enabled)) == expected


OURS = Listener("127.0.0.1", 10002)


@pytest.mark.parametrize(
    ("found", "proxy_runs", "expected"),
    [
        ([], False, ["fine"]),
        ([OURS], True, ["fine"]),
        ([], True, ["port_silent"]),
        ([Listener("127.0.0.1", 0)], False, ["port_taken"]),
        ([Listener("0.0.0.0", 1000)], True, ["port_taken"]),
        ([OURS], False, ["port_taken"]),  # another deployment's proxy
        ([OURS, Listener("::", 1000)], True, ["port_taken"]),
        ([Listener("0.0.0.0", 10002)], True, ["port_open"]),
    ],
)
def test_who_listens_on_the_port(found, proxy_runs, expected) -> None:
    assert keys(port.judge_port(8000, found, proxy_runs=proxy_runs)) == expected


def test_the_kernels_table_is_read_for_the_one_port() -> None:
    with socket.socket() as one, socket.socket(socket.AF_INET6) as other:
        one.bind(("127.0.0.1", 0))
        number = one.getsockname()[1]
        one.listen()
        other.bind(("::1", number))
        other.listen()
        texts = [Path("/proc/net", name).read_text() for name in ("tcp", "tcp6")]
        found = [listener for text in texts for listener in port.listeners(text, number)]
        assert found == [Listener("127.0.0.1", os.getuid()), Listener("::1", os.getuid())]
    assert port.listeners(Path("/proc/net/tcp").read_text(), number) == []


WELL = Disk("/srv", "files", 50 * GIB, 100 * GIB, 900, 1000, False, "ext4", 1)


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        ([WELL], ["fine"]),
        ([WELL, replace(WELL, folder="/var/lib/docker")], ["fine"]),
        ([replace(WELL, free=GIB)], ["disk_full"]),
        ([replace(WELL, free=4 * GIB)], ["disk_full"]),
        ([replace(WELL, free=25 * GIB, size=4000 * GIB)], ["fine"]),  # 0.6 %, and yet much
        ([replace(WELL, free_files=20)], ["disk_files"]),
        ([replace(WELL, files=0, free_files=0)], ["fine"]),  # btrfs counts none
        ([replace(WELL, read_only=True, free=0)], ["disk_read_only"]),
        ([replace(WELL, kind="exfat")], ["disk_owners"]),
        ([WELL, replace(WELL, device=2, free=GIB)], ["disk_full"]),
        ([replace(WELL, free=0), replace(WELL, folder="/x", free=0)], ["disk_full"]),  # once
        ([], []),
    ],
)
def test_disks(disks, expected) -> None:
    assert keys(disk.judge(disks)) == expected


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    mounts = "a / ext4 rw 0 0\nb /srv xfs rw 0 0\nc /srv/data exfat rw 0 0\nd /srvx tmpfs rw 0 0\n"
    kinds = {folder: disk.file_system(mounts, folder) for folder in ("/srv/data/x", "/srv", "/h")}
    assert kinds == {"/srv/data/x": "exfat", "/srv": "xfs", "/h": "ext4"}


@pytest.mark.parametrize(
    ("available", "limit", "running", "expected"),
    [
        (8, 4, 0, ["fine"]),
        (8, 4, 3, ["fine"]),
        (8, 4, 5, ["memory_promised"]),
        (8, 17, 0, ["memory_limit"]),
        (0.5, 4, 0, ["memory_scarce"]),
    ],
)
def test_memory(available, limit, running, expected) -> None:
    facts = {"MemTotal": 16 * GIB, "MemAvailable": int(available * GIB)}
    assert keys(memory.judge(facts, limit * GIB, running)) == expected


def test_the_kernels_memory_is_read() -> None:
    facts = memory.meminfo("MemTotal:       100 kB\nHugePages_Total:   0\nMemAvailable: 7 kB\n")
    assert facts == {"MemTotal": 102400, "MemAvailable": 7168}


@pytest.mark.parametrize(
    ("times", "kept", "expected"),
    [
        ({"a": 999.0}, True, ["fine"]),
        ({"a": 1100.0}, None, ["fine"]),
        ({"a": 1200.0, "b": 90000.0}, True, ["clock_back"]),
        ({}, False, ["clock_not_kept"]),
    ],
)
def test_the_clock(times, kept, expected) -> None:
    findings = clock.judge(1000.0, times, kept)
    assert keys(findings) == expected
    if expected == ["clock_back"]:
        assert "b was written 25 hours after" in findings[0].what


def test_the_kernel_says_whether_its_clock_is_kept() -> None:
    assert clock._kept() in {True, False}


def test_with_a_unix_door_folder_and_socket_are_judged(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("name: tinyberth\n")
    door = tmp_path / "door"
    patient = Patient(load_checkout(tmp_path, shell={"LISTEN": "unix", "LISTEN_DIR": str(door)}))
    assert patient.settings

    def judge(*, runs: bool) -> list[str]:
        return keys(port.judge_socket(patient, patient.settings, proxy_runs=runs))

    door.touch()
    assert judge(runs=False) == ["listen_dir"]  # a file
    door.unlink()
    door.mkdir()
    if os.geteuid() != 0:
        return
    assert judge(runs=False) == ["listen_dir"]  # root's
    os.chown(door, 10002, -1)
    assert judge(runs=False) == ["fine"]
    assert judge(runs=True) == ["port_silent"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door / "hub.sock"))
        assert judge(runs=True) == ["fine"]
