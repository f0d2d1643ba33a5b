"""Payloads that real partners published fit our schemas and map to the canonical form."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock import project
from crossdock.kernel import yamlfile
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.project import Project

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", ROOT.parent / "shared")) / "corpora"
EASYPOST_BARE = ("trackers-create.json", "trackers-retrieve.json")

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")


@pytest.fixture(scope="module")
def loaded() -> Project:
    return project.load(ROOT, {}, strict_env=False)


def canonical(loaded: Project, kind: str, data: Any) -> Event:
    event = Event(id="1", source="urn:corpora", type=kind, time="2026-03-02T09:00:00Z", data=data)
    return loaded.canonical(event, loaded.check(event))


def read(path: str) -> Any:
    return json.loads((CORPORA / path).read_bytes())


def ups_examples() -> Mapping[str, Any]:
    document = yamlfile.parse((CORPORA / "ups/UPSTrackAlert.yaml").read_bytes(), "UPSTrackAlert.yaml").value
    content = document["webhooks"]["TrackingEvent"]["post"]["requestBody"]["content"]["application/json"]
    return {name: example["value"] for name, example in content["examples"].items()}


def test_an_easypost_event_becomes_its_last_scan(loaded: Project) -> None:
    event = canonical(loaded, "easypost.tracker", read("easypost/event-body.json"))
    assert event.type == "shipment.tracked"
    assert event.extensions["businesskey"] == "1"
    assert event.data == {
        "shipment": "1",
        "carrier": "FedEx",
        "status": "in_transit",
        "detail": "Arrived at FedEx location",
        "at": "2024-08-02T18:50:00Z",
        "expected_at": "2024-08-05T00:00:00Z",
        "place": {"city": "EDISON", "region": "NJ", "postcode": "08817", "country": "US"},
    }


@pytest.mark.parametrize("name", EASYPOST_BARE)
def test_a_bare_easypost_tracker_maps_like_one_inside_an_event(loaded: Project, name: str) -> None:
    tracker = read(f"easypost/{name}")
    bare = canonical(loaded, "easypost.tracker", tracker)
    inside = canonical(loaded, "easypost.tracker", {"object": "Event", "result": tracker})
    assert bare.data == inside.data
    assert bare.data["status"] == "announced"
    assert bare.data["place"] == {"city": "HOUSTON", "region": "TX", "postcode": "77063"}


def test_every_easypost_tracker_of_a_list_maps(loaded: Project) -> None:
    trackers = read("easypost/trackers-list.json")["trackers"]
    assert [canonical(loaded, "easypost.tracker", one).data["shipment"] for one in trackers] == ["EZ1000000001"]


def test_what_is_no_easypost_tracker_is_refused(loaded: Project) -> None:
    with pytest.raises(Refused) as refused:
        canonical(loaded, "easypost.tracker", read("easypost/trackers-delete.json"))
    assert {problem.code for problem in refused.value.problems} == {"schema_violation"}


def test_ups_examples_say_where_the_parcel_is(loaded: Project) -> None:
    found = {name: canonical(loaded, "ups.track_alert", body) for name, body in ups_examples().items()}
    assert {name: (event.data["status"], event.data["at"]) for name, event in found.items()} == {
        "1": ("out_for_delivery", "2024-04-23T13:15:19Z"),
        "2": ("delivered", "2024-04-23T13:50:04Z"),
    }


def test_vendor_shipments_become_announcements(loaded: Project) -> None:
    bodies = [pair["request"]["parameters"]["body"] for pair in read("sp-api/vendorShipments-sandbox.json")]
    notices = [one for body in bodies for one in body.get("value", {}).get("shipmentConfirmations", [])]
    events = [canonical(loaded, "supplier.asn", notice) for notice in notices]
    assert [event.extensions["businesskey"] for event in events] == ["TestShipmentConfirmation202"]
    assert events[0].data["lines"] == [
        {"line": "001", "order": "TestOrder202", "quantity": 100, "unit": "each"},
        {"line": "002", "order": "TestOrder202", "quantity": 100, "unit": "case"},
    ]
    assert {route.name for route in loaded.matching(events[0])} == {"shipments-to-erp", "shipments-to-wms"}
