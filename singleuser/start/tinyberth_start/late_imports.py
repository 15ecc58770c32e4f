"""Put off imports that make every server start later and larger, and that it hardly ever uses.

While ``put_off()`` lasts, stand-ins have the places of the modules in ``LATE``. Who imports one of
them meanwhile keeps the stand-in, and the stand-in imports the real module when it is asked for
something. Who comes later finds nothing of this and imports as ever. Each line of ``LATE`` can be
taken away alone; docs/benchmarks.md has what it saves.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Late:
    """A module to put off, and the names in it that others take at once (``from … import …``)."""

    module: str
    functions: tuple[str, ...] = ()
    unmet: tuple[tuple[str, type], ...] = ()
    """Classes, with their base, of which a user's server never meets an object: for
    ``isinstance`` and ``except`` an empty class says the same."""


LATE = (
    # The parser for internationalised addresses, with which jupyter_events may check its schemas:
    # 823 of the 1,155 ms that a bare jupyter_server takes to start.
    Late("rfc3987_syntax", functions=("is_valid_syntax",)),
    # For durations in the same schemas; none has one.
    Late("arrow"),
    # The hub's database. jupyterhub's utils, scopes and metrics ask for it at the top, and all
    # that a user's server calls in them is without. (alembic comes with jupyterhub.orm.)
    Late("sqlalchemy"),
    Late("sqlalchemy.exc", unmet=(("SQLAlchemyError", Exception),)),
    Late("jupyterhub.orm"),
    Late("jupyterhub.roles"),
    # The hub's pages: jupyterhub's log asks of each request whether it is one of the hub's health.
    Late("jupyterhub.handlers.pages", unmet=(("HealthCheckHandler", object),)),
    # The catalogue of extensions to fetch, with a client for HTTP and one for terminals:
    # etc/jupyter/jupyter_server_config.py says "readonly".
    Late("jupyterlab.extensions.pypi", functions=("PyPIExtensionManager",)),
    # For lists of allowed extensions at some address, which are not set.
    Late("requests"),
)

SERVER = ("jupyterhub.singleuser", "jupyterlab.labapp", "notebook.app")
"""What a server is made of; the second and third it would else import when it looks for its
extensions, which is too late for ``put_off``."""


def import_server() -> Any:
    """Import the single-user server without what it does not need; return its main function."""
    with put_off(LATE):
        modules = [importlib.import_module(name) for name in SERVER]
    return modules[0].main


@contextlib.contextmanager
def put_off(late: tuple[Late, ...]) -> Iterator[None]:
    """Let imports of these modules cost nothing while this lasts.

    What is imported already stays, and what is not installed stays away. Anything that is asked
    of a stand-in beyond what its line names ends this for all: the real modules come.
    """
    stand_ins: dict[str, ModuleType] = {}

    def step_aside() -> None:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]

    def real(name: str) -> ModuleType:
        step_aside()  # all of them: the real ones must not meet the others' stand-ins
        return importlib.import_module(name)

    for one in late:
        spec = None if one.module in sys.modules else _find(one.module)
        if spec is not None:
            stand_ins[one.module] = sys.modules[one.module] = _stand_in(one, spec, real)
    try:
        yield
    finally:
        step_aside()


def _stand_in(late: Late, spec: ModuleSpec, real: Any) -> ModuleType:
    stand_in = ModuleType(late.module, "A stand-in: see tinyberth_start.late_imports.")
    if spec.submodule_search_locations is not None:  # then modules below it are found
        stand_in.__path__ = list(spec.submodule_search_locations)

    def anything_else(attribute: str) -> Any:
        if attribute == "__all__":  # `from … import *`
            return [name for name in vars(real(late.module)) if not name.startswith("_")]
        if attribute.startswith("__"):  # Python's own `import` asks for such names
            raise AttributeError(attribute)
        return getattr(real(late.module), attribute)

    def late_function(name: str) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            return getattr(real(late.module), name)(*args, **kwargs)

        return ask

    stand_in.__dict__["__getattr__"] = anything_else
    stand_in.__dict__.update({name: late_function(name) for name in late.functions})
    stand_in.__dict__.update({name: type(name, (base,), {}) for name, base in late.unmet})
    return stand_in


def _find(name: str) -> ModuleSpec | None:
    """Return where a module is, without importing what it lies in."""
    parent = name.rpartition(".")[0]
    if not parent:
        return PathFinder.find_spec(name)
    above = _find(parent)
    return above and PathFinder.find_spec(name, above.submodule_search_locations)
