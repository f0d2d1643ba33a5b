"""A client that proves itself to a token endpoint by a signed JWT (RFC 7523, sections 2.2 and 3): private_key_jwt."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import refuse

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE = 300  # seconds that an assertion is good for
_HINT = "a private key in PEM without a password: RSA of 2048 bits or more for RS and PS, the curve of its name for ES"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, the name that the endpoint has for it, and how it signs (RFC 7518, section 3.1)."""

    pem: str = field(repr=False)
    id: str = ""
    algorithm: str = "RS256"
    _loaded: Any = field(default=None, repr=False, compare=False)

    def assertion(self, client_id: str, audience: str, scope: str, now: int) -> str:
        """Return what proves a client to an audience; `now` is in Unix seconds.

        The words of the scope are a claim too: NetSuite takes them from there.
        """
        claims: dict[str, Any] = {"iss": client_id, "sub": client_id, "aud": audience, "jti": uuid.uuid4().hex}
        claims |= {"iat": now, "exp": now + LIFE} | ({"scope": scope.split()} if scope else {})
        return _signed(claims, self._loaded, self.algorithm, {"kid": self.id} if self.id else {})


def load_key(pem: str, id_: str, algorithm: str) -> SigningKey:
    """Return a key that can sign by an algorithm; one whose variable is not set cannot, and is not asked to.

    Raises:
        Refused: `bad_key`.
    """
    if UNSET in pem:
        return SigningKey(pem, id_, algorithm)
    import jwt  # noqa: PLC0415 - a tenth of a second, for those only who have such a key
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - see above

    try:
        # The numbers of our own key are not proven again: that takes 0.3 s of RSA with 4096 bits.
        loaded = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
        _signed({}, loaded, algorithm, {})
    except (TypeError, ValueError, UnsupportedAlgorithm, jwt.PyJWTError):  # whose texts may show what was read
        raise refuse("bad_key", f"this is no private key that can sign by {algorithm}", _HINT) from None
    return SigningKey(pem, id_, algorithm, loaded)


def _signed(claims: dict[str, Any], key: Any, algorithm: str, headers: dict[str, Any]) -> str:
    import jwt  # noqa: PLC0415 - see above

    signer = jwt.PyJWT(options={"enforce_minimum_key_length": True})
    return signer.encode(claims, key, algorithm, headers)
