"""What every command of `tinyberth-hub user` and `team` has: help, `--json`, many names."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from .cli_hub import HubError, HubSilentError
from .cli_output import EXIT_CODES, FAILED, OK, USAGE, count, print_error, print_json
from .cli_terminal import Terminal

Command = Callable[[argparse.Namespace, Terminal], int]


def add_command(
    actions: Any, name: str, command: Command, about: str, *examples: str, notes: str = ""
) -> argparse.ArgumentParser:
    """Add one action with its help; each of ``examples`` follows the action's name."""
    lines = "\n".join(f"  %(prog)s {example}".rstrip() for example in examples)
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=about,
        description=textwrap.fill(f"{about[0].upper()}{about[1:]}. {notes}", 80),
        epilog=f"examples:\n{lines}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    parser.set_defaults(command=command)
    return parser


def add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def for_each(
    arguments: argparse.Namespace,
    names: Sequence[str],
    do: Callable[[str], Any],
    *,
    key: str,
) -> int:
    """Do it for each name, whatever becomes of the others; with `--json` print the answers.

    They are printed after an interrupt, too: links among them are told only once.
    """
    answers: list[Any] = []

    def attempt(name: str) -> int:
        try:
            answers.append(do(name))
        except HubSilentError:
            raise
        except HubError as error:
            print_error(str(error), as_json=arguments.json, name=name, status=error.status)
            return FAILED
        return OK

    try:
        return max([attempt(name) for name in names])
    finally:
        if arguments.json:
            print_json({key: answers})


def agree(arguments: argparse.Namespace, terminal: Terminal, loss: str, question: str) -> int:
    """Return OK if ``loss`` may happen: `--yes`, or somebody said so. Asks once."""
    if arguments.yes:
        return OK
    if not terminal.attended:
        print_error(
            "This asks first, and nobody is at a terminal: say --yes.", as_json=arguments.json
        )
        return USAGE
    terminal.say(loss)
    if terminal.agrees(question):
        return OK
    print_error("Nothing was changed, as you said.", as_json=arguments.json)
    return FAILED


def listed(names: Sequence[str], noun: str) -> str:
    """Return ``alice``, ``alice and bob`` or ``12 people``, to ask about."""
    return " and ".join(names) if len(names) < 3 else count(len(names), noun, noun)


def removal(name: str, answer: dict[str, Any]) -> str:
    """Return the sentence on a person or team that is gone."""
    files = f"the files are in {answer['home']}" if answer["home"] else "there are no files"
    return f"{name} is removed; {files}."
