"""THREATS A7: every user container against the CIS Docker Benchmark, section 5.

The numbers are those of the benchmark's versions 1.2 to 1.5; since 1.6 each is one higher,
because Swarm mode, which we do not use, became 5.1. Titles are in our words. A control that no
setting of a container can show has the reason here instead of a check.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from deployment import Deployment
from jupyter_terminal import JupyterTerminal
from kernels import Kernel

Model = Mapping[str, Any]


class Engine(NamedTuple):
    """What of the machine and the deployment decides whether a control is met."""

    security: str
    image: str
    network: str
    data: str
    hub_run: str


Check = Callable[[Model, Engine], object]


def host(key: str, *allowed: Any) -> Check:
    """Return a check that a value of HostConfig is one of these."""
    return lambda model, _: model["HostConfig"][key] in allowed


def apparmor(model: Model, engine: Engine) -> bool:
    return model["AppArmorProfile"] == ("docker-default" if "apparmor" in engine.security else "")


def own_mounts(model: Model, engine: Engine) -> bool:
    """Tell whether all that is mounted lies in data/, or is the hub's socket, read-only."""
    return all(
        mount["Source"].startswith(f"{engine.data}/")
        or (mount.get("Name"), mount["RW"]) == (engine.hub_run, False)
        for mount in model["Mounts"]
    )


def memory(model: Model, _: Engine) -> bool:
    limits = model["HostConfig"]
    return 0 < limits["Memory"] == limits["MemorySwap"]  # no swap beside it


def open_files(model: Model, _: Engine) -> bool:
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in model["HostConfig"]["Ulimits"] or []}
    files = limits.get("nofile", (0, 0))
    return 0 < files[0] == files[1] <= 65536 and limits.get("core") == (0, 0)


def no_ports(model: Model, _: Engine) -> bool:
    """Tell whether nothing is published: then no port is privileged, and no interface open."""
    published = any((model["NetworkSettings"]["Ports"] or {}).values())
    asked = model["HostConfig"]["PortBindings"] or model["HostConfig"]["PublishAllPorts"]
    return not (published or asked)


def default_seccomp(model: Model, engine: Engine) -> bool:
    options = [*(model["HostConfig"]["SecurityOpt"] or []), engine.security]
    named = sum("seccomp" in word for word in options)
    return named == 1 and "seccomp" in engine.security and not model["HostConfig"]["Privileged"]


def private_mounts(model: Model, _: Engine) -> bool:
    return all(mount.get("Propagation", "") in {"", "rprivate"} for mount in model["Mounts"])


def latest_image(model: Model, engine: Engine) -> bool:
    return bool(model["Image"] == engine.image)


def users_network(model: Model, engine: Engine) -> bool:
    return list(model["NetworkSettings"]["Networks"]) == [engine.network]


