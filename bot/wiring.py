"""Builds the whole bot from its settings. Nothing is global: a second one can be built beside it in one process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.plan import periodic_jobs
from bot.settings import Settings, secret
from bot.slack_client import TIMEOUT_SECONDS, make_client, make_session
from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.work.owners import make_owner
from bot.work.probes import Probes, hear_stripe
from bot.work.stripe_clients import make_stripe
from bot.work.timer import Tick
from bot.work.tracking import Tracker
from bot.work.workers import Worker
from bot.workspaces.registry import Workspace
from bot.workspaces.serving import Serving, look_after_workspaces
from domain.audit.sealing import Sealing
from domain.connecting.connecting import Connecting
from domain.coordination import housekeeping
from domain.coordination.leases import Lease
from domain.database import Database
from domain.desk import Desk
from domain.exceptions import reminding
from domain.exceptions.twins import TwinWatch
from domain.feed import reading
from domain.imports.running import FileImports
from domain.invoices.numbers.folding import Folding
from domain.invoices.placing import Placing
from domain.links.creation import LinkCreation
from domain.messages.announcing import Announcing
from domain.messages.poster_port import Poster
from domain.overview.sums import SumKeeping
from domain.payments.many.webhooks import Webhooks
from domain.payments.watching import Watching
from domain.secrets.box import Box
from domain.states import ImportState
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi, quiet_sdk
from domain.stripe.pace import StripePace
from domain.stripe.stored_keys import StoredKeys
from domain.stripe.transport import Connections
from domain.summaries import Actor
from handlers.bolt.people import SlackPeople
from handlers.features.following import Followers
from handlers.features.setting_up.greeting import greet_installer
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
    box: Box
    connections: Connections
    stripe: StripeApi
    accounts: Accounts
    posters: dict[int, Poster]
    followers: Followers
    serving: Serving
    creation: LinkCreation
    watching: Watching
    webhooks: Webhooks
    announcing: Announcing
    imports: FileImports
    people: SlackPeople
    desk: Desk
    probes: Probes
    tracker: Tracker
    workers: tuple[Worker, ...]
    ticks: tuple[Tick, ...]

    async def close(self) -> None:
        """Connections first, threads last."""
        await self.connections.close()
        await self.session.close()
        self.imports.close()
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
    session = make_session(metrics, timeout, settings.proxies)
    slack = make_client(settings, session, lambda method, code: probes.hear_slack(method, code))

    many = settings.installing

    def heard(outcome: str) -> None:
        metrics.stripe_requests.labels(outcome).inc()
        # What one of many organisations has to do with Stripe says nothing of the process.
        if not many:
            hear_stripe(health, outcome)

    connections, make_api = make_stripe(settings, timeout, heard)
    # With many organisations it has no key, and is asked whether Stripe can be reached.
    stripe = make_api("" if many else secret(settings.stripe_api_key))
    box = Box(settings.secret_keys)
    jobs = [job for job in periodic_jobs(settings.paylink_poll_seconds) if job.wake_seconds is not None]
    wakes = {job.name: asyncio.Event() for job in jobs}

    def wake_all_that_waited() -> None:
        for name in ("create_links", "settle_events", "poll", "sweep"):
            wakes[name].set()

    # What is settled or recorded may have enqueued a message.
    def settled(_link: int, created: bool) -> None:
        metrics.links_settled.labels("created" if created else "refused").inc()
        wakes["announce"].set()
        wakes["follow_views"].set()

    def recorded(verdict: str) -> None:
        metrics.payments_recorded.labels(verdict).inc()
        wakes["announce"].set()
        wakes["follow_views"].set()

    def imported(ended: ImportState) -> None:
        metrics.imports_ended.labels(ended.value).inc()
        wakes["announce"].set()

    def posted(kind: str, seconds: float) -> None:
        metrics.announcement_seconds.labels(kind).observe(seconds)

    owner = make_owner()
    lease = Lease(
        owner,
        length=timedelta(seconds=settings.paylink_lease_seconds),
        margin=timedelta(seconds=settings.paylink_margin_seconds),
    )
    stored = StoredKeys(box, make_api) if many else None
    accounts = Accounts(db, clock=clock, on_known=wake_all_that_waited, stored=stored)
    posters: dict[int, Poster] = {}
    followers = Followers()

    def there(workspace: Workspace) -> None:
        posters[workspace.organisation_id] = SlackPoster(
            workspace.client, mentions=settings.paylink_mentions == "on"
        )
        followers.put(workspace.team_id, workspace.client)
        wakes["announce"].set()

    def gone(workspace: Workspace) -> None:
        posters.pop(workspace.organisation_id, None)
        followers.drop(workspace.team_id)

    async def greet(team_id: str, user_id: str, client: AsyncWebClient) -> None:
        await greet_installer(desk, structlog.get_logger("handlers"), client, Actor(team_id, user_id))

    serving = look_after_workspaces(
        settings,
        db,
        box,
        session,
        slack,
        owner,
        make_api,
        clock=clock,
        on_there=there,
        on_gone=gone,
        on_expired=wakes["renew_tokens"].set,
        greet=greet,
    )
    pace = StripePace(db, settings.paylink_stripe_rate)
    watching = Watching(
        db,
        accounts,
        pace,
        lease,
        poll_every=timedelta(seconds=settings.paylink_poll_seconds),
        clock=clock,
        wake=wakes["settle_events"].set,
        on_recorded=recorded,
    )
    creation = LinkCreation(
        db,
        accounts,
        pace,
        lease,
        clock=clock,
        catch_up=watching.catch_up,
        wake=wakes["create_links"].set,
        on_settled=settled,
    )
    announcing = Announcing(db, posters, lease, clock=clock, on_posted=posted)
    imports = FileImports(db, lease, clock=clock, wake=wakes["import_files"].set, on_finished=imported)
    people = SlackPeople(serving.workspaces.client_of)
    connecting = Connecting(db, box, make_api, public_url=settings.paylink_public_url) if many else None
    desk = Desk(
        db,
        accounts,
        creation,
        watching,
        imports,
        clock,
        people=people,
        poll_every=timedelta(seconds=settings.paylink_poll_seconds),
        connecting=connecting,
    )
    probes = Probes(db, slack, stripe, health, has_key=not many)
    rounds = _rounds(accounts, creation, watching, announcing, probes)
    twin_watch = TwinWatch(db)

    async def look_after_exceptions() -> None:
        await reminding.look_after(db, clock, stripe.clock.now)
        await twin_watch.look(clock())

    rounds["exceptions"] = look_after_exceptions
    rounds["follow_views"] = followers.look
    rounds |= serving.rounds()
    rounds["import_files"] = imports.run_due
    rounds["chain_audit"] = Sealing(db).seal_waiting
    rounds["prune"] = lambda: housekeeping.prune(db, clock)
    rounds["forget_events"] = lambda: reading.forget_old(db)
    rounds["place"] = Placing(db).place_again
    rounds["fold"] = Folding(db).fold
    rounds["keep_sums"] = SumKeeping(db).look_after
    return Bot(
        settings=settings,
        clock=clock,
        owner=owner,
        db=db,
        health=health,
        metrics=metrics,
        session=session,
        slack=slack,
        box=box,
        connections=connections,
        stripe=stripe,
        accounts=accounts,
        posters=posters,
        followers=followers,
        serving=serving,
        creation=creation,
        watching=watching,
        webhooks=Webhooks(db, accounts, watching, clock=clock, stripe_clock=stripe.clock.now),
        announcing=announcing,
        imports=imports,
        people=people,
        desk=desk,
        probes=probes,
        tracker=Tracker(),
        workers=tuple(Worker(name, work, health, wakes[name]) for name, work in rounds.items()),
        ticks=tuple(
            Tick(job.name, job.wake_seconds, wakes[job.name].set)
            for job in jobs
            if job.wake_seconds is not None
        ),
    )


def _rounds(
    accounts: Accounts,
    creation: LinkCreation,
    watching: Watching,
    announcing: Announcing,
    probes: Probes,
) -> dict[str, Round]:
    """What each periodic job of bot/plan.py does when it is woken. Whether it is due, the work itself knows."""
    return {
        "create_links": creation.run_due,
        "settle_events": watching.settle_due,
        "announce": announcing.deliver_due,
        "poll": watching.poll_if_due,
        "sweep": watching.sweep_if_due,
        "stripe_keys": accounts.look,
        "know_account": accounts.settle,
        "probe_database": probes.database,
        "probe_slack": probes.slack,
        "probe_stripe": probes.stripe,
    }
