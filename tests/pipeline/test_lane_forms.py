"""What a route changes about an event before it is sent: the form of its target, the version that it takes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.port import Result
from crossdock.adapters.memory import MemoryBacklogs
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.tracing import NONE
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from routes.spec import Route
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target


class Keeper(Target):
    """A target that keeps the events it is sent."""

    def __init__(self) -> None:
        super().__init__(lambda event, attempt: RETRY if event.id == "again" and attempt == 1 else DELIVERED)
        self.sent: list[Event] = []

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        self.sent.append(event)
        return await super().deliver(event, key, trace)


class FormScene(LaneScene):
    """A lane with a form and a cast that the test gives."""

    def new_lane(self) -> Lane:
        attempts = Attempts(
            self.route,
            self.target,
            Gate(self.breaker, 0, 1000),
            self.log,
            Recorder(self.log),
            self.metrics,
            "rev",
            form,
        )
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox, cast)

    async def add_data(self, id_: str, data: dict[str, Any]) -> None:
        """Put a canonical event with this data on EVENTS."""
        event = Event(id_, "/till", "inventory.sold", data, extensions={"partner": "stores"})
        await self.add_raw(encode_structured(event), id_)


def form(event: Event, source: str) -> Event:
    if "lines" not in event.data:
        raise Refused([Problem("target_invalid", "lines are missing", pointer="/lines")])
    return event._replace(data={"place": event.data["place"], "by": source})


def cast(route: Route, event: Event) -> Event:
    if "location" not in event.data:
        raise Refused([Problem("downcast_invalid", "location is missing", pointer="/location")])
    return event._replace(
        data={"place": event.data["location"], **{k: v for k, v in event.data.items() if k == "lines"}}
    )


def test_a_target_gets_its_form_with_the_same_key_for_every_attempt(tmp_path: Path) -> None:
    target = Keeper()
    scene = FormScene(tmp_path, target, when=Expression("place != 'B'"), order_by=Expression("place"))

    async def act() -> None:
        await scene.add("again")
        await scene.add("passed-by", location="B")
        await scene.settled(2)
        assert [event.data for event in target.sent] == [{"place": "A", "by": "tills"}] * 2
        assert len(target.keys["again"]) == 1
        assert [(line.id, line.outcome) for line in scene.entries()][-1] == ("again", "delivered")

    asyncio.run(scene.during(act))


def test_what_cannot_be_brought_into_form_or_version_is_a_dead_letter_with_the_place(tmp_path: Path) -> None:
    target = Keeper()
    scene = FormScene(tmp_path, target, order_by=Expression("$event.id"))

    async def act() -> None:
        # given a target that is being tried again
        for _ in range(10):
            scene.breaker.record(False)
        scene.clock[0] += 60
        # when
        await scene.add_data("no-lines", {"location": "A"})
        await scene.add_data("no-location", {"lines": [1]})
        await scene.settled(2)
        # then
        said = {
            letter.event_id: (letter.reason, letter.problems[0]["pointer"], letter.attempts)
            for letter in scene.letters()
        }
        assert said == {
            "no-lines": ("target_invalid", "/lines", 0),
            "no-location": ("downcast_invalid", "/location", 0),
        }
        assert target.sent == [] and scene.breaker.state == "half_open"  # which says nothing of the target

    asyncio.run(scene.during(act))
