"""Who a connector of kind http says that it is: credentials, tokens, signatures; and what of that may not be shown."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from connectors.addresses import Network
from connectors.assertion import SigningKey, load_key
from connectors.httptarget import read_target
from connectors.oauth2 import OAuth2
from connectors.sign import Hmac, decode_key
from connectors.target import header_fault
from crossdock.kernel.environment import UNSET, FromEnvironment
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document

_OAUTH2 = ("auth", "oauth2")
_BY_KEY = "private_key_jwt"


def auth_headers(auth: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of `auth` that are the same on every request."""
    if "bearer" in auth:
        return {"Authorization": f"Bearer {auth['bearer']}"}
    if "basic" in auth:
        return {"Authorization": f"Basic {_credentials(auth['basic'])}"}
    return dict(auth.get("header", {}))


def _credentials(pair: Mapping[str, str]) -> str:
    return base64.b64encode(f"{pair['user']}:{pair['password']}".encode()).decode()


def read_oauth2(document: Document, networks: tuple[Network, ...], problems: list[Problem]) -> OAuth2 | None:
    """Return what a connector file says under `auth: {oauth2: ...}`."""
    said = document.value.get("auth", {}).get("oauth2")
    target = read_target(document, ("auth", "oauth2", "token_url"), networks, problems) if said else None
    if target is None:
        return None
    way = said.get("client_auth", "basic")
    key = _signing_key(document, said, problems) if way == _BY_KEY else None
    needed, idle = ("key", {"client_secret"}) if way == _BY_KEY else ("client_secret", {"key", "key_id", "algorithm"})
    if needed not in said:
        problems.append(document.problem(_OAUTH2, "missing_key", f"{needed!r} is missing", f"{way} wants it"))
    for name in sorted(idle & said.keys()):
        fault = f"{way} has no use for {name}"
        problems.append(document.problem((*_OAUTH2, name), "contradiction", fault, "leave it out, or set client_auth"))
    scope, audience, secret = (str(said.get(name, "")) for name in ("scope", "audience", "client_secret"))
    return OAuth2(target, str(said["client_id"]), secret, scope, audience, in_body=way == "body", key=key)


def _signing_key(document: Document, said: Mapping[str, Any], problems: list[Problem]) -> SigningKey | None:
    try:
        return load_key(said.get("key", UNSET), said.get("key_id", ""), said.get("algorithm", "RS256"))
    except Refused as error:
        problems += [document.problem((*_OAUTH2, "key"), p.code, p.message, p.hint) for p in error.problems]
        return None


def read_hmac(document: Document, problems: list[Problem]) -> Hmac | None:
    """Return what a connector file says under `auth: {hmac: ...}`."""
    said = document.value.get("auth", {}).get("hmac")
    if said is None:
        return None
    header, prefix = said.get("header", "X-Signature"), said.get("prefix", "")
    if fault := header_fault({header: prefix}):
        problems.append(document.problem(("auth", "hmac"), "bad_header", fault))
    in_base64 = said.get("encoding") == "base64"
    return Hmac(said["secret"].encode(), header.lower(), said.get("algorithm", "sha256"), in_base64, prefix)


def read_keys(document: Document, problems: list[Problem]) -> tuple[bytes, ...]:
    """Return the keys of `sign`."""
    keys = []
    for secret in _signing(document.value):
        try:
            keys.append(decode_key(secret))
        except Refused as error:
            problems += [document.problem(("sign",), p.code, p.message, p.hint) for p in error.problems]
    return tuple(keys)


def _signing(value: Mapping[str, Any]) -> list[str]:
    given = value.get("sign", {}).get("standard_webhooks", {})
    return [given["secret"]] if "secret" in given else list(given.get("secrets", []))


def secrets_of(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of a connector file that must not be shown."""
    auth = value.get("auth", {})
    texts = [*auth.get("header", {}).values(), *_signing(value)]
    if "bearer" in auth:
        texts.append(auth["bearer"])
    if "basic" in auth:
        texts += [auth["basic"]["password"], _credentials(auth["basic"])]
    if "oauth2" in auth:
        texts += [auth["oauth2"][name] for name in ("client_secret", "key") if name in auth["oauth2"]]
    if "hmac" in auth:
        texts.append(auth["hmac"]["secret"])
    texts += [text for text in value.get("headers", {}).values() if isinstance(text, FromEnvironment)]
    for query in (value.get("query", {}), value.get("poll", {}).get("query", {})):
        given = [text for text in query.values() if isinstance(text, FromEnvironment)]
        texts += [form for text in given for form in (text, quote(text, safe=""))]  # as sent, and as a target reads it
    texts += _of_the_url(value.get("url", ""))
    return tuple(str(text) for text in texts if UNSET not in text)


def _of_the_url(url: str) -> list[str]:
    """Return what a URL takes from the environment behind its host; a path that comes with the host is no secret."""
    if not isinstance(url, FromEnvironment):
        return []
    before, _, query = url.partition("?")
    given = [pair.partition("=")[2] for pair in query.split("&")]
    given += before.split("/")[3:] if url.written.startswith("http") else []
    secret = [value for value in given if value and value not in url.written]
    return [form for value in secret for form in (value, unquote_plus(value))]
