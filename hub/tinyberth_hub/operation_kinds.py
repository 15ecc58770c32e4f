"""Every kind of change, by the word that the journal has for it."""

from __future__ import annotations

from .journal import Record
from .moving_operations import Remove, Rename, Restore
from .operations import Operation
from .person_operations import Add, Change
from .team_operations import AddTeam, ArchiveTeam, SetMembers

_KINDS: dict[str, type[Operation]] = {
    operation.kind: operation
    for operation in (Add, Change, Rename, Remove, Restore, AddTeam, SetMembers, ArchiveTeam)
}


def operation_of(record: Record) -> Operation:
    """Return the change that was written down."""
    return _KINDS[record.kind](**record.arguments)
