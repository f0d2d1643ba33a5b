"""Bearer tokens: JWTs (RFC 7519) of an issuer that the source names, verified with the issuer's public keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from crossdock.jwks import Keys, make_keys
from crossdock.kernel.units import seconds
from gateway.identities import networks
from gateway.proof import Reason, Request, Unverified, credentials

ALGORITHMS = ("RS256", "ES256", "EdDSA")
MAX_TOKEN = 8 << 10  # bytes
_REQUIRED = ["exp", "iss", "aud"]
_STALE = (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError)
_MALFORMED = (jwt.DecodeError, ValueError, TypeError, OverflowError, RecursionError)  # a token may hold any JSON


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token must say; `leeway` is in seconds, an empty subject is any."""

    issuer: str
    audience: str
    subject: str
    leeway: float
    algorithms: tuple[str, ...]


class Bearer:
    """Verifies the token in the Authorization header."""

    reads_body = False

    def __init__(self, claims: Claims, keys: Keys) -> None:
        self._claims = claims
        self._keys = keys

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        token = credentials(request, "bearer")
        kid, algorithm = self._head(token)
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise Unverified("unknown_key")
        if fault := self._fault(token, key, algorithm):
            raise Unverified(fault)

    def _head(self, token: bytes) -> tuple[str, str]:
        """Return the name of the key and the algorithm, which only choose among keys that we have."""
        if len(token) > MAX_TOKEN:
            raise Unverified("malformed")
        try:
            read = jwt.decode_complete(token, options={"verify_signature": False})
        except (*_MALFORMED, jwt.PyJWTError):
            raise Unverified("malformed") from None
        head = read["header"]
        foreign = read["payload"].get("iss") != self._claims.issuer  # for which our issuer need not be asked
        if foreign or head.get("alg") not in self._claims.algorithms:
            raise Unverified("mismatch")
        return head.get("kid", ""), head["alg"]

    def _fault(self, token: bytes, key: Any, algorithm: str) -> Reason | None:
        claims = self._claims
        try:
            jwt.decode(
                token,
                key,
                algorithms=[algorithm],  # never the token's own choice alone: `_head` has checked it
                issuer=claims.issuer,
                audience=claims.audience,
                subject=claims.subject or None,
                leeway=claims.leeway,
                options={"require": [*_REQUIRED, "sub"] if claims.subject else _REQUIRED},
            )
        except _STALE:
            return "stale"
        except jwt.InvalidSignatureError:
            return "mismatch"
        except _MALFORMED:
            return "malformed"
        except jwt.PyJWTError:
            return "mismatch"
        return None


def make_bearer(options: Mapping[str, Any], keys: bytes | None) -> Bearer:
    """Return the verifier of a source's options; `keys` is the content of the file that `jwks` names, if it does.

    Raises:
        Refused: `bad_value`, `bad_network`, `bad_url` or `private_address`.
    """
    algorithms = tuple(options.get("algorithms", ALGORITHMS))
    claims = Claims(
        issuer=options["issuer"],
        audience=options["audience"],
        subject=options.get("subject", ""),
        leeway=seconds(options.get("leeway", "60s")),
        algorithms=algorithms,
    )
    return Bearer(claims, make_keys(options["jwks"], keys, networks(options.get("networks", ())), algorithms))
