"""Warden and ledger of the tests' own on the real engine: data folder, network, volume, image."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from service_client import ServiceClient

# The same as in docker-compose.yml, which a test of the whole stack starts.
HARDENING = [
    *("--read-only", "--cap-drop=ALL", "--network=none", "--init"),
    *("--security-opt=no-new-privileges:true", "--pids-limit=256", "--memory=256m"),
]
# What stands in for the user image: prints who it is, sleeps, and says that it was asked to end.
USER_DOCKERFILE = """\
FROM {image}
RUN mkdir -p /datasets /opt/tinyberth/presets-site /var/lib/extrausers /run/tinyberth/hub
CMD ["sh", "-c", "trap 'echo saved; exit 0' TERM; id; echo started; sleep 600 & wait"]
"""


def docker(*args: str, check: bool = True, stdin: str | None = None) -> str:
    done = subprocess.run(
        ["docker", *args], input=stdin, capture_output=True, text=True, timeout=180, check=False
    )
    assert not check or done.returncode == 0, f"docker {args}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@dataclass
class TestWarden:
    """One deployment that is only a warden and a ledger."""

    __test__ = False
    deployment: str
    folder: Path
    user_image: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def container(self) -> str:
        return f"{self.deployment}-warden-1"

    @property
    def other_image(self) -> str:
        """An image that is there and is not the users'."""
        return f"{self.deployment}-other:0.1.0"

    @property
    def ledger_container(self) -> str:
        return f"{self.deployment}-ledger-1"

    @property
    def client(self) -> ServiceClient:
        return ServiceClient(self.folder / "warden/warden.sock")

    @property
    def ledger(self) -> ServiceClient:
        return ServiceClient(self.folder / "ledger/ledger.sock")

    def start(self) -> None:
        self.start_ledger()
        self.start_warden()

    def start_ledger(self) -> None:
        mounts = [
            f"--volume={self.folder}/ledger:/run/tinyberth/ledger",
            f"--volume={self.folder}/warden:/run/tinyberth/warden:ro",
            f"--mount=type=bind,source={self.data},target=/data",
            f"--volume={self.folder}/etc:/host/etc:ro",
        ]
        self._run("LEDGER", "--cap-add=CHOWN", "--cap-add=DAC_READ_SEARCH", *mounts)

    def start_warden(self) -> None:
        mounts = [
            "--volume=/var/run/docker.sock:/var/run/docker.sock",
            f"--volume={self.folder}/warden:/run/tinyberth/warden",
            f"--volume={self.folder}/ledger:/run/tinyberth/ledger:ro",
            f"--mount=type=bind,source={self.data},target=/data,readonly",
        ]
        self._run("WARDEN", "--group-add=10001", *mounts)

    def _run(self, service: str, *options: str) -> None:
        wiring = {
            "TINYBERTH_DEPLOYMENT": self.deployment,
            "TINYBERTH_USER_IMAGE": self.user_image,
            "TINYBERTH_USER_NETWORK": f"{self.deployment}_users",
            "TINYBERTH_HUB_RUN_VOLUME": f"{self.deployment}_hub-run",
        }
        environment = [f"--env={k}={v}" for k, v in (wiring | self.settings).items()]
        image = os.environ[f"TINYBERTH_TEST_{service}_IMAGE"]
        name = f"--name={self.deployment}-{service.lower()}-1"
        docker("run", "--detach", name, *HARDENING, *environment, *options, image)

    def wait_for_health(self, seconds: float = 20) -> None:
        """Return when both are healthy."""
        self.wait_for(self.ledger, 200, seconds)
        self.wait_for(self.client, 200, seconds)

    def wait_for(self, service: ServiceClient, status: int, seconds: float = 20) -> Any:
        """Return what ``service`` says of its health once that has ``status``."""
        end = time.monotonic() + seconds
        while True:
            try:
                found, answer = service.call("GET", "/v1/health")
            except OSError as error:
                found, answer = 0, error
            if found == status:
                return answer
            logs = [
                docker("logs", c, check=False) for c in (self.container, self.ledger_container)
            ]
            assert time.monotonic() < end, (answer, logs)
            time.sleep(0.05)

    def create_body(self, login: str, **changes: Any) -> dict[str, Any]:
        """Return what the spawner would send for ``login``, whose berth is made sure."""
        berth = self.ledger.ok("PUT", f"/v1/berths/{login}", {})
        return {
            "Image": self.user_image,
            "User": f"{berth['uid']}:{berth['gid']}",
            "Labels": {"tinyberth.login": login},
            "HostConfig": {"NetworkMode": f"{self.deployment}_users", "Memory": 2**28},
        } | changes

    def name(self, login: str) -> str:
        return f"{self.deployment}-user-{login}"

    def create(self, login: str) -> str:
        path = f"/containers/create?name={self.name(login)}"
        number: str = self.client.ok("POST", path, self.create_body(login))["Id"]
        return number

    def spawn(self, login: str) -> str:
        number = self.create(login)
        self.client.ok("POST", f"/containers/{number}/start")
        return number

    def inspect(self, login: str) -> Any:
        return json.loads(docker("inspect", self.name(login)))[0]

    @contextmanager
    def engine_events(self) -> Iterator[list[str]]:
        """Collect what happens to this deployment's objects in the block; read at its end.

        And what happens by the images that a test here asks for, whatever the container's name.
        Read while it happens: the engine keeps 256 events, and every run's health checks are some.
        """
        since = docker("info", "--format", "{{.SystemTime}}")
        watch = ["docker", "events", "--since", since, "--format", "{{json .}}"]
        events: list[str] = []
        lines: list[str] = []
        with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as watcher:
            reader = threading.Thread(target=lambda: lines.extend(watcher.stdout or ()))
            reader.start()
            try:
                yield events
                end = self._mark_an_end(lines)
            finally:
                watcher.terminate()
                reader.join()
        for line in lines[:end]:
            event = json.loads(line)
            attributes = event["Actor"].get("Attributes", {})
            # Other runs share the engine; "debian" is what a test here asks it to pull.
            if any(word in json.dumps(event) for word in (self.deployment, "debian")):
                events.append(f"{event['Type']} {event['Action']} {attributes.get('name')}")

    def _mark_an_end(self, lines: list[str]) -> int:
        """Return how many lines came before an event that is made now."""
        mark = docker("volume", "create", f"{self.deployment}-{secrets.token_hex(8)}")
        deadline = time.monotonic() + 30
        while True:
            found = [number for number, line in enumerate(lines) if mark in line]
            if found:
                docker("volume", "rm", mark)
                return found[0]
            assert time.monotonic() < deadline, "the engine tells of no event"
            time.sleep(0.02)

    def remove(self) -> None:
        mine = docker("ps", "-aq", "--filter", f"name=^/{self.deployment}").split()
        if mine:
            docker("rm", "--force", "--volumes", *mine)


