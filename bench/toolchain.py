"""The peers' sources, and their programs built outside the repository; called by `crossdock bench`."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.installation import ROOT

PEERS = ("ceiling", "camel", "python")
SOURCE, BUILT = "PEERS_SOURCE", "PEERS_BUILT"  # environment variables
_BUILD_WITHIN = 900.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Where the peers' sources and their programs are."""

    source: Path
    built: Path

    @property
    def python(self) -> Path:
        """The interpreter of their harness."""
        return self.built / "venv" / "bin" / "python"

    @property
    def sink(self) -> Path | None:
        """Their sink, if it is built."""
        return _if_there(self.built / "bin" / "sink")

    @property
    def jar(self) -> Path:
        """The program of Camel."""
        return self.built / "camel" / "camel-peer-1.jar"

    def ready(self) -> list[str]:
        """Return the peers that can be measured."""
        if not (self.source / "bench.py").exists() or not self.python.exists() or not shutil.which("wrk"):
            return []
        programs = all((self.built / "bin" / name).exists() for name in ("sink", "gen"))
        has = {
            "ceiling": (self.built / "bin" / "ceiling").exists(),
            "camel": self.jar.exists() and shutil.which("java") is not None,
            "python": True,
        }
        return [name for name in PEERS if programs and has[name]]


def find(env: Mapping[str, str]) -> Toolchain:
    """Return where the peers are, by PEERS_SOURCE and PEERS_BUILT or in the usual places."""
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    source = Path(env.get(SOURCE) or ROOT.parent / "shared" / "peers")
    return Toolchain(source.resolve(), Path(env.get(BUILT) or cache / "crossdock-bench" / "peers").resolve())


async def build(toolchain: Toolchain, tell: Tell) -> None:
    """Build what is not there yet, as far as this machine has the tools."""
    if not (toolchain.source / "bench.py").exists():
        return
    toolchain.built.mkdir(parents=True, exist_ok=True)
    steps = _steps(toolchain)
    for target, commands in steps.items():
        tools = [command[0] for command in commands]
        if not target.exists() and all(shutil.which(tool) for tool in tools):
            tell(f"building {target.name} of the peers")
            await _run(commands, toolchain, tell)


def _steps(toolchain: Toolchain) -> dict[Path, Sequence[Sequence[str]]]:
    work, built = toolchain.built / "source", toolchain.built
    copy = ("cp", "-r", "--no-preserve=mode", str(toolchain.source), str(work))
    fresh = ("rm", "-rf", str(work))
    go = ("go", "build", "-C", str(work / "go"), "-o", f"{built / 'bin'}/", "./cmd/...")
    maven = ("mvn", "-q", "-f", str(work / "camel" / "pom.xml"), f"-Dout={built / 'camel'}", "-DskipTests", "package")
    requirements = str(toolchain.source / "python" / "requirements.txt")
    pip = (str(toolchain.python), "-m", "pip", "install", "--quiet", "--requirement", requirements)
    return {
        built / "bin" / "sink": [fresh, copy, go],
        toolchain.jar: [fresh, copy, maven],
        toolchain.python: [(sys.executable, "-m", "venv", str(built / "venv")), ("env", *pip)],
    }


async def _run(commands: Sequence[Sequence[str]], toolchain: Toolchain, tell: Tell) -> None:
    with (toolchain.built / "build.log").open("ab") as log:
        for command in commands:
            process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=os.environ)
            if await asyncio.wait_for(process.wait(), _BUILD_WITHIN):
                tell(f"{command[0]} failed, see {log.name}")
                return


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None
