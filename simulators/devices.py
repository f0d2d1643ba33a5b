"""Simulated devices and partners that post over HTTP; driven by `simulators.day` and by tests."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import orjson

from simulators import events
from simulators.events import STORES, WAREHOUSES, Post
from simulators.maker import Maker

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
SHARES = {"tills": 0.6, "handhelds": 0.25, "supplier": 0.05, "carriers": 0.1}  # of the events of a day
PARTNERS = {"tills": "stores", "handhelds": "stores", "supplier": "acme-supplies", "carriers": "parcel-carriers"}
TRY_AGAIN = frozenset({429, 502, 503, 504})
LONGEST_WAIT = 2.0


@dataclass(slots=True)
class Tally:
    """What the gateway answered so far; `accepted_ids` are those it has promised to deliver."""

    sent: int = 0
    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    tried_again: int = 0
    accepted_ids: set[str] = field(default_factory=set)

    def count(self, event_id: str, status: str) -> None:
        """Note the answer to one event."""
        self.accepted += status == "accepted"
        self.duplicate += status == "duplicate"
        self.refused += status == "refused"
        if status != "refused":  # a duplicate too is a promise: the answer to the first try may have been lost
            self.accepted_ids.add(event_id)


class Device:
    """One sender: posts what its generator yields, at `rate` events a second, with its partner's key."""

    def __init__(self, name: str, kind: str, gateway: str, key: str, posts: Iterator[Post], rate: float) -> None:
        self.name = name
        self.kind = kind
        self.tally = Tally()
        self._url = gateway.rstrip("/") + "/v1/events"
        self._headers = {"Authorization": f"Bearer {key}"}
        self.posts = posts
        self.rate = rate

    async def run(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        """Send until told to stop; a post that was begun is brought to its answer."""
        due = asyncio.get_running_loop().time()
        for post in self.posts:
            if stop.is_set():
                return
            await self.send(session, post)
            due += len(post) / self.rate
            await _sleep(due - asyncio.get_running_loop().time(), stop)

    async def send(self, session: aiohttp.ClientSession, post: Post) -> None:
        """Post events until there is an answer, trying again with the same ids while the gateway is away."""
        body = orjson.dumps(post[0] if len(post) == 1 else post)
        headers = {**self._headers, "Content-Type": SINGLE if len(post) == 1 else BATCH}
        self.tally.sent += len(post)
        wait = 0.1
        while True:
            answer = await self._post(session, headers, body)
            if answer is not None:
                return self._read(post, *answer)
            self.tally.tried_again += 1
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _post(
        self, session: aiohttp.ClientSession, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes] | None:
        try:
            async with session.post(self._url, data=body, headers=headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return None
        return None if response.status in TRY_AGAIN else (response.status, answer)

    def _read(self, post: Post, status: int, answer: bytes) -> None:
        for event, outcome in zip(post, outcomes(len(post), status, answer), strict=True):
            self.tally.count(event["id"], outcome)


def outcomes(count: int, status: int, answer: bytes) -> Sequence[str]:
    """Return the outcome of each event of a post from the gateway's answer."""
    if status >= 500 or status == 401:
        raise RuntimeError(f"the gateway answered {status}: {answer[:200]!r}")
    if status >= 400:
        return ["refused"] * count
    document: Any = orjson.loads(answer)
    return [document["status"]] if count == 1 else [item["status"] for item in document["items"]]


def fleet(
    gateway: str, keys: Mapping[str, str], rate: float, seed: int, run: str = "run", start: datetime | None = None
) -> list[Device]:
    """Return the devices of a retail day that together send `rate` events a second; `keys` by partner."""
    kinds: dict[str, list[tuple[str, Iterator[Post]]]] = {kind: [] for kind in SHARES}

    def add(kind: str, name: str, posts: Iterator[Post]) -> None:
        kinds[kind].append((name, posts))

    def make(name: str) -> Maker:
        return Maker(name, seed, run, start)

    for store in STORES:
        add("tills", f"till-{store}", events.till(make(f"till-{store}"), store))
    for site in (*WAREHOUSES, STORES[0]):
        add("handhelds", f"handheld-{site}", events.handheld(make(f"handheld-{site}"), site))
    add("supplier", "acme", events.supplier(make("acme")))
    add("carriers", "easypost", events.easypost(make("easypost")))
    add("carriers", "ups", events.ups(make("ups")))
    return [
        Device(name, kind, gateway, keys[PARTNERS[kind]], posts, rate * SHARES[kind] / len(members))
        for kind, members in kinds.items()
        for name, posts in members
    ]


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), max(seconds, 0))
    except TimeoutError:
        return
