"""Reads what a connector file of the kind `http` says besides what every connector has."""

from collections.abc import Mapping

from connectors.addresses import Network
from connectors.answers import read_answers
from connectors.body import read_body
from connectors.formula import Formula, formula
from connectors.httpauth import auth_headers, read_hmac, read_keys, read_oauth2, secrets_of
from connectors.httpspec import Batch, Check, Csrf, Form, HttpOptions, Poll, Reply
from connectors.httptarget import read_joined, read_target, value_at
from connectors.oauth2 import basic
from connectors.target import Target, header_fault, parse_target
from connectors.tlsfiles import read_tls
from crossdock.formats.xmltext import is_name
from crossdock.kernel import units
from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem
from crossdock.kernel.yamlfile import Document, Path_

_RESERVED = ("ce-", "idempotency-key", "webhook-")


def read_http(
    document: Document, networks: tuple[Network, ...], problems: list[Problem]
) -> tuple[HttpOptions, tuple[str, ...]]:
    """Return the options of a document, and its secrets; see `connectors.spec.Kind`."""
    value = document.value
    base = read_target(document, ("url",), networks, problems) or parse_target(UNSET)  # all else is told too
    target = read_joined(document, base, ("path",), ("query",), problems)
    fixed, made = _headers(document, problems)
    oauth2, hmac = read_oauth2(document, networks, problems), read_hmac(document, problems)
    options = HttpOptions(
        target,
        fixed,
        read_keys(document, problems),
        method=value.get("method", "POST"),
        form=_form(document, made, problems),
        answers=read_answers(document, problems),
        tls=read_tls(document, problems),
        oauth2=oauth2,
        hmac=hmac,
        csrf=_csrf(document, base, problems),
        batch=_batch(document, problems),
        reply=_reply(document, problems),
        check=_check(document, base, problems),
        poll=_poll(document, base, problems),
    )
    return options, (*secrets_of(value), *([basic(oauth2)] if oauth2 and oauth2.client_secret else []))


def _made(document: Document, path: Path_, problems: list[Problem]) -> Formula | None:
    """Return the expression of a value that is written `{expression: ...}`."""
    given = value_at(document, path)
    return formula(document, (*path, "expression"), problems) if isinstance(given, Mapping) else None


def _all_made(document: Document, path: Path_, problems: list[Problem]) -> dict[str, Formula]:
    found = {name: _made(document, (*path, name), problems) for name in value_at(document, path) or {}}
    return {name: one for name, one in found.items() if one is not None}


def _form(document: Document, headers: Mapping[str, Formula], problems: list[Problem]) -> Form | None:
    """Return what differs from a plain post of the data, None for nothing."""
    value = document.value
    body = read_body(document, problems)
    if body.format == "xml" and not is_name(body.root):
        problems.append(document.problem(("body", "xml", "root"), "bad_value", "this is no name of an element"))
    path = _made(document, ("path",), problems)
    query = _all_made(document, ("query",), problems)
    form = Form(path, query, headers, body, value.get("cloudevents", True))
    return None if form == Form() and "batch" not in value else form


def _headers(document: Document, problems: list[Problem]) -> tuple[dict[str, str], dict[str, Formula]]:
    """Return the fixed headers, those of `auth` included, and those that are made, names in lower case."""
    given = document.value.get("headers", {})
    own = auth_headers(document.value.get("auth", {}))
    fixed = {name: text for name, text in {**given, **own}.items() if isinstance(text, str)}
    for name in {**given, **own}:
        path = ("headers", name) if name in given else ("auth",)
        if name.lower().startswith(_RESERVED):
            problems.append(
                document.problem(path, "bad_header", f"{name} is set by Crossdock on every delivery", "leave it out")
            )
        elif fault := header_fault({name: fixed.get(name, "")}):
            problems.append(document.problem(path, "bad_header", f"{name!r}: {fault}"))
    made = _all_made(document, ("headers",), problems)
    return {name.lower(): str(text) for name, text in fixed.items()}, {k.lower(): one for k, one in made.items()}


def _batch(document: Document, problems: list[Problem]) -> Batch | None:
    said = document.value.get("batch")
    if said is None:
        return None
    wrap, results = (
        formula(document, ("batch", key), problems) if key in said else None for key in ("wrap", "results")
    )
    return Batch(said.get("most", 100), units.seconds(said.get("within", "200ms")), wrap, results)


def _reply(document: Document, problems: list[Problem]) -> Reply | None:
    said = document.value.get("reply")
    made = formula(document, ("reply", "map"), problems) if said else None
    if made is None:
        return None
    if "batch" in document.value:
        problems.append(document.problem(("reply",), "contradiction", "a batch has no reply", "leave one of them out"))
    type_, _, major = said["type"].partition("@")
    return Reply(type_, int(major), made)


def _check(document: Document, base: Target, problems: list[Problem]) -> Check | None:
    said = document.value.get("check")
    if said is None:
        return None
    target = read_joined(document, base, ("check", "path"), ("check", "query"), problems)
    return Check(target, said.get("method", "GET"), tuple(said.get("expect", ())))


def _csrf(document: Document, base: Target, problems: list[Problem]) -> Csrf | None:
    said = document.value.get("csrf")
    if said is None:
        return None
    target = read_joined(document, base, ("csrf", "path"), ("csrf", "query"), problems)
    header = said.get("fetch_header", "X-CSRF-Token")
    if fault := header_fault({header: ""}):
        problems.append(document.problem(("csrf", "fetch_header"), "bad_header", fault))
    return Csrf(target, said.get("method", "GET"), header.lower())


def _poll(document: Document, base: Target, problems: list[Problem]) -> Poll | None:
    said = document.value.get("poll")
    if said is None:
        return None
    target = read_joined(document, base, ("poll", "path"), ("poll", "query"), problems)
    next_ = said.get("next", {})
    link = next_ == "link"
    fields = {} if link else next_
    names = ("items", "watermark")
    items, watermark = (formula(document, ("poll", key), problems) if key in said else None for key in names)
    cursor = formula(document, ("poll", "next", "cursor"), problems) if "cursor" in fields else None
    return Poll(
        target,
        items,
        _all_made(document, ("poll", "query"), problems),
        watermark,
        link=link,
        cursor=cursor,
        parameter=fields.get("query", fields.get("page", "")),
        first=fields.get("first", 1),
        pages=said.get("pages", 100),
    )
