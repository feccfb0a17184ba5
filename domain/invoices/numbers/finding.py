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

_STRIPE_ID = re.compile(r"(?<![A-Za-z0-9])(plink|pi|cs_(?:test|live))_[A-Za-z0-9_]+")
_URL = re.compile(
    r"(?:(https?://)([^\s/|<>]+)|((?:[\w-]+\.)+[a-z]{2,}))(/[^\s|<>]+)", re.ASCII | re.IGNORECASE
)
# What is pasted along with a number.
_QUOTES = "'\"`´‘’‚“”„«»‹›()[]<>*_~"
_DIGITS = re.compile(r"[0-9]+$")
# What stands between several numbers.
_BETWEEN = re.compile(r"[\s;+&|/]+|,(?![0-9]{3}\b)")
# Words for a number that are written right before its digits.
_NAMED = re.compile(r"(?:invoice|number|num|nr|no)[.°º:#_-]*(?=[0-9]{3,}$)", re.IGNORECASE)
# Words behind a number that are passed over.
WORDS = 5
# Beginnings of numbers up to their closing digits that are tried: an organisation has few.
BEGINNINGS = 20
# Digits that closing ones are made up to with noughts.
NOUGHTS = 8
# Characters that each of several numbers has; fewer may be anything, such as a day.
SHORT = 3
# Invoices that are asked for whose numbers end so: one more than are offered.
SEVERAL = 11


def find_meant(session: Session, scope: Scope, text: str) -> Sequence[int]:
    """The invoices that are meant, by their ids: one, or several of which nobody can say which."""
    found = _by_stripe(session, scope, text)
    if found is not None:
        return found
    for count, words in enumerate(_without_last_words(text)):
        ids = _by_number(session, scope.organisation_id, words) or _by_closing_digits(
            session, scope.organisation_id, words
        )
        if ids:
            return ids
        if count == 0 and (several := _by_each(session, scope.organisation_id, text)):
            return several
    return []


def _by_stripe(session: Session, scope: Scope, text: str) -> Sequence[int] | None:
    """None if the text holds neither an id nor a URL of Stripe's."""
    own = sa.select(Link.invoice_id).where(
        Link.organisation_id == scope.organisation_id, Link.ledger_id == scope.ledger_id
    )
    if found := _STRIPE_ID.search(text):
        if found.group(1) == "plink":
            return session.scalars(own.where(Link.stripe_id == found.group())).all()
        named = Payment.payment_intent if found.group(1) == "pi" else Payment.session_id
        paid = sa.select(Payment.link_id).where(Payment.ledger_id == scope.ledger_id, named == found.group())
        return session.scalars(own.where(Link.id.in_(paid))).all()
    if found := _URL.search(text):
        scheme, host, bare, path = found.groups()
        path = re.split("[?#]", path)[0].rstrip(".,;:!)/")
        written = {f"{scheme.lower() if scheme else 'https://'}{(host or bare).lower()}{path}"}
        written.add(f"https://{(host or bare).lower()}{path}")
        ids = session.scalars(own.where(Link.url.in_(sorted(written)))).all()
        # Without a scheme it may be anything.
        return ids if ids or scheme else None
    return None


def find_behind_words(session: Session, scope: Scope, text: str) -> Sequence[int]:
    """As find_meant, of a number that words stand before, as in "invoice 1003"; for what nothing else was found for, as a
    buyer may be called so."""
    words = text.split()
    for place, word in enumerate(words[: WORDS + 1]):
        if not any(map(str.isdecimal, word)):
            continue
        named = _NAMED.sub("", word, count=1)
        if (place or named != word) and (
            ids := find_meant(session, scope, " ".join([named, *words[place + 1 :]]))
        ):
            return ids
    return []


def _by_each(session: Session, organisation_id: int, text: str) -> Sequence[int]:
    """Those of several numbers, where that is what was typed; no dates or amounts behind one."""
    pieces = [piece.strip(_QUOTES) for piece in _BETWEEN.split(text) if any(map(str.isdecimal, piece))]
    found: dict[int, None] = {}
    for piece in pieces[: SEVERAL - 1] if len(pieces) > 1 else ():
        if len(piece) >= SHORT:
            ids = _by_number(session, organisation_id, piece) or _by_closing_digits(
                session, organisation_id, piece
            )
            found |= dict.fromkeys(ids if len(ids) == 1 else ())
    return list(found) if len(found) > 1 else []


def _without_last_words(text: str) -> Iterator[str]:
    words = text.split()
    for count in range(len(words), max(len(words) - WORDS, 1) - 1, -1):
        yield " ".join(words[:count]).strip(_QUOTES)


def _by_number(session: Session, organisation_id: int, text: str) -> Sequence[int]:
    """As it is written, or with other signs or none before it and between its letters and digits."""
    plain = number_key(text).strip("#№.,:;!? ")
    if not plain:
        return []
    if ids := session.scalars(ids_of(organisation_id, plain)).all():
        return sorted(set(ids))
    parts = re.findall(r"[^\W\d_]+|[0-9]+", plain)
    if not parts:
        return []
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
