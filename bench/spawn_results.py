"""What bench/spawn.py leaves behind: its figures as JSON, a plot, and the table made of them."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

from spawn_figures import Arrival
from tinyberth_launcher.command import capture
from tinyberth_launcher.problem import Problem


def write(path: Path, root: Path, arrivals: list[Arrival], load: float) -> None:
    """Write all that was measured, from which table and plot can be made again."""
    described = capture(["git", "-C", str(root), "describe", "--always", "--dirty"])
    found = {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{os.cpu_count()} CPUs, Linux {platform.release()}, load before {load:.1f}",
        "commit": described.out.strip(),
        "arrivals": [asdict(arrival) for arrival in arrivals],
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Arrival]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return [Arrival(**arrival) for arrival in found["arrivals"]]


def draw(out: Path, root: Path, user_image: str) -> None:
    """Draw spawn.png beside spawn.json, in the user image, which has matplotlib."""
    drawn = capture(
        [
            *("docker", "run", "--rm", "--network", "none", "--env", "MPLCONFIGDIR=/tmp"),
            *("--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{root}/bench:/bench:ro"),
            *("--volume", f"{out.resolve()}:/out", user_image),
            *("python", "/bench/spawn_plot.py", "/out/spawn.json", "/out/spawn.png"),
        ],
        timeout=120,
    )
    if not drawn.ok:
        raise Problem("The plot cannot be drawn.", why=drawn.err.strip()[-500:])
