"""One act in a world: who does it, when, and what everyone may know of the account's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.stripe.events.log import API_VERSION
from sandbox.stripe.objects.money import MOST_DIGITS
from sandbox.stripe.world import World

Json = dict[str, Any]


@dataclass
class AccountRules:
    """What differs between Stripe accounts or is undocumented, and can be changed while the server runs.

    least_checked: where an amount below the currency's least is refused. Checkout refuses it when a session is created
    (/error-codes#amount-too-small); when a link is created is undocumented.
    late_sessions_complete: whether a session that was opened before its link went inactive may still be paid
    (undocumented, so the worse case for a merchant is the default).
    most_digits, retired_currencies_refused: see objects.money.
    takes_cards: whether Stripe lets the account take card payments yet (/api/accounts/object, charges_enabled).
    wallet_on: whether the account's payment methods have Link switched on.
    """

    merchant: str = "Paylink Local Merchant"
    takes_cards: bool = True
    wallet_on: bool = True
    least_checked: Literal["creation", "payment", "never"] = "creation"
    late_sessions_complete: bool = True
    most_digits: int = MOST_DIGITS
    retired_currencies_refused: bool = True


@dataclass(slots=True)
class Act:
    """`cause` is the API request behind it (its id and idempotency key), None when a buyer or a bank acts."""

    world: World
    other_mode: World
    rules: AccountRules
    now: float
    public_url: str
    cause: Json | None = None
    version: str = API_VERSION
    """The request's API version."""

    @property
    def created(self) -> int:
        return int(self.now)

    def record(self, event: str, item: Json, *, previous: Json | None = None) -> None:
        self.world.late.recorded(item, self.now)
        self.world.events.record(event, item, now=self.now, cause=self.cause, previous=previous)

    def get(self, kind: str, object_id: str, *, param: str, status: int = 404) -> Json:
        return self.world.get(kind, object_id, param=param, other=self.other_mode, status=status)
