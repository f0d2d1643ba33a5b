"""The HTTP server of gateway and operations: uvicorn, with bounds on what a client may make it hold or wait for."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import uvicorn

from crossdock.kernel.accesssettings import Tls
from crossdock.supervisor.certificate import Renewal
from crossdock.supervisor.door import Door, Doorkeeper
from crossdock.supervisor.protocol import IDLE, BoundedProtocol
from crossdock.supervisor.ready import announce
from crossdock.supervisor.room import CONNECTIONS, Room, lift_file_limit
from crossdock.supervisor.slots import Direct, Writer
from gateway.bodies import Budget

_WEBSOCKETS = "websockets-sansio"  # the console is live over them; the gateway, with its short way, has none
_MESSAGE = 1 << 20  # bytes of what a browser sends at once
_TICK = 1.0  # seconds between two looks at the connections, which cost less than timers for every request


async def serve(
    app: Any,
    host: str,
    port: int,
    env: Mapping[str, str],
    direct: Direct | None = None,
    door: Door = (),
    budget: Budget | None = None,
    tls: Tls | None = None,
) -> None:
    """Serve until SIGTERM, and tell the supervisor when the server listens; `direct` has its path to itself.

    With a `door` its sockets are accepted from, and nothing is bound. What requests hold counts on the `budget`.
    """
    await make_server(app, host, port, env, direct, door, budget, lift_file_limit(), tls).serve()


def make_server(  # noqa: PLR0913, PLR0917  what `serve` is given, each with its default
    app: Any,
    host: str,
    port: int,
    env: Mapping[str, str],
    direct: Direct | None = None,
    door: Door = (),
    budget: Budget | None = None,
    connections: int = CONNECTIONS,
    tls: Tls | None = None,
) -> uvicorn.Server:
    """Return the server, not yet listening."""
    http: Any = partial(BoundedProtocol, direct, Writer(), Room(connections), budget or Budget())
    config = uvicorn.Config(
        app, host, port, log_config=None, log_level="warning", access_log=False, http=http,
        ws="none" if direct else _WEBSOCKETS, lifespan="off", timeout_graceful_shutdown=10,
        timeout_keep_alive=int(IDLE), proxy_headers=False, interface="asgi3", ws_max_size=_MESSAGE,
        ssl_certfile=tls.cert if tls else None, ssl_keyfile=tls.key if tls else None,
    )  # fmt: skip
    return _Server(config, env, door, Renewal(tls) if tls else None)


class _Server(uvicorn.Server):
    """Tells the supervisor when it listens, and leaves the end of the process to us."""

    def __init__(self, config: uvicorn.Config, env: Mapping[str, str], door: Door, renewal: Renewal | None) -> None:
        super().__init__(config)
        self._env, self._door, self._renewal = env, door, renewal
        self._exit = asyncio.Event()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then say so."""
        await super().startup([] if self._door else sockets)
        for one in self._door:
            keeper = Doorkeeper(one, self._connection)
            keeper.open()
            self.servers.append(keeper)  # type: ignore[arg-type]
        announce(self._env)

    async def main_loop(self) -> None:
        """Tick until told to exit; uvicorn looks for that ten times a second, which an idle machine notices."""
        while not await self.on_tick(0):
            if self._renewal:
                self._renewal.look(self.config.ssl)
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.expire(now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._exit.wait()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to end, at once."""
        super().handle_exit(sig, frame)
        self._exit.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal only end the serving: uvicorn raises it again, of which the process dies before we close."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield

    def _connection(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made
