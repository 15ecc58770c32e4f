"""Whether a password is right, asked through the throttle; and how a new one is set."""

from __future__ import annotations

import asyncio
import math

from tornado import web

from tinyberth_common.names import NameRefusedError, check_login

from .accounts import Account, AccountStore
from .hashing import BusyError, HashingThreads
from .passwords import hash_password, password_matches, problem_with
from .throttle import LOGIN, Throttle


class TryLaterError(web.HTTPError):
    """An answer that says when to come back; JupyterHub shows its sentence in the login form."""

    def __init__(self, status: int, seconds: float, sentence: str) -> None:
        super().__init__(status, "%s", sentence)
        self.headers = {"Retry-After": str(math.ceil(seconds))}
        self.jupyterhub_message = sentence


class _ChangedError(Exception):
    """The account is not any more what it was when the request came."""


class PasswordCheck:
    """Checks and sets passwords, with argon2id in threads of its own.

    Those who come by a link have a thread for themselves: however many logins wait, they get in.
    Three hashes at once are 138 MiB of the hub's mem_limit.
    """

    def __init__(self, accounts: AccountStore, throttle: Throttle, min_characters: int) -> None:
        self._accounts = accounts
        self._throttle = throttle
        self._min_characters = min_characters
        # 100 wait for about 5 s on two slow cores; a class that signs in together is less.
        self._login_threads = HashingThreads("login", at_once=2, waiting=100)
        self._new_password_thread = HashingThreads("new-password", at_once=1, waiting=100)

    async def is_right(self, login: str, password: str, door: str = LOGIN) -> bool:
        """Tell whether ``password`` opens ``login``; unknown names take the same time.

        Raises
        ------
        TryLaterError
            429 while the throttle refuses the name, 503 while too many others wait.
        """
        try:
            self._login_threads.require_room()
            seconds = await asyncio.to_thread(self._throttle.admit, login, door)
            if seconds:
                raise TryLaterError(429, seconds, _locked(seconds))
            matches = await self._login_threads.run(self._matches, login, password)
        except BusyError:
            raise _busy() from None
        await asyncio.to_thread(self._throttle.settle, login, door, succeeded=matches)
        return matches

    def _matches(self, login: str, password: str) -> bool:
        account = self._accounts.get(login) if could_be_login(login) else None
        return password_matches(password, account.password_hash if account else None)

    async def set(self, seen: Account, password: str, *, if_changed: str) -> str | None:
        """Set the password of the account as it was ``seen``, and end the name's lock.

        Returns
        -------
        str or None
            Why not: the sentence that refuses the password, or ``if_changed`` where the account
            is not as it was seen. None: it is set.
        """
        try:
            problem = await self._new_password_thread.run(self._set, seen, password)
        except BusyError:
            raise _busy() from None
        except _ChangedError:
            return if_changed
        return problem

    def _set(self, seen: Account, password: str) -> str | None:
        # In the one thread for this: of many posts with one link, the first hashes alone.
        if self._accounts.get(seen.name) != seen:
            raise _ChangedError
        problem = problem_with(password, seen.name, self._min_characters)
        if problem:
            return problem
        if not self._accounts.set_password(seen, hash_password(password)):
            raise _ChangedError
        self._throttle.forget(seen.name)
        return None


def could_be_login(name: str) -> bool:
    try:
        check_login(name)
    except NameRefusedError:
        return False
    return True


def _locked(seconds: float) -> str:
    return (
        f"Too many wrong passwords for this name. Try again in {_span(seconds)}, or ask your "
        "admin for a one-time link: it lets you in at once."
    )


def _busy() -> TryLaterError:
    return TryLaterError(
        503, 5, "Too many people sign in at this moment. Try again in a few seconds."
    )


def _span(seconds: float) -> str:
    """Return a length of time as people say it, never shorter than it is."""
    whole = math.ceil(seconds)
    if whole <= 90:
        return "1 second" if whole == 1 else f"{whole} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
