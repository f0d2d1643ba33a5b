"""The audit log: what `verify` finds, whoever changed the stored entries, and what is listed."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.kernel.problems import Refused, Unavailable
from dlq import audit
from dlq.audit import NONE, Audit, AuditEntry, Verdict, decode

Stored = dict[int, bytes]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner),
    max_leaves=6,
)


async def filled(number: int = 6) -> MemoryAudit:
    store = MemoryAudit()
    for n in range(1, number + 1):
        await Audit(store).note("ann" if n % 2 else "bob", "10.0.0.9", "replay" if n < 4 else "discard", f"dl-{n}", {})
    return store


def verified(change: Callable[[Stored], object] = dict, number: int = 6, known: str = "") -> Verdict:
    async def scenario() -> Verdict:
        store = await filled(number)
        change(store.stored)
        return await Audit(store).verify(known)

    return asyncio.run(scenario())


def found(change: Callable[[Stored], object]) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in verified(change).problems]


def forged(stored: Stored, number: int) -> None:
    """Change an entry as somebody would who knows how it is sealed."""
    stored[number] = replace(decode(stored[number]), who="nobody").sealed().encode()


def moved_up(stored: Stored, number: int) -> None:
    """Put an entry between others, and all later ones one place further."""
    entry = replace(decode(stored[number]), on="dl-new").sealed().encode()
    later = [stored[seq] for seq in sorted(stored) if seq >= number]
    stored |= dict(enumerate([entry, *later[:-1]], number))


@given(PLAIN)
def test_the_text_of_an_entry_is_canonical_json_and_its_hash_is_of_all_else(value: object) -> None:
    entry = AuditEntry(3, 1_790_000_000_000, "ann", "::1", "replay", "x", {"z": value, "a": 1}, "ab" * 32).sealed()
    document = json.loads(entry.encode())
    hash_ = document.pop("hash")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hash_ == hashlib.sha256(canonical.encode()).hexdigest()
    assert decode(entry.encode()) == entry


def test_a_log_that_nobody_touched_is_whole() -> None:
    for number in (0, 1, 6):
        verdict = verified(number=number)
        assert (verdict.entries, verdict.problems) == (number, ())
        assert (verdict.hash == NONE) is (number == 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.update({3: s[3].replace(b"dl-3", b"dl-9")}), [(3, "audit_changed")]),
        (lambda s: s.update({3: b" " + s[3]}), [(3, "audit_changed")]),
        (lambda s: s.update({3: b"{}"}), [(3, "audit_changed")]),
        (lambda s: s.update({3: b"\xff"}), [(3, "audit_changed")]),
        (lambda s: forged(s, 3), [(4, "audit_broken")]),
        (lambda s: s.pop(1), [(1, "audit_removed")]),
        (lambda s: (s.pop(3), s.pop(4)), [(3, "audit_removed")]),
        (lambda s: s.pop(6), [(6, "audit_removed")]),
        (lambda s: s.clear(), [(1, "audit_removed")]),
        (lambda s: s.update({3: s[4], 4: s[3]}), [(3, "audit_moved"), (4, "audit_moved")]),
        (lambda s: s.update({5: s[2]}), [(5, "audit_moved")]),
        (
            lambda s: moved_up(s, 4),
            [(5, "audit_moved"), (6, "audit_moved")],
        ),
    ],
    ids=["word", "blank", "emptied", "bytes", "forged", "first", "two", "last", "all", "swapped", "copied", "put_in"],
)  # fmt: skip
def test_what_was_changed_is_found_where_it_is(
    change: Callable[[Stored], object], expected: list[tuple[int, str]]
) -> None:
    assert found(change) == expected


def test_a_log_that_was_written_anew_is_found_by_a_hash_that_was_kept() -> None:
    async def scenario() -> None:
        store, before = await filled(), MemoryAudit()
        kept = await Audit(before).note("eve", "10.0.0.9", "replay", "dl-1", {})
        assert [problem.code for problem in (await Audit(store).verify(kept.hash)).problems] == ["audit_rewritten"]
        for seen in (decode(store.stored[2]).hash, decode(store.stored[6]).hash):
            assert (await Audit(store).verify(seen)).problems == ()

    asyncio.run(scenario())


def test_entries_after_a_change_are_chained_again_and_the_change_stays_found() -> None:
    async def scenario() -> None:
        store = await filled(3)
        store.stored[3] = b"{}"
        await Audit(store).note("ann", "", "pause", "stock", {})
        await Audit(store).note("ann", "", "resume", "stock", {})
        assert [(p.line, p.code) for p in (await Audit(store).verify()).problems] == [(3, "audit_changed")]

    asyncio.run(scenario())


def test_the_newest_come_first_a_page_at_a_time_of_one_person_or_act(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)

    async def scenario() -> None:
        log = Audit(await filled())
        assert [one.number for one in (await log.newest(4))[0]] == [6, 5, 4, 3]
        assert [one.number for one in (await log.newest(4, before=3))[0]] == [2, 1]
        assert [one.number for one in (await log.newest(2, who="ann"))[0]] == [5, 3]
        assert [one.number for one in (await log.newest(9, act="replay", who="bob"))[0]] == [2]
        assert await Audit(MemoryAudit()).newest(9) == ([], 0)

    asyncio.run(scenario())


def test_who_asks_for_what_is_rare_is_told_how_far_was_looked_and_goes_on_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    monkeypatch.setattr(audit, "MOST_PAGES", 3)

    class Counting(MemoryAudit):
        read = 0

        async def page(self, after: int, limit: int) -> list[tuple[int, bytes]]:
            self.read += 1
            return await super().page(after, limit)

    async def scenario() -> None:
        store = Counting()
        log = Audit(store)
        for number in range(20):
            await log.note("eve" if number == 1 else "ann", "", "pause", "stock", {})
        assert await log.newest(9, who="eve") == ([], 15)
        assert store.read == 3
        assert await log.newest(9, before=15, who="eve") == ([], 9)
        found, older = await log.newest(9, before=9, who="eve")
        assert ([one.number for one in found], older) == ([], 3)
        found, older = await log.newest(9, before=3, who="eve")
        assert ([one.number for one in found], older) == ([2], 0)
        assert [(await log.newest(limit))[1] for limit in (1, 3)] == [20, 18]

    asyncio.run(scenario())


def test_what_cannot_be_noted_is_said() -> None:
    class Away(MemoryAudit):
        async def append(self, stored: bytes, after: int) -> bool:
            raise Unavailable("nats: away")

    with pytest.raises(Unavailable):
        asyncio.run(Audit(Away()).note("ann", "", "pause", "stock", {}))


def test_what_is_no_entry_is_not_read() -> None:
    with pytest.raises(Refused, match="audit_changed"):
        decode(b"[]")
