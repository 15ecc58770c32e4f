"""REST API for `./tinyberth doctor`: what each of the hub's own stores says, not made one.

The ledger is not asked: where it is lost, these are what it is compared with.
"""

from __future__ import annotations

import asyncio

from jupyterhub.apihandlers.base import APIHandler

from .api_base import PeopleHandler


class SurveyAPIHandler(PeopleHandler):
    async def get(self) -> None:
        """Tell users, accounts, groups, whose servers run, and changes that have not ended."""
        hub = self.people.hub
        accounts = await asyncio.to_thread(self.people.stores.accounts.all)
        unfinished = await asyncio.to_thread(self.people.journal.unfinished)
        self.answer(
            {
                "users": [row.name for row in hub.rows()],
                "accounts": sorted(accounts),
                "teams": {team: sorted(members) for team, members in hub.teams().items()},
                "running": sorted(hub.running_spawners()),
                "unfinished": [
                    {"kind": one.kind, "by": one.by, "begun_at": one.begun_at}
                    | {key: one.arguments[key] for key in ("login", "to") if key in one.arguments}
                    for one in unfinished
                ],
            }
        )


survey_handlers: list[tuple[str, type[APIHandler]]] = [("/api/tinyberth/survey", SurveyAPIHandler)]
