"""The ledger's people against the hub's users, their accounts, and the containers that run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from .data_facts import Data, collect, lost
from .finding import Finding, Fix, fault, fine, skipped
from .homes import twice
from .patient import Patient

_PATIENCE = 60.0
"""Seconds that a change of a person may take; the hub tries again every ten."""

Survey = Mapping[str, Any]
"""What `tinyberth-hub survey` prints: users, accounts, teams, running, unfinished."""


def look(patient: Patient) -> list[Finding]:
    host_data = patient.checkout.host_data_dir
    if lost(host_data):
        return [skipped("not looked at: the ledger is lost", why="See the topic data.")]

    def find() -> list[Finding]:
        answer = patient.ask("hub", "tinyberth-hub", "survey")
        if not answer.ok:
            return [skipped("the hub does not say who is there.", why=_sentence(answer.err))]
        containers = Patient(patient.checkout).user_containers
        try:
            data = collect(host_data)
        except OSError as error:
            return [
                skipped(f"{error.filename} cannot be read.", why="It is closed to this account.")
            ]
        hub = str(patient.containers["hub"]["Name"]).lstrip("/")
        return judge(data, json.loads(answer.out), _running(containers), hub)

    return twice(find)


def _sentence(said: str) -> str:
    """Return what the hub's end says: a line of JSON, or what Python says where it cannot run."""
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return said.strip()[-300:]


def _running(containers: Collection[Mapping[str, Any]]) -> dict[str, str]:
    """Return login and name of each user's container that runs; who is parked, is paused."""
    return {
        one["Config"]["Labels"].get("tinyberth.login", "?"): str(one["Name"]).lstrip("/")
        for one in containers
        if one["State"]["Running"] and not one["State"]["Paused"]
    }


def judge(data: Data, hub: Survey, running: Mapping[str, str], container: str) -> list[Finding]:
    """Judge who is known where; ``container`` is the hub's. Pure."""
    users, accounts = set(hub["users"]), set(hub["accounts"])
    changing = {str(one.get(key)) for one in hub["unfinished"] for key in ("login", "to")}
    found = [
        *_unfinished(hub["unfinished"], datetime.now(timezone.utc)),
        *_users(users - changing, accounts, data.living, container),
        *_strangers(data.living - changing, accounts - changing, users),
        *_teams(data, hub["teams"], container),
        *_servers({k: v for k, v in running.items() if k not in changing}, users, hub["running"]),
    ]
    return found or [fine(f"ledger and hub agree on {len(users)} people")]


def _unfinished(changes: Collection[Mapping[str, str]], now: datetime) -> Iterator[Finding]:
    for change in changes:
        if (now - datetime.fromisoformat(change["begun_at"])).total_seconds() > _PATIENCE:
            whom = " to ".join(change[key] for key in ("login", "to") if key in change)
            yield fault(
                "unfinished",
                f"the change {change['kind']} {whom} by {change['by']}, begun at "
                f"{change['begun_at']}, has not ended.",
                why="Something is in its way. The hub tries again every ten seconds.",
                remedy="`./tinyberth logs hub` says what.",
            )


def _users(
    users: set[str], accounts: set[str], living: set[str], container: str
) -> Iterator[Finding]:
    for login in sorted(users - living):
        yield fault(
            "user_not_in_ledger",
            f"{login} is a user of the hub and in no line of the ledger.",
            why="The line was lost, or the ledger is from an older backup than the hub.",
            remedy=f"{login}'s next start of a server writes it, with the uid of whom "
            f"data/users/{login} belongs to, or a new one. Look at the topic homes first.",
        )
    for login in sorted(users - accounts):
        yield fault(
            "user_without_account",
            f"{login} is a user of the hub without an account, so nothing lets them in.",
            why="accounts.sqlite is from an older backup than jupyterhub.sqlite.",
            remedy=f"docker restart {container} makes it; then ./tinyberth user link {login}",
            fix=Fix("has the hub make the account", (("docker", "restart", container),)),
        )


def _strangers(living: set[str], accounts: set[str], users: set[str]) -> Iterator[Finding]:
    for login in sorted(living - users):
        yield fault(
            "berth_without_user",
            f"{login} is in the ledger and no user of the hub.",
            why="The hub's state is from an older backup than the ledger, or was removed.",
            remedy=f"./tinyberth user add {login}  lets them in again, with uid and files; "
            f"`./tinyberth user remove {login}` after that archives them.",
        )
    for login in sorted(accounts - users - living):
        yield fault(
            "account_of_nobody",
            f"there is an account {login} of nobody.",
            why="accounts.sqlite is from an older backup than jupyterhub.sqlite.",
            remedy=f"./tinyberth user add {login} and then ./tinyberth user remove {login}",
        )


def _teams(data: Data, hub: Mapping[str, list[str]], container: str) -> Iterator[Finding]:
    ledger = {team.name: team.members for team in data.teams if "~" not in team.name}
    for team in sorted(ledger.keys() | hub.keys()):
        here, there = ledger.get(team), frozenset(hub.get(team, ())) & data.living
        if (here or frozenset()) != there or here is None:
            yield fault(
                "team_differs",
                f"the team {team} has {', '.join(sorted(there)) or 'nobody'} in the hub and "
                f"{', '.join(sorted(here or ())) or 'nobody'} in the ledger.",
                why="Servers take the ledger's teams. The hub writes them before each start.",
                remedy=f"docker restart {container}, and `./tinyberth logs hub` if it stays",
                fix=Fix("has the hub write its teams", (("docker", "restart", container),)),
            )


def _servers(
    running: Mapping[str, str], users: set[str], known: Collection[str]
) -> Iterator[Finding]:
    for login, name in sorted(running.items()):
        if login not in users:
            yield fault(
                "server_of_nobody",
                f"the server {name} runs, and {login} is no user of the hub.",
                why="Nobody can reach it or stop it, and it uses memory and perhaps a home.",
                remedy=f"If nobody needs what runs in it: docker rm --force {name}",
            )
        elif login not in known:
            yield fault(
                "server_unknown",
                f"the server {name} runs, and the hub takes it for stopped.",
                why="A crash came between. The next start removes it; what runs in it ends then.",
                remedy=f"If nobody needs what runs in it: docker rm --force {name}",
            )
