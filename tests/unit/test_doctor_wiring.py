"""What the doctor says of sockets, volumes and images, by tables of broken ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyberth_launcher import built_images
from tinyberth_launcher.built_images import Source
from tinyberth_launcher.checkout import Checkout, load_checkout
from tinyberth_launcher.command import Result
from tinyberth_launcher.doctor import images, sockets, volumes
from tinyberth_launcher.doctor.finding import Finding

CONTAINERS = {name: f"tb-{name}-1" for name in sockets.EXPECTED}
SOCKET = {"service": "ledger", "uid": 0, "gid": 10001, "mode": 0o140660, "answers": True}


def keys(findings: list[Finding]) -> list[str]:
    return [finding.key for finding in findings]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"error": "Connection refused", "answers": False}, ["socket_dead"]),
        ({"error": "No such file or directory", "answers": False}, ["socket_dead"]),
        ({"mode": 0o140666}, ["socket_open"]),
        ({"gid": 0}, ["socket_open"]),
        ({"uid": 1000}, ["socket_open"]),
    ],
)
def test_sockets(changes, expected) -> None:
    found = sockets.judge({**SOCKET, **changes}, CONTAINERS)
    assert keys(found) == expected
    assert all(one.fix and one.fix.commands[0][-1] == "tb-ledger-1" for one in found)


def test_the_sockets_are_where_the_hub_looks_for_them() -> None:
    from tinyberth_hub import settings

    hubs = {
        str(value) for name, value in vars(settings).items() if name.endswith("_SOCKET")
    }  # fmt: skip
    assert {expected[0] for expected in sockets.EXPECTED.values()} == hubs


@pytest.mark.parametrize(
    ("there", "has_people", "expected"),
    [
        (list(volumes.EXPECTED), True, []),
        ([], False, ["volumes_new"]),
        ([], True, ["state_missing"]),
        (["hub-run"], True, ["state_missing"]),
        (["hub-state", "hub-run"], True, ["volume_missing"]),
    ],
)
def test_which_volumes_there_are(there, has_people, expected) -> None:
    assert keys(volumes.judge_missing(there, has_people=has_people)) == expected


def test_volumes_of_somebody_else_are_given_back() -> None:
    well = {
        name: [uid, gid, 0o40000 | mode] for name, (uid, gid, mode) in volumes.EXPECTED.items()
    }
    assert list(volumes.judge_owners(well, "tb", "image")) == []
    for broken in ([0, 0, 0o40700], [10001, 10001, 0o40755]):
        (finding,) = volumes.judge_owners({**well, "hub-state": broken}, "tb", "image")
        assert finding.fix
        assert [command[-3:] for command in finding.fix.commands] == [
            ("chown", "10001:10001", "/it"),
            ("chmod", "700", "/it"),
        ]
        assert "type=volume,source=tb_hub-state,target=/it" in finding.fix.commands[0]


def test_the_hubs_secrets_are_its_own() -> None:
    well = {"link-key": [10001, 10001, 0o100600]}
    assert list(volumes.judge_state(well, "tb_hub-state", "image")) == []
    broken = {**well, "cookie_secret": [10001, 10001, 0o100644], "a.sqlite": [0, 0, 0o100600]}
    (finding,) = volumes.judge_state(broken, "tb_hub-state", "image")
    assert "a.sqlite, cookie_secret is not the hub's alone" in finding.what


def test_the_volumes_are_those_of_the_compose_file(root: Path) -> None:
    text = (root / "docker-compose.yml").read_text()
    block = text.partition("\nvolumes:\n")[2].partition("\nsecrets:")[0]
    named = set(re.findall(r"^  ([a-z-]+):", block, re.MULTILINE))
    assert named == volumes.EXPECTED.keys() | {"listen"}


def image(identity: str = "sha256:1", tagged: str = "2026-01-01 12:00:00.5 +0000 UTC") -> dict:
    return {"Id": identity, "Metadata": {"LastTagTime": tagged}}


NOON = 1767268800.0  # 2026-01-01 12:00:00 UTC


@pytest.mark.parametrize(
    ("there", "source", "recorded", "expected"),
    [
        ({}, Source("d", "f", NOON), {}, ["image_missing"]),
        ({"hub": image()}, Source("d", "f", NOON + 999), {"hub": "d"}, []),
        ({"hub": image()}, Source("d", "f", NOON - 999), {"hub": "other"}, ["image_old"]),
        ({"hub": image()}, Source("d", "f", NOON - 1), {"hub": None}, []),
        ({"hub": image()}, Source("d", "f", NOON + 2), {"hub": None}, ["image_old"]),
    ],
)
def test_images_older_than_the_checkout(there, source, recorded, expected) -> None:
    assert keys(images.judge_images(there, {"hub": source}, recorded)) == expected


def test_services_and_servers_of_an_older_image() -> None:
    there = {"hub": image("new"), "singleuser": image("new")}
    assert keys(images.judge_services(there, {"hub": {"Image": "old"}})) == ["service_old"]
    assert images.judge_services(there, {"hub": {"Image": "new"}}) == []
    server = {"Image": "old", "State": {"Running": True},
              "Config": {"Labels": {"tinyberth.login": "ada"}}}  # fmt: skip
    (finding,) = images.judge_servers(there, [server])
    assert finding.key == "servers_old"
    assert "./tinyberth user stop ada" in finding.remedy
    assert images.judge_servers(there, [{**server, "Image": "new"}]) == []


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Return a checkout with one file for each image, in an engine whose images are all x."""
    pinned = "name: tinyberth\nx: ${BASE_IMAGE:-debian:trixie-slim@sha256:00}\n"
    (tmp_path / "docker-compose.yml").write_text(pinned)
    for folder in {folder for folders in built_images.FOLDERS.values() for folder in folders}:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Dockerfile").write_text("FROM x\n")
    monkeypatch.setattr(built_images, "capture", lambda *_: Result(0, "x\n", ""))
    return load_checkout(tmp_path, shell={})


