"""The words and signs of a JSONata expression with their places; read by `jsonata_tree`."""

import re
from typing import NamedTuple

_SKIP = re.compile(r"(?:\s+|/\*.*?\*/)*", re.S)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?")
_TEXT = re.compile(r""""((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'""", re.S)
_QUOTED = re.compile(r"`([^`]*)`")
_SIGN = re.compile(r"\.\.|:=|!=|>=|<=|\*\*|~>|\?:|\?\?|[.\[\]{}(),@#;:?+\-*/%|=<>^&!~]")
_WORD = re.compile(r"""[^\s.\[\]{}(),@#;:?+\-*/%|=<>^&!~"'`]+""")
_REGEX = re.compile(r"/((?:[^/\\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+)/[a-z]*", re.S)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.S)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

# How strongly an infix sign binds, as in the reference implementation (parser.js of JSONata 2).
BINDS = {
    ".": 75, "[": 80, "{": 70, "(": 80, "@": 80, "#": 80, "?": 20, "+": 50, "-": 50, "*": 60, "/": 60, "%": 60,
    "=": 40, "<": 40, ">": 40, "^": 40, "..": 20, ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "and": 30,
    "or": 25, "in": 40, "&": 50, "?:": 40, "??": 40,
}  # fmt: skip


class UnreadableError(ValueError):
    """A text that is no JSONata; `at` is where reading stopped."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Token(NamedTuple):
    """One word or sign: `kind` is end, sign, text, number, name, variable or regex; `at` is its offset."""

    kind: str
    value: str
    at: int
    end: int


def binding(token: Token) -> int:
    """Return how strongly a token binds what stands before it to what follows; 0 for none."""
    infix = token.kind == "sign" or token.value in ("and", "or", "in")
    return BINDS.get(token.value, 0) if infix and token.kind in ("sign", "name") else 0


def token(text: str, position: int, operand: bool) -> Token:
    """Return the token at a position; where an operand is due a slash begins a regular expression.

    Raises:
        UnreadableError: when none begins there.
    """
    found = _SKIP.match(text, position)
    at = found.end() if found else position
    if at >= len(text):
        return Token("end", "", at, at)
    if operand and (regex := _REGEX.match(text, at)):
        return Token("regex", regex[1], at, regex.end())
    if sign := _SIGN.match(text, at):
        return Token("sign", sign[0], at, sign.end())
    if number := _NUMBER.match(text, at):
        return Token("number", number[0], at, number.end())
    return _word(text, at)


def _word(text: str, at: int) -> Token:
    if string := _TEXT.match(text, at):
        inside = string[1] if string[1] is not None else string[2]
        return Token("text", _ESCAPE.sub(_unescaped, inside), at, string.end())
    if quoted := _QUOTED.match(text, at):
        return Token("name", quoted[1], at, quoted.end())
    word = _WORD.match(text, at)
    if word is None:
        raise UnreadableError("a text that begins here does not end", at)
    if word[0].startswith("$"):
        return Token("variable", word[0][1:], at, word.end())
    return Token("name", word[0], at, word.end())


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if code[0] == "u" and len(code) > 1 else _ESCAPED.get(code, code)
