"""``paylink doctor``: looks at everything that Paylink needs, and says what is wrong and how to mend it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text
from sqlalchemy.engine import make_url

from bot.cli.doctor.blocks import examine_blocks
from bot.cli.doctor.findings import Finding, Level
from bot.cli.doctor.installed import examine_installed
from bot.cli.doctor.organisations import examine_add_on, examine_channel_problem
from bot.cli.doctor.running import examine_running
from bot.cli.doctor.slack import (
    asking_slack,
    examine_app_token,
    examine_bot_token,
    examine_channel,
    examine_clock,
)
from bot.cli.doctor.standing import examine_standing
from bot.cli.doctor.stripe import asking_stripe, examine_stripe
from bot.required import require_for_serving
from bot.settings import (
    Settings,
    SettingsProblem,
    load_settings,
    secret,
    unknown_settings,
)
from bot.stop import Stop, connect, reached, schema_sentences, unmakeable
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.invoices.numbers.twins import LookAlikes, list_look_alikes
from domain.invoices.older_decimals import OlderDecimals, list_older_decimals
from domain.migrations import REVISIONS, check
from domain.organisations import organisations
from domain.outbox import enqueuing
from domain.outbox.enqueuing import StuckMessage
from domain.overview.durability import list_weaknesses
from domain.payments.standing import Standing, list_standings
from domain.summaries import OrganisationSummary

MOST_LOOK_ALIKES = 10
MARKS = {Level.WELL: ("✓", "green"), Level.NOTE: ("!", "yellow"), Level.WRONG: ("✗", "red")}


@dataclass(frozen=True)
class Kept:
    """What the database says; nothing while it can't be asked."""

    organisations: tuple[OrganisationSummary, ...] = ()
    stuck: tuple[StuckMessage, ...] = ()
    standings: tuple[Standing, ...] = ()
    look_alikes: tuple[LookAlikes, ...] = ()
    older_decimals: tuple[OlderDecimals, ...] = ()
    weaknesses: dict[str, str] = field(default_factory=dict)


NOTHING = Kept()


def examine(env: Mapping[str, str], console: Console | None = None) -> int:
    """Print what was found; return the exit status, 1 if something is wrong."""
    console = console or Console(highlight=False, soft_wrap=True)
    return asyncio.run(_examine(env, console))


async def _examine(env: Mapping[str, str], console: Console) -> int:
    wrong = False
    async for finding in _findings(env):
        mark, colour = MARKS[finding.level]
        console.print(Text.assemble((mark, colour), f" {finding.what}"))
        if finding.mend:
            console.print(Text(f"    {finding.mend}"))
        wrong |= finding.level is Level.WRONG
    return 1 if wrong else 0


async def _findings(env: Mapping[str, str]) -> AsyncIterator[Finding]:
    try:
        settings = load_settings(env)
    except SettingsProblem as problem:
        yield Finding(Level.WRONG, f"Settings: {problem}")
        return
    for finding in examine_settings(settings):
        yield finding
    for sentence in unknown_settings(env):
        yield Finding(
            Level.NOTE, f"Settings: {sentence}", "Write its name as docs/reference/settings.md has it."
        )
    kept = NOTHING
    for finding_or_kept in examine_database(settings):
        if isinstance(finding_or_kept, Kept):
            kept = finding_or_kept
        else:
            yield finding_or_kept
    async for finding in _examine_slack(settings, kept):
        yield finding
    for standing in kept.standings:
        poll_every = timedelta(seconds=settings.paylink_poll_seconds)
        for finding in examine_standing(standing, datetime.now(UTC), poll_every):
            yield (
                replace(finding, what=f"{standing.used_by}: {finding.what}")
                if settings.installing
                else finding
            )
    if settings.installing and kept is not NOTHING:
        async for finding in examine_installed(settings):
            yield finding
        if settings.slack_app_token is not None:
            async with asking_slack(settings) as client:
                yield await examine_app_token(client, secret(settings.slack_app_token))
    if settings.stripe_api_key is not None and not settings.installing:
        async with asking_stripe(settings) as stripe:
            async for finding in examine_stripe(stripe):
                yield finding
    async for finding in examine_running(settings):
        yield finding
    if kept.look_alikes:
        yield _examine_look_alikes(kept.look_alikes)
    if kept.older_decimals:
        yield _examine_older_decimals(kept.older_decimals)
    if kept.stuck:
        yield Finding(
            Level.WRONG,
            f"Announcements: {len(kept.stuck)} wait for you, refused by Slack for good or perhaps posted{_codes(kept)}.",
            "Look at them with `paylink announcements list`, and send them again with `paylink announcements resend ID`.",
        )


def _codes(kept: Kept) -> str:
    codes = sorted({message.problem for message in kept.stuck if message.problem})
    return f" ({', '.join(codes)})" if codes else ""


def _examine_look_alikes(found: tuple[LookAlikes, ...]) -> Finding:
    """In escapes, by which the numbers can be told apart."""
    told = [f"{' and '.join(map(ascii, one.numbers))} ({one.team_id})" for one in found[:MOST_LOOK_ALIKES]]
    more = ", and more" if len(found) > MOST_LOOK_ALIKES else ""
    return Finding(
        Level.NOTE,
        f"Invoices: an older version kept numbers apart that look the same: {', '.join(told)}{more}.",
        "Import those that aren't meant as void, their numbers written exactly so. Where both could get a link, "
        "`paylink exceptions list` has an exception.",
    )


