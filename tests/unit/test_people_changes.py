"""Changes of people and teams over real databases and the real ledger."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from people_world import World

from tinyberth_hub import people
from tinyberth_hub.ledger_client import LedgerError, passwd_field
from tinyberth_hub.moving_operations import Remove, Rename, Restore
from tinyberth_hub.people_view import list_people
from tinyberth_hub.person_operations import Add, Change
from tinyberth_hub.refusals import ChangeRefusedError
from tinyberth_hub.sessions import end_sessions
from tinyberth_hub.team_operations import AddTeam, ArchiveTeam, SetMembers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")

Story = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Return what runs a story in a world with an admin and alice in the team nlp."""

    def run(story: Story) -> None:
        async def begin() -> None:
            world = World(tmp_path)
            await world.settle()
            await world.change(Add("admin", "admin", admin=True))
            await world.change(Add("alice", "alice", teams=["nlp"]))
            await story(world)

        asyncio.run(begin())

    return run


async def refused(world: World, operation: Any) -> ChangeRefusedError:
    before = world.state()
    with pytest.raises(ChangeRefusedError) as caught:
        await world.change(operation)
    assert world.state() == before
    return caught.value


def test_refusals_say_why_and_change_nothing(tell: Any) -> None:
    async def story(world: World) -> None:
        await world.change(Add("bob", "bob"))
        await world.change(Remove("bob"))
        for operation, status, why in [
            (Add("alice", "alice"), 409, "here already"),
            (Add("carol", "carol", uid=20000), 409, "belongs to"),
            (Add("carol", "carol", teams=["Bad Name"]), 400, "team's name"),
            (Add("carol", "carol", teams=["alice"]), 409, "is or was a person"),
            (Add("nlp", "nlp"), 409, "nlp"),
            (Change("nobody-here", admin=True), 404, "nobody named"),
            (Change("admin", admin=False), 409, "last admin"),
            (Change("alice", teams=["bob"]), 409, "is or was a person"),
            (Remove("admin"), 409, "last admin"),
            (Remove("carol"), 404, "nobody named"),
            (Rename("alice", "admin"), 409, "here already"),
            (Rename("carol", "carla"), 404, "nobody named"),
            (Rename("alice", "nlp"), 409, "nlp"),
            (Restore("bob~2", "bob"), 404, "Nobody was archived"),
            (Restore("bob~1", "alice"), 409, "somebody's login name"),
            (AddTeam("nlp"), 409, "here already"),
            (AddTeam("bob"), 409, "is or was a person"),
            (AddTeam("../x"), 400, "team's name"),
            (AddTeam("vision", ["nobody-here"]), 400, "nobody named"),
            (SetMembers("vision", ["alice"]), 404, "no team"),
            (SetMembers("nlp", ["nobody-here"]), 400, "nobody named"),
            (ArchiveTeam("vision"), 404, "no team"),
        ]:
            refusal = await refused(world, operation)
            assert (refusal.status, operation) == (status, operation)
            assert why in refusal.message, operation

    tell(story)


def test_of_two_admins_who_unmake_each_other_at_once_one_stays(tell: Any) -> None:
    async def story(world: World) -> None:
        await world.change(Change("alice", admin=True))
        outcomes = await asyncio.gather(
            world.change(Change("alice", admin=False)),
            world.change(Remove("admin")),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, ChangeRefusedError) for outcome in outcomes) == 1
        assert len(world.hub.admins()) == 1

    tell(story)


def test_the_same_name_later_is_somebody_new(tell: Any) -> None:
    async def story(world: World) -> None:
        old = world.accounts.get("alice")
        assert old is not None
        world.accounts.set_password(old, "hash")
        (world.home("alice") / "diary").write_text("old")
        uid = world.state()["berths"]["alice"]
        await world.change(Remove("alice"))
        await world.change(Add("alice", "alice"))
        new = world.accounts.get("alice")
        assert new is not None
        assert (new.state, new.account_id == old.account_id) == ("invited", False)
        assert world.state()["berths"]["alice"] != uid
        assert list(world.home("alice").iterdir()) == []
        assert world.state()["teams"] == {"nlp": []}

    tell(story)


def test_an_account_that_a_lost_database_left_lets_nobody_into_a_new_berth(tell: Any) -> None:
    async def story(world: World) -> None:
        stale = world.accounts.ensure("bob")
        world.accounts.set_password(stale, "hash of a bob before")
        await world.change(Add("bob", "bob"))
        found = world.accounts.get("bob")
        assert found is not None
        assert found.state == "invited"

    tell(story)


