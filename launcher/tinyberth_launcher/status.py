"""`tinyberth status`: what runs, who is there, which versions; also when all is down."""

from __future__ import annotations

import socket
from typing import Any

from tinyberth_common import VERSION
from tinyberth_common.settings import SettingsError, load

from .checkout import Checkout
from .compose import Compose
from .engine import compose_version, require_local_engine
from .engine_process import server_version
from .listening import ssh_line
from .problem import FAILED, OK, Problem
from .user_servers import list_user_servers

_SERVICES = ("ledger", "warden", "firewall", "proxy", "hub")


def status(checkout: Checkout) -> int:
    """Print the state; the exit code says whether every service is healthy."""
    engine = server_version()
    print(f"Tinyberth {VERSION}, project {checkout.project}, data in {checkout.host_data_dir}")
    if not engine:
        _print_no_engine()
        return FAILED
    print(f"Engine {engine}, Compose {compose_version() or 'missing'}")
    compose = Compose(checkout)
    records = {str(record.get("Service")): record for record in compose.services()}
    print("\nServices")
    for service in _SERVICES:
        print(f"  {service:<10} {describe_service(records.get(service))}")
    _print_user_servers(list_user_servers(checkout))
    if describe_service(records.get("hub")).startswith("running"):
        _print_hub(compose)
    healthy = all(is_healthy(records.get(service)) for service in _SERVICES)
    print(f"\n{_address(checkout)}" if healthy else "\nNot everything runs: ./tinyberth up")
    return OK if healthy else FAILED


def is_healthy(record: dict[str, Any] | None) -> bool:
    return record is not None and (record.get("State"), record.get("Health")) == (
        "running",
        "healthy",
    )


def describe_service(record: dict[str, Any] | None) -> str:
    """Return one line on a service: Compose's own words, with the image it runs."""
    if not record:
        return "not there"
    return f"{record.get('State')}  {record.get('Status')}  {record.get('Image')}"


def describe_server(record: dict[str, Any]) -> str:
    """Return how long a user's server runs; a paused one is parked (docs/operations.md)."""
    return str(record.get("Status")).replace("(Paused)", "(parked)")


def _print_no_engine() -> None:
    try:
        require_local_engine()
    except Problem as problem:
        print(problem.text())
        return
    print("Engine: none answers, so nothing runs. ./tinyberth up starts everything.")


def _print_user_servers(records: list[dict[str, Any]]) -> None:
    print(f"\nUsers' servers: {len(records)}")
    for record in records:
        print(f"  {record.get('Names'):<24} {describe_server(record)}")


def _print_hub(compose: Compose) -> None:
    users = compose.ask("exec", "-T", "hub", "tinyberth-hub", "user", "list")
    version = compose.ask("exec", "-T", "hub", "jupyterhub", "--version")
    print("\nUsers")
    text = users.out if users.ok else f"cannot be listed: {users.err.strip()[-200:]}"
    print("\n".join("  " + line for line in text.strip().splitlines()))
    print(f"\nJupyterHub {version.out.strip() if version.ok else 'does not answer'}")


def _address(checkout: Checkout) -> str:
    try:
        settings = load(checkout.variables)
    except SettingsError:
        return "The settings have faults: ./tinyberth up names them."
    if settings.is_behind_tls:
        return f"Open {settings.public_url}"
    from_afar = ssh_line(checkout, settings, "USER", socket.gethostname())
    return f"Open {settings.public_url}\nFrom another machine: {from_afar}"
