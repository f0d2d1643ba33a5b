"""What connector files may say."""

import json
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from connectors import spec
from connectors.httpspec import HttpOptions
from connectors.kinds import KINDS, open_connector
from connectors.reading import load
from connectors.spec import BreakerSpec, ConnectorSpec
from connectors.target import Target
from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem, Refused
from crossdock.supervisor.outside import Outward

MINIMAL = "connector: erp\nkind: http\nurl: https://erp.example/api\n"


def write(root: Path, **files: str) -> Path:
    (root / "connectors").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "connectors" / f"{name}.yaml").write_text(text)
    return root


def problems_of(root: Path, env: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as refused:
        load(root, env or {})
    return refused.value.problems


def test_three_keys_are_enough(tmp_path: Path) -> None:
    specs = load(write(tmp_path, erp=MINIMAL), {})

    assert specs == {"erp": ConnectorSpec("erp", "http", HttpOptions(Target("https", "erp.example", 443, "/api")))}


def test_everything_that_may_be_said_is_read(tmp_path: Path) -> None:
    text = (
        "connector: erp\nkind: http\nurl: ${URL}/api\ndescription: d\ntimeout: 500ms\nlimits: {rate: 200/s, in_flight: 8}\n"  # noqa: E501
        "breaker: {open_at: 25%, over: 1m}\nnetworks: [10.0.0.0/8, 'fd00::/8']\nheaders: {X-Tenant: eu}\n"
        "auth: {bearer: '${TOKEN}'}\n"
    )

    erp = load(write(tmp_path, erp=text), {"URL": "http://10.1.1.1:81", "TOKEN": "t0ken"})["erp"]

    assert erp == ConnectorSpec(
        name="erp",
        kind="http",
        options=HttpOptions(
            Target("http", "10.1.1.1", 81, "/api"), {"x-tenant": "eu", "authorization": "Bearer t0ken"}
        ),
        timeout=0.5,
        rate=200,
        in_flight=8,
        breaker=BreakerSpec(0.25, 60),
        networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        secrets=("t0ken",),
        description="d",
    )


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("{basic: {user: u, password: p}}", {"authorization": "Basic dTpw"}),
        ("{header: {X-Api-Key: k}}", {"x-api-key": "k"}),
    ],
)
def test_other_ways_to_authenticate_become_headers(tmp_path: Path, auth: str, headers: dict[str, str]) -> None:
    specs = load(write(tmp_path, erp=f"{MINIMAL}auth: {auth}\n"), {})

    assert specs["erp"].options.headers == headers


def test_tests_and_files_with_an_underscore_are_not_connectors(tmp_path: Path) -> None:
    write(tmp_path, erp=MINIMAL, _draft="nonsense: 1")
    (tmp_path / "connectors" / "erp.test.yaml").write_text("tests: []")

    assert list(load(tmp_path, {})) == ["erp"]


def test_the_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="connector: a\nkind: http\nurl: ftp://x/\nnetworks: [10.0.0.1/8]\nheaders: {Host: x, Ce-Id: '1', ok: \"a\\nb\"}\n",  # noqa: E501
        b="connector: B!\nkind: smoke\ntimeout: 0s\nnew: 1\n",
        c="connector: c\nkind: http\nurl: ${NO_URL}\n",
        d=MINIMAL,
        e=MINIMAL,
    )

    found = [(p.file.removeprefix("connectors/"), p.line, p.code) for p in problems_of(tmp_path)]

    named = [p.message.partition(" ")[0] for p in problems_of(tmp_path) if p.code == "bad_header"]
    assert named == ["'Host':", "Ce-Id", "'ok':"]
    assert sorted(found) == [
        ("a.yaml", 3, "bad_url"),
        ("a.yaml", 4, "bad_network"),
        ("a.yaml", 5, "bad_header"),
        ("a.yaml", 5, "bad_header"),
        ("a.yaml", 5, "bad_header"),
        ("b.yaml", 1, "bad_value"),
        ("b.yaml", 1, "missing_key"),
        ("b.yaml", 2, "bad_value"),
        ("b.yaml", 3, "bad_value"),
        ("b.yaml", 4, "unknown_key"),
        ("c.yaml", 3, "missing_variable"),
        ("e.yaml", 1, "duplicate_name"),
    ]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "0",
    ],
)
def test_a_private_literal_address_is_refused_at_check(tmp_path: Path, host: str) -> None:
    write(tmp_path, erp=f"connector: erp\nkind: http\nurl: http://{host}/\n")

    assert [(p.code, p.line) for p in problems_of(tmp_path)] == [("private_address", 3)]


def test_a_private_literal_address_that_is_named_is_accepted(tmp_path: Path) -> None:
    text = "connector: erp\nkind: http\nurl: http://127.1/\nnetworks: [127.0.0.0/8]\n"

    assert load(write(tmp_path, erp=text), {})["erp"].options.target.host == "127.1"


