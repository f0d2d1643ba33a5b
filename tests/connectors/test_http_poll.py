"""Items fetched over http: pages in the three ways they come, a watermark, and where a poll ends."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from connectors.httppoll import HttpOrigin, later, make_origin
from connectors.links import next_link
from connectors.port import Lot
from connectors.sender import make_client
from crossdock.kernel.problems import Unavailable
from tests.connectors.httpcases import answer, at, read
from tests.connectors.servers import Behaviour, Served, serving

PAGES = [[1, 2], [3], []]


def polled(root: Path, text: str, behaviour: Behaviour, position: str = "", takes: int = 9) -> list[Lot]:
    """Return what a poll brings: until it ends, or so many times."""

    async def scenario() -> list[Lot]:
        async with serving(behaviour) as server:
            spec = at(read(root, text, {"T": "s3cret"}), server)
            origin, lots, here = HttpOrigin(spec, make_client(spec)), list[Lot](), position
            try:
                while len(lots) < takes and (lot := await origin.take(here)):
                    lots.append(lot)
                    await origin.done(lot)
                    here = lot.position
            finally:
                await origin.close()
                await server.until_ended(server.connections)
            return lots

    return asyncio.run(scenario())


def store(asked: list[dict[str, str]], by: str) -> Behaviour:
    """A server with three pages, which names the next one in one way."""

    async def behave(served: Served) -> None:
        while True:
            line = (await served.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode()
            query = dict(parse_qsl(urlsplit(line.split(" ")[1]).query))
            asked.append(query)
            number = {"": 0, "c1": 1, "c2": 2}[query.get("cursor", "")] if by != "page" else int(query["page"]) - 1
            next_ = f"c{number + 1}" if number < 2 else None
            link = (
                f'Link: <?limit=5&cursor={next_}>; rel="prev next", <x>; rel=last\r\n' if by == "link" and next_ else ""
            )
            await served.answer(answer(200, orjson.dumps({"items": PAGES[number], "next": next_}), link))

    return behave


@pytest.mark.parametrize(
    ("next_", "by", "asked"),
    [
        ("link", "link", [{"limit": "5"}, {"limit": "5", "cursor": "c1"}, {"limit": "5", "cursor": "c2"}]),
        ("{cursor: body.next, query: cursor}", "cursor",
         [{"limit": "5"}, {"limit": "5", "cursor": "c1"}, {"limit": "5", "cursor": "c2"}]),
        ("{page: page}", "page",
         [{"limit": "5", "page": "1"}, {"limit": "5", "page": "2"}, {"limit": "5", "page": "3"}]),
    ],
)  # fmt: skip
def test_pages_follow_each_other_until_there_is_no_next(
    tmp_path: Path, next_: str, by: str, asked: list[dict[str, str]]
) -> None:
    seen: list[dict[str, str]] = []

    lots = polled(
        tmp_path, f"poll: {{path: /x, query: {{limit: '5'}}, items: body.items, next: {next_}}}", store(seen, by)
    )

    assert [lot.items for lot in lots] == PAGES
    assert lots[-1].position == "{}"  # not empty, which would leave the position where it is
    assert seen == asked


def test_a_poll_of_many_pages_ends_at_its_bound_and_the_next_goes_on_from_there(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    text = "poll: {items: body.items, next: {cursor: body.next, query: cursor}, pages: 2}"

    lots = polled(tmp_path, text, store(seen, "cursor"))
    after = polled(tmp_path, text, store(seen, "cursor"), lots[-1].position)

    assert [lot.items for lot in (*lots, *after)] == PAGES
    assert [query.get("cursor") for query in seen] == [None, "c1", "c2"]


def test_a_page_that_names_itself_as_the_next_is_the_last(tmp_path: Path) -> None:
    lots = polled(tmp_path, "poll: {next: link}", always_get(b"[1]", 200, "Link: </api>; rel=next\r\n"))

    assert [(lot.items, lot.position) for lot in lots] == [([1], "{}")]


def test_a_poll_that_finds_nothing_brings_nothing(tmp_path: Path) -> None:
    assert polled(tmp_path, "poll: {}", always_get(b"[]")) == []


def test_the_watermark_moves_when_all_pages_are_read(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    text = """
poll:
  query: {since: {expression: watermark}}
  items: body.items
  next: {cursor: body.next, query: cursor}
  watermark: $max(items)
