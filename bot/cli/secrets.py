"""``paylink secrets``: the keys that secrets at rest are sealed with."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shared import database_of, settings_of
from bot.stop import WITHOUT_KEYS, Stop, closed_secrets

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.secrets.box import Box

FAILED = 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The keys that tokens and Stripe keys are sealed with in the database.",
)


@app.command("new-key")
def new_key(context: typer.Context) -> None:
    """Print a new key, to stand first in PAYLINK_SECRET_KEYS. It is kept nowhere."""
    from domain.secrets import box

    typer.echo(box.new_key())


@app.command()
def rotate(context: typer.Context) -> None:
    """Seal everything with the first key again. Break it off whenever you like; the next one goes on."""
    from domain.secrets import rotating

    settings = settings_of(context)
    box = _box_of(settings)
    sealed, closed, after = 0, list[str](), 0
    with database_of(settings) as db:
        while True:
            portion = db.run(rotating.rotate, box, after)
            sealed += portion.sealed
            closed += portion.closed
            if portion.last is None:
                break
            after = portion.last
    typer.echo(f"Sealed with the first key: {sealed}. All others were so already.")
    _tell(closed)


@app.command()
def check(context: typer.Context) -> None:
    """Open every secret; name the workspaces of which one doesn't open."""
    from domain.secrets import rotating

    settings = settings_of(context)
    box = _box_of(settings)
    with database_of(settings) as db:
        checked = db.run(rotating.check, box)
    if not checked.closed:
        typer.echo(f"Secrets that open: {checked.secrets}, all there are.")
    _tell(checked.closed)


@app.command()
def erase(
    context: typer.Context,
    team_id: Annotated[str, typer.Argument(metavar="TEAM_ID", help="The workspace's id.")],
) -> None:
    """Erase an organisation's tokens and Stripe key, as when the app is uninstalled. All else of it stays."""
    from bot.cli.disconnecting import disconnect_organization, endpoint_sentence
    from domain.errors import OrganisationUnknown
    from domain.organisations import organisations

    settings = settings_of(context)
    with database_of(settings) as db:
        try:
            db.run(organisations.get_by_team, team_id)
        except OrganisationUnknown:
            raise Stop(
                f"There is no organisation {team_id!r}: `paylink organization list` shows those there are."
            ) from None
        done = disconnect_organization(settings, db, team_id)
    tokens = "Slack's tokens were erased" if done.erased.tokens else "There were no tokens of Slack's"
    key = "the Stripe key was erased" if done.erased.stripe_key else "there was no Stripe key"
    typer.echo(f"{team_id}: {tokens}, {key}.")
    if (sentence := endpoint_sentence(done)) is not None:
        typer.echo(sentence)


def _box_of(settings: "Settings") -> "Box":
    from domain.secrets.box import Box

    if not settings.secret_keys:
        raise Stop(WITHOUT_KEYS)
    return Box(settings.secret_keys)


def _tell(closed: "list[str] | tuple[str, ...]") -> None:
    if closed:
        raise Stop(closed_secrets(list(closed)), FAILED)
