"""Every metric of Crossdock, declared in one table; labels are bounded by configuration."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        to = self.registry = CollectorRegistry()
        self._of_delivery(to)
        self._of_lookups(to)
        self._of_polls(to)
        self.accepted = Counter("crossdock_accepted", "Events stored in RAW", ["source"], registry=to)
        self.rejected = Counter("crossdock_rejected", "Events refused by the gateway", ["code"], registry=to)
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

    def _of_polls(self, to: CollectorRegistry) -> None:
        self.polled = Counter("crossdock_polled", "Events that polls brought", ["source"], registry=to)
        self.polls_failed = Counter(
            "crossdock_polls_failed", "Polls whose origin was away or broke", ["source"], registry=to
        )
        self.poll_success = Gauge(
            "crossdock_poll_success_seconds", "Unix time when a poll last reached its origin", ["source"], registry=to
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
        return generate_latest(self.registry)
