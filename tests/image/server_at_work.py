"""Runs inside a user container: what keeps a server active, as the hub is told, and what does not.

Prints one line of JSON: for each state, whether the reports go on naming a later time. The server
is not asked anything meanwhile, and its kernels and terminals say nothing.
"""

from __future__ import annotations

import asyncio
import json
import queue
import time
from collections.abc import Callable
from pathlib import Path

from server_of_the_image import ACTIVITY_REPORTS, Server, execute_request

SECONDS = 60
"""At most, for a state to show."""
IN_A_ROW = 3

LOOP = Path("/tmp/loop.py")
PID = Path("/tmp/loop.pid")
CODE = f"""
import os, pathlib
pathlib.Path({str(PID)!r}).write_text(str(os.getpid()))
os.fork(), os.fork()  # four: also on a busy machine, some CPU time for them
while True: pass
"""


def reports_until(enough: Callable[[list[str]], bool]) -> bool:
    """Return whether the reports, from now on, came to be like that in time."""
    while not ACTIVITY_REPORTS.empty():
        ACTIVITY_REPORTS.get()
    times: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not enough(times) and time.monotonic() < deadline:
        try:
            report = ACTIVITY_REPORTS.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        times.append(report["servers"][""]["last_activity"])
    return enough(times)


def stays_active() -> bool:
    return reports_until(lambda times: len(set(times)) > IN_A_ROW)


def is_idle() -> bool:
    return reports_until(lambda times: len(times) >= IN_A_ROW and len(set(times[-IN_A_ROW:])) == 1)


async def main() -> None:
    LOOP.write_text(CODE)
    server = Server(Path.home(), JUPYTERHUB_ACTIVITY_INTERVAL="1")
    server.wait()
    kernel = json.loads(server.ask("POST", "/api/kernels", {})[1])["id"]
    terminal = json.loads(server.ask("POST", "/api/terminals")[1])["name"]
    cells = await server.connect(f"/api/kernels/{kernel}/channels")
    shell = await server.connect(f"/terminals/websocket/{terminal}")

    async def type_in(text: str) -> None:
        await shell.write_message(json.dumps(["stdin", text]))

    found = {"an idle kernel and an open terminal: idle": is_idle()}
    await cells.write_message(json.dumps(execute_request("import time; time.sleep(10_000)")))
    found["a cell that sleeps: active"] = stays_active()
    server.ask("POST", f"/api/kernels/{kernel}/interrupt")
    found["the cell interrupted: idle"] = is_idle()
    await type_in("sleep 10000\r")
    found["a job in the terminal: active"] = stays_active()
    await type_in("\x03")
    found["the job interrupted: idle"] = is_idle()
    await type_in(f"(setsid nohup python {LOOP} > /dev/null 2>&1 &)\r")
    found["a detached job at work: active"] = stays_active()
    await type_in(f"(setsid nohup sleep 10000 > /dev/null 2>&1 &); kill -- -$(cat {PID})\r")
    found["a detached job asleep: idle"] = is_idle()
    await cells.write_message(json.dumps(execute_request("while True: pass")))
    found["a cell that never ends: active"] = stays_active()
    server.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
