"""The project's own load over HTTP: closed loop where wrk is missing, and a constant rate; called by the measures."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import count

import orjson

from bench.figures import percentiles
from bench.sales import Sale, make_sale
from connectors.client import Client
from connectors.target import SendFailed, parse_target
from crossdock.kernel.event import STRUCTURED

BROKEN_EVERY = 50  # in the load of `ingest`; ingest.lua has the same
_LOOPBACK = (IPv4Network("127.0.0.0/8"),)
_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of a load: answers with 2xx, with 4xx or 5xx, and requests without an answer."""

    requests: int
    refused: int
    failed: int
    seconds: float
    times: dict[str, float]

    @property
    def accepted(self) -> int:
        """How many got a 2xx."""
        return self.requests - self.refused


@dataclass(slots=True)
class Sent:
    """What became of the events sent at a constant rate: when each POST began, in Unix nanoseconds, and its status."""

    began: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    answered_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> frozenset[str]:
        """The ids that got a 2xx."""
        return frozenset(name for name, status in self.statuses.items() if 200 <= status < 300)


class Poster:
    """Posts bodies to the gateway."""

    def __init__(self, url: str, key: str, connections: int) -> None:
        self._client = Client(_LOOPBACK, max_connections=connections)
        self._target = parse_target(url)
        self._headers = {"authorization": f"Bearer {key}", "content-type": STRUCTURED}

    async def post(self, body: bytes) -> int:
        """Return the status, 0 when there was no answer."""
        try:
            response = await self._client.request("POST", self._target, self._headers, body, _TIMEOUT)
        except SendFailed:
            return 0
        return response.status

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


async def closed_loop(url: str, key: str, salt: int, connections: int, seconds: float) -> Answers:
    """Keep every connection busy for so long; every 50th event breaks its schema."""
    poster, bodies = Poster(url, key, connections), _bodies(salt)
    times: list[float] = []
    statuses: list[int] = []
    began = time.perf_counter()

    async def client() -> None:
        while (start := time.perf_counter()) - began < seconds:
            statuses.append(await poster.post(next(bodies)))
            times.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(client() for _ in range(connections)))
    wall = time.perf_counter() - began
    await poster.close()
    failed = statuses.count(0)
    refused = sum(status >= 300 for status in statuses)
    return Answers(len(statuses) - failed, refused, failed, wall, percentiles(times, 0.5, 0.99))


def _bodies(salt: int) -> Iterator[bytes]:
    dice = random.Random(salt)
    pool = [orjson.loads(make_sale(dice, salt, number).body) for number in range(100)]
    for number, document in zip(count(1), itertools.cycle(pool), strict=False):
        line = document["data"]["lines"][0]
        quantity = line["qty"]
        document["id"] = f"{salt & 0xFFFFFFFF:08x}-0001-4000-8000-{number:012x}"
        line["qty"] = 0 if number % BROKEN_EVERY == 0 else quantity
        yield orjson.dumps(document)
        line["qty"] = quantity


async def constant_rate(poster: Poster, sales: Sequence[Sale], rate: float) -> Sent:
    """Start one POST every 1/rate seconds, whatever became of those before it; return when all are answered."""
    sent = Sent()
    begin = time.perf_counter()

    async def send(sale: Sale, due: float) -> None:
        start = time.perf_counter()
        sent.began[sale.id] = time.time_ns()
        sent.late_ms.append((start - due) * 1000)
        sent.statuses[sale.id] = await poster.post(sale.body)
        sent.answered_ms.append((time.perf_counter() - start) * 1000)

    async with asyncio.TaskGroup() as group:
        for number, sale in enumerate(sales):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(sale, due))
    return sent
