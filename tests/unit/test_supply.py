"""Everything that is downloaded is named by a hash, or comes from Debian's signed packages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from audit import locks

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted(ROOT.glob("*/Dockerfile"))
LOCKS = locks(ROOT)
PIP_LOCKS = [lock for lock in LOCKS if lock.suffix == ".txt"]
NPM_LOCKS = [lock for lock in LOCKS if lock.suffix == ".json"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def instructions(dockerfile: Path) -> list[str]:
    """Return a Dockerfile's instructions, each on one line and without remarks."""
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_no_image_is_forgotten() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    contexts = [service["build"]["context"] for service in compose["services"].values()]
    folders = {dockerfile.parent.name for dockerfile in DOCKERFILES}
    assert folders == {context.removeprefix("./") for context in contexts} | {"tests"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=named)
def test_every_stage_is_from_the_one_base(dockerfile: Path) -> None:
    lines = instructions(dockerfile)
    assert "ARG BASE_IMAGE" in lines  # without a default: the compose file alone names it
    stages: set[str] = set()
    for line in lines:
        if line.startswith("FROM "):
            image, *name = re.sub(r"--\S+ ", "", line).split()[1:]
            assert image == "${BASE_IMAGE}" or image in stages, line
            stages |= set(name[1:])
        # Another image's files come in by `--from` or a mount, too; ours are build contexts.
        for source in re.findall(r"(?:--from=|,from=)(\S+?)[, ]", line):
            assert source in stages | {"common", "notebooks", "proxy"}, line


def test_the_one_base_is_pinned_by_digest_and_no_image_by_a_moving_tag() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    base = compose["x-build"]["args"]["BASE_IMAGE"]
    assert re.fullmatch(r"\$\{BASE_IMAGE:-debian:trixie-slim@sha256:[0-9a-f]{64}\}", base)
    for service in compose["services"].values():
        assert re.fullmatch(r"\$\{COMPOSE_PROJECT_NAME\}-[a-z]+:\d+\.\d+\.\d+", service["image"])


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=named)
def test_an_image_installs_from_debian_and_from_locks_with_hashes_alone(dockerfile: Path) -> None:
    text = "\n".join(instructions(dockerfile))
    assert not re.search(r"^ADD |git clone", text, re.MULTILINE)
    for line in text.splitlines():
        for command in re.split(r"&&|;", line):
            if re.search(r"\bpip (install|sync)\b", command):
                assert "--require-hashes" in command, command
            assert not re.match(r"(RUN )?\s*(curl|wget)\b", command), command
            if re.search(r"\bnpm(-cli\.js\")?\s+[a-z]", command):
                assert re.search(r"\bci\b.*--ignore-scripts", command), command
    for requirement in re.findall(r"^.*\b\w+==\d.*$", text, re.MULTILINE):
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("lock", PIP_LOCKS, ids=named)
def test_a_python_lock_names_each_file_by_hash_and_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=[^\s#])", "\n".join(re.findall(r"^(?!\s*#).*$", text, re.MULTILINE)))
    assert len(entries) >= 1
    for entry in entries:
        assert re.match(r"\s*[a-z0-9-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=named)
def test_an_npm_lock_names_each_package_by_hash_and_no_host(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize("manifest", sorted(ROOT.glob("*/requirements.in")), ids=named)
def test_what_is_asked_for_is_in_the_lock(manifest: Path) -> None:
    lock = manifest.with_suffix(".txt").read_text(encoding="utf-8")
    text = manifest.read_text(encoding="utf-8")
    for name in re.findall(r"^([A-Za-z][A-Za-z0-9_.-]*)", text, re.MULTILINE):
        locked = re.sub(r"[-_.]+", "-", name).lower()
        assert re.search(rf"^{locked}==", lock, re.MULTILINE), name


def test_actions_are_pinned_by_commit() -> None:
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    assert workflows
    for workflow in workflows:
        for action in re.findall(r"uses: *(\S+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
