"""Editors complete and check every kind of file: a real YAML language server with the files that `init` writes."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from crossdock.cli.app import app
from tests import npm
from tests.docs.blocks import ROOT
from tests.editor.languageserver import LanguageServer, Told, language_server

PACKAGE = "yaml-language-server@1.25.0"
FOLDERS = ("gateway", "transforms", "routes", "connectors")
SHIPPED = [ROOT / "config.yaml", *(path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.yaml")))]
MISTAKES = [  # file, text, the line and the words that are marked, and what is named
    ("gateway/new.yaml", "source: a\nparnter: b\n", 2, "parnter", ""),
    ("gateway/new.yaml", "source: a\naccept: cloudevent\n", 2, "cloudevent", ""),
    ("gateway/new.yaml", "source: Big Tills\n", 1, "Big Tills", ""),
    ("gateway/new.yaml", "source: a\npartner: b\naccept: webhook\ntypes: [c]\n", 1, "s", "verify"),
    ("gateway/new.yaml", "verify: {api_key: true, github: {}}\n", 1, "{api_key: true, github: {}}", ""),
    ("gateway/new.yaml", "verify: {github: {}}\n", 1, "github", "secret"),
    ("gateway/new.yaml", "limits: {batch: 0}\n", 1, "0", ""),
    ("schemas/pos.sale/schema.yaml", "owner: a\ncompatiblity: full\n", 2, "compatiblity", ""),
    ("schemas/pos.sale/schema.yaml", "compatibility: backwards\n", 1, "backwards", ""),
    ("transforms/new.yaml", "transform: a\nlookup: {b: c.csv}\n", 2, "lookup", ""),
    ("transforms/new.yaml", "from: pos.sale\n", 1, "pos.sale", ""),
    ("transforms/new.yaml", "transform: a\nfrom: b@1\nto: c@1\n", 1, "t", "map"),
    ("routes/new.yaml", "routes:\n  - route: a\n    form: [b]\n    to: c\n", 3, "form", ""),
    ("routes/new.yaml", "routes:\n  - {route: a, from: [b]}\n", 2, "{", "to"),
    ("routes/new.yaml", "routes:\n  - {route: a, from: [b], to: c, in_flight: many}\n", 2, "many", ""),
    ("connectors/new.yaml", "connector: a\nkind: htpp\n", 2, "htpp", ""),
    ("connectors/new.yaml", "connector: a\nkind: http\n", 1, "c", "url"),
    ("connectors/new.yaml", "connector: a\nurls: b\n", 2, "urls", ""),
    ("transforms/new.test.yaml", "tests:\n  - nmae: a\n", 2, "nmae", ""),
    ("transforms/new.test.yaml", "tests:\n  - name: a\n    given: {type: b, data: {}}\n", 2, "n", "expect"),
    ("routes/new.test.yaml", "tests:\n  - name: a\n    expect: {routes: stock}\n", 3, "stock", ""),
    ("config.yaml", "gateway: {prot: 80}\n", 1, "prot", ""),
    ("config.yaml", "nats: {replicas: 2}\n", 1, "2", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    project = tmp_path_factory.mktemp("editor") / "shop"
    assert CliRunner().invoke(app, ["init", str(project)]).exit_code == 0
    folder = tmp_path_factory.mktemp("npm")
    npm.install(folder, PACKAGE)
    with language_server(folder, project) as running:
        yield running


def test_nothing_is_marked_in_the_files_of_a_new_project_and_of_the_shipped_one(server: LanguageServer) -> None:
    # given
    new = [(path.relative_to(server.project), path.read_text()) for path in sorted(server.project.rglob("*.yaml"))]
    shipped = [(path.relative_to(ROOT), path.read_text()) for path in SHIPPED]
    shown = [(path.as_posix(), text) for path, text in (*new, *shipped)]
    assert {path for path, _ in shown} > {"config.yaml", "gateway/tills.yaml", "transforms/order.test.yaml"}
    # when
    told = server.diagnostics(shown)
    # then
    assert [(path, found) for (path, _), found in zip(shown, told, strict=True) if found] == []


@pytest.mark.parametrize(
    ("file", "text", "offered"),
    [
        ("gateway/new.yaml", "source: tills\n|||\n", {"partner", "accept", "types", "verify", "limits", "callback"}),
        ("gateway/new.yaml", "accept: |||\n", {"cloudevents", "webhook"}),
        ("gateway/new.yaml", "on_invalid: |||\n", {"reject", "quarantine", "warn"}),
        ("gateway/new.yaml", "verify:\n  |||\n", {"api_key", "basic", "hmac", "jwt", "shopify", "standard_webhooks"}),
        ("gateway/new.yaml", "verify:\n  hmac:\n    |||\n", {"header", "algorithm", "signed", "secret", "secrets"}),
        ("gateway/new.yaml", "verify:\n  hmac:\n    algorithm: |||\n", {"sha256", "sha1", "sha512"}),
        ("gateway/new.yaml", "limits:\n  |||\n", {"body", "batch", "rate", "burst", "quota", "concurrent"}),
        ("gateway/new.yaml", "callback:\n  on: [|||]\n", {"delivered", "dead_lettered", "quarantined"}),
        ("gateway/new.test.yaml", "tests:\n  - name: a\n    given:\n      request:\n        |||\n", {"source", "body"}),
        ("schemas/pos.sale/schema.yaml", "|||\n", {"owner", "description", "compatibility", "deprecated"}),
        ("schemas/pos.sale/schema.yaml", "compatibility: |||\n", {"backward", "full_transitive", "none"}),
        ("transforms/new.yaml", "|||\n", {"transform", "from", "to", "map", "lookups", "business_key"}),
        ("routes/new.yaml", "routes:\n  - route: a\n    |||\n", {"from", "to", "when", "order_by", "retry"}),
        ("routes/new.yaml", "routes:\n  - route: a\n    retry:\n      |||\n", {"for", "first", "most"}),
        ("connectors/new.yaml", "|||\n", {"connector", "kind", "url", "auth", "limits", "breaker", "networks"}),
        ("connectors/new.yaml", "kind: |||\n", {"http"}),
        ("connectors/new.yaml", "auth:\n  |||\n", {"bearer", "basic", "header"}),
        ("transforms/new.test.yaml", "tests:\n  - name: a\n    expect:\n      |||\n", {"type", "data", "error"}),
        ("routes/new.test.yaml", "tests:\n  - name: a\n    expect:\n      |||\n", {"routes", "bodies", "error"}),
        ("config.yaml", "|||\n", {"nats", "dedupe", "journal", "gateway", "console", "workers", "retention"}),
        ("config.yaml", "nats:\n  replicas: |||\n", {"1", "3", "5"}),
    ],
)  # fmt: skip
def test_keys_and_values_are_offered_where_they_belong(
    server: LanguageServer, file: str, text: str, offered: set[str]
) -> None:
    assert offered <= server.completions(file, text).keys()


def test_a_key_comes_with_what_it_means(server: LanguageServer) -> None:
    offered = server.completions("gateway/new.yaml", "limits:\n  |||\n")
    assert offered["rate"].startswith("events that may come on average")


def test_a_value_under_the_pointer_says_what_it_is_with_an_example(server: LanguageServer) -> None:
    shown = server.hover("connectors/new.yaml", "connector: wms\nkind: http\nurl: https://a\n", "https")
    assert "where events are sent to" in shown and "${ERP_URL}/api/stock-movements" in shown


@pytest.fixture(scope="module")
def told(server: LanguageServer) -> list[list[Told]]:
    return server.diagnostics([(file, text) for file, text, *_ in MISTAKES])


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda number: " ".join(MISTAKES[number][1].split()))
def test_a_mistake_is_marked_where_it_stands(told: list[list[Told]], number: int) -> None:
    _, _, line, marked, named = MISTAKES[number]
    found = [one.message for one in told[number] if (one.line, one.marked) == (line, marked)]
    assert any(named in message for message in found), told[number]
