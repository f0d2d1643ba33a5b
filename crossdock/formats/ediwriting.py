"""Writes interchanges of X12 and EDIFACT; counts and control numbers of the trailers are made."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from crossdock.formats.editext import Segment, Syntax, character_set
from crossdock.formats.lines import encoded
from crossdock.kernel.problems import refuse

_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)  # of the elements of ISA, in characters
_ENVELOPES = {"x12": ("ISA", "GS", "ST", "SE", "GE", "IEA"), "edifact": ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")}
_NUMBERS = {"ISA": 12, "GS": 5, "ST": 1, "UNB": 4, "UNG": 4, "UNH": 0}  # which element is the control number


def write_interchanges(items: Sequence[Any], syntaxes: Mapping[str, Syntax], decimal: str) -> Iterator[bytes]:
    """Yield an interchange for each run of messages that have the same envelope.

    Raises:
        Refused: `bad_item`.
    """
    for item in items:
        _check(item)
    for (standard, interchange), inside in groupby(items, lambda item: (item["standard"], item["interchange"])):
        syntax = syntaxes[standard]
        segments = _interchange(_ENVELOPES[standard], interchange, list(inside), syntax)
        text = "".join(_written(segment, syntax) + syntax.segment for segment in segments)
        if standard == "x12":
            yield encoded(text, "utf-8")
        else:
            una = "".join([syntax.component, syntax.element, decimal, syntax.release or " ", syntax.repetition or " "])
            yield encoded(f"UNA{una}{syntax.segment}{text}", character_set(interchange))


def _check(item: Any) -> None:
    known = isinstance(item, Mapping) and item.get("standard") in _ENVELOPES
    lists = ("interchange", "message", "segments")
    if not known or not all(isinstance(item.get(key), list) for key in lists):
        message = "a message is {standard: x12 or edifact, interchange, group, message, segments}, these lists"
        raise refuse("bad_item", message)
    if not isinstance(item.get("group"), list) and (item["standard"] == "x12" or item.get("group")):
        raise refuse("bad_item", "the group of an X12 message is the list of the elements of its GS")


def _interchange(tags: Sequence[str], elements: list[Any], items: list[Any], syntax: Syntax) -> Iterator[Segment]:
    begin, begin_group, _, _, end_group, end = tags
    yield [begin, *(_isa(elements, syntax) if begin == "ISA" else elements)]
    groups, messages = 0, 0
    for group, inside in groupby(items, lambda item: item.get("group")):
        members = list(inside)
        groups, messages = groups + bool(group), messages + len(members)
        if group:
            yield [begin_group, *group]
        for item in members:
            yield from _message(tags, item)
        if group:
            yield [end_group, str(len(members)), _number(begin_group, group)]
    yield [end, str(groups or messages), _number(begin, elements)]


def _message(tags: Sequence[str], item: Mapping[str, Any]) -> Iterator[Segment]:
    begin, end = tags[2], tags[3]
    yield [begin, *item["message"]]
    yield from item["segments"]
    yield [end, str(len(item["segments"]) + 2), _number(begin, item["message"])]


def _number(tag: str, elements: Sequence[Any]) -> str:
    number = elements[_NUMBERS[tag]] if len(elements) > _NUMBERS[tag] else ""
    if not isinstance(number, str) or not number:
        raise refuse("bad_item", f"{tag} has no control number, its element {_NUMBERS[tag] + 1}")
    return number


def _isa(elements: Sequence[Any], syntax: Syntax) -> list[str]:
    if len(elements) != 16 or not all(isinstance(one, str) for one in elements):
        raise refuse("bad_item", "the interchange of X12 is the 16 elements of ISA, as texts")
    made = [text.ljust(width) for text, width in zip(elements, _WIDTHS, strict=True)]
    for number, (text, width) in enumerate(zip(made, _WIDTHS, strict=True), 1):
        if len(text) > width:
            raise refuse("bad_item", f"element {number} of ISA has more than {width} characters")
    if made[11] >= "00402" and syntax.repetition:
        made[10] = syntax.repetition
    return [*made[:15], syntax.component]


def _written(segment: Any, syntax: Syntax) -> str:
    if not isinstance(segment, list) or not segment or not isinstance(segment[0], str):
        raise refuse("bad_item", "a segment is a list that begins with its tag")
    tag, *elements = segment
    if tag == "ISA":
        return syntax.element.join(segment)
    return syntax.element.join([tag, *(_element(one, syntax, tag) for one in elements)])


def _element(value: Any, syntax: Syntax, tag: str) -> str:
    if not isinstance(value, list):
        return _escaped(value, syntax, tag)
    if value and all(isinstance(one, list) for one in value):
        if not syntax.repetition:
            raise refuse("bad_item", f"{tag} repeats an element, and there is no separator of repeats")
        return syntax.repetition.join(_components(one, syntax, tag) for one in value)
    return _components(value, syntax, tag)


def _components(values: list[Any], syntax: Syntax, tag: str) -> str:
    return syntax.component.join(_escaped(one, syntax, tag) for one in values)


def _escaped(value: Any, syntax: Syntax, tag: str) -> str:
    """Return the text with a release character before each that means something; X12 has none for that."""
    if not isinstance(value, str):
        raise refuse("bad_item", f"an element of {tag} is no text, such as {str(value)[:40]!r}", "write it as a text")
    if "\r" in value or "\n" in value:
        raise refuse("bad_item", f"an element of {tag} holds a line break, which EDI does not have")
    marks = [mark for mark in syntax if mark and mark in value]
    if not marks:
        return value
    if not syntax.release:
        raise refuse("bad_item", f"an element of {tag} holds {marks[0]!r}, a separator", "choose another separator")
    return "".join(syntax.release + one if one in marks else one for one in value)
