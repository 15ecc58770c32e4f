"""A real sshd on this machine, and a laptop: a container that reaches the machine by ssh alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from containers import docker
from deployment import REPO, free_port, wait_until

# As docs/tunnel.md shows them: what admins copy is what is tested.
_KEY_OPTIONS = re.compile(r"^    (restrict,.*) ssh-ed25519 AAAA", re.MULTILINE)
_MATCH_BLOCK = re.compile(r"^    (Match Group \S+\n(?: {8}.*\n)+)", re.MULTILINE)


def documented_key_options(port: int) -> str:
    return _KEY_OPTIONS.findall(_doc())[0].replace("8000", str(port))


def documented_block(number: int, port: int) -> str:
    return _MATCH_BLOCK.findall(_doc())[number].replace("8000", str(port))


def _doc() -> str:
    return (REPO / "docs/tunnel.md").read_text(encoding="utf-8")


@dataclass
class SshServer:
    """OpenSSH's sshd of its own port, host key and accounts, in this container."""

    folder: Path
    address: str
    config: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SshServer:
        Path("/run/sshd").mkdir(exist_ok=True)  # of the package's service file
        self.folder.chmod(0o755)
        host_key = self.make_key("host")
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {self.address}\nHostKey {host_key}\n"
            f"AuthorizedKeysFile {self.folder}/keys-of-%u\nPidFile none\nUsePAM no\n"
            # What would be open to a key that nothing restricts, on many a server.
            "StrictModes no\nSubsystem sftp internal-sftp\nX11Forwarding yes\n"
            f"XAuthLocation /bin/true\n{self.config}",
            encoding="utf-8",
        )
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", config], stdout=log, stderr=log
        )
        wait_until(lambda: "Server listening" in self.log(), f"sshd listens: {self.log()}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def make_key(self, name: str) -> Path:
        key = self.folder / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return key

    def allow(self, account: str, options: str = "", *groups: str) -> Key:
        """Make an account with one key, which authorized_keys' ``options`` restrict."""
        for group in groups:
            subprocess.run(["groupadd", "--force", group], check=True)
        # "*": no password, and unlike "!" not locked
        words = ("--create-home", "--password", "*", "--shell", "/bin/bash")
        in_groups = ("--groups", ",".join(groups)) if groups else ()
        subprocess.run(["useradd", *words, *in_groups, account], check=True)
        key = self.make_key(account)
        public = key.with_suffix(".pub").read_text(encoding="utf-8")
        (self.folder / f"keys-of-{account}").write_text(f"{options} {public}".lstrip())
        known = self.folder / "known_hosts"
        host_key = (self.folder / "host.pub").read_text(encoding="utf-8")
        known.write_text(f"[{self.address}]:{self.port} {host_key}", encoding="utf-8")
        return Key(account, f"{account}@{self.address}", (
            "-F", "none", "-o", f"Port={self.port}", "-i", str(key), "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}",
        ))  # fmt: skip


@dataclass(frozen=True)
class Key:
    """Somebody's way in: the account, where it is, and ssh's options."""

    account: str
    destination: str
    options: tuple[str, ...]

    def ssh(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ssh with a command, to its end."""
        return self._run("ssh", *self.options, self.destination, *words, stdin=stdin)

    def sftp(self, *commands: str) -> subprocess.CompletedProcess[str]:
        words = ("sftp", *self.options, "-b", "-", self.destination)
        return self._run(*words, stdin="\n".join(commands))

    def _run(self, *command: str, stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> Running:
        """Run ssh until the block is left: a forward, or a session whose stdin stays open."""
        return Running(
            subprocess.Popen(
                ["ssh", *self.options, "-o", "ExitOnForwardFailure=yes", *words[:-1],
                 self.destination, *filter(None, words[-1:])],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True, env={**os.environ, **(env or {})},
            )
        )  # fmt: skip


@dataclass
class Running:
    """A running ssh; left, it is ended."""

    process: subprocess.Popen[str]

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def ended(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Laptop:
    """A machine of its own, with ssh, Chromium and this repository: a container on docker0."""

    name: str
    project: str
    folder: Path

    def __enter__(self) -> Laptop:
        docker(
            "run", "--detach", "--init", "--name", self.name, "--shm-size", "1g",
            "--volume", f"{REPO}:{REPO}:ro", "--volume", f"{self.folder}:{self.folder}:ro",
            f"{self.project}-tests:0.1.0", "sleep", "3600",
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "--force", self.name)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Run ``command``; what it prints is read while it runs."""
        return subprocess.Popen(
            ["docker", "exec", "--interactive", self.name, *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def signal(self, signal: str, program: str) -> None:
        docker("exec", self.name, "pkill", f"-{signal}", "--oldest", "--full", program)

    def browse(self, url: str, *person: str) -> dict[str, str]:
        """Open ``url`` in the laptop's Chromium, perhaps sign in, and return what is seen."""
        script = REPO / "tests/laptop_browser.py"
        output = docker("exec", self.name, "python3", str(script), url, *person).stdout
        seen: dict[str, str] = json.loads(output)
        return seen


def bridge_address() -> str:
    """Return this machine's address on docker0, where containers reach it."""
    return docker(
        "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    ).stdout.strip()


def environment_of(account: str) -> str:
    """Return the variables of every process of ``account``, read as that account.

    Root in a container may not: it lacks CAP_SYS_PTRACE.
    """
    read = "cat /proc/[0-9]*/environ 2>/dev/null"
    words = ("setpriv", "--reuid", account, "--regid", account, "--clear-groups", "sh", "-c", read)
    return subprocess.run(words, env={}, capture_output=True, text=True, check=False).stdout
