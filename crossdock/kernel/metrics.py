"""Every metric of Crossdock, declared in one table; labels are bounded by configuration."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        to = self.registry = CollectorRegistry()
        self._of_delivery(to)
        self._of_the_whole(to)
        self._of_lookups(to)
        self._of_polls(to)
        self._of_traces(to)
        self.accepted = Counter("crossdock_accepted", "Events stored in RAW", ["source"], registry=to)
        self.rejected = Counter("crossdock_rejected", "Events refused by the gateway", ["code", "partner"], registry=to)
        self.unverified = Counter(
            "crossdock_unverified", "Requests that did not prove who sent them", ["source", "reason"], registry=to
        )
        self.invalid = Counter(
            "crossdock_invalid", "Events that break their schema and are taken", ["source", "action"], registry=to
        )
        self.duplicates = Counter("crossdock_duplicates", "Repeats recognised", ["source", "stage"], registry=to)
        self.routed = Counter("crossdock_routed", "Canonical events stored", ["source"], registry=to)
        self.process_seconds = Histogram(
            "crossdock_process_seconds", "Time of one batch in the process step", buckets=_SECONDS, registry=to
        )
        self.limits_local = Counter("crossdock_limits_local", "Times that limits could not be shared", registry=to)
        self.answers_not_kept = Counter(
            "crossdock_answers_not_kept", "Acts on kept answers that the store did not answer", registry=to
        )
        self.callbacks_untold = Counter(
            "crossdock_callbacks_untold", "Outcomes that no callback could be made of", registry=to
        )
        self.dedupe_waits = Counter("crossdock_dedupe_waits", "Waits for the dedupe store", registry=to)
        self.recovered = Counter("crossdock_consumers_recovered", "Consumers made again", ["consumer"], registry=to)

        self.cpu = Counter("crossdock_cpu_seconds", "CPU time that the process used", registry=to)
        self._spent = 0.0
        self.revision = Gauge(
            "crossdock_content_revision_info", "1 for the revision that the process works by", ["revision"], registry=to
        )
        self.content_rejected = Counter(
            "crossdock_content_rejected", "Changes of content not put in force", registry=to
        )

    def runs(self, revision: str) -> None:
        """Say which revision the process works by."""
        self.revision.clear()
        self.revision.labels(revision).set(1)

    def _of_delivery(self, to: CollectorRegistry) -> None:
        self.end_to_end_seconds = Histogram(
            "crossdock_end_to_end_seconds", "From stored to delivered", ["route"], buckets=_SECONDS, registry=to
        )
        self.attempts = Counter("crossdock_attempts", "Delivery attempts", ["route", "outcome"], registry=to)
        self.dead_letters = Counter("crossdock_dead_letters", "Dead letters", ["stage", "name"], registry=to)
        self.breaker_open = Gauge("crossdock_breaker_open", "1 while a breaker is not closed", ["route"], registry=to)
        self.in_flight_limit = Gauge(
            "crossdock_in_flight_limit", "Attempts that a target gets at once", ["connector"], registry=to
        )
        self.held = Gauge("crossdock_held_deliveries", "Deliveries in the memory of a lane", ["route"], registry=to)

    def _of_the_whole(self, to: CollectorRegistry) -> None:
        """Declare what only the operations side knows."""
        self.ledger_gap = Gauge(
            "crossdock_ledger_gap", "Events that do not add up for longer than a minute", ["source", "route"],
            registry=to,
        )  # fmt: skip
        self.unreadable = Counter(
            "crossdock_journal_unreadable", "Messages of JOURNAL that were stepped over", registry=to
        )
        self.lag = Gauge("crossdock_lag", "Messages that wait or are in hand", ["route"], registry=to)
        self.oldest_age = Gauge(
            "crossdock_oldest_age_seconds", "Age of the oldest message that waits", ["route"], registry=to
        )
        self.open_letters = Gauge(
            "crossdock_dead_letters_open", "Dead letters that nobody has dealt with", ["source", "route"], registry=to
        )

    def _of_polls(self, to: CollectorRegistry) -> None:
        self.polled = Counter("crossdock_polled", "Events that polls brought", ["source"], registry=to)
        self.polls_failed = Counter(
            "crossdock_polls_failed", "Polls whose origin was away or broke", ["source"], registry=to
        )
        self.poll_success = Gauge(
            "crossdock_poll_success_seconds", "Unix time when a poll last reached its origin", ["source"], registry=to
        )

    def _of_traces(self, to: CollectorRegistry) -> None:
        self.spans_exported = Counter("crossdock_spans_exported", "Spans that the collector took", registry=to)
        self.spans_dropped = Counter(
            "crossdock_spans_dropped", "Spans that did not reach the collector", ["reason"], registry=to
        )

    def _of_lookups(self, to: CollectorRegistry) -> None:
        self.lookup_misses = Counter(
            "crossdock_lookup_misses", "Keys that a lookup did not have", ["table", "policy"], registry=to
        )
        self.lookup_rows = Gauge("crossdock_lookup_rows", "Keys of a lookup table", ["table"], registry=to)
        self.lookup_loaded = Gauge(
            "crossdock_lookup_loaded_seconds", "Unix time when a lookup table last heard news", ["table"], registry=to
        )
        self.lookup_unfed = Counter(
            "crossdock_lookup_unfed", "Events that made no row of their lookup table", ["table"], registry=to
        )

    def text(self) -> bytes:
        """Return the exposition format."""
        spent = time.process_time()
        self.cpu.inc(spent - self._spent)
        self._spent = spent
        return generate_latest(self.registry)
