"""Events as the process step reads them back from the broker."""

import json
from typing import Any

from crossdock.kernel.event import decode_structured, encode_structured, restore

DOCUMENT = {"specversion": "1.0", "id": "1", "source": "/till/1", "type": "pos.sale"}


def stored(**members: Any) -> bytes:
    return json.dumps({**DOCUMENT, **members}).encode()


def test_a_stored_event_is_restored_with_what_is_added_to_it() -> None:
    written = encode_structured(decode_structured(stored(shelf="1", partner="x", data={"n": 2**60})))
    event = restore(written, partner="p")
    assert event == decode_structured(written).extended(partner="p")
    assert (event.extensions, event.exact) == ({"shelf": "1", "partner": "p"}, True)


def test_what_may_be_left_out_may_be_null() -> None:
    written = stored(time=None, shelf=None, datacontenttype=None, data_base64="AA==")
    assert restore(written) == decode_structured(written)