"""
    lots = polled(tmp_path, text, store(seen, "cursor"), '{"watermark":2}')

    assert [query["since"] for query in seen] == ["2", "2", "2"]
    assert orjson.loads(lots[-1].position)["watermark"] == 3


def test_what_stands_at_the_watermark_is_not_taken_again_at_every_poll(tmp_path: Path) -> None:
    # given
    text = "poll: {items: body, watermark: '$max(items.at)'}"
    page = [{"id": "a", "at": 1}, {"id": "b", "at": 2}]
    (first,) = polled(tmp_path, text, always_get(orjson.dumps(page)), takes=1)
    # when
    (again,) = polled(tmp_path, text, always_get(orjson.dumps([*page, {"id": "c", "at": 2}])), first.position, takes=1)
    nothing = polled(tmp_path, text, always_get(orjson.dumps([{"id": "c", "at": 2}])), again.position, takes=1)
    # then
    assert (first.items, again.items, nothing) == (page, [{"id": "c", "at": 2}], [])


def test_numbers_of_a_page_stay_exact(tmp_path: Path) -> None:
    (lot,) = polled(
        tmp_path, "poll: {items: body.items}", always_get(b'{"items": [{"id": 18446744073709551615}]}'), takes=1
    )

    assert lot.items == [{"id": 2**64 - 1}]


def always_get(body: bytes, status: int = 200, headers: str = "") -> Behaviour:
    async def behave(served: Served) -> None:
        while True:
            await served.reader.readuntil(b"\r\n\r\n")
            await served.answer(answer(status, body, headers))

    return behave


@pytest.mark.parametrize(
    ("next_", "status", "body", "headers", "told"),
    [
        ("link", 200, b"[1]", "Link: <http://other.example/x>; rel=next\r\n", "another host"),
        ("link", 200, b"[1]", "Link: <http://127.0.0.1:1@evil.example/>; rel=next\r\n", "bad_url"),
        ("link", 500, b"s3cret", "", "HTTP 500: ***"),
        ("link", 302, b"", "Location: http://10.0.0.1/\r\n", "redirects are not followed"),
        ("link", 200, b"<html>", "", "invalid_json"),
        ("link", 200, b'{"a": 0.12345678901234567890}', "", "number_not_exact"),
    ],
)
def test_a_page_that_cannot_be_taken_is_told_and_comes_again(
    tmp_path: Path, next_: str, status: int, body: bytes, headers: str, told: str
) -> None:
    with pytest.raises(Unavailable, match=told.replace("*", r"\*")) as raised:
        polled(tmp_path, f"auth: {{bearer: '${{T}}'}}\npoll: {{next: {next_}}}", always_get(body, status, headers))

    assert "s3cret" not in str(raised.value)


def test_a_page_larger_than_an_answer_to_a_delivery_is_read_whole(tmp_path: Path) -> None:
    items = [{"n": number, "text": "x" * 100} for number in range(30_000)]  # 3 MiB, where 64 KiB are kept of an answer

    async def scenario() -> Lot | None:
        async with serving(always_get(orjson.dumps(items))) as server:
            spec = at(read(tmp_path, "poll: {}"), server)
            origin = make_origin(spec)
            try:
                return await origin.take("")
            finally:
                await origin.close()
                await server.until_ended(server.connections)

    lot = asyncio.run(scenario())
    assert lot is not None
    assert lot.items == items


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://x/?p=2>; rel="next"', "https://x/?p=2"),
        ('<a>; rel=prev, <b,c;d>; title="n, <z>; rel=next"; rel=next', "b,c;d"),
        ('<a>; rel="last"', ""),
        ("", ""),
        ("<" * 10000, ""),
        ("<a>" + "; x" * 5000, ""),
        ("<a>; REL = Next", "a"),
    ],
)
def test_the_link_to_the_next_page_is_found(header: str, target: str) -> None:
    assert next_link(header) == target


@pytest.mark.parametrize(
    ("one", "other", "greater"),
    [(None, 1, 1), (2, None, 2), (9, 10, 10), ("2026-01-02", "2026-01-01", "2026-01-02"), ("a", 1, "a")],
)
def test_the_greater_watermark_stands(one: Any, other: Any, greater: Any) -> None:
    assert later(one, other) == greater
