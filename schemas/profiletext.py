"""Profiles as JSON, so that they outlive the process that made them."""

from typing import Any

from crossdock.kernel import jsontext
from schemas.profile import Profile, Seen, Sight


def dump(profile: Profile, *, lean: bool = False) -> bytes:
    """Write a profile; a `lean` one has the id of an event for each place alone, not for its kinds and values."""
    rules = {name: _sight(sight) for name, sight in profile.rules.items()}
    counts = [profile.seen, profile.looked, profile.places]
    return jsontext.dumps({"counts": counts, "rules": rules, "top": _seen(profile.top, lean)})


def load(stored: bytes) -> Profile:
    """Read what `dump` wrote."""
    document: dict[str, Any] = jsontext.own_loads(stored)
    rules = {name: Sight(*values) for name, values in document["rules"].items()}
    seen, looked, places = document["counts"]
    return Profile(_read(document["top"]), rules, seen, looked, places)


def _sight(sight: Sight, lean: bool = False) -> list[Any]:
    return [sight.first, sight.after, sight.n, sight.last, "" if lean else sight.sample, sight.look]


def _seen(seen: Seen, lean: bool) -> dict[str, Any]:
    values = None if seen.values is None else {text: _sight(sight, lean) for text, sight in seen.values.items()}
    return {
        "sight": _sight(seen.sight),
        "kinds": {kind: _sight(sight, lean) for kind, sight in seen.kinds.items()},
        "values": values,
        "members": {name: _seen(child, lean) for name, child in seen.members.items()},
        "items": _seen(seen.items, lean) if seen.items else None,
        "parent": seen.parent,
        "unknown": seen.unknown,
        "others": _sight(seen.others) if seen.others else None,
    }


def _read(document: dict[str, Any]) -> Seen:
    values, items, others = document["values"], document["items"], document["others"]
    return Seen(
        sight=Sight(*document["sight"]),
        kinds={kind: Sight(*sight) for kind, sight in document["kinds"].items()},
        values=None if values is None else {text: Sight(*sight) for text, sight in values.items()},
        members={name: _read(child) for name, child in document["members"].items()},
        items=_read(items) if items else None,
        parent=document["parent"],
        unknown=document["unknown"],
        others=Sight(*others) if others else None,
    )
