"""What every `Conformance` promises, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.content import Spot
from crossdock.kernel.yamlfile import Document
from journal import conformance, entry, keys
from journal.conformance import Deviation, Wanted
from journal.entry import Entry
from journal.figures import DAY, MS
from journal.spec import MISSING_FIRST, MISSING_THEN, WRONG_ORDER, Rule, Side, load

T0 = 1_790_000_000_000 // (DAY * MS) * DAY * MS
HOUR = 3_600_000
NOWHERE = Spot(Document("journal/x.yaml", {}, {}))
ANNOUNCED, RECEIVED = Side("shipment.announced", "asn"), Side("inventory.received", "asn")
UNASKED = Rule("receipt-without-asn", "", (ANNOUNCED,), (RECEIVED,), MISSING_FIRST, 3600.0, NOWHERE)
NEVER_CAME = Rule("announced-not-received", "", (ANNOUNCED,), (RECEIVED,), MISSING_THEN, 7200.0, NOWHERE)
CREATED, PAID = Side("shop.order", "key"), Side("shop.payment", "key")
PAID_FIRST = Rule("paid-before-created", "", (CREATED,), (PAID,), WRONG_ORDER, 0.0, NOWHERE)
RULES = (UNASKED, NEVER_CAME, PAID_FIRST)


def event(raw: int, at: int, side: Side, key: str = "A-1", partner: str = "acme", store: str = "0042") -> Entry:
    about = keys.write([("store", store), *([(side.key, key)] if side.key != keys.BUSINESS_KEY else [])])
    business = key if side.key == keys.BUSINESS_KEY else ""
    made = Entry(at, entry.PROCESS, entry.ROUTED, partner, "edi", f"e-{raw}", type=side.type, raw=raw, seq=raw)
    return made._replace(key=business, keys=about)


def _told(store: SqlJournal, rules: Sequence[Rule], now: int, **asked: object) -> list[Deviation]:
    wanted = Wanted(rules, now, **asked)  # type: ignore[arg-type]
    found = store.processes.pairs.deviations(wanted, 100)
    assert sum(count.n for count in store.processes.pairs.counts(wanted)) == len(found)
    return found


def _watch(store: SqlJournal, *lots: Sequence[Entry], rules: Sequence[Rule] = RULES) -> None:
    store.processes.pairs.use(rules)
    for lot in lots:
        store.project(lot, store.position() + 1)


def test_what_comes_in_order_breaks_no_rule(store: SqlJournal) -> None:
    _watch(store, [event(1, T0, ANNOUNCED)], [event(2, T0 + HOUR, RECEIVED)])
    assert _told(store, RULES, T0 + DAY * MS) == []


def test_what_nobody_announced_is_open_when_the_advice_is_late_and_closed_when_it_comes(store: SqlJournal) -> None:
    # given
    _watch(store, [event(1, T0, RECEIVED, partner="stores")])
    assert _told(store, [UNASKED], T0 + HOUR) == []
    (found,) = _told(store, [UNASKED], T0 + HOUR + 1)
    assert (found.state, found.since, found.closed, found.pair.key) == ("open", T0, 0, "A-1")
    assert (found.pair.then.partner, found.pair.then.store) == ("stores", "0042")
    # when
    _watch(store, [event(2, T0 + 2 * HOUR, ANNOUNCED)])
    # then
    (found,) = _told(store, [UNASKED], T0 + 9 * HOUR)
    assert (found.state, found.closed) == ("late", T0 + 2 * HOUR)


def test_an_advice_that_comes_soon_enough_after_the_goods_breaks_nothing(store: SqlJournal) -> None:
    _watch(store, [event(1, T0, RECEIVED), event(2, T0 + HOUR, ANNOUNCED)])
    assert _told(store, [UNASKED], T0 + DAY * MS) == []


def test_what_never_follows_is_open_and_what_follows_late_is_closed(store: SqlJournal) -> None:
    _watch(store, [event(1, T0, ANNOUNCED, "A-1"), event(2, T0 + 1, ANNOUNCED, "A-2")])
    _watch(store, [event(3, T0 + 3 * HOUR, RECEIVED, "A-2")])
    late, is_open = _told(store, [NEVER_CAME], T0 + DAY * MS)
    assert [(one.pair.key, one.state) for one in (late, is_open)] == [("A-2", "late"), ("A-1", "open")]
    assert [one.pair.key for one in _told(store, [NEVER_CAME], T0 + DAY * MS, state="open")] == ["A-1"]


def test_the_wrong_order_is_told_by_when_events_came_in(store: SqlJournal) -> None:
    _watch(store, [event(5, T0, PAID, "o-1"), event(6, T0 + 400, CREATED, "o-1"), event(7, T0, CREATED, "o-2")])
    _watch(store, [event(8, T0 + 9, PAID, "o-2"), event(9, T0 + 9, PAID, "o-3")])
    assert [(one.pair.key, one.state) for one in _told(store, RULES, T0 + HOUR)] == [("o-1", "wrong_order")]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_neither_repeats_nor_the_order_of_the_journal_change_what_is_told(order: Sequence[int]) -> None:
    store = SqlJournal("sqlite://")
    lines = [
        event(1, T0, RECEIVED), event(3, T0 + 4 * HOUR, ANNOUNCED), event(4, T0 + 5 * HOUR, ANNOUNCED),
        event(5, T0 + 6 * HOUR, RECEIVED),
    ]  # fmt: skip
    _watch(store, *([lines[place]] for place in order))
    (found,) = _told(store, [UNASKED], T0 + DAY * MS)
    assert (found.since, found.closed) == (T0, T0 + 4 * HOUR)
    store.close()


def test_only_what_was_routed_counts(store: SqlJournal) -> None:
    came = event(1, T0, RECEIVED)
    wrong = [came._replace(outcome=outcome) for outcome in (entry.DUPLICATE, entry.DEAD_LETTERED)]
    _watch(store, [*wrong, came._replace(stage=entry.DELIVER)])
    assert _told(store, RULES, T0 + DAY * MS) == []


def test_deviations_are_counted_by_day_partner_and_store(store: SqlJournal) -> None:
    days = [T0, T0 + 1, T0 + DAY * MS]
    _watch(store, [event(n, at, RECEIVED, f"A-{n}", store=f"{n % 2:04}") for n, at in enumerate(days, 1)])
    counts = store.processes.pairs.counts(Wanted([UNASKED], T0 + 9 * DAY * MS))
    first = T0 // (DAY * MS)
    assert sorted((one.day, one.partner, one.store, one.state, one.n) for one in counts) == [
        (first, "acme", "0000", "open", 1), (first, "acme", "0001", "open", 1), (first + 1, "acme", "0001", "open", 1),
    ]  # fmt: skip


def test_a_rule_that_is_new_looks_at_what_was_there_before_and_one_that_is_gone_is_forgotten(store: SqlJournal) -> None:
    # given
    _watch(store, [event(1, T0, RECEIVED), event(2, T0, PAID, "o-1"), event(3, T0 + 9, CREATED, "o-1")], rules=[])
    assert _told(store, [UNASKED], T0 + DAY * MS) == []
    # when
    store.processes.pairs.use([UNASKED, PAID_FIRST])
    # then
    assert len(_told(store, [UNASKED, PAID_FIRST], T0 + DAY * MS)) == 2
    # when
    store.processes.pairs.use([PAID_FIRST])
    assert len(_told(store, [UNASKED, PAID_FIRST], T0 + DAY * MS)) == 1


def test_a_rule_under_its_old_name_that_looks_at_other_events_begins_anew(store: SqlJournal) -> None:
    _watch(store, [event(1, T0, RECEIVED), event(2, T0, PAID, "o-1")])
    assert len(_told(store, [UNASKED], T0 + DAY * MS)) == 1
    other = Rule(UNASKED.name, "", (CREATED,), (PAID,), MISSING_FIRST, 0.0, NOWHERE)
    store.processes.pairs.use([other])
    assert [one.pair.key for one in _told(store, [other], T0 + DAY * MS)] == ["o-1"]


def test_pairs_go_with_the_days_of_the_journal(store: SqlJournal) -> None:
    _watch(store, [event(1, T0, RECEIVED, "old"), event(2, T0 + DAY * MS, RECEIVED, "new")])
    store.processes.catch_up()
    store.forget(T0 + DAY * MS)
    assert [one.pair.key for one in _told(store, [UNASKED], T0 + 9 * DAY * MS)] == ["new"]


def test_pages_of_deviations_come_newest_first(store: SqlJournal) -> None:
    _watch(store, [event(n, T0 + n, RECEIVED, f"A-{n}") for n in range(1, 8)])
    wanted = Wanted([UNASKED], T0 + DAY * MS)
    pages = [store.processes.pairs.deviations(wanted, 3, after) for after in (0, 3, 6)]
    assert [[one.pair.key for one in page] for page in pages] == [
        ["A-7", "A-6", "A-5"], ["A-4", "A-3", "A-2"], ["A-1"],
    ]  # fmt: skip


def test_a_side_may_be_one_of_several_events_with_keys_of_other_kinds() -> None:
    moved = Side("inventory.moved", "transfer")
    rule = Rule("r", "", (ANNOUNCED, moved), (RECEIVED,), MISSING_FIRST, 0.0, NOWHERE)
    seen = list(conformance.sights(rule, event(4, T0, moved, "T-9")))
    assert [(pair.key, pair.first.raw, pair.then.raw) for pair in seen] == [("T-9", 4, 0)]


def test_the_shipped_rules_are_read() -> None:
    rules = load(Path(__file__).parents[2])
    assert {"receipt-without-asn", "transfer-not-received", "paid-before-created"} <= {rule.name for rule in rules}
