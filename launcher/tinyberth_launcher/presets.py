"""`tinyberth preset`: real TinyBERT weights for everybody, in ``data/presets``."""

from __future__ import annotations

import json
import shutil
import tarfile
import urllib.error
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from tinyberth_presets.checksums import ChecksumError, sha256_of_files, verify

from .checkout import Checkout
from .download import download, format_bytes
from .kaggle import api_url, auth_headers, explain_refusal
from .preflight import check_settings
from .problem import FAILED, REFUSED, USAGE, Problem
from .shelf import check_room, open_shelf, size_of
from .steps import Step, Steps

_LOCK = "singleuser/presets/presets.json"
_TRAINED = {"True": "trained", "False": "untrained"}
_UNPACKED_BYTES_MAX = 20 * 2**30
"""An archive that unpacks to more is a mistake or a trap; BERT Base has 0.4 GB."""


def list_presets(checkout: Checkout) -> int:
    """Print every preset that is pinned or there, with what it is."""
    shelf = open_shelf(checkout, "presets")
    lock = _lock(checkout)
    for name in sorted({*lock, *shelf.names()}):
        if name in shelf.names():
            label = _label(shelf.place(name))
            trained = _TRAINED.get(str(label.get("trained")), "not labelled")
            source = label.get("source", "put there by hand")
            print(f"{name}: {trained}, {format_bytes(size_of(shelf.place(name))[1])}, {source}")
            print(f"  {label.get('verified', 'not verified')}")
        else:
            print(f"{name}: not fetched: ./tinyberth preset fetch {name}")
    print(f"\nin {shelf.host_path}; where it has none, servers use the preset of the image.")
    return 0


def fetch_preset(checkout: Checkout, steps: Steps, name: str, *, replace: bool) -> int:
    """Fetch the pinned revision of ``name``, check it, and show it to everybody."""
    lock = _lock(checkout)
    if name not in lock:
        raise Problem(
            f"{name[:80]!a} is not pinned in {_LOCK}.",
            remedy=f"Pinned are: {', '.join(sorted(lock))}. Any other Keras preset can be put "
            f"into {checkout.host_data_dir}/presets by hand.",
            code=USAGE,
        )
    settings = check_settings(checkout)
    shelf = open_shelf(checkout, "presets")
    if shelf.place(name).exists() and not replace:
        raise Problem(
            f"{shelf.place(name)} is there already.",
            remedy=f"To fetch it anew: ./tinyberth preset fetch {name} --replace",
            code=REFUSED,
        )
    handle = lock[name]["handle"]
    with shelf.work_folder(name) as work:
        # The revision in the file's name: a beginning of another one is not taken up.
        archive = work / f"{handle.replace('/', '_')}.tar.gz"
        with steps.step("Download") as step:
            _download(step, checkout, handle, archive, settings.host_ca_bundle)
            step.done(f"{format_bytes(archive.stat().st_size)} of {handle}")
        with steps.step("Check") as step:
            staged = work / "preset"
            verified = _unpack_and_check(archive, staged, lock[name])
            _write_label(staged, name, handle, verified)
            step.done(verified)
        shelf.publish(staged, name)
        archive.unlink()
    if not lock[name]["sha256"]:
        found = sha256_of_files(shelf.place(name))
        found.pop("PROVENANCE.json")
        print(f"\nNo checksum was recorded to compare with. Those of these files, for {_LOCK}:")
        print(json.dumps({name: {**lock[name], "sha256": found}}, indent=2))
    print(f"\n{shelf.place(name)}: servers use it from now on, without a restart.")
    return 0


def _download(
    step: Step, checkout: Checkout, handle: str, archive: Path, host_ca_bundle: str
) -> None:
    if archive.exists() and not archive.with_name(archive.name + ".part").exists():
        return  # an earlier try fetched all of it and failed later
    part = archive.with_name(archive.name + ".part")
    url = api_url(checkout.shell, f"models/{handle}/download")
    try:
        # Public models need no account, but where credentials are set, Kaggle wants to see them.
        headers = auth_headers(checkout.shell)
        download(step, url, part, headers=headers, host_ca_bundle=host_ca_bundle)
    except urllib.error.HTTPError as error:
        page = f"https://www.kaggle.com/models/{handle}"
        raise explain_refusal(error, what=f"the model {handle}", page=page) from None
    part.rename(archive)


def _unpack_and_check(archive: Path, staged: Path, entry: dict[str, Any]) -> str:
    shutil.rmtree(staged, ignore_errors=True)  # of a try that was interrupted here
    try:
        _unpack(archive, staged)
        verified = verify(sha256_of_files(staged), entry["sha256"])
    except (ChecksumError, tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault: the archive may be as good as it was
        shutil.rmtree(staged, ignore_errors=True)
        archive.unlink()  # so that the next try fetches it anew
        raise Problem(
            f"What was fetched is not the preset that is pinned: {error}",
            why="It was thrown away; data/presets is as it was.",
            remedy="Run the same command again; if it stays, report it.",
            code=FAILED,
        ) from None
    if not (staged / "config.json").is_file():
        shutil.rmtree(staged)
        archive.unlink()
        raise Problem(
            "What was fetched is not a Keras preset: it has no config.json.",
            remedy=f"Look at the handle in {_LOCK}.",
        )
    return verified


def _unpack(archive: Path, staged: Path) -> None:
    """Unpack plain files and folders; anything else has no place in a preset."""
    with tarfile.open(archive, "r:gz") as tar:
        members = tar.getmembers()
        for member in members:
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
                raise tarfile.TarError(f"it has {member.name[:80]!a} in it")
        total = sum(member.size for member in members)
        if total > _UNPACKED_BYTES_MAX:
            raise tarfile.TarError(f"it would unpack to {format_bytes(total)}")
        check_room(archive.parent, total)
        for member in members:
            target = staged / member.name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)


def _write_label(staged: Path, name: str, handle: str, verified: str) -> None:
    label = {"preset": name, "trained": True, "source": handle, "verified": verified}
    text = json.dumps(label, indent=2) + "\n"
    (staged / "PROVENANCE.json").write_text(text, encoding="utf-8")


def _label(place: Path) -> dict[str, Any]:
    try:
        label = json.loads((place / "PROVENANCE.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return label if isinstance(label, dict) else {}


def _lock(checkout: Checkout) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads((checkout.root / _LOCK).read_text(encoding="utf-8"))
    return lock
