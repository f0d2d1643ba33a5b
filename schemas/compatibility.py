"""Tells whether two versions of a schema read each other's documents; each refusal with a document that proves it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, Literal

import jsonschema_rs
from jsonschema_rs import CanonicalSchema, canonical

from crossdock.kernel.problems import Refused, refuse
from schemas.contentmodel import ContentModel, as_reader, as_writer
from schemas.dialects import NEWEST, draft_of, modern_bounds, upgraded
from schemas.differences import differences
from schemas.edits import Edit, applied, edits
from schemas.pool import Pool, pool_of
from schemas.repetition import repeated
from schemas.residue import covers, is_nothing
from schemas.samples import samples
from schemas.simulation import simulates
from schemas.unrolled import is_recursive, unrolled
from schemas.unshown import UNSHOWN, why

Direction = Literal["backward", "forward"]
SECONDS = 1.2  # after which no further change is looked into
MOST_TRIED = 400
_WRITER = {"backward": "old", "forward": "new"}
_READER = {"backward": "new", "forward": "old"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `witness` is a document that proves the break when `proven`, else it says nothing."""

    pointer: str
    change: str
    breaks: tuple[Direction, ...] = ()
    why: str = "every document stays valid"
    witness: Any = None
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """Backward: the new version reads what was written for the old one. Forward: the old one reads what is new."""

    backward: bool
    forward: bool
    changes: tuple[Change, ...] = ()

    def breaking(self, direction: Direction) -> list[Change]:
        """Return the changes that break a direction, proven ones first."""
        return sorted((one for one in self.changes if direction in one.breaks), key=lambda one: not one.proven)


@dataclass(slots=True)
class Side:
    """One version as its writers and its readers take it."""

    schema: Any
    draft: int
    model: ContentModel
    writer: CanonicalSchema = field(init=False)
    reader: CanonicalSchema = field(init=False)

    def __post_init__(self) -> None:
        self.writer = self._canonical(as_writer(self.schema, self.model))
        self.reader = self.writer if self.model is ContentModel.strict else self._canonical(
            as_reader(self.schema, self.model)
        )  # fmt: skip

    def _canonical(self, schema: Any) -> CanonicalSchema:
        whole = unrolled(schema, siblings=self.draft > 7) if is_recursive(schema) else schema
        return jsonschema_rs.canonicalize(whole, draft=self.draft, validate_formats=True, offline=True)

    def covers(self, writer: "Side") -> bool:
        """Tell whether it is proven that readers of this version take all that a writer of another one sends."""
        if is_recursive(self.schema) or is_recursive(writer.schema):
            schemas = as_reader(self.schema, self.model), as_writer(writer.schema, writer.model)
            return simulates(*schemas, self.draft)
        return covers(self.reader, writer.writer)

    def validator(self, schema: Any) -> Any:
        """Return the validator of a form of this version, with the content keywords that its dialect asserts."""
        kind = {7: jsonschema_rs.Draft7Validator, 19: jsonschema_rs.Draft201909Validator}
        made = kind.get(self.draft, jsonschema_rs.Draft202012Validator)
        return made(schema, validate_formats=True, offline=True, mask="value")

    def writes(self) -> list[Any]:
        """Return the validators of what a writer sends: as written, and in the content model."""
        return [self.validator(self.schema), self.validator(as_writer(self.schema, self.model))]

    def reads(self) -> list[Any]:
        """Return the validators of what a reader takes: as written, and in the content model."""
        return [self.validator(self.schema), self.validator(as_reader(self.schema, self.model))]


def compare(old: Any, new: Any, model: ContentModel = ContentModel.strict) -> Comparison:
    """Compare two versions; a direction that cannot be proven counts as broken, and says so.

    Raises:
        Refused: `bad_schema`, `unknown_dialect`, `too_complex`.
    """
    drafts = draft_of(old), draft_of(new)
    old, new = modern_bounds(old), modern_bounds(new)
    if model is ContentModel.lenient or drafts[0] != drafts[1]:
        old, new = (upgraded(one) if draft < NEWEST else one for one, draft in zip((old, new), drafts, strict=True))
        drafts = (NEWEST, NEWEST)
    try:
        return _Work(Side(old, drafts[0], model), Side(new, drafts[1], model)).result()
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise refuse("bad_schema", str(error).split("\n", 1)[0][:200], "both must be valid JSON Schemas") from None