def test_what_up_built_is_known_by_id_and_content(sources: Checkout) -> None:
    name = "tinyberth-hub:0.1.0"
    assert built_images.recorded_source(sources, name, "x") is None
    built_images.record(sources, built_images.sources(sources))
    digest = built_images.source_of(sources, "hub").digest
    assert built_images.recorded_source(sources, name, "x") == digest
    assert built_images.recorded_source(sources, name, "built by hand") is None

    file = sources.root / "hub" / "Dockerfile"
    file.write_text("FROM y\n")
    assert built_images.source_of(sources, "hub").digest != digest
    assert built_images.source_of(sources, "proxy") == built_images.source_of(sources, "proxy")
    file.write_text("FROM x\n")
    assert built_images.source_of(sources, "hub").digest == digest
    file.chmod(0o755)
    assert built_images.source_of(sources, "hub").digest != digest


def test_what_python_leaves_in_a_folder_is_no_change(sources: Checkout) -> None:
    before = built_images.source_of(sources, "hub")
    (sources.root / "hub" / "__pycache__").mkdir()
    (sources.root / "hub" / "__pycache__" / "m.pyc").touch()
    assert built_images.source_of(sources, "hub") == before


def test_what_changed_while_it_was_built_is_not_written_down(sources: Checkout) -> None:
    before = built_images.sources(sources)
    (sources.root / "common" / "Dockerfile").write_text("FROM y\n")
    built_images.record(sources, before)
    assert built_images.recorded_source(sources, "tinyberth-hub:0.1.0", "x") is None
    assert built_images.recorded_source(sources, "tinyberth-proxy:0.1.0", "x")


def test_each_image_is_compared_with_all_that_it_is_built_from(root: Path) -> None:
    text = (root / "docker-compose.yml").read_text()
    blocks = re.findall(
        r"^  (\w+):\n(?:(?!^  \w).*\n)*?    build:\n((?:      .*\n)+)", text, re.MULTILINE
    )
    named = {service: set(re.findall(r"\./([a-z]+)", lines)) for service, lines in blocks}
    assert named == {name: set(folders) for name, folders in built_images.FOLDERS.items()}
