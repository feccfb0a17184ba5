"""``paylink token``: make a token for a program, list them, revoke one."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from bot.cli.shared import database_of, find_organisation, settings_of
from bot.stop import Stop
from domain.states import Right

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Tokens with which programs use the HTTP API.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the program is called.")]
Chosen = Annotated[
    str | None,
    typer.Option(
        "--organization", metavar="TEAM_ID", help="Whose; needed when there are several organisations."
    ),
]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    organization: Chosen = None,
    may: Annotated[
        str,
        typer.Option("--may", metavar="RIGHTS", help="What it may do: look, create, import, with commas."),
    ] = "look,create,import",
) -> None:
    """Make a token and print it: this once."""
    from domain.programs import tokens

    rights = _read_rights(may)
    settings = settings_of(context)
    with database_of(settings) as db:
        organisation = find_organisation(db, organization)
        if organisation is None:
            from bot.cli.organizations import ensure_organization

            organisation = asyncio.run(ensure_organization(settings, db))
        try:
            token = db.run(tokens.add, organisation.team_id, name, rights)
        except tokens.TokenNameUnusable:
            raise Stop(
                f"{name!r} can't be taken: a name is new, of 60 letters, digits, points, dashes and underscores at most, "
                "and begins with a letter or digit."
            ) from None
    typer.echo(token)
    typer.echo("Keep it now: it can't be shown again.", err=True)


@app.command("list")
def list_(context: typer.Context, organization: Chosen = None) -> None:
    """Show all tokens, one a line: name, organisation, rights, when made, when last used, when revoked."""
    from domain.programs import tokens

    with database_of(settings_of(context)) as db:
        known = db.run(tokens.list_all, organization)
    for one in known:
        rights = ",".join(right for right in tokens.PROGRAM_RIGHTS if right in one.rights)
        used = f"used {_minute(one.last_used_at)}" if one.last_used_at else "never used"
        parts = [one.name, one.team_id, rights, f"made {_minute(one.created_at)}", used]
        if one.revoked_at:
            parts.append(f"revoked {_minute(one.revoked_at)}")
        typer.echo("\t".join(parts))
    if not known:
        typer.echo("There is no token yet.")


@app.command()
def revoke(context: typer.Context, name: Name, organization: Chosen = None) -> None:
    """Let nobody in with this token any more, at once."""
    from domain.programs import tokens

    with database_of(settings_of(context)) as db:
        organisation = find_organisation(db, organization)
        try:
            if organisation is None:
                raise tokens.TokenNotFound
            db.run(tokens.revoke, organisation.team_id, name)
        except tokens.TokenNotFound:
            raise Stop(f"There is no token {name!r} to revoke: see `paylink token list`.") from None
    typer.echo(f"{name} was revoked.")


def _read_rights(text: str) -> frozenset[Right]:
    from domain.programs.tokens import PROGRAM_RIGHTS

    rights = frozenset(code.strip() for code in text.split(","))
    if not rights.issubset(PROGRAM_RIGHTS):
        raise Stop(f"--may: {text!r} isn't made of look, create and import, with commas between them.")
    return frozenset(Right(code) for code in rights)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
