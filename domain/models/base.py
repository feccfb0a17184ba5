"""What the tables share. Instants are whole milliseconds since 1970 in UTC, so that both databases order and add them alike."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from domain.states import WRITTEN, LinkStatus

E = TypeVar("E", bound=StrEnum)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(milliseconds=value)


def milliseconds(length: timedelta) -> int:
    """A length of time, to be added to a column of Instants in SQL."""
    return length // timedelta(milliseconds=1)


class Code(TypeDecorator[E]):
    """A code of an enum. ``written`` is how it is kept where that isn't the code itself.

    Binding what is no code raises KeyError (wrapped by SQLAlchemy), and so does reading it, unless ``otherwise`` is read then.
    """

    impl = String
    cache_ok = True

    def __init__(
        self,
        codes: type[E],
        length: int,
        written: Mapping[E, str] | None = None,
        *,
        otherwise: E | None = None,
    ) -> None:
        super().__init__(length)
        self.otherwise = otherwise
        self.codes = codes
        self._written = {code: code.value if written is None else written[code] for code in codes}
        self._read = {word: code for code, word in self._written.items()}

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self._written[value]

    def process_result_value(self, value: Any | None, dialect: Dialect) -> E | None:
        if value is None:
            return None
        return self._read[value] if self.otherwise is None else self._read.get(value, self.otherwise)

    def written(self, code: E) -> str:
        """For statements that go past SQLAlchemy's types."""
        return self._written[code]


# Processes of versions before 0007 read and write the words, and a million rows would have to be rewritten (decision 0019).
STATUS = Code(LinkStatus, 20, WRITTEN)
Id = BigInteger().with_variant(Integer, "sqlite")
# Ordered byte by byte on both databases, so that prefixes and keys are ranges of an index.
Bytewise = Text().with_variant(Text(collation="C"), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
