"""API keys in the operations API: make, list, roll, revoke. A key is in one answer only, its digest in none."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from crossdock.kernel import units
from crossdock.kernel.apikeys import KeyRecord, make_key, roll
from crossdock.kernel.content import did_you_mean
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project
from crossdock.source import API_KEY, SourceSpec

OVERLAP = "24h"
LONGEST = 100 * 365 * 86_400_000  # milliseconds that a key may be made for
Names = Annotated[list[str], Field(max_length=100)]
KeyId = Annotated[str, "the id, not the key"]


class NewKey(BaseModel):
    """Who a key is for and what it may do; a scope that is misspelt is refused, as the key would have none."""

    model_config = ConfigDict(extra="forbid")
    partner: str = Field(max_length=100)
    sources: Names = []
    types: Names = []
    status: bool = True
    expires: str = Field("", max_length=40)
    rate: str = Field("", max_length=20)
    note: str = Field("", max_length=200)


class Roll(BaseModel):
    """How long the old key works beside the new one."""

    model_config = ConfigDict(extra="forbid")
    overlap: str = Field(OVERLAP, max_length=20)


def add_keys(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/keys", dependencies=[gate(Role.VIEWER)])
    async def list_keys() -> Response:
        return json_answer({"items": await _listed(desk)})

    @app.post("/ops/v1/keys", dependencies=[gate(Role.ADMIN)])
    async def create_key(wanted: NewKey, request: Request) -> Response:
        key, record = _make(desk.project, wanted)
        await note(desk.audit, request, "key.create", record.id, **wanted.model_dump())
        await desk.keys.put(record)
        return json_answer({"id": record.id, "key": key, **_shown(record)}, 201)

    @app.post("/ops/v1/keys/{key_id}/roll", dependencies=[gate(Role.ADMIN)])
    async def roll_key(key_id: KeyId, request: Request, wanted: Roll | None = None) -> Response:
        return await _roll(desk, request, key_id, _duration(wanted.overlap if wanted else OVERLAP))

    @app.delete("/ops/v1/keys/{key_id}", dependencies=[gate(Role.ADMIN)])
    async def revoke_key(key_id: KeyId, request: Request) -> Response:
        await note(desk.audit, request, "key.revoke", key_id)
        if not await desk.keys.remove(key_id):
            raise HTTPException(404, f"no key {key_id}")
        return json_answer({"id": key_id, "revoked": True})


async def _listed(desk: Desk) -> list[dict[str, Any]]:
    """Return all keys with their last use: 0 for never, null while that cannot be known."""
    now = now_ms()
    try:
        uses: Mapping[str, int] | None = await desk.last_uses()
    except Unavailable:
        uses = None
    return [
        {
            **_shown(record),
            "expired": record.expired(now),
            "last_used": None if uses is None else uses.get(record.id, 0),
        }
        for record in desk.keys.records()
    ]


def _make(project: Project, wanted: NewKey) -> tuple[str, KeyRecord]:
    if wrong := list(_wrong(project, wanted)):
        raise HTTPException(422, "; ".join(wrong))
    now = now_ms()
    key, record = make_key(wanted.partner, now)
    return key, replace(
        record,
        sources=tuple(wanted.sources),
        types=tuple(wanted.types),
        status=wanted.status,
        expires=end_of(wanted.expires, now),
        rate=_rate(wanted.rate),
        note=wanted.note,
    )


async def _roll(desk: Desk, request: Request, key_id: str, overlap: int) -> Response:
    now, old = now_ms(), desk.keys.find(key_id)
    if old is None:
        raise HTTPException(404, f"no key {key_id}")
    if old.rolled_to:
        raise HTTPException(409, f"key {key_id} was rolled to {old.rolled_to} already")
    if old.expired(now):
        raise HTTPException(409, f"key {key_id} has expired; create another one")
    key, new, ending = roll(old, now, overlap)
    await note(desk.audit, request, "key.roll", key_id, successor=new.id, ends=ending.expires)
    await desk.keys.put(new)
    if not await desk.keys.replace(old, ending):
        await desk.keys.remove(new.id)
        raise HTTPException(409, f"key {key_id} was revoked or rolled at the same moment")
    return json_answer({"id": new.id, "key": key, **_shown(new), "old": {"id": old.id, "expires": ending.expires}}, 201)


def _wrong(project: Project, wanted: NewKey) -> Iterator[str]:
    """Say what is not known to the project or does not belong together."""
    partners = {source.partner for source in project.sources.values()}
    if wanted.partner not in partners:
        yield f"no source belongs to partner {wanted.partner}; {did_you_mean(wanted.partner, partners)}"
        return
    open_ones = {name: source for name, source in project.sources.items() if _takes_keys_of(source, wanted.partner)}
    for name in wanted.sources:
        if name not in open_ones:
            yield f"partner {wanted.partner} has no source {name} that takes API keys; {did_you_mean(name, open_ones)}"
        elif wanted.types and not {type_ for type_, _ in open_ones[name].types} & set(wanted.types):
            yield f"source {name} takes none of the types"
    chosen = [open_ones[name] for name in wanted.sources or open_ones if name in open_ones]
    known = {type_ for source in chosen for type_, _ in source.types}
    for type_ in wanted.types:
        if type_ not in known:
            yield f"no source of this key takes {type_}; {did_you_mean(type_, known)}"


def _takes_keys_of(source: SourceSpec, partner: str) -> bool:
    return source.partner == partner and source.verify.scheme == API_KEY


def end_of(text: str, now: int) -> int:
    """Return when a key or token ends, from a duration, a day or a time (UTC where it does not say)."""
    if not text:
        return 0
    if re.fullmatch(units.DURATION, text):
        end = now + _duration(text)
    else:
        try:
            at = datetime.fromisoformat(text)
            end = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            raise HTTPException(422, f"expires {text}: no duration such as 90d, no day such as 2031-12-31") from None
    if not now < end <= now + LONGEST:
        raise HTTPException(422, f"expires {text}: not in the next 100 years")
    return end


def _duration(text: str) -> int:
    """Return the milliseconds of a duration."""
    if not re.fullmatch(units.DURATION, text) or (found := int(units.seconds(text) * 1000)) > LONGEST:
        raise HTTPException(422, f"{text} is no duration such as 24h, or longer than 100 years")
    return found


def _rate(text: str) -> int:
    if text and (not re.fullmatch(units.RATE, text) or not int(text.removesuffix("/s"))):
        raise HTTPException(422, f"rate {text} is no rate such as 50/s")
    return int(text.removesuffix("/s") or 0)


def _shown(record: KeyRecord) -> dict[str, Any]:
    """Return all of a key's record that may be seen."""
    shown = asdict(record)
    del shown["digest"]
    return shown
