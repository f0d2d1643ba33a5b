"""The door of the gateway: sockets that the supervisor listens on, and from which all gateway processes accept."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from crossdock.kernel.problems import Refused, refuse

log = logging.getLogger(__name__)

VARIABLE = "CROSSDOCK_GATEWAY_SOCKETS"
BACKLOG = 2048
_PAUSE = 1.0  # seconds without accepting after this process or the machine has run out of descriptors
_MISSING = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}

Door = Sequence[socket.socket]


@contextmanager
def listening(host: str, port: int) -> Iterator[Door]:
    """Listen on every address of the host; connections wait here while no gateway process runs.

    Raises:
        Refused: `port_taken`, somebody else listens there.
    """
    with ExitStack() as opened:
        yield [opened.enter_context(found) for found in _listen(host, port)]


def taken(name: str, port: int) -> Refused:
    """Return the refusal of a port on which somebody else listens."""
    return refuse("port_taken", f"port {port} of the {name} is taken", f"give --{name}-port; 0 picks a free one")


def told(door: Door) -> str:
    """Return what a gateway process finds in its environment under `VARIABLE`."""
    return ",".join(str(one.fileno()) for one in door)


def inherited(env: Mapping[str, str]) -> Door:
    """Return the sockets given by the supervisor; none when this process has to listen itself."""
    return [socket.socket(fileno=int(number)) for number in env.get(VARIABLE, "").split(",") if number]


class Doorkeeper:
    """Accepts from one socket, in the way of an `asyncio.Server`.

    One connection a turn of the loop: whoever takes all that wait, as libuv does, leaves none to its neighbours.
    """

    def __init__(self, door: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._door, self._protocol = door, protocol
        self._loop = asyncio.get_running_loop()
        self._begun: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        door.setblocking(False)

    def open(self) -> None:
        """Begin to accept."""
        self._loop.add_reader(self._door, self._accept)

    def close(self) -> None:
        """Accept no more."""
        if self._later:
            self._later.cancel()
        self._loop.remove_reader(self._door)
        self._door.close()

    async def wait_closed(self) -> None:
        """Wait until what was accepted has been handed over."""
        if self._begun:
            await asyncio.wait(self._begun)

    def _accept(self) -> None:
        try:
            connection, _ = self._door.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # another process was quicker
            return
        except OSError as error:
            log.error("cannot accept connections: %s", error)
            self._loop.remove_reader(self._door)
            self._later = self._loop.call_later(_PAUSE, self.open)
            return
        task = self._loop.create_task(self._begin(connection))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError as error:  # it is gone already
            log.debug("a connection was lost at once: %s", error)
            connection.close()


def _listen(host: str, port: int) -> Iterator[socket.socket]:
    places = dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    found = 0
    for family, _, _, _, address in places:
        try:
            yield socket.create_server(address, family=family, backlog=BACKLOG)
            found += 1
        except OSError as error:
            if error.errno not in _MISSING:  # an address of a protocol that this machine does not speak is left out
                raise taken("gateway", port) from error
    if not found:
        raise taken("gateway", port)
