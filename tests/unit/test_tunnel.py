"""`./tinyberth tunnel`: what ssh is told, which address is named, and what every failure says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment import free_port
from tinyberth_launcher.problem import FAILED, INTERRUPTED, OK, USAGE
from tinyberth_launcher.tunnel import Tunnel, find_hub
from tinyberth_launcher.tunnel_hints import hint_for_ssh

# Stands for ssh: says what it is told to say, or listens where -L says and answers as a hub does.
FAKE_SSH = """#!{python}
import http.server, os, re, sys
open(os.environ["FAKE_ASKED"], "w").write("\\n".join(sys.argv[1:]))
if "FAKE_SAYS" in os.environ:
    sys.exit(os.environ["FAKE_SAYS"])
class Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        location = os.environ["FAKE_LOCATION"]
        if location:
            self.send_header("Location", location)
        self.end_headers()
    def log_message(self, *_): pass
port = int(sys.argv[sys.argv.index("-L") + 1].split(":")[1])
http.server.HTTPServer(("127.0.0.1", port), Hub).serve_forever()
"""


class Laptop:
    """Runs the real launcher with the fake ssh first in PATH."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.asked = folder / "asked"
        ssh = folder / "ssh"
        ssh.write_text(FAKE_SSH.format(python=sys.executable), encoding="utf-8")
        ssh.chmod(0o755)
        self.env = {**os.environ, "PATH": f"{folder}:/usr/bin:/bin", "FAKE_ASKED": str(self.asked)}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, self.root / "tinyberth", "tunnel", *words],
            env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(child)
        return child

    def run(self, *words: str, **env: str) -> tuple[int, str]:
        child = self.start(*words, **env)
        out, err = child.communicate(timeout=60)
        return child.returncode, out + err


@pytest.fixture
def laptop(root: Path, tmp_path: Path) -> Iterator[Laptop]:
    laptop = Laptop(root, tmp_path)
    yield laptop
    for child in laptop.started:
        child.kill()
        child.communicate()


def test_ssh_is_told_to_forward_one_port_and_to_end_when_it_cannot() -> None:
    command = Tunnel("ada@box", 8001, ssh_options=("-p", "2222")).command
    assert command[:3] == ["ssh", "-p", "2222"]
    assert command[-3:] == ["-L", "127.0.0.1:8001:127.0.0.1:8001", "ada@box"]
    assert {"-N", "ExitOnForwardFailure=yes", "ServerAliveInterval=15"} <= set(command)


def test_a_hub_on_a_unix_socket_is_forwarded_to_its_path() -> None:
    command = Tunnel("ada@box", 8000, "/srv/door/hub.sock").command
    assert "127.0.0.1:8000:/srv/door/hub.sock" in command


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("http://hub.localhost:8000/hub/", "http://hub.localhost:8000"),
        ("https://hub.example.org/", "https://hub.example.org"),
        ("/hub/", "http://localhost:PORT"),
    ],
)
def test_the_hub_itself_names_the_address_and_ctrl_c_closes_cleanly(
    laptop: Laptop, location: str, url: str
) -> None:
    port = str(free_port())
    child = laptop.start("ada@box", "--port", port, "--", "-p", "22", FAKE_LOCATION=location)
    assert child.stdout is not None
    said = [child.stdout.readline(), child.stdout.readline()]
    assert said == [f"The tunnel is open:  {url.replace('PORT', port)}\n", "Ctrl-C closes it.\n"]
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (OK, "")
    assert out == "\nThe tunnel is closed.\n"
    assert find_hub(int(port)) is None, "ssh went on without us"
    assert laptop.asked.read_text(encoding="utf-8").startswith("-p\n22\n-N\n")


def test_what_is_no_hub_ends_the_tunnel_with_a_sentence(laptop: Laptop) -> None:
    port = free_port()
    code, said = laptop.run("ada@box", "--port", str(port), FAKE_LOCATION="")
    assert code == FAILED
    assert "There is no tunnel to ada@box." in said
    assert "is no hub" in said
    assert find_hub(port) is None


def test_a_local_port_in_use_is_said_before_ssh_starts(laptop: Laptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = laptop.run("ada@box", "--port", str(port))
    assert code == FAILED
    assert f"Port {port} of this machine is in use" in said
    assert "Why:" in said
    assert "Do:" in said
    assert not laptop.asked.exists()


def test_without_ssh_it_says_what_to_install(laptop: Laptop) -> None:
    code, said = laptop.run("ada@box", "--port", str(free_port()), PATH="/nowhere")
    assert code == FAILED
    assert "There is no ssh on this machine" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("line", "why", "remedy"),
    [
        ("ssh: connect to host box port 22: Connection refused", "no sshd answers", "-p 2222"),
        ("ssh: Could not resolve hostname box: Name or service not known", "not known", "VPN"),
        ("ssh: connect to host box port 22: Connection timed out", "does not answer", "VPN"),
        ("ada@box: Permission denied (publickey).", "did not accept the key", "-i"),
        ("Host key verification failed.", "key is not known here", "fingerprint"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "another one", "fingerprint"),
        ("channel 2: open failed: administratively prohibited: open failed", "lets you in, but "
         "its sshd", "docs/tunnel.md"),
        ("channel 2: open failed: connect failed: Connection refused", "no hub listens there",
         "./tinyberth status"),
        ("bind [127.0.0.1]:8000: Address already in use", "Port 8000 of this", "Close"),
        ("Timeout, server box not responding.", "connection was lost", "Run the same command"),
        ("something new", "stands above", "ssh ada@box"),
    ],
)  # fmt: skip
def test_what_ssh_says_is_explained(line: str, why: str, remedy: str) -> None:
    said = hint_for_ssh(["a line before", line], "ada@box", 8000)
    assert why in said[0]
    assert remedy in said[1]
    assert "{" not in "".join(said)


def test_ssh_s_own_words_stand_above_the_explanation(laptop: Laptop) -> None:
    code, said = laptop.run(
        "ada@box", "--port", str(free_port()), FAKE_SAYS="ada@box: Permission denied (publickey)."
    )
    assert code == FAILED
    assert said.index("Permission denied") < said.index("There is no tunnel to ada@box.")
    assert "did not accept the key" in said


@pytest.mark.parametrize(
    "words", [[], ["-oProxyCommand=id"], ["ada@box", "--port", "80"], ["ada@box", "--port", "x"],
              ["ada box"], ["ada@box", "-p", "22"]],
)  # fmt: skip
def test_a_wrong_command_line_starts_no_ssh(laptop: Laptop, words: list[str]) -> None:
    code, _ = laptop.run(*words)
    assert code == USAGE
    assert not laptop.asked.exists()


def test_sigterm_closes_it_too(laptop: Laptop) -> None:
    port = free_port()
    child = laptop.start("ada@box", "--port", str(port), FAKE_LOCATION="/hub/")
    assert child.stdout is not None
    child.stdout.readline()
    child.terminate()
    assert child.wait(30) in {OK, INTERRUPTED}
    assert find_hub(port) is None
