"""What a lane takes of the events it is shown: those its route wants, each with its key."""

from collections.abc import Callable

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.expression import View, view
from crossdock.kernel.stream import BACKFILL, DEAD_LETTER, SOURCE, Message, lost
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.delivery import Delivery
from crossdock.pipeline.hands import Share, release
from crossdock.pipeline.hold import Delayed
from crossdock.pipeline.process import problems_of
from routes.match import matches, order_key, references
from routes.spec import Route

Cast = Callable[[Route, Event], Event]  # an event in the version that a route takes it in


class Admission:
    """Looks at events for one route and gives what it wants to its attempts."""

    def __init__(self, route: Route, attempts: Attempts, cast: Cast | None) -> None:
        self.route = route
        self.attempts = attempts
        self._held = attempts.held
        self._delayed = Delayed(route.delay, attempts.hold.clock)
        self._cast = cast
        self.renewing = False

    def admit(self, message: Message, event: Event, seen: View, share: Share) -> bool:
        """Take an event that the route wants; false when it does not."""
        delivery = Delivery(message, event, "", share)
        try:
            if self._cast is not None:
                delivery.event = event = self._cast(self.route, event)
                seen = view(event, delivery.source)
            if not matches(self.route, seen):
                return False
            if self.route.order_by is not None:
                delivery.key = "k" + order_key(self.route, seen)
            if self.route.after is not None and not _at_once(message):
                delivery.after = references(self.route, seen)
        except Exception as error:
            delivery.problems = problems_of(error, delivery.event.id)
        self.attempts.take(delivery)
        return True

    def admit_unread(self, message: Message, error: Exception, share: Share) -> None:
        """Take a stored message that cannot be read; it becomes a dead letter."""
        self.attempts.take(
            Delivery(message, Event("", "", ""), "", share, problems=problems_of(lost(message) or error))
        )

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
        if not self.admit(message, event, view(event, message.headers.get(SOURCE, "")), share):
            self.attempts.skip(Delivery(message, event, "", share))

    def knows(self, seq: int) -> bool:
        """Tell whether this is in hand already, or was brought to its end lately."""
        return self._held.get(seq) is not None or self._held.is_settled(seq)

    def pass_by(self, share: Share) -> None:
        """Record that the route does not want what came to it."""
        message = share.message
        try:
            event = events.restore(message.payload)
        except Exception:
            event = Event("", "", "")
        self.attempts.skip(Delivery(message, event, "", share))

    async def settle(self) -> None:
        """Start no attempt, and let those under way end and be recorded; `renew` follows."""
        self.renewing = True
        await self.attempts.end()

    def renew(self, attempts: Attempts, cast: Cast | None) -> None:
        """Go on by the route of another revision.

        What is left is looked at again in the order of the stream: it may have another key now, or not be wanted.
        """
        before, delayed = self.attempts, self._delayed
        attempts.held.remember(before.held)
        attempts.hold.follow(before.hold)
        self.route, self.attempts, self._held, self._cast = attempts.route, attempts, attempts.held, cast
        self._delayed = Delayed(self.route.delay, attempts.hold.clock)
        self.renewing = False
        for one in sorted(before.held.deliveries(), key=lambda one: one.message.seq):
            if one.share is not None:
                self._admit_again(one, one.share)
        for share in delayed.kept():
            if not self._delayed.takes(share):
                self.admit_own(share.message, share)
        before.changed.set()

    def discard(self) -> None:
        """Give up all that is left, at once: neither a window nor a delay keeps it."""
        self.attempts.discards = True
        self._delayed.waive()
        self.attempts.changed.set()

    def _admit_again(self, before: Delivery, share: Share) -> None:
        self.admit_own(share.message, share)
        if now := self._held.get(share.message.seq):
            now.attempts, now.last = before.attempts, before.last


def _at_once(message: Message) -> bool:
    """Tell whether a person has replayed this one, and so said that it need not wait for others."""
    return DEAD_LETTER in message.headers and BACKFILL not in message.headers
