"""What must have been reached once before the work begins: the database with its schema, and Slack."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.slack_client import Identity, SlackAway, SlackRefused, fetch_identity, refusal
from bot.stop import Stop, schema_sentences
from bot.watch.health import SLACK_AWAY, Part, database_problem
from bot.wiring import Bot
from bot.work.owners import find_dead
from bot.workspaces.registry import configured
from domain.coordination import abandoned_claims
from domain.errors import DatabaseUnavailable
from domain.migrations import prepare
from domain.organisations import organisations
from domain.secrets import rotating
from domain.secrets.box import NoSecretKeys
from domain.stripe.account import Account

T = TypeVar("T")

FIRST_DELAY = 0.5
LONGEST_DELAY = 10.0


async def begin(bot: Bot) -> Account | None:
    """Return once all is there, however long database and Slack stay away: the Stripe account of the organisation whose token
    is configured, if one is. Raises Stop where waiting won't help.

    A SQLite file gets its schema here; the organisation is made by the first start.
    """
    if bot.serving.installer is not None:
        await _until_reached(bot, "database", lambda: _check_schema(bot))
        await _until_reached(bot, "database", lambda: _take_over(bot))
        return None
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_until_reached(bot, "database", lambda: _check_schema(bot)))
            identifying = both.create_task(_until_reached(bot, "slack", lambda: _identify(bot)))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    identity = identifying.result()
    return await _until_reached(bot, "database", lambda: _set_up(bot, identity))


async def _until_reached(bot: Bot, part: Part, step: Callable[[], Awaitable[T]]) -> T:
    delay = FIRST_DELAY
    while True:
        try:
            result = await step()
        except DatabaseUnavailable as error:
            bot.health.bad(part, database_problem(error))
        except SlackAway:
            bot.health.bad(part, SLACK_AWAY)
        else:
            bot.health.good(part)
            return result
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY)


async def _check_schema(bot: Bot) -> None:
    with schema_sentences():
        await asyncio.to_thread(prepare, bot.db.engine)


async def _identify(bot: Bot) -> Identity:
    try:
        return await fetch_identity(bot.slack)
    except SlackRefused as refused:
        raise Stop(refusal(refused.code)) from None


async def _take_over(bot: Bot) -> None:
    """All workspaces that installed the app, of which there may be none yet. Raises Stop if no secret can be opened."""
    try:
        checked = await bot.db.read(rotating.check, bot.box)
    except NoSecretKeys:
        raise Stop(
            "PAYLINK_SECRET_KEYS isn't set, and the database holds tokens and keys that are sealed: put the key back that "
            "they were sealed with."
        ) from None
    if checked.closed and not checked.opened:
        raise Stop(
            "PAYLINK_SECRET_KEYS opens none of the tokens and keys in the database: put the key back that they were sealed with."
        )
    if bot.box.has_keys:
        await bot.serving.workspaces.refresh()
    await bot.accounts.look()
    await _take_back_claims(bot)


async def _set_up(bot: Bot, identity: Identity) -> Account:
    organisation = await bot.db.write(
        organisations.ensure,
        identity.team_id,
        identity.team_name,
        bot.settings.paylink_notification_channel,
    )
    account = await bot.accounts.open(
        organisation.id, bot.stripe, team_id=identity.team_id, secrets=bot.settings.webhook_secrets
    )
    bot.serving.workspaces.put(
        configured(
            organisation.id,
            identity.team_id,
            identity.bot_id,
            identity.bot_user_id,
            identity.scopes,
            bot.slack,
        )
    )
    await _take_back_claims(bot)
    return account


async def _take_back_claims(bot: Bot) -> None:
    """What processes of this host held when they were killed needn't wait for the end of their leases."""
    dead = find_dead(await bot.db.read(abandoned_claims.list_owners), bot.owner)
    if dead:
        await bot.db.write(abandoned_claims.end_claims, dead)
