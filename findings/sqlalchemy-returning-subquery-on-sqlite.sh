#!/bin/bash
# SQLAlchemy 2.1.9: on SQLite RETURNING is rendered without the tables' names, within a correlated subquery too. Where both
# tables have a column of the name, the condition compares the inner column with itself, and is true of every row.
# Seen: of two orders, one with an item, RETURNING EXISTS (SELECT .. WHERE shop_id = shop_id) says True of both.
# Paylink names the outer column in words of its own there (domain/links/known.py).
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --disable-pip-version-check sqlalchemy==2.1.9
"$here/venv/bin/python" - <<'PYTHON'
import sqlalchemy as sa

tables = sa.MetaData()
orders = sa.Table("orders", tables, sa.Column("id", sa.Integer, primary_key=True), sa.Column("shop_id", sa.Integer))
items = sa.Table("items", tables, sa.Column("id", sa.Integer, primary_key=True), sa.Column("shop_id", sa.Integer))
engine = sa.create_engine("sqlite://")
with engine.begin() as connection:
    tables.create_all(connection)
    connection.execute(sa.insert(orders), [{"shop_id": 1}, {"shop_id": 2}])
    connection.execute(sa.insert(items), {"shop_id": 1})
    any_item = sa.select(items.c.id).where(items.c.shop_id == orders.c.shop_id).exists()
    selected = connection.execute(sa.select(orders.c.id, any_item).order_by(orders.c.id)).all()
    returned = connection.execute(sa.update(orders).values(id=orders.c.id).returning(orders.c.id, any_item)).all()
print(f"selected {selected}, returned {sorted(returned)}")
if sorted(returned) == selected:
    raise SystemExit("It has changed: RETURNING says what SELECT says")
PYTHON
