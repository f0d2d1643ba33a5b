"""Trace context as W3C Trace Context has it, in headers of requests and of stored messages, and spans of one's own.

Messages carry the context whether traces are exported or not; spans are made only where there is a `Tracer`.
"""

import hashlib
import random
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?")
_LONGEST = 256  # characters of a traceparent of a version to come
_MEMBER = re.compile(r"([a-z0-9][a-z0-9_*/@-]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
_MEMBERS, _STATE = 32, 512  # list members and characters of a tracestate (W3C Trace Context, section 3.3)

Kind = Literal["producer", "consumer", "client"]
NONE: Mapping[str, str] = MappingProxyType({})


class Context(NamedTuple):
    """A span as others refer to it; ids in lower-case hexadecimal, `state` is the tracestate, empty for none."""

    trace: str
    span: str
    sampled: bool
    state: str = ""

    def headers(self) -> dict[str, str]:
        """Return it as headers."""
        parent = {TRACEPARENT: f"00-{self.trace}-{self.span}-{self.sampled:02x}"}
        return parent | {TRACESTATE: self.state} if self.state else parent

    def child(self, *, sampled: bool) -> "Context":
        """Return a new span of the same trace."""
        return self._replace(span=secrets.token_hex(8), sampled=sampled)


class Span(NamedTuple):
    """What was done, from `start` to `end` in Unix nanoseconds; `parent` is a span id, empty for the root of a trace.

    `error` is a code of ours or an outcome and never text of others.
    """

    name: str
    kind: Kind
    context: Context
    parent: str
    start: int
    end: int
    attributes: Mapping[str, str | int]
    links: tuple[Context, ...] = ()
    error: str = ""


class Spans(Protocol):
    """Where spans go."""

    def take(self, span: Span) -> None:
        """Export a span some time later; never waits, and drops it when too many wait."""


@dataclass(frozen=True, slots=True)
class Tracer:
    """Decides which events are traced: a share of them, or with `trust` what the caller's own trace says."""

    spans: Spans
    share: float
    trust: bool = False

    def enter(self, parent: Context | None) -> Context | None:
        """Return the context of an event that enters, None for one that is not traced and comes without.

        Without `trust` a caller can neither have more of its events traced nor fewer.
        """
        if parent is None:
            return root(state="") if self._drawn() else None
        sampled = parent.sampled if self.trust else self._drawn()
        return parent.child(sampled=sampled) if sampled or parent.sampled else parent

    def _drawn(self) -> bool:
        return random.random() < self.share


def root(state: str) -> Context:
    """Return the first span of a new trace that is sampled."""
    return Context(secrets.token_hex(16), secrets.token_hex(8), True, state)


def again(key: str, before: Context) -> Context:
    """Return the first span of the trace of a replay: the same for the same key, however often it is sent."""
    digest = hashlib.blake2b(f"{key}\0{before.trace}".encode(), digest_size=24).hexdigest()
    return Context(digest[:32], digest[32:], True, before.state)


def read(headers: Mapping[str, str]) -> Context | None:
    """Return the context that headers carry, None for none or one that is not valid, which then counts as none."""
    parent = headers.get(TRACEPARENT, "")
    found = _PARENT.fullmatch(parent) if len(parent) <= _LONGEST else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    return Context(found[2], found[3], bool(int(found[4], 16) & 1), _state(headers.get(TRACESTATE, "")))


def carried(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return as headers what is valid of a context in these, to hand it on."""
    context = read(headers)
    return context.headers() if context else NONE


def _state(text: str) -> str:
    """Return a tracestate without its blanks, empty where any part of it is not valid."""
    if not text or len(text) > _STATE:
        return ""
    members = [one for part in text.split(",") if (one := part.strip(" \t"))]
    keys = {found[1] for member in members if (found := _MEMBER.fullmatch(member))}
    return ",".join(members) if len(keys) == len(members) <= _MEMBERS else ""
