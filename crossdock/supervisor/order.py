"""The answers of a connection in the order of its requests, whichever way each of them takes."""

from collections import deque
from typing import Any

from crossdock.supervisor.longway import LongWay
from crossdock.supervisor.slots import Slot, Writer
from gateway.answers import Answer
from gateway.bodies import Share, Unproven


class OrderedProtocol(LongWay):
    """Answers in order.

    Requests of the short way are under way together and answered in order. One of the long way starts when they
    are answered, and those after it follow it the long way, so that uvicorn keeps the order.
    """

    def __init__(self, writer: Writer, share: Unproven, events: Share, **given: Any) -> None:
        super().__init__(share, **given)
        self._writer = writer
        self.events = events  # those of the short way that are not answered
        self.slots: deque[Slot] = deque()
        self.ended = False  # nothing more is taken, the last answer is under way or written
        self._refusal: Answer | None = None  # the last answer, behind those of the long way

    def ready(self, slot: Slot, answer: Answer) -> None:
        """Send an answer, and those that waited for it."""
        slots = self.slots
        if not slots:  # the connection has ended
            return
        self.ended = self.ended or slot.last  # what comes behind it would be stored and never answered
        self.events.give(slot.size)
        slot.size = 0
        if answer.delay:
            self.loop.call_later(answer.delay, self.ready, slot, answer._replace(delay=0.0))
            return
        slot.written = self._writer.write(self.server_state.default_headers, answer, slot.last)
        while slots and slots[0].written:
            first = slots.popleft()
            if self.has_finished:
                slots.clear()
                return
            self.transport.write(first.written)
            if first.last:
                slots.clear()
                self.finish()
                return
        if not slots:
            self._drained()

    def refuse(self, answer: Answer) -> None:
        """Make this the last answer, behind those that are under way."""
        self.ended = True
        if self._asgi_answers():
            self._refusal = answer
        elif self.is_busy and self.cycle.response_started:
            self.finish()  # within an answer there is no place for another
        else:
            self._refuse(answer)

    def finish(self) -> None:
        """Take nothing more, and end behind what is written."""
        self.ended = True
        super().finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the answers that nobody waits for."""
        self.slots.clear()
        self.pipeline.clear()
        self._refusal, self.ended = None, True
        self.events.give(self.events.held)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Read on when the client reads."""
        super().resume_writing()
        if not self.pipeline:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Count the rest of a connection from here, and send the refusal that waited for the answer."""
        self.since = self.loop.time()
        refusal = None if self.pipeline else self._refusal
        super().on_response_complete()
        if refusal is not None:
            self._refuse(refusal)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self.slots:
            self.pipeline.append((cycle, app))  # the next to start, as uvicorn takes them from this end
            self.flow.pause_reading()
        else:
            super()._start_asgi_task(cycle, app)

    def _drained(self) -> None:
        """Go on after the last answer of the short way."""
        self.since = self.loop.time()
        if self.pipeline:
            super()._start_asgi_task(*self.pipeline.pop())
        elif not self.flow.write_paused:
            self.flow.resume_reading()

    def _asgi_answers(self) -> bool:
        """Tell whether whole requests of the long way are unanswered; drop the one that cannot be read to its end."""
        if not self.is_busy or not self.cycle.more_body:
            return self.is_busy
        self.drop_body()
        if not self.pipeline:  # it runs, and nothing is before it
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            return False
        self.pipeline.popleft()  # the newest
        return bool(self.pipeline) or not self.slots

    def _refuse(self, answer: Answer) -> None:
        slot = Slot(self, last=True)
        self.slots.append(slot)
        slot.reply(answer)
