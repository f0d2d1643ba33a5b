"""HTTP/1.1 connections: uvicorn's protocol with bounds, and a short way past ASGI for the one path that is hot."""

import logging
from collections import deque
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crossdock.supervisor.slots import Direct, Slot, Take, Writer
from gateway.answers import Answer

log = logging.getLogger(__name__)

MAX_HEAD = 64 << 10  # bytes of request line and headers
REQUEST_WITHIN = 60.0  # seconds from a request's first byte to its last
IDLE = 75.0  # seconds of a connection without a request
PIPELINED = 64  # requests of one connection under way until no more is read of it
_TEXT = b"text/plain; charset=utf-8"
_UNUSUAL = frozenset({b"expect", b"transfer-encoding", b"upgrade"})


class BoundedProtocol(HttpToolsProtocol):
    """Cuts heads without end, requests that take for ever and idle connections; knows the short way.

    Requests of the short way are under way together and answered in order. One of the long way starts when they
    are answered, and those after it follow it the long way, so that uvicorn keeps the order.
    """

    def __init__(self, direct: Direct | None, writer: Writer, **given: Any) -> None:
        super().__init__(**given)
        self._short = direct
        self._writer = writer
        self._slots: deque[Slot] = deque()
        self._take: Take | None = None
        self._pieces: list[bytes] = []
        self._last = False  # the request that is read is the last one of the connection
        self._ended = False  # nothing more is taken, the last answer is under way or written
        self._refusal: Answer | None = None  # the last answer, behind those of the long way
        self._head = 0
        self._in_head = self._in_request = self._passed = False
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and cut a head without end."""
        if self._ended:
            return
        self._passed = False
        super().data_received(data)
        if self._in_head and not self._ended:
            self._head = 0 if self._passed else self._head + len(data)  # not what belongs to the requests before it
            if self._head > MAX_HEAD:
                self._end(Answer(431, b"", _TEXT))
        if len(self._slots) > PIPELINED:
            self.flow.pause_reading()

    def on_message_begin(self) -> None:
        """Begin without a scope, which the short way does not need."""
        self._head, self._in_head, self._in_request, self._since = 0, True, True, self.loop.time()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        self._in_head = False
        if self._ended:
            return
        self._take, self._pieces = self._admitted(), []
        if self._take is not None:
            parser = self.parser
            self._last = not parser.should_keep_alive() or parser.get_http_version() == "1.0"
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # the list in the scope
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Collect a body, whose length the head has told."""
        if self._take is not None:
            self._pieces.append(body)
        elif not self._ended:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand a whole request over."""
        self._in_request, self._passed, self._since = False, True, self.loop.time()
        take, self._take = self._take, None
        if take is None:
            if not self._ended:
                super().on_message_complete()
            return
        slot = Slot(self, self._last)
        self._slots.append(slot)
        self._ended = self._last
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        try:
            take(body, slot.reply)
        except Exception:
            log.exception("a request could not be answered")
            slot.reply(Answer(500, b"Internal Server Error", _TEXT, last=True))

    def ready(self, slot: Slot, answer: Answer) -> None:
        """Send an answer, and those that waited for it."""
        slots = self._slots
        if not slots:  # the connection has ended
            return
        self._ended = self._ended or slot.last  # what comes behind it would be stored and never answered
        slot.written = self._writer.write(self.server_state.default_headers, answer, slot.last)
        while slots and slots[0].written:
            first = slots.popleft()
            if self.transport.is_closing():
                slots.clear()
                return
            self.transport.write(first.written)
            if first.last:
                slots.clear()
                self.transport.close()
                return
        if not slots:
            self._drained()

    def expire(self, now: float) -> None:
        """Close a connection whose request takes too long, or that has had none for long."""
        busy = self._slots or self._asgi_busy
        if now - self._since > (REQUEST_WITHIN if self._in_request else IDLE) and (self._in_request or not busy):
            self.transport.close()

    def shutdown(self) -> None:
        """Let answers under way be the last."""
        if self._take is not None:
            self._last = True
        elif self._slots and not self.pipeline:
            self._slots[-1].last = self._ended = True
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._end(Answer(400, msg.encode(), _TEXT))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the answers that nobody waits for."""
        self._slots.clear()
        self.pipeline.clear()
        self._take, self._refusal, self._ended = None, None, True
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Read no more from a client that does not read its answers."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """Read on when the client reads."""
        super().resume_writing()
        if not self.pipeline:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Count the rest of a connection from here, and send the refusal that waited for the answer."""
        self._since = self.loop.time()
        refusal = None if self.pipeline else self._refusal
        super().on_response_complete()
        if refusal is not None:
            self._refuse(refusal)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._slots:
            self.pipeline.append((cycle, app))  # the next to start, as uvicorn takes them from this end
            self.flow.pause_reading()
        else:
            super()._start_asgi_task(cycle, app)

    def _admitted(self) -> Take | None:
        short = self._short
        if short is None or self.url != short.path or self.parser.get_method() != b"POST":
            return None
        if self._asgi_busy:
            return None
        head = dict(self.headers)
        length = head.get(b"content-length")
        if length is None or int(length) > short.body_limit or len(head) < len(self.headers):
            return None
        if not _UNUSUAL.isdisjoint(head) or self.flow.write_paused or len(self.connections) >= self._most:
            return None
        return short.admit(head)

    @property
    def _asgi_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _most(self) -> int:
        return self.limit_concurrency or 1 << 30

    def _drained(self) -> None:
        """Go on after the last answer of the short way."""
        self._since = self.loop.time()
        if self.pipeline:
            super()._start_asgi_task(*self.pipeline.pop())
        elif not self.flow.write_paused:
            self.flow.resume_reading()

    def _end(self, answer: Answer) -> None:
        """Answer what cannot be read any further, behind the answers that are under way, and close."""
        if self._ended:
            return
        self._take, self._in_request, self._ended = None, False, True
        if self._asgi_answers():
            self._refusal = answer
        elif self._asgi_busy and self.cycle.response_started:
            self.transport.close()  # within an answer there is no place for another
        else:
            self._refuse(answer)

    def _asgi_answers(self) -> bool:
        """Tell whether whole requests of the long way are unanswered; drop the one that cannot be read to its end."""
        if not self._asgi_busy or not self.cycle.more_body:
            return self._asgi_busy
        if not self.pipeline:  # it runs, and nothing is before it
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            return False
        self.pipeline.popleft()  # the newest
        return bool(self.pipeline) or not self._slots

    def _refuse(self, answer: Answer) -> None:
        slot = Slot(self, last=True)
        self._slots.append(slot)
        slot.reply(answer)
