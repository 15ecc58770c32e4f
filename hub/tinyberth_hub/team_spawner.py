"""Which teams a running server has, and which it would have after a restart."""

from __future__ import annotations

from typing import Any

from dockerspawner import DockerSpawner


class TeamSpawner(DockerSpawner):
    """Remembers teams: a container gets groups and mounts when it starts, and keeps them."""

    _teams_at_start: list[str] | None = None  # of a server that an older version started: None

    @property
    def teams(self) -> set[str]:
        """The teams that the person is in now."""
        return {group.name for group in self.user.groups}

    @property
    def teams_to_join(self) -> list[str]:
        """Teams that a restart of the server would bring."""
        return sorted(self.teams.difference(self._known_teams()))

    @property
    def teams_to_leave(self) -> list[str]:
        """Teams that a restart of the server would end."""
        return sorted(self._known_teams() - self.teams)

    def note_teams(self) -> None:
        """Remember the teams that a server which starts now gets."""
        self._teams_at_start = sorted(self.teams)

    def _known_teams(self) -> set[str]:
        return self.teams if self._teams_at_start is None else set(self._teams_at_start)

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self._teams_at_start is not None:
            state["teams"] = self._teams_at_start
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self._teams_at_start = state.get("teams")

    def clear_state(self) -> None:
        super().clear_state()
        self._teams_at_start = None
