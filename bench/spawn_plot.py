"""Draw the plot of bench/spawn.py, in the user image, which has matplotlib.

python spawn_plot.py spawn.json spawn.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {"stock": "#b35806", "ours": "#2166ac"}


def draw(found: dict, target: str) -> None:
    """Draw one panel for each number of people: how many servers are up after how long."""
    users = sorted({arrival["users"] for arrival in found["arrivals"]})
    figure, panels = plt.subplots(
        1, len(users), figsize=(4.2 * len(users), 3.6), squeeze=False, layout="constrained"
    )
    for panel, count in zip(panels[0], users):
        for arrival in found["arrivals"]:
            if arrival["users"] == count and count > 1:
                times = sorted(arrival["spawn_s"])
                panel.step(
                    [0, *times],
                    range(len(times) + 1),
                    where="post",
                    color=COLOURS[arrival["kind"]],
                )
        if count == 1:
            _draw_alone(panel, found["arrivals"])
        panel.set_title("one person, all turns" if count == 1 else f"{count} people at once")
        panel.set_xlabel("seconds from the click to the server")
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("servers that are up")
    panels[0][0].legend(
        handles=[plt.Line2D([], [], color=colour, label=kind) for kind, colour in COLOURS.items()]
    )
    figure.suptitle(f"{found['when']}, {found['machine']}, {found['commit']}", fontsize=8)
    figure.savefig(target, dpi=130)


def _draw_alone(panel: plt.Axes, arrivals: list) -> None:
    for kind, colour in COLOURS.items():
        times = sorted(
            time
            for arrival in arrivals
            if arrival["users"] == 1 and arrival["kind"] == kind
            for time in arrival["spawn_s"]
        )
        panel.step([0, *times], range(len(times) + 1), where="post", color=colour)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2])
