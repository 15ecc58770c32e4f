"""The machine's time, as far as it can be judged without a network.

Nobody else's clock is asked. The kernel knows whether some program keeps its clock; and what was
written here cannot be from the future, unless the clock was set back since.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Mapping

from .finding import Finding, fault, fine, note
from .patient import Patient

_TIME_ERROR = 5  # adjtimex(2): "the clock is not synchronized"
_TIMEX_BYTES = 256  # struct timex has 208
_SLACK = 120
"""Seconds; more than a step of a clock that somebody keeps."""


def look(patient: Patient) -> list[Finding]:
    root, data = patient.checkout.root, patient.checkout.host_data_dir
    witnesses = [root / ".env", root / "docker-compose.yml", root / ".state"]
    witnesses += [data / "ledger" / name for name in ("passwd", "group")] + [data / "users"]
    times = {str(path): path.stat().st_mtime for path in witnesses if os.access(path, os.F_OK)}
    return judge(time.time(), times, _kept())


def _kept() -> bool | None:
    """Tell whether a program keeps the kernel's clock; None where the kernel does not say."""
    try:
        # Zeros only read: adjtimex(2) with no mode changes nothing and needs no rights.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != _TIME_ERROR)


def judge(now: float, times: Mapping[str, float], kept: bool | None) -> list[Finding]:
    """Judge the time ``now`` by when files were written."""
    late = {path: then - now for path, then in times.items() if then > now + _SLACK}
    found = []
    if late:
        path = max(late, key=lambda name: late[name])
        found.append(
            fault(
                "clock_back",
                f"{path} was written {_span(late[path])} after the present time "
                f"({time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(now))}).",
                why="The clock was set back, or is wrong. Links and sessions expire by it, and "
                "providers (AUTH) refuse who has another time.",
                remedy="`date -u` shows it: set the clock. If the clock is right, "
                f"`touch {path}` puts the file right.",
            )
        )
    if kept is False:
        found.append(
            note(
                "clock_not_kept",
                "no program keeps the clock, says the kernel.",
                why="It may be right by now and drifts by seconds a day. In a virtual machine the "
                "host may keep it unseen.",
                remedy="`timedatectl set-ntp true`, or install chrony.",
            )
        )
    return found or [fine("no file is from the future" + (", and the clock is kept" * bool(kept)))]


def _span(seconds: float) -> str:
    for limit, unit, name in ((5400, 60, "minutes"), (172800, 3600, "hours")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"
