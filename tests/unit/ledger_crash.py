"""Kill a function before each of its system calls that change files, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

World = TypeVar("World")


class Killed(BaseException):
    """The process ends here; a BaseException, so that no handler of errors goes on."""


def killed_at_each_step(
    monkeypatch: Any, make: Callable[[], World], act: Callable[[World], object]
) -> Iterator[World]:
    """Yield a world for each change that ``act`` makes, left as it was right before it.

    Each is made anew by ``make``. The last is one in which ``act`` came to its end.
    """
    for step in range(200):
        world = make()
        with monkeypatch.context() as patch:
            kill_before(patch, step)
            try:
                act(world)
            except Killed:
                finished = False
            else:
                finished = True
        yield world
        if finished:
            assert step > 2, "there was something to kill"
            return
    raise AssertionError("more steps than expected")


def kill_before(patch: Any, step: int) -> None:
    """Let ``step`` changes happen and raise ``Killed`` instead of the next."""
    left = [step]

    def counted(real: Callable[..., Any], opens: bool) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if opens and not args[1] & os.O_CREAT:
                return real(*args, **kwargs)
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*args, **kwargs)

        return call

    for name in ("mkdir", "rename", "chown", "fchown", "fchmod", "unlink", "fsync", "open"):
        patch.setattr(os, name, counted(getattr(os, name), name == "open"))
