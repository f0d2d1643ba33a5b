"""What is wrong with a request in a sentence, for people at a console or a terminal; called by `console.api`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_SAID = {"missing": "is missing", "extra_forbidden": "is not known here", "json_invalid": "is no JSON"}
_SHOULD = re.compile(r"^\w+ should ")  # how Pydantic's sentences begin
_BESIDE = re.compile(r"^Value error, |, unable to .*$")  # what Pydantic puts around a sentence
_MEMBER = "literal["  # how Pydantic names the choices of a union, in the place of a field
_EMPTY = re.compile(r"^''(, | or )")  # a choice that stands for none


def sentence(errors: Iterable[Mapping[str, Any]]) -> str:
    """Return what Pydantic found, field by field and without what was sent: a password may stand in a wrong place."""
    told = [one for one in errors if one.get("ctx", {}).get("expected") != "''"]  # the choice of none, in a union
    return "; ".join(dict.fromkeys(f"{_name(one)} {_said(one)}" for one in told))


def _name(one: Mapping[str, Any]) -> str:
    where = [str(part) for part in one["loc"][1:] if not str(part).startswith(_MEMBER)]
    return ".".join(where) if where and one["type"] != "json_invalid" else f"the {one['loc'][0]}"


def _said(one: Mapping[str, Any]) -> str:
    if one["type"] in ("literal_error", "enum"):
        return "must be " + _EMPTY.sub("", one["ctx"]["expected"]).replace("'", "")
    return _SAID.get(one["type"]) or _SHOULD.sub("must ", _BESIDE.sub("", one["msg"]))
