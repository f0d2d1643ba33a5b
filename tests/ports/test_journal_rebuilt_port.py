"""A journal that is dropped and built again from its entries answers as before, on every database."""

from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.store import OPEN
from tests.ports.test_journalstore_port import ACCEPTED, DEAD, ROUTED


def test_a_journal_built_again_from_its_entries_gives_the_same_answers(store: SqlJournal) -> None:
    # given
    kept, gone = 86_400_000 * 5, 86_400_000 * 2
    letters = [
        DEAD._replace(at=gone, dead_letter=f"dl-{number}", detail=f"HTTP {400 + number % 7}") for number in range(20)
    ]
    lines = [ACCEPTED, ROUTED, *letters]
    lines += [line._replace(at=kept, outcome=entry.REPLAYED) for line in letters[:12]]
    lines += [line._replace(at=kept, outcome=entry.DELIVERED) for line in letters[:7]]
    lines += [line._replace(at=kept, outcome=entry.DEAD_LETTERED, detail="HTTP 409") for line in letters[5:9]]

    def answers() -> list[object]:
        return [
            store.counts()["open"],
            sorted(store.counts()["outcomes"]),
            sorted(store.causes(gone)),
            store.find("s-1"),
        ]

    for number, line in enumerate(lines, 1):
        store.project([line], number)
    store.forget(kept)
    first = answers()
    assert first[0] == len(store.letters(state=OPEN)) == 4
    # when
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE position SET seq = 1 WHERE name = 'layout'")
    store.prepare()
    assert store.counts()["open"] == 0
    store.project(lines, 1)
    assert store.counts()["open"] == 12
    store.forget(kept)
    # then
    assert answers() == first
