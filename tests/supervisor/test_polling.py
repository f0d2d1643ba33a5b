"""Polled sources: what an origin brings becomes events once, whatever breaks on the way."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from crossdock.adapters.memory import MemoryLog, MemorySeen
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import QUARANTINED, Record, Stored
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from tests.realservers import until
from tests.smallproject import TILLS, project
from tests.supervisor.polls import ARCHIVE, SOURCE, Archive, Scene, polled, sale, small


def test_every_row_becomes_an_event_by_the_expressions_of_the_source(tmp_path: Path) -> None:
    scene = Scene(small(tmp_path), Archive(*map(sale, range(5)))).run(polled)

    assert scene.ids == [f"0042/00{number}" for number in range(5)]
    assert jsontext.loads(scene.log.records[0][0].payload) == sale(0)
    assert (scene.state["items"], scene.state["quarantined"]) == (5, 0)
    assert (scene.archive.opened, scene.archive.open) == (1, 0)


def test_the_next_poll_goes_on_where_the_last_one_was_and_after_a_start_too(tmp_path: Path) -> None:
    scene = Scene(small(tmp_path), Archive(*map(sale, range(3)))).run(polled)
    scene.archive.rows.append(sale(7))
    scene.polling = scene.made()

    scene.run(polled)

    assert (scene.ids[3:], scene.state["items"]) == (["0042/007"], 1)


def test_a_row_that_breaks_its_schema_is_quarantined_and_the_others_go_on(tmp_path: Path) -> None:
    scene = Scene(small(tmp_path), Archive(sale(1), sale(2, store="x"), sale(3))).run(polled)

    assert [QUARANTINED in record.headers for record, _ in scene.log.records] == [False, True, False]
    assert scene.state["quarantined"] == 1


def process(scene: Scene) -> list[dict[str, Any]]:
    """Return the dead letters that the process step makes of what was polled."""
    letters = MemoryLog()

    async def act() -> None:
        processor = Processor(scene.project, MemorySeen(), letters, Recorder(MemoryLog()), scene.metrics)
        messages = [scene.log.message(seq) for seq in range(1, len(scene.log.records) + 1)]

        async def extend() -> None:
            """Nobody takes them away."""

        await (await processor.run(messages, extend))

    asyncio.run(act())
    found = [jsontext.loads(record.payload) for record, _ in letters.records if record.subject.startswith("dlq.")]
    return cast(list[dict[str, Any]], found)


def test_a_row_of_which_no_event_can_be_made_is_a_dead_letter_with_what_came_and_why(tmp_path: Path) -> None:
    lost = {"receipt": "001", "x": 9007199254740993}
    source = SOURCE.replace('body.store & "/" & body.receipt', "body.store")

    scene = Scene(small(tmp_path, source), Archive(lost, sale(2))).run(polled)

    first, second = (record for record, _ in scene.log.records)
    assert (jsontext.loads(first.payload), second.headers["ce-id"]) == ({"unreadable": lost}, "0042")
    assert [letter["reason"] for letter in process(scene)] == ["unreadable"]


def test_a_file_that_cannot_be_read_is_a_dead_letter_that_names_it_and_its_connector_in_words(tmp_path: Path) -> None:
    # given
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "sales.csv").write_text("store,receipt\n0042\n")
    drop = f"connector: archive\nkind: file\nfolder: {tmp_path}/drop\nformat: {{csv: {{}}}}\npoll: {{settle: 1ms}}\n"
    # when
    scene = Scene(small(tmp_path, archive=drop), Archive())

    async def act(scene: Scene) -> None:
        await until(lambda: scene.state["quarantined"])

    scene.run(act)
    # then
    said = "sales.csv, line 2: 1 cells where there are 2 columns"
    ((record, _),) = scene.log.records
    assert jsontext.loads(record.payload) == {"unreadable": said}
    (letter,) = process(scene)
    assert letter["detail"].startswith(f"{said} (polled by connector archive)")


def test_the_same_unreadable_row_is_one_event_however_often_it_comes(tmp_path: Path) -> None:
    scene = Scene(small(tmp_path), Archive({"receipt": "001"}))
    scene.run(polled)
    scene.marks.clear()
    scene.polling = scene.made()

    scene.run(polled)

    assert len(scene.log.records) == 1


def test_an_event_larger_than_the_source_takes_is_told_by_its_beginning(tmp_path: Path) -> None:
    big = Archive(sale(1, note="x" * 3000))

    scene = Scene(small(tmp_path, SOURCE + "limits: {body: 2KiB}\n"), big).run(polled)

    ((record, _),) = scene.log.records
    assert (QUARANTINED in record.headers, len(record.payload) <= 2048) == (True, True)


class Failing(MemoryLog):
    """A broker that stores some of what it is given and acknowledges nothing, once."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        if not self.failed:
            self.failed = True
            await super().append_all(records[:1])
            raise Unavailable("gone")
        return await super().append_all(records)


