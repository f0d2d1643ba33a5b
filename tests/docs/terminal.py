"""A person who follows a document: writes its files, types its commands and compares what they print.

`python -m tests.docs.terminal docs/tutorial.md` puts into a document what its commands print now.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.blocks import ROOT, Block, blocks

WITHIN = 60.0
PORTS = ("8090", "8091", "9081", "8190", "8191", "9181")
READY = {"simulators.targets": '"erp"', "crossdock up": "Ctrl-C stops it"}
CHANGING = re.compile(  # revisions, durations, times; widths of tables and rules
    r"\b[0-9a-f]{12}\b|\b\d+\.\d+(?= ms| *│)|\b\d{4}-\d\d-\d\d[T ][\d:.]+Z|[ \t━─]+"
)


@dataclass
class Terminal:
    """A person's terminal: a folder, the free ports used instead of those shown, and the variables set so far."""

    folder: Path
    ports: Mapping[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    staying: ExitStack = field(default_factory=ExitStack)

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
        for config in self.folder.glob("*/config.yaml"):
            config.write_text(self.script(config.read_text()))
        return done

    def said(self, done: "subprocess.CompletedProcess[str]", block: Block) -> str:
        """Return what was printed, with the ports that are shown; JSON comes on standard output alone."""
        text = done.stdout + (done.stderr if block.word == "output" else "")
        for shown, free in self.ports.items():
            text = text.replace(free, shown)
        return text

    def stay(self, text: str) -> None:
        """Run a block that stays, from the line that says it is ready until the end."""
        (ready,) = (line for program, line in READY.items() if program in text)
        self.staying.enter_context(self._running(text, ready))

    @contextmanager
    def _running(self, text: str, ready: str) -> Iterator[None]:
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


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """Open a terminal in a folder that has the virtual environment; what stays there ends with it."""
    (folder / ".venv").symlink_to(sys.prefix)
    opened = Terminal(folder, _free_ports())
    with opened.staying:
        yield opened


def _free_ports() -> dict[str, str]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        return {shown: str(one.getsockname()[1]) for shown, one in zip(PORTS, sockets, strict=True)}


def follow(opened: Terminal, document: Path, changed: Callable[[Block, str], None] | None = None) -> int:
    """Go through the blocks in order and compare each answer that is shown; return how many were compared.

    `run` must succeed, `fails` must not, `again` may need some tries until it prints what is shown.
    """
    compared, last, done = 0, Block("", "", ""), None
    for block in blocks(document):
        if block.file:
            _write(opened.folder / block.file, block.text)
        elif block.word == "stays":
            opened.stay(block.text)
        elif block.language == "sh" and block.word in ("run", "again", "fails"):
            last, done = block, opened.run(block.text)
            right = block.word == "again" or (done.returncode == 0) is (block.word == "run")
            assert right, f"{block.text}\n{done.stdout}{done.stderr}"
        elif block.word in CHECKS and done is not None:
            output = _awaited(opened, last, block) if last.word == "again" else opened.said(done, block)
            assert changed or CHECKS[block.word](block.text, output), f"{block.text}\nis not\n{output}"
            if changed:
                changed(block, output)
            compared += 1
    return compared


def _awaited(opened: Terminal, command: Block, block: Block) -> str:
    """Ask until the journal, which may be a second behind, tells what is shown."""
    deadline = time.monotonic() + WITHIN
    while True:
        output = opened.said(opened.run(command.text), block)
        if time.monotonic() > deadline or CHECKS[block.word](block.text, output):
            return output


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _part(text: str, output: str) -> bool:
    shown, got = json.loads(text), json.loads(output)
    return bool({key: got.get(key) for key in shown} == shown)


def _output(text: str, output: str) -> bool:
    """Compare what is printed; times, revisions and widths may differ, … stands for anything."""
    shown, got = ("\n".join(CHANGING.sub(_same, line).strip() for line in one.splitlines()) for one in (text, output))
    shown, got = shown.strip(), got.strip()
    return bool(re.fullmatch(".*?".join(map(re.escape, shown.split("…"))), got, re.DOTALL))


def _same(found: "re.Match[str]") -> str:
    return " " if found[0].strip(" \t━─") == "" else "*"


def _hops(text: str, output: str) -> bool:
    hops = (line.split() for line in text.splitlines())
    return all(re.search(rf"{stage}\b.*{outcome}\b", output) for stage, outcome in hops)


CHECKS: dict[str, Callable[[str, str], bool]] = {
    "answer": lambda text, output: bool(json.loads(text) == json.loads(output)),
    "part": _part,
    "output": _output,
    "hops": _hops,
}


def update(document: Path) -> None:
    """Put what the commands print now into the `output` blocks, except where … leaves something out."""
    text, done = document.read_text(), 0

    def changed(block: Block, output: str) -> None:
        nonlocal text, done
        fence = f"```{block.language} {block.word}\n"
        shown = f"{fence}{block.text}```"
        start = text.index(shown, done)
        said = "".join(f"{line.rstrip()}\n" for line in output.strip("\n").splitlines())
        now = f"{fence}{said}```" if block.word == "output" and "…" not in block.text else shown
        text, done = text[:start] + now + text[start + len(shown) :], start + len(now)

    try:
        with tempfile.TemporaryDirectory() as folder, terminal(Path(folder)) as opened:
            follow(opened, document, changed)
    finally:
        document.write_text(text)


if __name__ == "__main__":
    update(Path(sys.argv[1]))
