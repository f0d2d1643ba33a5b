"""What is wrong with how a source proves itself is told by `check` and before the start, with its place."""

from pathlib import Path

import pytest

from crossdock.project import load
from gateway.proof import Closed
from gateway.sources import make_verifiers, problems
from tests.gateway.test_sources import SHOP
from tests.smallproject import ENV, write

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
