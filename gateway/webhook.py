"""Events made of what a webhook brings: the envelope by the source's expressions, the data as it came."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crossdock.kernel import attribute_rules, jsontext
from crossdock.kernel.event import Event, header_value, holds_long_numbers, is_json
from crossdock.kernel.expression import view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.source import SourceSpec

_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
_ARRAY = b"["
_SPACE = b" \t\r\n"


class Call(NamedTuple):
    """What a sender sent: header names in lower case, the last value of each query parameter, the body inflated."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


def cut(source: SourceSpec, call: Call) -> list[bytes]:
    """Return the body of each event: what `each` gives, the items of an array, or the body as it is.

    Raises:
        Refused: `unsupported_media_type`, `invalid_json`, `batch_too_large`, or what the expression refuses.
    """
    media = call.headers.get("content-type", "")
    if not is_json(media):
        raise refuse("unsupported_media_type", f"content type {media[:80] or 'none'}", "send application/json")
    each = source.event.get("each")
    if each is not None:
        found = each.evaluate(view(_seen(call, call.body)))
        items = found if isinstance(found, list) else [] if found is None else [found]
        if len(items) > source.limits.batch:
            raise jsontext.too_many(source.limits.batch)
        return [jsontext.dumps(item) for item in items]
    if call.body.lstrip(_SPACE).startswith(_ARRAY):
        return jsontext.split_array(call.body, source.limits.batch)
    return [call.body]


def carries_many(source: SourceSpec, body: bytes) -> bool:
    """Tell whether a body is a list of events, which is answered item by item."""
    return "each" in source.event or body.lstrip(_SPACE).startswith(_ARRAY)


def make_event(source: SourceSpec, call: Call, item: bytes) -> Event:
    """Return the event of one item.

    Raises:
        Refused: with everything that is wrong with its envelope or its JSON.
    """
    seen = _seen(call, item)
    sight = view(seen)
    attributes: dict[str, Any] = {
        "source": f"/{source.partner}/{source.name}",
        "datacontenttype": call.headers["content-type"],
    }
    problems: list[Problem] = []
    for name, expression in source.event.items():
        if name == "each":
            continue
        try:
            attributes |= _attribute(name, expression.evaluate(sight))
        except Refused as error:
            problems += [_at(name, problem) for problem in error.problems]
    if not problems:
        problems += attribute_rules.problems(attributes)
    if problems:
        raise Refused(problems)
    core = {name: attributes.pop(name) for name in attribute_rules.CORE if name in attributes}
    return Event(**core, data=seen.data["body"], extensions=attributes, exact=seen.exact)


def _seen(call: Call, body: bytes) -> Event:
    """Return what the expressions see, in the shape in which big integers stay exact."""
    headers = {name: value for name, value in call.headers.items() if name not in _SECRET}
    data = {"headers": headers, "query": dict(call.query), "body": jsontext.loads(body)}
    problems: list[Problem] = []
    exact = holds_long_numbers(body, problems)
    if problems:
        raise Refused(problems)
    return Event("", "", "", data, exact=exact)


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if value is None and name not in attribute_rules.REQUIRED:
        return {}
    if isinstance(value, bool) and name not in attribute_rules.CORE:
        return {name: header_value(value)}  # RAW holds it as a header: what is seen now is what is seen later
    text = as_key(value)
    if text is None:
        what = "nothing" if value is None else str(value)[:80]
        raise refuse("invalid_envelope", f"{name} is {what}, not {EXPECTED}", "see `event` of the source")
    return {name: text}


def _at(name: str, problem: Problem) -> Problem:
    return Problem(problem.code, problem.message, problem.hint, pointer=f"/{name}", rule=problem.rule)
