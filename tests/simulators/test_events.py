"""What the generators of events promise."""

from itertools import islice

import pytest

from simulators import events
from simulators.events import FIRST_TRANSACTION, Post
from simulators.maker import UNKNOWN_GTIN, Maker, catalogue, spoil


def posts(seed: int, count: int) -> list[Post]:
    return list(islice(events.till(Maker("till", seed), "0042"), count))


def test_the_same_seed_makes_the_same_events() -> None:
    assert posts(1, 50) == posts(1, 50)
    assert posts(1, 50) != posts(2, 50)


def test_two_runs_share_no_id() -> None:
    first, second = (
        {e["id"] for post in islice(events.ups(Maker("ups", 1, run)), 50) for e in post} for run in ("a", "b")
    )
    assert not first & second


def test_a_till_repeats_some_events_with_the_same_id_and_content() -> None:
    sent = [event for post in posts(1, 400) for event in post]
    by_id = {event["id"]: event for event in sent}
    assert 5 < len(sent) - len(by_id) < 60
    assert all(event == by_id[event["id"]] for event in sent)


def test_sales_carry_integers_beyond_what_a_double_holds() -> None:
    numbers = [event["data"]["transaction"] for post in posts(1, 50) for event in post]
    assert all(number >= FIRST_TRANSACTION and number % 2 for number in numbers)
    assert all(int(float(number)) != number for number in numbers)


def test_a_handheld_sends_single_scans_and_batches_of_up_to_two_hundred() -> None:
    sizes = [len(post) for post in islice(events.handheld(Maker("handheld", 1), "DC-01"), 200)]
    assert min(sizes) == 1
    assert 100 < max(sizes) <= 200


def test_parcels_move_forward_only() -> None:
    seen: dict[str, list[str]] = {}
    for post in islice(events.easypost(Maker("easypost", 3)), 500):
        tracker = post[0]["data"].get("result", {})
        if tracker.get("status") in events.PARCEL:
            seen.setdefault(tracker["tracking_code"], []).append(tracker["status"])
    assert len(seen) > 20
    for statuses in seen.values():
        assert statuses == sorted(statuses, key=events.PARCEL.index)


@pytest.mark.parametrize("refused", [True, False])
def test_about_one_event_in_a_hundred_is_wrong(refused: bool) -> None:
    sent = [event["data"] for post in islice(events.till(Maker("till", 5), "0042"), 3000) for event in post]
    unknown = sum(data["lines"][0]["gtin"] == UNKNOWN_GTIN for data in sent)
    incomplete = sum("receipt" not in data for data in sent)
    assert 3 <= (incomplete if refused else unknown) <= 40


def test_an_item_nobody_knows_is_not_in_the_catalogue() -> None:
    assert UNKNOWN_GTIN not in {item.gtin for item in catalogue()}


def test_spoiling_takes_a_needed_field_away() -> None:
    event = {"type": "pos.sale", "data": {"receipt": "1"}}
    spoil(event, refused=True)
    assert event["data"] == {}
