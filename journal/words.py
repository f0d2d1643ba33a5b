"""What is told to partners: why an event waits for a person, and when something was; nothing of a target's insides."""

from datetime import UTC, datetime

_WORDS = {
    "refused": "the target refused it",
    "retries_ended": "the target could not take it for so long that Crossdock gave up",
    "in_doubt": "the target may have it: it was sent, and no answer came",
    "id_conflict": "its id was used before for an event with other content; give it an id of its own and send it again",
    "lookup_missing": "a value of it is not in the lists of this installation",
    "lookup_waiting": "a value of it is not in the lists of this installation yet; it goes on by itself when it is",
    "too_large": "it became too large",
}
_OTHERWISE = "it could not be processed; the operator of this installation sees why and can send it through again"
_OF_THE_SENDER = {"schema_violation", "unknown_type", "unknown_version"}  # the detail says what the sender can correct


def words(reason: str, detail: str) -> str:
    """Say why an event waits for a person: what the sender can correct, and nothing of a target."""
    return detail if reason in _OF_THE_SENDER else _WORDS.get(reason, _OTHERWISE)


def moment(at: int) -> str:
    """Return Unix milliseconds as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
