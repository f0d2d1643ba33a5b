"""The HTTP server of gateway and operations: uvicorn, with bounds on what a client may make it hold or wait for."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crossdock.supervisor.ready import announce

MAX_HEAD = 64 << 10  # bytes of request line and headers
REQUEST_WITHIN = 60.0  # seconds from a request's first byte to its last
CONNECTIONS = 4096
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


async def serve(app: Any, host: str, port: int, env: Mapping[str, str]) -> None:
    """Serve until SIGTERM, and tell the supervisor when the server listens."""
    config = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, http=_BoundedProtocol, ws="none", lifespan="off",
        timeout_graceful_shutdown=10, timeout_keep_alive=75, limit_concurrency=CONNECTIONS,
    )  # fmt: skip
    await _Server(config, env).serve()


class _BoundedProtocol(HttpToolsProtocol):
    """Cuts a head without end, and a request that takes for ever."""

    _head = 0
    _in_head = False
    _deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head += len(data)
        if self._in_head and self._head > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._head, self._in_head = 0, True
        self._deadline = self.loop.call_later(REQUEST_WITHIN, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._forget_deadline()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class _Server(uvicorn.Server):
    """Tells the supervisor when it listens, and leaves the end of the process to us."""

    def __init__(self, config: uvicorn.Config, env: Mapping[str, str]) -> None:
        super().__init__(config)
        self._env = env

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        announce(self._env)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal only end the serving: uvicorn raises it again, of which the process dies before we close."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield
