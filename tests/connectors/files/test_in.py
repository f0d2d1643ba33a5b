"""Files in: what holds for a folder of this machine and for one of an SFTP server alike."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.collecting import LEASE, MOST_ITEMS, FolderOrigin
from connectors.folder import CLAIMED
from connectors.folderspec import FolderPoll
from connectors.port import Lot
from crossdock.formats.kinds import make_format
from crossdock.kernel.problems import Unavailable
from tests.connectors.files.places import Dying, Killed, Place, asked, killed_in

POLL = FolderPoll(settle=0.0)
NOW = 1_800_000_000.0


def collected(origin: Any) -> list[Lot]:
    async def scenario() -> list[Lot]:
        lots = []
        while lot := await origin.take(""):
            lots.append(lot)
            await origin.done(lot)
        await origin.close()
        return lots

    return asyncio.run(scenario())


def moving(place: Place, clock: list[float], settle: float = 0.0) -> FolderOrigin:
    """Return an origin that goes by a clock of the test."""
    origin = place.origin(poll=FolderPoll(settle=settle))
    assert isinstance(origin, FolderOrigin)
    origin._clock = lambda: clock[0]
    return origin


def test_a_file_is_taken_line_by_line_with_what_its_ids_may_be_made_of_and_then_archived(place: Place) -> None:
    path = place.path / "a.csv"
    path.write_text("sku,quantity\n007,1\n008,2\n")
    os.utime(path, (NOW, NOW))

    (lot,) = collected(place.origin(poll=POLL, format=make_format("csv")))

    assert lot.items == [{"sku": "007", "quantity": "1"}, {"sku": "008", "quantity": "2"}]
    digest = lot.headers[0]["digest"]
    assert lot.headers[1] == {"file": "a.csv", "line": "3", "modified": "2027-01-15T08:00:00Z", "digest": digest}
    assert place.names() == []
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert place.names(f"archive/{day}") == ["a.csv"]


def test_a_long_file_comes_in_lots_and_one_that_is_not_done_comes_again(place: Place) -> None:
    (place.path / "long.jsonl").write_text("".join(f'{{"n":{n}}}\n' for n in range(MOST_ITEMS + 1)))
    origin = place.origin(poll=POLL)

    async def scenario() -> list[Lot | None]:
        first, again = await origin.take(""), await origin.take("")
        assert first and first is again
        await origin.done(first)
        second = await origin.take("")
        assert second
        assert not place.names("archive")
        await origin.done(second)
        third = await origin.take("")
        await origin.close()
        return [first, second, third]

    first, second, third = asyncio.run(scenario())
    assert first and second
    assert (len(first.items), len(second.items), third) == (MOST_ITEMS, 1, None)


def test_a_file_is_left_alone_while_it_grows(place: Place) -> None:
    # given
    clock = [NOW]
    path, origin = place.path / "a.jsonl", moving(place, clock, settle=10.0)

    async def after(seconds: float, text: str = "") -> bool:
        clock[0] += seconds
        with path.open("a") as opened:
            opened.write(text)
        return await origin.take("") is not None

    async def scenario() -> list[bool]:
        taken = [await after(0, '{"n":'), await after(9), await after(9, "1}\n"), await after(9), await after(2)]
        await origin.close()
        return taken

    # then
    assert asyncio.run(scenario()) == [False, False, False, False, True]


def test_a_file_that_changes_once_it_is_claimed_is_given_back(place: Place) -> None:
    # given
    path, origin = place.path / "a.jsonl", moving(place, [NOW])
    path.write_text('{"n":1}\n')
    copied = origin._copied

    async def growing(taken: Any) -> int:
        size = await copied(taken)
        with (place.path / taken.path).open("a") as opened:
            opened.write('{"n":2')
        return size

    # when
    origin._copied = growing  # type: ignore[method-assign]
    lot = asked(origin, lambda: origin.take(""))

    # then
    assert lot is None
    assert path.read_text() == '{"n":1}\n{"n":2'


def test_with_a_control_file_only_what_it_says_is_whole_is_taken(place: Place) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.jsonl", "a.jsonl.done", "c.jsonl.done"):
        (place.path / name).write_text('{"n":1}\n' if name.endswith("l") else "")
    os.utime(place.path / "c.jsonl.done", (1, 1))  # it came with the file before of this name

    lots = collected(place.origin(poll=POLL, control=".done"))

    assert [lot.headers[0]["file"] for lot in lots] == ["a.jsonl"]
    assert place.names() == ["b.jsonl", "c.jsonl", "c.jsonl.done"]


def test_a_file_that_cannot_be_read_goes_aside_whole_with_every_reason(place: Place) -> None:
    (place.path / "a.csv").write_text("sku,quantity\n007,1\n008\n009,1,2\n")

    (lot,) = collected(place.origin(poll=POLL, format=make_format("csv")))

    reasons = [f"a.csv, line {number}: {cells} cells where there are 2 columns" for number, cells in ((3, 1), (4, 3))]
    assert (lot.items, lot.faults) == ((), reasons)
    assert (place.path / "errors" / "a.csv.reason").read_text() == "\n".join([*reasons, ""])
    assert place.names("errors") == ["a.csv", "a.csv.reason"]


def test_a_file_that_is_refused_goes_aside_and_never_over_another(place: Place) -> None:
    (place.path / "errors").mkdir()
    (place.path / "errors" / "a.jsonl").write_text("before")
    (place.path / "a.jsonl").write_text('{"n":1}\n')
    origin = place.origin(poll=POLL)

    async def scenario() -> None:
        lot = await origin.take("")
        assert lot
        await origin.refuse(lot, "the source is gone")
        await origin.close()

    asyncio.run(scenario())
    assert place.names("errors") == ["a.jsonl", "a.jsonl.1", "a.jsonl.1.reason"]
    assert (place.path / "errors" / "a.jsonl.1.reason").read_text() == "the source is gone\n"


def test_a_file_over_the_size_limit_goes_aside_unread(place: Place) -> None:
    (place.path / "a.jsonl").write_bytes(b"x" * 101)

    (lot,) = collected(place.origin(poll=POLL, most=100))

    assert lot.faults == ["a.jsonl: 101 bytes, 100 are allowed"]


def test_links_folders_hidden_names_and_those_too_long_to_be_claimed_are_not_taken(
    place: Place, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"secret":1}\n')
    (place.path / "link.jsonl").symlink_to(secret)
    (place.path / "folder.jsonl").mkdir()
    for name in (".hidden.jsonl", "a" * 240 + ".jsonl"):
        (place.path / name).write_text("{}\n")

    assert collected(place.origin(poll=POLL)) == []
    assert secret.exists()


def test_two_who_take_from_one_folder_never_take_the_same_file(place: Place) -> None:
    for number in range(12):
        (place.path / f"{number}.jsonl").write_text(f'{{"n":{number}}}\n')
    taken: list[int] = []

    async def taking(origin: Any) -> None:
        while lot := await origin.take(""):
            taken.extend(item["n"] for item in lot.items)
            await origin.done(lot)
        await origin.close()

    async def scenario() -> None:
        await asyncio.gather(*(taking(place.origin(poll=POLL)) for _ in range(2)))

    asyncio.run(scenario())
    assert sorted(taken) == list(range(12))


@killed_in(10, of_sftp=(3, 7))
def test_whoever_is_killed_while_taking_loses_nothing_once_the_claim_is_old(place: Place, at: int, after: bool) -> None:
    # given
    (place.path / "a.jsonl").write_text('{"n":1}\n')
    clock = [NOW]
    origin = moving(place, clock)
    whole, origin._folder = origin._folder, Dying(origin._folder, at, after=after)

    # when
    async def killed() -> list[Any]:
        items: list[Any] = []
        try:
            while lot := await origin.take(""):
                items += lot.items
                await origin.done(lot)
        except Killed:
            pass
        await whole.close()
        return items

    before = asyncio.run(killed())
    clock[0] += LEASE
    later = [item for lot in collected(moving(place, clock)) for item in lot.items]

    # then
    assert {"n": 1} in before + later
    assert place.names() == []
    assert sum(len(files) for _, _, files in os.walk(place.path / "archive")) == 1
    assert list((place.path / CLAIMED).iterdir()) == []


def test_who_closes_gives_back_at_once_what_was_claimed(place: Place) -> None:
    (place.path / "a.jsonl").write_text('{"n":1}\n')
    first = place.origin(poll=POLL)

    async def stopped() -> None:
        assert await first.take("")
        await first.close()

    asyncio.run(stopped())
    assert [lot.items for lot in collected(place.origin(poll=POLL))] == [[{"n": 1}]]


def test_an_origin_that_is_not_there_is_unavailable(place: Place) -> None:
    origin = place.origin(poll=POLL, folder=str(place.path / "none"))

    with pytest.raises(Unavailable, match="no such folder"):
        asked(origin, lambda: origin.take(""))
