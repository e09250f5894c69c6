"""Counters: what a service has done, in the format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Counters:
    """Requests by route and status, their seconds, texts and rows by model, texts that wait, and reloads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("zhpipe_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "zhpipe_request_seconds",
            "Seconds from a request to its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.texts = Counter("zhpipe_texts", "Texts and rows answered.", ["model"], registry=self._registry)
        self.waiting = Gauge("zhpipe_waiting_texts", "Texts that wait for a model.", ["model"], registry=self._registry)
        self.reloads = Counter(
            "zhpipe_reloads",
            "Changed model folders: loaded, or refused.",
            ["model", "outcome"],
            registry=self._registry,
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)
