"""A sender at a steady pace over a few connections, light enough not to be what is slow; a process of `bench.flood`.

`python -m bench.pacer` reads its plan from stdin as JSON and prints what it saw as JSON.
"""

import asyncio
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

from bench.sales import make_load
from crossdock.kernel.event import BATCH, STRUCTURED

_SALES = 200  # different ones, sent again and again under new ids
_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
_POLICY = re.compile(rb"\r\nratelimit-policy: \"rate\";q=\d+;w=\d+\r\n")
_LEFT = re.compile(rb"\r\nratelimit: \"rate\";r=0;t=(\d+)\r\n")
_AFTER = re.compile(rb"\r\nretry-after: (\d+)\r\n")
_END = 2.0  # seconds in which the last request is answered
_TYPE = b"http-problem-types#quota-exceeded"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where: `rate` events a second in each of the windows, which are times of the monotonic clock.

    `batch` events are sent in each request, 0 for single ones; `salt` tells the ids of one sender from those of others.
    """

    url: str
    key: str
    rate: float
    connections: int
    windows: Sequence[tuple[float, float]]
    salt: int
    batch: int = 0


@dataclass(slots=True)
class Seen:
    """What was answered: statuses, events accepted, 429s that do not say all they should.

    `times` are when each request was sent or had to wait for a connection, and how long it took from then, in seconds;
    `late` is how much later than planned that was, `cpu` what the sender itself took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    accepted: int = 0
    wrong: list[str] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    late: float = 0.0
    cpu: float = 0.0


class Line(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, pacer: "Pacer") -> None:
        self._pacer = pacer
        self._got = b""
        self._due = 0.0
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.WriteTransport, transport)  # uvloop's is of no such class
        self._pacer.idle.append(self)

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at a time."""
        assert self.transport is not None
        self._due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take an answer once it is whole."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self._got = b""
        self._pacer.answered(self, self._due, head + b"\r\n", body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the gateway ended it: none of these senders gives a reason."""
        if not self._pacer.ending:
            self._pacer.seen.wrong.append(f"a connection ended: {exc}")


class Pacer:
    """Sends by a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = requests(plan)
        self._waiting: deque[float] = deque()
        self.idle: deque[Line] = deque()
        self.seen = Seen()
        self.ending = False

    async def run(self) -> Seen:
        """Send in every window; return once all is answered."""
        loop, url = asyncio.get_running_loop(), urlsplit(self._plan.url)
        for _ in range(self._plan.connections):
            await loop.create_connection(lambda: Line(self), str(url.hostname), int(url.port or 80))
        step = max(self._plan.batch, 1) / self._plan.rate
        for begins, ends in self._plan.windows:
            for number in range(int((ends - begins) / step)):
                planned = begins + number * step
                await asyncio.sleep(max(0.0, planned - time.monotonic()))
                now = time.monotonic()
                self.seen.late = max(self.seen.late, now - planned)
                self._waiting.append(now)
                self._send()
            self._waiting.clear()  # what found no connection was never sent
        await asyncio.sleep(_END)
        self.ending = True
        self.seen.cpu = time.process_time()
        return self.seen

    def answered(self, line: Line, due: float, head: bytes, body: bytes) -> None:
        """Note an answer and send what is due."""
        status, seen = int(head[9:12]), self.seen
        seen.times.append((due, time.monotonic() - due))
        seen.statuses[status] += 1
        if status == 202:
            seen.accepted += orjson.loads(body)["accepted"] if self._plan.batch else 1
        elif status == 429 and len(seen.wrong) < 10 and (wrong := faults(head, body, many=self._plan.batch > 0)):
            seen.wrong.append(wrong)
        self.idle.append(line)
        self._send()

    def _send(self) -> None:
        while self._waiting and self.idle:
            self.idle.popleft().send(next(self._requests), self._waiting.popleft())


def faults(head: bytes, body: bytes, *, many: bool) -> str:
    """Return what a 429 fails to tell, empty if nothing."""
    left, after = _LEFT.search(head), _AFTER.search(head)
    if not _POLICY.search(head) or left is None or after is None:
        return f"429 without its headers: {head.decode()}"
    if int(after[1]) < int(left[1]):  # a sender that obeys would come too early
        return f"Retry-After {after[1].decode()} is before the {left[1].decode()} of RateLimit"
    return "" if many or _TYPE in body else f"429 of another type: {body.decode()[:200]}"


def requests(plan: Plan) -> Iterator[bytes]:
    """Yield requests, each event with an id of its own."""
    path, media = urlsplit(plan.url).path, BATCH if plan.batch else STRUCTURED
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {plan.key}\r\nContent-Type: {media}\r\n"
    events = _events(plan.salt)
    while True:
        body = next(events)
        if plan.batch:
            body = b"[%b]" % b",".join((body, *(next(events) for _ in range(plan.batch - 1))))
        yield b"%bContent-Length: %d\r\n\r\n%b" % (head.encode(), len(body), body)


def _events(salt: int) -> Iterator[bytes]:
    sales = [(sale.id.encode(), sale.body) for sale, _ in make_load(salt, _SALES).messages]
    number = 0
    while True:
        for name, body in sales:
            number += 1
            yield body.replace(name, b"%08x-0002-4000-8000-%012x" % (salt, number))


def main() -> None:
    """Send by the plan on stdin."""
    seen = uvloop.run(Pacer(Plan(**orjson.loads(sys.stdin.buffer.read()))).run())
    print(orjson.dumps(seen, option=orjson.OPT_NON_STR_KEYS).decode())


if __name__ == "__main__":
    main()
