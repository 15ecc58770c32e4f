"""The firewall's table, which is the host's and not a container's: asked for and removed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from .checkout import Checkout
from .command import capture
from .compose import Compose
from .steps import Step

Answer = Mapping[str, object]
"""``ok``, ``message``, and the settings ``EGRESS`` and ``EGRESS_ALLOW`` that it runs with."""

_START_SECONDS = 20
_ASK = ("python3", "-IS", "/opt/tinyberth/tinyberth_firewall/healthcheck.py")


def ask_firewall(compose: Compose) -> Answer | None:
    """Return what the running firewall says of its table, after it has looked; None if nothing."""
    answer = compose.ask("exec", "-T", "firewall", *_ASK)
    try:
        said = json.loads(answer.out)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def reapply_firewall(compose: Compose) -> Answer | None:
    """Start the firewall anew, which applies its table and learns the host's name servers."""
    if not compose.ask("restart", "firewall").ok:
        return None
    deadline = time.monotonic() + _START_SECONDS
    while (answer := ask_firewall(compose)) is None and time.monotonic() < deadline:
        time.sleep(0.5)
    return answer


def remove_table(step: Step, checkout: Checkout) -> None:
    """Remove the table that a firewall which was killed left behind."""
    image = f"{checkout.project}-firewall:0.1.0"
    if not capture(["docker", "image", "inspect", image]).ok:
        step.done("was never built")
        return
    step.run(
        [
            *("docker", "run", "--rm", "--network", "host", "--read-only", "--cap-drop", "ALL"),
            *("--cap-add", "NET_ADMIN", "--env", f"TINYBERTH_DEPLOYMENT={checkout.project}"),
            *(image, "python3", "-m", "tinyberth_firewall", "remove"),
        ],
        failed="Removing the firewall's table failed",
    )
    step.done("stopped, its table removed")
