"""The command line: what can be asked, and how every answer ends."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Callable, NoReturn

from tinyberth_common import VERSION

from .checkout import Checkout, load_checkout
from .compose import Compose
from .doctor.command import doctor
from .doctor.topics import TOPICS
from .down import down
from .engine import always, require_engine
from .engine_process import server_version, stop_own_engine
from .help_texts import DOCTOR_EXAMPLES, EXAMPLES, TEAM_HELP, TEST_EXAMPLES, USER_HELP
from .people import people
from .preflight import check_settings
from .problem import EXIT_CODES, FAILED, INTERRUPTED, OK, USAGE, Problem
from .shelf_commands import add_shelf_commands, dataset, preset
from .status import status
from .steps import Steps
from .testing import run_tests
from .tunnel_command import add_tunnel_command, split_at_dashes, tunnel
from .up import up


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinyberth",
        description="Private notebook servers for many people on one Docker host.",
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Tinyberth {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, about: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=f"example:\n  {example}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    it = command("up", "install what is missing, build and start", "./tinyberth up --yes")
    it.add_argument("-y", "--yes", action="store_true", help="install without asking")
    it = command("down", "stop and remove; files and accounts stay", "./tinyberth down")
    it.add_argument("--volumes", action="store_true", help="delete the accounts, too; asks twice")
    it.add_argument("-y", "--yes", action="count", default=0, help="twice: answers both questions")
    command("status", "show services, users, servers, versions", "./tinyberth status")
    it = command("logs", "show what the services say", "./tinyberth logs hub --follow")
    it.add_argument(
        "service", nargs="?", help="ledger, warden, firewall, proxy or hub; without: all"
    )
    it.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    it.add_argument("--tail", default="200", metavar="LINES", help="from the end (default: 200)")
    it = command("doctor", "look at all that must hold; mends with --fix", DOCTOR_EXAMPLES)
    names = [topic.name for topic in TOPICS]
    it.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(names)}")
    it.add_argument("--fix", action="store_true", help="show what can be mended, ask, and do it")
    it.add_argument("-y", "--yes", action="store_true", help="with --fix: do not ask")
    it.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    command("user", "add, import, list, change and remove people", "./tinyberth user add alice")
    command("team", "list, add and remove teams, which share files", "./tinyberth team add nlp")
    add_tunnel_command(command)
    add_shelf_commands(command)
    command("test", "run the tests", TEST_EXAMPLES)
    # Not in the help: for .ci/run, which must leave no engine behind that `test` started.
    it = commands.add_parser("engine")
    it.add_argument("action", choices=("answers", "stop"))
    return parser


def main(root: Path, argv: list[str]) -> int:
    """Run one command and return its exit code."""
    for name in ("SIGTERM", "SIGHUP"):  # a CI's cancel and a closed terminal clean up, too
        signal.signal(getattr(signal, name), _interrupt)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # a ✓ must not crash
    try:
        return _dispatch(root, argv)
    except Problem as problem:
        print(f"\n{problem.text()}", file=sys.stderr, flush=True)
        return problem.code
    except KeyboardInterrupt:
        print(
            "\nInterrupted. Nothing is lost; the same command can be run again.", file=sys.stderr
        )
        return INTERRUPTED


def _interrupt(_signum: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _dispatch(root: Path, argv: list[str]) -> int:
    # What these take is for another program to judge, so argparse does not see it.
    if argv[:1] in (["user"], ["team"]):
        return _people(root, argv[0], argv[1:])
    if argv[:1] == ["test"] and not {"-h", "--help"} & set(argv):
        return run_tests(load_checkout(root), _steps(root, "test"), argv[1:])
    if argv[:1] == ["tunnel"]:
        words, ssh_options = split_at_dashes(argv)
        return tunnel(root, _parser().parse_args(words), ssh_options)
    args = _parser().parse_args(argv)
    handler: Callable[[Path, argparse.Namespace], int] = {
        "up": _up,
        "down": _down,
        "status": _status,
        "logs": _logs,
        "doctor": _doctor,
        "preset": lambda root, args: preset(load_checkout(root), _steps(root, "preset"), args),
        "dataset": lambda root, args: dataset(load_checkout(root), _steps(root, "dataset"), args),
        "engine": _engine,
    }[args.command]
    return handler(root, args)


def _steps(root: Path, name: str) -> Steps:
    return Steps(load_checkout(root).open_log(name))


def _ask(question: str) -> bool:
    return _answer(f"{question} [Y/n] ", at_end="no").lower() in {"", "y", "yes"}


def _ask_danger(question: str) -> bool:
    return _answer(f"{question} Type yes: ", at_end="no") == "yes"


def _answer(prompt: str, *, at_end: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:  # Ctrl-D
        return at_end


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _up(root: Path, args: argparse.Namespace) -> int:
    confirm = _ask if _at_terminal() and not args.yes else always
    return up(load_checkout(root), _steps(root, "up"), confirm)


def _down(root: Path, args: argparse.Namespace) -> int:
    agreed = args.yes >= 2
    ask_twice = always if agreed else _ask_danger if _at_terminal() else None
    return down(
        load_checkout(root), _steps(root, "down"), volumes=args.volumes, ask_twice=ask_twice
    )


def _status(root: Path, _args: argparse.Namespace) -> int:
    return status(load_checkout(root))


def _logs(root: Path, args: argparse.Namespace) -> int:
    checkout = _usable(root)
    options = ["--tail", args.tail, *(["--follow"] if args.follow else [])]
    return Compose(checkout).pass_through("logs", *options, *filter(None, [args.service]))


def _doctor(root: Path, args: argparse.Namespace) -> int:
    unknown = sorted(set(args.topics) - {topic.name for topic in TOPICS})
    if unknown:
        raise Problem(
            f"{unknown[0][:40]!a} is nothing that the doctor looks at.",
            remedy=f"Write some of {', '.join(topic.name for topic in TOPICS)}, or none for all.",
            code=USAGE,
        )
    # A question on stdout would stand in the document.
    confirm = always if args.yes else _ask if _at_terminal() and not args.json else None
    return doctor(
        load_checkout(root), args.topics, fix=args.fix, confirm=confirm, as_json=args.json
    )


def _people(root: Path, topic: str, words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help"}:
        print({"user": USER_HELP, "team": TEAM_HELP}[topic], end="")
        return OK
    return people(Compose(_usable(root)), topic, words)


def _usable(root: Path) -> Checkout:
    """Return the checkout once its settings are valid and an engine answers."""
    checkout = load_checkout(root)
    check_settings(checkout)
    require_engine()
    return checkout


def _engine(root: Path, args: argparse.Namespace) -> int:
    if args.action == "answers":
        return OK if server_version() else FAILED
    with _steps(root, "engine").step("Engine") as step:
        stop_own_engine(step)
    return OK
