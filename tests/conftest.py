"""What all rings share. Fixtures of one ring are in its own folder's conftest.py."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from containers import docker
from deployment import Deployment, localhost_names, start_deployment

ROOT = Path(__file__).resolve().parent.parent
_RINGS = ("unit", "image", "stack", "browser")
_DEPLOYMENT_RINGS = {"stack", "browser"}
_OWN_DEPLOYMENTS = (
    *("/test_oidc.py", "/test_front_proxy.py", "/test_unix_door.py", "/test_bad_settings.py"),
)

# The same examples in each run: what fails there is the change's own fault, and can be seen again.
# Hunt for new ones with --hypothesis-profile=default, and keep what is found as a test.
hypothesis.settings.register_profile("again", derandomize=True)
hypothesis.settings.load_profile("again")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository."""
    return ROOT


@pytest.fixture(scope="session")
def project() -> str:
    """Return the project name of this run, which prefixes everything it makes."""
    return _required("COMPOSE_PROJECT_NAME")


@pytest.fixture(scope="session")
def work() -> Path:
    """Return this run's folder, at the same path here and on the host."""
    return Path(_required("TINYBERTH_TEST_WORK"))


@pytest.fixture(scope="session")
def out() -> Path:
    """Return the folder that outlives the run: screenshots, numbers (`.state/test`)."""
    return Path(_required("TINYBERTH_TEST_OUT"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return ``../shared/data``: real tweets and weights, where this machine has them."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: it holds the real data, which is not ours to ship")
    return folder


@pytest.fixture(scope="session")
def deployment(project: str) -> Iterator[Deployment]:
    """Return the one deployment that a ring's files share, started by `up`.

    The browser's ring has another one (its conftest.py): two workers can have a ring each.
    """
    with localhost_names():
        yield start_deployment()


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"{name} is not set: run the tests with ./tinyberth test")
    return value


class _SharedDeploymentScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Send whole files to xdist's workers, and all that shares a deployment to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        return _ring(ROOT / path) if _shares_a_deployment(path) else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Choose the scheduler. `--dist loadgroup` does nothing in xdist 3.8 with pytest 9.2."""
    return _SharedDeploymentScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run cheap rings first; or the dear ones, where workers should come to their end together."""

    def cheap(item: pytest.Item) -> int:
        return _RINGS.index(_ring(item.path))

    def dear(item: pytest.Item) -> tuple[bool, int]:
        return not _shares_a_deployment(item.nodeid.split("::")[0]), -cheap(item)

    items.sort(key=dear if hasattr(config, "workerinput") else cheap)


def _shares_a_deployment(path: str) -> bool:
    has_its_own = "/stack/test_warden_" in path or path.endswith(_OWN_DEPLOYMENTS)
    return _ring(ROOT / path) in _DEPLOYMENT_RINGS and not has_its_own


def _ring(path: Path) -> str:
    parts = path.relative_to(ROOT / "tests").parts
    return parts[0] if parts[0] in _RINGS else "unit"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Add every container's state and last log lines to a failure that may be theirs."""
    report = yield
    if report.failed and _ring(item.path) != "unit":  # type: ignore[attr-defined]
        for title, text in _container_states():
            report.sections.append((title, text))  # type: ignore[attr-defined]
    return report


def _container_states() -> Sequence[tuple[str, str]]:
    project = os.environ.get("COMPOSE_PROJECT_NAME", "")
    if not project:
        return []
    mine = ("--filter", f"name=^/?{project}")
    listing = docker("ps", "--all", *mine, check=False).stdout
    names = docker("ps", "--all", *mine, "--format", "{{.Names}}", check=False).stdout.split()
    logs = []
    for name in names:
        if name != f"{project}-tests":  # that is us
            log = docker("logs", "--tail", "50", name, check=False)
            logs.append((f"docker logs {name}", log.stdout + log.stderr))
    return [("docker ps --all", listing), *logs]
