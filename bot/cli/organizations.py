"""``paylink organization``: list organisations, add one, change one."""

import re
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shared import database_of, find_organisation, settings_of
from bot.stop import Stop

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database
    from domain.organisations.settings import Changes
    from domain.summaries import OrganisationSummary

NAME_LENGTH = 255
NOTICED_SECONDS = 5.0
"""Longer than processes take to notice that keys were erased."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Slack workspaces: what they have, and where their announcements go.",
)

TeamId = Annotated[str, typer.Argument(metavar="TEAM_ID", help="The workspace's id, which begins with T.")]
Channel = Annotated[
    str | None,
    typer.Option(
        "--channel", metavar="CHANNEL_ID", help="The notification channel, which begins with C or G."
    ),
]


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@app.command("list")
def list_(context: typer.Context) -> None:
    """Show all organisations, one a line: id, name, add-on, notification channel, last import."""
    from domain.organisations import organisations

    with database_of(settings_of(context)) as db:
        known = db.run(organisations.list_all)
    for one in known:
        channel = f"channel {one.channel}" if one.channel else "no channel"
        if one.channel_problem:
            channel += f" ({one.channel_problem})"
        imported = (
            f"imported {one.last_imported_at:%Y-%m-%d %H:%M} UTC" if one.last_imported_at else "no import"
        )
        add_on = Switch.ON if one.add_on else Switch.OFF
        typer.echo("\t".join((one.team_id, one.name, f"add-on {add_on}", channel, imported)))
    if not known:
        typer.echo("There is no organisation yet.")


@app.command()
def add(
    context: typer.Context,
    team_id: TeamId,
    name: Annotated[str, typer.Option("--name", help="Its name, as people know it.")] = "",
    channel: Channel = None,
) -> None:
    """Add an organisation, with the Stripe Credit Card Payment Add-on on. One that exists stays as it is."""
    from domain.organisations import organisations

    _check(team_id, r"[TE][A-Z0-9]{2,254}", "a workspace's id, which begins with T")
    _check_channel(channel)
    name = _read_name(name)
    with database_of(settings_of(context)) as db:
        known = any(one.team_id == team_id for one in db.run(organisations.list_all))
        if not known:
            db.run(organisations.ensure, team_id, name, channel)
    typer.echo(f"{team_id} is there already." if known else f"{team_id} was added.")


@app.command("set")
def set_(
    context: typer.Context,
    team_id: TeamId,
    add_on: Annotated[
        Switch | None,
        typer.Option("--add-on", case_sensitive=False, help="The Stripe Credit Card Payment Add-on."),
    ] = None,
    channel: Channel = None,
    administrators: Annotated[
        str | None,
        typer.Option(
            "--administrators",
            metavar="USER_IDS",
            help="Who may change its settings in Slack besides its installer and Slack's administrators, with commas.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="NAME", help="By which its days begin, as Europe/Berlin."),
    ] = None,
) -> None:
    """Change an organisation."""
    from domain.errors import OrganisationUnknown
    from domain.organisations import organisations
    from domain.organisations.settings import SettingUnusable

    changes = _changes(administrators, zone)
    if add_on is None and channel is None and not changes:
        raise Stop(
            "Say what to change: --add-on on, --add-on off, --channel CHANNEL_ID, --administrators USER_IDS or --zone NAME."
        )
    _check_channel(channel)
    wanted = None if add_on is None else add_on is Switch.ON
    try:
        with database_of(settings_of(context)) as db:
            now = db.run(organisations.set_up, team_id, add_on=wanted, channel=channel, **changes)
    except SettingUnusable as error:
        what = {
            "administrators": "made of people's ids, which begin with U or W",
            "zone": "a zone like Europe/Berlin",
        }
        given = administrators if error.name == "administrators" else zone
        raise Stop(f"--{error.name}: {given!r} isn't {what[error.name]}.") from None
    except OrganisationUnknown:
        raise Stop(
            f"There is no organisation {team_id!r}: `paylink organization list` shows those there are."
        ) from None
    typer.echo(
        f"{team_id}: add-on {Switch.ON if now.add_on else Switch.OFF}, notification channel {now.channel or 'none'}."
    )


def _changes(administrators: str | None, zone: str | None) -> "Changes":
    changes: Changes = {}
    if administrators is not None:
        changes["administrators"] = tuple(one.strip() for one in administrators.split(",") if one.strip())
    if zone is not None:
        changes["zone"] = zone
    return changes


@app.command()
def forget(
    context: typer.Context,
    team_id: TeamId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Erase everything of an organisation: invoices, links, payments, keys, settings, audit. There is no way back."""
    from bot.cli.disconnecting import disconnect_organization, endpoint_sentence
    from domain.organisations import forgetting

    settings = settings_of(context)
    with database_of(settings) as db:
        named = find_organisation(db, team_id)
        assert named is not None
        if not yes:
            typer.echo(
                "Its links stay at Stripe, where buyers can pay with them: nobody will hear of it. The webhook endpoint that Paylink "
                "made there is deleted; else its Stripe account stays as it is."
            )
            if typer.prompt(f"Type {team_id} to erase everything of {named.name or team_id}") != team_id:
                raise Stop("Nothing was erased.")
        done = disconnect_organization(settings, db, team_id)
        if (sentence := endpoint_sentence(done)) is not None:
            typer.echo(sentence)
        if done.erased.tokens or done.erased.stripe_key:
            typer.echo("Its keys were erased. Waiting until every process has noticed.")
            time.sleep(NOTICED_SECONDS)
        counts = forgetting.forget(db, team_id)
    typer.echo(f"{team_id} was erased:")
    for kind, count in counts.items():
        typer.echo(f"{count}\t{kind}")


async def ensure_organization(settings: "Settings", db: "Database") -> "OrganisationSummary":
    """Make the organisation of SLACK_BOT_TOKEN if there is none, by whichever command comes first. Raises Stop, DatabaseUnavailable."""
    from bot.slack_client import SlackAway, SlackRefused, fetch_identity, make_client, make_session
    from bot.watch.metrics import Metrics
    from domain.organisations import organisations

    if settings.slack_bot_token is None:
        raise Stop(
            "There is no organisation yet: set SLACK_BOT_TOKEN, or run `paylink organization add TEAM_ID`."
        )
    async with make_session(Metrics()) as session:
        try:
            identity = await fetch_identity(make_client(settings, session))
        except SlackRefused as refused:
            raise Stop(
                f"Slack refuses SLACK_BOT_TOKEN ({refused.code}): copy the Bot User OAuth Token from the page "
                "OAuth & Permissions of your Slack app."
            ) from None
        except SlackAway:
            raise Stop(
                "Slack can't be reached to ask whose token SLACK_BOT_TOKEN is: try again, or run "
                "`paylink organization add TEAM_ID` first."
            ) from None
    return await db.write(
        organisations.ensure, identity.team_id, identity.team_name, settings.paylink_notification_channel
    )


def _read_name(name: str) -> str:
    from domain.files.import_fields import read_line_of_text

    try:
        return name and read_line_of_text(name.strip(), NAME_LENGTH, "the organisation's name")
    except ValueError as error:
        raise Stop(f"--name: {error}.") from None


def _check_channel(channel: str | None) -> None:
    if channel is not None:
        _check(channel, r"[CG][A-Z0-9]{2,254}", "a channel's id, which begins with C or G")


def _check(text: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise Stop(f"{text!r} isn't {what}.")
