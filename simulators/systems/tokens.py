"""The token endpoint of systems that take OAuth 2 client credentials."""

from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from simulators.systems.serving import Answer, Call

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that may ask for tokens of one scope, and the token that it gets."""

    id: str
    secret: str
    scope: str
    token: str
    in_body: bool = False

    def give(self, call: Call) -> Answer:
        """Answer a request for a token (RFC 6749, section 4.4)."""
        form = call.form()
        proof = f"{form.get('client_id')}:{form.get('client_secret')}" if self.in_body else call.basic()
        if proof != f"{self.id}:{self.secret}":
            return Answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials" or form.get("scope") != self.scope:
            return Answer(400, {"error": "invalid_scope"})
        return Answer(200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 3600})

    def proven(self, call: Call) -> bool:
        """Tell whether a request carries the token."""
        return call.headers.get("authorization") == f"Bearer {self.token}"


@dataclass(frozen=True, slots=True)
class KeyClient:
    """A client that proves itself by a JWT which its key signs (RFC 7523), and the token that it gets."""

    id: str
    key_id: str
    scope: str
    token: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def pem(self) -> str:
        """Return the key, as a file has it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def give(self, call: Call) -> Answer:
        """Answer a request for a token."""
        form = call.form()
        proof = form.get("client_assertion", "")
        audience = f"http://{call.headers['host']}{call.path}"
        try:
            known = jwt.get_unverified_header(proof).get("kid") == self.key_id
            claims = jwt.decode(proof, self.key.public_key(), ["ES256"], audience=audience, issuer=self.id)
        except jwt.PyJWTError:
            return Answer(401, {"error": "invalid_client"})
        asked = (form.get("grant_type"), form.get("client_assertion_type"), claims.get("scope"))
        if not known or claims["exp"] - claims["iat"] > 3600:
            return Answer(401, {"error": "invalid_client"})
        if asked != ("client_credentials", _ASSERTION, [self.scope]):
            return Answer(400, {"error": "invalid_request"})
        return Answer(200, {"access_token": self.token, "token_type": "bearer", "expires_in": "3600"})

    def proven(self, call: Call) -> bool:
        """Tell whether a request carries the token."""
        return call.headers.get("authorization") == f"Bearer {self.token}"
