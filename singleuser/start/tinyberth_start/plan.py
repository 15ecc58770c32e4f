"""Which notebooks to deliver into a home: a pure decision over three lists of hashes.

The image ships notebooks, the home holds notebooks, and a manifest in the home says what was
delivered before. From these follows, for every shipped notebook, one of: nothing to do, write
it, write it over an untouched older one, or lay it beside the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

Hashes = Mapping[str, str]
"""SHA-256 in hex by file name."""

NOT_A_FILE = "not a regular file"
"""Stands for the hash of a folder, a symlink or a FIFO: something that is never replaced."""


@dataclass(frozen=True)
class Delivery:
    """Write the shipped notebook ``name`` to ``target``.

    ``replaces`` is the hash of the untouched file that may be overwritten; None says that
    nothing may be there.
    """

    name: str
    target: str
    replaces: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to write, and the manifest that holds once it is written."""

    deliveries: tuple[Delivery, ...]
    manifest: dict[str, str]


def new_name(name: str) -> str:
    """Return the name under which a new edition lies beside the user's own notebook."""
    path = PurePosixPath(name)
    return f"{path.stem} (new){path.suffix}"


def plan_deliveries(shipped: Hashes, delivered: Hashes, at_home: Hashes) -> Plan:
    """Decide for every shipped notebook.

    Parameters
    ----------
    shipped
        The notebooks of the image.
    delivered
        The manifest: the edition of each notebook that was last delivered, under its own name
        whether it was written there or beside.
    at_home
        What lies in the home's folder, ``NOT_A_FILE`` for what is no regular file.

    Notes
    -----
    A notebook that the user deleted stays away until the image ships another edition of it:
    a new edition is news, the old one is not. A "(new)" copy is replaced by a later edition
    only while it is as it was delivered.
    """
    deliveries = []
    for name, edition in sorted(shipped.items()):
        last = delivered.get(name)
        if edition == last or at_home.get(name) == edition:
            continue
        if name not in at_home:
            deliveries.append(Delivery(name, name))
        elif at_home[name] == last:
            deliveries.append(Delivery(name, name, replaces=last))
        else:
            deliveries.extend(_beside(name, edition, last, at_home))
    return Plan(tuple(deliveries), {**delivered, **shipped})


def _beside(name: str, edition: str, last: str | None, at_home: Hashes) -> list[Delivery]:
    """Lay ``edition`` beside a notebook that the user changed, under the first fitting name."""
    stem, suffix = PurePosixPath(new_name(name)).stem, PurePosixPath(name).suffix
    target, number = f"{stem}{suffix}", 1
    while target in at_home:
        if at_home[target] == edition:
            return []
        if at_home[target] == last:
            return [Delivery(name, target, replaces=last)]
        number += 1
        target = f"{stem[:-1]} {number}){suffix}"
    return [Delivery(name, target)]
