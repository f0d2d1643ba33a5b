"""Who may do what: the roles, and the check that stands before every path of the operations API."""

import secrets
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from fastapi import Depends, HTTPException, Request

TOKEN = "token"  # who acts with the token of the installation


class Role(IntEnum):
    """What a person is allowed; each role may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ARCHITECT = 3
    ADMIN = 4


Gate = Callable[[Role], Any]  # gives the dependency that lets in who has this role


def gate_of(token: str) -> Gate:
    """Return the gate that lets in who has the token of the installation, as admin.

    Raises:
        ValueError: the token is empty and would let everybody in.
    """
    if not token:
        raise ValueError("an empty operations token would let everybody in")

    def authorised(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "send Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"})

    return lambda _: Depends(authorised)


def person(request: Request) -> str:
    """Return who asks."""
    return str(getattr(request.state, "person", TOKEN))
