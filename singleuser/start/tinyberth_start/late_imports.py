"""Put off an import that makes every server start almost a second later and is hardly ever used.

jupyter_events checks its schemas with jsonschema, which imports ``rfc3987_syntax``, and that
builds a parser for internationalised addresses (IRI): 823 of the 1,155 ms that a bare
jupyter_server takes to start. Here a stand-in takes its place until somebody asks it something;
the real module answers then, and from then on.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

IRI_PARSER = "rfc3987_syntax"
IRI_CHECK = "is_valid_syntax"


def put_off_iri_parser(name: str = IRI_PARSER, function: str = IRI_CHECK) -> None:
    """Let ``from name import function`` cost nothing until ``function`` is called.

    Whatever else is asked of the module is the real one's. Where it is not installed nothing is
    done, because jsonschema must then go without the check.
    """
    if name in sys.modules or importlib.util.find_spec(name) is None:
        return
    stand_in = ModuleType(name)

    def real() -> ModuleType:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return importlib.import_module(name)

    def ask(*args: Any, **kwargs: Any) -> Any:
        return getattr(real(), function)(*args, **kwargs)

    def anything_else(attribute: str) -> Any:
        if attribute.startswith("__"):  # Python's own `import` asks whether there is a __path__
            raise AttributeError(attribute)
        return getattr(real(), attribute)

    setattr(stand_in, function, ask)
    stand_in.__dict__["__getattr__"] = anything_else
    sys.modules[name] = stand_in
