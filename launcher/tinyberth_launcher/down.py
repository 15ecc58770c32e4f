"""`tinyberth down`: everything stopped and removed that `up` makes again; files stay."""

from __future__ import annotations

from .checkout import Checkout
from .compose import Compose
from .engine import Confirm, require_engine
from .firewall import remove_table
from .problem import FAILED, USAGE, Problem
from .steps import Steps
from .user_servers import remove_user_servers

_LOSS = """\
This removes the hub's state for good: all passwords, sessions, tokens and groups.
Users' files and their numbers stay in {data}; everyone needs a new link."""


def down(checkout: Checkout, steps: Steps, *, volumes: bool, ask_twice: Confirm | None) -> int:
    """Stop and remove the deployment; with ``volumes`` the hub's state, too.

    ``ask_twice`` asks one question; None means that nobody is there to ask and that the
    command line did not say `--yes` twice.
    """
    require_engine()
    if volumes:
        _agree(checkout, ask_twice)
    compose = Compose(checkout)
    with steps.step("Hub") as step:
        # First, so that it does not take the end of the users' servers for a failure.
        compose.run(step, "stop", "hub", failed="Stopping the hub failed")
        step.done("stopped")
    with steps.step("Servers") as step:
        count = remove_user_servers(step, checkout)
        step.done(f"{count} of users stopped and removed")
    with steps.step("Firewall") as step:
        compose.run(step, "stop", "firewall", failed="Stopping the firewall failed")
        remove_table(step, checkout)
    with steps.step("Services") as step:
        compose.run(
            step,
            "down",
            *(["--volumes"] if volumes else []),
            failed="Removing the services failed",
        )
        step.done("and the hub's state removed" if volumes else "removed; accounts are kept")
    print(f"\nFiles are in {checkout.host_data_dir}. Start again: ./tinyberth up", flush=True)
    return 0


def _agree(checkout: Checkout, ask_twice: Confirm | None) -> None:
    if ask_twice is None:
        raise Problem(
            "down --volumes deletes all accounts, so it asks twice, and nobody is at a terminal.",
            remedy="Run it in a terminal, or say `down --volumes --yes --yes`.",
            code=USAGE,
        )
    print(_LOSS.format(data=checkout.host_data_dir), flush=True)
    if not (ask_twice("Delete all accounts?") and ask_twice("Really, for good?")):
        raise Problem("Nothing was changed, as you said.", code=FAILED)
