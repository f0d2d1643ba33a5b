"""Files out: what holds for a folder of this machine and for one of an SFTP server alike."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.dropping import DropConnector
from connectors.formula import Formula
from connectors.port import Result
from crossdock.formats.kinds import make_format
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression
from tests.connectors.files.places import Dying, Killed, Place, asked, killed_in


def sale(number: int, **data: Any) -> Event:
    return Event(str(number), "/tills/7", "pos.sale", {"n": number, **data})


def named(text: str) -> Formula:
    return Formula(text, Expression(text))


def delivered(connector: Any, *events: Event) -> list[Result]:
    async def scenario() -> list[Result]:
        try:
            return list(await asyncio.gather(*(connector.deliver(event, f"key-{event.id}") for event in events)))
        finally:
            await connector.close()

    return asyncio.run(scenario())


def test_an_event_becomes_a_file_of_the_name_that_an_expression_makes(place: Place) -> None:
    results = delivered(place.connector(name=named('"sale-" & $event.id & ".jsonl"')), sale(1))

    assert results == [Result("delivered", 0, "sale-1.jsonl, 8 bytes")]
    assert (place.path / "sale-1.jsonl").read_bytes() == b'{"n":1}\n'
    assert [path.name for path in place.path.iterdir()] == ["sale-1.jsonl"]


def test_a_batch_becomes_one_file_whose_name_tells_its_keys(place: Place) -> None:
    delivered(place.connector(batch=3, within=5.0), sale(1), sale(2), sale(3))

    (name,) = place.names()
    assert name.startswith("events-") and name.endswith(".jsonl")
    assert (place.path / name).read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'


def test_events_of_a_batch_with_other_names_go_into_other_files(place: Place) -> None:
    connector = place.connector(batch=3, within=5.0, name=named('"store-" & store'))

    delivered(connector, sale(1, store="a"), sale(2, store="b"), sale(3, store="a"))

    assert [name[:8] for name in place.names()] == ["store-a-", "store-b-"]


def test_the_same_attempt_again_changes_nothing_and_other_content_is_refused(place: Place) -> None:
    name = named('"one.jsonl"')

    first, again, other = (delivered(place.connector(name=name), event)[0] for event in (sale(1), sale(1), sale(2)))

    assert (first.outcome, again.outcome, other.outcome) == ("delivered", "delivered", "permanent")
    assert "there already with other content" in other.detail
    assert (place.path / "one.jsonl").read_bytes() == b'{"n":1}\n'


@pytest.mark.parametrize("name", ["../up", "a/b", "a..b", ".hidden", "", "a b", "a\n", "ü", "a" * 201])
def test_a_name_that_could_mean_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (result,) = delivered(Place(tmp_path, "file").connector(name=named("name")), sale(1, name=name))

    assert result.outcome == "permanent"
    assert "bad_name" in result.detail
    assert list(tmp_path.iterdir()) == []


def test_one_event_that_the_format_cannot_hold_does_not_spoil_the_others(place: Place) -> None:
    connector = place.connector(batch=3, within=5.0, format=make_format("csv"))

    results = delivered(connector, sale(1), sale(2, lines=[{}]), sale(2**64))

    assert [result.outcome for result in results] == ["delivered", "permanent", "permanent"]


def test_a_batch_over_the_size_limit_becomes_several_files_and_an_event_over_it_none(place: Place) -> None:
    connector = place.connector(batch=4, within=5.0, most=40)

    results = delivered(connector, sale(1), sale(2), sale(3), sale(4, note="x" * 40))

    assert [result.outcome for result in results] == ["delivered"] * 3 + ["permanent"]
    assert "too_large" in results[3].detail
    assert len(place.names()) == 2


def test_a_control_file_comes_after_the_file(place: Place) -> None:
    delivered(place.connector(name=named('"one.jsonl"'), control=".done"), sale(1))

    assert place.names() == ["one.jsonl", "one.jsonl.done"]


@killed_in(5, of_sftp=(2, 3))
def test_whoever_is_killed_while_writing_leaves_no_half_file_and_the_next_attempt_ends_it(
    place: Place, at: int, after: bool
) -> None:
    # given
    changes = {"name": named('"one.jsonl"'), "control": ".done"}
    connector = place.connector(**changes)
    assert isinstance(connector, DropConnector)
    whole = connector._folder
    connector._folder = Dying(whole, at, after=after)

    # when
    async def killed() -> None:
        with pytest.raises(Killed):
            await connector.deliver(sale(1), "key-1")
        await whole.close()

    asyncio.run(killed())
    half = place.names()
    (result,) = delivered(place.connector(**changes), sale(1))

    # then
    assert half in ([], ["one.jsonl"], ["one.jsonl", "one.jsonl.done"])
    assert result.outcome == "delivered"
    assert place.names() == ["one.jsonl", "one.jsonl.done"]
    assert (place.path / "one.jsonl").read_bytes() == b'{"n":1}\n'


def test_what_was_left_half_written_an_hour_ago_is_removed(place: Place) -> None:
    left, fresh = place.path / ".crossdock-00.part", place.path / ".crossdock-01.part"
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 3700, time.time() - 3700))

    delivered(place.connector(), sale(1))

    assert (left.exists(), fresh.exists()) == (False, True)


def test_what_was_left_is_removed_though_the_folder_was_away_at_first(place: Place) -> None:
    left = place.path / ".crossdock-00.part"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 3700, time.time() - 3700))
    away = place.path.rename(place.path.with_name("away"))
    connector = place.connector()

    async def scenario() -> list[str]:
        first = await connector.deliver(sale(1), "key-1")
        away.rename(place.path)
        return [first.outcome, (await connector.deliver(sale(1), "key-1")).outcome]

    assert asked(connector, scenario) == ["retry", "delivered"]
    assert not left.exists()


def test_a_folder_that_is_not_there_is_tried_again_and_said_so(place: Place) -> None:
    (result,) = delivered(place.connector(folder=str(place.path / "none")), sale(1))

    assert result.outcome == "retry"
    assert "no such folder" in result.detail


def test_probe_lists_the_folder_and_leaves_nothing_in_it(place: Place) -> None:
    connector = place.connector(writes=True)

    result = asked(connector, connector.probe)

    assert result == Result("delivered", 0, "the folder can be listed and written to; it has 0 files")
    assert list(place.path.iterdir()) == []
