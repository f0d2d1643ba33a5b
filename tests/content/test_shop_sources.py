"""The shipped webhook sources: secrets, refusals, and what payments and parcel services want to hear."""

import hmac
import json
from typing import Any

import pytest

from crossdock import project
from crossdock.kernel.stream import QUARANTINED
from crossdock.project import Project
from tests.content.shopdoor import ENV, JSON, ROOT, URL, Delivery, Post, canonical, stored, through
from tests.gateway.vectors import ADYEN_ITEM, ADYEN_SIGNATURE
from tests.pipeline.scene import FlakyLog

SOURCES = ("shopify", "woocommerce", "square", "adyen", "easypost")
ORDER = 820982911946154508  # beyond 2^53: a double makes ...154500 of it
HEADERS = {**JSON, "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"}
ORDER_CREATED = Delivery("order", "shopify", HEADERS, b'{"id": %d, "total_price": "19.90", "line_items": []}' % ORDER)
NOTIFICATION = {**ADYEN_ITEM, "additionalData": {"hmacSignature": ADYEN_SIGNATURE}}


@pytest.fixture(scope="module")
def loaded() -> Project:
    return project.load(ROOT, ENV, strict_env=False)


@pytest.mark.parametrize("secret", [ENV["SHOPIFY_SECRET"], ENV["SHOPIFY_OLD_SECRET"]])
def test_both_secrets_of_shopify_are_good_during_a_rotation(loaded: Project, secret: str) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        answer = await post("shopify", ORDER_CREATED.signed(secret), ORDER_CREATED.body)
        assert answer.status == 202
        (record,) = stored(log)
        made = canonical(loaded, record)
        assert (made.type, made.subject, made.data["id"]) == ("shopify.orders", str(ORDER), ORDER)

    through(loaded, act)


def test_the_same_webhook_again_is_a_duplicate(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        headers = ORDER_CREATED.signed()
        answers = [await post("shopify", headers, ORDER_CREATED.body) for _ in range(2)]
        assert [answer.json()["status"] for answer in answers] == ["accepted", "duplicate"]

    through(loaded, act)


def test_what_breaks_its_schema_is_kept_as_a_dead_letter_and_not_sent_again(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        broken = ORDER_CREATED._replace(body=b'{"id": 7, "total_price": 19.9}')
        answer = await post("shopify", broken.signed(), broken.body)
        assert (answer.status, answer.json()["status"]) == (202, "quarantined")
        assert [error["pointer"] for error in answer.json()["warnings"]] == ["/total_price"]
        assert QUARANTINED in stored(log)[0].headers

    through(loaded, act)


def test_a_topic_that_is_none_of_ours_is_not_taken_for_an_event(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        theme = ORDER_CREATED._replace(headers={**HEADERS, "x-shopify-topic": "themes/create"})
        answer = await post("shopify", theme.signed(), theme.body)
        assert b"type_not_accepted" in answer.body
        assert all(QUARANTINED in record.headers for record in stored(log))

    through(loaded, act)


def test_a_webhook_without_its_id_is_refused_with_the_reason(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        headers = ORDER_CREATED.signed()
        del headers["x-shopify-webhook-id"]
        answer = await post("shopify", headers, ORDER_CREATED.body)
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (400, "/id")
        assert stored(log) == []

    through(loaded, act)


def notifications(*items: dict[str, Any]) -> bytes:
    wrapped = [{"NotificationRequestItem": item} for item in items]
    return json.dumps({"live": "false", "notificationItems": wrapped}).encode()


def test_adyen_hears_accepted_when_each_item_is_stored(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        answer = await post("adyen", JSON, notifications(NOTIFICATION, {**NOTIFICATION, "reason": "later"}))
        assert (answer.status, answer.body) == (200, b"[accepted]")
        made = [canonical(loaded, record) for record in stored(log)]
        assert {event.id for event in made} == {"7914073381342284/AUTHORISATION/true"}
        assert [event.data.get("reason") for event in made] == [None, "later"]

    through(loaded, act)


def test_adyen_is_refused_when_what_it_signs_is_changed(loaded: Project) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        more = {**NOTIFICATION, "amount": {"currency": "EUR", "value": 113000}}
        assert (await post("adyen", JSON, notifications(NOTIFICATION, more))).status == 401
        assert stored(log) == []

    through(loaded, act)


@pytest.mark.parametrize(
    ("description", "result", "type_"),
    [
        ("tracker.updated", {"object": "Tracker", "tracking_code": "1", "status": "in_transit"}, "shipment.tracked"),
        ("refund.successful", {"object": "Refund", "id": "rfnd_1"}, "easypost.event"),
    ],
)
def test_easypost_tells_of_trackers_and_of_the_rest(
    loaded: Project, description: str, result: dict[str, Any], type_: str
) -> None:
    async def act(post: Post, log: FlakyLog) -> None:
        told = {"id": "evt_1", "object": "Event", "description": description, "created_at": "2026-03-05T07:00:00Z"}
        body = json.dumps({**told, "result": result}).encode()
        mac = hmac.digest("se\u0301cret".encode(), body, "sha256").hex()  # EasyPost takes the key in form KD
        answer = await post("easypost", {**JSON, "x-hmac-signature": f"hmac-sha256-hex={mac}"}, body)
        assert (answer.status, answer.json()) == (202, {"id": "evt_1", "status": "accepted"})
        made = canonical(loaded, stored(log)[0])
        assert (made.type, next(route.connector for route in loaded.matching(made))) == (type_, "oms")

    through(loaded, act)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_closed_until_its_secret_is_set(source: str) -> None:
    closed = project.load(ROOT, {"SQUARE_WEBHOOK_URL": URL}, strict_env=False)

    async def act(post: Post, log: FlakyLog) -> None:
        assert closed.sources[source].verify.closed
        assert (await post(source, JSON, b"{}")).status == 401

    through(closed, act)


def test_square_is_closed_until_its_address_is_set() -> None:
    assert project.load(ROOT, {"SQUARE_SECRET": "key"}, strict_env=False).sources["square"].verify.closed
