"""``paylink init``: asks for what is needed, tries each answer out, and writes the file .env."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.doctor.findings import Finding, Level
from bot.stop import Stop

if TYPE_CHECKING:
    from bot.settings import Settings

Check = Callable[["Settings"], Coroutine[Any, Any, list[Finding]]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
MARKS = {Level.WELL: "✓", Level.NOTE: "!", Level.WRONG: "✗"}
# What of the environment holds while answers are tried out: where the services are, and how they are reached.
_WAYS = frozenset({"SLACK_API_URL", "STRIPE_API_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"})
KEYS = "PAYLINK_SECRET_KEYS"
# What needs no quotation marks.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:@,%=&?*")


@app.command()
def init(context: typer.Context) -> None:
    """Ask for what is needed, try each answer out with Slack and Stripe, and write the file .env."""
    from dotenv import dotenv_values

    from bot.settings import DOT_ENV

    file = Path(DOT_ENV)
    if file.exists() and not typer.confirm(
        f"There is a file {DOT_ENV} already. Write a new one in its place?"
    ):
        raise Stop(f"The file {DOT_ENV} stays as it was.", status=1)
    asking = _Asking(dict(context.obj))
    # What was sealed with the keys of the file that goes would never open again.
    if kept := dotenv_values(file).get(KEYS) or context.obj.get(KEYS):
        asking.answers[KEYS] = kept
    typer.echo(
        "An answer is tried out at once, and nothing is written before the end. Enter leaves out what may be."
    )
    if typer.confirm(
        "Shall workspaces install Paylink by clicking, instead of the one whose token you have?"
    ):
        _ask_about_installing(asking)
    else:
        _ask_about_slack(asking)
        _ask_about_stripe(asking)
    asking.ask(
        "DATABASE_URL",
        "PostgreSQL's address, or Enter for a SQLite file",
        _try_database,
        needed=False,
        hidden=True,
    )
    _write(file, asking.answers)
    typer.echo(
        f"The file {DOT_ENV} is written, readable by you alone. Next: `paylink doctor`, then `paylink serve`."
    )


def _ask_about_slack(asking: "_Asking") -> None:
    typer.echo(
        "\nSlack: make an app from manifest.yml at https://api.slack.com/apps and install it to your workspace."
    )
    asking.ask("SLACK_BOT_TOKEN", "Bot User OAuth Token (OAuth & Permissions)", _try_bot_token, hidden=True)
    _ask_how_slack_comes(asking)
    asking.ask(
        "PAYLINK_NOTIFICATION_CHANNEL",
        "Id of the channel that hears of payments (in its details), or Enter for later",
        _try_channel,
        needed=False,
    )


def _ask_about_installing(asking: "_Asking") -> None:
    from domain.secrets.box import new_key

    typer.echo(
        "\nSlack: make an app from manifest.yml at https://api.slack.com/apps, and distribute it there."
    )
    asking.ask(
        "PAYLINK_PUBLIC_URL", "Address under which browsers, Slack and Stripe reach Paylink, https://…"
    )
    asking.ask("SLACK_CLIENT_ID", "Client ID (Basic Information)")
    asking.ask("SLACK_CLIENT_SECRET", "Client Secret (Basic Information)", hidden=True)
    _ask_how_slack_comes(asking)
    if "PORT" not in asking.answers:
        asking.ask("PORT", "Port for installing, and for Stripe's requests")
    if KEYS in asking.answers:
        typer.echo(f"\n{KEYS} stays as it was, with all that is sealed with it.")
        return
    asking.answers[KEYS] = new_key()
    typer.echo(
        f"\n{KEYS} is made: what workspaces give Paylink is sealed with it. Keep a copy elsewhere: without it all "
        "must install again. Each workspace connects its own Stripe account in Slack."
    )


def _ask_how_slack_comes(asking: "_Asking") -> None:
    asking.ask(
        "SLACK_APP_TOKEN",
        "App-level token with connections:write (Basic Information), or Enter for HTTP",
        _try_app_token,
        needed=False,
        hidden=True,
    )
    if "SLACK_APP_TOKEN" not in asking.answers:
        asking.ask("SLACK_SIGNING_SECRET", "Signing secret (Basic Information)", hidden=True)
        asking.ask("PORT", "Port for Slack's and Stripe's requests")


def _ask_about_stripe(asking: "_Asking") -> None:
    typer.echo("\nStripe: make a restricted key under Developers, API keys, in a sandbox first.")
    asking.ask("STRIPE_API_KEY", "Restricted key", _try_stripe, hidden=True)
    asking.ask(
        "STRIPE_WEBHOOK_SECRET",
        "Signing secret of the endpoint /stripe/webhook, or Enter to see payments by polling",
        needed=False,
        hidden=True,
    )
    if "STRIPE_WEBHOOK_SECRET" in asking.answers and "PORT" not in asking.answers:
        asking.ask("PORT", "Port for Stripe's requests")


class _Asking:
    """The answers so far; ``env`` says where Slack and Stripe are, and through which proxy."""

    def __init__(self, env: dict[str, str]) -> None:
        from bot.settings import setting_names

        self._means = setting_names()
        self._elsewhere = {
            name: value for name, value in env.items() if name.upper() in _WAYS or name not in self._means
        }
        self.answers: dict[str, str] = {}

    def ask(
        self, name: str, what: str, check: Check | None = None, *, needed: bool = True, hidden: bool = False
    ) -> None:
        """Until the answer is well. One that is refused is taken when it is given again, a malformed one never."""
        refused = ""
        while True:
            answer = str(
                typer.prompt(what, default=None if needed else "", hide_input=hidden, show_default=False)
            ).strip()
            if not answer:
                return
            settings = self._settings(name, answer)
            if settings is None:
                continue
            findings = asyncio.run(check(settings)) if check else []
            for finding in findings:
                typer.echo(f"{MARKS[finding.level]} {finding.what}")
                if finding.mend:
                    typer.echo(f"    {finding.mend}")
            if answer == refused or all(finding.level is not Level.WRONG for finding in findings):
                self.answers[name] = answer
                return
            refused = answer
            typer.echo("Answer again; the same answer is taken as it is.")

    def _settings(self, name: str, answer: str) -> "Settings | None":
        """Those so far with this answer; None, and a sentence, if it is malformed."""
        from bot.settings import SettingsProblem, load_settings

        try:
            # Of no directory: what a file .env says that is about to go counts for nothing.
            return load_settings({**self._elsewhere, **self.answers, name: answer}, Path(os.devnull))
        except SettingsProblem as problem:
            typer.echo(f"{MARKS[Level.WRONG]} {problem}")
            return None


async def _try_bot_token(settings: "Settings") -> list[Finding]:
    from bot.cli.doctor.slack import asking_slack, examine_bot_token

    async with asking_slack(settings) as client:
        return (await examine_bot_token(client))[1]


async def _try_app_token(settings: "Settings") -> list[Finding]:
    from bot.cli.doctor.slack import asking_slack, examine_app_token
    from bot.settings import secret

    async with asking_slack(settings) as client:
        return [await examine_app_token(client, secret(settings.slack_app_token))]


async def _try_channel(settings: "Settings") -> list[Finding]:
    from bot.cli.doctor.slack import asking_slack, examine_channel

    async with asking_slack(settings) as client:
        return [await examine_channel(client, settings.paylink_notification_channel, "TEAM_ID")]


async def _try_stripe(settings: "Settings") -> list[Finding]:
    from bot.cli.doctor.stripe import asking_stripe, examine_stripe

    async with asking_stripe(settings) as stripe:
        return [finding async for finding in examine_stripe(stripe)]


async def _try_database(settings: "Settings") -> list[Finding]:
    from bot.stop import connect, reached
    from domain.database import ask_nothing

    try:
        db = connect(settings)
        try:
            with reached():
                db.run(ask_nothing)
        finally:
            db.close_now()
    except Stop as stop:
        return [Finding(Level.WRONG, f"Database: {stop.sentence}")]
    return [Finding(Level.WELL, f"Database: {db.engine.dialect.name} answers.")]


def _write(file: Path, answers: dict[str, str]) -> None:
    """All of it or nothing, and at no time readable by others. Raises Stop if it can't be written."""
    fresh = file.with_name(f"{file.name}.new")
    lines = [f"{name}={_quoted(value)}\n" for name, value in answers.items()]
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as out:
            out.writelines(lines)
        fresh.replace(file)
    except OSError as error:
        raise Stop(f"The file {file} can't be written: {error.strerror}.") from None


def _quoted(value: str) -> str:
    return value if set(value) <= _PLAIN else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