def _examine_older_decimals(found: tuple[OlderDecimals, ...]) -> Finding:
    told = ", ".join(f"{one.invoices} in {one.currency} ({one.team_id})" for one in found)
    return Finding(
        Level.NOTE,
        f"Invoices: an older version took amounts with two decimals in currencies that have others: {told}.",
        "Import these invoices again: until then they read too small, or in UYI a hundredfold. No link can be created for them.",
    )


def examine_settings(settings: Settings) -> list[Finding]:
    findings = []
    try:
        require_for_serving(settings)
    except SettingsProblem as problem:
        findings.append(Finding(Level.WRONG, f"Settings: {problem}"))
    else:
        transport = (
            "Socket Mode" if settings.socket_mode else f"HTTP at /slack/events on port {settings.port}"
        )
        findings.append(Finding(Level.WELL, f"Settings: complete; Slack is reached by {transport}."))
    if settings.installing:
        # Each organisation's webhook has a secret of its own.
        return findings
    if settings.port is not None and not settings.webhook_secrets:
        findings.append(
            Finding(
                Level.NOTE,
                "Webhook: STRIPE_WEBHOOK_SECRET isn't set, so /stripe/webhook answers 400 to everything, and payments "
                f"are seen by polling every {settings.paylink_poll_seconds:g} seconds.",
                "Add an endpoint for /stripe/webhook in the Stripe Dashboard and set its signing secret.",
            )
        )
    elif settings.port is None:
        findings.append(
            Finding(
                Level.NOTE,
                f"Webhook: PORT isn't set, so payments are seen by polling every "
                f"{settings.paylink_poll_seconds:g} seconds.",
            )
        )
    else:
        secrets = len(settings.webhook_secrets)
        findings.append(
            Finding(Level.WELL, f"Webhook: {secrets} signing secret{'s' if secrets > 1 else ''}.")
        )
    return findings


def examine_database(settings: Settings) -> list[Finding | Kept]:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return [_examine_missing_file(settings, Path(str(url.database)))]
    try:
        db = connect(settings)
    except Stop as stop:
        return [Finding(Level.WRONG, f"Database: {stop.sentence}")]
    try:
        with reached(), schema_sentences():
            _check(db)
        kept = Kept(
            db.run(organisations.list_all),
            tuple(db.run(enqueuing.list_stuck)),
            tuple(db.run(list_standings, datetime.now(UTC))),
            db.run(list_look_alikes, MOST_LOOK_ALIKES + 1),
            db.run(list_older_decimals),
            db.run(list_weaknesses),
        )
        well = Finding(Level.WELL, f"Database: {db.engine.dialect.name}, schema {REVISIONS[-1]}.")
        return [well, *_examine_durability(kept.weaknesses), kept]
    except (Stop, DatabaseUnavailable) as problem:
        sentence = problem.sentence if isinstance(problem, Stop) else "it can't be reached any more."
        return [Finding(Level.WRONG, f"Database: {sentence}")]
    finally:
        db.close_now()


def _examine_missing_file(settings: Settings, path: Path) -> Finding:
    """Whether the first start can make it: tried out beside it, since permissions don't tell of every file system."""
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        with TemporaryDirectory(prefix=".paylink-doctor-", dir=nearest):
            pass
    except OSError as error:
        return Finding(
            Level.WRONG,
            f"Database: {unmakeable(settings, error)}",
            f"See that DATABASE_URL is right, and that Paylink's user may write to {nearest}.",
        )
    return Finding(Level.NOTE, f"Database: there is no file {path} yet; the first start makes it.")


def _examine_durability(weaknesses: Mapping[str, str]) -> list[Finding]:
    if not weaknesses:
        return []
    told = ", ".join(f"{name} is {value}" for name, value in weaknesses.items())
    return [
        Finding(
            Level.WRONG,
            f"Database: {told}, so what was committed may be lost when its machine fails: a link could be made twice, and "
            "a payment be told twice.",
            "Switch it on at the server, for this database and for this user (docs/reliability.md).",
        )
    ]


def _check(db: Database) -> None:
    check(db.engine)


async def _examine_slack(settings: Settings, kept: Kept) -> AsyncIterator[Finding]:
    if settings.slack_bot_token is None:
        return
    async with asking_slack(settings) as client:
        identity, findings = await examine_bot_token(client)
        for finding in findings:
            yield finding
        if settings.slack_app_token is not None:
            yield await examine_app_token(client, secret(settings.slack_app_token))
        if identity is None:
            return
        apart = await examine_clock(client, datetime.now(UTC))
        if apart is not None:
            yield apart
        ours = [one for one in kept.organisations if one.team_id == identity.team_id]
        yield await examine_channel(
            client, ours[0].channel if ours else settings.paylink_notification_channel, identity.team_id
        )
        for organisation in ours:
            if organisation.channel_problem:
                yield examine_channel_problem(organisation)
            yield examine_add_on(organisation)
        yield await examine_blocks(client)
