"""What is wrong with how a source proves itself is told by `check` and before the start, with its place."""

import asyncio
import json
from pathlib import Path

import pytest

from crossdock.bundle import pack
from crossdock.checking import check
from crossdock.project import load
from gateway.proof import Closed
from gateway.sources import make_verifiers, problems
from tests.gateway.proving import request
from tests.gateway.test_sources import SHOP
from tests.gateway.test_tokens import JWKS, token
from tests.smallproject import ENV, TILLS, edited, write

HMAC = SHOP.replace('github: {secrets: ["${SHOP_SECRET}", "${SHOP_OLD_SECRET}"]}', "hmac: {OPTIONS}")


def told(root: Path, options: str, **env: str) -> list[tuple[str, int]]:
    text = HMAC.replace("OPTIONS", options)
    found = problems(load(write(root, {"gateway/shop.yaml": text}), {**ENV, **env}))
    return [(problem.file, problem.line) for problem in found]


@pytest.mark.parametrize("env", [{}, {"SHOP_SECRET": "x"}], ids=["secret not set", "secret set"])
@pytest.mark.parametrize(
    "more", ["timestamp: X-T", 'signed: "abc"', 'signed: "{timestamp}.{body}"', "url: https://a.example"]
)
def test_a_scheme_that_proves_nothing_is_refused_whether_its_secret_is_set_or_not(
    tmp_path: Path, more: str, env: dict[str, str]
) -> None:
    assert told(tmp_path, f'header: X-A, secret: "${{SHOP_SECRET}}", {more}', **env) == [("gateway/shop.yaml", 5)]


def test_an_option_that_is_not_set_closes_the_source_and_is_no_problem(tmp_path: Path) -> None:
    options = 'header: X-A, secret: s, signed: "{url}{body}", url: "${SHOP_URL}"'
    assert told(tmp_path, options) == []
    made = make_verifiers(load(tmp_path, ENV))
    assert isinstance(made["shop"], Closed)


def with_keys(root: Path, place: str) -> Path:
    jwt = f"jwt: {{issuer: 'https://id.example', audience: crossdock, jwks: {place}}}"
    write(root, edited(TILLS, "api_key: true", jwt))
    for name in ("gateway/keys.json", "gateway/_keys.json", "keys/keys.json", "gateway/keys.jwks"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(json.dumps({"keys": JWKS}))
    return root


def test_keys_of_a_file_go_along_with_the_content_and_need_the_folder_no_more(tmp_path: Path) -> None:
    # given what a role has: the bundle, of which the files are gone when it has loaded them
    made = pack(with_keys(tmp_path, "gateway/keys.json")).load(ENV)
    # when
    verifier = make_verifiers(made)["tills"]
    # then
    asyncio.run(verifier.verify(request({"authorization": f"Bearer {token()}"})))


def test_other_keys_in_the_file_make_another_verifier(tmp_path: Path) -> None:
    before = load(with_keys(tmp_path, "gateway/keys.json"), ENV)
    known = make_verifiers(before)
    assert make_verifiers(load(tmp_path, ENV), before, known)["tills"] is known["tills"]
    (tmp_path / "gateway/keys.json").write_text(json.dumps({"keys": JWKS[:1]}))
    assert make_verifiers(load(tmp_path, ENV), before, known)["tills"] is not known["tills"]


@pytest.mark.parametrize(
    "place",
    ["gateway/absent.json", "../keys.json", "/etc/hostname", "gateway", "keys/keys.json", "gateway/_keys.json",
     "gateway/keys.jwks", "gateway/tills.yaml"],
)  # fmt: skip
def test_a_file_of_keys_that_is_not_there_or_would_not_go_along_is_told_by_the_check(
    tmp_path: Path, place: str
) -> None:
    (problem,) = check(with_keys(tmp_path, place), ENV).problems
    assert (problem.code, problem.file, problem.line) == ("bad_value", TILLS, 5)


def test_a_file_without_a_key_is_told_by_the_check(tmp_path: Path) -> None:
    with_keys(tmp_path, "gateway/keys.json")
    for text in ('{"keys": []}', "[", '"x"'):
        (tmp_path / "gateway/keys.json").write_text(text)
        assert [problem.file for problem in check(tmp_path, ENV).problems] == [TILLS]
