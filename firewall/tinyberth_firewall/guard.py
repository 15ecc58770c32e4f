"""Keeps the table as it should be, and says whether it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from . import nft
from .rules import Policy, rules

_log = logging.getLogger("firewall")

CANNOT = (
    "The kernel did not take the firewall's table, so users' servers would not be kept from the "
    "private networks, and none is started. nft says: {error} It needs Linux 4.14 or newer with "
    "nf_tables (`modprobe nf_tables` as root loads it) and the capability NET_ADMIN, which "
    "docker-compose.yml gives."
)


@dataclass(frozen=True)
class State:
    """``ok``: the table is in force now; ``message`` is a sentence for a person either way."""

    ok: bool
    message: str


class Guard:
    """Applies the rules of ``policy`` and compares them with what the kernel has."""

    def __init__(self, policy: Policy, network_devices: Path = Path("/sys/class/net")) -> None:
        self.policy = policy
        self._bridge = network_devices / policy.bridge
        self._applied: str | None = None

    def ensure(self) -> State:
        """Look, apply again what is not as it was applied, and say what was found."""
        if not (self._bridge / "bridge").is_dir():
            # Rules for another bridge than the users' would be no rules at all.
            return State(
                False,
                f"There is no bridge {self.policy.bridge} on the host, so the users' network was "
                "made under another BRIDGE_NAME. `./tinyberth down`, then `./tinyberth up`, "
                "makes it anew.",
            )
        try:
            return self._ensure_table()
        except (nft.NftError, OSError, ValueError) as error:
            return State(False, CANNOT.format(error=str(error).rstrip(".") + "."))

    def leave(self) -> None:
        """Remove the table if nobody is left to guard: an end of ours must not open anything."""
        ports = self._bridge / "brif"
        if ports.is_dir() and any(ports.iterdir()):
            _log.info("users' servers run, so the table %s stays", self.policy.table)
            return
        try:
            nft.remove(self.policy.table)
        except nft.NftError as error:
            _log.error("the table %s cannot be removed: %s", self.policy.table, error)
        else:
            _log.info("removed the table %s", self.policy.table)

    def _ensure_table(self) -> State:
        if self._applied is not None:
            found = nft.listing(self.policy.table)
            if found == self._applied:
                return State(True, f"The table {self.policy.table} is in force.")
            change = "removed" if found is None else "changed"
            message = f"The table {self.policy.table} was {change} by somebody; applied again."
            _log.warning("%s", message)
        else:
            message = f"The table {self.policy.table} was applied."
        nft.apply(rules(self.policy))
        self._applied = nft.listing(self.policy.table)
        return State(True, message)
