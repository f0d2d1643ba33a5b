"""A dry run warns of what would come after a later event of its key, whatever their business keys are."""

from pathlib import Path

import pytest

from console.lateness import late
from crossdock.kernel.event import encode_structured
from crossdock.kernel.stream import SOURCE, Record
from journal import entry
from tests.console.letterscene import AT_TARGET, MADE, SOLD, Scene, played


@pytest.mark.parametrize(
    ("location", "outcome", "expected"),
    [
        ("STORE-0042", entry.DELIVERED, [AT_TARGET]),
        ("STORE-0099", entry.DELIVERED, []),
        ("STORE-0042", entry.RETRIED, []),
    ],
)
def test_a_later_event_of_the_key_that_was_delivered_is_a_conflict(
    tmp_path: Path, location: str, outcome: str, expected: list[str]
) -> None:
    async def act(scene: Scene) -> None:
        later = encode_structured(MADE._replace(id="s-2", data={**SOLD, "location": location}))
        await scene.streams.append(Record("event.inventory.sold", later, "c", {SOURCE: "tills"}))
        done = entry.Entry(
            9, entry.DELIVER, outcome, "stores", "tills", "s-2", route="stock", raw=2, seq=3, key="0042/8"
        )
        routed = done._replace(stage=entry.PROCESS, outcome=entry.ROUTED, route="")
        scene.journal.project([routed, done], 2)
        assert await late(scene.desk, [*scene.letters.values()]) == expected

    played(tmp_path, act)
