"""Work without an end, which begins again when it breaks off: nobody would see that it stands still."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds


async def lasting(act: Callable[[], Awaitable[None]], pause: float = PAUSE) -> None:
    """Do it until it ends or is cancelled; what it did not foresee is logged."""
    while True:
        try:
            await act()
            return
        except Exception:
            log.exception("work without an end broke off and begins again")
        await asyncio.sleep(pause)
