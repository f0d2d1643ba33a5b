"""Drift: what the events of a source bring beyond their schema, or beyond what was usual there."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from schemas.outline import EVERY, Outline, Place, joined
from schemas.profile import LEARNT, Profile, Seen, Sight

Kind = Literal["unknown_field", "new_value", "null", "type", "missing", "rule"]
UNKNOWN_FIELD: Final = "unknown_field"
NEW_VALUE: Final = "new_value"
NULL: Final = "null"
TYPE: Final = "type"
MISSING: Final = "missing"
RULE: Final = "rule"
KINDS = (UNKNOWN_FIELD, NEW_VALUE, NULL, TYPE, MISSING, RULE)
MOST_FINDINGS = 100  # of one version
TOGETHER = 5  # unknown fields of one object that were there from the beginning: more of them are one finding
USUAL = 20  # how often each value of a list comes, on average, before one more is news
ODDS = 1e-9  # of a field that still comes to be away for so long by chance
AWAY, LEAST_AWAY = 600_000, 50  # milliseconds and events for which a field must be away


class Origin(NamedTuple):
    """Whose events: the version is that of their schema."""

    partner: str
    source: str
    type: str
    version: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that drifted, at a JSON pointer with `*` for every item.

    `count` of `of` events that were looked at and have what is around it; times are Unix milliseconds; `news` is when
    something about it was new last. `values` are the new values (as JSON), kinds of values or names, `usual` those
    before, for an unknown field its kinds; `breaks` says that the schema refuses it, `early` that it does not, and that
    the field was there from the beginning: perhaps the schema leaves it out on purpose. `sample` is the id of an event,
    or of a dead letter where all were `refused`.
    """

    id: str
    origin: Origin
    kind: Kind
    pointer: str
    count: int
    of: int
    first_seen: int
    last_seen: int
    news: int
    sample: str
    breaks: bool
    values: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    rule: str = ""
    early: bool = False
    refused: bool = False

    @property
    def share(self) -> float:
        """Return how many of the events have it, as a part of 1."""
        return self.count / self.of if self.of else 0.0


def findings(origin: Origin, profile: Profile, outline: Outline) -> list[Finding]:
    """Return what drifted in the events of a version, the latest first, at most 100."""
    found = [*_unknown(origin, profile, outline), *_others(origin, profile, outline), *_rules(origin, profile)]
    return sorted(found, key=lambda one: -one.last_seen)[:MOST_FINDINGS]


def settled(finding: Finding, outline: Outline) -> bool:
    """Tell whether a schema allows what was found, so that nothing is left to do."""
    place = outline.at(finding.pointer.removesuffix(f"/{EVERY}") if finding.kind == UNKNOWN_FIELD else finding.pointer)
    if finding.kind == UNKNOWN_FIELD:
        if finding.values:
            return place is not None and all(place.is_map or place.member(name) for name in finding.values)
        around = outline.at(finding.pointer.rpartition("/")[0])
        return place is not None or (around is not None and around.is_map)
    if place is None or not finding.breaks:
        return False
    if finding.kind in (NULL, TYPE):
        return place.kinds.issuperset(finding.values)
    if finding.kind == NEW_VALUE:
        return place.values is None or place.values.issuperset(finding.values)
    return False


def _unknown(origin: Origin, profile: Profile, outline: Outline) -> Iterator[Finding]:
    """Yield the fields that a schema does not name."""
    early: dict[str, list[tuple[str, Seen, Seen]]] = defaultdict(list)
    for pointer, seen, around in profile.each():
        parent = pointer.rpartition("/")[0]
        if _is_unknown(outline, parent, pointer):
            early[parent if seen.sight.after < LEARNT else pointer].append((pointer, seen, around))
    for parent, group in early.items():
        if len(group) > TOGETHER:
            yield _group(origin, parent, group, outline)
        else:
            yield from (_field(origin, *one, outline) for one in group)
    yield from _too_many(origin, "", profile.top, outline)
    for pointer, seen, _ in profile.each():
        yield from _too_many(origin, pointer, seen, outline)


def _is_unknown(outline: Outline, parent: str, pointer: str) -> bool:
    around = outline.at(parent)
    return around is not None and not around.is_map and outline.at(pointer) is None


def _field(origin: Origin, pointer: str, seen: Seen, around: Seen, outline: Outline) -> Finding:
    found = _made(origin, UNKNOWN_FIELD, pointer, seen.sight, around.sight.n)
    breaks = _is_shut(outline.at(pointer.rpartition("/")[0]))
    return replace(found, usual=tuple(seen.kinds), breaks=breaks, early=seen.sight.after < LEARNT and not breaks)


