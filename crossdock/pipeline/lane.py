"""The lane of one route: follows the shared feed while it keeps up, else reads on through a consumer of its own."""

import asyncio
import logging
import time

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Inbox, Message
from crossdock.pipeline.admission import Admission, Cast
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.hands import Hands, Share, release
from crossdock.pipeline.held import LEAST, MOST, RUNNABLE
from crossdock.pipeline.ports import Backlogs
from routes.spec import Route

log = logging.getLogger(__name__)

PULL_WAIT = 1.0
JOIN_WITHIN = 0.02  # seconds the feed may be held up for a route that joins it
READ_WAIT = 0.2  # seconds a lane that is handed over waits for more of its own consumer at a time


class Lane(Admission):
    """Delivers one route until stopped.

    When it cannot take what the feed has (paused, breaker open, full, a delivery stuck), it falls behind: a consumer of
    its own begins where it is, and it joins the feed again when that is read up to the feed's place.
    """

    def __init__(
        self, route: Route, attempts: Attempts, backlogs: Backlogs, own: Inbox | None = None, cast: Cast | None = None
    ) -> None:
        super().__init__(route, attempts, cast)
        self.following = own is None
        self.begins = 0  # the feed has not brought all that came before this
        self.until: int | None = None  # of a route that was removed: the last sequence in EVENTS that is its own
        self._backlogs = backlogs
        self._own = Hands(own) if own else None
        self._stopped = False
        self._joined = 0  # up to here the deliveries come from the own consumer, from here on from the feed
        self._beyond: list[Share] = []  # read from the own consumer beyond that, and not acknowledged there
        self._last = 0  # read from the own consumer
        self._drained = False  # the own consumer had nothing when it was last asked

    async def run(self) -> None:
        """Read the own consumer while there is one, until `stop`."""
        while not self._stopped:
            await (self._pull() if self._own else self.attempts.change())

    async def stop(self, grace: float) -> None:
        """Stop pulling, let attempts under way end, record their outcomes; the rest goes to the next worker."""
        self._stopped = True
        await self.attempts.stop(grace)

    def extend(self, older: float) -> None:
        """Tell the broker that what came through the own consumer so many seconds ago is still being worked on."""
        if self._own:
            self._own.extend(older)

    def pause(self, paused: bool) -> None:
        """Stop or resume attempts; the route keeps its place."""
        self.attempts.hold.pause(paused)
        self.attempts.changed.set()

    @property
    def state(self) -> str:
        """The state of the breaker, or `paused`, `closed until ...`, or `full` when it holds as much as it may."""
        full = len(self._held) >= MOST
        return self.attempts.hold.state or ("full" if full else self.attempts.gate.breaker.state)

    def late(self) -> bool:
        """Tell whether it must fall behind before it is given more: a delayed route, or one that holds what it may."""
        return not self.attempts.keeps_up() and (self.route.delay > 0 or len(self._held) > MOST - RUNNABLE)

    def stuck(self) -> bool:
        """Tell whether it holds events of the feed and cannot deliver them."""
        return self.holds and not self.attempts.keeps_up()

    @property
    def has_own(self) -> bool:
        """Whether the route has a consumer of its own at present."""
        return self._own is not None

    @property
    def holds(self) -> bool:
        """Whether anything is in hand."""
        return len(self._held) > 0

    def near(self, position: int) -> bool:
        """Tell whether its own consumer has come so near the feed's position that it is there at once."""
        return self._drained or position - self._last < LEAST

    async def fall_behind(self, next_: int) -> None:
        """Go on through an own consumer, from the sequence `next_` or the oldest delivery in hand if that is before.

        Raises:
            Unavailable: the broker does not answer; the lane still follows.
        """
        since = min(next_, self._held.first() or next_)
        if self._own is None:
            self._own = Hands(await self._backlogs.open(self.route, since))
            self._last, self._drained = 0, False
            log.info("route %s falls behind, from %d", self.route.name, since, extra={"route": self.route.name})
        self.following = False
        self._give_back()
        beyond, self._beyond = self._beyond, []
        for share in beyond:  # it had joined: its consumer is still there
            self.admit_own(share.message, share)
        self.attempts.changed.set()

    async def join(self, position: int) -> None:
        """Follow the feed, which stands still at `position` meanwhile, if everything up to there was read.

        Raises:
            Unavailable: the broker does not answer.
        """
        if self._own is None or self.until is not None or not self.attempts.keeps_up() or self.attempts.room() <= 0:
            return
        position = max(position, self.begins)
        until = time.monotonic() + JOIN_WITHIN
        while not (self._last >= position or await self._own.drained()):
            if time.monotonic() > until or self.attempts.room() <= 0:
                return
            self._admit_all(await self._own.inbox.fetch(self.attempts.room(), JOIN_WITHIN / 4))
        # What was read past the position is in hand or settled, so the feed will not give it.
        self.following, self._joined = True, max(position, self._last)

    async def leave(self) -> None:
        """Give up the own consumer once everything read from it before joining is acknowledged.

        Raises:
            Unavailable: the broker does not answer.
        """
        own = self._own
        if own is not None and self.following and await own.done(self._joined):
            self._own = None
            try:
                await self._backlogs.drop(self.route, own.inbox)
            except Unavailable:
                self._own = own  # it is still there: what would begin anew later would begin where this one is
                raise
            self._beyond.clear()
            log.info("route %s follows the feed again", self.route.name, extra={"route": self.route.name})

    async def tidy(self) -> None:
        """Remove an own consumer that the broker made although the lane still follows.

        Raises:
            Unavailable: the broker does not answer.
        """
        if self._own is None:
            await self._backlogs.drop(self.route, None)

    async def hand_over(self, since: int, position: int) -> None:
        """After a stop, leave what is unfinished to an own consumer that has nothing acknowledged but what is done.

        So the next worker sends nothing again, neither to this route nor to the others of its feed.

        Raises:
            Unavailable: the broker does not answer.
        """
        await self.fall_behind(since)
        while self._own and self._last < position and not await self._own.drained():
            self._admit_all(await self._own.inbox.fetch(RUNNABLE, READ_WAIT))

    async def remove(self, next_: int, until: int | None) -> None:
        """Leave the feed: what is in hand goes on through the own consumer, up to `until` if the route was removed.

        Raises:
            Unavailable: the broker does not answer; the lane still follows.
        """
        if self.following:
            await self.fall_behind(next_)
        self.until = until

    async def end(self) -> bool:
        """Give up the own consumer of a removed route when it is read up to `until`, and nothing is left; else false.

        Raises:
            Unavailable: the broker does not answer.
        """
        own = self._own
        if own is None or self.holds or len(self._delayed):
            return own is None
        if self._last < (self.until or 0) and not await own.drained():
            return False
        self._own = None
        await self._backlogs.drop(self.route, own.inbox)
        return True

    async def retire(self, position: int) -> None:
        """Stop, and leave the own consumer to another worker, with nothing acknowledged but what is done.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._stopped = True
        await self.attempts.end()
        if self._own is not None:
            await self.hand_over(1, position)
            await self._backlogs.close(self._own.inbox)

    def _give_back(self) -> None:
        """Let go of the feed's messages; the own consumer hands them out again."""
        shares = []
        for delivery in self._held.deliveries():
            if delivery.share is not None and delivery.share.hands is not self._own:
                shares.append(delivery.share)
                delivery.share = None
        release(shares)

    async def _pull(self) -> None:
        room = self.attempts.room() - len(self._delayed)
        try:
            if room <= 0 or self._own is None:
                await self.attempts.change()
            else:
                self._admit_all(await self._own.inbox.fetch(room, max(0.0, min(PULL_WAIT, self._delayed.wait()))))
        except Unavailable as error:
            log.warning("route %s: %s", self.route.name, error, extra={"route": self.route.name})
            await asyncio.sleep(PULL_WAIT)
        for share in self._delayed.due():
            self.admit_own(share.message, share)

    def _admit_all(self, messages: list[Message]) -> None:
        self._drained = not messages
        for message in messages:
            self._last = max(self._last, message.seq)
            share = self._own.take(message) if self._own else None
            if share is None:
                continue
            if self.until is not None and message.seq > self.until:
                self.pass_by(share)
            elif self.following and message.seq > self._joined:
                # The feed has it or will have it. Should this worker die before `leave`, or the lane fall behind again,
                # the own consumer is where it comes from.
                self._beyond.append(share)
            elif not self._delayed.takes(share):
                self.admit_own(message, share)
