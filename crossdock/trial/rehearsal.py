"""Takes what comes in through gateway rules, the process step and the routes in memory; nothing leaves the process."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from connectors.connection import Response
from connectors.showing import request_of
from crossdock.adapters.memory import MemoryLog, MemorySeen
from crossdock.contenttest import Arrival
from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.kernel.stream import VERSION
from crossdock.pipeline import replies
from crossdock.pipeline.delivery import idempotency_key
from crossdock.pipeline.process import Processor, problems_of
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from crossdock.trial.answering import answered
from crossdock.trial.arrivals import Member, Taken, again, members
from crossdock.trial.failing import placed
from crossdock.trial.outcome import (
    DEAD,
    DUPLICATE,
    QUARANTINED,
    REFUSED,
    ROUTED,
    Failure,
    Outcome,
    Sent,
)
from crossdock.trial.watched import Watched, watch
from dlq.record import DELIVER, PROCESS, parse
from gateway.intake import Intake
from routes.match import matches, order_key
from routes.spec import Route

_GATEWAY = "gateway"
_NO_ANSWERS: Mapping[str, Response] = MappingProxyType({})


class Stored(NamedTuple):
    """An event of RAW as it was stored: its source, headers and body; for these routes alone if any are named."""

    source: str
    headers: dict[str, str]
    body: bytes
    routes: tuple[str, ...] = ()


class Redelivery(NamedTuple):
    """A canonical event as it was stored, for one route that had given it up."""

    route: str
    source: str
    body: bytes


class Rehearsal:
    """One project, ready to be tried with any number of cases, which know nothing of each other."""

    def __init__(self, project: Project) -> None:
        self.project = watch(project)
        self._intake = Intake(self.project)
        self._metrics = Metrics()

    def play(
        self, arrivals: Iterable[Arrival | Stored | Redelivery], answers: Mapping[str, Response] = _NO_ANSWERS
    ) -> list[Outcome]:
        """Return what becomes of each event that comes in, was taken before, or goes to one route again, in order.

        `answers` are what the targets of routes answer; other deliveries end with their request.
        """
        return asyncio.run(self._play(arrivals, answers))

    async def _play(
        self, arrivals: Iterable[Arrival | Stored | Redelivery], answers: Mapping[str, Response]
    ) -> list[Outcome]:
        run = _Run(self.project, self._metrics, answers)
        outcomes: list[Outcome] = []
        for arrival in arrivals:
            if isinstance(arrival, Redelivery):
                outcomes.append(await run.redeliver(arrival))
                continue
            try:
                only = arrival.routes if isinstance(arrival, Stored) else ()
                for member in self._members(arrival):
                    outcomes.append(await run.take(member, only))
            except Refused as error:
                outcomes.append(run.refused(arrival.source, error.problems))
        return outcomes

    def _members(self, arrival: Arrival | Stored) -> Iterable[Member]:
        if isinstance(arrival, Stored):
            return [again(self.project, self._intake, *arrival[:3])]
        return members(self.project, self._intake, arrival)


class _Run:
    """The streams and the dedupe store of one case."""

    def __init__(self, project: Watched, metrics: Metrics, answers: Mapping[str, Response]) -> None:
        self._project = project
        self._answers = answers
        self._notes = project.notes
        self._raw, self._made = MemoryLog(), MemoryLog()
        recorder = Recorder(MemoryLog())
        self._processor = Processor(project, MemorySeen(), self._made, recorder, metrics)

    def refused(self, source: str, problems: tuple[Problem, ...], raw: Event | None = None) -> Outcome:
        """Return the outcome of what the gateway does not take."""
        steps = self._notes.take()
        return Outcome(REFUSED, source, "", raw, None, (), (Failure(_GATEWAY, problems),), (), steps)

    async def take(self, member: Member, only: Sequence[str] = ()) -> Outcome:
        """Bring one event to its outcome, at some routes only if any are named."""
        source, read, take = member
        try:
            taken = self._notes.run(_GATEWAY, take, lambda taken: _said(source, taken)) if source else take()
        except Refused as error:
            return self.refused(source, error.problems, _readable(read))
        stored = await self._raw.append(taken.record)
        before = len(self._made.records)
        if not stored.duplicate:
            await (await self._processor.run([self._raw.message(stored.seq)], _extend))
        made = [record for record, _ in self._made.records[before:]]
        word, event, sent, failures = DUPLICATE, None, list[Sent](), list[Failure]()
        if made and made[0].subject.startswith("dlq."):
            word, event = QUARANTINED if taken.quarantined else DEAD, self._notes.made
            failures = [Failure(PROCESS, _problems(made[0].payload))]
        elif made:
            word, event = ROUTED, events.restore(made[0].payload)
            sent, failures = await self._deliver(event, source, only)
        name, steps = self._notes.transform, self._notes.take()
        warnings = () if taken.quarantined else taken.warnings  # which made it a dead letter
        return Outcome(word, source, name, taken.event, event, tuple(sent), tuple(failures), warnings, steps)

    async def redeliver(self, arrival: Redelivery) -> Outcome:
        """Return what becomes of an event that goes to one route again, whether that wants it still or not."""
        event: Event | None = None
        sent, failures = list[Sent](), list[Failure]()
        try:
            event = events.decode_structured(arrival.body)  # checked, as it may have been damaged since it was stored
            if arrival.route not in self._project.routes:
                raise refuse("unknown_route", f"there is no route {arrival.route!r} any more")
            if one := await self._sent(self._project.routes[arrival.route], event, arrival.source):
                sent.append(one)
        except Exception as error:
            failures.append(Failure(DELIVER, problems_of(error), arrival.route))
        steps = self._notes.take()
        return Outcome(ROUTED, arrival.source, "", event, event, tuple(sent), tuple(failures), (), steps)

    async def _deliver(self, event: Event, source: str, only: Sequence[str]) -> tuple[list[Sent], list[Failure]]:
        """Return the deliveries of a canonical event, and those that would be given up before they are sent."""
        sent, failures = list[Sent](), list[Failure]()
        try:
            taking = self._project.matching(event, source)
        except Refused:
            taking = self._project.routes_for(event.type)
        for route in (one for one in taking if not only or one.name in only):
            try:
                if one := await self._sent(route, event, source):
                    sent.append(one)
                    self._check_reply(one, event)
            except Exception as error:
                failures.append(Failure(DELIVER, problems_of(error), route.name))
        return sent, failures

    async def _sent(self, route: Route, event: Event, source: str) -> Sent | None:
        asked = self._project.as_asked(route, event)
        seen = view(asked, source)
        with placed(route.spot, "when"):
            if not matches(route, seen):
                return None
        with placed(route.spot, "order_by"):
            order_key(route, seen)
        key = idempotency_key(route.name, event)
        form = self._project.form_of(route)
        made = form(asked, source) if form else asked
        connector, answer = self._project.connectors[route.connector], self._answers.get(route.name)
        request = request_of(connector, made, key)
        result = await answered(connector, made, key, answer) if answer is not None else None
        return Sent(route.name, route.connector, request, result)

    def _check_reply(self, sent: Sent, asked: Event) -> None:
        reply = self._project.connectors[sent.connector].reply
        if reply is not None and sent.result is not None and sent.result.reply is not None:
            replies.canonical(self._project, reply[1], asked, sent.result.reply)


def _readable(read: Callable[[], Event]) -> Event | None:
    try:
        return read()
    except Refused:
        return None


def _said(source: str, taken: Taken) -> str:
    said = f"source {source} takes it as {taken.event.type} {taken.record.headers[VERSION]}".strip()
    broken = ", ".join(dict.fromkeys(p.code for p in taken.warnings))
    return f"{said}, {'quarantined' if taken.quarantined else 'warned'}: {broken}" if broken else said


def _problems(payload: bytes) -> tuple[Problem, ...]:
    return tuple(Problem(**{"message": "", **listed}) for listed in parse(payload).problems)


async def _extend() -> None:
    """Nothing expires in memory."""
