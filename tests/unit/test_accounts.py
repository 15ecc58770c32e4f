"""The table of accounts, in a real SQLite file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinyberth_hub.accounts import AccountStore


@pytest.fixture
def store(tmp_path: Path) -> AccountStore:
    return AccountStore(tmp_path / "accounts.sqlite")


def test_a_new_account_waits_for_its_link(store: AccountStore) -> None:
    account = store.ensure("alice")
    assert (account.name, account.state, account.password_hash) == ("alice", "invited", None)
    assert store.get("alice") == account


def test_ensuring_twice_changes_nothing(store: AccountStore) -> None:
    first = store.ensure("alice")
    assert store.ensure("alice") == first
    assert list(store.all()) == ["alice"]


def test_a_password_makes_the_account_active_and_is_there_after_a_restart(
    store: AccountStore, tmp_path: Path
) -> None:
    assert store.set_password(store.ensure("alice"), "hash")
    again = AccountStore(tmp_path / "accounts.sqlite").get("alice")
    assert again is not None
    assert (again.state, again.password_hash) == ("active", "hash")


def test_of_many_uses_of_one_state_exactly_one_wins(store: AccountStore) -> None:
    seen = store.ensure("alice")
    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(lambda n: store.set_password(seen, f"hash {n}"), range(16)))
    assert wins.count(True) == 1


def test_a_renewed_link_outdates_what_was_seen_before(store: AccountStore) -> None:
    seen = store.ensure("alice")
    renewed = store.renew_link("alice")
    assert renewed is not None
    assert not store.set_password(seen, "by the old link")
    assert store.set_password(renewed, "by the new link")


def test_a_person_added_again_is_a_new_account(store: AccountStore) -> None:
    before = store.ensure("alice")
    store.remove("alice")
    assert store.get("alice") is None
    after = store.ensure("alice")
    assert after.account_id != before.account_id
    assert not store.set_password(before, "by a link of the one before")


def test_nobody_else_can_read_the_file(store: AccountStore, tmp_path: Path) -> None:
    store.ensure("alice")
    assert stat.S_IMODE((tmp_path / "accounts.sqlite").stat().st_mode) == 0o600


def test_unknown_names_have_no_account_and_no_link(store: AccountStore) -> None:
    assert store.get("nobody-here") is None
    assert store.renew_link("nobody-here") is None
