"""The image's command: prepare the home, then become JupyterHub's single-user server.

Run as ``python -I -m tinyberth_start``: isolated, so that neither the user's site-packages nor
the environment decide what the server imports. It becomes the server in this same process,
because a second interpreter would only cost time.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Callable

from .folders import ensure_enterable, home_folder
from .identity import ensure_git_identity
from .late_imports import import_server
from .notebooks import deliver_notebooks
from .teams import ensure_teams_link

CONTAINER_NOTEBOOKS = Path("/opt/tinyberth/notebooks")
CONTAINER_TEAMS = Path("/teams")

UMASK = 0o002
"""Group-writable is safe with user private groups, and what team folders need."""


def main() -> None:
    os.umask(UMASK)
    container_home = Path(os.environ.get("HOME", "/nonexistent"))
    _attempt("home", lambda: _open(container_home))
    try:
        os.chdir(container_home)  # where Jupyter and its terminals begin
    except OSError as error:
        sys.exit(f"tinyberth: the home cannot be entered ({error}); the server is not started.")
    _attempt("notebooks", lambda: _deliver(container_home))
    _attempt("git identity", lambda: _identify(container_home))
    _attempt("teams", lambda: _show_teams(container_home))
    _attempt("kernels' history", _keep_history)
    _become_server()


def _open(container_home: Path) -> str:
    opened = ensure_enterable(container_home)
    return "was closed to its owner, opened again (chmod u+rwx)" if opened else "open"


def _deliver(container_home: Path) -> str:
    written = deliver_notebooks(CONTAINER_NOTEBOOKS, container_home)
    return f"{len(written)} delivered" + "".join(f", {name!r}" for name in written)


def _identify(container_home: Path) -> str:
    return "written" if ensure_git_identity(container_home, os.environ) else "left as it is"


def _show_teams(container_home: Path) -> str:
    made = ensure_teams_link(CONTAINER_TEAMS, container_home)
    return "linked" if made else "left as it is"


def _keep_history() -> str:
    """Let kernels start although ``~/.ipython`` cannot be used, in which IPython would fail."""
    found = home_folder(".ipython")
    if found != Path.home() / ".ipython":
        os.environ["IPYTHONDIR"] = str(found)
    return f"in {found}"


def _attempt(what: str, action: Callable[[], str]) -> None:
    """Do ``action`` and log one line; a home in any state must not keep the server away."""
    try:
        outcome = action()
    except OSError as error:
        outcome = f"skipped, the home cannot take it ({error})"
    print(f"tinyberth: {what}: {outcome}", file=sys.stderr)


def _become_server() -> None:
    # configuration in the home may change pages and kernels, but never what the server runs
    os.environ["JUPYTERHUB_DISABLE_USER_CONFIG"] = "1"
    from .jupyter_paths import leave_out_the_home  # noqa: PLC0415 -- heavy: after the home

    leave_out_the_home()
    # At its very end Python looks for cycles among all objects that are left: 0.3 s of CPU time to
    # give back memory that the kernel takes as a whole. Registered first, so it runs last.
    atexit.register(gc.freeze)
    serve = import_server()
    sys.argv = ["jupyterhub-singleuser"]
    serve()


if __name__ == "__main__":
    main()
