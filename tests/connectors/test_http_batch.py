"""Many events in one request, and what comes of each."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.http import HttpConnector
from connectors.port import Result
from tests.connectors.httpcases import EVENT, against, answer, read
from tests.connectors.servers import Behaviour, Served, always

BATCH = """
batch: {most: 4, within: 20ms, wrap: '{"moves": items.{"key": key, "sku": data.sku}[]}',
  results: 'body.results.{"status": status, "body": $}[]'}
answers: [{when: 'body.code = "LOCKED"', is: retry}]
"""


def all_of(skus: list[str], connector: HttpConnector) -> Any:
    events = [EVENT._replace(id=sku, data={"sku": sku}) for sku in skus]
    return asyncio.gather(*(connector.deliver(event, f"key-{event.id}") for event in events))


def target(seen: list[Any]) -> Behaviour:
    async def behave(served: Served) -> None:
        while True:
            _, _, body = (await served.request()).partition(b"\r\n\r\n")
            moves = orjson.loads(body)["moves"]
            seen.append([move["sku"] for move in moves])
            known = {"bad": {"status": 422, "code": "UNKNOWN"}, "locked": {"status": 422, "code": "LOCKED"}}
            told = [known.get(move["sku"], {"status": 201}) for move in moves]
            await served.answer(answer(200, orjson.dumps({"results": told})))

    return behave


def test_events_of_the_same_moment_go_as_one_and_each_has_its_own_result(tmp_path: Path) -> None:
    seen: list[Any] = []

    results = against(
        target(seen), read(tmp_path, BATCH), lambda connector: all_of(["a", "bad", "locked", "b", "c"], connector)
    )

    assert seen == [["a", "bad", "locked", "b"], ["c"]]
    assert [result.outcome for result in results] == ["delivered", "permanent", "retry", "delivered", "delivered"]
    assert results[1].detail == 'HTTP 422: {"status":422,"code":"UNKNOWN"}'


def test_a_batch_that_is_refused_as_a_whole_is_split_until_only_the_bad_event_is_refused(tmp_path: Path) -> None:
    sizes: list[int] = []

    async def behave(served: Served) -> None:
        while True:
            _, _, body = (await served.request()).partition(b"\r\n\r\n")
            skus = [item["sku"] for item in orjson.loads(body)]
            sizes.append(len(skus))
            await served.answer(answer(400 if "bad" in skus else 200))

    results = against(
        behave,
        read(tmp_path, "batch: {most: 8, within: 20ms}"),
        lambda connector: all_of(["a", "b", "c", "bad", "d", "e", "f", "g"], connector),
    )

    assert [result.outcome for result in results] == ["delivered"] * 3 + ["permanent"] + ["delivered"] * 4
    assert sizes == [8, 4, 2, 2, 1, 1, 4]


def test_an_event_that_cannot_be_written_stops_no_other_of_its_batch(tmp_path: Path) -> None:
    spec = read(tmp_path, "batch: {most: 3, within: 20ms}\nbody: csv")

    async def act(connector: HttpConnector) -> Any:
        events = [EVENT._replace(data=data) for data in ({"a": 1}, "none", {"a": 2})]
        return await asyncio.gather(*(connector.deliver(event, "k") for event in events))

    results = against(always(answer(200)), spec, act)

    assert [result.outcome for result in results] == ["delivered", "permanent", "delivered"]
    assert results[1].detail.startswith("bad_item")


def test_a_batch_that_is_not_answered_leaves_all_of_it_in_doubt(tmp_path: Path) -> None:
    async def behave(served: Served) -> None:
        await served.request()

    results = against(behave, read(tmp_path, BATCH), lambda connector: all_of(["a", "b"], connector))

    assert [result.outcome for result in results] == ["in_doubt", "in_doubt"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"results": [{"status": 200}]}', "tells of 1 events, 2 were sent"),
        (b'{"results": [{"status": 200}, {"status": "x"}]}', "neither `is` nor a status"),
        (b"{}", "were sent"),
    ],
)
def test_results_that_do_not_fit_leave_all_in_doubt(tmp_path: Path, body: bytes, told: str) -> None:
    results = against(always(answer(200, body)), read(tmp_path, BATCH), lambda connector: all_of(["a", "b"], connector))

    assert [result.outcome for result in results] == ["in_doubt", "in_doubt"]
    assert told in results[0].detail


def test_a_result_may_be_a_word_or_say_why(tmp_path: Path) -> None:
    text = """
batch: {most: 2, results: '["delivered", {"is": "permanent", "detail": "no such item"}]'}
"""
    results = against(always(answer(200)), read(tmp_path, text), lambda connector: all_of(["a", "b"], connector))

    assert results == [Result("delivered", 200, "delivered"), Result("permanent", 200, "no such item")]


def test_the_key_of_a_batch_is_that_of_its_events_and_the_envelope_stays_in_its_items(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def behave(served: Served) -> None:
        while True:
            got.append(await served.request())
            await served.answer(answer(200))

    text = 'batch: {most: 2, within: 20ms, wrap: \'items.{"id": event.id, "key": key}[]\'}'
    for _ in range(2):
        against(behave, read(tmp_path, text), lambda connector: all_of(["a", "b"], connector))

    assert got[0].split(b"idempotency-key: ")[1] == got[1].split(b"idempotency-key: ")[1]
    assert got[0].endswith(b'[{"id":"a","key":"key-a"},{"id":"b","key":"key-b"}]')
    assert b"ce-id" not in got[0]
