"""`/ops/v1/session`: signing in by name and password or with a token, who one is, and signing out."""

import math
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from console.access import TOKEN, Gate, Role, Signed, address
from console.answers import json_answer
from console.door import SIGN_IN
from console.identity import Access
from console.passwords import LONGEST, Crowded
from console.sessions import Session
from crossdock.kernel.problems import Unavailable
from dlq.audit import Audit

WRONG = "the name, the password or the token is wrong"


class Given(BaseModel):
    """What somebody signs in with: a name and a password, or a token."""

    model_config = ConfigDict(extra="forbid")
    user: str = Field("", max_length=64)
    password: SecretStr = Field(SecretStr(""), max_length=LONGEST)
    token: SecretStr = Field(SecretStr(""), max_length=200)


def add_signin(app: FastAPI, access: Access, audit: Audit, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.post(SIGN_IN)
    async def sign_in(given: Given, request: Request) -> Response:
        session = await _proven(access, audit, given, address(request))
        signed = await begin(access, audit, request, session)
        told = {"person": session.person, "role": session.role.word, "csrf": signed.csrf, "expires": signed.expires}
        return handed_over(access, signed, json_answer(told))

    @app.get(SIGN_IN)
    async def who(request: Request) -> Response:
        ways = {"oidc": access.provider is not None}
        if getattr(request.state, "role", None) is None:
            return json_answer({"detail": "nobody is signed in", **ways}, 401)
        return json_answer(_told(request) | ways)

    @app.delete(SIGN_IN, dependencies=[gate(Role.VIEWER)])
    async def sign_out(request: Request) -> Response:
        signed = request.state.session
        if signed is None:
            raise HTTPException(409, "a bearer token is no session and cannot be signed out; revoke it instead")
        await audit.note(request.state.person, address(request), "session.sign-out", "", {})
        await access.sessions.end(signed.id)
        answer = json_answer({"signed_out": True})
        answer.delete_cookie(access.sessions.cookie, secure=access.secure, httponly=True, samesite="strict")
        return answer


async def begin(access: Access, audit: Audit, request: Request, session: Session, **said: Any) -> Signed:
    """Begin a session that is proven, and end that which the browser had."""
    await audit.note(session.person, session.address, "session.sign-in", "", {"by": session.kind, **said})
    if old := request.cookies.get(access.sessions.cookie):
        await access.sessions.end(old)
    return await access.sessions.begin(session)


def handed_over(access: Access, signed: Signed, answer: Response) -> Response:
    """Return an answer with the cookie of a session."""
    answer.set_cookie(access.sessions.cookie, signed.id, secure=access.secure, httponly=True, samesite="strict")
    return answer


async def _proven(access: Access, audit: Audit, given: Given, place: str) -> Session:
    """Return the session, not yet begun, of who proved who it is; 401, 429 and 503 for everybody else."""
    token, name = given.token.get_secret_value(), given.user.strip().lower()
    if bool(token) is bool(name):
        raise HTTPException(422, "send user and password, or token")
    who = f"user {name}" if name else f"token of {place}"  # no name that somebody types locks anything but itself
    admitted(access, who, place)
    try:
        found = await access.session_of(token, place) if token else None
        session, known = (found, False) if token else await _user(access, name, given, place)
    except Crowded:
        access.lockout.undecided(who, place)
        raise HTTPException(503, "too many people sign in at once; try again", {"retry-after": "2"}) from None
    except Unavailable:  # which says nothing of whoever asks
        access.lockout.undecided(who, place)
        raise
    if session is None:
        # A name that nobody has may be a password in the wrong field.
        await audit.note("", place, "session.refused", name if known else "", {"by": "token" if token else "user"})
        raise HTTPException(401, WRONG)
    access.lockout.good(who, place)
    return session


def admitted(access: Access, who: str, place: str) -> None:
    """Count one more try to sign in, or refuse it with 429 and the seconds to wait."""
    if wait := access.lockout.begin(who, place):
        after = str(math.ceil(wait))
        raise HTTPException(429, f"too many sign-ins failed; try again in {after} s", {"retry-after": after})


async def _user(access: Access, name: str, given: Given, place: str) -> tuple[Session | None, bool]:
    """Return the session of a user and whether there is such a user; the work is the same for all."""
    user = await access.users.find(name)
    fits = await access.passwords.fits(user.digest if user else "", given.password.get_secret_value())
    if user is None or not fits or user.disabled:
        return None, user is not None
    now = access.clock()
    return Session(user.name, user.role, "user", user.stamp, now, now, place), True


def _told(request: Request) -> dict[str, Any]:
    state, signed = request.state, request.state.session
    named = state.person != TOKEN and ":" not in state.person  # see `console.access.Person`
    return {
        "person": state.person,
        "role": state.role.word,
        "password": named,
        "csrf": signed.csrf if signed else "",
        "expires": signed.expires if signed else 0,
    }
