"""Who calls: the partner that a credential stands for, and what that credential may do."""

from collections.abc import Iterable
from typing import NamedTuple

from crossdock.kernel.apikeys import KeyRecord
from crossdock.project import Project
from crossdock.source import API_KEY, MAX_BODY, SourceSpec


class Caller(NamedTuple):
    """A partner and its credential.

    `sources` are where it may send, an empty `types` means all, `status` whether it may ask what became of events, and
    `sees` of which sources; None means all that its partner has or had, however they are proved.
    `key` is the id of an API key or empty, `rate` its own limit in events a second or 0. `concurrent` and `batch` are
    the most requests at a time and events in one, `body` the most bytes of an event.
    """

    partner: str
    sources: frozenset[str]
    concurrent: int
    batch: int
    body: int
    types: frozenset[str] = frozenset()
    status: bool = True
    key: str = ""
    rate: int = 0
    sees: frozenset[str] | None = frozenset()

    def may_see(self, source: SourceSpec) -> bool:
        """Tell whether a source is the caller's to ask about."""
        return source.partner == self.partner and (self.sees is None or source.name in self.sees)


def caller_of(sources: Iterable[SourceSpec]) -> Caller:
    """Return who proved to be the sender of these sources, all of one partner."""
    known = list(sources)
    concurrent = max((source.limits.concurrent for source in known), default=1)
    batch = max((source.limits.batch for source in known), default=0)
    body = max((source.limits.body for source in known), default=MAX_BODY)  # then something else is wrong
    partner = known[0].partner if known else ""
    names = frozenset(source.name for source in known)
    return Caller(partner, names, concurrent, batch, body, sees=names)


def holder_of(project: Project, record: KeyRecord) -> Caller:
    """Return who holds an API key."""
    sends = [
        source
        for source in project.sources.values()
        if source.verify.scheme == API_KEY
        and source.partner == record.partner
        and (not record.sources or source.name in record.sources)
    ]
    return caller_of(sends)._replace(
        sees=frozenset(record.sources) if record.sources else None,
        partner=record.partner,
        types=frozenset(record.types),
        status=record.status,
        key=record.id,
        rate=record.rate,
    )
