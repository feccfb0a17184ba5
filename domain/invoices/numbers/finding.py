"""What somebody means who types something for an invoice: a number as people write it, its closing digits, Stripe's id or URL.

Each way is a few looks into indexes, however many invoices there are. Words behind a number are passed over, and before it where nothing
else is found.
"""

import re
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.number_search import Numbers
from domain.invoices.numbers.endings import digits_of, first_ending
from domain.invoices.numbers.keys import number_key
from domain.invoices.numbers.twins import ids_of
from domain.models import Invoice, Link, Payment
from domain.scope import Scope

_STRIPE_ID = re.compile(r"(?<![A-Za-z0-9])(plink|pi)_[A-Za-z0-9_]+")
_URL = re.compile(r"https?://[^\s|<>]+")
# What is pasted along with a number.
_QUOTES = "'\"`´‘’‚“”„«»‹›()[]<>*_~"
_DIGITS = re.compile(r"[0-9]+$")
# Words behind a number that are passed over.
WORDS = 5
# Beginnings of numbers up to their closing digits that are tried: an organisation has few.
BEGINNINGS = 20
# Digits that closing ones are made up to with noughts.
NOUGHTS = 8
# Invoices that are asked for whose numbers end so: one more than are offered.
SEVERAL = 11


def find_meant(session: Session, scope: Scope, text: str) -> Sequence[int]:
    """The invoices that are meant, by their ids: one, or several of which nobody can say which."""
    found = _by_stripe(session, scope, text)
    if found is not None:
        return found
    for words in _without_last_words(text):
        ids = _by_number(session, scope.organisation_id, words) or _by_closing_digits(
            session, scope.organisation_id, words
        )
        if ids:
            return ids
    return []


def _by_stripe(session: Session, scope: Scope, text: str) -> Sequence[int] | None:
    """None if the text holds neither an id nor a URL of Stripe's."""
    own = sa.select(Link.invoice_id).where(
        Link.organisation_id == scope.organisation_id, Link.ledger_id == scope.ledger_id
    )
    if found := _STRIPE_ID.search(text):
        if found.group(1) == "plink":
            return session.scalars(own.where(Link.stripe_id == found.group())).all()
        paid = sa.select(Payment.link_id).where(
            Payment.ledger_id == scope.ledger_id, Payment.payment_intent == found.group()
        )
        return session.scalars(own.where(Link.id.in_(paid))).all()
    if found := _URL.search(text):
        url = re.split("[?#]", found.group())[0].rstrip(".,;:!)/")
        return session.scalars(own.where(Link.url == url)).all()
    return None


def find_behind_words(session: Session, scope: Scope, text: str) -> Sequence[int]:
    """As find_meant, of a number that words stand before, as in "invoice 1003"; for what nothing else was found for, as a
    buyer may be called so."""
    words = text.split()
    first = next((place for place, word in enumerate(words) if any(map(str.isdecimal, word))), 0)
    return find_meant(session, scope, " ".join(words[first:])) if 0 < first <= WORDS else []


def _without_last_words(text: str) -> Iterator[str]:
    words = text.split()
    for count in range(len(words), max(len(words) - WORDS, 1) - 1, -1):
        yield " ".join(words[:count]).strip(_QUOTES)


def _by_number(session: Session, organisation_id: int, text: str) -> Sequence[int]:
    """As it is written, or with other signs or none before it and between its letters and digits."""
    plain = number_key(text).strip("#.,:;!? ")
    if not plain:
        return []
    if ids := session.scalars(ids_of(organisation_id, plain)).all():
        return sorted(set(ids))
    parts = re.findall(r"[^\W\d_]+|[0-9]+", plain)
    joined = {"".join(parts)}
    if len(parts) > 1 or not plain.isalnum():
        # As the organisation's own numbers write it.
        joined.update(Numbers(session, organisation_id, " ".join(parts)).spellings)
    return _with_keys(session, organisation_id, joined)


def _by_closing_digits(session: Session, organisation_id: int, text: str) -> Sequence[int]:
    """One only if no other number ends so; of several, those first that have nothing but noughts before the digits."""
    digits = digits_of(text)
    if not digits:
        return []
    places = first_ending(session, organisation_id, digits, status=None, after=None, limit=SEVERAL)
    ids = [invoice_id for _, invoice_id in places]
    if len(ids) == 1:
        return ids
    noughts = ["0" * count + digits for count in range(max(NOUGHTS - len(digits), 0) + 1)]
    keys = {beginning + end for beginning in _beginnings(session, organisation_id) for end in noughts}
    whole = _with_keys(session, organisation_id, keys) if ids else []
    return [*whole, *(one for one in ids if one not in whole)]


def _beginnings(session: Session, organisation_id: int) -> Iterator[str]:
    """What the organisation's numbers begin with, up to their closing digits: each is leapt over in the index."""
    after = ""
    key = sa.select(Invoice.number_key).where(Invoice.organisation_id == organisation_id)
    for _ in range(BEGINNINGS):
        found = session.scalar(key.where(Invoice.number_key > after).order_by(Invoice.number_key).limit(1))
        if found is None:
            return
        closing = _DIGITS.search(found)
        if closing is None:
            after = found
            continue
        beginning = found[: closing.start()]
        yield beginning
        after = f"{beginning}:"  # the sign behind the digits


def _with_keys(session: Session, organisation_id: int, keys: set[str]) -> Sequence[int]:
    own = sa.select(Invoice.id).where(Invoice.organisation_id == organisation_id)
    wanted = sorted(keys)
    found = set(session.scalars(own.where(Invoice.number_key.in_(wanted))))
    found.update(session.scalars(own.where(Invoice.identity.in_(wanted))))
    return sorted(found)
