"""``paylink secrets``: the keys that secrets at rest are sealed with."""

from typing import TYPE_CHECKING

import typer

from bot.cli.shared import database_of, settings_of
from bot.stop import Stop

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


def _box_of(settings: "Settings") -> "Box":
    from domain.secrets.box import Box

    if not settings.secret_keys:
        raise Stop(
            "PAYLINK_SECRET_KEYS isn't set: it holds the keys that secrets are sealed with. "
            "`paylink secrets new-key` prints a new one."
        )
    return Box(settings.secret_keys)


def _tell(closed: "list[str] | tuple[str, ...]") -> None:
    if closed:
        raise Stop(
            f"Secrets of {', '.join(closed)} don't open with PAYLINK_SECRET_KEYS: put the key back that they were sealed "
            "with, behind the others; if it is lost, install the app and connect Stripe there again.",
            FAILED,
        )
