"""Dead letters of ordered routes after which a later event of their key was delivered; called by the dry run."""

import asyncio
from collections.abc import Mapping, Sequence

from console.desk import Desk
from crossdock.kernel import event as events
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import CLAIM, EVENTS, SOURCE, Message
from dlq.record import DELIVER, DeadLetter
from journal.entry import DELIVERED
from journal.search import Search
from routes.match import order_key
from routes.spec import Route

LOOKED_BACK = 500  # deliveries of a route, the last ones
_AT_ONCE = 50


async def late(desk: Desk, letters: Sequence[DeadLetter]) -> list[str]:
    """Return the ids of those that would come after a later event of their `order_by`, which was delivered already.

    Raises:
        Unavailable: the broker does not answer.
    """
    found = []
    for name in sorted({letter.route for letter in letters if letter.stage == DELIVER}):
        route, own = desk.project.routes.get(name), [letter for letter in letters if letter.route == name]
        if route is not None and route.order_by is not None:
            newest = await _newest(desk, route, min(letter.origin for letter in own))
            found += [one.id for one in own if newest.get(_key(desk, route, one.headers, one.payload), 0) > one.origin]
    return found


async def _newest(desk: Desk, route: Route, after: int) -> dict[str, int]:
    """Return the last sequence in EVENTS that was delivered of each key, of those after a sequence."""
    wanted = Search(route=route.name, outcome=DELIVERED, limit=LOOKED_BACK)
    page = await asyncio.to_thread(desk.journal.search, wanted)
    seqs = sorted({line.seq for line in page.items if line.seq > after})
    newest: dict[str, int] = {}
    for start in range(0, len(seqs), _AT_ONCE):
        lot = seqs[start : start + _AT_ONCE]
        for seq, message in zip(lot, await asyncio.gather(*(desk.stored(EVENTS, seq) for seq in lot)), strict=True):
            if message is not None and CLAIM not in message.headers:
                newest[_of(desk, route, message)] = seq
    newest.pop("", None)
    return newest


def _of(desk: Desk, route: Route, message: Message) -> str:
    return _key(desk, route, message.headers, message.payload)


def _key(desk: Desk, route: Route, headers: Mapping[str, str], payload: bytes) -> str:
    """Return what must stay in order, empty for what has no such key."""
    try:
        event = desk.project.as_asked(route, events.restore(payload))
        return order_key(route, view(event, headers.get(SOURCE, "")))
    except (Refused, ValueError, KeyError):
        return ""
