"""The five minutes of the README and the examples of the documents, run as a person types them against real servers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, Block, blocks, write_files

WITHIN = 60.0
PORTS = ("8090", "8091", "9081")
README = ROOT / "README.md"
GATEWAY = ROOT / "docs" / "gateway.md"
OPERATIONS = ROOT / "docs" / "operations.md"


@dataclass
class Terminal:
    """A person's terminal: a folder, the free ports used instead of those shown, and the variables set so far."""

    folder: Path
    ports: Mapping[str, str]
    variables: dict[str, str]
    compared: int = 0

    def script(self, text: str) -> str:
        for shown, free in self.ports.items():
            text = text.replace(shown, free)
        return text

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a block; what it sets is there for the next one."""
        kept = self.folder / "variables"
        script = f'set -euo pipefail\n{self.script(text)}\necho "${{KEY-}}" > {kept}\n'
        environment = {**os.environ, **self.variables, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", script], check=False, cwd=self.folder, env=environment, capture_output=True, text=True,
            timeout=WITHIN,
        )  # fmt: skip
        if done.returncode == 0 and (key := kept.read_text().strip()):
            self.variables["KEY"] = key
        return done

    @contextmanager
    def staying(self, text: str, ready: str) -> Iterator[None]:
        """Run a block that stays, from the line that says it is ready until the end of the test."""
        process = subprocess.Popen(
            ["bash", "-c", f"{self.script(text)}"], cwd=self.folder, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said = ""
            while ready not in said:
                line = process.stdout.readline() if process.stdout else ""
                assert line, f"it ended: {said}"
                said += line
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.communicate(timeout=WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def free_ports() -> dict[str, str]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        return {shown: str(one.getsockname()[1]) for shown, one in zip(PORTS, sockets, strict=True)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """The README's files in an empty folder, checked, with its ERP and its Crossdock running."""
    folder = tmp_path_factory.mktemp("readme")
    write_files(README, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "data").symlink_to("shop/data")  # the documents for operators use the default folder
    terminal = Terminal(folder, free_ports(), {})
    erp, crossdock = (block for block in blocks(README) if block.word == "stays")
    with terminal.staying(erp.text, '"erp"'), terminal.staying(crossdock.text, "Ctrl-C stops it"):
        terminal.variables["GATEWAY"] = f"http://127.0.0.1:{terminal.ports['8090']}"
        terminal.compared = follow(terminal, README)
        yield terminal


def follow(terminal: Terminal, document: Path) -> int:
    """Run the blocks in order and compare each answer that is shown; return how many were compared."""
    last, compared, output = "", 0, ""
    for block in blocks(document):
        if block.language == "sh" and block.word in ("run", "again"):
            last = block.text
            done = terminal.run(last)
            assert done.returncode == 0 or block.word == "again", f"{last}\n{done.stdout}{done.stderr}"
            output = done.stdout
        elif block.word in ("answer", "part"):
            check_answer(block, json.loads(output))
            compared += 1
        elif block.word == "hops":
            await_hops(terminal, last, block.text)
            compared += 1
    return compared


def check_answer(block: Block, got: dict[str, Any]) -> None:
    shown = json.loads(block.text)
    assert {key: got.get(key) for key in shown} == shown if block.word == "part" else got == shown


def await_hops(terminal: Terminal, command: str, shown: str) -> None:
    """Ask until the journal, which may be a second behind, tells every hop that is shown."""
    deadline = time.monotonic() + WITHIN
    wanted = [line.split() for line in shown.splitlines()]
    while True:
        said = terminal.run(command).stdout
        if all(re.search(rf"{stage}\b.*{outcome}\b", said) for stage, outcome in wanted):
            return
        assert time.monotonic() < deadline, said


def test_the_five_minutes_of_the_readme_end_with_a_delivered_order(shop: Terminal) -> None:
    assert shop.compared == 2


@pytest.mark.parametrize(("document", "answers"), [(GATEWAY, 8), (OPERATIONS, 0)], ids=["gateway", "operations"])
def test_what_a_document_shows_is_what_happens(shop: Terminal, document: Path, answers: int) -> None:
    assert follow(shop, document) == answers


def test_the_ledger_of_the_five_minutes_is_balanced_and_the_erp_booked_the_order_once(shop: Terminal) -> None:
    # when
    ledger = json.loads(shop.run(".venv/bin/python -m crossdock ledger --json").stdout)
    booked = json.loads(shop.run("curl -sS http://127.0.0.1:9081/_effects").stdout)
    # then
    assert ledger["balanced"]
    assert [effect["id"] for effect in booked].count("order-1") == 1
