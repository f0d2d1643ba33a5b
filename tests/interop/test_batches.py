"""Batches and streams of a real installation: item by item, sent again at will, and each event once in effect."""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from bench.siege import watched
from tests.faults.installation import Site, until
from tests.faults.samples import sale
from tests.interop.conftest import Act
from tests.interop.sources import BATCH, NDJSON, ids_at, post, sales

MEMORY = 200.0  # MiB, for a gateway that has about 85 when idle


def ndjson(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


async def ledger_of(site: Site, source: str) -> Counter[str]:
    rows = (await site.settled())["sources"]
    return Counter({k: v for row in rows if row["source"] == source for k, v in row.items() if k != "source"})


def test_of_a_thousand_events_the_good_are_taken_and_the_bad_named_and_again_they_are_repeats(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        before, events = await ledger_of(site, "vans"), sales("thousand", range(1000))
        bad = list(range(7, 1000, 50))
        for number in bad:
            events[number]["data"]["lines"] = [{"gtin": "9520123400019", "qty": 0, "price": "1.00"}]
        body = json.dumps(events).encode()
        # when
        first, again = [await post(site, body, site.keys["vans"], BATCH) for _ in range(2)]
        # then
        for told, word in ((first, "accepted"), (again, "duplicate")):
            items, sums = told.body["items"], {key: value for key, value in told.body.items() if key != "items"}
            assert (told.status, sums) == (202, {"accepted": 0, "duplicate": 0, "refused": 20} | {word: 980})
            assert [item["index"] for item in items] == list(range(1000))
            assert [item["id"] for item in items] == [event["id"] for event in events]
            assert [item["index"] for item in items if item["status"] == "refused"] == bad
            refused = [item for item in items if item["status"] == "refused"]
            assert {item["code"] for item in refused} == {422}
            assert {item["errors"][0]["pointer"] for item in refused} == {"/lines/0/qty"}
        # and then
        grown = await ledger_of(site, "vans") - before
        assert (grown["accepted"], grown["duplicate"], grown["routed"]) == (1960, 980, 980)
        arrived = ids_at(site, "erp", "thousand-")
        assert sorted(arrived) == sorted(event["id"] for number, event in enumerate(events) if number not in bad)

    act(scenario)


def test_ten_thousand_scans_of_a_handheld_cut_off_and_sent_again_have_each_one_effect(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        counts = [count(number) for number in range(10_000)]
        body = gzip.compress(ndjson(counts))
        # when
        await cut_off(site, body[: len(body) // 2])
        told = await post(site, body, site.keys["vans"], NDJSON, Content_Encoding="gzip")
        # then
        words = Counter(item["status"] for item in told.body["items"])
        assert told.status == 202
        assert words.keys() == {"accepted", "duplicate"} and words.total() == 10_000
        assert words["duplicate"] >= 500  # what was stored of the first
        assert [item["id"] for item in told.body["items"]] == [event["id"] for event in counts]
        await site.settled(10_000)
        arrived = ids_at(site, "erp", "monday-")
        assert len(arrived) == 10_000 and set(arrived) == {event["id"] for event in counts}

    act(scenario)


def count(number: int) -> dict[str, Any]:
    site = ("0017", "0042", "0058", "0103")[number % 4]
    line = {"gtin": "9520123400019", "qty": number % 90, "place": f"S-{number}"}
    return {
        **{"specversion": "1.0", "id": f"monday-{number}", "source": "urn:handheld:HH-9", "type": "handheld.count"},
        "data": {"device": "HH-9", "site": site, "count": f"M-{number}", "lines": [line]},
    }


async def cut_off(site: Site, body: bytes) -> None:
    """Send the beginning of a stream as a body that is longer, and hang up once some of it is stored."""

    async def begin() -> AsyncIterator[bytes]:
        yield body
        await until(lambda: ids_at(site, "erp", "monday-"), "the beginning is delivered")
        raise ConnectionError

    with suppress(ConnectionError, aiohttp.ClientError):
        await post(site, begin(), site.keys["vans"], NDJSON, Content_Encoding="gzip")


def test_the_items_of_an_array_at_a_webhook_source_are_taken_one_by_one(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        items = [sale(0, receipt=f"array-{number}")["data"] for number in range(3)]
        items[1]["amount"] = "much"
        body = json.dumps(items).encode()
        # when
        told = [
            await post(site, body, site.keys["counter"], "application/json", "/v1/sources/counter") for _ in range(2)
        ]
        # then
        assert [answer.status for answer in told] == [202, 202]
        for answer, word in zip(told, ("accepted", "duplicate"), strict=True):
            assert [item["status"] for item in answer.body["items"]] == [word, "refused", word]
        await site.settled()
        assert sorted(ids_at(site, "erp", "array-")) == ["array-0", "array-2"]

    act(scenario)


def test_lines_of_a_stream_are_stored_before_the_last_is_sent(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        events = sales("early", range(501))

        async def lines() -> AsyncIterator[bytes]:
            yield ndjson(events[:500])
            await until(lambda: len(ids_at(site, "erp", "early-")) == 500, "it is delivered, the request still open")
            yield ndjson(events[500:])

        # when
        told = await asyncio.wait_for(post(site, lines(), site.keys["vans"], NDJSON), 60)
        # then
        assert (told.status, told.body["accepted"]) == (202, 501)

    act(scenario)


def test_broken_lines_of_a_stream_are_refused_alone_and_blank_ones_are_nothing(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        good = [ndjson([event]) for event in sales("broken", range(2))]
        body = good[0] + b"\r\n{not json\n" + b'{"specversion":"1.0","id":"x"}\r\n' + good[1].rstrip()
        # when
        told = await post(site, body, site.keys["vans"], NDJSON)
        # then
        assert told.status == 202
        assert [item["status"] for item in told.body["items"]] == ["accepted", "refused", "refused", "accepted"]
        assert [item["type"].rpartition(":")[2] for item in told.body["items"][1:3]] == [
            "invalid_json",
            "invalid_envelope",
        ]

    act(scenario)


def test_a_line_that_is_too_long_ends_its_stream_and_what_was_stored_is_a_repeat_later(act: Act) -> None:
    async def scenario(site: Site) -> None:
        # given
        head = ndjson(sales("long", range(500)))
        # when
        told = await post(site, head + b'"' + b"x" * (3 << 20), site.keys["vans"], NDJSON)
        again = await post(site, head, site.keys["vans"], NDJSON)
        # then
        assert (told.status, told.body["type"]) == (413, "urn:crossdock:problem:body_too_large")
        assert (again.status, again.body["duplicate"]) == (202, 500)

    act(scenario)


def test_a_hundred_thousand_lines_of_a_kib_pass_in_bounded_memory_beside_a_quick_neighbour(
    act: Act, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        # given
        line = ndjson([{**sale(1), "specversion": "9.0", "subject": "s" * 700}])  # each is refused
        assert 1000 <= len(line) <= 1200
        slowest = 0.0

        async def lines() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield line * 100

        async def neighbour() -> None:
            nonlocal slowest
            for number in range(10_000):
                began = time.monotonic()
                status, _, _ = await site.post({**sale(number), "id": f"neighbour-{number}"})
                assert status == 202
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.05)

        # when
        beside = asyncio.create_task(neighbour())
        async with watched(site.children()["gateway"]) as memory:
            told = await asyncio.wait_for(post(site, lines(), site.keys["vans"], NDJSON), 110)
        beside.cancel()
        # then
        assert (told.status, told.body.get("refused")) == (422, 100_000), str(told.body)[:300]
        assert max(memory) - memory[0] < MEMORY
        assert slowest < 2

    act(scenario)
