"""The command line. Each command imports what it needs when it runs, so that none waits for another's imports.

A command's module that is named in ELSEWHERE holds ``app``, a typer.Typer of its own: with the command in it, or (for
a command with commands below it) being it. ``typer.Context.obj`` is the environment; bot/cli/shared.py reads it.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bot.cli.shared import chain, database_of, operator, settings_of
from bot.stop import Stop, connect, reached, schema_sentences

# What the help of all commands says of each stands here, so that it needs none of their modules; a test holds it.
ELSEWHERE = {
    "audit": ("bot.cli.audit", "Who did what: prove that nobody changed it, and take it out."),
    "demo": ("sandbox.demo", "Run everything on this machine, with no account anywhere, until Ctrl-C."),
    "exceptions": (
        "bot.cli.exceptions",
        "What doesn't fit between Stripe, invoices and Slack, until somebody has dealt with it.",
    ),
    "export": (
        "bot.cli.invoices",
        "Write billing invoices, their links and payments as CSV, a workbook for Excel, or JSON Lines.",
    ),
    "import": (
        "bot.cli.imports.command",
        "Read billing invoices from FILE: new ones are added, known ones updated.",
    ),
    "init": (
        "bot.cli.init",
        "Ask for what is needed, try each answer out with Slack and Stripe, and write the file .env.",
    ),
    "organization": (
        "bot.cli.organizations",
        "Slack workspaces: what they have, and where their announcements go.",
    ),
    "secrets": (
        "bot.cli.secrets",
        "The keys that tokens and Stripe keys are sealed with in the database.",
    ),
    "token": ("bot.cli.tokens", "Tokens with which programs use the HTTP API."),
}
# Of an integer column, in both databases.
LARGEST_ID = 2**63 - 1
OPTIONS: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "no_args_is_help": True,
}
_OPTIONS_OF_ALL = OPTIONS | {"add_completion": True}
# Of every command below, too.
_HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class _Elsewhere(TyperCommand):
    """A command of ELSEWHERE, by its name and its line of help until it is called."""

    def load(self) -> Any:
        module, _ = ELSEWHERE[str(self.name)]
        found = typer.main.get_command(import_module(module).app)
        if isinstance(found, TyperGroup) and self.name in found.commands:
            found = found.commands[str(self.name)]
        found.name = self.name
        return found


class _Commands(TyperGroup):
    """The commands of this file and those of ELSEWHERE, in the order of the alphabet."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, found, rest = super().resolve_command(ctx, args)
        return name, found.load() if isinstance(found, _Elsewhere) else found, rest

    def invoke(self, ctx: Any) -> Any:
        """As given, but for what pydantic writes before a choice that isn't one."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def command() -> Any:
    """The whole command line, made anew."""
    app = typer.Typer(cls=_Commands, help=_HELP, context_settings=_HELP_OPTIONS, **_OPTIONS_OF_ALL)
    app.callback()(_paylink)
    app.command()(serve)
    app.command()(doctor)
    db = typer.Typer(help="The database's schema.", **OPTIONS)
    # With one command only, a group needs a callback to stay a group.
    db.callback()(lambda: None)
    db.command("upgrade")(db_upgrade)
    app.add_typer(db, name="db")
    announcements = typer.Typer(help="Messages that Slack refused or may not have got.", **OPTIONS)
    announcements.command("list")(announcements_list)
    announcements.command("resend")(announcements_resend)
    app.add_typer(announcements, name="announcements")
    group: Any = typer.main.get_command(app)
    for name, (module, help_line) in ELSEWHERE.items():
        if find_spec(module.partition(".")[0]):
            group.add_command(_Elsewhere(name, help=help_line))
    return group


_HELP = "Creates Stripe online payment links for billing invoices from Slack, and tells a channel when they are paid."


def _version(wanted: bool) -> None:
    if wanted:
        from bot.version import paylink_version

        typer.echo(f"paylink {paylink_version()}")
        raise typer.Exit


def _paylink(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def serve(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the bot until it is told to stop (SIGTERM or Ctrl-C)."""
    from bot.run.lean import lean_imports

    with lean_imports():
        from bot.required import require_for_serving
        from bot.run.service import serve_until_stopped
        from bot.settings import SettingsProblem

    settings = settings_of(context)
    try:
        require_for_serving(settings)
    except SettingsProblem as problem:
        raise Stop(str(problem)) from None
    serve_until_stopped(settings, verbose=verbose)


def doctor(context: typer.Context) -> None:
    """Check settings, database, Slack and Stripe; say what is wrong and how to mend it."""
    from bot.cli.doctor.examination import examine

    raise typer.Exit(examine(context.obj))


def db_upgrade(context: typer.Context) -> None:
    """Bring the schema up to date."""
    from domain.audit.recording import record_upgrade
    from domain.invoices.numbers.folding import fold_all
    from domain.migrations import REVISIONS, find_version, upgrade

    db = connect(settings_of(context), operator())
    try:
        with reached(), schema_sentences():
            before = find_version(db.engine)
            changed = upgrade(db.engine)
            if changed:
                db.run(record_upgrade, before, REVISIONS[-1])
            fold_all(db)
        chain(db)
    finally:
        db.close_now()
    typer.echo("The schema was brought up to date." if changed else "The schema is up to date.")


def announcements_list(context: typer.Context) -> None:
    """Show the messages that wait for you: refused for good (dead) or perhaps posted (unknown)."""
    from domain.outbox.enqueuing import list_stuck

    with database_of(settings_of(context)) as db:
        stuck = db.run(list_stuck)
    for message in stuck:
        typer.echo(
            f"{message.id}\t{message.state}\t{message.kind}\t{message.enqueued_at:%Y-%m-%d %H:%M} UTC\t"
            f"{message.problem or ''}"
        )
    if not stuck:
        typer.echo("No message waits for you.")


def announcements_resend(
    context: typer.Context,
    announcement: Annotated[int, typer.Argument(metavar="ID", help="From `paylink announcements list`.")],
) -> None:
    """Send a message again. An unknown one may then be in the channel twice: look there first."""
    from domain.outbox.enqueuing import resend

    with database_of(settings_of(context)) as db:
        queued = announcement <= LARGEST_ID and db.run(resend, announcement)
    if not queued:
        raise Stop(
            f"There is no message {announcement} that waits for you: see `paylink announcements list`."
        )
    typer.echo(f"Message {announcement} is queued again.")
