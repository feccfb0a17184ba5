"""Many rows in one parameter: a statement over them is written once, and binding them takes no longer than binding one."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

_ROWS = sa.bindparam("rows_given", type_=sa.Text)
_IDS = sa.bindparam("ids_given", type_=ARRAY(sa.BigInteger))
Types = Mapping[str, type[TypeEngine[Any]]]


def over(types: Types, write: Callable[[sa.FromClause], sa.Executable]) -> Callable[[Session], sa.Executable]:
    """A statement that is written once for each database; ``write`` is given what stands for the rows, in their order."""
    of = {"sqlite": write(_on_sqlite(types)), "postgresql": write(_on_postgresql(types))}
    return lambda session: of[session.get_bind().dialect.name]


def given(rows: Iterable[Mapping[str, object]]) -> dict[str, Any]:
    """The parameter: rows with the names that the statement was written over, codes as they are kept; what is written as an object comes as JSON."""
    return {_ROWS.key: json.dumps(list(rows), ensure_ascii=False)}


IsOne = Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]


def among(
    write: Callable[[IsOne], sa.Executable],
) -> Callable[..., tuple[sa.Executable, dict[str, Any]]]:
    """The same of ids: a statement that is written once, given with its parameters for each session and its ids."""
    on_sqlite = write(lambda column: column.in_(sa.select(_each().c.value)))
    on_postgresql = write(lambda column: column == sa.any_(_IDS))

    def of(session: Session, ids: Iterable[int], **more: object) -> tuple[sa.Executable, dict[str, Any]]:
        if session.get_bind().dialect.name == "sqlite":
            return on_sqlite, {_ROWS.key: json.dumps(list(ids)), **more}
        return on_postgresql, {_IDS.key: list(ids), **more}

    return of


def _each() -> sa.TableValuedAlias:
    return sa.func.json_each(_ROWS).table_valued("value")


def _on_sqlite(types: Types) -> sa.FromClause:
    each = _each()
    return sa.select(
        *(
            sa.type_coerce(sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{name}'")), kind).label(
                name
            )
            for name, kind in types.items()
        )
    ).subquery("given")


def _on_postgresql(types: Types) -> sa.FromClause:
    columns = [sa.column(name, kind) for name, kind in types.items()]
    found = sa.func.json_to_recordset(sa.cast(_ROWS, JSON)).table_valued(*columns, name="given")
    return found.render_derived(name="given", with_types=True)
