"""Figures for Prometheus, in a registry of their own so that several bots fit into one process."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from domain.overview.figures import Figures
from domain.states import WRITTEN, ExceptionKind, LinkStatus

# Around Bolt's own floor of 10 ms and Slack's limit of three seconds.
ACK_BUCKETS = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)

# A channel takes one message a second, so a backlog of hundreds takes minutes.
ANNOUNCEMENT_BUCKETS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


# Counting in large tables takes its time; Prometheus asks every few seconds.
FIGURES_EVERY_SECONDS = 10.0


class LastCheckAge(Collector):
    """A gauge in seconds without a value until there is one: 0 would say that Stripe was asked just now."""

    name = "paylink_last_check_age_seconds"

    def __init__(self) -> None:
        self.seconds: float | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(self.name, "Time since Stripe was last asked for payments", self.seconds)


class Metrics:
    """Everything that /metrics shows. Names and labels are documented in docs/."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.ack_seconds = Histogram(
            "paylink_ack_seconds",
            "Time from a request of Slack's to its acknowledgement",
            ["transport"],
            buckets=ACK_BUCKETS,
            registry=registry,
        )
        self.slack_requests_refused = Counter(
            "paylink_slack_requests_refused",
            "Requests and envelopes that the guard or the signature check refused",
            ["status"],
            registry=registry,
        )
        self.slack_rate_limited = Counter(
            "paylink_slack_rate_limited", "Answers of Slack's with status 429", registry=registry
        )
        self.links_settled = Counter(
            "paylink_links_settled",
            "Links that this process created, or that Stripe refused it",
            ["outcome"],
            registry=registry,
        )
        ended = "Imports in Slack that this process brought to an end"
        self.imports_ended = Counter("paylink_imports_ended", ended, ["outcome"], registry=registry)
        self.payments_recorded = Counter(
            "paylink_payments_recorded",
            "Payments and exceptions that this process recorded",
            ["verdict"],
            registry=registry,
        )
        self.announcement_seconds = Histogram(
            "paylink_announcement_seconds",
            "Time from a message's enqueuing to its post, by this process",
            ["kind"],
            buckets=ANNOUNCEMENT_BUCKETS,
            registry=registry,
        )
        self.stripe_requests = Counter(
            "paylink_stripe_requests", "Requests to Stripe by their outcome", ["outcome"], registry=registry
        )
        self.webhooks = Counter(
            "paylink_webhooks",
            "Deliveries of Stripe's by what became of them",
            ["outcome"],
            registry=registry,
        )
        self.api_requests = Counter(
            "paylink_api_requests", "Requests to the HTTP API by their answer", ["status"], registry=registry
        )
        self.ready = Gauge("paylink_ready", "1 if /readyz says 200", registry=registry)
        self.socket_connected = Gauge(
            "paylink_socket_connected", "Socket Mode connections to Slack", registry=registry
        )
        self._add_figures()

    def _add_figures(self) -> None:
        """What the database knows: see show."""
        registry = self.registry
        self.links = Gauge("paylink_links", "Online payment links by state", ["state"], registry=registry)
        self.payments = Gauge("paylink_payments", "Payments by verdict", ["verdict"], registry=registry)
        self.exceptions = Gauge("paylink_exceptions", "Exceptions by kind", ["kind"], registry=registry)
        self.exceptions_open = Gauge(
            "paylink_exceptions_open",
            "Exceptions that nobody has dealt with yet, by kind",
            ["kind"],
            registry=registry,
        )
        self.outbox = Gauge(
            "paylink_outbox", "Messages for Slack by kind and state", ["kind", "state"], registry=registry
        )
        self.events_waiting = Gauge(
            "paylink_events_waiting",
            "Events that tell of what Stripe doesn't show yet, by what they wait for",
            ["what"],
            registry=registry,
        )
        self.last_check_age = LastCheckAge()
        registry.register(self.last_check_age)

    def show(self, figures: Figures, now: datetime) -> None:
        """Take over what the database knows."""
        self.links.clear()
        for state, count in figures.links.items():
            self.links.labels(WRITTEN[state] if isinstance(state, LinkStatus) else state.value).set(count)
        self.payments.clear()
        for verdict, count in figures.payments.items():
            self.payments.labels(verdict.value).set(count)
        self.exceptions.clear()
        for exception, count in figures.exceptions.items():
            self.exceptions.labels(exception.value).set(count)
        # With a 0 for each, so that a rule over them never lacks a value.
        for each in ExceptionKind:
            self.exceptions_open.labels(each.value).set(figures.open_exceptions.get(each, 0))
        self.events_waiting.clear()
        for name, count in figures.events_waiting.items():
            self.events_waiting.labels(name).set(count)
        self.outbox.clear()
        for (kind, message), count in figures.outbox.items():
            self.outbox.labels(kind.value, message.value).set(count)
        checked = figures.last_checked_at
        self.last_check_age.seconds = None if checked is None else (now - checked).total_seconds()

    def render(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
