"""Who belongs here: what every way of signing in shares.

A person is added by an admin, by our own page and terminal or by JupyterHub's; all of them lead to
``people``. How a person then proves to be that person is for subclasses.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.user import User
from tornado.web import RequestHandler
from traitlets import Any as Anything
from traitlets import Unicode

from tinyberth_common.names import NameRefusedError, check_login, normalize_login

from .accounts import Account, AccountStore
from .hub_users import HubUsers
from .journal import Journal
from .ledger_client import LedgerClient
from .operations import Stores
from .parked_pages import parked_handlers
from .parker import Parker
from .people import People
from .people_api import people_handlers
from .people_page import people_page_handlers
from .refusals import ChangeRefusedError
from .secret_files import ensure_secret
from .settings import STATE_DIR
from .stock_groups_api import stock_groups_handlers
from .stock_users_api import stock_users_handlers
from .survey_api import survey_handlers
from .teams import TeamLedger, watch_memberships
from .teams_api import teams_handlers
from .throttle import Throttle
from .warden_client import WardenClient

Handlers = list[tuple[str, type[RequestHandler]]]


class BerthAuthenticator(Authenticator):
    """Accounts of our own beside JupyterHub's users, and a berth for each."""

    first_admin = Unicode(help="Name of who is made an admin where there is none.").tag(
        config=True
    )

    auth_name = ""
    """The value of AUTH that this stands for."""

    parking = Anything(help="The rules of parking, see ``parking.Rules``.").tag(config=True)

    people: People
    """Where people and teams change, once the hub's application is there."""

    parker: Parker
    """Who parks servers, from then on, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        state_file = STATE_DIR / "accounts.sqlite"
        self.accounts = AccountStore(state_file)
        self.journal = Journal(state_file)
        throttle_key = ensure_secret(STATE_DIR / "throttle-key")
        self.throttle = Throttle(state_file, throttle_key, logins=self.accounts.all)
        self.ledger = LedgerClient()

    def normalize_username(self, username: str) -> str:
        return normalize_login(username)

    def validate_username(self, username: str) -> bool:
        try:
            check_login(username)
        except NameRefusedError as refusal:
            self.log.warning("Refused a name: %s", refusal)
            return False
        return True

    def resolve_person(self, name: str) -> tuple[str, str]:
        """Return the login of whom an admin calls ``name``, and the name as it is shown. Pure.

        Raises
        ------
        NameRefusedError
        """
        login = check_login(self.normalize_username(name))
        return login, login

    def check_teams_are_ours(self) -> None:
        """Refuse to change who is in which team where a provider says so at each sign-in.

        Raises
        ------
        ChangeRefusedError
        """
        if self.manage_groups:
            raise ChangeRefusedError(
                409, f"Who is in which team comes from {self.login_service}: change groups there."
            )

    async def link_for(self, _: Account) -> str | None:
        """Return a fresh one-time link, where people sign in by what a link has set."""
        return None

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        """Let nobody in whose removal has begun."""
        allowed: bool = super().check_blocked_users(username, authentication)
        return allowed and not self.people.is_leaving(username)

    async def add_user(self, user: User) -> None:
        """Give a user of JupyterHub's a berth and an account, unless they have it. Idempotent.

        JupyterHub calls it for every user at its start, and for who signs in for the first time.
        The ledger comes first: where it refuses, no account is left half made.
        """
        check_login(user.name)
        super().add_user(user)
        if user.name in self.journal.logins():
            return  # a change was cut short; it is finished when the hub serves
        if await asyncio.to_thread(self.accounts.get, user.name) is None:
            await self.ledger.ensure_berth(user.name)
            await asyncio.to_thread(self.accounts.ensure, user.name)

    def get_handlers(self, app: Any) -> Handlers:
        """Our pages and API; JupyterHub serves them below /hub, before its own.

        JupyterHub calls this once, when its database and its users are there: what needs them
        begins here.
        """
        hub = HubUsers(app)
        teams = TeamLedger(self.ledger, hub, self.log)
        stores = Stores(self.ledger, WardenClient(), hub, self.accounts, teams, self.throttle)
        first_admin = self.resolve_person(self.first_admin)
        self.people = People(stores, self.journal, self.log, first_admin)
        self.parker = Parker(hub, stores.warden, self.parking, self.log)
        # JupyterHub removes the OAuth clients of servers that it has no spawner of at its start.
        hub.parked_spawners()
        watch_memberships(app.db, self.people.settle_soon)
        self._settling = asyncio.ensure_future(self.people.run(hub.serving()))
        self._parking = asyncio.ensure_future(self.parker.run(hub.serving()))
        return [
            *super().get_handlers(app),
            *people_page_handlers,
            *people_handlers,
            *teams_handlers,
            *survey_handlers,
            *stock_users_handlers,
            *stock_groups_handlers,
            *parked_handlers,
        ]
