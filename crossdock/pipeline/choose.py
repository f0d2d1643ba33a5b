"""What a replay plan is made of: dead letters in the order of the streams, and the events they are of."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from crossdock.kernel.stream import RAW_SEQ
from crossdock.pipeline.replay import LOT
from dlq.plans import Item, Past
from dlq.ports import Letters
from dlq.record import DeadLetter
from journal.store import LetterState


class Choice(NamedTuple):
    """A dead letter as an item of a plan, and its event as one."""

    item: Item
    past: Past


async def choose(states: Sequence[LetterState], letters: Letters) -> tuple[list[Choice], int]:
    """Return dead letters in the order of the streams, and how many are past their retention.

    Raises:
        Unavailable: the broker does not answer.
    """
    found: list[tuple[bool, int, Choice]] = []
    for start in range(0, len(states), LOT):
        lot = states[start : start + LOT]
        for state, letter in zip(lot, await asyncio.gather(*(letters.get(one.ref) for one in lot)), strict=True):
            if letter is not None:
                item = Item(state.id, state.event_id, state.ref, state.failures)
                found.append((bool(letter.route), letter.origin, Choice(item, _past(letter))))
    return [choice for _, _, choice in sorted(found)], len(states) - len(found)


def _past(letter: DeadLetter) -> Past:
    return Past(letter.origin, int(letter.headers.get(RAW_SEQ, 0))) if letter.route else Past(0, letter.origin)