NO_EXEC = "the warden, alone with the engine's socket, knows no exec: test_warden_refusals.py"
CONTROLS: Mapping[str, tuple[str, Check | str]] = {
    "5.1": ("an AppArmor profile, where the host has AppArmor", apparmor),
    "5.2": ("SELinux options, where the host has SELinux",
            "labels on people's files are not promised (docs/security.md); never switched off, "
            "because SecurityOpt holds no-new-privileges alone (5.25)"),
    "5.3": ("no capability beyond what is needed", lambda model, _:
            (model["HostConfig"]["CapDrop"], model["HostConfig"]["CapAdd"]) == (["ALL"], None)),
    "5.4": ("not privileged", host("Privileged", False)),
    "5.5": ("no directory of the host's own", own_mounts),
    "5.6": ("no sshd inside",
            "looked for among the processes: test_a7_inside…; the image has none"),
    "5.7": ("no privileged port mapped", no_ports),
    "5.8": ("no port open that is not needed",
            lambda model, _: list(model["Config"]["ExposedPorts"]) == ["8888/tcp"]),
    "5.9": ("not the host's network",
            lambda model, _: model["HostConfig"]["NetworkMode"] not in {"host", "default"}),
    "5.10": ("a limit of memory", memory),
    "5.11": ("a share of the CPUs", lambda model, _: model["HostConfig"]["NanoCpus"] > 0),
    "5.12": ("a read-only root", host("ReadonlyRootfs", True)),
    "5.13": ("incoming traffic at one interface of the host only", no_ports),
    "5.14": ("no restart without end", host("RestartPolicy",
             {"Name": "no", "MaximumRetryCount": 0})),
    "5.15": ("not the host's processes", host("PidMode", "")),
    "5.16": ("not the host's shared memory", host("IpcMode", "private")),
    "5.17": ("no device of the host's", lambda model, _: not any(
             model["HostConfig"][key]
             for key in ("Devices", "DeviceRequests", "DeviceCgroupRules"))),
    "5.18": ("limits of open files and core dumps of its own", open_files),
    "5.19": ("no mount that spreads to the host", private_mounts),
    "5.20": ("not the host's name", host("UTSMode", "")),
    "5.21": ("the default seccomp profile", default_seccomp),
    "5.22": ("no privileged exec", NO_EXEC),
    "5.23": ("no exec as root", NO_EXEC),
    "5.24": ("in the engine's own cgroup", lambda model, _:
             (model["HostConfig"]["CgroupParent"], model["HostConfig"]["CgroupnsMode"])
             == ("", "private")),
    "5.25": ("no new privileges", host("SecurityOpt", ["no-new-privileges"])),
    "5.26": ("health looked at while it runs",
             "the hub asks every server and forgets one that ended (JupyterHub's poll_interval)"),
    "5.27": ("the present image", latest_image),
    "5.28": ("a limit of processes",
             lambda model, _: 0 < (model["HostConfig"]["PidsLimit"] or 0) <= 4096),
    "5.29": ("not the engine's default bridge", users_network),
    "5.30": ("not the host's user namespace, where containers have one",
             host("UsernsMode", "")),
    "5.31": ("no socket of the engine's", lambda model, _: not any(
             "docker" in mount["Source"].rsplit("/", 1)[-1] for mount in model["Mounts"])),
}  # fmt: skip


@pytest.fixture(scope="module")
def harbour(deployment: Deployment) -> Deployment:
    """Return the deployment with two servers; one has a kernel and is in a team."""
    deployment.with_server("alice")
    deployment.with_server("bob")
    return deployment


@pytest.fixture(scope="module")
def engine(harbour: Deployment) -> Engine:
    image = f"{harbour.project}-singleuser:0.1.0"
    return Engine(
        security=harbour.docker("info", "--format", "{{.SecurityOptions}}").stdout,
        image=harbour.docker("image", "inspect", "--format", "{{.Id}}", image).stdout.strip(),
        network=f"{harbour.project}_users",
        data=str(harbour.host_data_dir),
        hub_run=f"{harbour.project}_hub-run",
    )


@pytest.fixture(scope="module")
def containers(harbour: Deployment) -> list[dict[str, Any]]:
    """Return every user container of the deployment that runs, whoever started it."""
    label = f"label=tinyberth.deployment={harbour.project}"
    names = harbour.docker("ps", "--filter", label, "--format", "{{.Names}}").stdout.split()
    assert {harbour.container("alice"), harbour.container("bob")} <= set(names)
    return [harbour.inspect(name) for name in names]


def test_a7_the_table_has_every_control_of_section_5() -> None:
    assert list(CONTROLS) == [f"5.{number}" for number in range(1, 32)]


@pytest.mark.parametrize("number", [n for n, (_, check) in CONTROLS.items() if callable(check)])
def test_a7_every_user_container_meets(
    containers: list[dict[str, Any]], engine: Engine, number: str
) -> None:
    title, check = CONTROLS[number]
    assert callable(check)
    failing = [model["Name"] for model in containers if not check(model, engine)]
    assert not failing, f"{number} {title}"


# The control. What `docker create` makes without our options fails these,
BARE = {"5.10", "5.11", "5.12", "5.18", "5.25", "5.28"}
# and each careless option fails these besides.
CARELESS = {
    "--label=careful": set(),
    "--privileged": {"5.4", "5.21"},
    "--cap-add=NET_RAW": {"5.3"},
    "--mount=type=bind,source=/etc,target=/host,bind-propagation=shared": {"5.5", "5.19"},
    "--network=host": {"5.9", "5.29"},
    "--publish=127.0.0.1::8888": {"5.7", "5.13"},
    "--expose=22": {"5.8"},
    "--restart=always": {"5.14"},
    "--pid=host": {"5.15"},
    "--ipc=host": {"5.16"},
    "--device=/dev/null": {"5.17"},
    "--uts=host": {"5.20"},
    "--security-opt=seccomp=unconfined": {"5.21"},
    "--cgroupns=host": {"5.24"},
    "--userns=host": {"5.30"},
    "--volume=/var/run/docker.sock:/var/run/docker.sock": {"5.5", "5.31"},
}


