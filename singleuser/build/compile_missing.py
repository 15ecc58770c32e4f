"""Byte code for the modules below a folder that have none: ``python compile_missing.py FOLDER``.

Unlike ``compileall`` it leaves what is compiled alone, so that a later layer holds nothing twice.
Unchecked, because a copy between stages must not make byte code look stale.
"""

from __future__ import annotations

import py_compile
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.util import cache_from_source
from pathlib import Path


def compile_one(path: str) -> None:
    """Compile; what is no Python of today (a template, a test of syntax) stays as it is."""
    try:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(path, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError) as error:
        print(f"not compiled: {path} ({type(error).__name__})")


if __name__ == "__main__":
    sources = (str(path) for path in Path(sys.argv[1]).rglob("*.py"))
    missing = [path for path in sources if not Path(cache_from_source(path)).exists()]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(compile_one, missing, chunksize=64):
            pass
