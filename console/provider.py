"""An identity provider (OpenID Connect Core 1.0): the way there and back, and what its ID token says of a person."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt

from connectors.client import Client
from connectors.connection import Response
from connectors.target import SendFailed, parse_target
from console.access import OIDC, ROLES, Role
from crossdock.jwks import Keys, make_keys
from crossdock.kernel import jsontext
from crossdock.kernel.accesssettings import Oidc
from crossdock.kernel.problems import Refused, Unavailable

ALGORITHMS = ("RS256", "ES256")
TIMEOUT = 5.0
LEEWAY = 60.0  # seconds that its clock may differ from ours
KNOWN_FOR = 600.0  # seconds until the discovery document is read again
MAX_ANSWER = 256 << 10  # bytes
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))  # whoever writes config.yaml may name a private address
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "nonce"]


class NotSignedIn(Exception):
    """Why a person who came back from the provider is not signed in, in words for that person."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who the provider says it is, and the role that follows from it."""

    name: str
    subject: str
    role: Role


class Way:
    """The secrets of one way to the provider and back; all follow from the one that the browser keeps in a cookie."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret or secrets.token_urlsafe(32)
        self.state, self.nonce, self.verifier = (self._part(part) for part in ("state", "nonce", "verifier"))

    @property
    def challenge(self) -> str:
        """What the provider holds the verifier to (RFC 7636, S256)."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _part(self, name: str) -> str:
        return _base64url(hmac.digest(self.secret.encode(), name.encode(), "sha256"))


class Provider:
    """The provider of the settings; it is asked when somebody signs in and not before."""

    def __init__(self, chosen: Oidc, clock: Callable[[], float] = time.monotonic) -> None:
        self._chosen = chosen
        self._clock = clock
        self._known: tuple[float, Mapping[str, Any], Keys] | None = None
        said = [chosen.issuer, chosen.client_id, chosen.roles.claim, sorted(chosen.roles.map.items())]
        self.stamp = hashlib.sha256(jsontext.dumps(said)).hexdigest()  # sessions end when any of it changes

    async def start(self, way: Way, back: str) -> str:
        """Return where to send the browser, which then comes `back`.

        Raises:
            Unavailable: the provider does not answer as one.
        """
        document, _ = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self._chosen.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._chosen.scopes),
            "state": way.state,
            "nonce": way.nonce,
            "code_challenge": way.challenge,
            "code_challenge_method": "S256",
        }
        place = document["authorization_endpoint"]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    async def finish(self, way: Way, state: str, code: str, back: str) -> Claimed:
        """Return who came back with a code.

        Raises:
            NotSignedIn: the answer is not that to our question, or the person has no role.
            Unavailable: the provider does not answer.
        """
        if not hmac.compare_digest(state.encode(), way.state.encode()):
            raise NotSignedIn("this is not the answer to a sign-in that this browser began; begin again")
        document, keys = await self._discovered()
        claims = await self._claims(await self._token(document, way, code, back), keys)
        if not hmac.compare_digest(str(claims["nonce"]).encode(), way.nonce.encode()):
            raise NotSignedIn("the token of the identity provider belongs to another sign-in; begin again")
        name = next((claims[key] for key in ("preferred_username", "email") if claims.get(key)), claims["sub"])
        known_by = hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).hexdigest()[:12]
        person = f"{OIDC}{str(name)[:100]}~{known_by}"  # Core 1.0, section 5.7: a name is unique to nobody
        return Claimed(person, str(claims["sub"])[:255], self._role(claims, str(name)))

    async def _token(self, document: Mapping[str, Any], way: Way, code: str, back: str) -> str:
        chosen = self._chosen
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": way.verifier}
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if chosen.client_secret and "client_secret_basic" in ways:
            pair = f"{quote_plus(chosen.client_id)}:{quote_plus(chosen.client_secret)}"  # RFC 6749, section 2.3.1
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": chosen.client_id}
            form |= {"client_secret": chosen.client_secret} if chosen.client_secret else {}
        answer = await _ask("POST", document["token_endpoint"], headers, urlencode(form).encode())
        token = _object(answer).get("id_token") if answer.status == 200 else None
        if answer.status >= 500:
            raise Unavailable(f"the identity provider answers {answer.status}")
        if not isinstance(token, str):
            raise NotSignedIn("the identity provider did not take the code; begin again")
        return token

    async def _claims(self, token: str, keys: Keys) -> dict[str, Any]:
        chosen = self._chosen
        try:
            head = jwt.get_unverified_header(token)
            algorithm = head.get("alg", "")
            key = await keys.find(str(head.get("kid", "")), algorithm) if algorithm in ALGORITHMS else None
            if key is None:
                raise NotSignedIn("the token of the identity provider is not signed by a key of it that we can use")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=chosen.issuer,
                audience=chosen.client_id,
                leeway=LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise NotSignedIn("the token of the identity provider has expired; begin again") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            why = type(error).__name__
            raise NotSignedIn(f"the token of the identity provider is not one for us ({why})") from None
        if claims.get("azp", chosen.client_id) != chosen.client_id:
            raise NotSignedIn("the token of the identity provider was made for another application")
        return claims

    def _role(self, claims: Mapping[str, Any], name: str) -> Role:
        claim, roles = self._chosen.roles.claim, self._chosen.roles.map
        said = _claim(claims, claim)
        values = said if isinstance(said, list) else [said]
        found = [ROLES[roles[value]] for value in values if isinstance(value, str) and value in roles]
        if not found:
            what = "is missing" if said is None else "names no role of Crossdock"
            raise NotSignedIn(f"{name} has no role here: the claim {claim} {what}; ask whoever runs Crossdock")
        return max(found)

    async def _discovered(self) -> tuple[Mapping[str, Any], Keys]:
        now = self._clock()
        if self._known is None or now - self._known[0] > KNOWN_FOR:
            document = await self._discover()
            try:
                keys = make_keys(document["jwks_uri"], None, _ANYWHERE, ALGORITHMS)
            except Refused as error:
                raise Unavailable(f"the identity provider names no usable keys: {error}") from None
            self._known = now, document, keys
        return self._known[1:]

    async def _discover(self) -> Mapping[str, Any]:
        answer = await _ask("GET", self._chosen.issuer.rstrip("/") + "/.well-known/openid-configuration")
        document = _object(answer)
        if answer.status != 200 or document.get("issuer") != self._chosen.issuer:
            raise Unavailable(f"the identity provider does not say that it is {self._chosen.issuer}")
        places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        plain = self._chosen.issuer.startswith("http:")  # of this machine alone, as the settings say
        if not all(
            str(document.get(one)).startswith(("https://", "http://") if plain else "https://") for one in places
        ):
            raise Unavailable("the identity provider names no https addresses")
        return document


async def _ask(method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Response:
    client = Client(_ANYWHERE, max_connections=1, max_body=MAX_ANSWER)
    try:
        return await client.request(method, parse_target(url), headers or {"accept": "application/json"}, body, TIMEOUT)
    except (SendFailed, Refused) as failure:
        raise Unavailable(f"the identity provider does not answer: {failure}") from None
    finally:
        await client.close()


def _object(answer: Response) -> dict[str, Any]:
    try:
        document = jsontext.loads(answer.body)
    except (ValueError, Refused):
        return {}
    return document if isinstance(document, dict) else {}


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name, or else by the names of objects on the way to it."""
    found: Any = claims
    for name in [path] if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
