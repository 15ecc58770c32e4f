"""The ledger's lines alone: unreadable, twice the same number, or a number of the host's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .data_facts import Data
from .finding import Finding, fault


def judge_lines(data: Data) -> Iterator[Finding]:
    for line in data.damaged:
        yield fault(
            "ledger_line",
            f"a line of data/ledger/{line} cannot be read.",
            why="The ledger refuses to guess, so nobody's server starts.",
            remedy="Correct the line, or put the file back from a backup.",
        )
    numbers = Counter(number for e in data.entries for number in {("uid", e.uid), ("gid", e.gid)})
    numbers.update(("gid", team.gid) for team in data.teams)
    for (kind, number), count in sorted(numbers.items()):
        if count > 1:
            names = [one.name for one in data.entries if number in (one.uid, one.gid)]
            names += [team.name for team in data.teams if number == team.gid]
            yield fault(
                "ledger_twice",
                f"the {kind} {number} stands {count} times in the ledger: {', '.join(names)}.",
                why="They are one person to the kernel, and can read each other's files.",
                remedy="Put data/ledger back from a backup, or keep the line of whose home it is.",
            )
    for entry in data.entries:
        account = (data.host_accounts or {}).get(entry.uid, entry.name)
        if account != entry.name and account not in {one.name for one in data.entries}:
            yield fault(
                "host_uid",
                f"uid {entry.uid} is {entry.name}'s and that of this host's account {account}.",
                why=f"On the host, {account} can read and change all files of {entry.name}.",
                remedy=f"Give the account another uid: sudo usermod -u NUMBER {account}",
            )
