"""Dead letters: the original bytes survive, and a replay is told from the original."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, Message
from dlq.record import DeadLetter, explain, headers_of, letter_id, parse, record, replay

LETTER = DeadLetter(
    "dl-1", "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "no", ({"code": "refused"},),
    3, 10, 20, 5, 5, "event.inventory.sold", {"Crossdock-Raw": "2"}, b"{}", "0042/7", "rev",
)  # fmt: skip


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")))
def test_the_original_bytes_come_back_exactly(payload: bytes) -> None:
    letter = replace(LETTER, payload=payload)
    assert parse(record(letter).payload) == letter


def test_the_same_failure_is_stored_once_and_the_next_one_again() -> None:
    assert record(LETTER).key == record(replace(LETTER, last_seen=99, attempts=4)).key
    assert record(LETTER).key != record(replace(LETTER, seq=6)).key
    assert record(LETTER).subject == "dlq.deliver.stock"
    assert record(replace(LETTER, stage="process", route="")).subject == "dlq.process.tills"


def test_the_id_is_that_of_the_event_at_its_stage_and_not_of_the_copy() -> None:
    assert letter_id("deliver", "stock", 5) == letter_id("deliver", "stock", 5)
    ids = {letter_id(*what) for what in [("deliver", "stock", 5), ("process", "stock", 5), ("deliver", "stock", 6)]}
    assert len(ids) == 3


def test_a_replayed_delivery_goes_to_its_route_only_with_the_same_bytes() -> None:
    sent = replay(LETTER, "1")
    assert (sent.subject, sent.payload) == ("replay.stock", LETTER.payload)
    assert sent.headers == {"Crossdock-Raw": "2", ORIGIN: "5", DEAD_LETTER: "dl-1"}
    assert sent.key != replay(LETTER, "2").key


def test_a_replayed_raw_event_goes_through_the_process_step_again() -> None:
    letter = replace(LETTER, stage="process", route="", subject="raw.stores.tills")
    assert replay(letter, "1").subject == "raw.stores.tills"


def test_a_replay_does_not_carry_the_brokers_headers_of_the_first() -> None:
    headers = {"Nats-Msg-Id": "x", "ce-id": "1", ORIGIN: "1", DEAD_LETTER: "dl"}
    assert headers_of(Message(1, "s", b"", headers, 1, 0.0)) == {"ce-id": "1"}
    sent = replay(replace(LETTER, headers={"Nats-Msg-Id": "x"}), "1")
    assert not any(name.startswith("Nats-") for name in sent.headers)


def test_fields_of_later_versions_are_ignored() -> None:
    stored = record(LETTER).payload
    assert parse(stored[:-1] + b',"colour":"red"}') == LETTER


def test_the_first_problem_gives_the_reason_and_all_are_listed() -> None:
    reason, detail, problems = explain((Problem("a", "first"), Problem("b", "x" * 5000, pointer="/p")))
    assert reason == "a" and detail.startswith("first; /p x") and len(detail) <= 1000
    assert problems[0] == {"code": "a", "message": "first"} and problems[1]["pointer"] == "/p"
