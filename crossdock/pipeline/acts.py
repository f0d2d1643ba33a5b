"""Acts on dead letters, one after another, so that each decides by what those before it did."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from crossdock.kernel.problems import Unavailable
from dlq.record import DeadLetter, Place, place_of
from journal.store import OPEN, REPLAYING, LetterState

PATIENCE = 10.0  # seconds for the acts before this one, and for the journal
LOOK_EVERY = 0.05
MANY = 10_000  # dead letters that are kept in mind

OWN = "this act has sent it before"

Known = Callable[[Sequence[str]], Mapping[str, LetterState]]


class Sent(Protocol):
    """What the streams say of what was done before; every method raises Unavailable when the broker does not answer."""

    async def recorded(self) -> int:
        """Return the last sequence of JOURNAL, 0 when it holds nothing."""

    async def waiting(self, letters: Sequence[DeadLetter]) -> Mapping[Place, str]:
        """Return of which dead letters a replay is stored and not done with, and the name of the act that sent it."""


class Acts:
    """Hands out turns, as the states that the journal knows lag behind what was done.

    `known` gives the states of dead letters and `position` how far they are, both of which block. All acts of an
    installation take their turn here, in its one operations process.
    """

    def __init__(self, known: Known, position: Callable[[], int], sent: Sent) -> None:
        self._known = known
        self._position = position
        self._sent = sent
        self._lock = asyncio.Lock()
        # Acted on since the journal was last waited for; None for all, as the process before this one may have done.
        self._touched: set[str] | None = None

    @asynccontextmanager
    async def turn(self, ids: Sequence[str]) -> AsyncIterator[Mapping[str, LetterState]]:
        """Give the states of dead letters with all that was done to them; nobody else acts until it ends.

        Raises:
            Unavailable: the turn did not come in time, the journal is behind, or the broker does not answer.
        """
        await self._take()
        try:
            yield await self._states(ids)
        finally:
            self._keep_in_mind(ids)
            self._lock.release()

    async def hindered(
        self, letters: Mapping[str, DeadLetter], states: Mapping[str, LetterState], act: str
    ) -> dict[str, str]:
        """Return why dead letters must not be sent through again now, by id, `OWN` for what an act has sent itself.

        To be asked in a turn that gave the states. One that was recorded as replayed may be sent when nothing of it
        waits and no outcome came: who recorded it was killed before it was stored, or it was lost.

        Raises:
            Unavailable: the broker does not answer, or the journal is behind.
        """
        reasons = {one.id: f"it is {one.state}" for one in states.values() if one.state not in (OPEN, REPLAYING)}
        replaying = {name: letter for name, letter in letters.items() if states[name].state == REPLAYING}
        if not replaying:
            return reasons
        waiting = await self._sent.waiting(list(replaying.values()))
        await self._catch_up()  # after the look: what was done with by then has its outcome in the journal
        now = await self.look(list(replaying))
        for name, letter in replaying.items():
            by, present = waiting.get(place_of(letter)), now[name]
            if by is not None:
                reasons[name] = OWN if by == act else "another replay of it is under way"
            elif (present.state, present.failures) != (REPLAYING, states[name].failures):
                reasons[name] = f"it is {present.state} by now"
        return reasons

    async def look(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        """Give the states of dead letters as the journal has them, which may lag.

        Raises:
            Unavailable: it does not know all of them.
        """
        states = await asyncio.to_thread(self._known, ids)
        if len(states) < len(set(ids)):
            raise Unavailable("the journal is being built again and does not know all dead letters yet")
        return states

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._lock.acquire()
        except TimeoutError:
            raise Unavailable("another act on dead letters is under way; try again") from None

    async def _states(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        if self._touched is None or not self._touched.isdisjoint(ids):
            await self._catch_up()
            self._touched = set()
        return await self.look(ids)

    async def _catch_up(self) -> None:
        newest = await self._sent.recorded()
        try:
            async with asyncio.timeout(PATIENCE):
                while await asyncio.to_thread(self._position) < newest:  # noqa: ASYNC110  only the store knows
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise Unavailable("the journal is behind and does not say yet what was done last; try again") from None

    def _keep_in_mind(self, ids: Sequence[str]) -> None:
        if self._touched is not None:
            self._touched.update(ids)
            if len(self._touched) > MANY:
                self._touched = None
