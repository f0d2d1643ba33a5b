"""HTTP Basic, and certificates that a proxy has checked."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from gateway.proof import Request
from tests.gateway.proving import changes, refusal, request, scheme, shortened_and_lengthened


def basic(pair: str | bytes, scheme: str = "Basic") -> Request:
    raw = pair.encode() if isinstance(pair, str) else pair
    return request({"authorization": f"{scheme} {base64.b64encode(raw).decode()}"})


def test_user_and_password_are_accepted() -> None:
    # RFC 7617, sections 2 and 2.1
    assert refusal(scheme("basic", "open sesame", user="Aladdin"), basic("Aladdin:open sesame")) is None
    given = request({"authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="})
    assert refusal(scheme("basic", "open sesame", user="Aladdin"), given) is None
    assert (
        refusal(scheme("basic", "123\u00a3", user="test"), request({"authorization": "Basic dGVzdDoxMjPCow=="})) is None
    )


def test_the_scheme_is_read_without_regard_to_case_and_the_password_may_hold_colons() -> None:
    assert refusal(scheme("basic", "a:b:c", user="u"), basic("u:a:b:c", "bAsIC")) is None


def test_both_passwords_are_good_while_one_replaces_the_other() -> None:
    verifier = scheme("basic", "new", "old", user="u")
    assert [refusal(verifier, basic(f"u:{password}")) for password in ("new", "old", "older")] == [
        None,
        None,
        "mismatch",
    ]


def test_every_changed_character_fails() -> None:
    verifier = scheme("basic", "open sesame", user="Aladdin")
    for pair in [*changes(b"Aladdin:open sesame"), *shortened_and_lengthened(b"Aladdin:open sesame")]:
        assert refusal(verifier, basic(pair)) == "mismatch"
    for header in changes(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="):
        if header.lower() != b"basic qwxhzgrpbjpvcgvuihnlc2ftzq==" or header[6:] != b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==":
            assert refusal(verifier, request({"authorization": header.decode("latin-1")}))


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_garbage_is_refused(garbage: str) -> None:
    for header in (garbage, f"Basic {garbage}"):
        assert refusal(scheme("basic", "open sesame", user="Aladdin"), request({"authorization": header}))


def test_no_credentials_and_those_of_another_scheme_are_missing() -> None:
    for headers in ({}, {"authorization": ""}, {"authorization": "Bearer x"}):
        assert refusal(scheme("basic", "p", user="u"), request(headers)) == "missing"


@pytest.mark.parametrize(("user", "password"), [("a:b", "secret-word"), ("a\n", "secret-word"), ("a", "secret-word\0")])
def test_a_user_that_cannot_be_sent_is_a_problem_that_does_not_show_the_password(user: str, password: str) -> None:
    with pytest.raises(Refused) as refused:
        scheme("basic", password, user=user)
    assert refused.value.problems[0].code == "bad_value"
    assert "secret-word" not in str(refused.value)


PROXY = {"header": "X-Client-Cert", "value": "SHA256:acme", "networks": ["10.0.0.0/8", "fd00::/8"]}


def shown(value: str, client: str = "10.1.2.3") -> Request:
    return request({"x-client-cert": value}, client=client)


@pytest.mark.parametrize("client", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_a_certificate_is_believed_from_the_proxy(client: str) -> None:
    assert refusal(scheme("proxy_mtls", **PROXY), shown("SHA256:acme", client)) is None


@pytest.mark.parametrize(
    "client", ["192.0.2.7", "::1", "::ffff:192.0.2.7", "2002:0a01:0203::1", "64:ff9b::a01:203", "", "unix", "10.1.2"]
)
def test_a_certificate_is_not_believed_from_elsewhere(client: str) -> None:
    assert refusal(scheme("proxy_mtls", **PROXY), shown("SHA256:acme", client)) == "mismatch"


@pytest.mark.parametrize(
    "value",
    [
        "SHA256:other",
        "sha256:acme",
        "SHA256:acme ",
        "SHA256:acme,SHA256:acme",
        "x, SHA256:acme",
        "SHA256:acme, x",
        "\xff",
    ],
)
def test_another_value_or_a_list_is_refused(value: str) -> None:
    assert refusal(scheme("proxy_mtls", **PROXY), shown(value)) == "mismatch"


def test_without_the_header_nothing_is_believed() -> None:
    assert refusal(scheme("proxy_mtls", **PROXY), request({}, client="10.1.2.3")) == "missing"
    assert refusal(scheme("proxy_mtls", **PROXY), shown("")) == "missing"


def test_two_certificates_are_good_while_one_replaces_the_other() -> None:
    verifier = scheme("proxy_mtls", header="x-client-cert", values=["new", "old"], networks=["10.0.0.0/8"])
    assert [refusal(verifier, shown(value)) for value in ("new", "old", "older")] == [None, None, "mismatch"]


@pytest.mark.parametrize(
    "changed", [{"value": "CN=acme,O=Acme"}, {"networks": ["10.0.0.1/8"]}, {"networks": ["proxy"]}]
)
def test_options_that_cannot_be_told_are_problems_of_the_file(changed: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        scheme("proxy_mtls", **(PROXY | changed))
    assert refused.value.problems[0].code in ("bad_value", "bad_network")
