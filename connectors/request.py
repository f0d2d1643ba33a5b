"""The request that delivers an event, or several as one; used to send and to show what would be sent."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from connectors.batch import Item
from connectors.body import AS_JSON
from connectors.formula import as_text, seen
from connectors.httpspec import Form, HttpOptions
from connectors.sign import signed
from connectors.spec import ConnectorSpec
from crossdock.kernel.event import encode_binary, encode_headers
from crossdock.kernel.expression import View
from crossdock.kernel.problems import refuse

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")  # RFC 3986, section 3.3; without it a value could add a query
_DOTS = re.compile(r"/(\.|%2[eE]){1,2}(/|\Z)")


class Request(NamedTuple):
    """A request but for its token; header names in lower case, the path with its query."""

    path: str
    headers: dict[str, str]
    body: bytes


def compose(spec: ConnectorSpec, items: Sequence[Item], clock: Callable[[], float]) -> Request:
    """Return the request that delivers these; more than one only where the connector makes batches.

    Raises:
        Refused: what an expression refuses, `bad_body`, `bad_path` or `bad_text`.
    """
    options: HttpOptions = spec.options
    event, key = items[0]
    if options.form is None:
        headers, body = encode_binary(event)
        path = options.target.path
    else:
        key = key if options.batch is None else batch_key(items)
        path, headers, body = _formed(options, options.form, items, key)
    headers["idempotency-key"] = headers["webhook-id"] = key
    headers.update(options.headers)
    if options.keys:
        headers.update(signed(options.keys, key, int(clock()), body))
    if options.hmac is not None:
        headers.update(options.hmac.headers(body))
    return Request(path, headers, body)


def batch_key(items: Sequence[Item]) -> str:
    """Return the key of a batch: the same for the same events in the same order."""
    return hashlib.blake2b("\0".join(key for _, key in items).encode(), digest_size=16).hexdigest()


def listed(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the events of a batch as its expressions see them.

    Raises:
        Refused: `bad_body`, for data that is not JSON.
    """
    if any(isinstance(event.data, bytes) for event, _ in items):
        raise refuse("bad_body", "only JSON goes into a batch")
    return [{"data": event.data, "key": key, "event": event.attributes()} for event, key in items]


def _formed(options: HttpOptions, form: Form, items: Sequence[Item], key: str) -> tuple[str, dict[str, str], bytes]:
    event = items[0][0]
    view, data = _seen(options, items, key)
    if isinstance(data, bytes) and form.body == AS_JSON:
        content_type, body = event.datacontenttype, data
    else:
        content_type, body = form.body.write(data, view)
    headers = encode_headers(event) if form.cloudevents and options.batch is None else {}
    headers["content-type"] = content_type
    for name, value in form.headers.items():
        headers[name] = as_text(value.value(view)) or ""
    return _path(options.target.path, form, view), {name: text for name, text in headers.items() if text}, body


def _seen(options: HttpOptions, items: Sequence[Item], key: str) -> tuple[View, Any]:
    """Return what the expressions see, and the data of the body."""
    event = items[0][0].extended(idempotencykey=key)
    if options.batch is None:
        return View(event), event.data
    view = seen({"items": listed(items)}, event)
    wrap = options.batch.wrap
    return view, wrap.value(view) if wrap is not None else [one.data for one, _ in items]


def _path(fixed: str, form: Form, view: View) -> str:
    base, _, query = fixed.partition("?")
    if form.path is not None:
        added = _safe(as_text(form.path.value(view)) or "")
        base = base.removesuffix("/") + added if added else base
    pairs = [
        f"{quote(name, safe='')}={quote(text, safe='')}"
        for name, value in form.query.items()
        for one in _each(value.value(view))
        if (text := as_text(one)) is not None
    ]
    whole = "&".join(filter(None, [query, *pairs]))
    return f"{base}?{whole}" if whole else base


def _safe(path: str) -> str:
    """Return a path that an expression made; what it took of the event may not lead elsewhere."""
    if path and (not _PATH.match(path) or _DOTS.search(path)):
        hint = "let it begin with / and put $encodeUrlComponent() around each part"
        raise refuse("bad_path", f"{path[:200]!r} is no path, or has `..` in it", hint)
    return path


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
