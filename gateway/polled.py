"""Events made of what a poll brought, the same way as those of a webhook; called by the poller of the workers."""

import asyncio
from collections.abc import Iterator, Sequence

from connectors.port import Lot
from crossdock.kernel import jsontext
from crossdock.kernel.event import encode_headers
from crossdock.kernel.problems import Problem, Refused, Unavailable
from crossdock.source import SourceSpec
from gateway import webhook
from gateway.caller import caller_of
from gateway.intake import Accepted, Intake
from gateway.storing import Storing
from gateway.webhook import Call

TOGETHER = 500  # events that are stored at once
_UNREADABLE = "unreadable"  # a reason of dead letters; no sender hears it
SLICE = 32  # items after which others get their turn


class Taker:
    """Takes the items of lots as the events of a source; what is no event is quarantined and not lost."""

    def __init__(self, source: SourceSpec, intake: Intake, storing: Storing) -> None:
        self._source = source
        self._caller = caller_of([source])
        self._intake = intake
        self._storing = storing

    async def take(self, lot: Lot) -> tuple[int, int]:
        """Store everything of a lot; return how many events it had, and how many of them are quarantined.

        Raises:
            Unavailable: not all is stored; the lot is to be taken again, and what is stored is a repeat then.
        """
        taken = refused = 0
        waiting: list[Accepted] = []
        for number, accepted in enumerate(self._events(lot), 1):
            waiting.append(accepted)
            refused += accepted.quarantined
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if len(waiting) == TOGETHER:
                taken += await self._store(waiting)
                waiting = []
        return taken + await self._store(waiting), refused

    async def _store(self, events: Sequence[Accepted]) -> int:
        words = await self._storing.store(events) if events else []
        if None in words:
            raise Unavailable("the broker did not acknowledge what was polled")
        return len(events)

    def _events(self, lot: Lot) -> Iterator[Accepted]:
        for place, item in enumerate(lot.items):
            named = lot.headers[place] if lot.headers else {}
            headers = {**named, "lot": lot.name, "number": str(place + 1), "content-type": "application/json"}
            try:
                body = jsontext.dumps(item)
            except (TypeError, ValueError) as error:
                text = jsontext.dumps(str(item)[: self._source.limits.body // 8])
                yield self._aside(Problem(_UNREADABLE, f"not JSON: {error}"), text)
                continue
            yield from self._of_item(Call(headers, {}, body))
        for fault in lot.faults:
            told = f"{fault} (polled by connector {self._source.poll.connector})" if self._source.poll else fault
            yield self._aside(Problem(_UNREADABLE, told), jsontext.dumps(fault))

    def _of_item(self, call: Call) -> Iterator[Accepted]:
        try:
            members = webhook.cut(self._source, call)
        except Refused as error:
            yield self._aside(error.problems[0], call.body)
            return
        for member in members:
            try:
                event = webhook.make_event(self._source, call, member)
                yield self._intake.admit(self._caller, self._source, event, encode_headers(event), member)
            except Refused as error:
                yield self._aside(error.problems[0], member)

    def _aside(self, why: Problem, item: bytes) -> Accepted:
        body = b'{"unreadable":%b}' % item
        if len(body) > self._source.limits.body:
            shown = item[: self._source.limits.body // 8].decode("utf-8", "replace")  # each may take six when escaped
            body = jsontext.dumps({"unreadable": shown})
        return self._intake.put_aside(self._source, why, body)