@contextmanager
def made_deployment() -> Iterator[TestWarden]:
    """Yield a deployment that is not started; removed with all that it made."""
    prefix = os.environ.get("COMPOSE_PROJECT_NAME", "tbw")
    name = f"{prefix}-w{secrets.token_hex(3)}"
    parent = os.environ.get("TINYBERTH_TEST_WORK") or None
    with tempfile.TemporaryDirectory(prefix=name, dir=parent) as folder:
        warden = TestWarden(name, Path(folder), f"{name}-singleuser:0.1.0")
        for part in ("data/datasets", "etc", "ledger", "warden"):
            (warden.folder / part).mkdir(parents=True)
        (warden.data / ".tinyberth-data").touch()
        # As cloned by somebody: the ledger makes its folders in there all the same.
        for path in (warden.data, warden.data / ".tinyberth-data", warden.data / "datasets"):
            os.chown(path, 1000, 1000)
        (warden.folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (warden.folder / "etc/group").write_text("root:x:0:\n")
        image = os.environ["TINYBERTH_TEST_WARDEN_IMAGE"]
        docker("build", "-t", warden.user_image, "-", stdin=USER_DOCKERFILE.format(image=image))
        docker("tag", image, warden.other_image)
        docker(
            "network",
            "create",
            "--opt=com.docker.network.bridge.enable_icc=false",
            f"{name}_users",
        )
        docker("volume", "create", f"{name}_hub-run")
        try:
            yield warden
        finally:
            warden.remove()
            docker("network", "rm", f"{name}_users", check=False)
            docker("volume", "rm", f"{name}_hub-run", check=False)
            docker("rmi", warden.user_image, warden.other_image, check=False)


@pytest.fixture(scope="module")
def deployment() -> Iterator[TestWarden]:
    """Return a deployment that is not started."""
    if not os.environ.get("TINYBERTH_TEST_WARDEN_IMAGE"):
        pytest.skip("TINYBERTH_TEST_WARDEN_IMAGE is not set: run ./tinyberth test")
    with made_deployment() as made:
        yield made


@pytest.fixture(scope="module")
def warden(deployment: TestWarden) -> TestWarden:
    """Return a running, healthy warden, with its ledger."""
    deployment.start()
    deployment.wait_for_health()
    return deployment


@pytest.fixture(autouse=True)
def no_user_containers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove a test's user containers; keep the warden for the next."""
    yield
    if "deployment" in request.fixturenames or "warden" in request.fixturenames:
        name = request.getfixturevalue("deployment").deployment
        mine = docker("ps", "-aq", "--filter", f"name=^/{name}-user-").split()
        if mine:
            docker("rm", "--force", *mine)
