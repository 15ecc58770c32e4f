"""THREATS A7 and A8: what a person tries from within, with each attack succeeding elsewhere.

The controls run beside: the same image, on the same network and the same file, under the engine's
defaults or without the one thing that stops the attack.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment import Deployment

KMSG = os.makedev(1, 11)
"""The kernel's log: a device that every host has, and that no container may open."""


@pytest.fixture(scope="module")
def quay(deployment: Deployment) -> Deployment:
    """Return the deployment with alice's and bob's servers running."""
    deployment.with_server("alice")
    deployment.with_server("bob")
    return deployment


def image(quay: Deployment) -> str:
    return f"{quay.project}-singleuser:0.1.0"


def user(quay: Deployment, login: str) -> str:
    return str(quay.inspect(quay.container(login))["Config"]["User"])


# ---- system calls ------------------------------------------------------------------------------

CALLS = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
amd64 = platform.machine() == "x86_64"
numbers = {  # of x86_64 and of arm64
    "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "keyctl": (250, 219),
    "add_key": (248, 217), "bpf": (321, 280), "perf_event_open": (298, 241),
    "init_module": (175, 105), "kexec_load": (246, 104), "open_by_handle_at": (304, 265),
    "reboot": (169, 142), "swapon": (167, 224), "userfaultfd": (323, 282),
}
arguments = {
    "unshare": (0x10000000, 0, 0, 0, 0),  # CLONE_NEWUSER
    "keyctl": (0, -3, 1, 0, 0),  # the session's keyring, made if need be
    "add_key": (b"user", b"tinyberth", b"x", 1, -3),
    "userfaultfd": (0, 0, 0, 0, 0),
}
for name, both in numbers.items():
    result = libc.syscall(both[0 if amd64 else 1], *arguments.get(name, (0, 0, 0, 0, 0)))
    print(name, "done" if result >= 0 else os.strerror(ctypes.get_errno()).replace(" ", "-"))
"""


def calls(output: str) -> dict[str, str]:
    return dict(line.split() for line in output.splitlines())


def test_a7_the_default_seccomp_profile_refuses_what_nobody_needs(quay: Deployment) -> None:
    refused = calls(quay.docker("exec", quay.container("alice"), "python", "-c", CALLS).stdout)
    assert set(refused.values()) == {"Operation-not-permitted"}, refused
    assert len(refused) == 13
    # the control: the same user, without the profile alone
    free = calls(
        quay.docker(
            "run", "--rm", "--user", user(quay, "alice"), "--cap-drop=ALL", "--network=none",
            "--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined",
            image(quay), "python", "-c", CALLS,
        ).stdout
    )  # fmt: skip
    assert free["keyctl"] == free["add_key"] == "done", free


def test_a7_no_core_is_written_and_no_limit_can_be_raised(quay: Deployment) -> None:
    tried = "ulimit -Hn; ulimit -Hc; ulimit -c 1000; ulimit -n 1000000; nice -n -5 true"
    answer = quay.as_user("alice", tried, check=False)
    files, cores = answer.stdout.split()
    assert int(files) <= 65536
    assert cores == "0"
    assert answer.stderr.count("cannot modify limit") == 2
    assert "cannot set niceness" in answer.stderr


# ---- raw frames --------------------------------------------------------------------------------

RAW = """
import fcntl, socket, struct
tries = {
    "frames": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
    "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)),
    "raw-ip": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    "raw-icmp": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "hardware-address": lambda: fcntl.ioctl(socket.socket(), 0x8924,  # SIOCSIFHWADDR
        struct.pack("16sH14s", b"eth0", 1, b"\\x02\\x42\\xde\\xad\\xbe\\xef")),
    "address": lambda: fcntl.ioctl(socket.socket(), 0x8916,  # SIOCSIFADDR
        struct.pack("16sHH4s8x", b"eth0", 2, 0, bytes([10, 9, 8, 7]))),
}
for name, attempt in tries.items():
    try:
        attempt()
        print(name, "done")
    except OSError as error:
        print(name, type(error).__name__)
"""
# Tells the victim that the gateway is us: an ARP reply that nobody asked for.
SPOOF = """
import socket, sys
victim, victim_mac, gateway = sys.argv[1:]
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
frames.bind(("eth0", 0))
ours, theirs = frames.getsockname()[4], bytes.fromhex(victim_mac.replace(":", ""))
reply = theirs + ours + bytes.fromhex("0806" "0001" "0800" "0604" "0002") + ours
reply += socket.inet_aton(gateway) + theirs + socket.inet_aton(victim)
for _ in range(20):
    frames.send(reply)
