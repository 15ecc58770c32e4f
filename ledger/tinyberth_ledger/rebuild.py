"""A lost ledger, made again from what the folders in data/ say: whose they are.

``python -m tinyberth_ledger.rebuild`` prints it. With ``--write`` it is written, where a file of
the ledger is gone and nowhere else. Who is in which team, the hub writes at its next look.
"""

import os
import stat
import sys
from contextlib import ExitStack
from pathlib import Path

from tinyberth_common.names import LOGIN_PATTERN
from tinyberth_server.checks import LOWEST_ID, checked_number
from tinyberth_server.errors import RefusedError

from . import ledger_file
from .data_root import OURS, DataRoot
from .ledger import Entry, Ledger, Team
from .ledger_text import parse


def rebuilt(owners: dict[str, tuple[int, int]], passwd: str | None) -> Ledger:
    """Return who lives in ``owners``, uid and gid by path; where ``passwd`` is there, the teams.

    Folders that have no login for a name, or are root's alone, say nothing.

    Raises
    ------
    RefusedError
        For a folder of a number that nobody may have, and for two of one number.
    """
    ledger = parse(passwd or "", "")
    for place, (uid, gid) in sorted(owners.items(), key=lambda item: (item[1], item[0])):
        parent, _, name = place.partition("/")
        login, _, number = name.partition("~")
        known = LOGIN_PATTERN.match(login) and number.isdecimal() == (parent == "archive")
        if known and uid and parent != "teams" and passwd is None:
            ids = checked_number(uid, f"data/{place}: uid"), gid if gid >= LOWEST_ID else uid
            ledger = ledger.add(Entry(login, *ids, login, int(number or 0)))
        elif known and gid and not uid and parent != "users":
            ledger = ledger.put_team(Team(login, gid, archived=int(number or 0)))
    return parse(ledger.passwd, ledger.group)


def main(arguments: list[str], root: DataRoot) -> None:
    with ExitStack() as opened:
        fds = {name: opened.enter_context(root.open(name)) for name in OURS}
        opened.enter_context(ledger_file.locked(fds["ledger"]))
        texts = [ledger_file.read_text(fds["ledger"], name) for name in ledger_file.FILES]
        if None not in texts:
            raise RefusedError("taken", "Both files of the ledger are there: nothing to rebuild.")
        owners = {}
        for parent in OURS[1:]:
            for name in os.listdir(fds[parent]):  # noqa: PTH208 - by descriptor
                found = os.stat(name, dir_fd=fds[parent], follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    owners[f"{parent}/{name}"] = found.st_uid, found.st_gid
        ledger = rebuilt(owners, texts[0])
        if arguments == ["--write"]:
            ledger_file.write(fds["ledger"], ledger)
        print(ledger.passwd + ledger.group, end="")


if __name__ == "__main__":
    try:
        main(sys.argv[1:], DataRoot(Path("/data"), Path("/data/none")))
    except RefusedError as refusal:
        sys.exit(refusal.message)
