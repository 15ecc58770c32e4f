"""`tinyberth up`: from a bare machine to the page that people open."""

from __future__ import annotations

import getpass
import os
import socket

from tinyberth_common.settings import Settings

from .base import ensure_base
from .built_images import record, sources
from .checkout import Checkout
from .compose import Compose
from .engine import Confirm, ensure_engine
from .listening import ensure_listen_dir, local_address, ssh_line
from .preflight import check_machine, check_settings
from .problem import Problem
from .steps import Steps


def up(checkout: Checkout, steps: Steps, confirm: Confirm) -> int:
    """Run the steps in order; everything before `Engine` only looks and changes nothing."""
    with steps.step("Settings") as step:
        settings = check_settings(checkout)
        check_machine(checkout, settings)
        step.done("are valid")
    with steps.step("Engine") as step:
        ensure_engine(step, confirm)
    with steps.step("Base") as step:
        base = ensure_base(step, checkout)
    compose = Compose(checkout, base)
    with steps.step("Images") as step:
        before = sources(checkout)
        compose.build(step)
        record(checkout, before)
        step.done("are built")
    with steps.step("Services") as step:
        ensure_listen_dir(step, checkout, settings)
        compose.start(step)
        step.done("are healthy")
    link = _admin_link(compose, settings.admin) if settings.auth == "local" else ""
    print(_farewell(checkout, settings, link, base), flush=True)
    return 0


def _admin_link(compose: Compose, admin: str) -> str:
    """Return the admin's one-time link, or nothing where the admin has a password already."""
    asked = ("exec", "-T", "hub", "tinyberth-hub", "user", "link", admin, "--if-invited")
    answer = compose.ask(*asked)
    if not answer.ok:
        raise Problem(
            "The services run, but the hub gave no link for the admin.",
            why=(answer.err or answer.out).strip()[-500:],
            remedy=f"Run `./tinyberth user link {admin}`; `./tinyberth logs hub` shows more.",
        )
    return answer.out.strip()


def _farewell(checkout: Checkout, settings: Settings, link: str, base: dict[str, str]) -> str:
    lines = ["", f"Tinyberth is up:      {settings.public_url}"]
    if settings.is_behind_tls:
        lines.append(f"Your TLS proxy asks:  {local_address(checkout, settings)}")
    else:
        line = ssh_line(checkout, settings, _login(), socket.gethostname())
        lines.append(f"From another machine: {line}")
    if link:
        lines += [
            f"Set {settings.admin}'s password with this one-time link:",
            f"  {link}",
        ]
    elif settings.auth != "local":
        lines += [
            f"People sign in with {settings.sign_in_service}; "
            f"whom it calls {settings.admin} is the admin."
        ]
    else:
        lines += [
            f"The admin {settings.admin} has a password; "
            f"a fresh link: ./tinyberth user link {settings.admin}",
        ]
    lines.append("Add a colleague:      ./tinyberth user add NAME")
    if base:
        lines.append(
            f"For plain docker compose commands that build: BASE_IMAGE={base['BASE_IMAGE']}"
        )
    return "\n".join(lines)


def _login() -> str:
    """Return who logs in to this machine: under sudo not root."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or getpass.getuser()
