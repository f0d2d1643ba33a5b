"""How a child tells the supervisor that it is ready: one line on an inherited pipe. Both ends are here."""

import asyncio
import os
from collections.abc import Mapping

VARIABLE = "CROSSDOCK_READY_FD"
_LINE = b"ready\n"


def announce(env: Mapping[str, str]) -> None:
    """Say `ready` to the supervisor; called once by a role, does nothing where no supervisor listens."""
    if VARIABLE in env:
        with os.fdopen(int(env[VARIABLE]), "wb") as pipe:
            pipe.write(_LINE)


class ReadyPipe:
    """The supervisor's side, for one start of one child, which inherits `write`."""

    def __init__(self) -> None:
        read, self.write = os.pipe()
        self._read = os.fdopen(read, "rb", buffering=0)

    def close(self) -> None:
        """Give up listening."""
        self._read.close()

    async def wait(self) -> bool:
        """Return whether the child said it before it died or closed the pipe."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._read)
        try:
            return await reader.readline() == _LINE
        finally:
            transport.close()
