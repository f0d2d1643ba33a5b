"""HTTP/1.1 connections: uvicorn's protocol with bounds, and a short way past ASGI for the one path that is hot."""

import logging
from typing import Any

import httptools

from crossdock.kernel.problems import Problem
from crossdock.supervisor.order import OrderedProtocol
from crossdock.supervisor.room import Room
from crossdock.supervisor.slots import Direct, Slot, Take, Writer
from gateway import answers
from gateway.answers import Answer
from gateway.bodies import FULL, Budget

log = logging.getLogger(__name__)

MAX_HEAD = 64 << 10  # bytes of request line and headers
MAX_TRAILERS = 8 << 10  # bytes of fields behind a body, which nobody reads
MAX_FIELDS = 100  # headers of a request; each costs Python 20 times what an empty one costs its sender
HEAD_WITHIN = 10.0  # seconds from a request's first byte to the end of its head
REQUEST_WITHIN = 60.0  # seconds from a request's first byte to its last, and again for every MiB of a stream
IDLE = 75.0  # seconds of a connection without a request
PIPELINED = 64  # requests of one connection under way until no more is read of it
_UNUSUAL = frozenset({b"expect", b"transfer-encoding"})


def _last(code: str, message: str) -> Answer:
    return answers.problem([Problem(code, message)])._replace(last=True)


_NOT_HTTP = _last("bad_request", "this is not HTTP/1.1")
_LONG_HEAD = _last("headers_too_large", f"at most {MAX_HEAD >> 10} KiB and {MAX_FIELDS} headers are taken")
_SLOW = _last("request_timeout", "the request took too long to come")
_FULL = answers.problem([FULL])._replace(last=True)
_BROKEN = Answer(500, b"Internal Server Error", b"text/plain; charset=utf-8", last=True)


