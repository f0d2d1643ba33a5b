"""The retail day with a stand-in for Crossdock: how it ends, and that nothing is left running."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators import day, installation
from tests.realservers import until

ROOT = Path(__file__).parents[2]
FAKE = (sys.executable, str(Path(__file__).with_name("fake_crossdock.py")))


def live(data: Path, duration: float = 1.5) -> int:
    return day.main(["--duration", str(duration), "--rate", "60", "--data", str(data), "--seed", "1"], FAKE)


def running(data: Path) -> list[str]:
    """Return the command lines of all processes that work on a data folder."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in lines if str(data) in line and "fake_crossdock" in line]


def test_a_good_day_ends_with_a_balanced_ledger_and_nothing_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live(tmp_path) == 0
    shown = capsys.readouterr().out
    assert "the ledger as a table" in shown
    assert "the ledger is balanced" in shown
    assert "the OMS answers 503" in shown or "the OMS is back" in shown
    assert not running(tmp_path)


def test_an_unbalanced_ledger_fails_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "unbalanced")
    assert live(tmp_path) == 1


def test_targets_without_events_fail_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE", "silent")
    assert live(tmp_path) == 1
    assert "no events reached erp, wms, oms" in capsys.readouterr().out


def test_an_installation_that_does_not_start_is_shown_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE", "broken")
    assert live(tmp_path) == 1
    assert "the disk is full" in capsys.readouterr().out


def test_an_installation_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "deaf")
    monkeypatch.setattr(installation, "STOP_WITHIN", 0.3)
    assert live(tmp_path) == 0
    assert not running(tmp_path)


@contextmanager
def endless(data: Path) -> Iterator["subprocess.Popen[str]"]:
    """A day as a process of its own, from the moment in which events flow."""
    program = f"import sys; from simulators import day; sys.exit(day.main(['--data', {str(data)!r}], {FAKE!r}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "erp=" in line and "erp=0" not in line:
                    break
            yield process
        finally:
            process.kill()


def test_a_day_without_an_end_ends_on_sigterm(tmp_path: Path) -> None:
    with endless(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read() if process.stdout else ""
        assert process.wait(30) == 0
    assert "the ledger is balanced" in rest
    assert not running(tmp_path)


def test_a_day_that_is_killed_takes_its_installation_with_it(tmp_path: Path) -> None:
    with endless(tmp_path) as process:
        assert running(tmp_path)
        process.kill()
    asyncio.run(until(lambda: not running(tmp_path)))
