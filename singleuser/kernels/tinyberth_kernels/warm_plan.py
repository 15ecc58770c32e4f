"""Which modules a notebook will surely ask for: a pure decision over its text.

Only imports that stand above every line that could change what an import means count. What a
kernel has imported by itself is then what the person's own cells would have imported, in the
same state.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# What takes seconds, by what stands in an import. The lesson asks keras_hub through tinybert.
_SLOW = {
    "keras": ("keras",),
    "keras_hub": ("keras_hub",),
    "keras_nlp": ("keras_nlp",),
    "tensorflow": ("tensorflow",),
    "tensorflow_text": ("tensorflow", "tensorflow_text"),
    "tinybert": ("keras_hub", "tinybert.training"),
}
_IMPORT = re.compile(r"\s*(?:import|from)\s+(\w+)((?:\.\w+)*)")
_CHANGES = re.compile(
    # the environment: KERAS_BACKEND, TF_…, CUDA_…, and ~/.env that may hold them
    r"\benviron\b|putenv|%(?:set_)?env\b|dotenv"
    # the packages, or where they are looked for
    r"|\bpip\b|\buv\b|sys\.path|site\.addsitedir|sys\.modules|chdir|%(?:cd|run|load)\b|%%"
)


def modules_to_import(notebook: str) -> tuple[str, ...]:
    """Return the slow modules that ``notebook``, the text of an .ipynb file, begins with.

    In the notebook's order, each once; none where the text is no notebook.
    """
    found: dict[str, None] = {}
    for line in _code_lines(notebook):
        if _CHANGES.search(line):
            break
        match = _IMPORT.match(line)
        if match:
            name, within = match.groups()
            found |= dict.fromkeys(_SLOW.get(name, ()))
            if name == "tensorflow" and within.startswith(".keras"):
                found |= {"keras": None}  # which TensorFlow itself imports only when asked
    return tuple(found)


def _code_lines(notebook: str) -> Iterator[str]:
    try:
        cells = json.loads(notebook)["cells"]
        codes = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        for code in codes:
            yield from "".join(code).splitlines()
    except (ValueError, KeyError, TypeError, RecursionError):
        return
