"""``containers/create``: nothing reaches the engine that was not understood (THREATS A6)."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from docker.types import ContainerConfig, HostConfig
from hypothesis import given
from hypothesis import strategies as st

from tinyberth_common.settings import load
from tinyberth_server.errors import RefusedError
from tinyberth_warden.people import Person, Team
from tinyberth_warden.policy import Host, requested_login, resolve_create, resolve_digest
from tinyberth_warden.settings import Wiring

ALICE = Person("alice", 20001, 20001)
IMAGE = "tb-singleuser:0.1.0"
WIRING = Wiring(load({"MEM_LIMIT": "2G"}), "tb", IMAGE, "tb_users", "tb_hub-run")
HOST = Host(PurePosixPath("/srv/tb"), cpus=8, open_files=100_000)
GIB = 2**30


def spawner_sends(**changes):
    """Return the body of docker-py 7 for DockerSpawner 14's call, from docker-py's own code."""
    host_config = HostConfig(
        version="1.44",
        auto_remove=True,
        binds={},
        links={},
        mounts=[],
        mem_limit=GIB,
        cpu_period=100_000,
        cpu_quota=50_000,
        network_mode="tb_users",
    )
    body = ContainerConfig(
        version="1.44",
        image=IMAGE,
        command=None,
        user="20001:20001",
        environment={"JUPYTERHUB_API_TOKEN": "secret", "JUPYTERHUB_USER": "alice"},
        volumes=[],
        ports={"8888/tcp": None},
        labels={"tinyberth.login": "alice"},
        host_config=host_config,
    )
    body = {key: value for key, value in body.items() if value is not None}  # _post_json does
    host_changes = changes.pop("HostConfig", {})
    document = json.loads(json.dumps(body | changes))
    if isinstance(host_changes, dict):
        document["HostConfig"] |= host_changes
    else:
        document["HostConfig"] = host_changes
    return document


def resolve(document, wiring=WIRING, host=HOST):
    requested_login(document)
    return resolve_create(document, ALICE, host, wiring)


def test_what_the_spawner_sends_becomes_a_body_of_our_own():
    assert resolve(spawner_sends()) == {
        "Image": IMAGE,
        "User": "20001:20001",
        "Env": [
            "TZ=UTC",
            "JUPYTERHUB_API_TOKEN=secret",
            "JUPYTERHUB_USER=alice",
            "USER=alice",
            "LOGNAME=alice",
            "TINYBERTH_LOGIN=alice",
            "HOME=/home/alice",
            "SHELL=/bin/bash",
        ],
        "Labels": {
            "tinyberth.login": "alice",
            "tinyberth.deployment": "tb",
            "tinyberth.digest": resolve_digest(ALICE, HOST, WIRING),
        },
        "Hostname": "tb",
        "WorkingDir": "/home/alice",
        "ExposedPorts": {"8888/tcp": {}},
        "StopSignal": "SIGTERM",
        "StopTimeout": 10,
        "HostConfig": {
            "NetworkMode": "tb_users",
            "Mounts": [
                bind("users/alice", "/home/alice", read_only=False),
                bind("datasets", "/datasets"),
                bind("presets", "/opt/tinyberth/presets-site"),
                bind("ledger", "/var/lib/extrausers"),
                {
                    "Type": "volume",
                    "Source": "tb_hub-run",
                    "Target": "/run/tinyberth/hub",
                    "ReadOnly": True,
                    "VolumeOptions": {"NoCopy": True},
                },
            ],
            "GroupAdd": [],
            "Memory": GIB,
            "MemorySwap": GIB,
            "NanoCpus": 500_000_000,
            "PidsLimit": 1024,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": f"rw,nosuid,nodev,size={GIB},mode=1777"},
            "ShmSize": 256 * 2**20,
            "Init": True,
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "Ulimits": [
                {"Name": "nofile", "Soft": 65536, "Hard": 65536},
                {"Name": "core", "Soft": 0, "Hard": 0},
            ],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            "RestartPolicy": {"Name": "no"},
        },
    }


def bind(source, target, *, read_only=True):
    return {
        "Type": "bind",
        "Source": f"/srv/tb/{source}",
        "Target": target,
        "ReadOnly": read_only,
        "BindOptions": {"Propagation": "rprivate", "CreateMountpoint": False},
    }


def test_absent_limits_are_the_limits():
    document = spawner_sends()
    document["HostConfig"] = {"NetworkMode": "tb_users"}
    built = resolve(document)["HostConfig"]
    assert (built["Memory"], built["NanoCpus"]) == (2 * GIB, 2 * 10**9)


def test_a_limit_above_the_hosts_cpus_is_the_hosts_cpus():
    one = Host(HOST.data, cpus=1, open_files=4096)
    document = spawner_sends(HostConfig={"CpuQuota": 200_000})
    built = resolve(document, host=one)["HostConfig"]
    assert built["NanoCpus"] == 10**9
    assert built["Ulimits"][0]["Hard"] == 4096


@pytest.mark.parametrize(
    "host_config",
    [
        {"Memory": 2 * GIB},
        {"Memory": 64 * 2**20},
        {"CpuQuota": 200_000},
        {"CpuQuota": 0, "CpuPeriod": 0, "NanoCpus": 2 * 10**9},
        {"CpuQuota": 100_000, "CpuPeriod": 50_000},
        {"CpuQuota": 100_000, "CpuPeriod": None},
        {"MemorySwap": GIB, "ReadonlyRootfs": True, "Init": True, "CapDrop": ["ALL"]},
        {"Binds": None, "Mounts": [], "Privileged": False, "CapAdd": [], "PidMode": ""},
    ],
)
def test_what_is_allowed(host_config):
    resolve(spawner_sends(HostConfig=host_config))


REFUSED = [
    ({"Image": "debian"}, "Image"),
    ({"Image": f"{IMAGE}@sha256:0"}, "Image"),
    ({"Image": [IMAGE]}, "Image"),
    ({"Image": None}, "Image"),
    ({"User": "0:0"}, "User"),
    ({"User": ""}, "User"),
    ({"User": "20001"}, "User"),
    ({"User": "20001:20001:0"}, "User"),
    ({"User": "20002:20002"}, "User"),
    ({"User": "20001:0"}, "User"),
    ({"User": "alice"}, "User"),
    ({"User": 20001}, "User"),
    ({"user": "0:0"}, "'user'"),
    ({"hostconfig": {"Privileged": True}}, "'hostconfig'"),
    ({"Cmd": ["sh"]}, "Cmd"),
    ({"Entrypoint": ["sh"]}, "Entrypoint"),
    ({"Entrypoint": [""]}, "Entrypoint"),
    ({"WorkingDir": "/"}, "WorkingDir"),
    ({"Volumes": {"/etc": {}}}, "Volumes"),
    ({"NetworkingConfig": {"EndpointsConfig": {"bridge": {}}}}, "NetworkingConfig"),
    ({"NetworkDisabled": True}, "NetworkDisabled"),
    ({"MacAddress": "02:42:ac:11:00:02"}, "MacAddress"),
    ({"Healthcheck": {"Test": ["CMD", "sh"]}}, "Healthcheck"),
    ({"Runtime": "runc"}, "Runtime"),
    ({"StopSignal": "SIGKILL"}, "StopSignal"),
    ({"Tty": True}, "Tty"),
    ({"Tty": 1}, "Tty"),
    ({"AttachStdin": True}, "AttachStdin"),
    ({"AttachStdout": 1}, "AttachStdout"),
    ({"OpenStdin": True}, "OpenStdin"),
    ({"Shell": ["/bin/sh"]}, "Shell"),
    ({"OnBuild": ["RUN x"]}, "OnBuild"),
    ({"ExposedPorts": {"22/tcp": None}}, "ExposedPorts"),
    ({"ExposedPorts": {"8888/tcp": None, "22/tcp": None}}, "ExposedPorts"),
    ({"ExposedPorts": {"8888/tcp": {"x": 1}}}, "ExposedPorts"),
    ({"Labels": {}}, "Labels"),
    ({"Labels": None}, "Labels"),
    ({"Labels": ["tinyberth.login"]}, "Labels"),
    ({"Labels": {"tinyberth.login": ["alice"]}}, "Labels"),
    ({"Labels": {"tinyberth.login": "alice", "x": "y"}}, "Labels"),
    ({"Labels": {"tinyberth.login": "alice", "tinyberth.digest": "0"}}, "Labels"),
    ({"Labels": {"tinyberth.login": "alice", "tinyberth.deployment": "tb"}}, "Labels"),
    ({"HostConfig": []}, ""),
    ({"HostConfig": [1]}, "HostConfig"),
    ({"HostConfig": "x"}, "HostConfig"),
    *(
        ({"HostConfig": {key: value}}, f"HostConfig.{key}")
        for key, value in [
            ("Binds", ["/:/host"]),
            ("Mounts", [{"Type": "bind", "Source": "/", "Target": "/host"}]),
            ("VolumesFrom", ["tb-warden-1"]),
            ("Privileged", True),
            ("Privileged", 1),
            ("privileged", True),
            ("PRIVILEGED", True),
            ("CapAdd", ["SYS_ADMIN"]),
            ("CapDrop", ["NET_RAW"]),
            ("SecurityOpt", ["seccomp=unconfined"]),
            ("SecurityOpt", ["no-new-privileges", "apparmor=unconfined"]),
            ("Devices", [{"PathOnHost": "/dev/sda"}]),
            ("DeviceRequests", [{"Count": -1}]),
            ("DeviceCgroupRules", ["a *:* rwm"]),
            ("NetworkMode", "host"),
            ("NetworkMode", "default"),
            ("NetworkMode", "container:tb-warden-1"),
            ("PidMode", "host"),
            ("IpcMode", "host"),
            ("IpcMode", "shareable"),
            ("UTSMode", "host"),
            ("UsernsMode", "host"),
            ("CgroupnsMode", "host"),
            ("CgroupParent", "/"),
            ("Cgroup", "x"),
            ("Sysctls", {"kernel.core_pattern": "|/x"}),
            ("Runtime", "kata"),
            ("PortBindings", {"8888/tcp": [{"HostPort": "80"}]}),
            ("PublishAllPorts", True),
            ("RestartPolicy", {"Name": "always"}),
            ("AutoRemove", 1),
            ("AutoRemove", "true"),
            ("ReadonlyRootfs", 1),
            ("Tmpfs", {"/home": ""}),
            ("StorageOpt", {"size": "1T"}),
            ("LogConfig", {"Type": "syslog"}),
            ("Ulimits", [{"Name": "nofile", "Soft": -1, "Hard": -1}]),
            ("OomScoreAdj", -1000),
            ("OomKillDisable", True),
            ("PidsLimit", -1),
            ("ShmSize", 2**40),
            ("MemorySwap", -1),
            ("MemorySwappiness", 100),
            ("MemoryReservation", 1),
            ("ExtraHosts", ["hub.localhost:1.2.3.4"]),
            ("Dns", ["1.2.3.4"]),
            ("Links", ["tb-proxy:proxy"]),
            ("GroupAdd", ["0"]),
            ("MaskedPaths", [""]),
            ("ReadonlyPaths", ["/x"]),
            ("Isolation", "hyperv"),
            ("Annotations", {"x": "y"}),
            ("ContainerIDFile", "/x"),
            ("8888/tcp", {"8888/tcp": None}),
        ]
    ),
    *(
        ({"HostConfig": {"Memory": value}}, "HostConfig.Memory")
        for value in (2 * GIB + 1, 1, -1, 2**63, "1G", [1], True, {"a": 1})
    ),
    *(
        ({"HostConfig": {"CpuQuota": value}}, "CpuQuota" if value != 200_001 else "NanoCpus")
        for value in (200_001, -1, "max", True)
    ),
    ({"HostConfig": {"NanoCpus": 10**9}}, "CpuQuota"),
    ({"HostConfig": {"CpuQuota": None, "NanoCpus": 2 * 10**9 + 1}}, "NanoCpus"),
    ({"HostConfig": {"CpuPeriod": 1}}, "NanoCpus"),
    *(
        ({"Env": value}, "Env")
        for value in (
            "A=b",
            {"A": "b"},
            [1],
            [["A=b"]],
            ["A"],
            ["=b"],
            ["1A=b"],
            ["A B=c"],
            ["A=\0"],
            ["A\n=b"],
            ["A=1", "A=2"],
            ["PATH=/home/alice/bin"],
            ["LD_PRELOAD=/home/alice/x.so"],
            ["PYTHONPATH=/home/alice"],
            ["HOME=/root"],
            ["USER=root"],
            ["TINYBERTH_LOGIN=bob"],
            ["TINYBERTH_ANYTHING=x"],
            ["A=" + "x" * 131_072],
            [f"A{number}=" for number in range(257)],
        )
    ),
]


@pytest.mark.parametrize(
    ("changes", "names"), REFUSED, ids=[json.dumps(c)[:60] for c, _ in REFUSED]
)
def test_what_is_refused_is_named(changes, names):
    if changes == {"HostConfig": []}:
        assert resolve(spawner_sends(**changes)), "empty is absent"
        return
    with pytest.raises(RefusedError) as refused:
        resolve(spawner_sends(**changes))
    assert refused.value.status == 403
    assert names in refused.value.message
    assert len(refused.value.message) < 300
    assert "secret" not in refused.value.message


def wiring(image=IMAGE, network="tb_users", volume="tb_hub-run", **settings):
    return Wiring(load({"MEM_LIMIT": "2G"} | settings), "tb", image, network, volume)


NLP, VISION = Team("nlp", 30000), Team("vision", 30001)
OTHERWISE = {
    "uid": (replace(ALICE, uid=20002), HOST, WIRING),
    "gid": (replace(ALICE, gid=20002), HOST, WIRING),
    "login": (replace(ALICE, login="alicia"), HOST, WIRING),
    "a team": (replace(ALICE, teams=(NLP,)), HOST, WIRING),
    "another team": (replace(ALICE, teams=(VISION,)), HOST, WIRING),
    "two teams": (replace(ALICE, teams=(NLP, VISION)), HOST, WIRING),
    "a team of that name again": (replace(ALICE, teams=(replace(NLP, gid=30002),)), HOST, WIRING),
    "data/ elsewhere": (ALICE, replace(HOST, data=PurePosixPath("/srv/other")), WIRING),
    "fewer CPUs": (ALICE, replace(HOST, cpus=1), WIRING),
    "fewer open files": (ALICE, replace(HOST, open_files=4096), WIRING),
    **{
        f"{key}={value}": (ALICE, HOST, wiring(**{key: value}))
        for key, value in {
            "MEM_LIMIT": "1G",
            "CPU_LIMIT": "1.5",
            "PIDS_LIMIT": "100",
            "TMP_SIZE": "64M",
            "TIMEZONE": "Europe/Berlin",
            "image": "x",
            "network": "x",
            "volume": "x",
        }.items()
    },
}


def test_one_digest_for_what_is_made_alike_and_another_for_each_difference():
    """Whatever the hub chose; it is the label of the built body, and nobody else can set it."""
    digests = [resolve_digest(*given) for given in ((ALICE, HOST, WIRING), *OTHERWISE.values())]
    assert len(set(digests)) == len(OTHERWISE) + 1, dict(zip(OTHERWISE, digests[1:], strict=True))
    assert resolve_digest(replace(ALICE), replace(HOST), wiring()) == digests[0]
    for asked in ({}, {"HostConfig": {"Memory": GIB // 2}}, {"Env": ["A=b"]}):
        assert resolve(spawner_sends(**asked))["Labels"]["tinyberth.digest"] == digests[0]


def test_the_time_zone_is_the_deployments_unless_the_hub_chose_one_for_the_person():
    settings = load({"TIMEZONE": "Europe/Berlin"})
    wiring = Wiring(settings, "tb", IMAGE, "tb_users", "tb_hub-run")
    assert "TZ=Europe/Berlin" in resolve(spawner_sends(Env=[]), wiring)["Env"]
    chosen = resolve(spawner_sends(Env=["TZ=Asia/Tokyo"]), wiring)["Env"]
    assert [item for item in chosen if item.startswith("TZ=")] == ["TZ=Asia/Tokyo"]


def test_our_own_variables_may_be_repeated_as_they_are():
    built = resolve(spawner_sends(Env=["HOME=/home/alice", "A=b=c\nd"]))
    assert built["Env"].count("HOME=/home/alice") == 1
    assert "A=b=c\nd" in built["Env"]


names = st.sampled_from(
    [
        *("Privileged", "privileged", "Binds", "Mounts", "CapAdd", "HostConfig", "hostconfig"),
        *("User", "Image", "Env", "Labels", "Memory", "NetworkMode", "AutoRemove", "Cmd", "x"),
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**40)
    | st.sampled_from(["", "host", IMAGE, "20001:20001", "tb_users", "A=b", "/:/host"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
CHOSEN = {"Env", "Memory", "MemorySwap", "NanoCpus"}


@given(st.dictionaries(names, values, max_size=5), st.dictionaries(names, values, max_size=5))
def test_whatever_is_asked_only_chosen_values_differ(changes, host_changes):
    """The built body is the same for any request that is let through, up to four values."""
    plain = resolve(spawner_sends())
    document = spawner_sends()
    document.update(changes)
    if isinstance(document.get("HostConfig"), dict):
        document["HostConfig"].update(host_changes)
    asked = copy.deepcopy(document)
    try:
        built = resolve(document)
    except RefusedError:
        return
    assert document == asked, "the request is not changed"
    for ours, expected in ((built, plain), (built["HostConfig"], plain["HostConfig"])):
        assert ours.keys() == expected.keys()
        for key in ours.keys() - CHOSEN - {"HostConfig"}:
            assert ours[key] == expected[key]
    assert 64 * 2**20 <= built["HostConfig"]["Memory"] <= 2 * GIB
    assert 0 < built["HostConfig"]["NanoCpus"] <= 2 * 10**9
