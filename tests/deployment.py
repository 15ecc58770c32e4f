"""A deployment of the tests' own, started by `./tinyberth up` and driven as people drive it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

REPO = Path(__file__).parents[1]
T = TypeVar("T")
PASSWORD = "correct horse battery staple"  # of everybody in the tests


def wait_until(condition: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Return the first truthy value of ``condition``; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
    return value


@contextlib.contextmanager
def localhost_names() -> Iterator[None]:
    """Resolve ``*.localhost`` to 127.0.0.1, as browsers do; and names that need DNS elsewhere."""
    original = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        local = isinstance(host, str) and host.endswith((".localhost", ".example.org"))
        return original("127.0.0.1" if local else host, *args, **kwargs)

    socket.getaddrinfo = resolve
    try:
        yield
    finally:
        socket.getaddrinfo = original


class Person:
    """Somebody signed in, as a browser would be: cookies, redirects, XSRF tokens."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.session = requests.Session()

    def open_link(self, link: str, password: str = PASSWORD) -> requests.Response:
        """Open a one-time link and set the password; returns the last answer."""
        page, _, token = link.partition("#")
        form = {"_xsrf": self._xsrf(page), "token": token}
        chosen = self._request("POST", page, data=form)
        if chosen.status_code != 200:
            return chosen
        form["_xsrf"] = hidden_xsrf(chosen.text)
        form["password"] = password
        return self._request("POST", page, data=form)

    def sign_in(self, password: str = PASSWORD) -> requests.Response:
        page = f"{self.url}/hub/login"
        form = {"_xsrf": self._xsrf(page), "username": self.name, "password": password}
        return self._request("POST", page, data=form)

    def api(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Call JupyterHub's REST API with the cookies of this person."""
        headers = {"X-XSRFToken": self._xsrf_cookie(), "Referer": f"{self.url}/hub/home"}
        return self._request(method, f"{self.url}/hub/api{path}", headers=headers, **kwargs)

    def _request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        return self.session.request(method, url, timeout=120, allow_redirects=False, **kwargs)

    def start_server(self, seconds: float = 120) -> None:
        answer = self.api("POST", f"/users/{self.name}/server")
        assert answer.status_code in {201, 202, 400}, answer.text
        wait_until(self.server_ready, f"{self.name}'s server is ready", seconds)

    def server_ready(self) -> bool:
        server = self.server()
        return bool(server and server["ready"])

    def server(self) -> dict[str, Any] | None:
        model: dict[str, Any] = self.api("GET", f"/users/{self.name}").json()
        servers: dict[str, dict[str, Any]] = model["servers"]
        return servers.get("")

    @property
    def server_url(self) -> str:
        """Address of the person's own server, in an origin of its own."""
        server = self.server()
        assert server, f"{self.name} has no server"
        return str(server["full_url"]).rstrip("/")

    def make_token(self) -> str:
        """Return an API token that may do on the own server what the person may."""
        answer = self.api("POST", f"/users/{self.name}/tokens", json={"note": "tests"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def stop_server(self) -> None:
        assert self.api("DELETE", f"/users/{self.name}/server").status_code in {202, 204}
        wait_until(lambda: not self.server(), f"{self.name}'s server is gone")

    def _xsrf(self, page: str) -> str:
        answer = self.session.get(page, timeout=60)
        return hidden_xsrf(answer.text)

    def _xsrf_cookie(self) -> str:
        self.session.get(f"{self.url}/hub/home", timeout=60)
        return self.session.cookies.get("_xsrf", path="/hub/") or ""


def hidden_xsrf(page: str) -> str:
    match = re.search(r'name="_xsrf" value="([^"]+)"', page)
    assert match, f"no _xsrf field in:\n{page[:2000]}"
    return match[1]


@dataclass
class Deployment:
    """One compose project: its names, its folder, and what people and admins do with it."""

    project: str
    port: int
    host_data_dir: Path
    up_output: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    public_url: str = ""
    """Where it is, if a TLS proxy stands in front."""
    variables: dict[str, str] = field(default_factory=dict)
    """What its commands see besides the environment: of one that is not the run's first."""

    @property
    def url(self) -> str:
        return self.public_url or f"http://hub.localhost:{self.port}"

    def tinyberth(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([str(REPO / "tinyberth"), *arguments], check)

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-directory", str(REPO), *arguments]
        return self._run(command, check)

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run(["docker", *arguments], check)

    def container(self, login: str) -> str:
        """Return the name of a user's container."""
        return f"{self.project}-user-{login}"

    def service(self, name: str) -> str:
        """Return the name of a service's container."""
        return f"{self.project}-{name}-1"

    def inspect(self, container: str) -> dict[str, Any]:
        (model,) = json.loads(self.docker("inspect", container).stdout)
        return dict(model)

    def home(self, login: str) -> Path:
        """Return the folder on the host that is /home/LOGIN in the container."""
        return self.host_data_dir / "users" / login

    def as_user(
        self, login: str, script: str, *, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``script`` as the user in a login shell, as a terminal of Jupyter's does."""
        return self.docker(
            "exec", "--workdir", f"/home/{login}", self.container(login),
            "bash", "-lc", f"umask 0002; {script}", check=check,
        )  # fmt: skip

    def add(self, name: str, *options: str) -> Person:
        """Return a person signed in; first added in the terminal, and let in by the link."""
        if name not in self.people:
            person = Person(self.url, name)
            if f"\n{name} " in self.tinyberth("user", "list").stdout:
                answer = person.sign_in()
            else:
                output = self.tinyberth("user", "add", name, *options).stdout
                answer = person.open_link(first_link(output))
            assert answer.status_code == 302, answer.text
            self.people[name] = person
        return self.people[name]

    def with_server(self, name: str) -> Person:
        """Return a person whose server runs."""
        person = self.add(name)
        if not person.server_ready():
            person.start_server()
        return person

    def kill_service(self, name: str) -> None:
        """Kill -9 the service's main process, as a crash would; the engine restarts it."""
        container = self.service(name)
        started = self.inspect(container)["State"]["StartedAt"]
        # From inside: every process but this shell and the init, which then ends too. With
        # `docker kill` the engine takes it for a wish to stop and does not restart.
        self.docker("exec", container, "sh", "-c", "kill -9 -1", check=False)
        wait_until(
            lambda: self.inspect(container)["State"]["StartedAt"] != started,
            f"{name} is started again",
        )

    def _run(self, command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        return _run(command, check, {**os.environ, **self.variables})

    def hub_healthy(self) -> bool:
        try:
            return requests.get(f"{self.url}/hub/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False


def first_link(output: str) -> str:
    """Return the one-time link in what a command printed."""
    match = re.search(r"https?://\S+/hub/welcome#\S+", output)
    assert match, f"no one-time link in:\n{output}"
    return match[0]


def variables_for_another(name: str, host_work: Path) -> dict[str, str]:
    """Return what keeps a second deployment of this run apart; its images are the first one's."""
    project = f"{os.environ['COMPOSE_PROJECT_NAME']}-{name}"
    for image in ("hub", "ledger", "warden", "firewall", "proxy", "singleuser"):
        built = os.environ[f"TINYBERTH_TEST_{image.upper()}_IMAGE"]
        _run(["docker", "tag", built, f"{project}-{image}:0.1.0"], check=True, env=None)
    return {
        "COMPOSE_PROJECT_NAME": project,
        "PORT": str(free_port()),
        "DATA_DIR": str(host_work / name),
        "BRIDGE_NAME": f"{os.environ['BRIDGE_NAME']}{name[0]}",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_deployment(**variables: str) -> Deployment:
    """Run `./tinyberth up` for the project that the environment or ``variables`` name."""
    environment = {**os.environ, **variables}
    host_data_dir = Path(environment["DATA_DIR"])
    host_data_dir.mkdir(parents=True, exist_ok=True)
    for source in [".tinyberth-data", "README.md"]:
        (host_data_dir / source).write_bytes((REPO / "data" / source).read_bytes())
    sample = Path("datasets/disaster-tweets")
    (host_data_dir / sample).mkdir(parents=True, exist_ok=True)
    for source in (REPO / "data" / sample).iterdir():
        (host_data_dir / sample / source.name).write_bytes(source.read_bytes())
    deployment = Deployment(
        project=environment["COMPOSE_PROJECT_NAME"],
        port=int(environment["PORT"]),
        host_data_dir=host_data_dir,
        public_url=environment.get("PUBLIC_URL", ""),
        variables=variables,
    )
    deployment.up_output = deployment.tinyberth("up", "--yes").stdout
    return deployment


def _run(
    command: list[str], check: bool, env: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, env=env
    )
    if check and result.returncode != 0:
        output = f"{result.stdout}\n{result.stderr}"
        raise AssertionError(f"{' '.join(command)} exited with {result.returncode}:\n{output}")
    return result
