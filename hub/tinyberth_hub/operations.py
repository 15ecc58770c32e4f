"""What a change of people or teams is, and the stores that it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .accounts import AccountStore
from .hub_users import HubUsers
from .ledger_client import Berth, LedgerClient
from .refusals import ChangeRefusedError
from .teams import TeamLedger
from .throttle import Throttle
from .warden_client import WardenClient


@dataclass(frozen=True)
class Stores:
    """Where a person is written down: the ledger, JupyterHub's database, our accounts.

    The warden knows what the person's server uses.
    """

    ledger: LedgerClient
    warden: WardenClient
    hub: HubUsers
    accounts: AccountStore
    teams: TeamLedger
    throttle: Throttle


@dataclass(frozen=True)
class Operation:
    """One change, with arguments that JSON can hold.

    Its steps are in an order in which nobody gets in or keeps anything too early or too long, and
    each can be repeated: whoever is killed in the middle does it again from the beginning.
    """

    kind: ClassVar[str]

    @property
    def logins(self) -> frozenset[str]:
        """Whose servers cannot start while this is under way."""
        return frozenset()

    @property
    def subjects(self) -> frozenset[str]:
        """What no other operation touches until this has come to its end."""
        return self.logins

    async def prepare(self, _: Stores) -> Operation:
        """Return the operation complete with what must be known from before its first effect.

        Raises
        ------
        ChangeRefusedError
            Nothing has been done.
        """
        return self

    async def carry_out(self, _: Stores) -> Any:
        """Do it; raises LedgerError."""
        raise NotImplementedError

    async def undo(self, _: Stores) -> None:
        """Take back what ``carry_out`` did before the ledger refused a step of it."""

    def sentence(self, _result: Any) -> str:
        """Return what was done, as the log says after the name of who did it."""
        raise NotImplementedError


def check_present(login: str, hub: HubUsers) -> None:
    if not hub.has(login):
        raise ChangeRefusedError(404, f"There is nobody named {login!a} here.")


def check_not_last_admin(login: str, stores: Stores) -> None:
    if stores.hub.admins() == {login}:
        raise ChangeRefusedError(
            409, f"{login} is the last admin: make somebody else an admin first."
        )


async def living_berth(login: str, stores: Stores) -> Berth | None:
    berths = await stores.ledger.list_berths()
    return next((b for b in berths if b.login == login and not b.archive), None)