class _Work:
    """One comparison under way."""

    def __init__(self, old: Side, new: Side) -> None:
        self.old = old
        self.new = new
        self.edits = edits(old.schema, new.schema)
        self.pool = pool_of(old.schema, new.schema)
        self.until = time.monotonic() + SECONDS

    def result(self) -> Comparison:
        told = [edit for edit in self.edits if not edit.says_nothing]
        if not told:
            silent = [Change(edit.pointer, str(edit), why="it is for people only") for edit in self.edits]
            return Comparison(True, True, tuple(silent))
        backward, forward = self._direction("backward", told), self._direction("forward", told)
        broken = {change.pointer for change in (*backward, *forward)}
        kept = [edit for edit in self.edits if edit.pointer not in broken]
        quiet = [_quiet(edit) for edit in kept]
        changes = sorted((*backward, *forward, *quiet), key=lambda change: change.pointer)
        return Comparison(not backward, not forward, tuple(changes))

    def _direction(self, direction: Direction, told: list[Edit]) -> list[Change]:
        """Return what breaks a direction; nothing when it holds."""
        writer, reader = (self.old, self.new) if direction == "backward" else (self.new, self.old)
        nothing = is_nothing(reader.reader)
        if reader.covers(writer):
            nobody = f"no document at all fits the {_READER[direction]} version"
            return [Change("", "the schema", (direction,), nobody, proven=False)] if nothing else []
        search = _Search(direction, writer, reader, self.until)
        found = [self._isolated(search, edit) for edit in told if time.monotonic() < self.until]
        proven = [change for change in found if change is not None and change.proven]
        if proven:
            return proven
        tried = _beyond(writer.writer, reader.reader, self.pool)
        together = search.witness(_deeper(tried) if is_recursive(writer.schema) else tried)
        if together is not None:
            return [_proven(direction, "", "the changes together", together)]
        return [change for change in found if change is not None] or [
            Change("", "the changes together", (direction,), UNSHOWN, proven=False)
        ]

    def _isolated(self, search: "_Search", edit: Edit) -> Change | None:
        """Judge one edit by itself: made to the old version, or taken back from the new one."""
        value = edit.new if search.direction == "backward" else edit.old
        try:
            changed = Side(applied(search.writer.schema, edit.path, value), search.writer.draft, search.writer.model)
            if changed.covers(search.writer):
                return None
            alone = changed.reads()[1]
            others = self._without(search, edit)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, Refused):
            return None
        tried = _beyond(search.writer.writer, changed.reader, self.pool)
        found = search.witness((value for value in tried if not alone.is_valid(value)), alone, others)
        if found is not None:
            return _proven(search.direction, edit.pointer, str(edit), found)
        return Change(edit.pointer, str(edit), (search.direction,), why(edit), proven=False)

    @staticmethod
    def _without(search: "_Search", edit: Edit) -> Any:
        """Return the validator of a reader for whom all changed but this edit."""
        reader, value = search.reader, edit.old if search.direction == "backward" else edit.new
        return reader.validator(as_reader(applied(reader.schema, edit.path, value), reader.model))


class _Search:
    """Looks for documents that the writer of one direction sends and its reader refuses."""

    def __init__(self, direction: Direction, writer: Side, reader: Side, until: float) -> None:
        self.direction = direction
        self.until = until
        self.writer = writer
        self.reader = reader
        self._writes = writer.writes()
        self._reads = reader.reads()

    def witness(self, values: Iterator[Any], alone: Any = None, others: Any = None) -> "tuple[Any, str] | None":
        """Return a document and what is wrong with it: for the reader, or for one for whom an edit `alone` is made.

        A document is best that could be read if only the `others` had been made.
        """
        best: list[Any] = []
        for value in islice(values, MOST_TRIED):
            if time.monotonic() > self.until:
                break
            taken = all(validator.is_valid(value) for validator in self._writes)
            if not taken or any(validator.is_valid(value) for validator in self._reads):
                continue
            if others is None or others.is_valid(value):
                best = [value]
                break
            best = best or [value]
        return (best[0], _said(alone or self._reads[1], best[0])) if best else None


def _said(reader: Any, value: Any) -> str:
    first = differences(reader, value)[0]
    return f"{first.pointer or 'the document'} {first.message}"


def _beyond(writer: CanonicalSchema, reader: CanonicalSchema, pool: Pool) -> Iterator[Any]:
    """Return documents of the writer, those first that lie outside of what the reader takes."""
    try:
        outside = samples(writer.subtract(reader), pool)
    except canonical.CanonicalizationError:
        outside = iter(())
    return chain(outside, samples(writer, pool))


def _deeper(values: Iterator[Any]) -> Iterator[Any]:
    """Return the documents themselves too, and what they repeat inside of themselves repeated further."""
    shallow = list(islice(values, MOST_TRIED // 2))
    return chain(shallow, (deep for value in shallow for deep in repeated(value)))


def _proven(direction: Direction, pointer: str, change: str, found: tuple[Any, str]) -> Change:
    told = f"the {_WRITER[direction]} version may send what the {_READER[direction]} one refuses: {found[1]}"
    return Change(pointer, change, (direction,), told, found[0])


def _quiet(edit: Edit) -> Change:
    made = Change(edit.pointer, str(edit))
    return replace(made, why="it is for people only") if edit.says_nothing else made
