"""Texts for people in which personal values are covered, in whatever form they stand there; used by `personal`."""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from urllib.parse import unquote

MASK = "***"
MOST = 2000  # personal values of one event that are looked for; a text about an event with more is covered whole
MOST_ENCODED = 1 << 16  # letters of all values of an event that may be encoded ones; of more, it is covered whole
MOST_LOOKS = 2000  # places of one text that are compared with a value; one with more is covered whole

_ALIKE = 8  # letters by which the beginning of a personal value is known where the text has no more of it
_LONGEST_HEAD = 12 * _ALIKE  # letters that one may need, as each may be two units in JSON
_CUT = re.compile(r"(?:\\\w{0,9}|%\w?|&#?\w{0,8})?(?:\.\.\.|…|[\"'’”]|\Z)")  # behind what was cut, maybe in an escape
_STATUS = re.compile(r"\bHTTP \d{3}\b")  # what problems are grouped by
_NUMBER = re.compile(r"(?<![\w.])-?(?:0|[1-9]\d{0,39})(?:\.\d{1,40})?(?:[eE][ +-]?\d{1,3})?(?![\w]|\.\d)")
_ENCODED = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a letter of two units, RFC 8259, section 7
    r"|\\(?:u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|x[0-9a-fA-F]{2}|[\"'\\/bfnrt])"
    r"|%[0-7][0-9a-fA-F]|%[cdCD][0-9a-fA-F]%[89abAB][0-9a-fA-F]"
    r"|%[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){2}|%[fF][0-7](?:%[89abAB][0-9a-fA-F]){3}"
    r"|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});"
)
_SHORT_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Covering:
    """Covers personal values in any number of texts.

    A value is known in every case, as it is, in JSON, as Python shows it, in a URL or form, and in HTML; a number
    however it is written. Within a longer word it is another value. Where there are more than `MOST` values, or a
    text is made to be compared for long, nothing of the text is told but the status that a target answered with.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._numbers = set[Decimal]()
        self._by_head = defaultdict[str, list[str]](list)
        self._whole = False
        self._forms = dict[str, set[str]]()
        seen, encoded = set[str](), 0
        for value in values:
            if value in seen:
                continue
            encoded += len(value) if _may_be_encoded(value) else 0
            if len(seen) == MOST or encoded > MOST_ENCODED:
                self._whole = True
                break
            seen.add(value)
            self._add(value)

    def _add(self, value: str) -> None:
        if _NUMBER.fullmatch(value):
            self._numbers.add(Decimal(value))
            if "." in value:  # of which a version or an address is not made
                return
        for head in {form[:_ALIKE] for form in _forms(value[:_LONGEST_HEAD])}:
            if head.strip():
                self._by_head[head].append(value)

    def text(self, text: str) -> str:
        """Return a text for people, such as a problem or an answer."""
        if not text or not (self._by_head or self._numbers or self._whole):
            return text
        try:
            spans = [(0, len(text))] if self._whole else [*self._spans(text)]
        except _TooMuchError:
            spans = [(0, len(text))]
        return _masked(text, spans)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        folded, places = _folded(text)
        looks = 0
        for head in [head for head in self._by_head if head in folded]:
            forms = self._forms_at(head)
            at = folded.find(head)
            while at >= 0:
                looks += len(forms)
                if looks > MOST_LOOKS:
                    raise _TooMuchError
                end = max((_end(folded, at, form) for form in forms), default=0)
                if end:
                    yield places[at], _behind(places, end)
                at = folded.find(head, at + 1)
        for found in _NUMBER.finditer(folded) if self._numbers else ():
            number = Decimal(found[0].replace(" ", "+"))
            if number in self._numbers or abs(number) in self._numbers:
                yield places[found.start()], _behind(places, found.end())

    def _forms_at(self, head: str) -> set[str]:
        if head not in self._forms:
            values = self._by_head[head]
            self._forms[head] = {form for value in values for form in _forms(value) if form.startswith(head)}
        return self._forms[head]


class _TooMuchError(Exception):
    """A text has more places that may be personal than are looked at."""


def _forms(value: str) -> set[str]:
    """Return a value without case as it is, and decoded, as that is done with a text that may be no encoded one."""
    known = {value, _ENCODED.sub(lambda found: _decoded(found[0]), value)} if _may_be_encoded(value) else {value}
    return {form.casefold().replace("+", " ") for form in known}


def _may_be_encoded(text: str) -> bool:
    return "\\" in text or "%" in text or "&" in text


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """Return a text decoded and without case, and for each of its letters, and its end, where it stands in the text.

    A plus sign and a blank are one letter, as they are in forms.
    """
    found = [*_ENCODED.finditer(text)] if _may_be_encoded(text) else []
    if not found and text.isascii():
        return text.lower().replace("+", " "), range(len(text) + 1)
    letters, places, at = list[str](), list[int](), 0
    for one in found:
        _fold(text[at : one.start()], at, letters, places)
        made = _decoded(one[0]).casefold()
        letters.append(made)
        places += [one.start()] * len(made)
        at = one.end()
    _fold(text[at:], at, letters, places)
    return "".join(letters).replace("+", " "), [*places, len(text)]


def _fold(part: str, at: int, letters: list[str], places: list[int]) -> None:
    folded = part.casefold()
    letters.append(folded)
    if len(folded) == len(part):
        places += range(at, at + len(part))
    else:
        places += [place for place, letter in enumerate(part, at) for _ in letter.casefold()]


def _decoded(one: str) -> str:
    if one[0] == "%":
        return unquote(one)
    if one[0] == "&":
        return html.unescape(one)
    if one[1] not in "uUx":
        return _SHORT_ESCAPES.get(one[1], one[1])
    units = [int(unit, 16) for unit in re.split(r"\\[uUx]", one)[1:]]
    if len(units) > 1:
        return chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
    return chr(units[0]) if units[0] <= 0x10FFFF else one


def _end(folded: str, at: int, value: str) -> int:
    """Return where a value ends that stands at a place of a text, or the beginning of one that was cut; 0 if none."""
    if not _edge(folded[at - 1 : at], value[0]):
        return 0
    if folded.startswith(value, at):
        end = at + len(value)
        return end if _edge(folded[end : end + 1], value[-1]) else 0
    if len(value) <= _ALIKE:
        return 0
    least, most = 0, min(len(value), len(folded) - at)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if folded.startswith(value[:middle], at) else (least, middle - 1)
    return at + least if least >= _ALIKE and _CUT.match(folded, at + least) else 0


def _edge(beside: str, letter: str) -> bool:
    """Tell whether a word ends between two letters; scripts without case, as Chinese, write words without blanks."""
    return not (beside and _of_word(beside) and _of_word(letter))


def _of_word(letter: str) -> bool:
    return letter.isdigit() or letter.lower() != letter.upper()


def _behind(places: Sequence[int], end: int) -> int:
    """Return where what stands before a place of the folded text ends in the text."""
    while end < len(places) - 1 and places[end] == places[end - 1]:
        end += 1  # a letter that became two is covered with its half
    return places[end]


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with a mask for each of the spans, which may overlap, but with the status of an answer."""
    found = _STATUS.search(text)
    first, last = found.span() if found else (0, 0)
    hidden = [part for start, end in spans for part in ((start, min(end, first)), (max(start, last), end))]
    made, at = list[str](), 0
    for start, end in sorted(part for part in hidden if part[0] < part[1]):
        if start > at or not made:
            made += [text[at:start], MASK]
        at = max(at, end)
    return "".join([*made, text[at:]])
