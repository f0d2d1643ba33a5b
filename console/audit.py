"""`/ops/v1/audit`: what people did, and whether the log of it is whole; called by `console.api`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response

from console.access import Gate, Role, person
from console.answers import json_answer
from dlq.audit import NO_HASH, Audit, is_hash

MOST = 1000  # entries of one answer

Limit = Annotated[int, Query(ge=1, le=MOST)]
Word = Annotated[str, Query(max_length=100)]


def add_audit(app: FastAPI, audit: Audit, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/audit", dependencies=[gate(Role.OPERATOR)])
    async def entries(
        limit: Limit = 100, before: Annotated[int, Query(ge=0)] = 0, who: Word = "", act: Word = ""
    ) -> Response:
        found, older = await audit.newest(limit, before, who, act)
        return json_answer({"items": [asdict(entry) for entry in found], "next": older})

    @app.get("/ops/v1/audit/verify", dependencies=[gate(Role.OPERATOR)])
    async def verify(known: Word = "") -> Response:
        if known and not is_hash(known):
            raise HTTPException(422, f"known: {NO_HASH}")
        return json_answer((await audit.verify(known)).as_dict())


async def note(audit: Audit, request: Request, act: str, on: str, **detail: Any) -> None:
    """Note what a person orders, before it is done.

    Raises:
        Unavailable: it could not be noted and must not be done.
    """
    address = request.client.host if request.client else ""
    await audit.note(person(request), address, act, on, detail)


async def note_reveal(audit: Audit, request: Request, on: str, why: str) -> None:
    """Note that a person asks for what is masked; viewers may not, whatever their reason.

    Raises:
        Unavailable: it could not be noted and must not be done.
    """
    if getattr(request.state, "role", Role.VIEWER) < Role.OPERATOR:
        raise HTTPException(403, f"to reveal takes the role {Role.OPERATOR.word}")
    await note(audit, request, "content.reveal", on, reason=why)
