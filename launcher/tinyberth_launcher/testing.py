"""`tinyberth test`: builds what the tests need, runs them in a container, cleans up.

Everything carries a project name of its own, so that several runs, and a deployment that
people use, do not meet.
"""

from __future__ import annotations

import secrets
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyberth_common.settings import SCHEMA

from .base import ensure_base
from .checkout import Checkout
from .command import passthrough
from .compose import Compose, build_progress
from .engine import always, ensure_engine
from .preflight import MARKER
from .problem import OK
from .selection import Selection, select_tests
from .steps import Step, Steps
from .testing_traces import remove_traces

_IMAGES = ("hub", "ledger", "warden", "firewall", "proxy", "singleuser")

_TWO_WORKERS = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")


@dataclass(frozen=True)
class Run:
    """One run: its project name, work folder on the host, and what Compose is told."""

    project: str
    host_work: Path
    port: int
    base: str
    host_ca_bundle: str

    @property
    def image(self) -> str:
        return f"{self.project}-tests:0.1.0"

    def settings(self) -> dict[str, str]:
        """Return every setting: a developer's .env must not decide how tests end."""
        return {
            **{setting.name: "" for setting in SCHEMA},
            "COMPOSE_PROJECT_NAME": self.project,
            "PORT": str(self.port),
            "DATA_DIR": str(self.host_work / "data"),
            "BRIDGE_NAME": "tb" + self.project.rpartition("-")[2],
            "BASE_IMAGE": self.base,
            "HOST_CA_BUNDLE": self.host_ca_bundle,
        }

    def environment(self, root: Path) -> dict[str, str]:
        """Return the variables that the tests see."""
        images = {
            f"TINYBERTH_TEST_{name.upper()}_IMAGE": f"{self.project}-{name}:0.1.0"
            for name in _IMAGES
        }
        return {
            **self.settings(),
            **images,
            "TINYBERTH_TEST_WORK": str(self.host_work),
            "TINYBERTH_TEST_OUT": str(root / ".state" / "test"),
        }


def run_tests(checkout: Checkout, steps: Steps, args: Sequence[str]) -> int:
    """Run what ``args`` ask for; the exit code is pytest's, or 1 where only a linter failed."""
    selection = select_tests(args)
    with steps.step("Engine") as step:
        ensure_engine(step, always)
    with steps.step("Base") as step:
        base = ensure_base(step, checkout)
    run = _new_run(checkout, base)
    try:
        with steps.step("Tests") as step:
            _build_tests_image(step, checkout, run)
            step.done("image is built")
        code = _run_inside(checkout, run, "python3", "tests/lint.py") if selection.lint else OK
        if selection.needs_images:
            with steps.step("Images") as step:
                _test_compose(checkout, run).build(step)
                step.done("are built")
        if selection.pytest_args:  # last, so that pytest's closing line closes
            code = _run_inside(checkout, run, *pytest_command(checkout.root, selection)) or code
    finally:
        remove_traces(run.project, run.host_work, run.image)
    return code


def _run_inside(checkout: Checkout, run: Run, *command: str) -> int:
    return passthrough(container_command(checkout.root, run, command))


def pytest_command(root: Path, selection: Selection) -> list[str]:
    """Return pytest's command line, without a wrapper that would stand between it and Ctrl-C."""
    return [
        *("python3", "-m", "pytest", "--durations=15"),
        *("-o", f"cache_dir={root}/.state/test/pytest_cache"),
        # Two workers, and one group for each thing that tests share, the longest first: in the
        # order of tests/conftest.py, which xdist would undo.
        *(_TWO_WORKERS if selection.parallel else ()),
        *selection.pytest_args,
    ]


def _new_run(checkout: Checkout, base: dict[str, str]) -> Run:
    host_work = Path(tempfile.mkdtemp(prefix="tinyberth-test-", dir="/var/tmp"))
    host_work.chmod(0o755)  # as /srv would be: homes below it protect themselves
    (host_work / "data").mkdir()
    (host_work / "data" / MARKER).touch()
    (checkout.root / ".state" / "test").mkdir(parents=True, exist_ok=True)
    schema = {setting.name: setting.default for setting in SCHEMA}
    variables = checkout.variables
    return Run(
        project=f"tbtest-{secrets.token_hex(3)}",
        host_work=host_work,
        port=_free_port(),
        base=base.get("BASE_IMAGE") or variables.get("BASE_IMAGE") or checkout.pinned_base,
        host_ca_bundle=variables.get("HOST_CA_BUNDLE") or schema["HOST_CA_BUNDLE"],
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _test_compose(checkout: Checkout, run: Run) -> Compose:
    shell = {**checkout.shell, **run.settings()}
    return Compose(replace(checkout, shell=shell, variables=run.settings()))


def _build_tests_image(step: Step, checkout: Checkout, run: Run) -> None:
    step.run(
        [
            *("docker", "buildx", "build", "--progress", "plain", "--load"),
            *("--tag", run.image, "--build-arg", f"BASE_IMAGE={run.base}"),
            *("--secret", f"id=ca,src={run.host_ca_bundle}"),
            *("--build-context", f"proxy={checkout.root / 'proxy'}", str(checkout.root / "tests")),
        ],
        failed="Building the tests' image failed",
        show=build_progress,
    )


def container_command(root: Path, run: Run, command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` in the tests' image.

    The repository lies at the same path as on the host, because the engine resolves the
    bind mounts of the compose file there; read-only, so that no test leaves a trace in it.
    """
    shared = root.parent / "shared"
    mounts = [
        "/var/run/docker.sock:/var/run/docker.sock",
        f"{root}:{root}:ro",
        f"{root}/.state/test:{root}/.state/test",
        f"{run.host_work}:{run.host_work}",
        f"{run.host_ca_bundle}:/run/secrets/ca:ro",  # for tests/audit.py
        *([f"{shared}:{shared}:ro"] if shared.is_dir() else []),
    ]
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    return [
        *("docker", "run", "--rm", "--init", "--name", f"{run.project}-tests"),
        *(["--interactive", "--tty"] if interactive else []),
        *("--network", "host"),  # Chromium opens 127.0.0.1 of the host
        *("--shm-size", "1g"),  # Chromium's tabs crash in Docker's 64 MB
        # In memory: unit tests sync hundreds of databases and ledgers. `exec`: programs lie there.
        *("--tmpfs", "/tmp:exec,mode=1777"),  # noqa: S108 - of that container alone
        *(word for mount in mounts for word in ("--volume", mount)),
        *(word for pair in run.environment(root).items() for word in ("--env", "=".join(pair))),
        *("--workdir", str(root), run.image, *command),
    ]
