"""The sink process as the measures see it; called by the stages."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from bench import processes
from bench.sales import TARGETS, Sale, reference
from crossdock.supervisor import datafolder

_START_WITHIN = 20.0
_OWN = (processes.PYTHON, "-m", "bench.sink")

Counts = Mapping[str, Mapping[str, int]]


class Sinks:
    """The three targets; `pid` is their process, `port` that of their control."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port
        self.urls = {name: f"http://127.0.0.1:{port + 1 + number}" for number, name in enumerate(TARGETS)}

    def environment(self) -> dict[str, str]:
        """Return the variables by which the connectors find them."""
        return {f"{name.upper()}_URL": url for name, url in self.urls.items()}

    async def reset(self) -> None:
        """Forget everything."""
        await self._ask("reset")

    async def answer(self, target: str, status: int) -> None:
        """Let a target answer everything with this status from now on."""
        await self._ask(f"mode?target={target}&status={status}")

    async def counts(self) -> Counts:
        """Return what each target counted; only what was answered with 200 has an id."""
        counts: Counts = json.loads(await self._ask("stats"))
        return counts

    async def arrivals(self) -> dict[str, dict[str, int]]:
        """Return for each target when each id came first, in Unix nanoseconds."""
        texts = {name: await self._ask(f"arrivals?target={name}") for name in TARGETS}
        rows = {name: [line.split() for line in text.decode().splitlines()] for name, text in texts.items()}
        return {name: {row[0]: int(row[1]) for row in rows[name]} for name in TARGETS}

    async def samples(self) -> dict[str, list[dict[str, Any]]]:
        """Return the first bodies that each target got."""
        texts = {name: await self._ask(f"samples?target={name}") for name in TARGETS}
        return {name: [orjson.loads(line) for line in text.splitlines()] for name, text in texts.items()}

    async def _ask(self, path: str) -> bytes:
        return await asyncio.to_thread(_get, f"http://127.0.0.1:{self.port}/{path}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        content: bytes = answer.read()
        return content


@asynccontextmanager
async def running_sinks(program: Path | None, folder: Path) -> AsyncIterator[Sinks]:
    """Run the sink process: the peers' program, which costs least, or else our own."""
    port = _free_ports(1 + len(TARGETS))
    argv = (str(program),) if program else _OWN
    async with processes.running(argv, {"SINK_PORT": str(port)}, folder / "sink.log") as process:
        sinks = Sinks(process.pid, port)
        async with asyncio.timeout(_START_WITHIN):
            while not await _up(sinks):  # noqa: ASYNC110  another process, which has no event for us
                await asyncio.sleep(0.02)
        yield sinks


async def _up(sinks: Sinks) -> bool:
    try:
        await sinks.counts()
    except OSError:
        return False
    return True


def _free_ports(number: int) -> int:
    while True:
        first = datafolder.free_port()
        if all(datafolder.is_free(first + further) for further in range(1, number)):
            return first


def faults(wanted: Mapping[str, frozenset[str]], got: Mapping[str, Any], counts: Counts) -> list[str]:
    """Return what is wrong with the deliveries: every target gets exactly its events, each once."""
    again = repeats(counts)
    found = [f"{name}: {again[name]} repeated" for name in wanted if again[name]]
    return losses(wanted, got, counts) + found


def losses(wanted: Mapping[str, frozenset[str]], got: Mapping[str, Any], counts: Counts) -> list[str]:
    """Return what is wrong with the deliveries as sets, however often each came."""
    found = []
    for name, ids in wanted.items():
        missing, foreign = len(ids - got[name].keys()), len(got[name].keys() - ids)
        for number, what in ((missing, "missing"), (foreign, "unexpected"), (counts[name]["no_id"], "nameless")):
            if number:
                found.append(f"{name}: {number} {what}")
    return found


def repeats(counts: Counts) -> dict[str, int]:
    """Return how many deliveries each target got again."""
    return {name: count["ok"] - count["unique"] - count["no_id"] for name, count in counts.items()}


def wrong_samples(sales: Sequence[Sale], samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return which sampled bodies are not what the reference mapping makes of their event."""
    known = {sale.id: sale for sale in sales}
    bad = {
        name: sum(_is_wrong(known.get(body.get("event_id", "")), name, body) for body in bodies)
        for name, bodies in samples.items()
    }
    return [
        f"{name}: {number} of {len(samples[name])} sampled bodies are wrong" for name, number in bad.items() if number
    ]


def _is_wrong(sale: Sale | None, target: str, body: Mapping[str, Any]) -> bool:
    return (
        sale is None
        or target not in sale.targets
        or any(body.get(key) != want for key, want in reference(sale).items())
    )
