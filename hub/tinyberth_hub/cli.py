"""`tinyberth-hub`: starts the hub, and manages people and teams from a terminal."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .cli_hub import HubError
from .cli_import import add_import_action
from .cli_output import EXIT_CODES, FAILED, INTERRUPTED, print_error
from .cli_team import add_team_actions
from .cli_terminal import Terminal, add_launcher_options
from .cli_user import add_user_actions
from .cli_user_life import add_life_actions
from .cli_user_list import add_list_actions, print_survey
from .serve import serve


def main(words: list[str] | None = None) -> int:
    """Run the command line and return its exit code, one of `cli_output.EXIT_CODES`."""
    words = sys.argv[1:] if words is None else words
    arguments = _parser("./tinyberth" if "--leashed" in words[:1] else "tinyberth-hub").parse_args(
        words
    )
    if arguments.topic == "serve":
        return serve()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # never a crash
    terminal = Terminal(arguments)
    try:
        terminal.hold_leash()
        return int(arguments.command(arguments, terminal))
    except HubError as error:
        print_error(str(error), as_json=arguments.json, status=error.status)
        return FAILED
    except KeyboardInterrupt:
        if not terminal.leashed:  # the launcher says it itself
            print_error(
                "Interrupted. What the hub had begun, it ends; the same command can be run again.",
                as_json=arguments.json,
            )
        return INTERRUPTED


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_launcher_options(parser)
    topics = parser.add_subparsers(dest="topic", required=True, metavar="COMMAND")
    topics.add_parser("serve", help="run the hub")
    user = _actions(topics, "user", "add, import, list, change and remove people", "add alice")
    add_user_actions(user)
    add_import_action(user)
    add_list_actions(user)
    add_life_actions(user)
    survey = topics.add_parser("survey", help="what the hub's stores say, for ./tinyberth doctor")
    survey.set_defaults(command=print_survey, json=True)
    add_team_actions(_actions(topics, "team", "list, add and remove teams", "add nlp"))
    return parser


def _actions(topics: Any, name: str, about: str, example: str) -> Any:
    parser = topics.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=f"example:\n  %(prog)s {example}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(dest="action", required=True, metavar="ACTION")
