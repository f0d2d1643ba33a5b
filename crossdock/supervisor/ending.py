"""How an HTTP connection ends: with a last answer that arrives, and after a bounded while."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER = 2.0  # seconds
DROPPED = 1 << 20  # bytes read and dropped of what nobody takes any more
UNREAD = 60.0  # seconds that a client may read nothing of what is written to it


class EndingProtocol(HttpToolsProtocol):
    """Closes in two steps (RFC 9112 section 9.6): it stops writing, then drops what comes, then closes.

    To close with bytes unread resets the connection, at which a client's system throws away answers it has not read.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.since = self.loop.time()  # when it began what it is doing: a request, to wait for one, to end
        self._finished = False
        self.dropped = 0  # bytes of one request
        self._lingers: asyncio.TimerHandle | None = None

    @property
    def has_finished(self) -> bool:
        """Tell whether nothing more can be written."""
        return self._finished or self.transport.is_closing()

    def finish(self) -> None:
        """End the connection behind what is written."""
        if self.has_finished:
            return
        self._finished, self.dropped, self.since = True, 0, self.loop.time()
        if not self.transport.can_write_eof():  # TLS has no half: it writes what there is, says so, and closes
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._lingers = self.loop.call_later(LINGER, self.transport.close)

    def drop(self, count: int) -> None:
        """Count bytes of a request that is answered already, and end the connection when they are too many."""
        self.dropped += count
        if self.dropped > DROPPED:
            self.finish()

    def refuse_more(self, count: int) -> None:
        """Count bytes behind the last request, which wait for its answer and are dropped after that."""
        if not self._finished:
            self.flow.pause_reading()
            return
        self.dropped += count
        if self.dropped > DROPPED:
            self.transport.close()

    def is_stalled(self, now: float) -> bool:
        """Tell whether the client has not read for too long."""
        return (self.flow.write_paused or self._finished) and now - self.since > UNREAD

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop lingering."""
        self._finished = True
        if self._lingers is not None:
            self._lingers.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Read no more from a client that does not read its answers."""
        super().pause_writing()
        self.since = self.loop.time()
        if not self._finished:
            self.flow.pause_reading()


class Exit:
    """The transport as uvicorn's cycle of one request sees it: its end is that of the connection."""

    def __init__(self, connection: EndingProtocol) -> None:
        self._connection = connection
        self.write, self.close = connection.transport.write, connection.finish

    def is_closing(self) -> bool:
        """Tell whether nothing more can be written."""
        return self._connection.has_finished
