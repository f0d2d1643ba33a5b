"""The flow drawn from partners to connectors. See `flowmap.js`."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from nicegui.element import Element

from console.pages.parts.basics import Mood, mood, number, plural

_STATES = {"unknown": "no worker", "half_open": "being tried", "open": "not answering", "closed": "answering"}
_WORST = ("open", "half_open", "unknown", "full", "paused", "closed")


class Wire(NamedTuple):
    """A way from one card to another: how many events a second go there, and what is wrong with it."""

    start: str
    end: str
    rate: float
    label: str
    mood: Mood = ""
    near: str = "from"  # where the label stands


class FlowMap(Element, component="flowmap.js"):
    """The drawing, changed in place."""

    def __init__(self) -> None:
        super().__init__()
        self.props["columns"], self.props["wires"] = [], []

    def fill(self, seen: Mapping[str, Any], rates: Mapping[str, float]) -> None:
        """Show an answer of `/ops/v1/overview`; `rates` are events a second by the keys of cards."""
        columns, wires = _columns(seen, rates), [_drawn(wire) for wire in _wires(seen, rates)]
        if columns != self.props["columns"] or wires != self.props["wires"]:
            self.props["columns"], self.props["wires"] = columns, wires
            self.update()


def keys(seen: Mapping[str, Any]) -> dict[str, int]:
    """Return what has been counted so far, by the keys of cards, to make rates of."""
    counts = {f"source {one['source']}": one["accepted"] for one in seen["sources"]}
    return counts | {f"route {one['route']}": one["delivered"] for one in seen["routes"]}


def state_of(breaker: str) -> tuple[str, Mood]:
    """Return how the state of a route's breaker is said, and how it looks."""
    return _STATES.get(breaker, breaker.replace("_", " ")), "warn" if breaker.startswith("closed until") else mood(
        breaker
    )


def worst(breakers: Iterable[str]) -> str:
    """Return the state that stands for several lanes to one connector."""
    found = {"paused" if one.startswith("closed until") else one for one in breakers}
    return next((one for one in _WORST if one in found), "unknown")


def _columns(seen: Mapping[str, Any], rates: Mapping[str, float]) -> list[dict[str, Any]]:
    sources, routes = _told(seen)
    quiet = [one["source"] for one in seen["sources"] if one not in sources]
    idle = [one["route"] for one in seen["routes"] if one not in routes]
    partners = dict.fromkeys(one["partner"] for one in sources)
    connectors = dict.fromkeys(one["connector"] for one in routes)
    found = (
        ("Partners", [_card(f"partner {name}", name) for name in partners]),
        ("Sources", [*(_source(one, rates) for one in sources), *_quiet("source", quiet)]),
        ("Process", [_process(seen)]),
        ("Routes", [*(_route(one, rates) for one in routes), *_quiet("route", idle)]),
        ("Connectors", [_connector(name, routes) for name in connectors]),
    )
    return [{"name": name, "cards": cards} for name, cards in found]


def _told(seen: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the sources and routes that have a card of their own: not those that never had an event and are well."""
    sources = [one for one in seen["sources"] if one["accepted"] or (one.get("poll") or {}).get("away")]
    routes = [one for one in seen["routes"] if one["delivered"] or one["dead_lettered"] or one["breaker"] != "closed"]
    return sources or seen["sources"], routes or seen["routes"]


def _quiet(kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return one card for all that had no event yet."""
    told = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return [_card(f"quiet {kind}", f"{plural(len(names), kind)} without events", [told])] if names else []


def _card(
    key: str, name: str, lines: Sequence[str] = (), href: str = "", state: str = "", looks: Mood = ""
) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "lines": [one for one in lines if one],
        "href": href,
        "state": state,
        "mood": looks,
    }


def _source(one: Mapping[str, Any], rates: Mapping[str, float]) -> dict[str, Any]:
    key, away = f"source {one['source']}", (one.get("poll") or {}).get("away", "")
    lines = [f"{number(one['accepted'])} accepted{_rate(rates.get(key, 0))}", away and f"away: {away}"]
    return _card(key, one["source"], lines, f"/events?source={quote(one['source'])}", looks="bad" if away else "")


def _process(seen: Mapping[str, Any]) -> dict[str, Any]:
    def total(name: str) -> int:
        return sum(one.get(name, 0) for one in seen["sources"])

    dead = total("dead_lettered")
    lines = [
        f"{number(total('routed'))} routed",
        plural(total("duplicate"), "duplicate"),
        dead and plural(dead, "dead letter"),
        f"lag {number(seen['lag'])}",
        f"{number(seen['waiting'])} waiting in all",
    ]
    return _card("process", "check, dedupe, transform", [line for line in lines if line])


def _route(one: Mapping[str, Any], rates: Mapping[str, float]) -> dict[str, Any]:
    key, (said, looks) = f"route {one['route']}", state_of(one["breaker"])
    lines = [
        f"{number(one['delivered'])} delivered{_rate(rates.get(key, 0))}",
        one["dead_lettered"] and plural(one["dead_lettered"], "dead letter"),
        one["behind"] and "behind: reads on its own",
    ]
    shown = "" if one["breaker"] == "closed" else said
    return _card(
        key,
        one["route"],
        [x for x in lines if x],
        f"/events?route={quote(one['route'])}",
        shown,
        "" if looks == "good" else looks,
    )


def _connector(name: str, routes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [one for one in routes if one["connector"] == name]
    said, looks = state_of(worst(one["breaker"] for one in mine))
    lines = [f"{number(sum(one['delivered'] for one in mine))} delivered", plural(len(mine), "route")]
    return _card(f"connector {name}", name, lines, "/connectors", said, looks if looks != "good" else "good")


def _wires(seen: Mapping[str, Any], rates: Mapping[str, float]) -> Iterable[Wire]:
    sources, routes = _told(seen)
    for one in sources:
        key = f"source {one['source']}"
        rate = rates.get(key, 0)
        yield Wire(f"partner {one['partner']}", key, rate, "")
        yield Wire(key, "process", rate, _short(rate))
    for one in routes:
        key, rate = f"route {one['route']}", rates.get(f"route {one['route']}", 0)
        _, looks = state_of(one["breaker"])
        yield Wire(
            "process",
            key,
            rate,
            f"lag {number(one['lag'])}" if one["behind"] else "",
            "warn" if one["behind"] else "",
            "to",
        )
        yield Wire(key, f"connector {one['connector']}", rate, _short(rate), "" if looks == "good" else looks)


def _drawn(wire: Wire) -> dict[str, Any]:
    width = 1.25 if wire.rate <= 0 else min(7.0, 1.5 + math.log10(1 + wire.rate) * 1.8)
    return {
        "from": wire.start, "to": wire.end, "width": round(width, 1), "label": wire.label, "mood": wire.mood,
        "busy": wire.rate > 0, "near": wire.near,
    }  # fmt: skip


def _short(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 9.5 else f"{rate:.1f}/s" if rate >= 0.05 else ""


def _rate(rate: float) -> str:
    return f" · {_short(rate)}" if _short(rate) else ""
