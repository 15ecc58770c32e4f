"""Kill a hub before each step of one operation, and let another one settle what is left.

    python people_crash.py FOLDER

A process of its own, which forks: each child that is killed ends by ``os._exit``, as by kill -9,
and what it leaves are files. A step is a commit to any of the databases, or a call of the system
that changes the ledger's files. Prints two JSON lines for each: the state before the operation,
and the state after recovery, with what the journal then had.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - as above
from jupyterhub import orm
from people_world import World
from sqlalchemy import Engine, event
from sqlalchemy.orm import configure_mappers

from tinyberth_hub.moving_operations import Remove, Rename, Restore
from tinyberth_hub.operations import Operation
from tinyberth_hub.person_operations import Add, Change
from tinyberth_hub.refusals import ChangeRefusedError
from tinyberth_hub.team_operations import AddTeam, ArchiveTeam, SetMembers

KILLED = 7

OPERATIONS: dict[str, Any] = {
    "add": Add("dave", "Dave D.", uid=None, teams=["nlp", "fresh"], admin=True),
    "add_with_uid": Add("dave", "dave", uid=4321, gid=4322),
    "add_refused_by_a_file_in_the_way_of_a_team": Add("dave", "dave", teams=["nlp", "blocked"]),
    "add_refused_by_a_taken_uid": Add("dave", "dave", uid=20001),
    "change": Change("bob", admin=True, teams=["vision", "fresh"]),
    "rename": Rename("alice", "alicia"),
    "rename_of_who_has_another_name": Rename("carol", "caro"),
    "remove": Remove("alice"),
    "remove_refused_by_a_file_in_the_way": Remove("bob"),
    "restore": Restore("zoe~1", "zoe"),
    "restore_as_another": Restore("zoe~1", "zoey"),
    "add_team": AddTeam("fresh", ["alice"]),
    "set_members": SetMembers("nlp", ["bob"]),
    "archive_team": ArchiveTeam("nlp"),
}


async def prepare(world: World) -> None:
    """Make admin, alice, bob and carol, two teams, and zoe who was removed."""
    await world.settle()
    for operation in (
        Add("admin", "admin", admin=True),
        Add("alice", "alice", teams=["nlp"]),
        Add("bob", "bob", teams=["nlp", "vision"]),
        Add("carol", "Carol of the ß"),
        Add("zoe", "zoe"),
    ):
        await world.change(operation)
        (world.home(operation.login) / f"of-{operation.login}").touch()
    for login in ("alice", "bob", "zoe"):
        account = world.accounts.get(login)
        assert account is not None
        assert world.accounts.set_password(account, f"hash of {login}")
    await world.change(Remove("zoe"))
    (world.folder / "data/teams/nlp/shared").touch()
    (world.folder / "data/teams/blocked").touch()


def in_the_way(world: World, name: str) -> None:
    """Put something into the way of what must be refused."""
    if name == "remove_refused_by_a_file_in_the_way":
        home = world.home("bob")
        home.rename(home.with_name("bob-elsewhere"))
        home.symlink_to("bob-elsewhere")


def kill_before_step(step: int) -> None:
    """Let ``step`` steps happen, and end the process instead of the next."""
    left = [step]

    def count(*_: Any) -> None:
        if left[0] == 0:
            os._exit(KILLED)
        left[0] -= 1

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count()
            return real(*arguments, **options)

        return call

    event.listen(Engine, "commit", count)
    for name in ("mkdir", "rename", "chown", "fchown", "fchmod", "unlink"):
        setattr(os, name, counted(getattr(os, name)))


def in_child(act: Callable[[], Any]) -> int:
    """Run ``act`` in a child process; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    configure_mappers()  # here once, and not in each child
    template, trial = folder / "template", folder / "trial"
    assert in_child(lambda: asyncio.run(prepare(World(template)))) == 0
    orm.check_db_revision = lambda _engine: None  # each child would look up what it knows
    gc.freeze()  # else each child's collector visits, and so copies, all that was imported
    for name, operation in OPERATIONS.items():
        for step in range(200):
            # cp, because shutil does not keep whose the files are.
            subprocess.run(["rm", "-rf", str(trial)], check=True)
            subprocess.run(["cp", "-a", str(template), str(trial)], check=True)
            act = partial(run_and_die, trial, name, operation, step)
            ended = in_child(act)
            assert ended in {0, KILLED}, f"{name}, step {step}"
            assert in_child(partial(recover, trial, name)) == 0
            if ended == 0:
                break
        else:
            raise AssertionError("more steps than expected")


def run_and_die(folder: Path, name: str, operation: Operation, step: int) -> None:
    async def run() -> None:
        world = World(folder)
        in_the_way(world, name)
        await world.settle()
        print(json.dumps({"operation": name, "before": world.state()}), flush=True)
        kill_before_step(step)
        try:
            await world.change(operation)
        except ChangeRefusedError as refusal:
            assert "refused" in name, refusal  # noqa: PT017 - no test, a process

    asyncio.run(run())


def recover(folder: Path, name: str) -> None:
    async def run() -> None:
        world = World(folder)
        left = [record.kind for record in world.journal.unfinished()]
        await world.settle()
        print(json.dumps({"operation": name, "left": left, "after": world.state()}))

    asyncio.run(run())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
