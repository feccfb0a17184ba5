"""Builds the whole bot from its settings. Nothing is global: a second one can be built beside it in one process."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.plan import periodic_jobs
from bot.settings import Settings, secret
from bot.slack_client import TIMEOUT_SECONDS, make_client, make_session
from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.work.owners import make_owner
from bot.work.probes import Probes, hear_stripe
from bot.work.timer import Tick
from bot.work.tracking import Tracker
from bot.work.workers import Worker
from domain.coordination import housekeeping
from domain.database import Database
from domain.desk import Desk
from domain.invoices.placing import Placing
from domain.links.creation import LinkCreation
from domain.messages.announcing import Announcing
from domain.payments.watching import Watching
from domain.stripe.client import StripeApi, quiet_sdk
from domain.stripe.ledgers import Ledgers
from domain.stripe.pace import StripePace
from handlers.poster import SlackPoster

Clock = Callable[[], datetime]
Round = Callable[[], Awaitable[object]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Bot:
    """The parts, connected. ``close`` lets go of connections and threads."""

    settings: Settings
    clock: Clock
    owner: str
    db: Database
    health: Health
    metrics: Metrics
    session: aiohttp.ClientSession
    slack: AsyncWebClient
    stripe: StripeApi
    ledgers: Ledgers
    creation: LinkCreation
    watching: Watching
    announcing: Announcing
    desk: Desk
    probes: Probes
    tracker: Tracker
    workers: tuple[Worker, ...]
    ticks: tuple[Tick, ...]

    async def close(self) -> None:
        """Connections first, threads last."""
        await self.stripe.close()
        await self.session.close()
        await self.db.close()


def build(settings: Settings, *, db: Database | None = None, clock: Clock = utc_now) -> Bot:
    """Connect everything, in the running loop. Nothing is asked of anybody yet. Raises OSError for a SQLite file that
    can't be made."""
    quiet_sdk()
    health = Health()
    metrics = Metrics()
    db = db if db is not None else Database(settings.database_url)
    # No request may outlast the claim that it is made under, whose time also covers the wait for its turn.
    timeout = min(TIMEOUT_SECONDS, settings.paylink_lease_seconds / 3)
    session = make_session(metrics, timeout)
    slack = make_client(settings, session)

    def heard(outcome: str) -> None:
        metrics.stripe_requests.labels(outcome).inc()
        hear_stripe(health, outcome)

    stripe = StripeApi(
        secret(settings.stripe_api_key),
        base_url=settings.stripe_api_url,
        timeout=timeout,
        # A little closer than the slots, so that what the machine was late with is made up for.
        spacing=0.96 / settings.paylink_stripe_rate,
        on_request=heard,
    )
    ledgers = Ledgers(db, stripe, clock)
    pace = StripePace(db, ledgers, settings.paylink_stripe_rate)
    owner = make_owner()
    lease = timedelta(seconds=settings.paylink_lease_seconds)
    margin = timedelta(seconds=settings.paylink_margin_seconds)
    creation = LinkCreation(db, ledgers, stripe, pace, owner=owner, lease=lease, margin=margin, clock=clock)
    watching = Watching(
        db,
        ledgers,
        stripe,
        pace,
        owner=owner,
        lease=lease,
        poll_every=timedelta(seconds=settings.paylink_poll_seconds),
        clock=clock,
    )
    poster = SlackPoster(slack)
    announcing = Announcing(db, poster, owner=owner, lease=lease, margin=margin, clock=clock)
    probes = Probes(db, slack, stripe, health)
    rounds = _rounds(ledgers, creation, watching, announcing, probes)
    rounds["prune"] = lambda: housekeeping.prune(db, clock)
    rounds["place"] = Placing(db).place_again
    workers = {name: Worker(name, work, health) for name, work in rounds.items()}
    _connect(workers, ledgers, creation, watching, announcing, metrics)
    return Bot(
        settings=settings,
        clock=clock,
        owner=owner,
        db=db,
        health=health,
        metrics=metrics,
        session=session,
        slack=slack,
        stripe=stripe,
        ledgers=ledgers,
        creation=creation,
        watching=watching,
        announcing=announcing,
        desk=Desk(db, ledgers, creation, clock),
        probes=probes,
        tracker=Tracker(),
        workers=tuple(workers.values()),
        ticks=tuple(
            Tick(job.name, job.wake_seconds, workers[job.name].wake)
            for job in periodic_jobs(settings.paylink_poll_seconds)
            if job.wake_seconds is not None
        ),
    )


def _rounds(
    ledgers: Ledgers,
    creation: LinkCreation,
    watching: Watching,
    announcing: Announcing,
    probes: Probes,
) -> dict[str, Round]:
    """What each periodic job of bot/plan.py does when it is woken. Whether it is due, the work itself knows."""
    swept = False

    def when_known(work: Round) -> Round:
        """Before the account is known, what is asked of one would be written down for the other."""

        async def known() -> None:
            if ledgers.known:
                await work()

        return known

    async def sweep() -> None:
        nonlocal swept
        # One that failed is tried again as the start's: else it would wait for the hourly one.
        swept = await watching.sweep_if_due(at_start=not swept) or swept

    return {
        "create_links": when_known(creation.run_due),
        "settle_events": when_known(watching.settle_due),
        "announce": announcing.deliver_due,
        "poll": when_known(watching.poll_if_due),
        "sweep": when_known(sweep),
        "know_account": ledgers.settle,
        "probe_database": probes.database,
        "probe_slack": probes.slack,
        "probe_stripe": probes.stripe,
    }


def _connect(
    workers: Mapping[str, Worker],
    ledgers: Ledgers,
    creation: LinkCreation,
    watching: Watching,
    announcing: Announcing,
    metrics: Metrics,
) -> None:
    """Let each part wake whoever its results give work, and count them."""

    def known() -> None:
        for name in ("create_links", "settle_events", "poll", "sweep"):
            workers[name].wake()

    ledgers.on_known = known
    creation.wake = workers["create_links"].wake
    watching.wake = workers["settle_events"].wake
    announcing.wake = workers["announce"].wake

    # What is settled or recorded may have enqueued a message.
    def settled(_link: int, created: bool) -> None:
        metrics.links_settled.labels("created" if created else "refused").inc()
        announcing.wake()

    def recorded(verdict: str) -> None:
        metrics.payments_recorded.labels(verdict).inc()
        announcing.wake()

    def posted(kind: str, seconds: float) -> None:
        metrics.announcement_seconds.labels(kind).observe(seconds)

    creation.on_settled, watching.on_recorded, announcing.on_posted = settled, recorded, posted
