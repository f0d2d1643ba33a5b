"""What keeps a route from being tried for a while: a person's pause, or the window in which its target is closed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from crossdock.pipeline.gate import nap
from crossdock.pipeline.hands import Share
from routes.window import ALWAYS_OPEN, Look, Window


class Hold:
    """Whether a route is held, and how fast it goes on afterwards; `clock` gives Unix seconds."""

    def __init__(self, window: Window | None, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.paused = False
        self._window = window
        self._since = clock()
        self._look = ALWAYS_OPEN if window is None else window.look(self._since)
        self._next = 0.0

    @property
    def active(self) -> bool:
        """Whether nothing may be tried now."""
        return self.paused or (self._window is not None and self._looked(self._window).closed)

    @property
    def ages_from(self) -> float:
        """From when retries may end by age: from when the route could first try; a hold does not age."""
        return self.clock() if self.active else max(self._since, self._look.opened)

    @property
    def state(self) -> str:
        """The hold in words, empty for none."""
        if self.paused:
            return "paused"
        if self._window is not None and self.active:
            return f"closed until {self._window.local(self._look.until)}"
        return ""

    def pause(self, paused: bool) -> None:
        """Begin or end a person's pause."""
        self.paused = paused
        self._since = self.clock()

    def follow(self, before: "Hold") -> None:
        """Take the place of another: a pause goes on, and what aged goes on ageing."""
        self.paused, self._since, self._next = before.paused, before.ages_from, before._next

    def drains(self, stored: float) -> bool:
        """Tell whether what was stored at a time goes at the rate of what waited for the window."""
        return self._window is not None and self._window.drain > 0 and stored < self._look.opened

    async def drained(self, stopping: asyncio.Event) -> None:
        """Wait for the next turn at that rate."""
        now = self.clock()
        turn = max(now, self._next)
        self._next = turn + (1 / self._window.drain if self._window else 0)
        await nap(turn - now, stopping)

    def _looked(self, window: Window) -> Look:
        now = self.clock()
        if not self._look.since <= now < self._look.until:
            self._look = window.look(now)
        return self._look


class Delayed:
    """The events of a delayed route that were read and are not due yet, in the order of the stream."""

    def __init__(self, delay: float, clock: Callable[[], float]) -> None:
        self._delay = delay
        self._clock = clock
        self._shares: deque[Share] = deque()

    def __len__(self) -> int:
        return len(self._shares)

    def takes(self, share: Share) -> bool:
        """Keep an event that is not due yet, true; a replay is due at once."""
        message = share.message
        if not self._delay or message.seq != message.origin or self._left(share) <= 0:
            return False
        self._shares.append(share)
        if len(self._shares) > 1 and self._shares[-2].message.seq > message.seq:  # handed out again, after newer ones
            self._shares = deque(sorted(self._shares, key=lambda kept: kept.message.seq))
        return True

    def due(self) -> list[Share]:
        """Let go of those whose time has come."""
        found = []
        while self._shares and self._left(self._shares[0]) <= 0:
            found.append(self._shares.popleft())
        return found

    def waive(self) -> None:
        """Let all that is kept or comes be due at once."""
        self._delay = 0.0

    def kept(self) -> Sequence[Share]:
        """Return all that are kept."""
        return self._shares

    def wait(self) -> float:
        """Return the seconds until the next is due; a day for none, which is the longest there can be."""
        return self._left(self._shares[0]) if self._shares else 86400.0

    def _left(self, share: Share) -> float:
        return share.message.time + self._delay - self._clock()
