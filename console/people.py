"""`/ops/v1/users`: the people who sign in by name and password; called by `console.api`. No answer has a password."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, Literal, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from console.access import ROLES, TOKEN, Gate, Role
from console.answers import json_answer
from console.audit import note
from console.identity import Access
from console.passwords import LONGEST, SHORTEST, Crowded
from console.signin import admitted
from console.users import NAME, User
from dlq.audit import Audit

_T = TypeVar("_T")
RoleName = Literal["viewer", "operator", "architect", "admin"]


class NewUser(BaseModel):
    """Who somebody is, and what that person may do."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    role: RoleName
    password: SecretStr


class Change(BaseModel):
    """What is changed of a user; all of it ends the sessions of that person."""

    model_config = ConfigDict(extra="forbid")
    role: RoleName | None = None
    disabled: bool | None = None
    password: SecretStr | None = None


class OwnPassword(BaseModel):
    """A new password of who is signed in, who knows the old one."""

    model_config = ConfigDict(extra="forbid")
    old: SecretStr = Field(max_length=LONGEST)
    new: SecretStr


def add_people(app: FastAPI, access: Access, audit: Audit, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/users", dependencies=[gate(Role.ADMIN)])
    async def users() -> Response:
        return json_answer({"items": [_shown(user) for user in await access.users.all()]})

    @app.post("/ops/v1/users", dependencies=[gate(Role.ADMIN)])
    async def add(wanted: NewUser, request: Request) -> Response:
        if not NAME.match(wanted.name):
            raise HTTPException(422, "a name has 1 to 64 of a-z, 0-9 and ._@-, and begins with a letter or digit")
        if wanted.name == TOKEN:
            raise HTTPException(422, f"{TOKEN} is whoever acts with the token of the installation; take another name")
        digest = await _digest(access, wanted.name, wanted.password)
        await note(audit, request, "user.add", wanted.name, role=wanted.role)
        user = await access.users.add(wanted.name, ROLES[wanted.role], digest, access.clock())
        if user is None:
            raise HTTPException(409, f"there is a user {wanted.name} already")
        return json_answer(_shown(user), 201)

    @app.patch("/ops/v1/users/{name}", dependencies=[gate(Role.ADMIN)])
    async def change(name: str, wanted: Change, request: Request) -> Response:
        await _known(access, name)
        digest = await _digest(access, name, wanted.password) if wanted.password else None
        said = wanted.model_dump(exclude={"password"}, exclude_none=True)
        await note(audit, request, "user.change", name, **said, password=digest is not None)
        return json_answer(_shown(await _changed(access, name, wanted, digest)))

    @app.delete("/ops/v1/users/{name}", dependencies=[gate(Role.ADMIN)])
    async def remove(name: str, request: Request) -> Response:
        await _known(access, name)
        await note(audit, request, "user.remove", name)
        await access.users.remove(name)
        return json_answer({"name": name, "removed": True})

    _own(app, access, audit, gate)


def _own(app: FastAPI, access: Access, audit: Audit, gate: Gate) -> None:
    @app.post("/ops/v1/session/password", dependencies=[gate(Role.VIEWER)])
    async def own_password(wanted: OwnPassword, request: Request) -> Response:
        name = request.state.person
        user = await _known(access, name)
        if not await _fits(access, user, wanted.old):
            raise HTTPException(403, "the old password is wrong")
        digest = await _digest(access, name, wanted.new)
        await note(audit, request, "user.password", name)
        await _changed(access, name, Change(), digest)
        return json_answer({"name": name, "changed": True})


async def _known(access: Access, name: str) -> User:
    user = await access.users.find(name)
    if user is None:
        raise HTTPException(404, f"no user {name}")
    return user


async def _changed(access: Access, name: str, wanted: Change, digest: str | None) -> User:
    def how(user: User) -> User:
        return replace(
            user,
            role=ROLES[wanted.role] if wanted.role else user.role,
            disabled=user.disabled if wanted.disabled is None else wanted.disabled,
            digest=digest or user.digest,
        )

    changed = await access.users.change(name, access.clock(), how)
    if changed is None:
        raise HTTPException(404, f"no user {name}")
    return changed


async def _fits(access: Access, user: User, old: SecretStr) -> bool:
    who = f"password of {user.name}"  # who guesses at the sign-in must not keep somebody from changing it
    admitted(access, who, who)
    fits = await _promptly(access.passwords.fits(user.digest, old.get_secret_value()))
    if fits:
        access.lockout.good(who, who)
    return fits


async def _digest(access: Access, name: str, password: SecretStr) -> str:
    text = password.get_secret_value()
    if not SHORTEST <= len(text) <= LONGEST:
        raise HTTPException(422, f"a password has {SHORTEST} to {LONGEST} characters; some words are a good one")
    if text.lower() == name or len(set(text)) == 1:
        raise HTTPException(422, "that password would be guessed first; some words are a good one")
    return await _promptly(access.passwords.digest(text))


async def _promptly(work: Awaitable[_T]) -> _T:
    try:
        return await work
    except Crowded:
        raise HTTPException(503, "too many passwords are looked at; try again", {"retry-after": "2"}) from None


def _shown(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role.word,
        "disabled": user.disabled,
        "created": user.created,
        "changed": user.changed,
    }