@pytest.mark.parametrize("option", CARELESS)
def test_a7_the_table_sees_a_careless_container(
    harbour: Deployment, engine: Engine, option: str
) -> None:
    name = f"{harbour.project}-careless"
    network = [] if option == "--network=host" else ["--network", engine.network]
    harbour.docker(
        "create", "--name", name, "--cap-drop=ALL", *network,
        *([] if option.startswith("--cgroupns") else ["--cgroupns=private"]),
        *([] if option.startswith("--ipc") else ["--ipc=private"]),
        option, f"{harbour.project}-singleuser:0.1.0",
    )  # fmt: skip
    try:
        model = harbour.inspect(name)
    finally:
        harbour.docker("rm", "--force", name)
    checks = {number: check for number, (_, check) in CONTROLS.items() if callable(check)}
    failing = {number for number, check in checks.items() if not check(model, engine)}
    assert failing == BARE | CARELESS[option]


# ---- the same, from inside ---------------------------------------------------------------------

PROCESSES = """
import json, pathlib
found = []
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    lines = dict(line.split(":\\t", 1) for line in status.read_text().splitlines())
    command = (status.parent / "cmdline").read_bytes().decode().replace("\\0", " ")
    found.append({**lines, "command": command})
print(json.dumps(found))
"""


def test_a7_inside_no_process_has_a_capability_or_can_gain_one(harbour: Deployment) -> None:
    kernel = Kernel(harbour.people["alice"])  # noqa: F841 -- its process is what is looked for
    terminal = JupyterTerminal(harbour.people["alice"])
    terminal.run("echo A$((40 + 2))B", until="A42B")
    container = harbour.container("alice")
    processes = json.loads(harbour.docker("exec", container, "python", "-c", PROCESSES).stdout)
    uid = str(harbour.inspect(container)["Config"]["User"]).split(":")[0]
    for process in processes:
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert process[kind] == "0" * 16, process
        assert process["NoNewPrivs"] == "1", process
        assert process["Seccomp"] == "2", process
        assert set(process["Uid"].split()) == {uid}, process
        assert "sshd" not in process["command"]  # 5.6
    commands = " ".join(process["command"] for process in processes)
    for part in ("docker-init", "tinyberth_start", "ipykernel_launcher", "terminal.bash"):
        assert part in commands


def test_a7_inside_what_is_writable_is_sized_and_gains_nothing(harbour: Deployment) -> None:
    lines = harbour.as_user("alice", "cat /proc/mounts").stdout.splitlines()
    mounts = {line.split()[1]: line.split() for line in lines}
    assert "ro" in mounts["/"][3].split(",")
    sizes = {"/tmp": 2**30, "/dev/shm": 2**28}
    for path, size in sizes.items():
        options = mounts[path][3].split(",")
        assert {"rw", "nosuid", "nodev", "noexec", f"size={size // 1024}k"} <= set(options)
    writable = {
        path for path, (_, _, kind, options, *_) in mounts.items()
        if "rw" in options.split(",") and kind not in {"proc", "cgroup2", "mqueue", "devpts"}
    }  # fmt: skip
    # /dev and the covers of /proc are root's, 0755; what else is there belongs to the person
    opened = harbour.as_user(
        "alice", f"for p in {' '.join(sorted(writable))}; do test -w $p -a -d $p && echo $p; done",
        check=False,
    ).stdout.split()  # fmt: skip
    teams = {path for path in writable if path.startswith("/teams/")}
    assert set(opened) == {"/home/alice", "/tmp", "/dev/shm"} | teams


def test_a7_inside_the_kernels_secrets_are_covered(harbour: Deployment) -> None:
    model = harbour.inspect(harbour.container("alice"))["HostConfig"]
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware"} <= set(model["MaskedPaths"])
    assert {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq"} <= set(model["ReadonlyPaths"])
    tried = harbour.as_user(
        "alice",
        "ls -A /sys/firmware; cat /proc/keys /proc/timer_list; head -c1 /proc/kcore; "
        "echo 1 > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger",
        check=False,
    )
    assert tried.stdout == ""  # covered by nothing, or not there in this kernel at all
    assert "core_pattern: Read-only file system" in tried.stderr
