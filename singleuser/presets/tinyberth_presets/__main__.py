"""Build step: ``python -m tinyberth_presets NAME TARGET LOCK WORD_LISTS``."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import kagglehub

from .checksums import sha256_of_files, verify
from .untrained import save_untrained_preset


def main(name: str, target: Path, lock: Path, word_lists: Path) -> None:
    entry = json.loads(lock.read_text(encoding="utf-8"))[name]
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched = _fetch(entry["handle"])
    if fetched is None:
        provenance: dict[str, Any] = {
            "trained": False,
            "source": "made at image build, because the models' host could not be reached",
            "verified": "random weights from a fixed seed, vocabulary from SCOWL's word lists",
            "parameters": save_untrained_preset(word_lists, target),
        }
    else:
        found = sha256_of_files(fetched)
        provenance = {
            "trained": True,
            "source": entry["handle"],
            "verified": verify(found, entry["sha256"]),
        }
        print(json.dumps({name: {**entry, "sha256": found}}, indent=2))
        shutil.copytree(fetched, target)
    text = json.dumps({"preset": name, **provenance}, indent=2) + "\n"
    (target / "PROVENANCE.json").write_text(text, encoding="utf-8")
    print(text)


def _fetch(handle: str) -> Path | None:
    """Return the downloaded folder, or None where the host cannot be had.

    kagglehub waits 5 s for a connection and does not try again, so a closed network costs
    seconds and no more.
    """
    try:
        return Path(kagglehub.model_download(handle))
    except Exception as error:
        print(f"{handle} cannot be fetched ({type(error).__name__}: {str(error)[:200]})")
        return None


if __name__ == "__main__":
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:5]))
