"""The hot path over a nats-py connection: messages parsed and written in bulk, handed over without a task or a queue.

Of 20,000 messages of 600 bytes one costs 3.5 µs of CPU to append in a batch, and 8 µs to pull and acknowledge; with
nats-py's own calls 12 and 19. The connection, its reconnects and pings and all rare calls stay nats-py's. What is
used here of its private parts (`_ps`, `_pending`, `_transport`, `_id`) is that of the pinned version; tests hold it.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import BadHeaderError, BadSubjectError, ConnectionClosedError, MaxPayloadError, ProtocolError
from nats.protocol.parser import Parser

log = logging.getLogger(__name__)

Handler = Callable[[bytes, bytes, bytes, bytes], None]  # subject, reply, header block (or empty), payload

_MAX_LINE = 16 << 10  # bytes of a control line; INFO is the longest
_HMSG, _MSG = b"H"[0], b"M"[0]


class BulkParser(Parser):
    """Parses what the server sends without copying its buffer for each message; control lines go to nats-py."""

    def __init__(self, client: Client) -> None:
        self.handlers: dict[bytes, Handler] = {}
        self.lost: list[Callable[[], None]] = []  # called when the connection is gone
        self._rest = b""
        self._connection = 0
        super().__init__(client)

    def reset(self) -> None:
        """Forget the remains of a connection that is gone."""
        super().reset()
        self._rest = b""
        self._connection += 1
        for call in self.lost:
            call()

    async def parse(self, data: bytes = b"") -> None:
        """Take bytes as they come; what is incomplete waits for the next."""
        buffer = self._rest + data if self._rest else data
        connection, at, end = self._connection, 0, len(buffer)
        while at < end:
            line = buffer.find(b"\r\n", at)
            if line < 0:
                if end - at > _MAX_LINE:
                    raise ProtocolError("nats: endless line")
                break
            if buffer[at] in (_HMSG, _MSG):
                stop = await self._message(buffer, at, line)
                if not stop:
                    break
                at = stop
            else:
                await super().parse(buffer[at : line + 2])
                if self._connection != connection:  # an error closed it, and another one may be open by now
                    return
                at = line + 2
        self._rest = buffer[at:]

    async def _message(self, buffer: bytes, at: int, line: int) -> int:
        """Hand over one message; return where the next thing starts, 0 when this one is incomplete."""
        with_header = buffer[at] == _HMSG
        words = buffer[at:line].split()
        body, stop = line + 2, line + 2 + int(words[-1])
        if stop + 2 > len(buffer):
            return 0
        split = body + int(words[-2]) if with_header else body
        reply = words[3] if len(words) == (6 if with_header else 5) else b""
        handler = self.handlers.get(words[2])
        if handler is None:
            header = buffer[body:split] if with_header else None
            await self.nc._process_msg(int(words[2]), words[1], reply, buffer[split:stop], header)
        else:
            try:
                handler(words[1], reply, buffer[body:split], buffer[split:stop])
            except Exception:
                log.exception("a message could not be handled")
        return stop + 2


def parser_of(client: Client) -> BulkParser:
    """Return the parser of a connection, put in place of nats-py's when it is first asked for."""
    held: Any = client
    if not isinstance(held._ps, BulkParser):
        if held._ps.buf:
            raise ProtocolError("nats: replaced in the middle of a message")
        held._ps = BulkParser(client)
    parser: BulkParser = held._ps
    return parser


async def subscribe(client: Client, subject: str, handler: Handler) -> Subscription:
    """Subscribe with a plain function that gets each message as bytes, in the read loop itself."""
    parser = parser_of(client)
    subscription = await client.subscribe(subject)
    parser.handlers[b"%d" % subscription._id] = handler
    return subscription


async def unsubscribe(client: Client, subscription: Subscription) -> None:
    """End a subscription made here."""
    parser_of(client).handlers.pop(b"%d" % subscription._id, None)
    if client.is_connected and not client.is_draining:
        await subscription.unsubscribe()


def frame(subject: str, reply: str, payload: bytes) -> bytes:
    """Return a message without headers as the protocol writes it."""
    return b"PUB %b %d\r\n%b\r\n" % (f"{subject} {reply}".rstrip().encode(), len(payload), payload)


def frame_with_headers(subject: str, reply: str, headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return a message with headers as the protocol writes it.

    Raises:
        nats.errors.BadHeaderError, nats.errors.BadSubjectError: what would break the framing.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise BadHeaderError("a header holds a line break")
    if not subject or not subject.isprintable() or " " in subject:
        raise BadSubjectError
    block = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (
        f"{subject} {reply}".rstrip().encode(), len(block), len(block) + len(payload), block, payload,
    )  # fmt: skip


def write(client: Client, frames: list[bytes]) -> None:
    """Write messages in one piece, behind what nats-py has not written yet.

    Raises:
        nats.errors.ConnectionClosedError, nats.errors.MaxPayloadError: nothing was written.
    """
    held: Any = client
    if not client.is_connected or held._transport is None:
        raise ConnectionClosedError
    if any(len(item) > client.max_payload for item in frames):
        raise MaxPayloadError
    try:
        held._transport.write(b"".join([*held._pending, *frames]))
    except RuntimeError as error:  # uvloop's word for a connection that closed before the client has heard of it
        raise ConnectionClosedError from error
    if held._pending_data_size:
        held._pending, held._pending_data_size = [], 0


def read_headers(block: bytes) -> tuple[str, dict[str, str]]:
    """Return the status line's words (empty for a plain message) and the headers of a header block."""
    first, *lines = block.decode("utf-8", "replace").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name] = value.strip()
    return first[9:], headers
