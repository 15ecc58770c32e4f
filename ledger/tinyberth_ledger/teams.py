"""Teams: groups of people with a folder that they share. Blocking, as ``berths.py`` is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tinyberth_server.errors import RefusedError

from .berths import Berths
from .folders import check_move, ensure_folder
from .identity import next_free_gid
from .ledger import Team
from .work import locked


@dataclass(frozen=True)
class Teams:
    berths: Berths

    def ensure(self, name: str, members: Iterable[str]) -> Team:
        """Give the team ``name`` a gid and a folder, and exactly these ``members``."""
        with locked(self.berths.root) as work:
            ledger, wanted = work.ledger, frozenset(members)
            if unknown := sorted(login for login in wanted if not ledger.living(login)):
                raise RefusedError("no_berth", f"{unknown[0]} has no berth: add the person first.")
            team = ledger.team(name)
            if team is None:
                if any(entry.login == name for entry in ledger.entries):
                    why = f"{name} is or was somebody's login: choose another name for the team."
                    raise RefusedError("taken", why)
                team = Team(name, next_free_gid(self.berths.world(work)))
            team = replace(team, members=wanted)
            ensure_folder(work.team_folder(team), ledger, dry_run=True)
            work.save(ledger.put_team(team))
            ensure_folder(work.team_folder(team), ledger)
            return team

    def archive(self, name: str) -> Team:
        """Turn the team into a tombstone without members, and move its folder to data/archive."""
        with locked(self.berths.root) as work:
            if team := work.ledger.team(name):
                number = work.archive_number(name)
                archived = replace(team, members=frozenset(), archived=number)
                check_move(work.team_folder(team), work.team_folder(archived), work.ledger)
                work.save(work.ledger.put_team(archived))
                work.retire(archived)
                return archived
            if tombstone := work.ledger.archived_team(name):
                work.retire(tombstone)
                return tombstone
            raise RefusedError("not_found", f"{name} is no team: nothing to archive.")
