"""Clients that prove themselves to a token endpoint by a JWT that their key signs (RFC 7523)."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connectors.assertion import LIFE, TYPE
from connectors.spec import ConnectorSpec
from crossdock.kernel.problems import Refused
from tests.connectors.httpcases import against, answer, read
from tests.connectors.servers import Served

CURVE = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def pem(key: Any, protection: KeySerializationEncryption | None = None) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()).decode())


def connector(root: Path, text: str, more: str = "algorithm: ES256", key: str = "") -> ConnectorSpec:
    (root / "erp.pem").write_text(text)
    key = key or f"key: '${{file:{root}/erp.pem}}'"
    said = f"token_url: 'http://127.0.0.1:1/token?a=b', client_id: crossdock, client_auth: private_key_jwt, {key}"
    return read(root, f"auth: {{oauth2: {{{said}, {more}}}}}")


def codes(root: Path, *given: str) -> list[tuple[str, int]]:
    with pytest.raises(Refused) as refused:
        connector(root, *given)
    return [(problem.code, problem.line) for problem in refused.value.problems]


def asked(spec: ConnectorSpec) -> tuple[dict[str, str], str, str]:
    """Return the form that asks for a token, its Authorization header, and that of the delivery."""
    heads: list[str] = []
    forms: list[str] = []

    async def behave(served: Served) -> None:
        while True:
            head, _, form = (await served.request()).decode().partition("\r\n\r\n")
            heads.append(head.partition("authorization: ")[2].partition("\r\n")[0])
            forms.append(form)
            asks = head.startswith("POST /token")
            await served.answer(answer(200, b'{"access_token": "t", "token_type": "Bearer"}') if asks else answer(204))

    assert against(behave, spec).outcome == "delivered"
    return {name: value for name, (value,) in parse_qs(forms[0]).items()}, heads[0], heads[1]


def test_a_client_proves_itself_by_what_its_key_signs_for_this_endpoint_alone(tmp_path: Path) -> None:
    more = "algorithm: ES256, key_id: '4711', scope: a b"

    form, proof, bearer = asked(connector(tmp_path, pem(CURVE), more))

    assertion = form.pop("client_assertion")
    assert form == {"grant_type": "client_credentials", "scope": "a b", "client_assertion_type": TYPE}
    assert (proof, bearer) == ("", "Bearer t")
    assert jwt.get_unverified_header(assertion) == {"typ": "JWT", "alg": "ES256", "kid": "4711"}
    port = jwt.decode(assertion, options={"verify_signature": False})["aud"].split(":")[2].split("/")[0]
    audience = f"http://127.0.0.1:{port}/token?a=b"
    claims = jwt.decode(assertion, CURVE.public_key(), ["ES256"], audience=audience, issuer="crossdock")
    assert (claims["sub"], claims["scope"]) == ("crossdock", ["a", "b"])
    assert claims["exp"] - claims["iat"] == LIFE
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["jti"]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "PS512"])
def test_an_rsa_key_signs_by_what_the_file_names(tmp_path: Path, algorithm: str) -> None:
    form, _, _ = asked(connector(tmp_path, pem(RSA), f"algorithm: {algorithm}"))

    options: Any = {"verify_aud": False}
    assert jwt.decode(form["client_assertion"], RSA.public_key(), [algorithm], options)["iss"] == "crossdock"


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        ("hello s3cret", "ES256"),
        (pem(CURVE), "RS256"),
        (pem(RSA), "ES256"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "ES256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "RS256"),
        (pem(rsa.generate_private_key(65537, 1024)), "RS256"),
        (pem(CURVE, BestAvailableEncryption(b"x")), "ES256"),
        (CURVE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "ES256"),
    ],
)
def test_a_key_that_cannot_sign_so_is_told_when_the_file_is_read(tmp_path: Path, text: str, algorithm: str) -> None:
    with pytest.raises(Refused) as refused:
        connector(tmp_path, text, f"algorithm: {algorithm}")

    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("bad_key", 5)
    assert "s3cret" not in str(problem)


def test_a_key_and_a_secret_do_not_go_together(tmp_path: Path) -> None:
    assert codes(tmp_path, pem(CURVE), "algorithm: ES256, client_secret: x") == [("contradiction", 5)]
    assert codes(tmp_path, "", "algorithm: ES256", "scope: x") == [("missing_key", 5)]
    with pytest.raises(Refused) as refused:
        read(tmp_path, "auth: {oauth2: {token_url: 'http://127.0.0.1:1/', client_id: a, key_id: b}}")
    assert [problem.code for problem in refused.value.problems] == ["missing_key", "contradiction"]


def test_the_key_is_not_shown(tmp_path: Path) -> None:
    spec = connector(tmp_path, pem(CURVE))

    assert pem(CURVE).strip() in spec.secrets
    assert "PRIVATE" not in repr(spec)


def test_a_key_whose_file_is_not_there_is_only_missing(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        connector(tmp_path, pem(CURVE), "algorithm: ES256", "key: '${file:/nowhere/erp.pem}'")

    assert [problem.code for problem in refused.value.problems] == ["missing_variable"]
