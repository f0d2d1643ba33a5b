"""What was taken from an inbox: acknowledged when everyone who shares a message is done with it."""

import time
from collections.abc import Iterable

from crossdock.kernel.stream import Inbox, Message


class Share:
    """One message in hand; `left` says how many still have to be done with it, `since` is monotonic seconds."""

    __slots__ = ("hands", "left", "message", "since")

    def __init__(self, hands: "Hands", message: Message) -> None:
        self.hands = hands
        self.message = message
        self.left = 1
        self.since = time.monotonic()


class Hands:
    """The messages of one inbox that are not acknowledged yet."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._taken: dict[int, Share] = {}

    def take(self, message: Message) -> Share | None:
        """Take a message; None for a second hand-out of one that is here, of which the newer is answered."""
        share = self._taken.get(message.seq)
        if share is not None:
            share.message = message
            return None
        share = self._taken[message.seq] = Share(self, message)
        return share

    async def drained(self) -> bool:
        """Tell whether everything that was stored by now was fetched, and what is not acknowledged is here."""
        return await self.inbox.drained(len(self._taken))

    async def done(self, seq: int) -> bool:
        """Tell whether everything up to a sequence was acknowledged."""
        return await self.inbox.done(seq, self._taken.keys())

    def extend(self, older: float) -> None:
        """Tell the broker that what was taken so many seconds ago is still being worked on."""
        until = time.monotonic() - older
        self.inbox.extend([share.message for share in self._taken.values() if share.since < until])

    def forget(self, share: Share) -> None:
        """Let go of a message that is done."""
        self._taken.pop(share.message.seq, None)


def release(shares: Iterable[Share]) -> None:
    """Say of each message that one is done with it; what has nobody left is acknowledged."""
    done: dict[Hands, list[Message]] = {}
    for share in shares:
        share.left -= 1
        if share.left == 0:
            share.hands.forget(share)
            done.setdefault(share.hands, []).append(share.message)
    for hands, messages in done.items():
        hands.inbox.ack(messages)
