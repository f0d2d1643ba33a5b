"""Replays that are stored and wait: for the ledger, and for those who would send another one."""

from collections.abc import Mapping

from nats.aio.client import Client
from nats.js.api import DeliverPolicy

from crossdock.adapters.pages import READING, read
from crossdock.adapters.positions import Positions
from crossdock.adapters.shape import Shape, shape
from crossdock.adapters.watch import told
from crossdock.kernel.stream import ACT, EVENTS, RAW
from crossdock.pipeline.again import places
from dlq.record import Place

_LOT = 5000


class UnderWay:
    """Finds the copies that wait, as far as somebody asks; what was read of a subject is not read again.

    To be asked by one at a time.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shapes: dict[str, Shape] = {}
        self._floors: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._found: dict[str, dict[Place, tuple[int, str]]] = {RAW: {}, EVENTS: {}}

    async def of(self, at: Positions, wanted: Mapping[Place, str]) -> dict[Place, str]:
        """Return which of these had a copy waiting at some positions, and the act that sent it.

        `wanted` names the subjects in RAW that the copies may have, where they wait for the process step; none where
        no copy can be there.

        Raises:
            Unavailable: the broker does not answer.
        """
        floors = {route: at.readings[route].done() for route, _ in wanted if route in at.readings}
        await self._follow({"": at.processed, **floors})
        for route, done in sorted(floors.items()):
            await self._look(EVENTS, f"replay.{route}", done)
        self._let_go(RAW, {}, at.processed)
        self._let_go(EVENTS, floors, 0)
        waiting = {
            place: found
            for place, found in self._found[EVENTS].items()
            if place in wanted and place[0] in floors and at.readings[place[0]].waits(found[0])
        }
        known = self._found[RAW].keys() | waiting.keys()
        for subject in sorted({subject for place, subject in wanted.items() if subject and place not in known}):
            await self._look(RAW, subject, at.processed)
        waiting = self._found[RAW] | waiting
        return {place: waiting[place][1] for place in wanted if place in waiting}

    async def _follow(self, floors: Mapping[str, int]) -> None:
        """Begin anew when a stream is another one, or when those who read it went back."""
        with told():
            shapes = {stream: await shape(self._client, stream) for stream in (RAW, EVENTS)}
        known = all(shapes[stream].follows(before) for stream, before in self._shapes.items())
        if not known or any(floor < self._floors.get(route, 0) for route, floor in floors.items()):
            self._floors, self._read, self._found = {}, {}, {RAW: {}, EVENTS: {}}
        self._shapes, self._floors = shapes, {**self._floors, **floors}

    def _let_go(self, stream: str, floors: Mapping[str, int], floor: int) -> None:
        """Forget what is done with, and what is past the retention of its stream."""
        first, found = self._shapes[stream].first, self._found[stream]
        self._found[stream] = {
            place: one for place, one in found.items() if one[0] >= first and one[0] > floors.get(place[0], floor)
        }

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
