"""Berths on a data folder of a test's own, with a host that has no accounts but root's."""

from __future__ import annotations

import os
from pathlib import Path

from tinyberth_common.settings import load
from tinyberth_ledger.berths import Berths
from tinyberth_ledger.data_root import MARKER, DataRoot
from tinyberth_ledger.ledger import Ledger
from tinyberth_ledger.ledger_text import parse


def make_berths(folder: Path, **variables: str) -> Berths:
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (folder / "data").mkdir()
    (folder / "data" / MARKER).touch()
    root = DataRoot(folder / "data", folder / "journal")
    berths = Berths(root, folder / "etc", load(variables))
    berths.prepare()
    return berths


def written(berths: Berths) -> Ledger:
    """Read the two files as they are."""
    files = [berths.root.path / "ledger" / name for name in ("passwd", "group")]
    return parse(*(file.read_text() if file.exists() else "" for file in files))


def tree(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """Everything about what lies in data/ that a refusal must not change."""
    found = {str(path): path.lstat() for path in sorted(folder.rglob("*")) if path.name != ".lock"}
    return {name: (s.st_ino, s.st_mode, s.st_uid, s.st_gid) for name, s in found.items()}


def put_in_the_way(path: Path, kind: str | tuple[int, int]) -> None:
    """Put at ``path`` what is no folder, or an empty folder of the uid and gid ``kind``."""
    if kind == "link":
        path.symlink_to("/etc")
    elif kind == "file":
        path.touch()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        assert isinstance(kind, tuple)
        path.mkdir()
        os.chown(path, *kind)
