"""Bodies of requests, read within bounds: the most for one, and the most for all that a process holds at once."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Self

from crossdock.kernel.problems import Problem, Refused, refuse

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BUDGET = 64 << 20  # bytes
PART = 4  # of the budget one partner or source may hold this fraction, so that slow senders keep out nobody else
FULL = Problem("unavailable", "too many requests are being read", "send it again later with the same id")


class Budget:
    """Bytes that the requests of a process may hold together, until they are answered.

    One half is for senders who have proven who they are. All others share the other half: when that is full, whoever
    has held some of it for longest is ended, so that who proves nothing shuts out nobody.
    """

    def __init__(self, most: int = BUDGET) -> None:
        self.proven = self.unproven = most // 2  # bytes that are free
        self.lanes: Counter[str] = Counter()
        self.most_of_lane = most // PART
        self.holders: OrderedDict[Unproven, None] = OrderedDict()  # a dict looks for its first over all that left it

    @property
    def free(self) -> int:
        """Return how many bytes nobody holds."""
        return self.proven + self.unproven

    def share(self, lane: str = "") -> "Share":
        """Return the place of a proven sender's requests, which holds nothing yet; those of a lane share a part."""
        return Share(self, lane)

    def unproven_share(self, end: Callable[[], None] | None = None) -> "Unproven":
        """Return the place of requests whose sender is not known yet; `end` ends one to make room for others."""
        return Unproven(self, end)

    def make_room(self, count: int, asker: "Unproven") -> bool:
        """End the oldest unproven requests until so much is free for another."""
        for _ in range(len(self.holders)):
            if count <= self.unproven:
                break
            oldest = next(iter(self.holders))
            self.holders.move_to_end(oldest)  # some cannot be ended now
            if oldest is not asker and oldest.end is not None:
                oldest.end()
        return count <= self.unproven


class Share:
    """What proven requests hold of a budget; as a context it gives back all of it at the end."""

    __slots__ = ("_budget", "_lane", "held")

    def __init__(self, budget: Budget, lane: str = "") -> None:
        self._budget = budget
        self._lane = lane
        self.held = 0

    def take(self, count: int) -> bool:
        """Hold more bytes, unless the budget or the lane's part of it is spent."""
        budget, lane = self._budget, self._lane
        if count > budget.proven or (lane and budget.lanes[lane] + count > budget.most_of_lane):
            return False
        budget.proven -= count
        if lane:
            budget.lanes[lane] += count
        self.held += count
        return True

    def give(self, count: int) -> None:
        """Hold less; nothing when all was given back before."""
        count = min(count, self.held)
        self._budget.proven += count
        if self._lane:
            self._budget.lanes[self._lane] -= count
        self.held -= count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give(self.held)


class Unproven(Share):
    """What a connection or request holds whose sender is not known yet."""

    __slots__ = ("end",)

    def __init__(self, budget: Budget, end: Callable[[], None] | None) -> None:
        super().__init__(budget)
        self.end = end  # gives back what is held; none while there is nothing to end

    def take(self, count: int) -> bool:
        """Hold more bytes, at the expense of the oldest other one."""
        budget = self._budget
        if count > budget.unproven and not budget.make_room(count, self):
            return False
        budget.unproven -= count
        budget.holders[self] = None
        self.held += count
        return True

    def give(self, count: int) -> None:
        """Hold less; nothing when all was given back before."""
        count = min(count, self.held)
        self._budget.unproven += count
        self.held -= count
        if not self.held:
            self._budget.holders.pop(self, None)

    def prove(self, lane: str) -> Share:
        """Move what is held to the lane of a sender who is known now.

        Raises:
            Refused: `unavailable`, the budget or the lane's part of it is spent.
        """
        share, count = self._budget.share(lane), self.held
        self.give(count)
        _hold(share, count)
        return share


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int, share: Share) -> bytes:
    """Return a whole body, which the share then holds; so the caller ends the share after the answer.

    Raises:
        Refused: `body_too_large`, as soon as the header or the bytes tell; `unavailable`, the budget is spent;
            `invalid_json`, the request ended early.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in _chunks(receive):
        if len(body) + len(chunk) > limit:
            raise _too_large(limit)
        _hold(share, len(chunk))
        body += chunk
    return bytes(body)


async def read_unproven(receive: Receive, headers: Mapping[str, str], limit: int, share: Unproven) -> bytes:
    """Return a whole body as `read_body` does, unless the reading has to make room for that of others.

    Raises:
        Refused: as `read_body`; `unavailable` when it was ended to make room.
    """
    task, ended = asyncio.current_task(), False
    assert task is not None

    def end() -> None:
        nonlocal ended
        ended = True
        share.end = None
        share.give(share.held)
        task.cancel()  # at once: `asyncio.timeout` would let it read on until the next turn of the loop

    share.end = end
    try:
        return await read_body(receive, headers, limit, share)
    except asyncio.CancelledError:
        if not ended or task.uncancel():
            raise
        raise Refused([FULL]) from None
    finally:
        share.end = None


async def stream(receive: Receive, share: Share) -> AsyncIterator[bytes]:
    """Yield a body of any length as it comes; the share holds each piece until the next one is asked for.

    Raises:
        Refused: `unavailable`, the budget is spent; `invalid_json`, the request ended early.
    """
    async for chunk in _chunks(receive):
        _hold(share, len(chunk))
        try:
            yield chunk
        finally:
            share.give(len(chunk))


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise refuse("invalid_json", "the request ended early")
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body"):
            return


def _hold(share: Share, count: int) -> None:
    if not share.take(count):
        raise Refused([FULL])


def _too_large(limit: int) -> Refused:
    return refuse("body_too_large", f"at most {limit} bytes are taken", "send smaller batches")
