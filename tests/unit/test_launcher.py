"""The launcher's other decisions: settings in, words out, and what a command line means."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tinyberth_common.settings import SCHEMA, load
from tinyberth_launcher.checkout import load_checkout
from tinyberth_launcher.cli import main
from tinyberth_launcher.command import capture, stream
from tinyberth_launcher.compose import build_progress, parse_json_records
from tinyberth_launcher.hints import hint_for
from tinyberth_launcher.listening import can_bind
from tinyberth_launcher.preflight import check_machine, check_settings, data_problems
from tinyberth_launcher.problem import REFUSED, USAGE, Problem
from tinyberth_launcher.selection import select_tests
from tinyberth_launcher.steps import Steps, format_seconds
from tinyberth_launcher.testing import Run, container_command

COMPOSE = "name: tinyberth\nx: ${BASE_IMAGE:-debian:trixie-slim@sha256:00}\n"


@pytest.fixture
def checkout_root(tmp_path: Path) -> Path:
    """Return a folder that is as much of a checkout as the settings need."""
    (tmp_path / "docker-compose.yml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".tinyberth-data").touch()
    return tmp_path


def test_the_shell_wins_over_the_file_and_the_file_over_the_default(checkout_root: Path) -> None:
    (checkout_root / ".env").write_text("PORT=8001\nADMIN=ada\n", encoding="utf-8")
    checkout = load_checkout(checkout_root, {"PORT": "8002", "PATH": "/bin", "PROT": "1"})
    settings = check_settings(checkout)
    assert (settings.port, settings.admin, settings.link_days) == (8002, "ada", 7)


def test_project_and_base_are_read_from_the_compose_file(checkout_root: Path) -> None:
    checkout = load_checkout(checkout_root, {})
    assert checkout.project == "tinyberth"
    assert checkout.pinned_base == "debian:trixie-slim@sha256:00"
    named = load_checkout(checkout_root, {"COMPOSE_PROJECT_NAME": "other"})
    assert named.project == "other"
    assert named.child_env()["COMPOSE_PROJECT_NAME"] == "other"


def test_the_real_compose_file_pins_its_base_by_digest(root: Path) -> None:
    assert "@sha256:" in load_checkout(root, {}).pinned_base


def test_b5_every_fault_is_named_and_nothing_is_started(checkout_root: Path) -> None:
    (checkout_root / ".env").write_bytes(b"PORT='80'\r\nPROT=1\nMEM_LIMIT=-4G\n")
    with pytest.raises(Problem) as refusal:
        check_settings(load_checkout(checkout_root, {"COMPOSE_PROJECT_NAME": "No!"}))
    assert refusal.value.code == REFUSED
    for word in ("CRLF", "PORT has a quote", "PROT", "MEM_LIMIT=", "COMPOSE_PROJECT_NAME="):
        assert word in refusal.value.text()


def test_b5_a_port_in_use_is_refused_and_a_free_one_is_not(checkout_root: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not can_bind(port)
        checkout = load_checkout(checkout_root, {"PORT": str(port), "HOST_CA_BUNDLE": "/nope"})
        with pytest.raises(Problem) as refusal:
            check_machine(checkout, check_settings(checkout))
        assert f"PORT={port} is in use" in refusal.value.why
        assert "HOST_CA_BUNDLE: there is no file /nope" in refusal.value.why
    assert can_bind(port)


def test_a_data_folder_without_its_marker_is_refused_with_the_command(tmp_path: Path) -> None:
    [problem] = data_problems(tmp_path / "my data")
    assert (
        f"mkdir -p '{tmp_path}/my data' && touch '{tmp_path}/my data'/.tinyberth-data" in problem
    )
    (tmp_path / ".tinyberth-data").touch()
    assert data_problems(tmp_path) == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("write /var/lib: no space left on device: No space left on device", "disk is full"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "package manager"),
        ("lookup registry.example: no such host", "name could not be resolved"),
        ("invalid peer certificate: UnknownIssuer", "TLS"),
        ("everything is fine", ""),
    ],
)
def test_known_failures_are_explained(output: str, expected: str) -> None:
    meaning, remedy = hint_for([output])
    assert expected in meaning
    assert bool(meaning) == bool(remedy)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#12 [hub builder 3/9] RUN uv pip install", "hub builder 3/9  RUN uv pip install"),
        ("#12 0.513 Get:1 http://mirror.example", None),
        ("#9 [proxy 2/3] RUN --mount=type=secret,id=ca     npm ci", "proxy 2/3  RUN npm ci"),
        ("#12 DONE 3.2s", None),
        ("#12 CACHED", None),
    ],
)
def test_a_builders_line_becomes_progress(line: str, expected: str | None) -> None:
    assert build_progress(line) == expected


@pytest.mark.parametrize("text", ['{"a": 1}\n{"a": 2}\n', '[{"a": 1}, {"a": 2}]\n'])
def test_both_forms_of_composes_json_are_read(text: str) -> None:
    assert [record["a"] for record in parse_json_records(text)] == [1, 2]


@pytest.mark.parametrize(
    ("args", "lint", "pytest_args", "images"),
    [
        ([], True, ["tests/unit", "tests/image", "tests/stack", "tests/browser"], True),
        (["lint"], True, [], False),
        (["unit"], False, ["tests/unit"], False),
        (["lint", "unit"], True, ["tests/unit"], False),
        (["stack", "-k", "owner"], False, ["tests/stack", "-k", "owner"], True),
        (["tests/unit/test_names.py", "-x"], False, ["tests/unit/test_names.py", "-x"], False),
        (["./tests/image/test_a.py::test_b"], False, ["./tests/image/test_a.py::test_b"], True),
        (
            ["-x"],
            False,
            [*(f"tests/{r}" for r in ("unit", "image", "stack", "browser")), "-x"],
            True,
        ),
    ],
)
def test_the_test_commands_words_are_understood(
    args: list[str], lint: bool, pytest_args: list[str], images: bool
) -> None:
    selection = select_tests(args)
    assert selection.lint == lint
    assert list(selection.pytest_args) == pytest_args
    assert selection.needs_images == images
    assert selection.parallel == (not args)


def test_a_test_run_sets_every_setting_and_mounts_the_repository_read_only(root: Path) -> None:
    run = Run("tbtest-0a1b2c", Path("/var/tmp/w"), 8123, "base:x", "/etc/ssl/ca.pem")
    assert {setting.name for setting in SCHEMA} <= set(run.settings())
    assert load(run.settings()).bridge_name == "tb0a1b2c"
    command = container_command(root, run, ["true"])
    assert f"{root}:{root}:ro" in command
    assert "PORT=8123" in command
    assert command[-2:] == ["tbtest-0a1b2c-tests:0.1.0", "true"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (12.4, "12 s"), (119, "119 s"), (200, "3 min 20 s")]
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_without_a_terminal_a_step_is_one_plain_line() -> None:
    out = io.StringIO()
    with Steps(io.StringIO(), out).step("Engine") as step:
        step.done("answers")
    assert out.getvalue() == "✓ Engine    answers (0.0 s)\n"


def test_a_failing_step_shows_the_last_lines_and_their_meaning() -> None:
    out, log = io.StringIO(), io.StringIO()
    script = "for n in $(seq 30); do echo line $n; done; echo 'no such host'; exit 7"
    with pytest.raises(Problem) as failure, Steps(log, out).step("Images") as step:
        step.run(["sh", "-c", script], failed="Building failed")
    assert out.getvalue().startswith("✗ Images    failed")
    text = failure.value.text()
    assert "line 30" in text
    assert "line 11\n" not in text
    assert "exit code 7" in text
    assert "could not be resolved" in text
    assert "line 1\n" in log.getvalue()


def test_a_missing_program_is_a_result_not_a_stack_trace() -> None:
    assert capture(["tinyberth-no-such-program"]).code == 127
    assert stream(["tinyberth-no-such-program"], print) == 127


def test_a_slow_program_is_given_up() -> None:
    assert capture(["sleep", "60"], timeout=0.1).code == 124


def test_an_interrupt_ends_the_child_and_says_that_it_can_be_run_again(root: Path) -> None:
    """The child writes its pid; a signal to the launcher alone must end it, too."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:4]\n"
        "import signal\n"
        "from tinyberth_launcher import cli\n"
        "from tinyberth_launcher.command import stream\n"
        "cli._dispatch = lambda *_: stream(['sh', '-c', 'echo $$; exec sleep 600'],"
        " lambda line: print(line, flush=True))\n"
        "sys.exit(cli.main(None, []))\n"
    )
    parts = ("launcher", "common", "singleuser/presets")
    child = subprocess.Popen(
        [sys.executable, "-c", code, *(str(root / part) for part in parts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "can be run again" in said
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("argv", [["nonsense"], [], ["up", "--nonsense"]])
def test_a_wrong_command_line_exits_2(root: Path, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(root, argv)
    assert end.value.code == USAGE


@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "doctor", "test"])
def test_help_has_an_example_and_the_exit_codes(
    root: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(root, [command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"./tinyberth {command}" in text
    assert "exit codes:" in text
