"""The HTTP server of gateway and operations: uvicorn, with bounds on what a client may make it hold or wait for."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import uvicorn

from crossdock.supervisor.protocol import IDLE, BoundedProtocol, Direct, Writer
from crossdock.supervisor.ready import announce

CONNECTIONS = 4096
_EVERY = 10  # ticks of uvicorn between two looks at the connections: a second


async def serve(app: Any, host: str, port: int, env: Mapping[str, str], direct: Direct | None = None) -> None:
    """Serve until SIGTERM, and tell the supervisor when the server listens; `direct` has its path to itself."""
    await make_server(app, host, port, env, direct).serve()


def make_server(app: Any, host: str, port: int, env: Mapping[str, str], direct: Direct | None = None) -> uvicorn.Server:
    """Return the server, not yet listening."""
    http: Any = partial(BoundedProtocol, direct, Writer())
    config = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, http=http, ws="none", lifespan="off",
        timeout_graceful_shutdown=10, timeout_keep_alive=int(IDLE), limit_concurrency=CONNECTIONS,
    )  # fmt: skip
    return _Server(config, env)


class _Server(uvicorn.Server):
    """Tells the supervisor when it listens, and leaves the end of the process to us."""

    def __init__(self, config: uvicorn.Config, env: Mapping[str, str]) -> None:
        super().__init__(config)
        self._env = env

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        announce(self._env)

    async def on_tick(self, counter: int) -> bool:
        """Look at the connections every second, which costs less than timers for every request."""
        if counter % _EVERY == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.expire(now)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal only end the serving: uvicorn raises it again, of which the process dies before we close."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield
