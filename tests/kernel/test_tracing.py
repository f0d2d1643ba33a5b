"""Trace context: what is taken from others, what is handed on, and who decides whether an event is traced."""

import pytest

from crossdock.kernel.tracing import Context, Span, Tracer, again, carried, read

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


class Nowhere:
    def take(self, span: Span) -> None:
        """Nobody looks at spans here."""


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"{PARENT}-more",
        f"{PARENT}\n",
        f" {PARENT}",
        f"{PARENT}, {PARENT}",
        f"01-{TRACE}-{SPAN}-01-{'x' * 5000}",
        f"00-{TRACE}-{SPAN}-\u0661\u0661",
        "x" * 60_000,
    ],
)
def test_what_is_no_traceparent_counts_as_none(hostile: str) -> None:
    assert read({"traceparent": hostile, "tracestate": "a=1"}) is None
    assert carried({"traceparent": hostile, "tracestate": "a=1"}) == {}


def test_a_context_is_handed_on_as_it_came() -> None:
    given = {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE,rojo@x=1"}
    assert carried(given) == given


def test_a_version_to_come_is_read_as_far_as_it_is_known() -> None:
    assert read({"traceparent": f"cc-{TRACE}-{SPAN}-03-what-the-future-will-be"}) == Context(TRACE, SPAN, True)


@pytest.mark.parametrize(
    "state",
    [
        "a",
        "=1",
        "a=1,a=2",
        "a=1,b",
        "A=1",
        "a=\x00",
        "a=1\r\nx: y",
        "a=\u00e4",
        ",".join(f"k{n}=1" for n in range(33)),
        "a=" + "x" * 600,
    ],
)
def test_a_tracestate_that_is_not_valid_is_left_out_and_the_parent_stays(state: str) -> None:
    assert carried({"traceparent": PARENT, "tracestate": state}) == {"traceparent": PARENT}


def test_an_event_without_a_trace_begins_one_as_often_as_the_sample_says() -> None:
    assert Tracer(Nowhere(), 0.0).enter(None) is None
    begun = Tracer(Nowhere(), 1.0).enter(None)
    assert begun is not None and begun.sampled and read(begun.headers()) == begun
    drawn = [Tracer(Nowhere(), 0.25).enter(None) for _ in range(4000)]
    assert 800 < sum(one is not None for one in drawn) < 1200


@pytest.mark.parametrize("flag", ["00", "01"])
def test_a_caller_forces_nothing_and_forbids_nothing_unless_it_is_trusted(flag: str) -> None:
    parent = read({"traceparent": f"00-{TRACE}-{SPAN}-{flag}"})
    for share, sampled in ((0.0, False), (1.0, True)):
        mine = Tracer(Nowhere(), share).enter(parent)
        assert mine is not None and (mine.trace, mine.sampled) == (TRACE, sampled)
        trusted = Tracer(Nowhere(), share, trust=True).enter(parent)
        assert trusted is not None and (trusted.trace, trusted.sampled) == (TRACE, flag == "01")


def test_a_flag_that_is_changed_comes_from_a_span_of_its_own() -> None:
    parent = read({"traceparent": PARENT})
    assert parent is not None
    lowered = Tracer(Nowhere(), 0.0).enter(parent)
    assert lowered is not None and lowered.span != SPAN  # W3C Trace Context, section 3.4
    unsampled = parent._replace(sampled=False)
    assert Tracer(Nowhere(), 0.0).enter(unsampled) == unsampled


def test_a_replay_that_is_sent_twice_has_one_trace() -> None:
    before = Context(TRACE, SPAN, True)
    assert again("dl-1/1", before) == again("dl-1/1", before) != again("dl-1/2", before)
    assert again("dl-1/1", before).trace != TRACE
