"""A raw event whose large body cannot be had is read as lost, whatever the form it came in."""

import pytest

from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import CLAIM, Message
from crossdock.pipeline.work import Work

ENVELOPE = {"ce-specversion": "1.0", "ce-id": "s-1", "ce-source": "/till/1", "ce-type": "pos.sale"}
INSTEAD = b"the body, 5242880 bytes, is object ab of the bucket BODIES"


@pytest.mark.parametrize(
    "headers", [{"content-type": "application/cloudevents+json"}, {"content-type": "application/json", **ENVELOPE}]
)
def test_what_stands_in_place_of_a_lost_body_is_never_taken_for_an_event(headers: dict[str, str]) -> None:
    message = Message(1, "raw.stores.tills", INSTEAD, {**headers, CLAIM: "ab 5242880"}, 1, 1.0)
    work = Work(message, 1, "stores", "tills")
    with pytest.raises(Refused) as refused:
        work.read()
    (problem,) = refused.value.problems
    assert problem.code == "body_lost" and INSTEAD.decode() in problem.message
    assert work.event is None
