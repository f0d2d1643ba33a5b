"""Many events in one request: each is judged alone and answered alone."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused
from gateway.answers import RETRY_AFTER, Answer, Headers, problem_document
from gateway.bodies import FULL, Share
from gateway.caller import Caller
from gateway.ingest import Parts
from gateway.intake import Accepted
from gateway.traffic import Limited

SLICE = 32  # events after which others get their turn: about a millisecond
ERRORS = 5  # of one refused event that are told
TOLD = 2 << 20  # bytes of an answer after which refused events are only named
REFUSED, LIMITED, UNAVAILABLE = "refused", "limited", "unavailable"
_ALWAYS = ("accepted", "duplicate", REFUSED)
_SOMETIMES = ("quarantined", LIMITED, UNAVAILABLE)

Item = dict[str, Any]
Good = list[tuple[Item, Accepted]]


class Lot:
    """The events of one request and what became of each, in their order; `share` holds what is to be answered."""

    def __init__(self, parts: Parts, caller: Caller, share: Share, *, bounded: bool = True) -> None:
        """Begin; with `bounded` no source gets more than it takes in one request."""
        self._bounded = bounded
        self._parts = parts
        self._caller = caller
        self._share = share
        self._written: list[bytes] = []
        self._told = 0
        self._length = 0
        self._counts: Counter[str] = Counter()
        self._of_source: Counter[str] = Counter()
        self._limited: Limited | None = None
        self._extra: Headers = ()

    async def take(self, members: Sequence[bytes], accept: Callable[[bytes], Accepted]) -> None:
        """Judge and store some of the events; `accept` reads one.

        Raises:
            Limited: the caller has sent too many, and none of these was looked at.
            Refused: `unavailable`, the answers of all requests take more than there is room for; what was stored is.
        """
        traffic, items = self._parts.traffic, [Item(index=self._length + place) for place in range(len(members))]
        try:
            traffic.knock(self._caller)
            traffic.spend_key(self._caller, len(members))
        except Limited as error:
            if not self._length:
                raise
            self._limited = error
            self._write([item | {"status": LIMITED} for item in items])
            return
        good: Good = []
        async with traffic.turn(self._caller.partner):
            for item, member in zip(items, members, strict=True):
                if item["index"] % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
                if not self._judge(item, member, accept, good):
                    await asyncio.sleep(0)  # to say what is wrong with one may take ten milliseconds
        traffic.charge(self._caller, sum(item.get("status") == REFUSED for item in items))
        await self._store(self._within_limits(good))
        self._write(items)

    def answer(self) -> Answer:
        """Return the answer for all: 202 when one is stored; 503, 429 or 413 when some have to be sent again."""
        counts = self._counts
        told = {word: counts[word] for word in _ALWAYS} | {word: counts[word] for word in _SOMETIMES if counts[word]}
        body = b'%b,"items":[%b]}' % (jsontext.dumps(told)[:-1], b",".join(self._written))
        if counts[UNAVAILABLE]:
            return Answer(503, body, headers=((b"retry-after", RETRY_AFTER.encode()), *self._extra))
        if self._limited is not None:
            return Answer(429, body, headers=self._limited.answer.headers)
        if counts[LIMITED]:
            return Answer(413, body, headers=self._extra)
        stored = self._length - counts[REFUSED]
        return Answer(202 if stored or not self._length else 422, body, headers=self._extra)

    @property
    def stored(self) -> bool:
        """Whether every event is stored."""
        return not any(self._counts[word] for word in (REFUSED, LIMITED, UNAVAILABLE))

    def _judge(self, item: Item, member: bytes, accept: Callable[[bytes], Accepted], good: Good) -> bool:
        """Tell whether one event may be stored."""
        try:
            accepted = accept(member)
        except Refused as error:
            self._parts.storing.refuse(error.problems[0].code, self._caller.partner)
            item |= self._refusal(member, error.problems)
            return False
        item["id"] = accepted.event.id
        name, most = accepted.source.name, accepted.source.limits.batch
        self._of_source[name] += 1
        if self._bounded and self._of_source[name] > most:
            item |= {"status": LIMITED, "detail": f"source {name} takes {most} events at once"}
        else:
            good.append((item, accepted))
        return True

    def _within_limits(self, good: Good) -> Good:
        """Return the events whose sources may send so many; those of others are to be sent again."""
        by_source: dict[str, Good] = defaultdict(list)
        for pair in good:
            by_source[pair[1].source.name].append(pair)
        within: Good = []
        for pairs in by_source.values():
            try:
                self._extra = self._parts.traffic.spend(pairs[0][1].source, len(pairs))
                within += pairs
            except Limited as error:
                self._limited = error
                for item, _ in pairs:
                    item["status"] = LIMITED
        return within

    async def _store(self, good: Good) -> None:
        words = await self._parts.storing.store([accepted for _, accepted in good])
        for (item, accepted), word in zip(good, words, strict=True):
            item["status"] = word or UNAVAILABLE
            if word and accepted.problems and self._told < TOLD:
                item["warnings"] = [problem.as_error() for problem in accepted.problems[:ERRORS]]

    def _write(self, items: Sequence[Item]) -> None:
        """Keep what is told of some events as the bytes of the answer: as objects they take ten times the room."""
        self._length += len(items)
        self._counts.update(item["status"] for item in items)
        written = jsontext.dumps(items)[1:-1]
        self._told += len(written)
        if not self._share.take(len(written)):
            raise Refused([FULL])
        if written:
            self._written.append(written)

    def _refusal(self, member: bytes, problems: Sequence[Problem]) -> Item:
        """Return what is told of a refused event, with its id when it has one."""
        document = problem_document(problems[:ERRORS])
        told = {**document, "code": document["status"], "status": REFUSED}
        if self._told > TOLD:
            return {"code": told["code"], "type": told["type"], "status": REFUSED}
        try:
            given = jsontext.loads(member)
        except Refused:
            return told
        return {"id": given["id"], **told} if isinstance(given, dict) and isinstance(given.get("id"), str) else told
