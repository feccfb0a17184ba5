"""Rows in one parameter arrive as they were given, on either database."""

import json

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.rows_given import given, over


def test_rows_arrive_in_their_order_and_to_the_letter(db: Database) -> None:
    types = {"amount": sa.BigInteger, "word": sa.Text, "said": sa.Text}
    select = over(types, lambda rows: sa.select(rows.c.amount, rows.c.word, rows.c.said))
    words = ['it\'s "so"', "ä\u2028🙂", "a\\b\n{}", None]
    sent = [
        {"amount": 10**15 + place, "word": word, "said": {"b": word, "a": [1]}}
        for place, word in enumerate(words)
    ]

    def read(session: Session) -> None:
        rows = session.execute(select(session), given(sent)).all()
        assert [(row.amount, row.word, json.loads(row.said)) for row in rows] == [
            (one["amount"], one["word"], one["said"]) for one in sent
        ]
        assert session.execute(select(session), given([])).all() == []

    db.run(read)