@pytest.mark.parametrize(
    "wrong",
    [
        "auth: {bearer: '${TOKEN}', header: {x: '${TOKEN}'}}",
        "auth: ${TOKEN}",
        "auth: ['${TOKEN}', s3cret]",
        "auth: {basic: {user: u, password: [s3cret]}}",
        "auth: {bearer: [s3cret]}",
        "auth: {bearer: s3cret, header: {x: s3cret}}",
        "auth: {header: {x: s3cret, y: s3cret}}",
        'auth: {bearer: "s3cret\\n"}',
        "headers: {x: [s3cret]}",
        'headers: {x: "s3cret\\n"}',
        "query: {key: [s3cret]}",
        "timeout: ${TOKEN}",
        "networks: ['${TOKEN}']",
        "limits: ['${TOKEN}']",
    ],
)
def test_no_problem_shows_a_secret(tmp_path: Path, wrong: str) -> None:
    shown = " ".join(map(str, problems_of(write(tmp_path, erp=f"{MINIMAL}{wrong}\n"), {"TOKEN": "s3cret"})))

    assert "bad_" in shown
    assert "s3cret" not in shown


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    text = (
        "connector: erp\nkind: http\nurl: https://erp.example/hook/${KEY}?k=${KEY}\nheaders: {x: '${KEY}', y: open}\n"
        "auth: {basic: {user: u, password: '${KEY}'}}\n"
    )

    erp = load(write(tmp_path, erp=text), {"KEY": "s3cret"})["erp"]

    assert "s3cret" not in repr(erp)
    assert "dTpzM2NyZXQ=" not in repr(erp)
    assert set(erp.secrets) == {"s3cret", "dTpzM2NyZXQ="}
    assert erp.options.target.path == "/hook/s3cret?k=s3cret"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://erp.example/v2/stock?version=12&key=${KEY}", {"a%2Fb+c", "a/b c"}),
        ("https://erp.example/hook/${KEY}", {"a%2Fb+c", "a/b c"}),
        ("${URL}", {"x9"}),
        ("https://erp.example/stock?key=12", set()),
    ],
)
def test_what_a_url_takes_from_the_environment_behind_its_host_is_a_secret(
    tmp_path: Path, url: str, secrets: set[str]
) -> None:
    given = {"KEY": "a%2Fb+c", "URL": "https://erp.example/tenant?sig=x9"}
    erp = load(write(tmp_path, erp=f"connector: erp\nkind: http\nurl: {url}\n"), given)["erp"]
    assert set(erp.secrets) == secrets


def test_a_trailing_line_break_from_the_environment_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    root = write(tmp_path, erp=f"{MINIMAL}timeout: ${{T}}\nlimits: {{rate: '${{R}}'}}\n")

    assert [p.code for p in problems_of(root, {"T": "15s\n", "R": "5/s\n"})] == ["bad_value", "bad_value"]


def test_the_schema_names_exactly_the_kinds_that_exist() -> None:
    schema = json.loads(Path(spec.__file__).with_name("_schema.json").read_bytes())

    assert schema["properties"]["kind"]["enum"] == list(KINDS)


def test_a_spec_opens_as_a_connector() -> None:
    connector = open_connector(ConnectorSpec("erp", "http", HttpOptions(Target("http", "erp.example", 80))), Outward())

    assert callable(connector.deliver)


SFTP = "connector: erp\nhost: sftp.erp.example\nuser: u\nhost_key: SHA256:x\nauth: {password: '${P}'}\nfolder: out\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("connector: erp\nkind: ftp\nurl: ftp://erp.example\n", {"bad_value", "unknown_key", "missing_key"}),
        (f"{SFTP}kind: ftp\nformat: csv\nname: a.csv\n", {"bad_value", "bad_host_key"}),
        (f"{SFTP}knd: sftp\nformat: csv\nname: a.csv\n", {"unknown_key", "missing_key"}),
        ("connector: erp\nkind: [http]\nurl: https://erp.example\n", {"bad_value"}),
    ],
)
def test_of_a_kind_that_is_misspelt_what_was_meant_is_told(tmp_path: Path, text: str, codes: set[str]) -> None:
    problems = problems_of(write(tmp_path, erp=text), {"P": "p"})

    assert codes <= {problem.code for problem in problems}
    assert {problem.file for problem in problems} == {"connectors/erp.yaml"}


@pytest.mark.parametrize("text", [f"{SFTP}kind: sftp\nformat: '${{FORM}}'\n", MINIMAL.replace("http\n", "${FORM}\n")])
def test_what_a_file_cannot_be_read_without_is_told_where_its_variable_is_not_set(tmp_path: Path, text: str) -> None:
    (problem,) = problems_of(write(tmp_path, erp=text), {"FORM": UNSET, "P": "p"})

    assert problem.code == "bad_value"
    assert "unset.invalid" not in problem.message
