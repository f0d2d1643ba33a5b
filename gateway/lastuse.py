"""When API keys are used: noted in memory on the hot path, told to the store now and then."""

import asyncio
import contextlib
import logging

from crossdock.kernel.apikeys import Uses
from crossdock.kernel.problems import Unavailable

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds; a gateway that is killed loses what was used since


class LastUse:
    """Notes which keys are used, and tells the store."""

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self._noted: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell the store every `EVERY` seconds."""
        self._task = asyncio.create_task(self._run())

    def used(self, key_id: str, now: int) -> None:
        """Note the use of a valid key at a time in Unix milliseconds."""
        self._noted[key_id] = now

    async def close(self) -> None:
        """Tell the store what it has not heard yet, and stop."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._flush()

    async def _flush(self) -> None:
        """Tell the store; while it is away the notes stay, one for each key."""
        if not self._noted:
            return
        told = dict(self._noted)
        try:
            await self._uses.note(told)
        except Unavailable as error:
            log.warning("last uses of keys are not stored yet: %s", error)
            return
        self._noted = {key_id: at for key_id, at in self._noted.items() if told.get(key_id) != at}
