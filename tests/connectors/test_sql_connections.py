"""How the kind `sql` gets to a database: what is lost on the way, whom it dials, and what a file may say."""

import asyncio
from urllib.parse import urlsplit

import pytest

from connectors import reading
from connectors.kinds import open_connector
from connectors.port import Result
from connectors.spec import ConnectorSpec
from crossdock.kernel.problems import Refused
from crossdock.kernel.yamlfile import parse
from tests.connectors.conformance import EVENT
from tests.connectors.databases import OUTSIDE, TARGET, Db, connector, deliver, event, run, spec


class Cut:
    """A way to a server that lets everything pass up to an INSERT or what is said after it, and then nothing."""

    def __init__(self, port: int, word: bytes, *, hangs: bool) -> None:
        self._port = port
        self._word = word
        self._hangs = hangs
        self._tasks = set[asyncio.Task[None]]()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        self._tasks.add(asyncio.create_task(self._copy(back, writer)))
        said = b""
        while data := await reader.read(65536):
            said = (said + data)[-100_000:]
            if self._word in said[max(said.find(b"INSERT"), 0) :] and b"INSERT" in said:
                break
            forth.write(data)
        if not (self._hangs and data):
            writer.transport.abort()
            forth.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)


@pytest.mark.parametrize(
    ("word", "hangs", "outcome"),
    [
        (b"COMMIT", False, "in_doubt"),
        (b"COMMIT", True, "in_doubt"),
        (b"INSERT", False, "retry"),
        (b"INSERT", True, "retry"),
    ],
)
def test_only_what_is_lost_after_the_commit_was_sent_is_in_doubt(
    db: Db, word: bytes, hangs: bool, outcome: str
) -> None:
    if db.kind == "sqlite":
        pytest.skip("a file")
    port = urlsplit(db.url).port or 0

    async def act() -> Result:
        listener = await asyncio.start_server(Cut(port, word, hangs=hangs), "127.0.0.1", 0)
        made = connector(db.url.replace(str(port), str(listener.sockets[0].getsockname()[1])), timeout="700ms")
        result = await made.deliver(event("1", sku="A", quantity=1), "key-1")
        await made.close()
        listener.close()
        return result

    assert run(act).outcome == outcome


def test_an_address_that_is_not_allowed_is_not_dialled(sql_server: str) -> None:
    if sql_server.startswith("sqlite"):
        pytest.skip("a file")
    url = sql_server.replace("127.0.0.1", "localhost")
    made = spec(url)
    closed = ConnectorSpec(made.name, made.kind, made.options, made.timeout)

    (result,) = deliver(open_connector(closed, OUTSIDE), EVENT)

    assert (result.outcome, result.detail.split(":")[0]) == ("permanent", "private_address")


def test_a_server_without_tls_is_refused_unless_the_file_says_off(sql_server: str) -> None:
    if sql_server.startswith("sqlite"):
        pytest.skip("a file")
    text = f"connector: staging\nkind: sql\nurl: {sql_server}\nnetworks: [127.0.0.0/8]\ntimeout: 3s\n{TARGET}\n"
    made = reading.make(parse(text.encode(), "connectors/staging.yaml"))

    (result,) = deliver(open_connector(made, OUTSIDE), EVENT)

    assert (result.outcome, "SSL" in result.detail) == ("retry", True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ("url: postgresql://host/db?sslmode=disable", "bad_url"),
        ("url: oracle://host/db", "bad_url"),
        ("url: sqlite:///relative.db", "bad_url"),
        ("url: postgresql://10.0.0.1/db", "private_address"),
        ("url: postgresql://db.example/shop\ntable: t\ncolumns: {a: a}", "missing_key"),
        ("url: postgresql://db.example/shop\ntable: t\ncolumns: {a: a}\nkey: [b]", "unknown_column"),
        ("url: postgresql://db.example/shop\ntable: t\nkey: [a]", "missing_key"),
        ("url: postgresql://db.example/shop", "missing_key"),
        ("url: postgresql://db.example/shop\ntable: t\ncolumns: {a: '$nope('}\nkey: [a]", "bad_expression"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_where_it_is(changes: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        reading.make(parse(f"connector: staging\nkind: sql\n{changes}\n".encode(), "connectors/staging.yaml"))

    assert code in [problem.code for problem in caught.value.problems]
