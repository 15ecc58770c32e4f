"""The two hubs that bench/spawn.py compares: how each is started, and who comes to it."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from browsers import Browser
from own_deployment import ROOT, OwnDeployment, free_port
from people import Hub
from tinyberth_launcher.command import capture
from tinyberth_launcher.problem import Problem
from tinyberth_launcher.steps import Step

_START_SECONDS = 60.0


class Client:
    """The process that plays the people: spawn_client.py in a container of the hub's image."""

    def __init__(self, project: str) -> None:
        self._process = subprocess.Popen(
            [
                *("docker", "run", "--rm", "--interactive", "--init", "--network", "host"),
                *("--name", f"{project}-client", "--volume", f"{ROOT}:{ROOT}:ro"),
                *("--env", f"PYTHONPATH={ROOT}/tests", "--env", "PYTHONDONTWRITEBYTECODE=1"),
                *(f"{project}-hub:0.1.0", "python", f"{ROOT}/bench/spawn_client.py"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, who then remove its container
        )

    def do(self, what: str, **asked: Any) -> Any:
        """Let the people do something and return their answer."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"do": what, **asked}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise Problem(
                f"The bench's client ended while it should {what}.",
                why="Its last lines stand above: an error of the bench or of a hub.",
                remedy="Run the same command again.",
            )
        return json.loads(answer)


@dataclass(frozen=True)
class Stack:
    """A hub that runs, as the client and the measuring see it."""

    hub: dict[str, str]
    """Its url, an admin's token, and where NAME's server is."""
    container_prefix: str
    services: tuple[str, ...]
    """Containers of the hub's side: all that works for a server but the server itself."""

    def container(self, name: str) -> str:
        return f"{self.container_prefix}-{name}"


def meet_ours(ours: OwnDeployment, names: list[str]) -> Stack:
    """Sign the admin in by the link and add the people."""
    admin = Browser(ours.url)
    admin.open_link(ours.admin_link, secrets.token_urlsafe())
    token = admin.api("POST", "/users/admin/tokens", {"note": "bench/spawn.py"})["token"]
    for name in names:
        admin.api("POST", "/tinyberth/people", {"name": name, "teams": []})
    label = f"label=com.docker.compose.project={ours.project}"
    services = capture(["docker", "ps", "--quiet", "--filter", label]).out.split()
    server = f"http://{{name}}.hub.localhost:{ours.port}/user/{{name}}"
    hub = {"url": ours.url, "token": token, "server": server}
    return Stack(hub, f"{ours.project}-user", tuple(services))


def start_stock(step: Step, project: str, names: list[str]) -> Stack:
    """Build the plain images from ours, start the plain hub, and add the people."""
    _build_stock(step, project)
    port, token = free_port(), secrets.token_hex(16)
    bridge = capture(
        [
            "docker",
            "network",
            "inspect",
            "bridge",
            "--format",
            "{{(index .IPAM.Config 0).Gateway}}",
        ]
    ).out.strip()
    environment = {
        "STOCK_USER_IMAGE": _stock_image(project, "singleuser"),
        "STOCK_PREFIX": f"{project}-stock",
        "STOCK_HUB_IP": bridge,
        "STOCK_HUB_PORT": str(free_port()),
        "STOCK_PORT": str(port),
        "STOCK_PROXY_API_PORT": str(free_port()),
        "STOCK_TOKEN": token,
    }
    step.run(
        [
            *("docker", "run", "--detach", "--init", "--network", "host"),
            *("--name", f"{project}-stock-hub"),
            *("--volume", "/var/run/docker.sock:/var/run/docker.sock"),
            *(word for pair in environment.items() for word in ("--env", "=".join(pair))),
            _stock_image(project, "hub"),
        ],
        failed="Starting the plain hub failed",
    )
    url = f"http://127.0.0.1:{port}"
    _wait_for_stock(Hub(url, token), f"{project}-stock-hub")
    Hub(url, token).ask("POST", "/users", {"usernames": names})
    hub = {"url": url, "token": token, "server": f"{url}/user/{{name}}"}
    return Stack(hub, f"{project}-stock", (f"{project}-stock-hub",))


def end(project: str) -> None:
    """Remove the client and the plain hub; whoever ends the deployment removes the rest."""
    capture(["docker", "rm", "--force", f"{project}-client", f"{project}-stock-hub"])


def _stock_image(project: str, which: str) -> str:
    return f"{project}-stock-{which}:0.1.0"


def _build_stock(step: Step, project: str) -> None:
    made_from = {
        f"{argument}_IMAGE": f"{project}-{image}:0.1.0"
        for argument, image in (("HUB", "hub"), ("PROXY", "proxy"), ("USER", "singleuser"))
    }
    arguments = [word for pair in made_from.items() for word in ("--build-arg", "=".join(pair))]
    for target in ("hub", "singleuser"):
        step.note(f"building the plain {target} image")
        step.run(
            [
                *("docker", "buildx", "build", "--progress", "plain", "--load"),
                *("--target", target, "--tag", _stock_image(project, target), *arguments),
                str(ROOT / "bench/stock"),
            ],
            failed=f"The plain {target} image, which we are measured against, cannot be built",
        )


def _wait_for_stock(hub: Hub, container: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(hub):
        if time.monotonic() > deadline:
            raise Problem(
                f"The plain hub does not answer within {_START_SECONDS:.0f} s.",
                why="Its last lines stand above.",
                lines=capture(["docker", "logs", "--tail", "20", container]).err.splitlines(),
            )
        time.sleep(0.2)


def _answers(hub: Hub) -> bool:
    try:
        hub.ask("GET", "/users")
    except OSError:  # of which the errors of HTTP are
        return False
    return True
