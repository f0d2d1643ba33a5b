"""One HTTP/1.1 connection of the delivery client: writes a request, parses the answer, bounds all it reads."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import httptools

from connectors.target import SendFailed

MAX_READ = 1 << 20  # bytes of one answer that are read before the connection is given up


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; header names in lower case, the body cut at the client's `max_body`."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of an answer that are kept, and that are read at all."""

    body: int
    headers: int
    read: int = MAX_READ


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; `lost` is called once, when the connection is gone."""

    # State of the exchange under way; `_reset` sets it.
    answered: bool
    _received: int
    _head_bytes: int
    _head_done: bool
    _status: int
    _headers: dict[str, str]
    _body: list[bytes]
    _kept: int
    _complete: bool
    _junk: bool
    _keep: bool
    _bodiless: bool

    def __init__(self, limits: Limits, lost: Callable[["Connection"], None]) -> None:
        self.idle_since = 0.0
        self.deadline = 0.0
        self._limits = limits
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply: asyncio.Future[Response] | None = None
        self._reset()

    @property
    def usable(self) -> bool:
        """Whether another exchange may start."""
        return self._transport is not None and self._reply is None

    async def exchange(self, request: bytes, deadline: float) -> Response:
        """Write a request and return its answer; a cancelled exchange ends the connection.

        Its pool watches the deadline (loop time).

        Raises:
            SendFailed: `reset`, `protocol`, `timeout` or `closed`.
        """
        if self._transport is None:
            raise SendFailed("reset", "the connection was closed", sent=False)
        self._reset()
        self._bodiless = request.startswith(b"HEAD ")
        self.deadline = deadline
        reply: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._reply = reply
        self._transport.write(request)
        try:
            return await reply
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """End the connection at once; an exchange under way is forgotten."""
        self._reply = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def fail(self, code: str, detail: str) -> None:
        """End the connection at once; an exchange under way fails with the code."""
        reply = self._reply
        self.close()
        if reply is not None and not reply.done():
            reply.set_exception(SendFailed(code, detail, sent=True))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop with bytes of an answer, or with bytes that nobody asked for."""
        if self._reply is None:
            self.close()
            return
        self.answered = True
        self._received += len(data)
        error = ""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as problem:  # an upgrade (101) is one too
            error = str(problem.__context__ or problem) or "not an HTTP answer"
        except httptools.HttpParserUpgrade:
            error = "the target switched protocols"
        self._judge(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._transport = None
        if self._reply is not None:
            if exc is None and self._head_done and self._until_close:
                self._finish(keep=False)
            else:
                self.fail("reset", str(exc or "") or "the target hung up before its answer was complete")
        self._lost(self)

    # Called by the parser.

    def on_message_begin(self) -> None:
        """An answer starts; after a complete one it is junk."""
        self._junk = self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is dropped."""
        if self._head_done:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._limits.headers:
            raise ValueError(f"the headers are longer than {self._limits.headers} bytes")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        between = "\n" if key == "set-cookie" else ", "  # a cookie may hold commas (RFC 9110, section 5.3)
        self._headers[key] = f"{self._headers[key]}{between}{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is complete; one with a 1xx status only announces another."""
        if self._parser.get_status_code() < 200:
            self._headers = {}
        elif not self._complete:
            self._head_done = True
            self._status = self._parser.get_status_code()
            self._complete = self._bodiless  # the parser waits for the body that content-length names

    def on_body(self, data: bytes) -> None:
        """A piece of the body; what exceeds the limit is dropped."""
        room = self._limits.body - self._kept
        if room > 0 and not self._complete:
            self._body.append(data[:room])
            self._kept += len(data)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        if self._head_done and not self._complete:
            self._complete = True
            self._keep = self._parser.should_keep_alive()

    @property
    def _until_close(self) -> bool:
        return "content-length" not in self._headers and "transfer-encoding" not in self._headers

    def _reset(self) -> None:
        self.answered = False
        self._received = 0
        self._head_bytes = 0
        self._head_done = False
        self._status = 0
        self._headers = {}
        self._body = []
        self._kept = 0
        self._complete = False
        self._junk = False
        self._keep = False
        self._bodiless = False

    def _judge(self, error: str) -> None:
        if self._complete:
            self._finish(keep=self._keep and not self._junk and not error)
        elif error:
            self.fail("protocol", error)
        elif not self._head_done and self._received > self._limits.headers:
            self.fail("protocol", f"the headers are longer than {self._limits.headers} bytes")
        elif self._received > self._limits.read:
            self._finish(keep=False)  # the status is known, and the rest of the body is of no use

    def _finish(self, *, keep: bool) -> None:
        reply, self._reply = self._reply, None
        # An answer that overtook its request leaves the rest of the request in the way of the next one.
        if not keep or (self._transport is not None and self._transport.get_write_buffer_size()):
            self.close()
        if reply is not None and not reply.done():
            reply.set_result(Response(self._status, self._headers, b"".join(self._body)))
