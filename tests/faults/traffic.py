"""Devices of the retail day that send a given number of events, and what must have become of them at the targets."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from crossdock.kernel.event import decode_structured
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused
from crossdock.pipeline.delivery import idempotency_key
from crossdock.project import Project
from routes.match import order_key
from simulators.devices import PARTNERS, SHARES, Device, fleet
from simulators.maker import Envelope
from simulators.targets import Target
from tests.faults.installation import Site


@dataclass(frozen=True, slots=True)
class Place:
    """Where an effect belongs: its event, and its place among those of one key of a route, if that is ordered.

    The key holds the device too: when two devices send the same order key, nobody can say which was accepted first.
    """

    id: str
    key: tuple[str, str, str] | None
    number: int


class Traffic:
    """All devices send at once, each its own events one after the other and every event until it is answered."""

    def __init__(self, site: Site, events: int, seed: int = 1, name: str = "run") -> None:
        self.events = events
        self._site = site
        self.devices = fleet(site.ready.gateway, site.keys, 1, seed, name)
        self._answered = 0
        self._sent: dict[str, list[Envelope]] = {device.name: [] for device in self.devices}
        self._progress = asyncio.Condition()

    async def send(self) -> None:
        """Send everything; returns when all of it is answered."""
        kinds = Counter(device.kind for device in self.devices)
        async with asyncio.TaskGroup() as group:
            for device in self.devices:
                group.create_task(self._work(device, round(self.events * SHARES[device.kind] / kinds[device.kind])))

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Send everything while the body does its worst; ends when all is answered, and at once when a device fails."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.send())
            yield

    async def part(self, share: float) -> None:
        """Wait until this share of the events is answered."""
        async with self._progress:
            await self._progress.wait_for(lambda: self._answered >= share * self.events)

    def accepted(self) -> Iterator[tuple[Device, Envelope]]:
        """Yield every event that was answered 2xx once, with its device, in the order in which that sent it."""
        for device in self.devices:
            known: set[str] = set()
            for event in self._sent[device.name]:
                if event["id"] in device.tally.accepted_ids and event["id"] not in known:
                    known.add(event["id"])
                    yield device, event

    async def _work(self, device: Device, events: int) -> None:
        while events > 0:
            post = next(device.posts)[:events]
            await device.send(self._site.session, post)
            self._sent[device.name] += post
            events -= len(post)
            async with self._progress:
                self._answered += len(post)
                self._progress.notify_all()


@dataclass(slots=True)
class Expected:
    """What must be at each target, by idempotency key, and which events must be dead letters instead."""

    effects: dict[str, dict[str, Place]] = field(default_factory=lambda: defaultdict(dict))
    unroutable: set[str] = field(default_factory=set)

    def add(self, project: Project, device: Device, envelope: Envelope) -> None:
        """Take note of an accepted event."""
        event = decode_structured(orjson.dumps(envelope))
        try:
            made = project.canonical(event.extended(partner=PARTNERS[device.kind]), project.check(event))
        except Refused:
            self.unroutable.add(event.id)
            return
        for route in project.matching(made):
            key = (route.name, order_key(route, view(made)), device.name) if route.order_by else None
            places = self.effects[project.routes[route.name].connector]
            places[idempotency_key(route.name, made)] = Place(event.id, key, len(places))


def expected(project: Project, traffic: Traffic) -> Expected:
    """Return what must become of everything that was answered 2xx."""
    wanted = Expected()
    for device, envelope in traffic.accepted():
        wanted.add(project, device, envelope)
    return wanted


def check(targets: dict[str, Target], wanted: Expected) -> None:
    """Compare targets as sets with what was promised, every event once for each route, and in order of key."""
    for name, target in targets.items():
        places = wanted.effects[name]
        assert not (lost := _named(places, places.keys() - target.effects.keys())), f"{name} lost {lost}"
        assert not (odd := target.effects.keys() - places.keys()), f"{name} has {[target.effects[k].id for k in odd]}"
        assert Counter(effect.id for effect in target.effects.values()) == Counter(
            place.id for place in places.values()
        )
        assert not (turned := _turned([places[key] for key in target.effects])), f"{name} out of order: {turned}"


def _named(places: dict[str, Place], keys: Iterable[str]) -> list[str]:
    return [places[key].id for key in keys][:5]


def _turned(arrived: Sequence[Place]) -> list[str]:
    """Return events that arrived after a later one of their key."""
    last: dict[tuple[str, str, str], int] = {}
    turned = []
    for place in arrived:
        if place.key is None:
            continue
        if place.number < last.get(place.key, -1):
            turned.append(f"{place.id} of {place.key}")
        last[place.key] = place.number
    return turned


async def check_all(site: Site, traffic: Traffic) -> None:
    """Wait until all is settled, then hold targets and ledger against every answer the devices got."""
    ledger = await site.settled(traffic.events)
    deep = await site.command("ledger", "--deep")
    assert [deep[part] for part in ("sources", "routes")] == [ledger[part] for part in ("sources", "routes")]
    wanted = expected(site.project, traffic)
    check(site.targets, wanted)
    sums = Counter[str]()
    for row in ledger["sources"]:
        sums.update({column: row[column] for column in ("accepted", "routed", "duplicate", "dead_lettered")})
    first = sum(1 for _ in traffic.accepted())
    assert sums["accepted"] - sums["duplicate"] == first
    assert sums["dead_lettered"] == len(wanted.unroutable)
    matched = sum(row["matched"] for row in ledger["routes"])
    assert matched == sum(len(places) for places in wanted.effects.values())
