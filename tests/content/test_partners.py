"""The shipped content as a whole: its tests hold, and every kind of partner reaches the targets it concerns."""

from itertools import islice
from pathlib import Path

import pytest

from crossdock import project
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event, decode_structured
from crossdock.kernel.problems import Refused
from crossdock.project import Project
from simulators.devices import PARTNERS, Device, fleet

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def loaded() -> Project:
    return project.load(ROOT, {}, strict_env=False)


def devices() -> list[Device]:
    return fleet("http://gateway.invalid", dict.fromkeys(PARTNERS.values(), "key"), rate=100, seed=7)


def events(device: Device, posts: int) -> list[Event]:
    return [decode_structured(jsontext.dumps(one)) for post in islice(device.posts, posts) for one in post]


def reached(loaded: Project, event: Event) -> set[str]:
    try:
        canonical = loaded.canonical(event, loaded.check(event))
    except Refused:
        return set()
    return {route.connector for route in loaded.matching(canonical)}


@pytest.mark.parametrize("kind", PARTNERS)
def test_each_kind_of_partner_reaches_all_three_targets(loaded: Project, kind: str) -> None:
    sent = [event for device in devices() if device.kind == kind for event in events(device, 40)]
    assert set[str]().union(*(reached(loaded, event) for event in sent)) == {"erp", "wms", "oms"}


@pytest.mark.parametrize("kind", PARTNERS)
def test_what_devices_send_belongs_to_a_source_and_nearly_all_of_it_is_delivered(loaded: Project, kind: str) -> None:
    sent = [event for device in devices() if device.kind == kind for event in events(device, 40)]
    for event in sent:
        loaded.source_for(PARTNERS[kind], event.type, event.source)
    assert 0.95 * len(sent) < sum(bool(reached(loaded, event)) for event in sent) <= len(sent)
