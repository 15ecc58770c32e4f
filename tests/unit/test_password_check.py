"""The way of a password from a form to an answer: throttle, threads, one use of a link."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinyberth_hub import password_check
from tinyberth_hub.accounts import AccountStore
from tinyberth_hub.failures import FREE_FAILURES, LONGEST_WAIT
from tinyberth_hub.hashing import NICER, BusyError, HashingThreads
from tinyberth_hub.login_page import posted_password
from tinyberth_hub.password_check import PasswordCheck, TryLaterError
from tinyberth_hub.throttle import Throttle

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the passwords that were hashed; argon2id itself is in test_passwords.py."""
    passwords: list[str] = []

    def hash_password(password: str) -> str:
        passwords.append(password)
        return f"hash of {password}"

    def password_matches(password: str, stored: str | None) -> bool:
        return hash_password(password) == stored

    monkeypatch.setattr(password_check, "hash_password", hash_password)
    monkeypatch.setattr(password_check, "password_matches", password_matches)
    return passwords


@pytest.fixture
def accounts(tmp_path: Path) -> AccountStore:
    store = AccountStore(tmp_path / "accounts.sqlite")
    store.set_password(store.ensure("alice"), f"hash of {PASSWORD}")
    store.ensure("invited")
    return store


@pytest.fixture
def check(accounts: AccountStore, tmp_path: Path) -> PasswordCheck:
    throttle = Throttle(tmp_path / "accounts.sqlite", "ab" * 32, accounts.all)
    return PasswordCheck(accounts, throttle, 12)


async def try_many(check: PasswordCheck, login: str, times: int) -> list[object]:
    attempts = [check.is_right(login, "wrong password") for _ in range(times)]
    return list(await asyncio.gather(*attempts, return_exceptions=True))


@pytest.mark.parametrize("login", ["alice", "invited", "nobody-here", "\ud800", ""])
def test_a12_wrong_passwords_are_hashed_a_few_times_and_then_refused(
    check: PasswordCheck, login: str, hashed: list[str]
) -> None:
    """THREATS A12, A13: the same for an account, for one that waits, for none."""
    answers = asyncio.run(try_many(check, login, 50))
    refusals = [answer for answer in answers if isinstance(answer, TryLaterError)]
    assert len(hashed) == FREE_FAILURES + 1
    assert answers.count(False) == FREE_FAILURES + 1
    assert len(refusals) == 50 - FREE_FAILURES - 1
    assert {refusal.status_code for refusal in refusals} == {429}
    assert {refusal.headers["Retry-After"] for refusal in refusals} <= {"4", "5"}


def test_a_right_password_is_refused_too_until_a_link_sets_a_new_one(
    check: PasswordCheck, accounts: AccountStore
) -> None:
    async def attacked() -> None:
        await try_many(check, "alice", FREE_FAILURES + 1)
        with pytest.raises(TryLaterError, match="one-time link"):
            await check.is_right("alice", PASSWORD)
        opened = accounts.renew_link("alice")
        assert opened is not None
        assert await check.set(opened, "another horse entirely", if_changed="no") is None
        assert await check.is_right("alice", "another horse entirely")

    asyncio.run(attacked())


def test_of_many_posts_with_one_link_one_hashes_and_one_wins(
    check: PasswordCheck, accounts: AccountStore, hashed: list[str]
) -> None:
    async def race() -> list[str | None]:
        seen = accounts.renew_link("invited")
        assert seen is not None
        return await asyncio.gather(
            *(check.set(seen, f"horse number {n} of twenty", if_changed="late") for n in range(20))
        )

    answers = asyncio.run(race())
    assert (answers.count(None), answers.count("late")) == (1, 19)
    assert len(hashed) == 1


def test_a_refused_password_leaves_the_link_as_it_was(
    check: PasswordCheck, accounts: AccountStore
) -> None:
    seen = accounts.ensure("invited")
    refused = asyncio.run(check.set(seen, "too short", if_changed="late"))
    assert refused is not None
    assert "at least 12" in refused
    assert accounts.get("invited") == seen


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 second,"), (1.1, "2 seconds"), (90, "90 seconds"), (91, "2 minutes"),
     (120, "2 minutes"), (LONGEST_WAIT, "15 minutes")],
)  # fmt: skip
def test_the_wait_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert f"Try again in {text}" in password_check._locked(seconds)


def test_hashes_run_a_few_at_once_and_a_flood_is_turned_away() -> None:
    running, most, go_on = 0, 0, threading.Event()
    lock = threading.Lock()

    def hash_slowly() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go_on.wait(30)
        with lock:
            running -= 1

    async def flood() -> list[object]:
        threads = HashingThreads("test", at_once=2, waiting=10)
        answers = asyncio.gather(
            *(threads.run(hash_slowly) for _ in range(50)), return_exceptions=True
        )
        while running < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            threads.require_room()
        go_on.set()
        results = await answers
        threads.require_room()  # and there is room again
        return list(results)

    answers = asyncio.run(flood())
    assert sum(isinstance(answer, BusyError) for answer in answers) == 50 - 12
    assert most == 2


def test_l1_hashes_leave_the_processor_to_the_event_loop() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    hashing = asyncio.run(HashingThreads("nice", at_once=1, waiting=0).run(niceness))
    assert hashing == min(before + NICER, 19)
    assert niceness() == before


@pytest.mark.parametrize(
    ("body", "password"),
    [
        (b"plain", "plain"),
        (b" a\x00b\x1f ", " a\x00b\x1f "),
        ("🐢é".encode(), "🐢é"),
        (b"\xed\xa0\x80", "\udced\udca0\udc80"),
        (b"\xff\xfe", "\udcff\udcfe"),
    ],
)
def test_a_posted_password_is_taken_byte_for_byte(body: bytes, password: str) -> None:
    request = SimpleNamespace(body_arguments={"password": [b"first", body]})
    assert posted_password(SimpleNamespace(request=request)) == password


def test_a_form_without_a_password_has_none() -> None:
    request = SimpleNamespace(body_arguments={})
    assert posted_password(SimpleNamespace(request=request)) is None