def test_while_the_ledger_is_away_a_removal_waits_and_the_person_is_out(
    tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "RETRY_SECONDS", 0.01)

    async def story(world: World) -> None:
        cookie = world.hub.find("alice").cookie_id
        world.ledger.away = True
        with pytest.raises(LedgerError, match="away"):
            await world.change(Remove("alice"))
        assert world.people.is_leaving("alice")
        assert world.people.is_changing("alice")
        assert not world.people.is_changing("admin")
        assert world.hub.find("alice").cookie_id != cookie
        with pytest.raises(ChangeRefusedError, match="changing your account"):
            await world.people.before_start("alice")
        world.ledger.away = False
        while world.people.is_leaving("alice"):
            await asyncio.sleep(0.01)
        assert "alice~1" in world.state()["tombstones"]
        assert not world.hub.has("alice")

    tell(story)


def test_others_go_on_while_somebodys_change_is_stuck(
    tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        async def broken(_login: str) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(world.hub, "stop", broken)
        with pytest.raises(ChangeRefusedError, match="not finished"):
            await world.change(Remove("alice"))
        await world.change(Add("bob", "bob"))
        with pytest.raises(ChangeRefusedError, match="not finished"):
            await world.change(Change("alice", teams=[]))
        monkeypatch.undo()
        await world.change(Add("carol", "carol"))
        assert world.state()["users"] == ["admin", "bob", "carol"]

    tell(story)


def test_the_first_admin_is_added_where_there_is_none(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, first_admin=("jane", "jane"))
        await world.settle()
        assert world.state()["admins"] == ["jane"]
        assert world.accounts.get("jane").state == "invited"
        await world.change(Add("bob", "bob", admin=True))
        await world.change(Remove("jane"))
        again = World(tmp_path, first_admin=("jane", "jane"))
        await again.settle()
        assert again.state()["admins"] == ["bob"]
        assert again.state()["users"] == ["bob"]

    asyncio.run(story())


def test_groups_that_a_provider_tells_reach_the_ledger(tell: Any) -> None:
    async def story(world: World) -> None:
        world.hub.find("alice").sync_groups(["vision", "Not a Team"])
        while world.state()["teams"] != {"nlp": [], "vision": ["alice"]}:
            await asyncio.sleep(0.01)

    tell(story)


def test_a_lost_database_empties_teams_and_archives_nothing(tell: Any) -> None:
    async def story(world: World) -> None:
        (world.folder / "data/teams/nlp/shared").touch()
        await world.ledger.put_team("other", ["alice"])
        await world.people.before_start("alice")
        assert world.state()["teams"] == {"nlp": ["alice"], "other": []}
        assert world.state()["files"]["teams/nlp"][2] == ["shared"]

    tell(story)


def test_new_sessions_and_tokens(tell: Any) -> None:
    """A new password ends what browsers hold; a removal ends everything."""

    async def story(world: World) -> None:
        user = world.hub.find("alice")
        world.db.add(orm.OAuthClient(identifier="jupyterhub-user-alice"))
        world.db.commit()
        user.new_api_token(note="a script's")
        user.new_api_token(note="a browser's", client_id="jupyterhub-user-alice", session_id="s")
        user.new_api_token(note="mine", client_id="jupyterhub-user-alice", session_id="m")
        cookie = user.cookie_id
        end_sessions(user, keep="m")
        assert user.cookie_id != cookie
        assert [token.note for token in user.api_tokens] == ["a script's", "mine"]
        end_sessions(user)
        assert [token.note for token in user.api_tokens] == ["a script's"]
        await world.change(Remove("alice"))
        assert world.db.query(orm.APIToken).count() == 0

    tell(story)


def test_how_people_look(tell: Any) -> None:
    async def story(world: World) -> None:
        await world.change(Add("jose", "José: ☃", uid=4321, gid=4322))
        await world.change(Add("bob", "bob"))
        await world.change(Remove("bob"))
        shown, measured_at = await list_people(world.people.stores)
        assert measured_at == "2026-01-01T00:00:00+00:00"
        by_login = {person["login"]: person for person in shown}
        assert list(by_login) == ["admin", "alice", "jose", "bob"]
        alice = by_login["alice"]
        assert alice.pop("created")
        assert alice == {
            "name": "alice", "login": "alice", "uid": 20001, "gid": 20001, "state": "invited",
            "throttled_until": None, "admin": False, "teams": ["nlp"], "disk": 4096,
            "server": None, "last_seen": None, "archive": None,
        }  # fmt: skip
        assert (by_login["jose"]["name"], by_login["jose"]["gid"]) == ("José: ☃", 4322)
        assert (by_login["bob"]["state"], by_login["bob"]["archive"]) == ("removed", "bob~1")
        (only,), _ = await list_people(world.people.stores, "bob~1")
        assert only == by_login["bob"]

    tell(story)


def test_who_is_seen_under_a_new_name_has_the_ledgers_numbers_too(tell: Any) -> None:
    """A rename that ends between the looks at the two stores; seen in a whole run of the tests."""

    async def story(world: World) -> None:
        look, renamed = world.ledger.list_berths, False

        async def list_berths() -> Any:
            nonlocal renamed
            berths = await look()
            if not renamed:
                renamed = True
                await world.change(Rename("alice", "alicia"))
            return berths

        world.ledger.list_berths = list_berths
        first, _ = await list_people(world.people.stores)
        second, _ = await list_people(world.people.stores)
        seen = [{p["login"]: p["uid"] for p in people} for people in (first, second)]
        assert seen == [{"admin": 20000, "alice": 20001}, {"admin": 20000, "alicia": 20001}]

    tell(story)


def test_who_is_locked_out_looks_so_and_the_lock_goes_with_the_person(tell: Any) -> None:
    async def story(world: World) -> None:
        while not world.throttle.admit("alice"):
            world.throttle.settle("alice", succeeded=False)
        (alice,), _ = await list_people(world.people.stores, "alice")
        assert alice["state"] == "throttled"
        until = world.throttle.locked()["alice"]
        assert alice["throttled_until"] == until.isoformat(timespec="seconds")
        await world.change(Remove("alice"))
        await world.change(Add("alice", "alice"))
        (alice,), _ = await list_people(world.people.stores, "alice")
        assert (alice["state"], alice["throttled_until"]) == ("invited", None)

    tell(story)


def test_who_leaves_a_renamed_person_is_found_under_the_new_name(tell: Any) -> None:
    async def story(world: World) -> None:
        before = world.hub.find("alice")
        await world.change(Rename("alice", "alicia"))
        after = world.hub.find("alicia")
        assert (before.id, after.id) == (after.id, before.id)
        assert (before.base_url, after.base_url) == ("/user/alice/", "/user/alicia/")
        assert after.spawner.object_name == "test-user-alicia"
        assert [group.name for group in after.groups] == ["nlp"]
        await world.change(SetMembers("nlp", leaving=["alicia"]))
        await world.change(SetMembers("nlp", joining=["admin"]))
        assert world.state()["teams"] == {"nlp": ["admin"]}

    tell(story)


def test_a_file_of_the_version_before_opens(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "accounts.sqlite") as old:
        old.execute(
            "CREATE TABLE accounts (name VARCHAR NOT NULL, account_id VARCHAR NOT NULL, "
            "password_hash VARCHAR, link_serial INTEGER NOT NULL, created_at VARCHAR NOT NULL, "
            "PRIMARY KEY (name))"
        )
        old.execute("INSERT INTO accounts VALUES ('alice', 'id', 'hash', 3, '2026-01-01')")
    for _ in range(2):
        accounts = people_accounts(tmp_path)
        alice = accounts.get("alice")
        assert (alice.account_id, alice.link_serial, alice.state) == ("id", 3, "active")
    assert accounts.bind_subject("alice", "oidc", "sub-1")
    assert accounts.find_by_subject("oidc", "sub-1").name == "alice"
    accounts.ensure("bob")
    assert not accounts.bind_subject("bob", "oidc", "sub-1")
    assert not accounts.bind_subject("alice", "oidc", "sub-2")
    assert not accounts.bind_subject("nobody-here", "oidc", "sub-3")


def people_accounts(folder: Path) -> Any:
    from tinyberth_hub.accounts import AccountStore

    return AccountStore(folder / "accounts.sqlite")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("José García", "José García"),
        ("a:b\nc\x00d", "a b c d"),
        ("x" * 300, "x" * 255),
        ("é" * 200, "é" * 127),
        ("\x85next", "next"),
        (" : ", ""),
    ],
)
def test_a_name_becomes_a_field_of_passwd(name: str, field: str) -> None:
    assert passwd_field(name) == field
