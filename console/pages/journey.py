"""`/events/{key}`: the journey of the events of an id or a key, hop by hop."""

from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from console.pages.parts.basics import Moment, badge, button, duration, facts, link, mood, plural, section, tag, words
from console.pages.parts.content import FORMS, show_content
from console.pages.parts.events import LIST
from console.pages.visit import Visit

ENDS = ("delivered", "dead_lettered", "quarantined", "discarded", "skipped", "duplicate")


async def journey(visit: Visit) -> None:
    """Build the page."""
    key = visit.path["key"]
    found = await visit.api.get(f"events/{quote(key, safe='')}")
    event = found["event"]
    facts(
        [
            ("Looked for", key),
            ("Partner", event["partner"]),
            ("Business keys", ", ".join(event["business_keys"])),
        ]
    )
    with tag("p", classes="acts-row"):
        link("All results", f"/events?{urlencode({'key': key, 'list': LIST})}")
    groups = _by_event(found["hops"])
    if len(groups) > 1:
        tag("p", f"{plural(len(groups), 'event')} have this id or key.", "quiet")
    for hops in groups:
        _journey(visit, hops)


def _by_event(hops: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the hops of each event; they stand by time, and several events may have one key."""
    by = {hop.get("raw") or hop.get("id", ""): list[dict[str, Any]]() for hop in hops}
    for hop in hops:
        by[hop.get("raw") or hop.get("id", "")].append(hop)
    return list(by.values())


def _journey(visit: Visit, hops: list[dict[str, Any]]) -> None:
    first = hops[0]
    with section(first.get("id") or "event without an id"):
        keys = {(one["kind"], one["value"]) for hop in hops for one in hop.get("keys", [])}
        facts(
            [
                ("Type", first.get("type", "")),
                *((kind, ", ".join(v for _, v in some)) for kind, some in groupby(sorted(keys), key=lambda k: k[0])),
                ("Took", duration(hops[-1]["at"] - first["at"]) if at_its_end(hops) else "not at its end yet"),
            ]
        )
        with tag("ol", classes="journey"):
            for before, hop in zip([None, *hops], hops, strict=False):
                _hop(visit, hop, before)


def at_its_end(hops: list[dict[str, Any]]) -> bool:
    """Tell whether everything has come of an event that is to come of it, as far as its hops say."""
    last = {hop.get("route", ""): hop for hop in hops if hop.get("route") or hop["stage"] != "deliver"}
    matched = [hop for hop in hops if hop["outcome"] == "matched"]
    routes = {route for hop in matched for route in (*hop["routes"], *hop["behind"])} | {name for name in last if name}
    if routes:
        return all(name in last and last[name]["outcome"] in ENDS for name in routes)
    return bool(matched) or (bool(last) and last[""]["outcome"] in ENDS)


def _hop(visit: Visit, hop: dict[str, Any], before: dict[str, Any] | None) -> None:
    with tag("li", classes=f"hop {mood(hop['outcome'])}"):
        with tag("div", classes="hop-head"):
            badge(hop["outcome"])
            tag("strong", " · ".join(filter(None, [words(hop["stage"]), hop.get("route", "")])))
            Moment(hop["at"])
            if before is not None:
                tag("span", f"+{duration(max(0, hop['at'] - before['at']))}", "quiet")
        said = hop.get("detail", "")
        if hop.get("reason") and hop["reason"] not in said:
            said = f"{words(hop['reason'])}: {said}" if said else words(hop["reason"])
        if said:
            tag("p", said, "hop-said")
        dead = hop.get("dead_letter", "")
        facts(
            [
                ("By", hop.get("who", "")), ("Attempts", hop.get("attempts", "")), ("Schema", hop.get("version", "")),
                ("Revision", hop.get("revision", "")),
                ("Dead letter", (lambda: link(dead, f"/dead-letters/{quote(dead)}")) if dead else ""),
            ]
        )  # fmt: skip
        with tag("div", classes="hop-acts"):
            for form, address in list(hop["links"].items())[-1:]:  # what came of this hop; the others have their own
                _opens(visit, form, address)


def _opens(visit: Visit, form: str, address: str) -> None:
    button(FORMS[form], lambda: show_content(visit, form, address), "small")
