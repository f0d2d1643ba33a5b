"""What an alert says: in words, with the figure and what is allowed, and what to do about it."""

from typing import NamedTuple
from urllib.parse import quote

from alerts.spec import Condition

_SECONDS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_LONGEST = 300


class Words(NamedTuple):
    """How a kind of condition is told: `{subject}` is such as `route stock-to-erp`; the unit of its figure."""

    what: str
    unit: str
    do: str
    page: str


KINDS: dict[str, Words] = {
    "dead_letter_rate": Words(
        "dead letters of {subject}",
        "a minute",
        "Open the problem, correct its cause, try a replay dry, then run it.",
        "/problems?state=open&{sort}={name}",
    ),
    "lag": Words(
        "events wait for {subject}",
        "events",
        "Look whether its target answers and is fast enough; more workers help only where the machine has cores.",
        "/{sort}s/{name}",
    ),
    "oldest_age": Words(
        "the oldest event waits for {subject}",
        "seconds",
        "Look which key it is held by: `crossdock route list`; correct the cause at the target.",
        "/{sort}s/{name}",
    ),
    "ledger_gap": Words(
        "events of {subject} do not add up",
        "events",
        "`crossdock ledger --deep` names each; keep the data folder as it is until you know why.",
        "/ledger",
    ),
    "breaker_open": Words(
        "the breaker of {subject} is open, nothing is delivered",
        "",
        "`crossdock connector check` says what is wrong with the target; events wait and nothing is lost.",
        "/{sort}s/{name}",
    ),
    "silent_source": Words(
        "{subject} has sent nothing",
        "seconds",
        "Ask the partner, and look for refused requests: keys that expired, signatures that do not fit.",
        "/{sort}s/{name}",
    ),
    "drift": Words(
        "{subject} sends what its schemas do not say",
        "findings",
        "Look at the findings: take the proposed schema over, or ask the partner.",
        "/drift?{sort}={name}",
    ),
    "hop_sla": Words(
        "events of {subject} are delivered late",
        "seconds",
        "Look at its lag, its breaker and how fast its target answers.",
        "/{sort}s/{name}",
    ),
}


def what(when: Condition, subject: str, figure: float) -> str:
    """Return what is the case, with its figure and the threshold."""
    words = KINDS[when.kind]
    said = plain(words.what.format(subject=subject))
    if not words.unit:
        return said
    if when.kind == "silent_source":
        return f"{said} for {length(figure)}, {f'allowed {length(when.over)}' if when.over else 'longer than usual'}"
    if when.kind == "dead_letter_rate":
        minutes = when.over / 60
        return f"{said}: {figure * minutes:,.0f} within {length(when.over)}, allowed {when.above * minutes:,.0f}"
    some = f" ({when.percentile})" if when.kind == "hop_sla" else ""
    return f"{said}: {amount(figure, words.unit)}{some}, allowed {amount(when.above, words.unit)}"


def page(when: Condition, subject: str) -> str:
    """Return the path of the console that shows a subject."""
    sort, _, name = subject.partition(" ")
    if sort == "step":
        return "/"
    return KINDS[when.kind].page.format(sort=sort, name=quote(name, safe=""))


def amount(number: float, unit: str) -> str:
    """Return a figure as people read it."""
    if unit == "seconds":
        return length(number)
    if number == 1:
        return f"1 {unit.removesuffix('s')}"
    return f"{number:,.0f} {unit}" if number >= 100 or number % 1 == 0 else f"{number:,.2f} {unit}"


def length(seconds: float) -> str:
    """Return a time as people say it, in its two largest units."""
    if seconds < 10:
        return f"{seconds:.3g} s"
    whole, parts = round(seconds), list[str]()
    for size, unit in _SECONDS:
        number, whole = divmod(whole, size)
        if number:
            parts.append(f"{number} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def plain(text: str) -> str:
    """Return text on one line that steers no terminal, log or mail; partners chose parts of it."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
