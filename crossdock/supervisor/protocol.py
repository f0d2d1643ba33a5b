"""HTTP/1.1 connections: uvicorn's protocol with bounds, and a short way past ASGI for the one path that is hot."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.answers import Answer

log = logging.getLogger(__name__)

MAX_HEAD = 64 << 10  # bytes of request line and headers
REQUEST_WITHIN = 60.0  # seconds from a request's first byte to its last
IDLE = 75.0  # seconds of a connection without a request
PIPELINED = 64  # requests of one connection under way until no more is read of it
_TEXT = b"text/plain; charset=utf-8"
_UNUSUAL = frozenset({b"expect", b"transfer-encoding", b"upgrade"})

Reply = Callable[[Answer], None]
Take = Callable[[bytes, Reply], None]


class Direct(Protocol):
    """What answers the plain POST requests of one path without ASGI; all others of that path take the long way."""

    path: bytes
    body_limit: int

    def admit(self, head: Mapping[bytes, bytes]) -> Take | None:
        """Return what takes the body and answers once, now or later; None sends the request the long way."""


class Writer:
    """Writes answers as uvicorn does; what all of a second begin with is made once."""

    def __init__(self) -> None:
        self._of: list[tuple[bytes, bytes]] = []
        self._common = b""

    def write(self, common: list[tuple[bytes, bytes]], answer: Answer, last: bool) -> bytes:
        """Return the bytes of an answer; uvicorn makes a new list of the common headers every second."""
        if common is not self._of:
            self._of, self._common = common, _lines(common)
        extra = _lines(answer.headers) if answer.headers else b""
        return b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n%b" % (
            STATUS_LINE[answer.status], self._common, answer.media, len(answer.body), extra,
            b"connection: close\r\n" if last else b"", answer.body,
        )  # fmt: skip


class _Slot:
    """The place of one answer in the order of a connection's requests."""

    __slots__ = ("_protocol", "last", "written")

    def __init__(self, protocol: "BoundedProtocol", last: bool) -> None:
        self._protocol = protocol
        self.last = last
        self.written = b""

    def reply(self, answer: Answer) -> None:
        """Take the answer; it is sent when those before it are."""
        self.last = self.last or answer.last
        self._protocol.ready(self, answer)


class BoundedProtocol(HttpToolsProtocol):
    """Cuts heads without end, requests that take for ever and idle connections; knows the short way.

    Requests of the short way are under way together and answered in order. One of the long way starts when they
    are answered, and those after it follow it the long way, so that uvicorn keeps the order.
    """

    def __init__(self, direct: Direct | None, writer: Writer, **given: Any) -> None:
        super().__init__(**given)
        self._short = direct
        self._writer = writer
        self._slots: deque[_Slot] = deque()
        self._take: Take | None = None
        self._pieces: list[bytes] = []
        self._last = False  # the request that is read is the last one of the connection
        self._ended = False  # nothing more is taken, the last answer is under way or written
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
        slot = _Slot(self, self._last)
        self._slots.append(slot)
        self._ended = self._last
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        try:
            take(body, slot.reply)
        except Exception:
            log.exception("a request could not be answered")
            slot.reply(Answer(500, b"Internal Server Error", _TEXT, last=True))

    def ready(self, slot: _Slot, answer: Answer) -> None:
        """Send an answer, and those that waited for it."""
        slot.written = self._writer.write(self.server_state.default_headers, answer, slot.last)
        slots = self._slots
        while slots and slots[0].written:
            first = slots.popleft()
            if self.transport.is_closing():
                slots.clear()
                return
            self.transport.write(first.written)
            if first.last:
                self._ended = True
                slots.clear()
                self.transport.close()
                return
        if not slots:
            self._drained()

    def expire(self, now: float) -> None:
        """Close a connection whose request takes too long, or that has had none for long."""
        busy = self._slots or (self.cycle is not None and not self.cycle.response_complete)
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
        self._take, self._ended = None, True
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
        """Count the rest of a connection from here."""
        self._since = self.loop.time()
        super().on_response_complete()

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
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        head = dict(self.headers)
        length = head.get(b"content-length")
        if length is None or int(length) > short.body_limit or len(head) < len(self.headers):
            return None
        if not _UNUSUAL.isdisjoint(head) or self.flow.write_paused or len(self.connections) >= self._most:
            return None
        return short.admit(head)

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
        self._take, self._ended = None, True
        slot = _Slot(self, last=True)
        self._slots.append(slot)
        slot.reply(answer)


def _lines(headers: Any) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in headers)
