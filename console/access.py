"""Who may do what: the roles, who asks, and the check that stands before every path of the operations API."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from fastapi import Depends, HTTPException, Request

TOKEN = "token"  # who acts with the token of the installation
COOKIE = "crossdock_session"
OIDC = "oidc:"  # how the names of people of an identity provider begin
INSIDE = "http://console"  # what pages call the application by, in the same process


class Role(IntEnum):
    """What a person is allowed; each role may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ARCHITECT = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """The role as people write it."""
        return self.name.lower()


ROLES = {role.word: role for role in Role}


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that a request came with; `expires` is Unix milliseconds."""

    id: str = field(repr=False)
    expires: int
    cookie: str = COOKIE

    @property
    def csrf(self) -> str:
        """What a request that changes something must bring beside the cookie, which other sites cannot read."""
        return hashlib.sha256(f"csrf {self.id}".encode()).hexdigest()

    def headers(self) -> dict[str, str]:
        """Return the headers by which a page calls the API in the process as the person whom it serves."""
        return {"cookie": f"{self.cookie}={self.id}", "x-csrf-token": self.csrf, "origin": INSIDE}


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a user by name, `token` or `token:NAME`, or `oidc:NAME~SUBJECT`; a bearer token has no `session`."""

    name: str
    role: Role
    session: Signed | None = None


Gate = Callable[[Role], Any]  # gives the dependency that lets in who has this role


def gate(wanted: Role) -> Any:
    """Return the dependency that lets in whom the door has let in with this role or a higher one."""

    def allowed(request: Request) -> None:
        role = getattr(request.state, "role", None)
        if role is None:
            raise HTTPException(401, "send Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"})
        if role < wanted:
            raise HTTPException(403, f"this takes the role {wanted.word}, and {person(request)} is {role.word}")

    return Depends(allowed)


def person(request: Request) -> str:
    """Return who asks."""
    return str(getattr(request.state, "person", ""))


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are of one person: at an identity provider names change, and several may have one."""
    return _known_by(one) == _known_by(other)


def _known_by(name: str) -> str:
    return OIDC + name.rpartition("~")[2] if name.startswith(OIDC) else name


def address(request: Any) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""
