"""The sink process as the measures see it; called by `bench.stage`."""

import asyncio
import json
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bench.sales import TARGETS
from simulators.installation import ROOT

_START_WITHIN, _END_WITHIN = 20.0, 5.0


class Sinks:
    """The three targets; `pid` is their process."""

    def __init__(self, pid: int, urls: Mapping[str, str]) -> None:
        self.pid = pid
        self.urls = urls

    def environment(self) -> dict[str, str]:
        """Return the variables by which the connectors find them."""
        return {f"{name.upper()}_URL": url for name, url in self.urls.items()}

    async def reset(self) -> None:
        """Forget everything."""
        await self._ask("erp", "_reset")

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return what each target counted."""
        counts: dict[str, dict[str, int]] = await self._ask("erp", "_counts")
        return counts

    async def arrivals(self) -> dict[str, dict[str, int]]:
        """Return for each target when each id came first, in Unix nanoseconds."""
        return {name: await self._ask(name, "_arrivals") for name in TARGETS}

    async def _ask(self, name: str, path: str) -> Any:
        return json.loads(await asyncio.to_thread(_get, f"{self.urls[name]}/{path}"))


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        content: bytes = answer.read()
        return content


@asynccontextmanager
async def running_sinks() -> AsyncIterator[Sinks]:
    """Run the sink process; it ends when we do, however we end, as we hold its standard input."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sink", cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the sink has no pipes")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_WITHIN)
        yield Sinks(process.pid, json.loads(line))
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


def faults(wanted: Mapping[str, frozenset[str]], got: Mapping[str, Any], counts: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the deliveries: every target gets exactly its events, each once."""
    found = []
    for name, ids in wanted.items():
        missing, foreign = len(ids - got[name].keys()), len(got[name].keys() - ids)
        again, nameless = counts[name]["repeats"], counts[name]["nameless"]
        for number, what in (
            (missing, "missing"),
            (foreign, "unexpected"),
            (again, "repeated"),
            (nameless, "nameless"),
        ):
            if number:
                found.append(f"{name}: {number} {what}")
    return found
