"""Replays that are stored and wait: for the ledger, and for those who would send another one."""

from collections.abc import Mapping

from nats.aio.client import Client
from nats.js.api import DeliverPolicy

from crossdock.adapters.pages import READING, read
from crossdock.adapters.positions import Positions
from crossdock.kernel.stream import ACT, EVENTS, RAW
from crossdock.pipeline.again import places
from dlq.record import Place

_LOT = 5000


class UnderWay:
    """Finds the copies that wait, as far as somebody asks; what was read of a subject is not read again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._read: dict[str, int] = {}
        self._found: dict[str, dict[Place, tuple[int, str]]] = {RAW: {}, EVENTS: {}}

    async def of(self, at: Positions, wanted: Mapping[Place, str]) -> dict[Place, str]:
        """Return which of these had a copy waiting at some positions, and the act that sent it.

        `wanted` names the subjects in RAW that the copies may have: there they wait for the process step.

        Raises:
            Unavailable: the broker does not answer.
        """
        for route in sorted({route for route, _ in wanted if route in at.readings}):
            await self._look(EVENTS, f"replay.{route}", at.readings[route].done())
        self._found[EVENTS] = {
            place: found
            for place, found in self._found[EVENTS].items()
            if place[0] in at.readings and at.readings[place[0]].waits(found[0])
        }
        for subject in sorted({subject for place, subject in wanted.items() if place not in self._found[EVENTS]}):
            await self._look(RAW, subject, at.processed)
        self._found[RAW] = {place: found for place, found in self._found[RAW].items() if found[0] > at.processed}
        waiting = self._found[RAW] | self._found[EVENTS]
        return {place: waiting[place][1] for place in wanted if place in waiting}

    async def _look(self, stream: str, subject: str, done: int) -> None:
        after, number = max(done, self._read.get(subject, 0)), _LOT
        while number == _LOT:
            config = READING.evolve(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                filter_subjects=[subject],
                headers_only=True,
            )
            messages = await read(self._client, stream, config, _LOT, whole=False)
            for message in messages:
                for place in places(message):
                    self._found[stream][place] = message.seq, message.headers.get(ACT, "")
            number, after = len(messages), messages[-1].seq if messages else after
        self._read[subject] = after
