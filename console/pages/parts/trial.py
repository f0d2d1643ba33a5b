"""What a dry run of a replay plan said: who would get how much, what would fail, what differs, what to look out for."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import facts, link, number, plural, section, tag, words
from console.pages.parts.compare import show_changes
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet

TARGETS = (Column("Route"), Column("Connector"), Column("Requests", "number"))
FAILS = (Column("How many", "number"), Column("Why", "long"))
_CARE = (
    ("order_conflicts", "would come after a later event of their key, which was delivered already"),
    ("delivered_already", "are at their target already; it knows them by their Idempotency-Key, if it looks"),
    ("maybe_known_to_target", "may be known to their target: they were sent, and no answer came"),
)


def show_trial(told: dict[str, Any], of: str) -> None:
    """Show it; `of` is what the plan is of, `letters` or `events`."""
    fails = sum(one["count"] for one in told["fails"])
    compared = told.get("compared_with", "")
    facts(
        [
            ("Looked at", f"{told['looked_at']:,} of {told['total']:,}"), ("Would pass", number(told["passes"])),
            ("Would fail", number(fails)), ("By revision", told["revision"][:12]),
            ("Compared with", compared[:12] if compared != told["revision"] else ""),
        ]
    )  # fmt: skip
    for name, means in _CARE:
        if told[name]["count"]:
            _care(told[name], means, is_event=name == "delivered_already", linked=of == "letters")
    _unfit(told["patch_unfit"])
    if fails:
        table = Sheet("Why some would fail", FAILS, "")
        table.fill(Row(one["why"], [sheet.count(one["count"]), sheet.text(one["why"])]) for one in told["fails"])
    if targets := told.get("targets"):
        Sheet("What targets would get", TARGETS, "").fill(_target(one) for one in targets)
    else:
        tag("p", "No target would get anything.", "quiet")
    _effects(told.get("effects", {}), told.get("examples", ()))


def _target(one: dict[str, Any]) -> Row:
    cells = [sheet.text(one["route"]), sheet.text(one["connector"]), sheet.count(one["count"])]
    return Row(one["route"], cells)


def _care(found: dict[str, Any], means: str, *, is_event: bool, linked: bool) -> None:
    with tag("details", classes="form warn"):
        tag("summary", f"{found['count']:,} {means}.")
        with tag("p", classes="ids"):
            for one in found["ids"]:
                if is_event:
                    link(one, journey(one))
                else:
                    link(one, _letter(one)) if linked else tag("span", one)
            if found["count"] > len(found["ids"]):
                tag("span", f"and {found['count'] - len(found['ids']):,} more", "quiet")


def _unfit(found: dict[str, Any]) -> None:
    if not found["count"]:
        return
    with tag("details", classes="form warn"):
        tag("summary", f"The patch does not fit {found['count']:,}, which would not be sent.")
        for one in found["examples"]:
            with tag("p"):
                link(one["id"], _letter(one["id"]), "mono")
                tag("span", f" {one['why']}")


def _effects(effects: dict[str, int], examples: Sequence[dict[str, Any]]) -> None:
    with section("What differs from what was sent before", level=3):
        if not examples:
            tag("p", "Nothing.", "quiet")
        for one in examples:
            count = effects.get(one["effect"], 1)
            with tag("div", classes="example"):
                with tag("p"):
                    tag("strong", f"{plural(count, 'event')} {words(one['effect'])}")
                    tag("span", ", for example ")
                    link(one["id"], journey(one["id"])) if one["id"] else tag("span", "one without an id")
                show_changes(one["differences"], f"What differs: {words(one['effect'])}")


def _letter(letter: str) -> str:
    return f"/dead-letters/{quote(letter, safe='')}"
