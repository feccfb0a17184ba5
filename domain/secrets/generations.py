"""How a process notices that another one has changed a secret: one small read, however many organisations there are."""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.models import SecretGeneration


class Kept(StrEnum):
    """What changes are counted of."""

    INSTALLATIONS = "installations"
    STRIPE_KEYS = "stripe_keys"


def advance(session: Session, kept: Kept) -> int:
    """The number for a change in this transaction. Others that change the same wait for its end, so that whoever reads a number has
    read all changes up to it."""
    added = (
        insert_into(session, SecretGeneration)
        .values(name=kept.value, number=1)
        .on_conflict_do_update(index_elements=["name"], set_={"number": SecretGeneration.number + 1})
        .returning(SecretGeneration.number)
    )
    return session.execute(added).scalar_one()


def read(session: Session, kept: Kept) -> int:
    """The number of the last change; 0 before the first."""
    number = session.scalar(sa.select(SecretGeneration.number).where(SecretGeneration.name == kept.value))
    return number or 0
