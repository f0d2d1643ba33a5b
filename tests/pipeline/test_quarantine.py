"""An event that breaks its schema waits as a dead letter where its source wants that, and goes on once it fits."""

import asyncio
from pathlib import Path

import pytest

from bench.partner import partner_itself
from crossdock.kernel.event import Event, decode_structured, encode_structured
from crossdock.kernel.problems import Refused
from crossdock.project import Project, load
from dlq.record import replay
from gateway.intake import Intake
from journal.store import LetterState, letter_after
from tests.pipeline.scene import ProcessScene
from tests.smallproject import ENV, SALE, TILLS, edited, sale, write_schema

QUARANTINE = edited(TILLS, "[pos.sale]\n", "[pos.sale]\non_invalid: quarantine\n")
WARN = edited(TILLS, "[pos.sale]\n", "[pos.sale]\non_invalid: warn\n")
KEYED = edited(TILLS, "[pos.sale]\n", '[pos.sale]\ndedupe: {key: store & "/" & receipt}\n')
MEDIA = {"content-type": "application/cloudevents+json"}
BAD = {"store": "42", "receipt": "7", "lines": [{"gtin": "1", "qty": 1}]}


def broken(id_: str = "1") -> Event:
    return sale(id_)._replace(data=BAD)


def test_a_quarantined_event_becomes_a_dead_letter_and_goes_nowhere(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, QUARANTINE)
        message = await scene.store(broken())
        # when
        await scene.run([message])
        # then
        (letter,) = scene.letters()
        assert (letter.reason, letter.payload) == ("schema_violation", message.payload)
        assert scene.outcomes() == [("s-1", "quarantined")]
        assert scene.under("event.") == []

    asyncio.run(scenario())


def test_it_goes_on_when_it_is_replayed_after_its_schema_changed(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        scene = ProcessScene(tmp_path, QUARANTINE)
        await scene.run([await scene.store(broken())])
        (letter,) = scene.letters()
        loose = {**SALE["properties"], "store": {"type": "string"}}  # type: ignore[dict-item]
        write_schema(tmp_path, "pos.sale", "1.1", {**SALE, "properties": loose})
        changed: Project = load(tmp_path, ENV)
        scene.processor.use(changed)
        # when
        again = scene.raw.message((await scene.raw.append(replay(letter, "1"))).seq)
        await scene.run([again])
        # then
        (record,) = scene.under("event.")
        assert decode_structured(record.payload).data["location"] == "STORE-42"
        assert [line.outcome for line in scene.entries()] == ["quarantined", "routed"]
        assert (scene.entries()[1].dead_letter, scene.entries()[1].raw) == (letter.id, 1)

    asyncio.run(scenario())


def test_it_is_quarantined_again_when_it_still_does_not_fit(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, QUARANTINE)
        await scene.run([await scene.store(broken())])
        (letter,) = scene.letters()
        again = scene.raw.message((await scene.raw.append(replay(letter, "1"))).seq)
        await scene.run([again])
        assert [line.outcome for line in scene.entries()] == ["quarantined", "quarantined"]
        state: LetterState | None = None
        for line in scene.entries():
            state = letter_after(state, line)
        assert state and (state.state, state.failures) == ("open", 2)

    asyncio.run(scenario())


def test_an_event_that_is_only_warned_of_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, WARN)
        await scene.run([await scene.store(broken())])
        assert scene.outcomes() == [("s-1", "routed")]

    asyncio.run(scenario())


def test_what_is_wrong_is_told_where_such_events_are_taken(tmp_path: Path) -> None:
    for changes, quarantined in ((WARN, False), (QUARANTINE, True)):
        made = ProcessScene(tmp_path, changes).project
        accepted = Intake(made).accept(
            partner_itself(made, "stores"),
            {"content-type": "application/cloudevents+json"},
            encode_structured(broken()),
        )
        assert [problem.pointer for problem in accepted.problems] == ["/store"]
        assert accepted.quarantined is quarantined


def test_a_source_says_by_what_its_events_are_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given a till that gives every try a new id
        scene = ProcessScene(tmp_path, KEYED)
        first, again = await scene.store(sale("1")), await scene.store(sale("1")._replace(id="s-1-again"))
        # when the broker's window is over
        await scene.run([first, again._replace(seq=2)])
        # then
        assert sorted(line.outcome for line in scene.entries()) == ["duplicate", "routed"]

    asyncio.run(scenario())


def test_an_event_without_such_a_key_is_refused(tmp_path: Path) -> None:
    made = ProcessScene(tmp_path, edited(TILLS, "[pos.sale]\n", "[pos.sale]\ndedupe: {key: till}\n")).project
    with pytest.raises(Refused) as caught:
        Intake(made).accept(
            partner_itself(made, "stores"),
            {"content-type": "application/cloudevents+json"},
            encode_structured(sale("1")),
        )
    assert caught.value.problems[0].code == "bad_dedupe_key"
