"""What all tests share: the size of fault runs, and one broker and one dedupe store for the session."""

from collections.abc import Iterator

import pytest

from tests.realservers import nats_server, valkey_server

_STARTS = frozenset({"consoles", "running", "subprocess", "terminal"})  # what the tests of a file have imported


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--events", type=int, default=600, help="events that each fault test sends")


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Begin with what starts processes and browsers: it takes longest, and its wait leaves time to all others."""
    items.sort(key=lambda item: _STARTS.isdisjoint(vars(item.module)))


@pytest.fixture(scope="session")
def events(request: pytest.FixtureRequest) -> int:
    number: int = request.config.getoption("--events")
    return number


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nats_server(tmp_path_factory.mktemp("nats")) as (url, _):
        yield url


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey_server(tmp_path_factory.mktemp("valkey")) as (url, _):
        yield url