print(ours.hex(":"))
"""


def test_a7_no_raw_frame_leaves_a_users_container(quay: Deployment) -> None:
    tried = calls(quay.docker("exec", quay.container("alice"), "python", "-c", RAW).stdout)
    assert set(tried.values()) == {"PermissionError"}, tried
    assert len(tried) == 6


def test_a7_nobody_answers_in_the_gateways_name(quay: Deployment) -> None:
    """ARP spoofing between two on one bridge, which ICC off does not filter."""
    network = f"{quay.project}_users"
    victim, attacker = (f"{quay.project}-{who}" for who in ("victim", "attacker"))
    try:
        quay.docker(
            "run", "--detach", "--rm", "--name", victim, "--network", network,
            image(quay), "sleep", "300",
        )  # fmt: skip
        link = quay.inspect(victim)["NetworkSettings"]["Networks"][network]
        # it must know the gateway's address before anybody can change its mind
        quay.docker("exec", victim, "curl", "-sm2", f"http://{link['Gateway']}:9", check=False)
        ask = ("exec", victim, "cat", "/proc/net/arp")
        assert link["Gateway"] in quay.docker(*ask).stdout
        target = (link["IPAddress"], link["MacAddress"], link["Gateway"])
        refused = quay.docker(
            "exec", quay.container("alice"), "python", "-c", SPOOF, *target, check=False
        )
        assert "PermissionError" in refused.stderr
        before = quay.docker(*ask).stdout
        # the control: the engine's default capabilities, NET_RAW among them, and root
        theirs = quay.docker(
            "run", "--rm", "--name", attacker, "--network", network, "--user", "0:0",
            image(quay), "python", "-c", SPOOF, *target,
        ).stdout.strip()  # fmt: skip
        assert theirs not in before
        assert theirs in quay.docker(*ask).stdout
    finally:
        quay.docker("rm", "--force", victim, attacker, check=False)


# ---- setuid programs, capabilities in files, devices -------------------------------------------


@pytest.fixture(scope="module")
def planted(quay: Deployment) -> Iterator[Path]:
    """Return a folder of alice's home in which root, on the host, left what could give rights."""
    folder = quay.home("alice") / "planted"
    folder.mkdir(mode=0o755)
    for name in ("bash", "id"):
        program = shutil.which(name)
        assert program
        shutil.copy(program, folder / name)
        (folder / name).chmod(0o6755)  # owner and group are root's
    shutil.copy("/usr/bin/python3", folder / "python3")
    # cap_setuid+ep, as `setcap` writes it: version 2, effective, permitted bit 7
    os.setxattr(
        folder / "python3", "security.capability", struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0)
    )
    os.mknod(folder / "kmsg", stat.S_IFCHR | 0o666, KMSG)
    (folder / "kmsg").chmod(0o666)
    yield folder
    shutil.rmtree(folder)


def gains(script: str, folder: str) -> tuple[str, ...]:
    return ("bash", "-c", script.replace("PLANTED", folder))


SETUID = "PLANTED/bash -p -c 'echo $EUID'; PLANTED/id -u; PLANTED/id -g"
FILE_CAPS = "PLANTED/python3 -c 'import os; os.setuid(0); print(os.getuid())'"
DEVICE = "head -c0 PLANTED/kmsg && echo opened"


def test_a8_setuid_programs_in_a_home_give_nothing(quay: Deployment, planted: Path) -> None:
    uid, gid = user(quay, "alice").split(":")
    container = quay.container("alice")
    own = quay.docker("exec", container, *gains(SETUID, "/home/alice/planted")).stdout
    assert own.split() == [uid, uid, gid]
    # the control: without no-new-privileges and with the engine's capabilities they do
    gained = quay.docker(
        "run", "--rm", "--network=none", "--user", f"{uid}:{gid}",
        "--volume", f"{planted}:/planted", image(quay), *gains(SETUID, "/planted"),
    ).stdout  # fmt: skip
    assert gained.split() == ["0", "0", "0"]


def test_a8_capabilities_in_files_give_nothing(quay: Deployment, planted: Path) -> None:
    container = quay.container("alice")
    own = quay.docker("exec", container, *gains(FILE_CAPS, "/home/alice/planted"), check=False)
    assert own.returncode != 0
    assert "ermi" in own.stderr  # PermissionError, or bash: Operation not permitted
    gained = quay.docker(
        "run", "--rm", "--network=none", "--user", user(quay, "alice"),
        "--volume", f"{planted}:/planted", image(quay), *gains(FILE_CAPS, "/planted"),
    ).stdout  # fmt: skip
    assert gained.strip() == "0"


def test_a8_a_device_in_a_home_cannot_be_opened(quay: Deployment, planted: Path) -> None:
    container = quay.container("alice")
    own = quay.docker("exec", container, *gains(DEVICE, "/home/alice/planted"), check=False)
    assert own.stdout == ""
    assert "ermi" in own.stderr
    made = quay.docker("exec", container, "mknod", "/home/alice/own", "c", "1", "11", check=False)
    assert "Operation not permitted" in made.stderr
    opened = quay.docker(
        "run", "--rm", "--network=none", "--privileged", "--user", "0:0",
        "--volume", f"{planted}:/planted", image(quay), *gains(DEVICE, "/planted"),
    ).stdout  # fmt: skip
    assert opened.strip() == "opened"


def test_a8_no_program_of_the_image_changes_who_one_is(quay: Deployment) -> None:
    search = "find / -xdev -type f -perm /6000 2>/dev/null; command -v sudo su newgrp mount passwd"
    found = quay.as_user("alice", search, check=False).stdout.split()
    for program in found:  # Debian's own are there, without the bits
        tried = quay.docker(
            "exec", quay.container("alice"), "stat", "--format", "%A", program
        ).stdout
        assert "s" not in tried
