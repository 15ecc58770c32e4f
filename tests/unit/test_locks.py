"""The locks of the user image: what they pin, for which machines, and that they agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

LOCKS = ("requirements.txt", "tensorflow.txt", "gpu/requirements.txt", "gpu/tensorflow.txt")


@dataclass(frozen=True)
class Pin:
    version: str
    marker: str
    hashes: frozenset[str]


def pins(root: Path, name: str) -> dict[str, Pin]:
    text = (root / "singleuser" / name).read_text(encoding="utf-8")
    found = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        match = re.match(r"([a-z0-9-]+)==(\S+)(?: ; (.+?))?(?: \\|$)", entry)
        assert match, entry
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found[match[1]] = Pin(match[2], match[3] or "", hashes)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_is_named_by_its_hash_and_no_line_by_its_host(root, name):
    assert "://" not in (root / "singleuser" / name).read_text(encoding="utf-8")
    assert [package for package, pin in pins(root, name).items() if not pin.hashes] == []


@pytest.mark.parametrize("folder", ["", "gpu/"])
def test_the_lower_layer_is_a_part_of_the_whole(root, folder):
    whole, lower = pins(root, f"{folder}requirements.txt"), pins(root, f"{folder}tensorflow.txt")
    assert {"uv", "numpy", "keras-hub", "tensorflow-text"} < set(lower) < set(whole)
    for package, pin in lower.items():
        assert (pin.version, pin.hashes) == (whole[package].version, whole[package].hashes)


def test_one_lock_serves_both_machines_with_one_tensorflow_each(root):
    """A wheel per machine shows in the hashes; `./lock --check` asks the index for both."""
    locked = pins(root, "requirements.txt")
    assert locked["tensorflow-cpu"].marker == "platform_machine == 'x86_64'"
    assert locked["tensorflow"].marker == "platform_machine == 'aarch64'"
    for package, pin in locked.items():
        if "platform_machine" in pin.marker and not package.startswith("tensorflow"):
            assert "aarch64" in pin.marker, package
            assert "x86_64" in pin.marker, package


def test_the_gpu_variant_has_cuda_one_tensorflow_and_else_the_same(root):
    cpu, gpu = pins(root, "requirements.txt"), pins(root, "gpu/requirements.txt")
    assert "tensorflow-cpu" not in gpu
    assert gpu["tensorflow"].version == cpu["tensorflow-cpu"].version
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12", "nvidia-nccl-cu12"} < set(gpu)
    for package in set(cpu) & set(gpu):
        assert cpu[package].version == gpu[package].version


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_excluded_is_in_no_lock(root, name):
    text = (root / "singleuser/excludes.txt").read_text(encoding="utf-8")
    excluded = set(re.findall(r"^([a-z][a-z0-9-]*)", text, re.MULTILINE))
    assert excluded >= {"certipy", "grpcio"}
    assert not excluded & set(pins(root, name))
