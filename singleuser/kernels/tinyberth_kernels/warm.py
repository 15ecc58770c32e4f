"""A kernel that is warm for TensorFlow: what its notebook will import is imported before.

Seconds pass between opening a notebook and the first "Run"; `import keras_hub` takes about as
many. An extension of IPython (``--ext`` in the image's kernel.json; without it nothing of this
happens) reads the notebook, and where that begins with TensorFlow or Keras, a thread imports them
while the person reads. Other notebooks, consoles and own kernels are left alone.
docs/benchmarks.md has the alternatives, and what memory each costs.

Nothing here may break a kernel: whatever fails is left to the person's own `import`, which then
says what is wrong. And opening a notebook of somebody else's, in a team's folder, must run nothing
of theirs: only the image's modules are imported, and none that lies beside the notebook.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop

from .warm_plan import modules_to_import

OFF = Path(".no-warm-kernels")
"""A file of that name in the home turns it off."""

CONTAINER_CGROUP = Path("/sys/fs/cgroup")
ROOM = 2**30
"""Bytes that must be free: about three times what the imports take, so that no other kernel
of the person's is killed for something that nobody asked for yet."""

_LATER = 0.1
"""Seconds that IPython takes, at most, from its hooks to the cell itself."""

_NOTEBOOK_BYTES_MAX = 8 * 2**20
"""A larger one, full of pictures, would be read for too long while cells wait."""


def load_ipython_extension(shell: Any) -> None:
    """Begin as soon as the kernel answers, in a thread; the first cell that imports joins it."""
    thread = threading.Thread(target=_import_ahead, name="tinyberth-warm", daemon=True)
    main = threading.get_ident()

    def wait(info: Any) -> None:
        # Two threads within the same packages could see half of a module where these import each
        # other in circles; and what the cell imports is nearly always what is being imported.
        if thread.ident is None or (thread.is_alive() and not may_import(info.raw_cell)):
            return
        try:
            thread.join()
        except KeyboardInterrupt:  # meant for the cell, which begins when this has returned
            threading.Timer(_LATER, signal.pthread_kill, (main, signal.SIGINT)).start()
        shell.events.unregister("pre_run_cell", wait)

    shell.events.register("pre_run_cell", wait)
    # Not now: the person's own startup files come next, and they import, too.
    IOLoop.current().add_callback(thread.start)


def may_import(cell: str | None) -> bool:
    """Say if a cell imports, or leaves Python for a moment: magics and `!` bring their own."""
    return "import" in (cell or "") or (cell or "").lstrip().startswith(("%", "!"))


def has_room(container_cgroup: Path, room: int = ROOM) -> bool:
    """Say if ``room`` bytes are left of the container's limit; yes where there is none."""
    try:
        limit = (container_cgroup / "memory.max").read_text().strip()
        used = int((container_cgroup / "memory.current").read_text())
        counts = dict(
            line.split() for line in (container_cgroup / "memory.stat").read_text().splitlines()
        )
        if limit == "max":
            return True
        return int(limit) - used + int(counts["inactive_file"]) >= room
    except (OSError, ValueError, KeyError):
        return True


def read_notebook(container_path: str) -> str:
    """Return the text of a regular file of bounded size, and nothing for anything else."""
    file_fd = os.open(container_path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file_fd, encoding="utf-8") as file:
        status = os.fstat(file_fd)
        small = stat.S_ISREG(status.st_mode) and status.st_size <= _NOTEBOOK_BYTES_MAX
        return file.read() if small else ""


@contextlib.contextmanager
def without_the_folder() -> Iterator[None]:
    """Look for modules where the image has them, not in the folder that the kernel is in."""
    whole = list(sys.path)
    sys.path[:] = [path for path in whole if path not in ("", str(Path.cwd()))]
    try:
        yield
    finally:
        sys.path[:] = whole


def hides_a_module(container_folder: Path) -> bool:
    """Say if a module in the folder goes before one of the image's, as `import` would find it."""
    names = [path.stem for path in container_folder.glob("*.py")]
    names += [path.parent.name for path in container_folder.glob("*/__init__.py")]
    return any(importlib.util.find_spec(name) for name in names if name.isidentifier())


def _import_ahead() -> None:
    with contextlib.suppress(BaseException):
        # Jupyter's server says so which notebook a kernel is for; consoles have no such file.
        container_notebook = os.environ.get("JPY_SESSION_NAME", "")
        if not container_notebook.endswith(".ipynb") or (Path.home() / OFF).exists():
            return
        modules = modules_to_import(read_notebook(container_notebook))
        if not modules or not has_room(CONTAINER_CGROUP):
            return
        with without_the_folder():
            if hides_a_module(Path.cwd()):
                return
            for name in modules:
                importlib.import_module(name)