def _group(origin: Origin, parent: str, group: list[tuple[str, Seen, Seen]], outline: Outline) -> Finding:
    """Return the fields that a schema leaves out from the beginning as one finding: it names only some on purpose."""
    most = max((seen for _, seen, _ in group), key=lambda seen: seen.sight.n)
    found = _made(origin, UNKNOWN_FIELD, joined(parent, EVERY), most.sight, group[0][2].sight.n)
    names = tuple(pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") for pointer, _, _ in group)
    first = min(seen.sight.first for _, seen, _ in group)
    breaks = _is_shut(outline.at(parent))
    return replace(found, values=names, first_seen=first, news=first, breaks=breaks, early=not breaks)


def _too_many(origin: Origin, pointer: str, seen: Seen, outline: Outline) -> Iterator[Finding]:
    if seen.others is not None:
        found = _made(origin, UNKNOWN_FIELD, joined(pointer, EVERY), seen.others, seen.sight.n)
        breaks = _is_shut(outline.at(pointer))
        early = seen.others.after < LEARNT and not breaks
        yield replace(found, id=_id(origin, "others", found.pointer), breaks=breaks, early=early)


def _is_shut(place: Place | None) -> bool:
    shut = ("additionalProperties", "unevaluatedProperties")
    return place is not None and any(node.get(key) is False for _, node in place.nodes for key in shut)


def _others(origin: Origin, profile: Profile, outline: Outline) -> Iterator[Finding]:
    """Yield new values, nulls, other kinds and what stopped coming, at the places that a schema names."""
    for pointer, seen, around in profile.each():
        if (place := outline.at(pointer)) is None:
            continue
        yield from _kinds(origin, pointer, seen, place)
        yield from _values(origin, pointer, seen, place)
        if _is_missing(profile, seen, around):
            found = _made(origin, MISSING, pointer, seen.sight, around.sight.n)
            yield replace(found, news=seen.sight.last)


def _kinds(origin: Origin, pointer: str, seen: Seen, place: Place) -> Iterator[Finding]:
    for name, sight in seen.kinds.items():
        refused = name not in place.kinds
        if refused or sight.after >= LEARNT:
            usual = tuple(kind for kind, other in seen.kinds.items() if other.after < sight.after and kind != name)
            more: dict[str, Any] = {"values": (name,), "usual": usual or tuple(sorted(place.kinds)), "breaks": refused}
            if name == "null":
                yield _made(origin, NULL, pointer, sight, seen.sight.n, **more)
            else:
                yield _made(origin, TYPE, pointer, sight, seen.sight.n, id_of=f"{pointer} {name}", **more)


def _values(origin: Origin, pointer: str, seen: Seen, place: Place) -> Iterator[Finding]:
    known = seen.values or {}
    if place.values is None:
        usual = [text for text, sight in known.items() if sight.after < LEARNT]
        enough = max(LEARNT, USUAL * len(usual))
        new = {text: sight for text, sight in known.items() if sight.after >= enough} if usual else {}
    else:
        new = {text: sight for text, sight in known.items() if text not in place.values}
        usual = sorted(place.values)
    if not new:
        return
    last = max(new.values(), key=lambda sight: sight.last)
    count, first = sum(sight.n for sight in new.values()), min(sight.first for sight in new.values())
    found = _made(
        origin, NEW_VALUE, pointer, last, seen.sight.n, breaks=place.values is not None, values=tuple(new),
        usual=tuple(usual),
    )  # fmt: skip
    yield replace(found, count=count, first_seen=first, news=max(sight.first for sight in new.values()))


def _is_missing(profile: Profile, seen: Seen, around: Seen) -> bool:
    """Tell whether a field that came so often would hardly be away for so long by chance."""
    away = around.sight.n - seen.parent
    if seen.sight.n < LEARNT or away < LEAST_AWAY or profile.top.sight.last - seen.sight.last < AWAY:
        return False
    share = min(seen.sight.n / max(seen.parent, 1), 1 - 1e-12)
    return away * math.log1p(-share) < math.log(ODDS)


def _rules(origin: Origin, profile: Profile) -> Iterator[Finding]:
    for name, sight in profile.rules.items():
        rule, _, pointer = name.partition(" ")
        found = _made(origin, RULE, pointer, sight, profile.looked)
        yield replace(found, id=_id(origin, RULE, name), rule=rule, breaks=True)


def _made(origin: Origin, kind: Kind, pointer: str, sight: Sight, of: int, *, id_of: str = "", **more: Any) -> Finding:
    made = (_id(origin, kind, id_of or pointer), origin, kind, pointer, sight.n, of)
    return Finding(*made, sight.first, sight.last, sight.first, sight.sample, **{"breaks": False, **more})


def _id(origin: Origin, kind: str, pointer: str) -> str:
    return "dr-" + hashlib.blake2b("|".join((*origin, kind, pointer)).encode(), digest_size=6).hexdigest()
