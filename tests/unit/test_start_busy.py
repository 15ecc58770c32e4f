"""What counts as a server at work: kernels, terminals' jobs, CPU time; and what does not."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tinyberth_start.activity import LOOK_SECONDS, Watcher, look_interval
from tinyberth_start.busy import Look, Process, parse_stat, read_processes, why_busy

SERVER, TERMINAL, SHELL = 7, 20, 21
INIT = Process(1, "docker-init", "S", 0, 1, 0, 0.0)
JUPYTER = Process(SERVER, "python", "S", 1, 1, 0, 50.0)
KERNEL = Process(10, "python", "S", SERVER, 10, 0, 3.0)
WATCHED = Process(TERMINAL, "python", "S", SERVER, TERMINAL, 34816, 0.1)
BASH = Process(SHELL, "bash", "S", TERMINAL, TERMINAL, 34816, 0.1)
ALWAYS = (INIT, JUPYTER, KERNEL, WATCHED, BASH)


def job(name="sleep", *, state="S", parent=SHELL, session=TERMINAL, cpu=0.0, pid=30):
    terminal = 34816 if session == TERMINAL else 0
    return Process(pid, name, state, parent, session, terminal, cpu)


def look(*more: Process, at: float = 30.0, kernels: tuple[str, ...] = ("idle",)) -> Look:
    return Look(at, SERVER, kernels, (*ALWAYS, *more))


A_SHELL_OF_ITS_OWN = Process(TERMINAL, "bash", "S", SERVER, TERMINAL, 34816, 0.1)

CASES = [
    ("an idle kernel and an open terminal", look(), None),
    ("no kernel at all", look(kernels=()), None),
    ("one busy kernel of three", look(kernels=("idle", "busy", "idle")), "a kernel is busy"),
    ("a kernel that starts, or died", look(kernels=("starting", "dead")), None),
    ("a job in front", look(job()), "'sleep' runs in a terminal"),
    ("a job in the background", look(job("python")), "'python' runs in a terminal"),
    ("a job of a script", look(job("bash"), job("curl", parent=30, pid=31)), "'curl' runs in"),
    ("a job that waits for the disk", look(job(state="D")), "'sleep' runs in a terminal"),
    ("a job below a shell that is the terminal's first",
     Look(30.0, SERVER, (), (INIT, JUPYTER, A_SHELL_OF_ITS_OWN, job(parent=TERMINAL))),
     "'sleep' runs in a terminal"),
    ("a shell in the shell", look(job("zsh")), None),
    ("a stopped job", look(job(state="T")), None),
    ("a job that has ended", look(job(state="Z")), None),
    ("a helper that stays behind", look(job("git-credential-", parent=1)), None),
    ("a detached job asleep", look(job("python", parent=1, session=30)), None),
    ("a detached job at work", look(job("python", parent=1, session=30, cpu=15.0)), "took 15.0 s"),
    ("a detached job that does little", look(job(parent=1, session=30, cpu=0.3)), None),
    ("a process that a kernel left at work", look(job(parent=10, session=10, cpu=1.0)), "1.0 s"),
]  # fmt: skip


@pytest.mark.parametrize(("now", "expected"), [case[1:] for case in CASES],
                         ids=[case[0].replace(" ", "-") for case in CASES])  # fmt: skip
def test_l4_each_state_of_a_server_has_one_answer(now, expected):
    why = why_busy(now, look(at=0.0))
    assert (why is None) if expected is None else (expected in why)


def test_the_servers_own_cpu_time_does_not_count_nor_what_was_used_before():
    busy = Process(SERVER, "python", "R", 1, 1, 0, 90.0)
    now = Look(30.0, SERVER, ("idle",), (INIT, busy, KERNEL))
    assert why_busy(now, Look(0.0, SERVER, ("idle",), (INIT, JUPYTER, KERNEL))) is None
    assert why_busy(look(job(parent=1, session=30, cpu=500.0)), None) is None


def test_a_long_chain_of_processes_is_followed_to_its_end():
    chain = [job("bash", pid=pid, parent=pid - 1) for pid in range(SHELL + 1, 3000)]
    assert "'make' runs" in str(why_busy(look(*chain, job("make", pid=3000, parent=2999)), None))


def test_a_kernel_that_ended_takes_its_cpu_time_along():
    assert why_busy(Look(30.0, SERVER, (), (INIT, JUPYTER)), look(at=0.0)) is None


def test_a_job_that_slept_while_the_server_was_paused_does_not_count():
    before = look(job(parent=1, session=30, cpu=5.0), at=0.0)
    assert why_busy(look(job(parent=1, session=30, cpu=5.2), at=36_000.0), before) is None


@pytest.mark.parametrize("name", ["python", "a) S 1 (b", "tmux: server", ""])
def test_a_line_of_proc_is_read_whatever_the_program_is_called(name):
    fields = "S 7 20 20 34816 21 4194304 1 2 3 4 110 20 5 15 20 0 1 0 99 1000 10"
    found = parse_stat(f"21 ({name}) {fields}\n")
    seconds = 150 / os.sysconf("SC_CLK_TCK")
    assert found == Process(21, name, "S", 7, 20, 34816, seconds)


def test_processes_are_read_from_the_real_thing():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = {process.pid: process for process in read_processes()}
    child.communicate(b"\n")
    assert found[child.pid].parent == os.getpid()
    assert found[os.getpid()].cpu_seconds > 0


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [("", 30), ("300", 30), ("40", 20), ("1", 0.5), ("0", 30), ("-5", 30), ("soon", 30)],
)
def test_there_are_two_looks_for_each_report_to_the_hub(interval, seconds):
    assert look_interval({"JUPYTERHUB_ACTIVITY_INTERVAL": interval}) == seconds
    assert look_interval({}) == LOOK_SECONDS


def test_a_busy_kernel_is_noted_in_jupyter_server_and_an_idle_one_is_not():
    kernel = SimpleNamespace(execution_state="idle")
    times: dict[str, object] = {}
    app = SimpleNamespace(
        kernel_manager=SimpleNamespace(list_kernel_ids=lambda: ["k"], get_kernel=lambda _: kernel),
        log=logging.getLogger(__name__),
        web_app=SimpleNamespace(settings={"last_activity_times": times}),
    )
    watcher = Watcher(app)
    watcher.look()
    assert times == {}
    kernel.execution_state = "busy"
    watcher.look()
    first = times["tinyberth_busy"]
    watcher.look()
    assert times["tinyberth_busy"] > first
