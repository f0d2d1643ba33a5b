"""Standard Webhooks: the published vectors of v1 and v1a, the official client as the sender, and what is refused."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from crossdock.kernel.problems import Refused
from gateway.proof import Request
from tests.gateway.proving import NOW, changes, refusal, request, scheme, shortened_and_lengthened

# standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# svix/svix-webhooks, server/svix-server/src/worker.rs, the same message signed with ed25519
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
OTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
HEADERS = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
KINDS = {"v1": (SECRET, V1), "v1a": (PUBLIC, V1A)}
both = pytest.mark.parametrize(("secret", "signature"), KINDS.values(), ids=KINDS)


def message(signature: str, body: bytes = BODY, **headers: str) -> Request:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request({**HEADERS, "webhook-signature": signature, **given}, body)


@both
def test_the_published_vector_is_accepted(secret: str, signature: str) -> None:
    assert refusal(scheme("standard_webhooks", secret), message(signature)) is None


def test_the_secret_may_stand_without_its_prefix() -> None:
    assert refusal(scheme("standard_webhooks", SECRET.removeprefix("whsec_")), message(V1)) is None


def test_what_the_official_client_signs_is_accepted() -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", now, '{"price": "1.10 €"}')
    sent = message(
        signature, '{"price": "1.10 €"}'.encode(), webhook_id="msg_1", webhook_timestamp=str(int(now.timestamp()))
    )
    assert refusal(scheme("standard_webhooks", SECRET, now=now.timestamp()), sent) is None


@both
def test_every_changed_byte_fails(secret: str, signature: str) -> None:
    verifier = scheme("standard_webhooks", secret)
    for body in [*changes(BODY), *shortened_and_lengthened(BODY)]:
        assert refusal(verifier, message(signature, body)) == "mismatch"
    for text in [*changes(signature.encode()), *shortened_and_lengthened(signature.encode())]:
        if text.strip(b" ") != signature.encode():  # a blank parts two signatures
            assert refusal(verifier, message(text.decode("latin-1")))
    for name, value in HEADERS.items():
        for text in [*changes(value.encode()), *shortened_and_lengthened(value.encode())]:
            assert refusal(verifier, _with(signature, name, text.decode("latin-1")))


def _with(signature: str, name: str, value: str) -> Request:
    return request({**HEADERS, "webhook-signature": signature, name: value}, BODY)


@both
def test_every_changed_character_of_the_secret_fails(secret: str, signature: str) -> None:
    for text in changes(secret[6:].encode()):
        try:
            verifier = scheme("standard_webhooks", secret[:5] + "_" + text.decode("latin-1"))
        except Refused as refused:
            assert refused.problems[0].code == "bad_secret"
        else:
            assert refusal(verifier, message(signature)) == "mismatch"


def test_one_of_several_signatures_is_enough() -> None:
    for secrets in [(SECRET,), (PUBLIC,), (PUBLIC, SECRET), ("whsec_" + "A" * 32, SECRET)]:
        sent = message(" ".join([OTHER, OTHER.replace("v1", "v2"), V1, V1A, OTHER]))
        assert refusal(scheme("standard_webhooks", *secrets), sent) is None


def test_a_signature_of_one_version_proves_nothing_for_another() -> None:
    assert refusal(scheme("standard_webhooks", SECRET, PUBLIC), message(V1.replace("v1,", "v1a,"))) == "mismatch"
    assert refusal(scheme("standard_webhooks", SECRET, PUBLIC), message(V1A.replace("v1a,", "v1,"))) == "mismatch"
    assert refusal(scheme("standard_webhooks", PUBLIC), message(V1)) == "mismatch"


def test_only_the_first_sixteen_signatures_are_looked_at() -> None:
    verifier = scheme("standard_webhooks", SECRET, PUBLIC)
    assert refusal(verifier, message(" ".join([OTHER] * 15 + [V1]))) is None
    assert refusal(verifier, message(" ".join([OTHER] * 16 + [V1]))) == "mismatch"
    assert refusal(verifier, message(" ".join([OTHER] * 100_000))) == "mismatch"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_header_may_be_missing(name: str) -> None:
    headers = {**HEADERS, "webhook-signature": V1}
    del headers[name]
    assert refusal(scheme("standard_webhooks", SECRET), request(headers, BODY)) == "missing"


def test_an_id_holds_no_dot() -> None:
    signature = Webhook(SECRET).sign("msg.1", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    assert refusal(scheme("standard_webhooks", SECRET), message(signature, webhook_id="msg.1")) == "malformed"


@both
@pytest.mark.parametrize("skew", [-301, 301])
def test_a_replay_outside_the_tolerance_is_stale(secret: str, signature: str, skew: int) -> None:
    assert refusal(scheme("standard_webhooks", secret, now=NOW + skew), message(signature)) == "stale"
    assert refusal(scheme("standard_webhooks", secret, now=NOW + skew, tolerance="10m"), message(signature)) is None


@both
@given(garbage=st.text(st.characters(max_codepoint=255), max_size=80))
def test_garbage_is_refused(secret: str, signature: str, garbage: str) -> None:
    verifier = scheme("standard_webhooks", secret)
    for text in (garbage, f"v1,{garbage}", f"v1a,{garbage}"):
        assert refusal(verifier, message(text))


@pytest.mark.parametrize(
    "secret",
    [
        PRIVATE,
        "whsec_",
        "whsec_%",
        "whpk_AAAA",
        "whpk_",
        SECRET + "*",
        "whsec_" + base64.b64encode(b"x" * 25).decode()[:-3] + "B==",  # bits that nobody reads
    ],
)
def test_a_secret_of_another_shape_is_a_problem_that_does_not_show_it(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        scheme("standard_webhooks", secret)
    (problem,) = refused.value.problems
    assert problem.code == "bad_secret"
    assert len(secret) < 7 or secret[6:] not in str(problem)
