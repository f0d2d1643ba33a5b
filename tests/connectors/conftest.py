"""The databases that tests of the kind `sql` are run against."""

from collections.abc import Iterator

import pytest

from tests.connectors.databases import TABLE, Db, database


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "mariadb"])
def sql_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(request.param, tmp_path_factory.mktemp("sql")) as url:
        yield url


@pytest.fixture
def db(sql_server: str) -> Db:
    made = Db(sql_server)
    made.run("drop table if exists movements")
    sqlite = made.kind == "sqlite"
    made.run(
        TABLE.format(text="text", number="integer") + " strict"
        if sqlite
        else TABLE.format(text="varchar(80)", number="bigint")
    )
    return made
