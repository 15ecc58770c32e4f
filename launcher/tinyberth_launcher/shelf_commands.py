"""`preset` and `dataset` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable

from .checkout import Checkout
from .datasets import add_dataset, list_datasets
from .help_texts import DATASET_EXAMPLES, PRESET_EXAMPLES
from .presets import fetch_preset, list_presets
from .steps import Steps
from .tweets import TWEETS, fetch_tweets

AddCommand = Callable[[str, str, str], argparse.ArgumentParser]


def add_shelf_commands(command: AddCommand) -> None:
    it = command("preset", "fetch and list real TinyBERT weights", PRESET_EXAMPLES)
    actions = it.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="what is pinned, what is there")
    it = actions.add_parser("fetch", help="fetch one for everybody, with checksum")
    it.add_argument("name", metavar="NAME")
    it.add_argument("--replace", action="store_true", help="although it is there")

    it = command("dataset", "add, fetch and list files for everybody", DATASET_EXAMPLES)
    actions = it.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="what is there")
    it = actions.add_parser("add", help="copy a file or folder")
    it.add_argument("name", metavar="NAME")
    it.add_argument("path", metavar="PATH", type=Path)
    it.add_argument("--replace", action="store_true", help="in the place of the one there")
    it = actions.add_parser("fetch", help=f"fetch {TWEETS} from Kaggle")
    it.add_argument("name", metavar="NAME", choices=[TWEETS])
    it.add_argument("--replace", action="store_true", help="although it is there")


def preset(checkout: Checkout, steps: Steps, args: argparse.Namespace) -> int:
    if args.action == "list":
        return list_presets(checkout)
    return fetch_preset(checkout, steps, args.name, replace=args.replace)


def dataset(checkout: Checkout, steps: Steps, args: argparse.Namespace) -> int:
    if args.action == "list":
        return list_datasets(checkout)
    if args.action == "fetch":
        return fetch_tweets(checkout, steps, replace=args.replace)
    return add_dataset(checkout, steps, args.name, args.path, replace=args.replace)
