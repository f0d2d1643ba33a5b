"""Bearer tokens: who signed, for whom, until when; and everything that is known to get past careless verifiers."""

import asyncio
import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from crossdock.sourceparts import Verify
from gateway.proof import Verifier
from gateway.verify import make_verifier
from tests.gateway.proving import changes, refusal, request

RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, Any] = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
OPTIONS = {"issuer": "https://id.example", "audience": "crossdock", "jwks": "gateway/keys.json"}


def jwk(algorithm: str, key: Any, **members: str) -> dict[str, Any]:
    rules = jwt.get_algorithm_by_name(algorithm)
    return {**rules.to_jwk(key.public_key(), as_dict=True), "kid": algorithm, **members}


JWKS = [jwk(algorithm, key, use="sig") for algorithm, key in KEYS.items()]


def verifier(members: list[dict[str, Any]] | None = None, **options: Any) -> Verifier:
    keys = json.dumps({"keys": JWKS if members is None else members}).encode()
    return make_verifier(Verify("jwt", OPTIONS | options, (), keys=keys))


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "", **claims: Any) -> str:
    now = int(time.time())
    known = {"iss": "https://id.example", "aud": "crossdock", "exp": now + 60, "sub": "tills"} | claims
    headers = {} if kid is None else {"kid": kid or algorithm}
    return jwt.encode({k: v for k, v in known.items() if v is not None}, key, algorithm=algorithm, headers=headers)


def reason(verifier: Verifier, text: str, scheme: str = "Bearer") -> str | None:
    return refusal(verifier, request({"authorization": f"{scheme} {text}"}))


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_of_the_issuer_is_accepted(algorithm: str) -> None:
    assert reason(verifier(), token(KEYS[algorithm], algorithm)) is None
    assert reason(verifier(), token(KEYS[algorithm], algorithm), "bEARER") is None


def test_other_algorithms_are_taken_when_the_source_names_them() -> None:
    for algorithm in ("PS256", "RS512"):
        members = [jwk("RS256", RSA, kid="k")]
        assert reason(verifier(members), token(RSA, algorithm, "k")) == "mismatch"
        assert reason(verifier(members, algorithms=[algorithm]), token(RSA, algorithm, "k")) is None
        assert reason(verifier(members, algorithms=[algorithm]), token(RSA, "RS256", "k")) == "mismatch"


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_changed_character_fails(algorithm: str) -> None:
    made, text = verifier(), token(KEYS[algorithm], algorithm)
    for changed in changes(text.encode()):
        assert reason(made, changed.decode("latin-1"))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": 1}, "stale"),
        ({"exp": int(time.time()) - 61}, "stale"),
        ({"nbf": int(time.time()) + 3600}, "stale"),
        ({"iat": int(time.time()) + 3600}, "stale"),
        ({"iss": "https://other.example"}, "mismatch"),
        ({"aud": "somebody-else"}, "mismatch"),
        ({"aud": ["a", "b"]}, "mismatch"),
        ({"exp": None}, "mismatch"),
        ({"iss": None}, "mismatch"),
        ({"aud": None}, "mismatch"),
        ({"exp": "soon"}, "malformed"),
    ],
)
def test_a_token_that_says_something_else_is_refused(claims: dict[str, Any], expected: str) -> None:
    assert reason(verifier(), token(**claims)) == expected


def test_a_token_may_be_for_several_and_be_late_by_the_leeway() -> None:
    assert reason(verifier(), token(aud=["x", "crossdock"])) is None
    assert reason(verifier(), token(exp=int(time.time()) - 30)) is None
    assert reason(verifier(leeway="5s"), token(exp=int(time.time()) - 30)) == "stale"


def test_a_source_may_ask_for_one_subject() -> None:
    made = verifier(subject="tills")
    assert [reason(made, token(sub=sub)) for sub in ("tills", "other", None)] == [None, "mismatch", "mismatch"]


def test_another_issuers_signature_under_our_keys_name_is_refused() -> None:
    assert reason(verifier(), token(OTHER)) == "mismatch"


def test_a_key_of_another_name_or_another_algorithm_is_unknown() -> None:
    assert reason(verifier(), token(kid="other")) == "unknown_key"
    assert reason(verifier(), token(EC, "ES256", kid="RS256")) == "unknown_key"


def test_a_token_without_a_key_name_is_taken_where_there_is_one_key_only() -> None:
    assert reason(verifier(), token(kid=None)) is None
    assert reason(verifier([*JWKS, jwk("RS256", OTHER, kid="2")]), token(kid=None)) == "unknown_key"


