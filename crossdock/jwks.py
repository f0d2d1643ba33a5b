"""The public keys of who signs tokens (JWKS, RFC 7517): of a file, or of a URL, kept and renewed."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import jwt
from jwt.types import JWKDict

from connectors.addresses import Network, allowed, literal
from connectors.client import Client
from connectors.target import SendFailed, Target, parse_target
from crossdock import keyfile
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused, Unavailable, refuse

log = logging.getLogger(__name__)

MAX_SIZE = keyfile.MAX_SIZE
TIMEOUT = 5.0
RENEW, FRESH, KEPT = 480.0, 600.0, 86_400.0  # seconds of age: ask behind the scenes, ask first, use no longer
PAUSE, FIRST_PAUSE = 30.0, 2.0  # seconds between asking; with no keys at all every sender waits for them
_FAMILY: Mapping[tuple[str, str], Sequence[str]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}

PublicKey = Any  # of `cryptography`; which of its types depends on the algorithm
KeySet = Mapping[tuple[str, str], PublicKey]


class Keys(Protocol):
    """Where the keys of an issuer come from."""

    async def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return the key of a token's header.

        Raises:
            Unavailable: the keys cannot be had at the moment, and none are known.
        """


class FileKeys:
    """The keys of a file of the project."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """See `Keys`."""
        return _pick(self._keys, kid, algorithm)


class FetchedKeys:
    """The keys of a URL: renewed before they are old, asked for again when a token names one that is not known.

    What is known goes on working while the URL does not answer. Requests that wait share one question.
    """

    def __init__(self, fetch: Callable[[], Awaitable[KeySet]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet = {}
        self._fetched = self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._away = False  # then waiting once more would only hold up those whose key is known

    async def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """See `Keys`."""
        age = self._clock() - self._fetched
        if age > KEPT:
            self._keys = {}
        if _pick(self._keys, kid, algorithm) is None or (age > FRESH and not self._away):
            if question := self._ask():
                await asyncio.shield(question)  # a request that is given up takes the answer from nobody
        elif age > RENEW:
            self._ask()
        if not self._keys:
            raise Unavailable("the keys of the token's issuer cannot be had")
        return _pick(self._keys, kid, algorithm)

    def _ask(self) -> "asyncio.Task[None] | None":
        """Return the question under way, a new one if it may be put already, or nothing."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        if self._clock() - self._asked < (PAUSE if self._keys else FIRST_PAUSE):
            return None
        self._asked = self._clock()
        self._asking = asyncio.get_running_loop().create_task(self._renew())
        return self._asking

    async def _renew(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched, self._away = self._asked, False
        except (Unavailable, Refused) as error:
            self._away = True
            log.warning("keys of tokens not renewed: %s", error)


def _pick(keys: KeySet, kid: str, algorithm: str) -> PublicKey | None:
    if kid:
        return keys.get((kid, algorithm))
    fitting = [key for (_, known), key in keys.items() if known == algorithm]
    return fitting[0] if len(fitting) == 1 else None  # without a name there is nothing to choose by


def parse_keys(raw: bytes, algorithms: Sequence[str]) -> KeySet:
    """Return the keys of a JWKS that verify one of the algorithms, by name and algorithm.

    What else is in there is passed over (RFC 7517, section 5), private and shared keys too.

    Raises:
        Refused: `bad_value`, it holds no usable key.
    """
    if len(raw) > MAX_SIZE:
        raise refuse("bad_value", f"the JWKS is longer than {MAX_SIZE >> 10} KiB")
    document = jsontext.loads(raw)
    members = document.get("keys") if isinstance(document, dict) else None
    keys: dict[tuple[str, str], PublicKey] = {}
    for member in members if isinstance(members, list) else []:
        for algorithm in _algorithms(member):
            key = _public_key(member, algorithm) if algorithm in algorithms else None
            if key is not None:
                keys.setdefault((str(member.get("kid", "")), algorithm), key)
    if not keys:
        raise refuse("bad_value", "the JWKS holds no public key for " + ", ".join(algorithms))
    return keys


def _algorithms(member: Any) -> Sequence[str]:
    if not isinstance(member, dict) or "d" in member or member.get("use", "sig") != "sig":
        return ()
    family = _FAMILY.get((str(member.get("kty")), str(member.get("crv", ""))), ())
    return [name for name in family if member.get("alg", name) == name]


def _public_key(member: JWKDict, algorithm: str) -> PublicKey | None:
    rules = jwt.get_algorithm_by_name(algorithm)
    try:
        key = rules.from_jwk(member)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return None if rules.check_key_length(key) else key  # RFC 7518, section 3.3: 2048 bits of RSA at least


def make_keys(place: str, raw: bytes | None, networks: Sequence[Network], algorithms: Sequence[str]) -> Keys:
    """Return the keys of a URL, or those of the file that the source was read with; none if it could not be.

    Raises:
        Refused: `bad_url`, `private_address` or `bad_value`.
    """
    if "://" in place:
        target = _checked_target(place, networks)
        return FetchedKeys(lambda: _fetch(target, networks, algorithms))
    return FileKeys({} if raw is None else parse_keys(raw, algorithms))


def _checked_target(url: str, networks: Sequence[Network]) -> Target:
    target = parse_target(url)
    address = literal(target.host)
    if target.scheme != "https" and not (address and any(address in network for network in networks)):
        raise refuse("bad_url", "keys over http could be anybody's", "use https, or an address that `networks` name")
    if address and not allowed(address, networks):
        raise refuse("private_address", f"{address} is not a public address", "if it is meant, name it under networks")
    return target


async def _fetch(target: Target, networks: Sequence[Network], algorithms: Sequence[str]) -> KeySet:
    client = Client(networks, max_connections=1, max_body=MAX_SIZE + 1)
    try:
        response = await client.request("GET", target, {"accept": "application/json"}, b"", TIMEOUT)
    except SendFailed as failure:
        raise Unavailable(str(failure)) from None
    finally:
        await client.close()
    if response.status != 200:
        raise Unavailable(f"{target.authority} answers {response.status}")
    return parse_keys(response.body, algorithms)
