"""What shops and tills really sent passes the shipped webhook sources, signed, and with every id exact."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock import project
from crossdock.kernel import event as events
from crossdock.kernel.expression import view
from crossdock.kernel.stream import QUARANTINED
from crossdock.project import Project
from gateway.caller import caller_of
from gateway.intake import Accepted, Intake
from gateway.webhook import Call, make_event
from routes.match import order_key
from tests.content.shopdoor import CORPORA, ENV, ROOT, Delivery, Post, canonical, captured, stored, through
from tests.pipeline.scene import FlakyLog

ORDER = 820982911946154508  # of Shopify's examples; beyond 2^53: a double makes ...154500 of it
CAPTURED = [sent for source in ("shopify", "woocommerce", "square") for sent in captured(source)]

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")
every_capture = pytest.mark.parametrize("sent", CAPTURED, ids=lambda sent: f"{sent.source}-{sent.name}")


@cache
def shipped() -> Project:
    return project.load(ROOT, ENV, strict_env=False)


@pytest.fixture
def loaded() -> Project:
    return shipped()


def admitted(loaded: Project, sent: Delivery) -> Accepted:
    """Return what the gateway makes of a delivery that is proven."""
    source = loaded.sources[sent.source]
    event = make_event(source, Call(sent.headers, {}, sent.body), sent.body)
    return Intake(loaded).admit(caller_of([source]), source, event, events.encode_headers(event), sent.body)


def test_there_are_captures_of_all_three_shops() -> None:
    assert {sent.source for sent in CAPTURED} == {"shopify", "woocommerce", "square"}
    assert any(b'"id": %d' % ORDER in sent.body for sent in CAPTURED)


@every_capture
def test_a_captured_webhook_is_stored_byte_for_byte_and_reaches_the_oms_with_every_id(
    loaded: Project, sent: Delivery
) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        # when
        answer = await post(sent.source, sent.signed(), sent.body)
        # then
        assert (answer.status, answer.json()["status"]) == (202, "accepted")
        (record,) = stored(log)
        assert record.payload == sent.body
        assert QUARANTINED not in record.headers
        made = canonical(loaded, record)
        assert json.loads(events.encode_structured(made))["data"] == json.loads(sent.body)
        assert {route.connector for route in loaded.matching(made)} == {"oms"}

    through(loaded, act)


@every_capture
def test_a_captured_webhook_that_is_changed_after_signing_is_refused(loaded: Project, sent: Delivery) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        assert (await post(sent.source, sent.signed(), sent.body.replace(b":", b": ", 1))).status == 401
        assert (await post(sent.source, sent.signed("another secret"), sent.body)).status == 401
        assert stored(log) == []

    through(loaded, act)


@every_capture
def test_a_captured_webhook_says_what_it_is_about(loaded: Project, sent: Delivery) -> None:
    event = admitted(loaded, sent).event
    body = json.loads(sent.body)
    topic = sent.headers.get("x-shopify-topic") or sent.headers.get("x-wc-webhook-topic") or body["type"]
    assert event.extensions["topic"] == topic
    assert event.subject
    if "id" in body:
        assert event.subject == str(body["id"])


def test_everything_about_one_order_waits_in_one_line(loaded: Project) -> None:
    accepted = [admitted(loaded, sent) for sent in CAPTURED if sent.name.startswith("orders.")]
    (routes,) = {loaded.routes_for(one.event.type) for one in accepted}
    assert len(accepted) > 5
    assert {order_key(routes[0], view(one.event)) for one in accepted} == {str(ORDER)}


@every_capture
def test_a_captured_webhook_has_a_line_to_wait_in(loaded: Project, sent: Delivery) -> None:
    event = admitted(loaded, sent).event
    assert [bool(order_key(route, view(event))) for route in loaded.routes_for(event.type)] == [True]


def places(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Return every member of every object in a body."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from places(item)
    if isinstance(value, dict):
        yield from ((value, name) for name in value)


def is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


EVERYWHERE = frozenset(range(2000))
SOMEWHERE = st.frozensets(st.integers(0, 400), max_size=30)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10_000), st.integers(2**53, 2**64 - 1), st.just(EVERYWHERE) | SOMEWHERE)
def test_what_is_like_a_capture_passes_too(which: int, id_: int, where: frozenset[int]) -> None:
    # given fields that nobody knows yet, nothing where something was, and ids that a double cannot hold
    shops = [sent for sent in CAPTURED if sent.source != "square"]
    sent = shops[which % len(shops)]
    body = json.loads(sent.body)
    for index, (holder, name) in enumerate(list(places(body))):
        if is_id(name):
            holder[name] = id_ if isinstance(holder[name], int) else holder[name]
        elif index in where:
            holder[f"{name}_of_tomorrow"] = {"unknown": [1.5, None]}
            holder[name] = holder[name] if isinstance(holder[name], dict | list) else None
    # when
    accepted = admitted(shipped(), sent._replace(body=json.dumps(body).encode()))
    # then
    assert accepted.problems == ()
    if isinstance(body.get("id"), int):
        assert accepted.event.subject == str(id_)
