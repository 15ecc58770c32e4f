"""The users' own containers: started by the hub through the warden, unknown to Compose."""

from __future__ import annotations

from typing import Any

from .checkout import Checkout
from .command import capture
from .compose import parse_json_records
from .steps import Step

_STOP_SECONDS = 10
"""For Jupyter to save what it holds before the engine kills it."""


def _label(checkout: Checkout) -> str:
    return f"label=tinyberth.deployment={checkout.project}"


def list_user_servers(checkout: Checkout) -> list[dict[str, Any]]:
    """Return the engine's record of each user container of this deployment."""
    answer = capture(
        ["docker", "ps", "--all", "--filter", _label(checkout), "--format", "{{json .}}"]
    )
    return list(parse_json_records(answer.out)) if answer.ok else []


def remove_user_servers(step: Step, checkout: Checkout) -> int:
    """Stop and remove the users' containers; their files are on the host and stay.

    A paused one, too, may save: `docker stop` resumes it after its signal.
    """
    names = [str(record["ID"]) for record in list_user_servers(checkout)]
    if names:
        step.note(f"stopping {len(names)} users' servers")
        step.run(
            ["docker", "stop", "--time", str(_STOP_SECONDS), *names],
            failed="Stopping the users' servers failed",
        )
        step.run(
            # --volumes: anonymous ones only; nothing of a user's is ever in a volume.
            ["docker", "rm", "--force", "--volumes", *names],
            failed="Removing the users' servers failed",
        )
    return len(names)
