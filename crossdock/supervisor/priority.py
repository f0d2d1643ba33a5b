"""Which process gives way when there are more of them ready than cores."""

import contextlib
import os
from pathlib import Path

MOVES = 5  # what has taken an event may bring it on a moment later: who waits for an answer goes first
TELLS = 15  # what only tells of it, a second later
_GROUP = Path("/proc/self/autogroup")


def give_way(nice: int) -> None:
    """Let processes of a lower `nice` go first.

    Measured on one core against a busy process of another session: 50% of it before, 10% after ten of them.
    """
    os.nice(nice)
    # Where Linux groups processes by session, as it does by default, it heeds nice within the session only, and each of
    # our processes has its own; a session that is not ours alone (somebody's shell) must keep its rank.
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            _GROUP.write_text(str(nice))
