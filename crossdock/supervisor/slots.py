"""The short way of a connection: what takes its requests, and the places and bytes of their answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.answers import Answer

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


class Connection(Protocol):
    """What sends the answers of its slots in their order."""

    def ready(self, slot: "Slot", answer: Answer) -> None:
        """Send an answer, and those that waited for it."""


class Slot:
    """The place of one answer in the order of a connection's requests."""

    __slots__ = ("_connection", "last", "size", "written")

    def __init__(self, connection: Connection, last: bool, size: int = 0) -> None:
        self._connection = connection
        self.last = last
        self.size = size  # bytes of the body, which is held until the answer
        self.written = b""

    def reply(self, answer: Answer) -> None:
        """Take the answer; it is sent when those before it are."""
        self.last = self.last or answer.last
        self._connection.ready(self, answer)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in headers)
