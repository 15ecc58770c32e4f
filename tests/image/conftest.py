"""Real containers of the built images, started as the warden starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containers import UID, Container, docker


@pytest.fixture(scope="session")
def singleuser_image() -> str:
    reference = os.environ.get("TINYBERTH_TEST_SINGLEUSER_IMAGE", "")
    if not reference:
        pytest.skip("TINYBERTH_TEST_SINGLEUSER_IMAGE is not set to a built image")
    return reference


@pytest.fixture(scope="session")
def host_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ledger with one account, in a folder that the engine sees under this path."""
    parent = os.environ.get("TINYBERTH_TEST_WORK")
    folder = Path(parent) / "image-ledger" if parent else tmp_path_factory.mktemp("ledger")
    folder.mkdir(exist_ok=True)
    (folder / "passwd").write_text(f"zora:x:{UID}:{UID}:zora:/home/zora:/bin/bash\n")
    (folder / "group").write_text(f"zora:x:{UID}:\n")
    for path in (folder.parent, folder):
        path.chmod(path.stat().st_mode | 0o055)
    return folder


@pytest.fixture(scope="module")
def start(singleuser_image: str, host_ledger: Path) -> Iterator[Callable[..., Container]]:
    """Start containers of the user image under the limits that every user's server has.

    Words given are further options of `docker run`.
    """
    names = []

    def start_one(*options: str) -> Container:
        name = f"{os.environ.get('COMPOSE_PROJECT_NAME', 'tinyberth')}-image-{os.urandom(4).hex()}"
        docker(
            *("run", "--detach", "--init", "--name", name, "--network", "none"),
            *("--user", f"{UID}:{UID}", "--read-only", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--memory", "4g", "--pids-limit", "1024"),
            *("--tmpfs", "/tmp:mode=1777,size=1g"),
            *("--tmpfs", f"/home/zora:uid={UID},gid={UID},mode=0700,exec,size=1g"),
            *("--volume", f"{host_ledger}:/var/lib/extrausers:ro"),
            *("--env", "HOME=/home/zora", "--env", "USER=zora", "--env", "LOGNAME=zora"),
            *("--env", "SHELL=/bin/bash", "--env", "TINYBERTH_LOGIN=zora"),
            *(*options, "--workdir", "/home/zora", singleuser_image, "sleep", "infinity"),
        )
        names.append(name)
        return Container(name)

    yield start_one
    for name in names:
        docker("rm", "--force", name, check=False)


@pytest.fixture(scope="module")
def zora(start: Callable[[], Container]) -> Container:
    """Return a container whose home the tests of a module share."""
    return start()
