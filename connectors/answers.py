"""What an answer means for a delivery: by its status, or by the rules of the connector."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.connection import Response
from connectors.formula import Formula, formula, seen
from connectors.port import Heard, Outcome, Result
from crossdock.kernel import jsontext, units
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document

MAX_DETAIL = 300
MAX_HEARD = 4096  # letters of a body
MAX_RETRY_AFTER = 3600.0
_AGAIN = {408, 425, 429}
_THROTTLING = {429, 503}
_NOBODY = Event("-", "-", "-")
# Headers of an answer that tell why, or by which the people of the target find it; none of them says who we are.
_TELLING = frozenset({
    "content-type", "date", "location", "retry-after", "server", "via", "www-authenticate",
    "request-id", "x-correlation-id", "x-request-id",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """An outcome for answers of some statuses (all if there are none) of which `when` is true, if it is given."""

    outcome: Outcome
    statuses: frozenset[int] = frozenset()
    when: Formula | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a connector says of answers: the first rule that fits; `least` and `most` bound a pause, in seconds."""

    rules: tuple[Rule, ...] = ()
    least: float = 0.0
    most: float = MAX_RETRY_AFTER


BY_STATUS = Answers()


def read_answers(document: Document, problems: list[Problem]) -> Answers:
    """Return what a connector file says under `answers` and `retry_after`."""
    pauses = document.value.get("retry_after", {})
    least, most = (units.seconds(pauses.get(key, or_else)) for key, or_else in (("least", "0s"), ("most", "1h")))
    if least > most:
        problems.append(document.problem(("retry_after",), "bad_value", "least is longer than most"))
    listed = document.value.get("answers", [])
    return Answers(tuple(_rule(document, index, problems) for index in range(len(listed))), least, most)


def _rule(document: Document, index: int, problems: list[Problem]) -> Rule:
    said = document.value["answers"][index]
    given = said.get("status", [])
    when = formula(document, ("answers", index, "when"), problems) if "when" in said else None
    return Rule(said["is"], frozenset([given] if isinstance(given, int) else given), when)


def judged(response: Response, answers: Answers, now: float, secrets: Sequence[str] = ()) -> Result:
    """Return what an answer means; `now` is in Unix seconds."""
    if answers.rules:
        try:
            outcome = _by_rule(response, answers.rules)
        except Refused as error:  # it was sent, and nobody can tell what the target says of it
            doubt = visible(f"{said(response)}; {error}", secrets)
            return Result("in_doubt", response.status, doubt, heard=heard(response, secrets))
        if outcome is not None:
            pause = _pause(response, answers, now) or answers.least
            pause = pause if outcome == "throttled" else 0.0
            kept = None if outcome == "delivered" else heard(response, secrets)
            detail = visible(said(response), secrets)
            return Result(outcome, response.status, detail, pause, heard=kept, quotes=True)
    if 200 <= response.status < 300:
        return Result("delivered", response.status, f"HTTP {response.status}")
    return classify(response, now, secrets, answers)


def classify(response: Response, now: float, secrets: Sequence[str] = (), answers: Answers = BY_STATUS) -> Result:
    """Return what an answer other than 2xx means when no rule says so; `now` is in Unix seconds."""
    status = response.status
    detail, kept = visible(said(response), secrets), heard(response, secrets)
    if status not in _AGAIN and status < 500:
        return Result("permanent", status, detail, heard=kept)
    pause = _pause(response, answers, now) if status in _THROTTLING else None
    if pause is None:
        return Result("retry", status, detail, heard=kept)
    return Result("throttled", status, detail, pause, heard=kept)


def document_of(response: Response) -> dict[str, Any]:
    """Return an answer as expressions see it; the body is text where it is not JSON."""
    body: Any = response.body.decode("utf-8", "replace")
    if body.lstrip()[:1] in ("{", "[", '"'):
        with suppress(Refused):
            body = jsontext.loads(response.body)
    return {"status": response.status, "headers": response.headers, "body": body}


def retry_after(text: str, now: float, least: float = 0.0, most: float = MAX_RETRY_AFTER) -> float | None:
    """Return the seconds that a Retry-After header asks for, from `least` to `most`; `None` when it says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(max(float(text), least), most)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, least), most)


def said(response: Response) -> str:
    """Return what a target answered, for people."""
    text = response.body.decode("utf-8", "replace").strip()
    if 300 <= response.status < 400:
        text = "redirects are not followed"
    return f"HTTP {response.status}: {text}" if text else f"HTTP {response.status}"


def heard(response: Response, secrets: Sequence[str] = ()) -> Heard:
    """Return what is kept of an answer; it may be bytes of anything, and may repeat what it was sent."""
    told = {name: visible(value, secrets) for name, value in response.headers.items() if name in _TELLING}
    return Heard(response.status, told, _covered(response.body.decode("utf-8", "replace"), secrets)[:MAX_HEARD])


def visible(text: str, secrets: Sequence[str] = ()) -> str:
    """Return text of a target for people: secrets covered, control characters escaped, cut at `MAX_DETAIL`."""
    text = _covered(text, secrets)
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:MAX_DETAIL])
    return shown[:MAX_DETAIL]


def _covered(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _by_rule(response: Response, rules: Sequence[Rule]) -> Outcome | None:
    """Return the outcome of the first rule that fits.

    Raises:
        Refused: `expression_failed`, or `when_not_boolean`.
    """
    view = None
    for rule in rules:
        if rule.statuses and response.status not in rule.statuses:
            continue
        if rule.when is None:
            return rule.outcome
        view = view or seen(document_of(response), _NOBODY)
        fits = rule.when.value(view)
        if fits is True:
            return rule.outcome
        if fits not in (False, None):
            raise Refused([Problem("when_not_boolean", f"{rule.when.text} is neither true nor false")])
    return None


def _pause(response: Response, answers: Answers, now: float) -> float | None:
    return retry_after(response.headers.get("retry-after", ""), now, answers.least, answers.most)
