"""A small OpenID provider on a real port, with keys of its own, that lies as a test wants it to."""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
OTHERS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
CLIENT, SECRET = "crossdock", "s3cret:with/odd&characters"


@dataclass
class IdentityProvider:
    """What it says: `claims` are put over those of a good token, None takes one away."""

    issuer: str = ""
    algorithm: str = "RS256"
    keys: dict[str, Any] = field(default_factory=lambda: KEYS)
    claims: dict[str, Any] = field(default_factory=dict)
    discovered: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # by code
    exchanged: list[dict[str, str]] = field(default_factory=list)

    def agree(self, location: str) -> tuple[str, str]:
        """Be the person who agrees: return the code and the state that the browser brings back."""
        place = urlsplit(location)
        assert f"{place.scheme}://{place.netloc}{place.path}" == f"{self.issuer}/authorize"
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return code, asked["state"]

    async def discovery(self, _: web.Request) -> web.Response:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        named = {name: f"{self.issuer}/{path}" for name, path in places.items()}
        return web.json_response({"issuer": self.issuer, **named, **self.discovered})

    async def jwks(self, _: web.Request) -> web.Response:
        members = [
            {**jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True), "kid": name}
            for name, key in KEYS.items()
        ]
        return web.json_response({"keys": members})

    async def exchange(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        known: list[Any] = (
            [unquote_plus(part) for part in base64.b64decode(pair).decode().split(":")] if scheme == "Basic" else []
        )
        self.exchanged.append(form)
        asked = self.asked.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        fits = (
            asked and asked["code_challenge"] == challenge.rstrip("=") and asked["redirect_uri"] == form["redirect_uri"]
        )
        if not asked or not fits or (known or [form.get("client_id"), form.get("client_secret")]) != [CLIENT, SECRET]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": self._token(asked["nonce"])})

    def _token(self, nonce: str) -> str:
        if self.token is not None:
            return self.token
        now = int(time.time())
        good = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u-1", "iat": now, "exp": now + 300, "nonce": nonce,
            "email": "anna@shop.example", "groups": ["staff", "ops"],
        }  # fmt: skip
        claims = {name: value for name, value in {**good, **self.claims}.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": "RS256"})
        if self.algorithm == "HS256":  # with the public key as the secret: an old trick
            parts = [{"alg": "HS256", "kid": "RS256"}, claims]
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + ".AAAA"
            )
        return jwt.encode(claims, self.keys[self.algorithm], self.algorithm, headers={"kid": self.algorithm})


@asynccontextmanager
async def provider() -> AsyncIterator[IdentityProvider]:
    """Serve one on a free port."""
    made, app = IdentityProvider(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.discovery)
    app.router.add_get("/jwks", made.jwks)
    app.router.add_post("/token", made.exchange)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
