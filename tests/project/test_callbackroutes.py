"""A source's callback: which route and connector it becomes, and what `check` finds wrong with it."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from crossdock.adapters.asyncapi import document
from crossdock.callbackroutes import tell_closed
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project, load
from tests.smallproject import ENV, FILES, STOCK, TILLS, edited, only, write, write_schema

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VARIABLES = {**ENV, "HOOK": "https://shop.example", "NEW": SECRET}


def callback(text: str) -> dict[str, str | None]:
    return {TILLS: f"{FILES[TILLS]}callback: {{{text}}}\n"}


def loaded(root: Path, text: str, env: Mapping[str, str] = VARIABLES) -> Project:
    return load(write(root, callback(text)), env)


def wrong(root: Path, text: str) -> Problem:
    with pytest.raises(Refused) as caught:
        loaded(root, text)
    (problem,) = caught.value.problems
    return problem


def test_a_callback_is_a_route_of_its_own_that_signs_and_keeps_the_order_of_an_event(tmp_path: Path) -> None:
    project = loaded(tmp_path, 'url: "${HOOK}/in", secret: "${NEW}"')

    route, connector = project.routes["callback-tills"], project.connectors["callback-tills"]
    assert (route.types, route.connector) == (("crossdock.status.tills",), "callback-tills")
    assert route.order_by is not None
    assert (connector.options.target.scheme, connector.options.target.host, len(connector.options.keys)) == (
        "https",
        "shop.example",
        1,
    )
    assert list(project.routes) == ["stock", "callback-tills"]
    assert document(project)["channels"]["status"]["parameters"]["source"] == {"enum": ["tills"]}


def test_a_secret_that_is_not_set_is_passed_over_while_another_one_is(tmp_path: Path) -> None:
    project = loaded(tmp_path, 'url: "${HOOK}/in", secrets: ["${NEW}", "${OLD}"]')

    assert len(project.connectors["callback-tills"].options.keys) == 1


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('url: "${HOOK}/in", secret: "${NONE}"', "NONE"),
        ('url: "${NOWHERE}/in", secret: "${NEW}"', "NOWHERE"),
    ],
)
def test_a_variable_that_is_not_set_closes_the_callback_and_nothing_else(
    tmp_path: Path, text: str, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    project = loaded(tmp_path, text)
    with caplog.at_level(logging.WARNING):
        tell_closed(project.sources.values())

    assert (list(project.routes), list(project.connectors)) == (["stock"], ["erp"])
    assert not project.sources["tills"].verify.closed
    assert caplog.messages == [f"the callback of source tills is closed: not set: {missing}"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("url: http://shop.example/in", "bad_url"),
        ("url: http://93.184.216.34/in", "bad_url"),
        ("url: http://10.0.0.7/in", "private_address"),
        ("url: https://10.0.0.7/in", "private_address"),
        ("url: https://2130706433/in", "private_address"),
        ("url: http://shop.internal/in, networks: [10.0.0.0/8]", "bad_url"),
        ("url: https://user:word@shop.example/in", "bad_url"),
        ("url: ftp://shop.example/in", "bad_url"),
        ("url: https://shop.example/in, networks: [10.0.0.1/8]", "bad_network"),
        ("url: https://shop.example/in, on: [accepted]", "bad_value"),
        ("url: https://shop.example/in, timeout: 1s", "unknown_key"),
    ],
)
def test_an_address_that_could_be_read_or_reach_inside_is_refused_at_its_place(
    tmp_path: Path, text: str, code: str
) -> None:
    problem = wrong(tmp_path, f"{text}, secret: {SECRET}")

    assert (problem.code, problem.file, problem.line) == (code, TILLS, 6)


def test_plain_http_goes_to_a_named_address(tmp_path: Path) -> None:
    project = loaded(tmp_path, f"url: http://10.0.0.7/in, networks: [10.0.0.0/8], secret: {SECRET}")

    assert project.connectors["callback-tills"].options.target.authority == "10.0.0.7"


def test_a_weak_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    problem = wrong(tmp_path, "url: https://shop.example/in, secret: whsec_c2hvcnQ=")

    assert (problem.code, problem.line) == ("bad_secret", 6)
    assert "c2hvcnQ" not in str(problem)


def test_neither_url_nor_secrets_show_in_the_repr_of_what_is_loaded(tmp_path: Path) -> None:
    project = loaded(tmp_path, f"url: https://shop.example/in?token=t0ps3cret, secret: {SECRET}")

    shown = repr(project.sources) + repr(project.routes) + repr(project.connectors)
    assert "t0ps3cret" not in shown
    assert SECRET[6:] not in shown


def test_names_and_types_of_callbacks_are_not_for_content(tmp_path: Path) -> None:
    assert only(tmp_path, edited(STOCK, "route: stock", "route: callback-tills")).code == "bad_value"
    connector = FILES["connectors/erp.yaml"].replace("connector: erp", "connector: callback-tills")
    assert only(tmp_path, {"connectors/other.yaml": connector}).code == "bad_value"
    write_schema(tmp_path, "crossdock.status.tills", "1.0", {"type": "object"})
    assert {problem.code for problem in _problems(tmp_path)} >= {"wrong_name"}


def _problems(root: Path) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        load(root, ENV)
    return list(caught.value.problems)
