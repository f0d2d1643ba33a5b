"""Tries our functions with what is written in an expression: what fails for every event is told before one comes."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, product
from typing import Any, Final

from crossdock.kernel.expression import Function
from crossdock.kernel.jsonata_tree import Node
from crossdock.lint.compare import Finding
from crossdock.lint.shapes import Type, kinds_of, made, plain
from transforms.failures import BadArgumentError, Failure, MissingRowError, TimeTextError
from transforms.functions import functions
from transforms.lookups import DEFAULT, FAIL, Lookup, Lookups, Table

MOST = 32  # values that one argument may have, and calls that are tried of one place
_HINT = "docs/content.md says what each function takes"
_HINTS: Mapping[type[Failure], str] = {MissingRowError: "add the row, or say what holds without one: unresolved"}
_ANY: Final = object()  # an argument that only an event says
# What stands for such an argument: the function takes it whatever the others are.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "decadd": ("0", "0"), "decsub": ("0", "0"), "decmul": ("0", "0"), "deccmp": ("0", "0"),
    "decdiv": ("0", "1", 0, "down"), "decround": ("0", 0, "down"), "uuid5": ("dns", ""),
    "local_time": ("2026-01-15T12:00:00Z", "UTC"), "business_day": ("2026-01-15T12:00:00Z", "UTC", "00:00"),
    "instant": ("2026-01-15T12:00:00", "UTC", "later"), "units": ("0", _ANY, _ANY, _ANY, 0), "parse_date": ("", _ANY),
}  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """What the functions of one piece of content look into: its lookups and its code lists."""

    lookups: Lookups = field(default_factory=lambda: Lookups({}))
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """Our functions, without the `$`."""
        return functions(self.lookups, self.codes)

    def row(self, name: str) -> Type | None:
        """Return what a row of a lookup is, where that is known before events come."""
        lookup = self.lookups.by_name.get(name)
        columns = columns_of(lookup.table) if lookup else ()
        if lookup is None or not columns:
            return None
        if lookup.unresolved != DEFAULT:
            return made({column: plain("text") for column in columns})
        default = lookup.default
        kinds = {name: kinds_of([default[name]] if name in default else ()) for name in columns}
        (shape,) = made({name: plain("text", *kinds[name]) for name in columns}).shapes
        return Type((replace(shape, lacking=frozenset(columns) - default.keys()),))

    def code(self, name: str) -> Type | None:
        """Return what a code list gives, where all of it are texts."""
        given = self.codes.get(name, {}).values()
        texts = [value for value in given if isinstance(value, str)]
        return plain("text", texts=texts) if texts and len(texts) == len(given) else None


def columns_of(table: Table) -> tuple[str, ...]:
    """Return the columns of a table of CSV; none of an empty one, and of one that is filled while events come."""
    first: Any = next(iter(table.rows.values()), None) if table.origin is None else None
    return tuple(first[0].row if table.dated and first else first or ())


def misused(tables: Tables, call: Node, given: Sequence[Type | None]) -> Iterator[Finding]:
    """Say of a call of one of our functions when it fails whatever comes in; `given` is what its arguments may be."""
    called, *nodes = call.parts
    name, function = called.value, tables.functions[called.value]
    if any(node.kind == "open" for node in nodes):  # which makes a function of it, to be called elsewhere
        return
    try:
        inspect.signature(function).bind(*nodes)
    except TypeError:
        takes = [one.name.rstrip("_") + "?" * (one.default is not one.empty) for one in _parameters(function)]
        message = f"${name} takes {', '.join(takes)}; here it gets {len(nodes) or 'nothing'}"
        yield Finding(call.at, "bad_arguments", message, "the arguments with ? can be left out")
        return
    known = [_values(node, type_) for node, type_ in zip(nodes, given, strict=True)]
    for at, calls in _trials(tables, name, known, [node.at for node in nodes], call.at):
        reasons = [_failure(function, arguments) for arguments in islice(calls, MOST)]
        if reasons and all(reasons) and (first := reasons[0]):
            yield Finding(at, first.code, str(first), first.hint or _HINTS.get(type(first), _HINT))
            return


def _parameters(function: Function) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _trials(
    tables: Tables, name: str, known: list[list[Any]], places: list[int], whole: int
) -> Iterator[tuple[int, Iterator[tuple[Any, ...]]]]:
    """Yield what to call the function with, each argument that is known alone and then all together, and the place."""
    sure = [index for index, values in enumerate(known) if values != [_ANY]]
    if name in ("lookup", "code"):
        yield from _of_tables(tables, name, known, places)
        return
    neutral = _NEUTRAL.get(name, (_ANY,) * len(known))
    for only in sure if len(known) > 1 else ():
        given = [values if index == only else [neutral[index]] for index, values in enumerate(known)]
        yield places[only], _calls(name, given)
    together = [[neutral[index]] if values == [_ANY] else values for index, values in enumerate(known)]
    yield places[0] if len(known) == 1 else whole, _calls(name, together)


def _calls(name: str, given: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    for arguments in product(*given):
        tried = _units(*arguments) if name == "units" else arguments
        if _ANY not in tried:
            yield tried


def _units(quantity: Any, start: Any, goal: Any, *more: Any) -> tuple[Any, ...]:
    """Return what to call `$units` with: of one unit that is known to itself, which needs no item."""
    start, goal = goal if start is _ANY else start, start if goal is _ANY else goal
    item = () if not more else (None,) if more[0] is _ANY and start == goal else more[:1]
    return quantity, start, goal, *item, *more[1:]


def _of_tables(
    tables: Tables, name: str, known: list[list[Any]], places: list[int]
) -> Iterator[tuple[int, Iterator[tuple[Any, ...]]]]:
    """Yield the look-ups of keys that are written in the expression, in what is known of tables."""
    if name == "code" or (_settled(tables.lookups.by_name.get(str(known[0][0]))) and len(known) == 2):
        given = product(*known)
        yield places[1], (arguments for arguments in given if _ANY not in arguments)


def _settled(lookup: Lookup | None) -> bool:
    """Tell whether it is known before events come what a look-up finds, and that nothing else will do."""
    if lookup is None or lookup.unresolved != FAIL:
        return False
    return lookup.table.origin is None and not lookup.table.dated


def _failure(function: Function, arguments: tuple[Any, ...]) -> Failure | None:
    try:
        function(*arguments)
    except Failure as error:
        return None if arguments[0] == "" and isinstance(error, TimeTextError) else error  # which stands for any time
    except TypeError as error:
        return BadArgumentError(str(error))
    return None


def _values(node: Node, type_: Type | None) -> list[Any]:
    """Return what an argument may be: what is written, or the texts that a schema or a condition lists."""
    try:
        return [_written(node)]
    except ValueError:
        pass
    shapes = type_.shapes if type_ else ()
    if type_ is None or type_.many or not shapes or any(one.texts is None or one.kinds != {"text"} for one in shapes):
        return [_ANY]
    texts: list[Any] = sorted({text for shape in shapes for text in shape.texts or ()})
    return [*texts, *([None] if type_.absent else [])] if len(texts) < MOST else [_ANY]


def _written(node: Node) -> Any:
    """Return the value of a literal; raises ValueError for anything else."""
    if node.kind == "text":
        return node.value
    if node.kind == "number":
        return float(node.value) if set(node.value) & set(".eE") else int(node.value)
    if node.kind == "minus" and node.parts[0].kind == "number":
        return -_written(node.parts[0])
    if node.kind == "literal":
        return {"true": True, "false": False, "null": None}[node.value]
    if node.kind == "array":
        return [_written(part) for part in node.parts]
    if node.kind == "object":
        parts = [_written(part) for part in node.parts]
        return dict(zip(parts[::2], parts[1::2], strict=True))
    raise ValueError(node.kind)
