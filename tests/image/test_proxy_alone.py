"""The proxy's image without a hub: its door in the other modes, and its own error pages."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from containers import docker
from deployment import wait_until

_ASK = """
const [host, path, method, more] = JSON.parse(process.argv[1]);
const options = { port: 8000, path, method, headers: { host, ...more } };
require("http").request(options, (answer) => {
  let text = "";
  answer.on("data", (part) => (text += part));
  answer.on("end", () => console.log(JSON.stringify([answer.statusCode, answer.headers, text])));
}).end();
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


Ask = Callable[..., Answer]


@pytest.fixture
def start() -> Iterator[Callable[..., Ask]]:
    """Start the proxy as compose does, with settings; returns how to ask it by a name."""
    image = os.environ.get("TINYBERTH_TEST_PROXY_IMAGE", "")
    if not image:
        pytest.skip("no proxy image was built: run ./tinyberth test image")
    name = f"{os.environ['COMPOSE_PROJECT_NAME']}-alone-{uuid.uuid4().hex[:6]}"

    def ask(host: str, path: str, method: str = "GET", **more: str) -> Answer:
        question = json.dumps([host, path, method, more])
        said = docker("exec", name, "node", "-e", _ASK, question)
        return Answer(*json.loads(said.stdout))

    def start(**settings: str) -> Ask:
        docker(
            "run", "--detach", "--name", name, "--network", "none", "--read-only",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--tmpfs", "/run/tinyberth/proxy:uid=10002,gid=10001,mode=0750",
            *(word for pair in settings.items() for word in ("--env", "=".join(pair))), image,
        )  # fmt: skip
        health = ("exec", name, "node", "/opt/tinyberth/healthcheck.mjs")
        wait_until(lambda: docker(*health, check=False).returncode == 0, "the proxy answers")
        return ask

    yield start
    docker("rm", "--force", "--volumes", name, check=False)


def test_a11_on_one_shared_name_every_other_is_refused_too(start: Callable[..., Ask]) -> None:
    ask = start(ORIGINS="shared")
    for host in ("127.0.0.1:8000", "hub.localhost:8000", "[::1]:8000"):
        sent = ask(host, "/hub/login?a=b")
        assert (sent.status, sent.headers["location"]) == (
            302,
            "http://localhost:8000/hub/login?a=b",
        )
        assert ask(host, "/hub/login", "POST").status == 403
    for host in ("evil.example:8000", "alice.localhost:8000", "localhost:9000"):
        refused = ask(host, "/user/alice/lab")
        assert refused.status == 403, host
        assert "http://localhost:8000" in refused.text
    # The control: let in by its name, with nobody behind it.
    assert ask("localhost:8000", "/user/alice/lab").status == 503


def test_a11_its_own_error_pages_cannot_be_framed_either(start: Callable[..., Ask]) -> None:
    ask = start()
    for host, path in [("hub.localhost:8000", "/hub/login"), ("evil.example", "/"),
                       ("alice.hub.localhost:8000", "/user/alice/lab")]:  # fmt: skip
        page = ask(host, path)
        assert page.status in {403, 503}
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] in {"same-origin", "no-referrer"}


def test_behind_tls_it_lets_in_what_came_by_tls(start: Callable[..., Ask]) -> None:
    ask = start(PUBLIC_URL="https://hub.example.org")
    by_tls = {"x-forwarded-proto": "https"}
    for host in ("hub.example.org", "alice.hub.example.org", "hub.example.org:443"):
        assert ask(host, "/user/alice/lab", **by_tls).status == 503  # let in; nobody behind it
        assert ask(host, "/user/alice/lab").status == 302
        assert ask(host, "/user/alice/lab", "POST").status == 403
    assert (
        ask("hub.localhost:8000", "/", **by_tls).headers["location"] == "https://hub.example.org/"
    )
    assert ask("example.org", "/", **by_tls).status == 403
