"""However much is wrong at once: what is known of an alert fits into a record, and what had no room is counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from alerts import book, words
from alerts.book import Book, Hush
from alerts.spec import Condition
from tests.alerts.scene import BASE, World, scene, world

MANY: dict[str, float | None] = {f"route {'r' * 58}{number:06}": 250.0 for number in range(3000)}
FEW = dict(list(MANY.items())[:60])


async def fired(here: World) -> Book:
    """Let everything be wrong for long enough."""
    engine = here.engine()
    here.figures_ = dict(MANY)
    for _ in range(3):
        await here.look(engine, seconds=60)
    await engine._stop()
    return (await engine.books())["erp-lag"]


def test_thousands_of_subjects_fire_as_far_as_there_is_room_and_the_others_are_counted(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        known = await fired(here)
        standing = len(known.standings)
        assert standing > 500 and known.left_out == len(MANY) - standing
        (told,) = [notice for name, notice in here.got if name == "one"]
        assert len(told.points) + told.more == standing and len(told.points) == 50
        assert told.title().endswith(f"(and {standing - 1} more)")
        assert f"- and {standing - 20} more" in told.text() and told.as_body()["more"] == told.more
        # and when all is well again
        here.figures_ = dict.fromkeys(MANY, 0.0)
        await here.look(here.engine(), seconds=60)
        assert [notice.state for name, notice in here.got if name == "one"] == ["firing", "resolved"]

    scene(tmp_path, act)


def test_those_that_stand_keep_their_place_when_more_come(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        first = {"route zz": 250.0}
        here.figures_ = dict(first)
        engine = here.engine()
        await here.look(engine)
        here.figures_ = dict(first | MANY)
        for _ in range(3):
            await here.look(engine, seconds=60)
        assert (await engine.books())["erp-lag"].standings["route zz"].state == "firing"
        assert next(notice.points[0].subject for name, notice in here.got if name == "one") == "route zz"

    scene(tmp_path, act)


def test_of_notices_that_no_channel_takes_the_newest_are_kept_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "MOST_BYTES_DUE", 200 << 10)

    async def act(here: World) -> None:
        here.away = {"one", "two"}
        engine = here.engine()
        for _ in range(9):
            for figures in (dict(FEW), dict.fromkeys(FEW, 0.0)):
                here.figures_ = dict(figures)
                await here.look(engine, seconds=30)
                await here.look(engine, seconds=61)
        known = (await engine.books())["erp-lag"]
        assert known.due and known.lost and known.due[-1].notice.at == max(due.notice.at for due in known.due)
        assert known.lost + len(known.due) == 2 * known.number
        stored, _ = (await here.records.all("alert"))["alert.erp-lag"]
        assert len(stored) < 1 << 20

    scene(tmp_path, act)


@pytest.mark.parametrize("sign", ["r", "倉", '"', "\\", "\U0001f600", "\x01"])
def test_whatever_the_names_are_made_of_a_record_holds_what_is_known(tmp_path: Path, sign: str) -> None:
    known, rule = Book(), world(tmp_path).alerts.rules["erp-lag"]
    many: dict[str, float | None] = {f"source {sign * 300}{number:06}": 250.0 for number in range(2000)}
    calm: dict[str, float | None] = dict.fromkeys(many, 0.0)
    for number, figures in enumerate((many, many, calm, many)):
        known = book.advance(known, rule, figures, BASE, 1_790_000_000_000 + number * 61_000)
    for number, subject in enumerate(list(many)[:300]):
        known = book.hush(known, subject, Hush("ann", number, sign * 1000), 0)
    assert len(known.stored()) < 1 << 20
    assert known.standings and known.due and known.recent and list(many)[299] in known.hushed


def test_nothing_is_made_of_subjects_that_have_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, what = list[str](), words.what

    def noting(when: Condition, subject: str, figure: float) -> str:
        made.append(subject)
        return what(when, subject, figure)

    monkeypatch.setattr(words, "what", noting)

    async def act(here: World) -> None:
        here.figures_ = {f"route {number:06}": 250.0 for number in range(10_000)}
        engine = here.engine()
        await here.look(engine)
        await here.look(engine, seconds=60)
        known = (await engine.books())["erp-lag"]
        assert known.left_out == 10_000 - len(known.standings) > 5000
        assert len(made) <= 2 * (len(known.standings) + 1)  # once a look

    scene(tmp_path, act)


def test_a_book_of_a_later_version_is_read_and_one_that_nobody_can_read_is_begun_anew(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fired(here)
        name = "alert.erp-lag"
        stored, version = await here.records.get(name) or (b"", 0)
        later: dict[str, Any] = json.loads(stored) | {"colour": "red"}
        later["standings"] = {key: one | {"shape": 1} for key, one in later["standings"].items()}
        version = await here.records.put(name, json.dumps(later).encode(), version) or 0
        engine = here.engine()
        assert len((await engine.books())["erp-lag"].standings) == len(later["standings"])
        # and what is known of it there only is not lost
        await here.look(engine, seconds=60)
        stored, now = await here.records.get(name) or (b"", 0)
        assert (json.loads(stored)["colour"], now > version) == ("red", True)
        # but
        await here.records.put(name, b'{"standings":7}', now)
        assert await engine.books() == {}
        await here.look(engine, seconds=60)
        assert (await engine.books())["erp-lag"].standings
        assert (await here.records.all("aside"))["aside.erp-lag"][0] == b'{"standings":7}'

    scene(tmp_path, act)