def test_no_algorithm_and_our_public_key_as_a_shared_one_are_refused() -> None:
    _, claims, signature = token().split(".")
    for algorithm in ("none", "None", ""):
        head = segment({"alg": algorithm, "kid": "RS256"})
        for forged in (f"{head}.{claims}.", f"{head}.{claims}.{signature}"):
            assert reason(verifier(), forged)
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    content = f"{segment({'alg': 'HS256', 'kid': 'RS256'})}.{claims}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, content.encode(), "sha256")).rstrip(b"=").decode()
    assert reason(verifier(), f"{content}.{mac}") == "mismatch"


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    claims = {"iss": "https://id.example", "aud": "crossdock", "exp": int(time.time()) + 60}
    headers = {"kid": "RS256", "jwk": jwk("RS256", OTHER), "jku": "https://evil.example/keys"}
    assert reason(verifier(), jwt.encode(claims, OTHER, "RS256", headers)) == "mismatch"


@pytest.mark.parametrize(
    "head",
    [{}, [], 1, {"alg": None}, {"alg": ["RS256"]}, {"alg": "RS256", "kid": 7}, {"alg": "RS256", "crit": ["x"], "x": 1}],
)
def test_a_header_of_another_shape_is_refused(head: Any) -> None:
    _, claims, signature = token().split(".")
    assert reason(verifier(), f"{segment(head)}.{claims}.{signature}")


def test_a_header_nested_without_end_is_refused() -> None:
    head = base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")
    assert reason(verifier(), f"{head}.e30.AA") == "malformed"


@pytest.mark.parametrize("payload", [b"[]", b"1", b"not json", b'{"exp": 1e400}', b"[" * 3000, b"\xff"])
def test_a_signed_payload_of_another_shape_is_refused(payload: bytes) -> None:
    text = jwt.PyJWS().encode(payload, RSA, "RS256", {"kid": "RS256"})
    assert reason(verifier(), text) in ("malformed", "mismatch")


def test_a_token_is_at_most_eight_kibibytes() -> None:
    assert reason(verifier(), token(note="x" * 5000)) is None
    assert reason(verifier(), token(note="x" * 8000)) == "malformed"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_garbage_is_refused(garbage: str) -> None:
    made = verifier()
    for text in (garbage, f"{garbage}.{garbage}.{garbage}", f"{segment({'alg': 'RS256'})}.{garbage}.AA"):
        assert reason(made, text)


def test_no_token_and_other_credentials_are_missing() -> None:
    for headers in ({}, {"authorization": ""}, {"authorization": "Basic x"}):
        assert refusal(verifier(), request(headers)) == "missing"


WEAK = rsa.generate_private_key(65537, 1024)
UNUSABLE: list[Any] = [
    {"kty": "oct", "k": "c2VjcmV0", "kid": "RS256"},
    jwk("RS256", WEAK),
    jwk("RS256", RSA, use="enc"),
    jwk("RS256", RSA, alg="RS384"),
    {**jwt.get_algorithm_by_name("RS256").to_jwk(RSA, as_dict=True), "kid": "RS256"},
    {"kty": "RSA"},
    {"kty": "RSA", "n": 1, "e": []},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-256", "x": 1, "y": [], "alg": "ES256"},
    {"kty": "OKP", "crv": "Ed25519", "x": 1},
    {"kty": "OKP", "crv": "Ed25519", "x": "\u20ac"},
    {"kty": "RSA", "n": "AQ", "e": "AQ", "kid": {}},
    {"kty": {}, "crv": [], "alg": {}, "use": []},
    None,
]


@pytest.mark.parametrize("member", UNUSABLE)
def test_what_is_no_public_key_is_passed_over(member: Any) -> None:
    assert reason(verifier([member, jwk("RS256", RSA, kid="good")]), token(kid="good")) is None
    with pytest.raises(Refused) as refused:
        verifier([member])
    assert refused.value.problems[0].code == "bad_value"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"jwks": "http://id.example/keys"}, "bad_url"),
        ({"jwks": "http://10.0.0.7/keys"}, "bad_url"),
        ({"jwks": "http://192.0.2.7/keys", "networks": ["10.0.0.0/8"]}, "bad_url"),
        ({"jwks": "https://10.0.0.7/keys"}, "private_address"),
        ({"jwks": "https://2130706433/keys"}, "private_address"),
        ({"jwks": "file:///etc/passwd"}, "bad_url"),
        ({"jwks": "https://user:word@id.example/keys"}, "bad_url"),
        ({"jwks": "https://id.example/keys", "networks": ["x"]}, "bad_network"),
    ],
)
def test_an_address_that_may_not_be_asked_is_a_problem(options: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        verifier(**options)
    assert refused.value.problems[0].code == code


def test_a_token_is_verified_before_the_body_is_read() -> None:
    made = verifier()
    assert not made.reads_body
    asyncio.run(made.verify(request({"authorization": f"Bearer {token()}"})))
