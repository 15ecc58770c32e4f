"""The command line of `new-kernel`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from .environments import create, extend, installed, remove
from .problem import ProblemError
from .specs import Kernel, environment_path, find_kernel, list_kernels, spec_path

_NAME = re.compile(r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")
_RESERVED = {"python3", "python"}
"""Names of the image's own kernel, which one in the home would hide."""

EXAMPLES = """\
examples:
  new-kernel audio librosa         the image's packages, and librosa on top of them
  new-kernel audio soundfile       one package more for the same kernel
  new-kernel --bare torch torch    an environment of its own, with nothing of the image
  new-kernel --list
  new-kernel --remove audio

It appears in the launcher at once; reload an open page. In a terminal:
  source ~/.local/share/tinyberth/environments/NAME/bin/activate
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 not understood."""
    args = _parser().parse_args(arguments)
    container_home = Path(os.environ.get("HOME") or "/nonexistent")
    try:
        _run(container_home, args)
    except ProblemError as problem:
        print(f"new-kernel: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"new-kernel: your home cannot take it: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nnew-kernel: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="new-kernel",
        description="Make an environment in your home, and a kernel of that name for notebooks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a-z, 0-9, '.', '_' and '-'")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="as for pip: torch==2.9")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--bare",
        action="store_true",
        help="an environment of its own; without: on top of the image's packages",
    )
    what.add_argument("--list", action="store_true", help="list your kernels")
    what.add_argument("--remove", action="store_true", help="remove the kernel and its packages")
    return parser


def _run(container_home: Path, args: argparse.Namespace) -> None:
    if args.list:
        _print_list(container_home)
        return
    name = _checked_name(args.name)
    kernel = find_kernel(container_home, name)
    if args.remove:
        if args.packages:
            raise ProblemError("--remove takes one name, and removes the kernel as a whole.")
        remove(container_home, name, kernel)
        print(f"Removed {name}.")
    elif kernel:
        _extend(container_home, kernel, args)
    else:
        kernel = create(container_home, Kernel(name, args.bare, tuple(args.packages)))
        print(f"Kernel {name} is ready: {_described(container_home, kernel)}")


def _extend(container_home: Path, kernel: Kernel, args: argparse.Namespace) -> None:
    if args.bare and not kernel.bare:
        raise ProblemError(
            f"{kernel.name} is there, on top of the image's packages: choose another name, or "
            f"`new-kernel --remove {kernel.name}` first."
        )
    if not args.packages:
        raise ProblemError(f"{kernel.name} is there. Name packages to add to it.")
    kernel = extend(container_home, kernel, args.packages)
    print(f"Kernel {kernel.name} has more: {_described(container_home, kernel)}")
    print("Restart the kernel in notebooks that are open.")


def _checked_name(name: str | None) -> str:
    if name is None:
        raise ProblemError("say a name: `new-kernel NAME [PACKAGE…]`, or see --help.")
    if not _NAME.match(name):
        raise ProblemError(
            f"{name[:80]!a} cannot be a kernel's name: write a-z, 0-9, '.', '_' and '-', at most "
            "64, beginning with a letter or digit."
        )
    if name in _RESERVED:
        raise ProblemError(f"{name} is the image's own kernel: choose another name.")
    return name


def _print_list(container_home: Path) -> None:
    kernels = list_kernels(container_home)
    if not kernels:
        print("You have no kernel of your own. `new-kernel NAME [PACKAGE…]` makes one.")
    for kernel in kernels:
        broken = not os.access(
            environment_path(container_home, kernel.name) / "bin/python", os.X_OK
        )
        state = f"  BROKEN: new-kernel --remove {kernel.name}" if broken else ""
        print(f"{kernel.name}: {_described(container_home, kernel)}{state}")
        print(f"  {spec_path(container_home, kernel.name).parent}")


def _described(container_home: Path, kernel: Kernel) -> str:
    base = "an environment of its own" if kernel.bare else "the image's packages"
    count = installed(container_home, kernel.name)
    asked = f", asked for {' '.join(kernel.packages)}" if kernel.packages else ""
    return f"{base}, {count} of its own{asked}"