class BoundedProtocol(OrderedProtocol):
    """Cuts heads without end, requests that take for ever and idle connections; knows the short way.

    What a connection is doing, where that is kept, what it holds meanwhile, and how it ends by itself:

    | state | kept in | holds | ends |
    |---|---|---|---|
    | waits for a request | none of the others | | after `IDLE` |
    | reads a head | `_in_head`, `_in_request` | `share` | after `HEAD_WITHIN`, or to make room |
    | reads an event, the short way | `_take`, `_in_request` | `events` | after `REQUEST_WITHIN` |
    | reads a body, the long way | `cycle`, `_in_request` | `share` | after `REQUEST_WITHIN`, or to make room |
    | answers | `slots` of the short way, `pipeline` and `cycle` of the long | `events`, `share` | |
    | answers for the last time | `ended`, `_refusal` | as above | after `UNREAD` |
    | lingers | `has_finished`, `_lingers` | | after `LINGER` |
    """

    def __init__(self, direct: Direct | None, writer: Writer, room: Room, budget: Budget, **given: Any) -> None:
        super().__init__(writer, budget.unproven_share(self._make_room), budget.share(), **given)
        self._short = direct
        self._room = room
        self._take: Take | None = None
        self._body: bytes | bytearray = b""
        self._last = False  # the request that is read is the last one of the connection
        self._head = self._head_held = self._trailers = 0
        self._in_head = self._in_request = self._passed = self._proven = False
        self._welcome = True

    def connection_made(self, transport: Any) -> None:
        """Enter the room."""
        super().connection_made(transport)
        self._welcome = self._room.enter(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and cut a head without end."""
        if self.ended:
            self.refuse_more(len(data))
            return
        self._passed = False
        self.feed(data)
        if self._in_head and not self.ended:
            self._grow(data)
        if len(self.slots) > PIPELINED:
            self.flow.pause_reading()

    def on_message_begin(self) -> None:
        """Begin without a scope, which the short way does not need."""
        self._head, self._in_head, self._in_request, self.since = 0, True, True, self.loop.time()
        self.dropped = self._trailers = 0
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of a head; one behind a body is left out (RFC 9110, section 6.5), and there are not many."""
        if self._in_head:
            super().on_header(name, value)
            return
        self._trailers += len(name) + len(value)
        if self._trailers > MAX_TRAILERS and not self.ended:
            self._end(_LONG_HEAD)

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        self._in_head = False
        if self._head_held:
            self.share.give(self._head_held)
            self._head_held = 0
        if self.ended or self.parser.should_upgrade():
            return
        if len(self.headers) > MAX_FIELDS or not self._welcome:
            self._end(_FULL if not self._welcome else _LONG_HEAD)
            return
        self._take, self._body = self._admitted(), b""
        if self._take is None:
            self.go_long()
            return
        parser = self.parser
        self._last = not parser.should_keep_alive() or parser.get_http_version() == "1.0"

    def on_body(self, body: bytes) -> None:
        """Collect a body, whose length the head has told."""
        if self.ended:
            return
        if self._take is None and self.cycle.response_complete:
            self.drop(len(body))
        elif not (self.share if self._take is None else self.events).take(len(body)):
            self._end(_FULL)
        elif self._take is None:
            super().on_body(body)
        else:
            self._collect(body)

    def on_message_complete(self) -> None:
        """Hand a whole request over."""
        take, self._take = self._take, None
        if take is None and self.parser.should_upgrade():
            return
        self._in_request, self._passed, self.since = False, True, self.loop.time()
        if not self._proven and not self.ended:
            self._proven = True
            self._room.prove(self)
        if take is None:
            if not self.ended:
                super().on_message_complete()
            return
        self._hand_over(take)

    def expire(self, now: float) -> None:
        """End a connection whose request takes too long, that has had none for long, or whose client does not read."""
        if self.is_stalled(now):
            self.transport.abort()
        elif self.flow.read_paused and not self.flow.write_paused:
            self.since = now  # it is we who take our time
        elif self._in_request and now - self.since > (HEAD_WITHIN if self._in_head else REQUEST_WITHIN):
            self._end(_SLOW)
        elif not self._in_request and now - self.since > IDLE and not (self.slots or self.is_busy):
            self.transport.close()

    def shutdown(self) -> None:
        """Let answers under way be the last."""
        if self._take is not None:
            self._last = True
        elif self.slots and not self.pipeline:
            self.slots[-1].last = self.ended = True
        elif not self.has_finished:
            super().shutdown()

    @property
    def is_waiting(self) -> bool:
        """See `Guest`."""
        if self.slots or self.transport.get_write_buffer_size():
            return False
        return not self.is_busy or (self.cycle.more_body and not self.cycle.response_started and not self.pipeline)

    def dismiss(self) -> None:
        """See `Guest`."""
        self.ended = True
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._end(_NOT_HTTP)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the answers that nobody waits for."""
        self._take, self._body = None, b""
        self._room.leave(self)
        super().connection_lost(exc)

    def _admitted(self) -> Take | None:
        short = self._short
        if short is None or self.url != short.path or self.parser.get_method() != b"POST":
            return None
        if self.is_busy or self.flow.write_paused:
            return None
        head = dict(self.headers)
        length = head.get(b"content-length")
        if length is None or int(length) > short.body_limit or len(head) < len(self.headers):
            return None
        return short.admit(head) if _UNUSUAL.isdisjoint(head) else None

    def _collect(self, body: bytes) -> None:
        """Keep a body; in one piece, as those who send single bytes would make us hold an object for each."""
        if not self._body:
            self._body = body
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += body

    def _hand_over(self, take: Take) -> None:
        body, self._body = self._body, b""
        if not isinstance(body, bytes):
            body = bytes(body)
        slot = Slot(self, self._last, len(body))
        self.slots.append(slot)
        self.ended = self._last
        try:
            take(body, slot.reply)
        except Exception:
            log.exception("a request could not be answered")
            slot.reply(_BROKEN)

    def _grow(self, data: bytes) -> None:
        """Hold more of a head, and cut one without end."""
        self._head = 0 if self._passed else self._head + len(data)  # not what belongs to the requests before it
        count = len(data) - (data.rfind(b"\r\n\r\n") if self._passed else 0)
        if self._head > MAX_HEAD or len(self.headers) > MAX_FIELDS:
            self._end(_LONG_HEAD)
        elif self.share.take(count):
            self._head_held += count
        else:
            self._end(_FULL)

    def _make_room(self) -> None:
        """End a request that is still coming, as those of others need what it holds."""
        if self._in_request:
            self._end(_FULL)

    def _end(self, answer: Answer) -> None:
        """Answer what cannot be read any further, behind the answers that are under way, and close."""
        if self.ended:
            return
        self.share.give(self._head_held)
        self.events.give(len(self._body) if self._take else 0)
        self._head_held, self.headers, self.url = 0, [], b""  # it may linger, and has nothing of this counted
        self.parser = httptools.HttpRequestParser(self)  # the old one keeps the field that it was reading
        self._take, self._body, self._in_request, self.ended = None, b"", False, True
        self.refuse(answer)
