"""`tunnel` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyberth_common.setting_values import integer

from .checkout import load_checkout
from .help_texts import TUNNEL_EXAMPLES
from .preflight import check_settings
from .shelf_commands import AddCommand
from .tunnel import Tunnel, open_tunnel


def add_tunnel_command(command: AddCommand) -> None:
    it = command("tunnel", "open a server's hub on this machine, through ssh", TUNNEL_EXAMPLES)
    it.usage = "tinyberth tunnel [-h] [--port N] [--socket PATH] USER@HOST [-- SSH-OPTIONS…]"
    it.add_argument("destination", metavar="USER@HOST", help="or a Host of ~/.ssh/config")
    it.add_argument("--port", type=_port, metavar="N", help="PORT of the server (default: 8000)")
    it.add_argument(
        "--socket", default="", metavar="PATH", help="the hub's on the server, with LISTEN=unix"
    )


def _port(text: str) -> int:
    try:
        return integer(1024, 65535)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def split_at_dashes(argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the words for us and, from behind ``--``, the options for ssh."""
    place = argv.index("--") if "--" in argv else len(argv)
    return argv[:place], tuple(argv[place + 1 :])


def tunnel(root: Path, args: argparse.Namespace, ssh_options: tuple[str, ...]) -> int:
    # This machine's own settings say nothing of the server's, except where people keep both
    # alike; a laptop has none, and then the default.
    port = args.port or check_settings(load_checkout(root)).port
    return open_tunnel(Tunnel(args.destination, port, args.socket, ssh_options))
