"""The doctor's look at each organisation that installed the app: its token, its channel, its Stripe key."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.doctor.blocks import examine_blocks
from bot.cli.doctor.findings import Finding, Level
from bot.cli.doctor.organisations import examine_add_on, examine_channel_problem
from bot.cli.doctor.slack import asking_slack, examine_channel, examine_clock, examine_scopes
from bot.cli.doctor.stripe import asking_stripe, examine_stripe
from bot.settings import Settings
from bot.slack_client import Identity, SlackAway, SlackRefused, fetch_identity, fetch_nothing
from bot.stop import connect
from bot.workspaces.installer import INSTALL_PATH
from bot.workspaces.renewing import AHEAD
from domain.organisations import installations, organisations, stripe_keys
from domain.organisations.installations import Installation
from domain.payments.standing import count_deliveries
from domain.secrets.box import Box, CannotOpen
from domain.summaries import OrganisationSummary

# By then a token that is due is renewed, unless something is wrong.
LATE = timedelta(minutes=10)


@dataclass(frozen=True)
class Kept:
    """One organisation as the database has it; None for what can't be opened, or isn't there."""

    organisation: OrganisationSummary
    installation: Installation | None
    closed: bool
    stripe_key: str | None
    has_webhook: bool
    """Whether there is anything that deliveries could be signed with."""
    deliveries: tuple[int, int]
    """Events of late that the webhook brought, and those that only a poll found."""


async def examine_installed(settings: Settings) -> AsyncIterator[Finding]:
    """Each finding is of one organisation, and names it."""
    where = f"{settings.paylink_public_url}{INSTALL_PATH}"
    if not settings.secret_keys:
        yield Finding(
            Level.WRONG,
            "Installing: PAYLINK_SECRET_KEYS isn't set, so no workspace can install Paylink.",
            "Make a key with `paylink secrets new-key`.",
        )
        return
    kept = read_installed(settings)
    if not kept:
        yield Finding(
            Level.NOTE, "Installing: no workspace has installed Paylink yet.", f"Open {where} in a browser."
        )
        async with asking_slack(settings) as client:
            yield await _examine_reachable(client)
    tokens = [one.installation.tokens.bot_token for one in kept if one.installation is not None]
    if tokens:
        # They are the same for all.
        async with asking_slack(settings, tokens[0]) as client:
            yield await examine_blocks(client)
            apart = await examine_clock(client, datetime.now(UTC))
            if apart is not None:
                yield apart
    for one in kept:
        async for finding in _examine(settings, one, where):
            yield replace(
                finding, what=f"{one.organisation.name or one.organisation.team_id}: {finding.what}"
            )


def read_installed(settings: Settings) -> list[Kept]:
    """What is installed now. Raises nothing of an organisation whose secrets can't be opened."""
    box, db = Box(settings.secret_keys), connect(settings)
    try:
        teams = db.run(installations.list_teams)
        found = []
        for team_id, kept in db.run(installations.find_each, box, teams):
            closed = isinstance(kept, CannotOpen)
            key = None
            try:
                key = db.run(stripe_keys.find, box, team_id)
            except CannotOpen:
                closed = True
            found.append(
                Kept(
                    db.run(organisations.get_by_team, team_id),
                    None if isinstance(kept, CannotOpen) or kept is None else kept.installation,
                    closed,
                    None if key is None else key.key,
                    key is not None and bool(key.webhook_secrets),
                    db.run(count_deliveries, db.run(organisations.get_by_team, team_id).id),
                )
            )
        return found
    finally:
        db.close_now()


