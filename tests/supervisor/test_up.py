"""`up` as a whole, in its own process, with the real servers and fake roles."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("drive_up.py")
ALL = {"nats", "valkey", "ops", "worker-0", "worker-1", "gateway"}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(project: Path, data: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def begin(**env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(project), str(data)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"up said nothing: {process.communicate()}")
    document: dict[str, Any] = json.loads(line)
    return document


def run_file(data: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((data / "run.json").read_text())
    return document


def survivors(data: Path) -> list[str]:
    """Return the command lines of live processes that belong to the data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, env = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            works_in = os.readlink(folder / "cwd")  # Valkey writes over its command line, but works in its folder
        except OSError:
            continue
        if os.fsencode(data) in command + env or works_in.startswith(str(data)):
            found.append(command.replace(b"\0", b" ").decode())
    return found


def until(what: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_the_ready_line_says_where_everything_is(start: Start, data: Path) -> None:
    # when
    said = first_line(start())
    # then
    assert said.keys() == {"event", "gateway", "console", "ops_token", "data"}
    assert said["event"] == "ready" and said["data"] == str(data)
    run = run_file(data)
    assert {key: run[key] for key in ("gateway", "console", "ops_token")} == {
        key: said[key] for key in ("gateway", "console", "ops_token")
    }
    assert run["children"].keys() == ALL
    assert (data / "run.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_drains_in_order_and_leaves_nothing(start: Start, data: Path, number: signal.Signals) -> None:
    # given
    process = start()
    first_line(process)
    # when
    process.send_signal(number)
    # then
    assert process.wait(timeout=20) == 0
    ended = (data / "ended.txt").read_text().split()
    assert ended[0] == "gateway" and ended[-1] == "ops" and set(ended[1:-1]) == {"worker0", "worker1"}
    assert survivors(data) == []
    assert not (data / "run.json").exists()


def test_killing_the_supervisor_leaves_nothing_and_the_next_one_starts_at_once(start: Start, data: Path) -> None:
    # given
    process = start()
    first = first_line(process)
    assert len(survivors(data)) == 1 + len(ALL)
    # when
    process.kill()
    process.wait()
    # then
    until(lambda: not survivors(data), seconds=3.0)
    assert first_line(start())["ops_token"] == first["ops_token"]


def test_a_second_up_on_the_same_data_is_refused(start: Start, data: Path) -> None:
    # given
    first = start()
    first_line(first)
    # when
    second = start()
    said = first_line(second)
    # then
    assert second.wait(timeout=10) == 1
    [problem] = said["problems"]
    assert problem["code"] == "already_running" and f"process {first.pid} " in problem["message"]
    assert first.poll() is None and run_file(data)["children"].keys() == ALL


def test_a_killed_role_and_a_killed_server_come_back_and_run_json_follows(start: Start, data: Path) -> None:
    # given
    first_line(start())
    before = run_file(data)["children"]
    # when
    os.kill(before["worker-1"], signal.SIGKILL)
    os.kill(before["nats"], signal.SIGKILL)

    # then
    def both_new() -> bool:
        now = run_file(data)["children"]
        return all(now.get(name, before[name]) != before[name] for name in ("worker-1", "nats"))

    until(both_new)
    after = run_file(data)["children"]
    assert after["gateway"] == before["gateway"] and after["valkey"] == before["valkey"]


def test_a_role_that_never_becomes_ready_ends_everything_with_its_last_words(start: Start, data: Path) -> None:
    # when
    process = start(FAKE_CRASH="ops")
    said = first_line(process)
    # then
    assert process.wait(timeout=20) == 1
    assert said["event"] == "gave_up" and said["child"] == "ops" and "ops: boom" in said["tail"]
    assert survivors(data) == []


def test_a_broken_project_is_refused_before_anything_starts(start: Start, project: Path, data: Path) -> None:
    # given
    (project / "routes").mkdir()
    (project / "routes" / "bad.yaml").write_text("routes: [")
    # when
    process = start()
    said = first_line(process)
    # then
    assert process.wait(timeout=10) == 1
    assert [problem["file"] for problem in said["problems"]] == ["routes/bad.yaml"]
    assert not data.exists()


def test_servers_that_the_settings_name_are_not_started(start: Start, project: Path, data: Path) -> None:
    # given
    (project / "config.yaml").write_text("nats: {url: 'nats://far:4222'}\ndedupe: {url: 'redis://far:6379'}\n")
    # when
    first_line(start())
    # then
    children = run_file(data)["children"]
    assert children.keys() == ALL - {"nats", "valkey"}
    env = Path(f"/proc/{children['worker-1']}/environ").read_bytes().split(b"\0")
    assert {b"CROSSDOCK_NATS_URL=nats://far:4222", b"CROSSDOCK_DEDUPE_URL=redis://far:6379"} <= set(env)
    assert {b"CROSSDOCK_SEAT=1/2", f"CROSSDOCK_JOURNAL_URL=sqlite:///{data}/journal.db".encode()} <= set(env)


def test_wrong_settings_and_wrong_content_are_refused_together(start: Start, project: Path, data: Path) -> None:
    # given
    (project / "config.yaml").write_text("gateway:\n  port: none\n")
    (project / "routes").mkdir()
    (project / "routes" / "bad.yaml").write_text("routes: [")
    # when
    process = start()
    said = first_line(process)
    # then
    assert process.wait(timeout=10) == 1
    assert [(p["file"], p["line"]) for p in said["problems"]] == [("config.yaml", 2), ("routes/bad.yaml", 1)]
    assert not data.exists()
