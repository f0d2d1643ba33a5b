"""What a route may ask for besides a condition: several targets, priority, expiry, delay, a window, a sample, a tap."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.retry import Retry
from routes.match import Verdict, explain, in_sample, matches
from routes.spec import Route, load
from routes.window import Window, hours

NOW = 1_772_442_000.0  # 2026-03-02T09:00:00Z


def write(root: Path, *lines: str, to: str = "erp", types: str = "[inventory.sold]") -> Path:
    (root / "routes").mkdir(exist_ok=True)
    head = ["routes:", "  - route: stock", f"    from: {types}", f"    to: {to}"]
    (root / "routes" / "stock.yaml").write_text("\n".join([*head, *(f"    {line}" for line in lines)]) + "\n")
    return root


def route(root: Path, *lines: str, **more: str) -> Route:
    (one,) = load(write(root, *lines, **more))
    return one


def problem(root: Path, *lines: str, **more: str) -> Problem:
    with pytest.raises(Refused) as caught:
        load(write(root, *lines, **more))
    (found,) = caught.value.problems
    return found


def sold(id_: str = "e-1", time: str = "", **data: object) -> Event:
    return Event(id=id_, source="/s", type="inventory.sold", data=data, time=time, extensions={"partner": "stores"})


def verdict(root: Path, event: Event, *lines: str, source: str = "tills") -> Verdict:
    (found,) = explain([route(root, *lines)], event, source, now=lambda: NOW)
    return found


def test_a_route_with_several_targets_is_a_route_for_each(tmp_path: Path) -> None:
    both = load(write(tmp_path, "when: a = 1", to="[erp, wms]"))
    assert [(one.name, one.connector) for one in both] == [("stock-erp", "erp"), ("stock-wms", "wms")]
    assert both[0].when is both[1].when is not None


def test_a_list_of_one_target_is_named_after_it_too(tmp_path: Path) -> None:
    assert route(tmp_path, to="[erp]").name == "stock-erp"


def test_a_route_has_careful_defaults_for_all_of_it(tmp_path: Path) -> None:
    one = route(tmp_path)
    assert (one.majors, one.map, one.priority, one.expire, one.delay) == ({}, "", "normal", 0, 0)
    assert (one.window, one.sample, one.tap) == (None, 1, False)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    one = route(
        tmp_path,
        "map: erp_movement",
        "priority: high",
        "expire: 2h",
        "delay: 15m",
        'window: {closed: ["Mon-Fri 22:00-02:00", "Sun 00:00-24:00"], zone: Europe/Berlin, drain: 50/s}',
        "sample: 12.5%",
        types="[inventory.sold@2, inventory.returned]",
    )
    assert (one.types, one.majors) == (("inventory.sold", "inventory.returned"), {"inventory.sold": 2})
    assert (one.map, one.priority, one.expire, one.delay, one.sample) == ("erp_movement", "high", 7200, 900, 0.125)
    closed = (hours("Mon-Fri 22:00-02:00"), hours("Sun 00:00-24:00"))
    assert one.window == Window(closed, ZoneInfo("Europe/Berlin"), 50)


def test_a_tap_gives_up_soon_and_gives_way(tmp_path: Path) -> None:
    assert (route(tmp_path, "tap: true").retry, route(tmp_path, "tap: true").priority) == (Retry(60, 2, 600), "low")
    said = route(tmp_path, "tap: true", "priority: high", "retry: {for: 5s, most: 4s}")
    assert (said.retry.age, said.priority) == (5, "high")


def test_a_sample_takes_its_share_and_the_same_events_on_every_route(tmp_path: Path) -> None:
    tenth, third = route(tmp_path, "sample: 10%"), route(tmp_path, "sample: 33%")
    events = [sold(f"e-{number}") for number in range(2000)]
    small, large = ({event.id for event in events if matches(one, view(event))} for one in (tenth, third))
    assert 160 < len(small) < 240 and 600 < len(large) < 720
    assert small < large


def test_a_condition_may_ask_who_took_the_event(tmp_path: Path) -> None:
    one = route(tmp_path, 'when: $source.name = "tills" and $source.partner = $event.partner')
    assert [matches(one, view(sold(), name)) for name in ("tills", "kiosks")] == [True, False]


def test_a_field_named_source_is_not_taken_for_it(tmp_path: Path) -> None:
    assert matches(route(tmp_path, 'when: source = "x"'), view(sold(source="x"), "tills"))


def test_what_the_sample_leaves_out_is_explained(tmp_path: Path) -> None:
    event = sold("e-2")
    place = round(in_sample(event) * 100, 2)
    said, more = verdict(tmp_path, event, "sample: 0.01%"), ("sample", "", in_sample(event))
    assert said == Verdict("stock", False, f"the sample of 0.01% does not have it: it stands at {place:g}%", *more)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("sample: 100%", ""),
        ("expire: 2h", "; but it is older than 2h: it becomes the dead letter `expired`"),
        ("expire: 7h", ""),
        ("delay: 15m", "; sent 15m after it was stored"),
        (
            "window: {closed: 22:00-10:30, zone: Europe/Berlin}",
            "; held, the window is closed until 2026-03-02T10:30+01:00",
        ),
        ("window: {closed: 22:00-02:00, zone: Europe/Berlin}", ""),
        ("tap: true", "; a tap: dropped if it cannot be sent"),
    ],
)
def test_what_becomes_of_an_event_that_is_taken_is_explained(tmp_path: Path, line: str, why: str) -> None:
    said = verdict(tmp_path, sold(time="2026-03-02T05:00:00+01:00"), line)
    assert said == Verdict("stock", True, "takes every inventory.sold" + why, "all")


def test_what_the_cast_to_the_version_of_the_route_refuses_is_explained(tmp_path: Path) -> None:
    def cast(_: Route, event: Event) -> Event:
        raise Refused([Problem("downcast_invalid", f"{event.id} has no location")])

    (said,) = explain([route(tmp_path)], sold(), cast=cast)
    assert said == Verdict("stock", False, "e-1 has no location", "failed")


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("expire: 15m\n    delay: 15m", "contradiction", 5),
        ("expire: 0s", "contradiction", 5),
        ("delay: 25h", "bad_value", 5),
        ("priority: urgent", "bad_value", 5),
        ("sample: 0%", "bad_value", 5),
        ("sample: 0.00%", "bad_value", 5),
        ("sample: 101%", "bad_value", 5),
        ("sample: 100.5%", "bad_value", 5),
        ("map: ../erp", "bad_value", 5),
        ("window: {closed: 22:00-02:00}", "missing_key", 5),
        ("window: {closed: 22-02, zone: UTC}", "bad_window", 14),
        ("window: {zone: UTC, closed: [01:00-02:00, 02:00]}", "bad_window", 47),
        ("window: {zone: UTC, closed: [Sat-Mon 00:00-24:00, Tue-Fri 00:00-24:00]}", "bad_window", 25),
        ("window: {closed: 22:00-02:00, zone: Europe/Berln}", "unknown_zone", 35),
        ("window: {closed: 22:00-02:00, zone: ../../etc/passwd}", "unknown_zone", 35),
        ("window: {closed: 22:00-02:00, zone: Europe}", "unknown_zone", 35),
        ("window: {closed: 22:00-02:00, zone: UTC, drain: 0/s}", "bad_value", 46),
    ],
)
def test_a_mistake_is_placed(tmp_path: Path, line: str, code: str, column: int) -> None:
    found = problem(tmp_path, line)
    assert (found.code, found.file, found.line, found.column) == (code, "routes/stock.yaml", 5, column)


@pytest.mark.parametrize("start", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_start_that_no_utc_time_can_say_is_a_mistake(tmp_path: Path, start: str) -> None:
    found = problem(tmp_path, f"start: {start}")
    assert (found.code, found.message) == ("bad_value", f"{start} is no date and time")


def test_a_zone_that_is_meant_is_named(tmp_path: Path) -> None:
    found = problem(tmp_path, "window: {closed: 22:00-02:00, zone: Europe/Berln}")
    assert found.hint.startswith("did you mean Europe/Berlin")


def test_a_type_in_two_versions_is_a_mistake(tmp_path: Path) -> None:
    found = problem(tmp_path, types="[inventory.sold, inventory.sold@1]")
    assert (found.code, found.line, found.message) == ("bad_value", 3, "a type is named twice")
