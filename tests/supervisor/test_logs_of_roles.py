"""The log of a process: an object a line for programs, and no text of a partner that can forge or hide one."""

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossdock.supervisor import logform, logs
from crossdock.supervisor.children import Child, Keeper
from crossdock.supervisor.logform import JSON, TEXT

ROOT = Path(__file__).parents[2]
HOSTILE = 'a\n{"level": "info", "message": "forged"}\r\x1b[2K\x9b1m\u2028\x85 nats://crossdock:s3cret@host'

PROGRAM = """
import logging, sys, threading, warnings
from crossdock.supervisor import logform
logform.begin(sys.argv[1], "worker-0")
hostile = sys.argv[2].encode().decode("unicode_escape")
log = logging.getLogger("crossdock.test")
log.info("took %s", hostile, extra={"event": hostile, "route": "stock", "unknown": "not shown"})
try:
    raise ValueError(hostile)
except ValueError:
    log.exception("failed")
log.info("%d is no number", "x")
log.info("long " + "x" * 100_000)
warnings.warn("of a library")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise KeyError(hostile)
"""


def said(form: str) -> list[str]:
    """Return the lines of a program that says hostile things, and dies."""
    escaped = HOSTILE.encode("unicode_escape").decode()
    ran = subprocess.run([sys.executable, "-c", PROGRAM, form, escaped], capture_output=True, cwd=ROOT, check=False)
    assert ran.returncode == 1
    assert ran.stdout == b""
    return ran.stderr.decode().split("\n")[:-1]


def test_every_line_is_one_object_with_what_it_is_about() -> None:
    lines = [json.loads(line) for line in said(JSON)]
    assert [(one["level"], one["logger"], one["process"]) for one in lines] == [
        *[("info" if at != 1 else "error", "crossdock.test", "worker-0") for at in range(4)],
        ("warning", "py.warnings", "worker-0"),
        ("error", "crossdock", "worker-0"),
        ("critical", "crossdock", "worker-0"),
    ]
    first = lines[0]
    shown = HOSTILE.replace("crossdock:s3cret", "***")
    assert (first["message"], first["event"], first["route"]) == (f"took {shown}", shown, "stock")
    assert set(first) == {"time", "level", "logger", "message", "process", "event", "route"}
    assert first["time"].endswith("Z")
    assert "ZeroDivisionError" in lines[5]["error"]
    assert "KeyError" in lines[6]["error"]


@pytest.mark.parametrize("form", [JSON, TEXT])
def test_no_line_can_be_forged_and_no_terminal_steered(form: str) -> None:
    lines = said(form)
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if line.startswith('{"level"')] == []
    assert [line for line in lines if "s3cret" in line] == []
    assert max(map(len, lines)) < 40_000


def test_below_a_record_in_text_its_error_is_indented() -> None:
    records = [line for line in said(TEXT) if not line.startswith("  ")]
    assert len(records) == 7
    assert all(line[:2] == "20" for line in records)


@pytest.mark.parametrize(("form", "begins"), [(TEXT, "crossdock: cannot start"), (JSON, '{"time"')])
def test_what_the_supervisor_says_in_the_log_of_a_child_is_in_its_form(tmp_path: Path, form: str, begins: str) -> None:
    logs.rotate(tmp_path, "one")

    async def scenario() -> None:
        child = Child("one", ("/nowhere/to/be/found",), {logform.VARIABLE: form})
        keeper = Keeper(child, tmp_path, 0, changed=lambda: None)
        await keeper._try_once()

    asyncio.run(scenario())
    assert logs.tail(tmp_path, "one")[-1].startswith(begins)


def test_a_record_that_names_nothing_has_only_what_all_have() -> None:
    record: Any = logging.LogRecord("x", logging.INFO, "", 0, "plain", None, None)
    assert set(json.loads(logform._JsonLines("ops").format(record))) == {
        "time", "level", "logger", "message", "process",
    }  # fmt: skip
