"""What hostile inputs brought to light, each found by `tests.gateway.fuzz` and mended."""

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from crossdock.kernel import jsontext
from crossdock.kernel.event import decode_structured
from crossdock.kernel.problems import Problem, Refused
from gateway.head import read_head
from gateway.idempotency import idempotency_key
from gateway.webhook import Call, make_event
from schemas.differences import differences
from schemas.spec import compile_schema
from tests.gateway.fuzzground import ground
from tests.gateway.fuzztargets import Door

HOOK = {"content-type": "application/json", "x-id": "w-1"}
LINES = {
    "type": "object",
    "required": ["store"],
    "properties": {
        "lines": {"type": "array", "minItems": 3000, "items": {"type": "object", "required": ["gtin", "qty"]}}
    },
}


def refusal(act: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.problems


@pytest.mark.parametrize("number", ["1e-99999999999999999999", "0E-99999999999999999999", "-1.5e-1000000000000000000"])
def test_an_exponent_beyond_what_decimals_hold_is_a_number_that_cannot_be_kept(number: str) -> None:
    (problem,) = refusal(lambda: jsontext.loads(f'{{"price": {number}}}'.encode()))
    assert problem.code == "number_not_exact"


@pytest.mark.parametrize("media", ["application/cloudevents+json", "Application/CloudEvents-batch+json; charset=utf-8"])
def test_data_cannot_be_called_a_whole_event(tmp_path: Path, media: str) -> None:
    # given: RAW, and a target in binary mode, would take the body for the event in structured mode
    source = ground(tmp_path).sources["hook"]
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "datacontenttype": media, "data": {}}
    # then
    for act in (
        lambda: make_event(source, Call({**HOOK, "content-type": media}, {}, b"{}"), b"{}"),
        lambda: decode_structured(json.dumps(document).encode()),
    ):
        (problem,) = refusal(act)
        assert (problem.code, problem.pointer) == ("invalid_envelope", "/datacontenttype")


def test_an_attribute_of_a_webhook_that_is_true_is_the_text_that_workers_will_see(tmp_path: Path) -> None:
    project = ground(tmp_path)
    body = b'{"id": "1", "good": true}'
    assert make_event(project.sources["lots"], Call(HOOK, {}, body), body).extensions == {"good": "true"}
    Door(project).webhook("lots", b'content-type: application/json\x1d{"items": [%b]}' % body)


def test_a_query_that_looks_like_a_guarded_integer_is_text(tmp_path: Path) -> None:
    source = ground(tmp_path).sources["hook"]
    body = b'{"subject": 12345678901234567890}'
    topic = "\ufdd0" + "1" * 5000 + "\ufdd1"
    (problem,) = refusal(lambda: make_event(source, Call(HOOK, {"topic": topic}, body), body))
    assert (problem.code, problem.pointer) == ("invalid_envelope", "/topic")


def test_a_long_idempotency_key_takes_no_memory_to_refuse() -> None:
    key = '"' + "a" * 60_000 + '"'
    tracemalloc.start()
    try:
        (problem,) = refusal(lambda: idempotency_key({"idempotency-key": key}))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert problem.code == "bad_idempotency_key"
    assert most < 1 << 20


def test_a_query_of_many_percent_signs_is_not_decoded() -> None:
    scope = {"method": "GET", "path": "/", "query_string": b"a=" + b"%" * 60_000, "headers": []}
    (problem,) = refusal(lambda: read_head(scope))
    assert problem.code == "headers_too_large"


def test_of_an_envelope_with_thousands_of_faults_a_hundred_are_told() -> None:
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **{f"x{i}": 1.5 for i in range(4000)}}
    assert len(refusal(lambda: decode_structured(json.dumps(document).encode()))) == 100


def test_data_with_thousands_of_faults_is_refused_in_milliseconds() -> None:
    data = {"store": "1", "lines": [{}] * 16_000}
    spent = []
    for _ in range(3):
        started = time.process_time()
        told = differences(compile_schema(LINES), data)
        spent.append(time.process_time() - started)
    assert (len(told), told[0].pointer) == (100, "/lines/0/gtin")
    assert min(spent) < 0.05  # a quarter of a second when all 32,000 are made


def test_only_what_is_true_of_the_whole_is_told_of_its_beginning() -> None:
    # given: the beginning has neither 3,000 lines nor a store
    good = {"gtin": "1", "qty": 1}
    data = {"lines": [good, {}, *[good] * 4000], "store": "1"}
    # then
    told = differences(compile_schema(LINES), data)
    assert [problem.pointer for problem in told] == ["/lines/1/gtin", "/lines/1/qty"]


def test_a_fault_behind_the_beginning_is_told_alone() -> None:
    good = {"gtin": "1", "qty": 1}
    data = {"store": "1", "lines": [*[good] * 4000, {"gtin": "1"}, {}]}
    assert [problem.pointer for problem in differences(compile_schema(LINES), data)] == ["/lines/4000/qty"]
