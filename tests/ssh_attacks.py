"""What somebody tries who has a key to a server: each function tells whether it worked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from deployment import free_port, wait_until
from ssh_server import Key, Running, environment_of

GREETING = b"a service that is none of theirs"


def commands(key: Key) -> bool:
    return "uid=" in key.ssh("id").stdout


def shell(key: Key) -> bool:
    return "uid=" in key.ssh("-T", stdin="id\n").stdout


def files(key: Key) -> bool:
    return key.sftp("ls /").returncode == 0


@contextlib.contextmanager
def greeter(family: socket.AddressFamily, address: tuple[str, int] | str) -> Iterator[str]:
    """Listen, and greet everybody who comes; yields where."""
    with socket.create_server(address, family=family) as listener:
        if isinstance(address, str):
            Path(address).chmod(0o777)

        def greet() -> None:
            with contextlib.suppress(OSError):  # closed below
                while True:
                    visitor, _ = listener.accept()
                    with visitor:
                        visitor.sendall(GREETING)

        threading.Thread(target=greet, daemon=True).start()
        yield address if isinstance(address, str) else f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def is_greeted(running: Running, where: int | str, hello: bytes = b"") -> bool:
    """Whether the greeting comes through a forward, once it listens."""
    seen = []

    def looked() -> bool:
        family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
        with socket.socket(family) as visitor, contextlib.suppress(OSError):
            visitor.settimeout(20)
            visitor.connect(where if isinstance(where, str) else ("127.0.0.1", where))
            visitor.sendall(hello)
            received = b""
            while part := visitor.recv(1000):
                received += part
            seen.append(received)
            return True
        return running.ended() or bool(seen)

    wait_until(looked, "the forward listens, or ssh gives up", 30)
    return bool(seen) and GREETING in seen[0]


def local_port(key: Key) -> bool:
    port = free_port()
    with (
        greeter(socket.AF_INET, ("127.0.0.1", 0)) as there,
        key.start("-N", "-L", f"{port}:{there}", "") as running,
    ):
        return is_greeted(running, port)


def local_socket(key: Key) -> bool:
    port = free_port()
    with (
        greeter(socket.AF_UNIX, f"/tmp/greeter-{port}.sock") as there,
        key.start("-N", "-L", f"{port}:{there}", "") as running,
    ):
        return is_greeted(running, port)


def dynamic(key: Key) -> bool:
    port = free_port()
    with greeter(socket.AF_INET, ("127.0.0.1", 0)) as there:
        number = int(there.rpartition(":")[2])
        ask = b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + number.to_bytes(2, "big")  # RFC 1928
        with key.start("-N", "-D", str(port), "") as running:
            return is_greeted(running, port, ask)


def remote_port(key: Key) -> bool:
    port = free_port()
    with (
        greeter(socket.AF_INET, ("127.0.0.1", 0)) as there,
        key.start("-N", "-R", f"{port}:{there}", "") as running,
    ):
        return is_greeted(running, port)


def remote_port_one(key: Key) -> bool:
    """Try the one that the key line names: a port of root's."""
    with (
        greeter(socket.AF_INET, ("127.0.0.1", 0)) as there,
        key.start("-N", "-R", f"localhost:1:{there}", "") as running,
    ):
        return is_greeted(running, 1)


def remote_socket(key: Key) -> bool:
    path = f"/home/{key.account}/made-{free_port()}.sock"
    with (
        greeter(socket.AF_INET, ("127.0.0.1", 0)) as there,
        key.start("-N", "-R", f"{path}:{there}", "") as running,
    ):
        return is_greeted(running, path)


def session_has(key: Key, variable: str, option: str, env: dict[str, str]) -> bool:
    with key.start(option, "exec cat", env=env) as running:
        wait_until(
            lambda: running.ended() or "SSH_CONNECTION=" in environment_of(key.account),
            "a session is there, or is refused",
        )
        return f"{variable}=" in environment_of(key.account)


def agent(key: Key) -> bool:
    path = f"/tmp/agent-{free_port()}.sock"
    with greeter(socket.AF_UNIX, path):
        return session_has(key, "SSH_AUTH_SOCK", "-A", {"SSH_AUTH_SOCK": path})


def x11(key: Key) -> bool:
    return session_has(key, "DISPLAY", "-Y", {"DISPLAY": ":9"})


def terminal(key: Key) -> bool:
    return session_has(key, "SSH_TTY", "-tt", {})


ATTACKS: list[Callable[[Key], bool]] = [
    commands, shell, files, terminal, local_port, local_socket, dynamic, remote_port,
    agent, x11,
]  # fmt: skip
