"""The lane of one route: follows the shared feed while it keeps up, else reads on through a consumer of its own."""

import asyncio
import logging
import time

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.expression import View, view
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Inbox, Message
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.delivery import Delivery
from crossdock.pipeline.hands import Hands, Share, release
from crossdock.pipeline.held import MOST, RUNNABLE
from crossdock.pipeline.ports import Backlogs
from crossdock.pipeline.process import problems_of
from routes.match import matches, order_key
from routes.spec import Route

log = logging.getLogger(__name__)

PULL_WAIT = 1.0
JOIN_WITHIN = 0.2  # seconds the feed may be held up for a route that joins it


class Lane:
    """Delivers one route until stopped.

    When it cannot take what the feed has (paused, breaker open, full, a delivery stuck), it falls behind: a consumer of
    its own begins where it is, and it joins the feed again when that is read up to the feed's place.
    """

    def __init__(self, route: Route, attempts: Attempts, backlogs: Backlogs, own: Inbox | None = None) -> None:
        self.route = route
        self.following = own is None
        self.attempts = attempts
        self._held = attempts.held
        self._backlogs = backlogs
        self._own = Hands(own) if own else None
        self._joined = 0  # up to here the deliveries come from the own consumer, from here on from the feed
        self._beyond: list[Share] = []  # read from the own consumer beyond that, and not acknowledged there
        self._last = 0  # read from the own consumer
        self._drained = False  # the own consumer had nothing when it was last asked

    async def run(self) -> None:
        """Read the own consumer while there is one, until `stop`."""
        while not self.attempts.stopping.is_set():
            await (self._pull() if self._own else self.attempts.change())

    async def stop(self, grace: float) -> None:
        """Stop pulling, let attempts under way end, record their outcomes; the rest goes to the next worker."""
        await self.attempts.stop(grace)

    def extend(self, older: float) -> None:
        """Tell the broker that what came through the own consumer so many seconds ago is still being worked on."""
        if self._own:
            self._own.extend(older)

    def pause(self, paused: bool) -> None:
        """Stop or resume attempts; the route keeps its place."""
        self.attempts.pause(paused)
        self.attempts.changed.set()

    @property
    def state(self) -> str:
        """The state of the breaker, or `paused`, or `full` when it holds as much as it may."""
        full = len(self._held) >= MOST
        return "paused" if self.attempts.paused else "full" if full else self.attempts.gate.breaker.state

    def admit(self, message: Message, event: Event, seen: View, share: Share) -> bool:
        """Take an event that the route wants; false when it does not."""
        delivery = Delivery(message, event, "", share)
        try:
            if not matches(self.route, seen):
                return False
            if self.route.order_by is not None:
                delivery.key = "k" + order_key(self.route, seen)
        except Exception as error:
            delivery.problems = problems_of(error)
        self.attempts.take(delivery)
        return True

    def admit_unread(self, message: Message, error: Exception, share: Share) -> None:
        """Take a stored message that cannot be read; it becomes a dead letter."""
        self.attempts.take(Delivery(message, Event("", "", ""), "", share, problems=problems_of(error)))

    def admit_own(self, message: Message, share: Share) -> None:
        """Take a message that was meant for this route alone; what the route does not want is recorded as skipped."""
        held = self._held.get(message.seq)
        if held is not None:  # handed out again, by another consumer
            release([held.share] if held.share else [])
            held.message, held.share = message, share
            return
        if self._held.is_settled(message.seq):
            release([share])
            return
        try:
            event = events.restore(message.payload)
        except Exception as error:
            self.admit_unread(message, error, share)
            return
        if not self.admit(message, event, view(event), share):
            self.attempts.skip(Delivery(message, event, "", share))

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
        """Tell whether its own consumer has come near the feed's position."""
        return self._drained or position - self._last < RUNNABLE

    def knows(self, seq: int) -> bool:
        """Tell whether this is in hand already, or was brought to its end lately."""
        return self._held.get(seq) is not None or self._held.is_settled(seq)

    async def fall_behind(self, next_: int) -> None:
        """Go on through an own consumer, from the sequence `next_` or the oldest delivery in hand if that is before.

        Raises:
            Unavailable: the broker does not answer; the lane still follows.
        """
        since = min(next_, self._held.first() or next_)
        if self._own is None:
            self._own = Hands(await self._backlogs.open(self.route, since))
            self._last, self._drained = 0, False
            log.info("route %s falls behind, from %d", self.route.name, since)
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
        if self._own is None or not self.attempts.keeps_up() or self.attempts.room() <= 0:
            return
        until = time.monotonic() + JOIN_WITHIN
        while not (self._last >= position or await self._own.drained()):
            if time.monotonic() > until or self.attempts.room() <= 0:
                return
            self._admit_all(await self._own.inbox.fetch(self.attempts.room(), JOIN_WITHIN / 4))
        # What was read past the position is in hand or settled, so the feed will not give it.
        self.following, self._joined = True, max(position, self._last)

    async def leave(self) -> None:
        """Give up the own consumer once everything read from it before joining is acknowledged; the feed stands still.

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
            log.info("route %s follows the feed again", self.route.name)

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
            self._admit_all(await self._own.inbox.fetch(RUNNABLE, JOIN_WITHIN))

    def _give_back(self) -> None:
        """Let go of the feed's messages; the own consumer hands them out again."""
        shares = []
        for delivery in self._held.deliveries():
            if delivery.share is not None and delivery.share.hands is not self._own:
                shares.append(delivery.share)
                delivery.share = None
        release(shares)

    async def _pull(self) -> None:
        room = self.attempts.room()
        if room <= 0 or self._own is None:
            await self.attempts.change()
            return
        try:
            self._admit_all(await self._own.inbox.fetch(room, PULL_WAIT))
        except Unavailable as error:
            log.warning("route %s: %s", self.route.name, error)
            await asyncio.sleep(PULL_WAIT)

    def _admit_all(self, messages: list[Message]) -> None:
        self._drained = not messages
        for message in messages:
            self._last = max(self._last, message.seq)
            share = self._own.take(message) if self._own else None
            if share is None:
                continue
            if self.following and message.seq > self._joined:
                # The feed has it or will have it. Should this worker die before `leave`, or the lane fall behind again,
                # the own consumer is where it comes from.
                self._beyond.append(share)
            else:
                self.admit_own(message, share)