def test_what_was_not_acknowledged_comes_again_and_is_no_second_event(tmp_path: Path) -> None:
    scene = Scene(small(tmp_path), Archive(*map(sale, range(4))))
    scene.log = Failing()
    scene.polling = scene.made()

    async def act(scene: Scene) -> None:
        await until(lambda: scene.state["items"] == 4)

    scene.run(act)
    assert scene.ids == [f"0042/00{number}" for number in range(4)]
    assert scene.metrics.registry.get_sample_value("crossdock_polls_failed_total", {"source": "tills"}) == 1


def test_an_origin_that_is_away_is_told_and_asked_again(tmp_path: Path) -> None:
    archive = Archive(sale(1))
    archive.away = "no route to host"

    async def act(scene: Scene) -> None:
        await until(lambda: "away" in scene.state)
        assert scene.state["away"] == "no route to host"
        archive.away = ""
        await polled(scene)
        assert "away" not in scene.state

    assert Scene(small(tmp_path), archive).run(act).ids == ["0042/001"]


def test_other_content_is_followed_and_a_poll_that_did_not_change_goes_on(tmp_path: Path) -> None:
    archive = Archive(sale(1))

    async def act(scene: Scene) -> None:
        await polled(scene)
        await scene.polling.use(small(tmp_path / "same"))
        assert (archive.opened, archive.open) == (1, 1)
        await scene.polling.use(small(tmp_path / "other", SOURCE.replace("every: 1s", "every: 9s")))
        assert (archive.opened, archive.open) == (2, 1)
        await scene.polling.use(project(tmp_path / "none"))
        assert (archive.open, scene.polling.state()) == (0, {})

    Scene(small(tmp_path / "one"), archive).run(act)


@pytest.mark.parametrize(
    ("source", "archive", "code"),
    [
        (SOURCE.replace("archive", "nothing"), ARCHIVE, "unknown_connector"),
        (SOURCE, ARCHIVE.replace("poll:", "table: t\ncolumns: {a: a}\nkey: [a]\n#"), "not_polled"),
        (SOURCE + "verify: {api_key: true}\n", ARCHIVE, "bad_value"),
        (SOURCE + "on_invalid: reject\n", ARCHIVE, "bad_value"),
        (SOURCE.replace("poll:", "#"), ARCHIVE, "missing_key"),
    ],
)
def test_what_cannot_be_polled_is_told_by_check(tmp_path: Path, source: str, archive: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        small(tmp_path, source, archive)

    assert code in [problem.code for problem in caught.value.problems]


def test_no_route_leads_to_what_is_only_polled(tmp_path: Path) -> None:
    files = {TILLS: SOURCE, "connectors/archive.yaml": ARCHIVE}
    files["routes/stock.yaml"] = "routes: [{route: stock, from: [inventory.sold], to: archive}]\n"

    with pytest.raises(Refused) as caught:
        project(tmp_path, files)

    assert [problem.code for problem in caught.value.problems] == ["no_destination"]