async def _examine(settings: Settings, one: Kept, where: str) -> AsyncIterator[Finding]:
    if one.closed:
        yield Finding(
            Level.WRONG,
            "its tokens or its Stripe key can't be opened with PAYLINK_SECRET_KEYS.",
            "Put the key back that they were sealed with, or have the app installed and Stripe connected again.",
        )
    if one.installation is not None:
        async with asking_slack(settings, one.installation.tokens.bot_token) as client:
            async for finding in _examine_slack(client, one, where):
                yield finding
        if one.organisation.channel_problem:
            yield examine_channel_problem(one.organisation)
        if not one.organisation.add_on:
            yield examine_add_on(one.organisation)
    if one.stripe_key is not None:
        async with asking_stripe(settings, one.stripe_key) as stripe:
            async for finding in examine_stripe(stripe):
                yield finding
        for finding in examine_webhook(settings, one):
            yield finding
    elif not one.closed:
        yield Finding(
            Level.NOTE,
            "Stripe: no account is connected, so no links can be created.",
            "An administrator connects it: Home of the app in Slack, Connect Stripe.",
        )


def examine_webhook(settings: Settings, one: Kept) -> Iterator[Finding]:
    address = f"{settings.paylink_public_url}/stripe/webhook/{one.organisation.team_id}"
    came, polled = one.deliveries
    if not one.has_webhook:
        yield Finding(
            Level.NOTE,
            f"Webhook: there is none, so payments are seen by polling every {settings.paylink_poll_seconds:g} seconds.",
            f"Connect a key that has the permission Webhook Endpoints: Write, or make an endpoint for {address} and give its signing "
            "secret with the key.",
        )
    elif came:
        yield Finding(Level.WELL, f"Webhook: {came} of the last {came + polled} events came by it.")
    elif polled:
        yield Finding(
            Level.NOTE,
            f"Webhook: none of the last {polled} events came by it, Stripe had to be asked for them.",
            f"See under Developers, Webhooks in the Stripe Dashboard that the endpoint for {address} is enabled, and what its last "
            "deliveries were answered.",
        )


async def _examine_slack(client: AsyncWebClient, one: Kept, where: str) -> AsyncIterator[Finding]:
    organisation, team_id = one.organisation, one.organisation.team_id
    try:
        identity = await _identify(client, one)
    except SlackRefused as refused:
        yield Finding(
            Level.WRONG,
            f"Slack: it refuses the workspace's token ({refused.code}).",
            f"If the app was removed there, Paylink erases the token by itself. Else have it installed again at {where}.",
        )
        return
    except SlackAway:
        yield Finding(Level.WRONG, "Slack: it can't be reached.", "See that this machine can reach it.")
        return
    yield _examine_renewal(one.installation, where) or Finding(
        Level.WELL, f"Slack: it takes the token of {team_id}."
    )
    for finding in examine_scopes(identity.scopes):
        yield finding
    if organisation.channel is None:
        yield Finding(
            Level.NOTE,
            "Notification channel: none is chosen, so announcements wait.",
            "An administrator chooses it: Home of the app in Slack, Settings.",
        )
    else:
        yield await examine_channel(client, organisation.channel, team_id)


def _examine_renewal(installation: Installation | None, where: str) -> Finding | None:
    """One that ends soon should have been renewed long ago."""
    ends = None if installation is None else installation.tokens.expires_at
    if ends is None or ends > datetime.now(UTC) + AHEAD - LATE:
        return None
    return Finding(
        Level.WRONG,
        f"Slack: it takes the workspace's token until {ends:%Y-%m-%d %H:%M} UTC, and a new one wasn't given.",
        "See that Paylink runs. If it logs installation.not_renewed with invalid_refresh_token, have the workspace install it again "
        f"at {where}.",
    )


async def _identify(client: AsyncWebClient, one: Kept) -> Identity:
    """Of an organisation's token nobody asks whose it is: it is several workspaces'."""
    assert one.installation is not None
    if not one.installation.for_enterprise:
        return await fetch_identity(client)
    await fetch_nothing(client)
    ours = one.installation
    return Identity(
        ours.team_id, one.organisation.name, ours.bot_id, ours.bot_user_id, frozenset(ours.scopes)
    )


async def _examine_reachable(client: AsyncWebClient) -> Finding:
    try:
        await fetch_nothing(client)
    except SlackAway:
        return Finding(
            Level.WRONG,
            "Slack: it can't be reached.",
            "See that this machine can reach it, and that SLACK_API_URL is right.",
        )
    return Finding(Level.WELL, "Slack: it can be reached.")
