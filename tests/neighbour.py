"""A machine beside the host: a network namespace with a wire to it, and who can reach whom.

The namespace is a container's, so that it, its wire and the host's routes to it end with that
container, whose name carries the run's.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from containers import docker
from deployment import wait_until

# Tries all targets at once and prints what became of each, in their order.
_CONNECT = """
import asyncio, json, sys

async def attempt(host, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 2)
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return str(error)
    writer.close()
    return "connected"

async def main(targets):
    print(json.dumps(await asyncio.gather(*(attempt(*target) for target in targets))))

asyncio.run(main(json.loads(sys.argv[1])))
"""
CONNECTED, REFUSED, SILENCE = "connected", "refused", "silence"
METADATA = "169.254.169.254"
HTTP = 80
"""The port on which a neighbour answers, at every address that it has."""


def connect(container: str, targets: dict[str, tuple[str, int]]) -> dict[str, str]:
    """Return what becomes of a connection from ``container`` to each of ``targets``."""
    wanted = json.dumps(list(targets.values()))
    answers = docker("exec", container, "python3", "-c", _CONNECT, wanted).stdout
    return dict(zip(targets, json.loads(answers), strict=True))


def on_host(project: str, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run ``script`` as root in the host's network, as its admin would."""
    return docker(
        *("run", "--rm", "--privileged", "--network", "host", "--pid", "host"),
        *(f"{project}-tests:0.1.0", "sh", "-euc", script),
        check=check,
    )


@dataclass(frozen=True)
class Neighbour:
    """A machine on one wire with the host, with an address of each kind that matters.

    Its addresses follow from the run's name, so that runs beside each other do not meet.
    """

    project: str

    @property
    def container(self) -> str:
        return f"{self.project}-neighbour"

    @property
    def host_wire(self) -> str:
        """The host's end."""
        return f"tbn{self._key}"

    @property
    def _key(self) -> str:
        return self.project.rpartition("-")[2]

    def address(self, kind: str, number: int = 2) -> str:
        """Return an address of ``kind``; number 1 is the host's on the same wire."""
        one, two, three = bytes.fromhex(self._key)
        return {
            "10/8": f"10.{one % 250}.{two}.{number}",
            "100.64/10": f"100.{64 + one % 64}.{two}.{number}",
            "192.168/16": f"192.168.{two}.{three % 31 * 8 + number}",
            "internet": f"203.0.113.{three % 63 * 4 + number}",
            "fd00::/8": f"fd{self._key[:2]}:{self._key[2:]}:1::{number}",
            "internet6": f"2001:db8:{self._key[2:]}:1::{number}",
        }[kind]

    def start(self) -> None:
        docker(
            *("run", "--detach", "--name", self.container, "--network", "none"),
            *("--cap-add", "NET_ADMIN", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0"),
            # So that it can send to the host what it wants to get to the host's 127.0.0.1.
            *("--sysctl", "net.ipv4.conf.all.route_localnet=1"),
            *(f"{self.project}-tests:0.1.0", "python3", "-m", "http.server", "--bind", "::"),
            str(HTTP),
        )
        pid = docker("inspect", "--format", "{{.State.Pid}}", self.container).stdout.strip()
        on_host(
            self.project,
            f"ip link add {self.host_wire} type veth peer name eth0 netns {pid}\n"
            + "".join(f"ip addr add {net} dev {self.host_wire}\n" for net in self._nets(1))
            + f"ip link set {self.host_wire} up\n",
        )
        self.run(
            "".join(f"ip addr add {net} dev eth0 nodad\n" for net in self._nets(2))
            + f"ip addr add {self.address('10/8', 3)}/29 dev eth0\n"
            + f"ip addr add {METADATA}/32 dev eth0\n"
            + "ip link set eth0 up\n"
            + f"ip route add default via {self.address('10/8', 1)}\n"
            + f"ip -6 route add default via {self.address('fd00::/8', 1)}\n"
        )
        ours = {"itself": ("127.0.0.1", HTTP)}
        wait_until(lambda: connect(self.container, ours)["itself"] == CONNECTED, "it listens")

    def run(self, script: str) -> str:
        """Run ``script`` as root of the neighbour."""
        return docker("exec", self.container, "sh", "-euc", script).stdout

    def _nets(self, number: int) -> list[str]:
        lengths = {"internet": 30, "fd00::/8": 64, "internet6": 64}
        kinds = ("10/8", "100.64/10", "192.168/16", "internet", "fd00::/8", "internet6")
        return [f"{self.address(kind, number)}/{lengths.get(kind, 29)}" for kind in kinds]

    @contextlib.contextmanager
    def as_metadata(self) -> Iterator[None]:
        """Lead the host to it when somebody asks for what clouds hand out credentials at.

        There is one such route on a host, so that another run's is waited for.
        """
        route = f"{METADATA}/32 dev {self.host_wire}"
        wait_until(
            lambda: on_host(self.project, f"ip route add {route}", check=False).returncode == 0,
            "no other run has a route to the metadata",
        )
        try:
            yield
        finally:
            on_host(self.project, f"ip route del {route}")


@contextlib.contextmanager
def neighbour(project: str) -> Iterator[Neighbour]:
    """Yield a machine beside the host, and leave no trace of it."""
    machine = Neighbour(project)
    try:
        machine.start()
        yield machine
    finally:
        docker("rm", "--force", machine.container)
