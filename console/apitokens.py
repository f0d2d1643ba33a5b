"""`/ops/v1/tokens`: API tokens of scripts and dashboards; a token is in one answer only, its digest in none."""

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import ROLES, Gate, Role, person
from console.answers import json_answer
from console.audit import note
from console.identity import Access
from console.keys import end_of
from console.people import RoleName
from console.tokens import NAME, Token, make_token
from dlq.audit import Audit


class NewToken(BaseModel):
    """What a token is for, what it may do, and when it ends."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    role: RoleName
    expires: str = Field("", max_length=40)


def add_tokens(app: FastAPI, access: Access, audit: Audit, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/tokens", dependencies=[gate(Role.ADMIN)])
    async def tokens() -> Response:
        now = access.clock()
        return json_answer({"items": [_shown(token, now) for token in await access.tokens.all()]})

    @app.post("/ops/v1/tokens", dependencies=[gate(Role.ADMIN)])
    async def create(wanted: NewToken, request: Request) -> Response:
        if not NAME.match(wanted.name):
            raise HTTPException(422, "a name has 1 to 64 of a-z, 0-9 and ._-, and begins with a letter or digit")
        now = access.clock()
        if any(one.name == wanted.name and not one.expired(now) for one in await access.tokens.all()):
            raise HTTPException(409, f"there is a token {wanted.name} already: the audit log tells them by their names")
        ends = end_of(wanted.expires, now)
        text, token = make_token(wanted.name, ROLES[wanted.role], now, ends, person(request))
        await note(audit, request, "token.create", token.id, name=token.name, role=wanted.role, expires=ends)
        await access.tokens.put(token)
        return json_answer({**_shown(token, now), "token": text}, 201)

    @app.delete("/ops/v1/tokens/{token_id}", dependencies=[gate(Role.ADMIN)])
    async def revoke(token_id: str, request: Request) -> Response:
        token = await access.tokens.by_id(token_id)
        if token is None:
            raise HTTPException(404, f"no token {token_id}")
        await note(audit, request, "token.revoke", token_id, name=token.name)
        await access.tokens.remove(token_id)
        return json_answer({"id": token_id, "revoked": True})


def _shown(token: Token, now: int) -> dict[str, Any]:
    shown = asdict(token) | {"role": token.role.word, "expired": token.expired(now)}
    del shown["digest"]
    return shown
