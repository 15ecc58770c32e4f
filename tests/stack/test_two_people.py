"""Two people, two uids, and every file on the host is its writer's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deployment import Deployment
from kernels import Kernel

# A package that needs no index: the machine may have none.
TINY_WHEEL = """
import zipfile
with zipfile.ZipFile("berthdemo-1-py3-none-any.whl", "w") as wheel:
    info = "berthdemo-1.dist-info/"
    wheel.writestr("berthdemo.py", "ANSWER = 42")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: berthdemo\\nVersion: 1\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "")
"""


@pytest.fixture(scope="module")
def pair(deployment: Deployment) -> Deployment:
    """Return the deployment with alice's and bob's servers running."""
    deployment.with_server("alice")
    deployment.with_server("bob")
    return deployment


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def ids(deployment: Deployment, login: str) -> tuple[int, int]:
    uid, gid = deployment.as_user(login, "id -u; id -g").stdout.split()
    return int(uid), int(gid)


def test_each_has_a_uid_of_the_range_and_a_private_group(pair: Deployment) -> None:
    alice, bob = ids(pair, "alice"), ids(pair, "bob")
    assert alice != bob
    for uid, gid in (alice, bob):
        assert 20000 < uid == gid <= 29999


@pytest.mark.parametrize("login", ["alice", "bob"])
def test_files_are_their_writers_on_the_host(pair: Deployment, login: str) -> None:
    pair.as_user(login, "echo mine > written; mkdir -p a/b; touch a/b/c; ln -sf written link")
    uid_gid = ids(pair, login)
    for name in ["", "written", "a", "a/b", "a/b/c", "link", "notebooks"]:
        assert owner(pair.home(login) / name) == uid_gid, name
    assert pair.home(login).stat().st_mode & 0o7777 == 0o700
    assert (pair.home(login) / "written").stat().st_mode & 0o7777 == 0o664  # umask 0002


def test_a_kernel_writes_as_its_user_too(pair: Deployment) -> None:
    kernel = Kernel(pair.people["bob"])
    printed = kernel.run(
        "import os, getpass; open('by-kernel', 'w').write('x'); print(os.getuid(), os.getgid(), "
        "getpass.getuser(), os.path.expanduser('~'), oct(os.umask(0o002)))"
    )
    uid, gid = ids(pair, "bob")
    assert printed.split() == [str(uid), str(gid), "bob", "/home/bob", "0o2"]
    (written,) = pair.home("bob").rglob("by-kernel")
    assert owner(written) == (uid, gid)


def test_the_terminal_knows_who_it_is(pair: Deployment) -> None:
    uid, gid = ids(pair, "alice")
    printed = pair.as_user("alice", "whoami; id; echo $HOME $USER ~ ~bob; umask; ls -ld ~").stdout
    lines = printed.splitlines()
    assert lines[0] == "alice"
    assert lines[1] == f"uid={uid}(alice) gid={gid}(alice) groups={gid}(alice)"
    assert lines[2] == "/home/alice alice /home/alice /home/bob"
    assert lines[3] == "0002"
    assert lines[4].split()[2:4] == ["alice", "alice"]


def test_neither_sees_the_others_files_nor_mount(pair: Deployment) -> None:
    assert pair.as_user("alice", "ls /home").stdout.split() == ["alice"]
    assert pair.as_user("bob", "ls ~alice", check=False).returncode != 0


def test_a_home_is_closed_to_the_other_even_as_files_on_the_host(pair: Deployment) -> None:
    uid, gid = ids(pair, "bob")
    for target in [pair.home("alice"), pair.home("alice") / "notebooks"]:
        listing = subprocess.run(
            ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "ls", str(target)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Permission denied" in listing.stderr


def test_datasets_and_ledger_are_read_only(pair: Deployment) -> None:
    for path in ["/datasets/x", "/datasets/disaster-tweets/x", "/var/lib/extrausers/x", "/opt/x"]:
        refused = pair.as_user("alice", f"touch {path}", check=False)
        assert "Read-only file system" in refused.stderr
    assert pair.as_user("alice", "head -1 /datasets/disaster-tweets/sample.csv").stdout.startswith(
        "id,keyword,location,text,target"
    )


def test_a_users_container_has_no_right_that_it_does_not_need(pair: Deployment) -> None:
    model = pair.inspect(pair.container("alice"))
    host = model["HostConfig"]
    uid, gid = ids(pair, "alice")
    assert model["Config"]["User"] == f"{uid}:{gid}"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"]
    assert host["PidsLimit"] == 1024
    assert host["Memory"] == host["MemorySwap"] == 4 * 2**30
    assert not host["PortBindings"]
    assert not host["Privileged"]
    assert host["LogConfig"]["Config"]["max-size"]
    assert not any("docker.sock" in mount["Source"] for mount in model["Mounts"])
    status = pair.as_user("alice", "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/1/status").stdout
    assert {line.split()[1] for line in status.splitlines()} == {"0" * 16}
    assert pair.as_user("alice", "grep -E '^Uid|^Gid' /proc/1/status").stdout.split()[1:5] == (
        [str(uid)] * 4
    )


def test_a2_one_container_does_not_reach_the_other(pair: Deployment) -> None:
    """THREATS A2: no connection between users' containers; with the control that it listens."""
    networks = pair.inspect(pair.container("bob"))["NetworkSettings"]["Networks"]
    (address,) = (network["IPAddress"] for network in networks.values())
    attempt = f"curl --silent --max-time 3 http://{address}:8888/user/bob/api"
    assert '"version"' in pair.as_user("bob", attempt).stdout
    assert pair.as_user("alice", attempt, check=False).returncode == 28  # timed out


def test_git_knows_the_name_and_commits(pair: Deployment) -> None:
    script = "rm -rf repo; git init -q repo; cd repo; touch f; git add f; git commit -qm first"
    assert pair.as_user("alice", script).stderr == ""
    log = pair.as_user("alice", "git -C repo log --format='%an %ae'").stdout
    assert log.strip() == "alice alice@hub.localhost"


def test_starter_notebooks_are_delivered_as_the_user(pair: Deployment) -> None:
    (notebook,) = (pair.home("alice") / "notebooks").glob("*TinyBERT.ipynb")
    assert owner(notebook) == ids(pair, "alice")


def test_what_they_install_survives_a_stop_and_a_start(pair: Deployment) -> None:
    (pair.home("alice") / "make_wheel.py").write_text(TINY_WHEEL, encoding="ascii")
    pair.as_user("alice", "python make_wheel.py && pip install --quiet --user --no-index *.whl")
    pair.as_user("alice", "uv venv --quiet ~/venv && uv pip install --quiet -p ~/venv *.whl")
    alice = pair.people["alice"]
    alice.stop_server()
    alice.start_server()
    ask = "import berthdemo; print(berthdemo.ANSWER)"
    assert pair.as_user("alice", f"python -c '{ask}'").stdout == "42\n"
    assert pair.as_user("alice", f"~/venv/bin/python -c '{ask}'").stdout == "42\n"
    assert Kernel(alice).run(ask) == "42\n"
