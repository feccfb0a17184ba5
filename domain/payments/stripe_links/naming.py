"""What an object of Stripe's names in its metadata, and what an unknown link asks for."""

from dataclasses import dataclass
from typing import Any

from domain.money import Money
from domain.payments.stripe_links.states import LinkFacts
from domain.stripe.client import amount_of, id_of, read_payment_link

MOST_NUMBER = 255


@dataclass(frozen=True)
class Naming:
    """What an object's metadata names."""

    team_id: str
    number: str | None
    """One line of text, as far as any database keeps it."""
    reference: str | None


@dataclass(frozen=True)
class Offer:
    """What an unknown link asks for; ``money`` is None where that is more than one line of one price."""

    facts: LinkFacts
    url: str
    livemode: bool
    naming: Naming | None
    money: Money | None


def read_naming(metadata: object) -> Naming | None:
    """None for metadata that names no organisation."""
    if not isinstance(metadata, dict):
        return None
    team_id, number = id_of(metadata.get("organization")), metadata.get("invoice_number")
    if team_id is None:
        return None
    shown = "".join(char if char.isprintable() else " " for char in number) if isinstance(number, str) else ""
    return Naming(team_id, shown.strip()[:MOST_NUMBER] or None, id_of(metadata.get("paylink_reference")))


def read_offer(found: dict[str, Any], facts: LinkFacts) -> Offer:
    """Read a payment link with its ``line_items``. Raises StripeUnreadable for one without a web address."""
    _, url = read_payment_link(found)
    return Offer(
        facts, url, found.get("livemode") is True, read_naming(found.get("metadata")), _money_of(found)
    )


def _money_of(found: dict[str, Any]) -> Money | None:
    items = found.get("line_items")
    lines = items.get("data") if isinstance(items, dict) and not items.get("has_more") else None
    if not isinstance(lines, list) or len(lines) != 1 or not isinstance(lines[0], dict):
        return None
    total, currency = lines[0].get("amount_total"), lines[0].get("currency")
    try:
        amount = amount_of(total)
    except ValueError:
        return None
    if not isinstance(currency, str) or not (
        currency.isascii() and currency.isalpha() and len(currency) == 3
    ):
        return None
    return Money(amount, currency.upper())
