"""Runs inside a user container: kernels of several notebooks, and what they have imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from jupyter_client.manager import KernelManager
from server_of_the_image import Server

HOME = Path.home()
NOTEBOOKS = HOME / "notebooks"
DEADLINE = 240
"""Seconds for an import that takes 4 on a machine with nothing else to do."""

BLOCKING = """
import sys
class Blocking:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            raise RuntimeError("broken on purpose")
sys.meta_path.insert(0, Blocking())
"""


def notebook(name: str, *codes: str) -> str:
    path = NOTEBOOKS / f"{name}.ipynb"
    cells = [
        *(
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": code,
            }
            for number, code in enumerate(codes)
        ),
    ]
    path.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    return str(path)


def ask(session: str, *cells: str) -> list[dict]:
    """Start the image's kernel for ``session``; return each cell's status, text and kinds."""
    manager, client = _start(session)
    try:
        return [_run(client, cell) for cell in cells]
    finally:
        manager.shutdown_kernel(now=True)


def _start(session: str) -> tuple:
    manager = KernelManager(kernel_name="python3")
    environment = {**os.environ, "JPY_SESSION_NAME": session}
    manager.start_kernel(env=environment, cwd=str(NOTEBOOKS), stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=DEADLINE)
    return manager, client


def interrupt(session: str) -> dict:
    """Interrupt a cell as soon as it began, most likely while it waits for the imports."""
    manager, client = _start(session)
    try:
        message = client.execute("import time; time.sleep(3600)")
        while client.get_iopub_msg(timeout=DEADLINE)["msg_type"] != "execute_input":
            pass
        manager.interrupt_kernel()
        reply = {"parent_header": {}}
        while reply["parent_header"].get("msg_id") != message:
            reply = client.get_shell_msg(timeout=DEADLINE)
        following, until = "aborted", time.monotonic() + DEADLINE
        while following == "aborted" and time.monotonic() < until:
            # IPython drops what arrives while it still says that the cell before has failed.
            following = _run(client, "1 + 1")["status"]
        return {"ename": reply["content"].get("ename"), "next": following}
    finally:
        manager.shutdown_kernel(now=True)


def _run(client, cell: str) -> dict:
    told = {"text": "", "kinds": []}

    def listen(message: dict) -> None:
        content = message["content"]
        if message["msg_type"] not in ("status", "execute_input"):
            told["kinds"].append(message["msg_type"])
            told["text"] += content.get("text", "") + content.get("evalue", "")
            told["text"] += " ".join(content.get("data", {}))

    reply = client.execute_interactive(cell, timeout=DEADLINE, output_hook=listen)
    return {**told, "status": reply["content"]["status"]}


PLANTED = "from pathlib import Path; (Path.home() / 'planted').touch()"
IS_PLANTED = "from pathlib import Path; print((Path.home() / 'planted').exists(), end='')"
PATH = "import sys; print(sys.path, end='')"
THERE = "import sys; print('keras_hub' in sys.modules, 'keras' in sys.modules, end='')"
NAMES = "print([name for name in globals() if name[0] != '_'], end='')"
TRACES = (
    "import threading; print([t.name for t in threading.enumerate() if 'tinyberth' in t.name],"
    "get_ipython().events.callbacks['pre_run_cell'], end='')"
)
PLOT = "import matplotlib.pyplot as plt; plt.plot([1, 2]);"
FIT = (
    "import keras, numpy as np; keras.utils.set_random_seed(1)\n"
    "m = keras.Sequential([keras.layers.Dense(1)]); m.compile('sgd', 'mse')\n"
    "print(m.fit(np.ones((8, 2)), np.ones(8), verbose=0).history['loss'][0], end='')"
)


def through_the_server() -> dict:
    """Open a notebook as JupyterLab does, run nothing, and wait for what its kernel maps."""
    server = Server(HOME)
    try:
        server.wait(DEADLINE)
        wanted = {
            "path": "notebooks/short.ipynb",
            "name": "short.ipynb",
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        status, _ = server.ask("POST", "/api/sessions", wanted)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for kernel in Path("/proc").glob("[0-9]*/cmdline"):
                launched = "ipykernel_launcher" in _read(kernel)
                if launched and "libtensorflow_cc" in _read(kernel.with_name("maps")):
                    return {"status": status, "warm": True}
            time.sleep(0.1)
        return {"status": status, "warm": False}
    finally:
        server.stop()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main() -> None:
    NOTEBOOKS.mkdir(exist_ok=True)
    lesson = notebook("lesson", "import numpy", "import keras_hub")
    notebook("short", "import tensorflow")
    # Beside the notebooks: what Keras and others look for and the image has not.
    for name in ("pydot", "objgraph"):
        (NOTEBOOKS / f"{name}.py").write_text(PLANTED)
    report = {
        "lesson": ask(
            *(lesson, "1 + 1", THERE, NAMES, TRACES, IS_PLANTED, PATH, PLOT, FIT),
            *("import pydot", IS_PLANTED),
        ),
        "other": ask(notebook("other", "import pandas"), THERE, NAMES, PATH, FIT),
        "console": ask(f"{NOTEBOOKS}/console-1-abc", THERE),
        "gone": ask(f"{NOTEBOOKS}/gone.ipynb", THERE),
        "server": through_the_server(),
        "interrupted": interrupt(lesson),
    }
    (HOME / ".no-warm-kernels").touch()
    report["off"] = ask(lesson, THERE)
    (HOME / ".no-warm-kernels").unlink()
    own = HOME / ".local/lib/python{}.{}/site-packages".format(*sys.version_info)
    own.mkdir(parents=True)
    (own / "usercustomize.py").write_text(BLOCKING)
    report["broken"] = ask(notebook("broken", "import keras"), "1 + 1", THERE, "import keras", "2")
    (own / "usercustomize.py").unlink()
    (NOTEBOOKS / "yaml.py").write_text("mine = True")
    report["hidden"] = ask(lesson, THERE, "import yaml; print(yaml.mine, end='')")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
