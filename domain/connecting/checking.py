"""What a Stripe key is and may do, asked of Stripe without changing anything there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from domain.errors import KeyUnusable
from domain.states import KeyTrouble
from domain.stripe.client import Object, StripeApi, id_of, listed
from domain.stripe.errors import NotFromStripe, StripeKeyRefused, StripeLimited, StripeRefused, StripeTrouble

ATTEMPTS = 4


class Permission(StrEnum):
    """What a restricted key can be given; the words are handlers', the names are those of Stripe's 403s."""

    READ_LINKS = "rak_payment_link_read"
    WRITE_LINKS = "rak_payment_link_write"
    SESSIONS = "rak_checkout_session_read"
    EVENTS = "rak_event_read"
    CHARGES = "rak_charge_read"
    DISPUTES = "rak_dispute_read"
    ACCOUNT = "rak_accounts_kyc_basic_read"
    METHODS = "rak_payment_method_configuration_read"
    WEBHOOKS = "rak_webhook_write"


LISTS: dict[str, Permission] = {
    "/v1/payment_links": Permission.READ_LINKS,
    "/v1/checkout/sessions": Permission.SESSIONS,
    "/v1/events": Permission.EVENTS,
    "/v1/charges": Permission.CHARGES,
    "/v1/disputes": Permission.DISPUTES,
}
NEEDED = (Permission.WRITE_LINKS, *LISTS.values())
"""Without one of these something that Paylink does is impossible; without the others something is only less simple."""


@dataclass(frozen=True)
class KeyCheck:
    """What Stripe says of a key. None where the key may not read it."""

    livemode: bool
    lacks: tuple[Permission, ...]
    account: str | None = None
    name: str | None = None
    """How the account calls itself."""
    takes_cards: bool | None = None
    link_on: bool | None = None
    """Whether Stripe's page also offers Link, Stripe's own wallet."""
    clock_ahead: timedelta = timedelta(0)
    """By how much Stripe's clock is ahead of this machine's."""

    @property
    def missing(self) -> tuple[Permission, ...]:
        """What Paylink can't do without."""
        return tuple(one for one in NEEDED if one in self.lacks)


async def check_key(stripe: StripeApi) -> KeyCheck:
    """Ask Stripe, everything else at once when it has taken the key. Raises KeyUnusable if it doesn't, or doesn't answer."""
    first, *others = _questions(stripe).items()
    told = {first[0]: await _ask(first[1])}
    try:
        async with asyncio.TaskGroup() as group:
            asked = {permission: group.create_task(_ask(question)) for permission, question in others}
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    told |= {permission: answer.result() for permission, answer in asked.items()}
    account = told[Permission.ACCOUNT] or {}
    return KeyCheck(
        livemode=stripe.livemode,
        lacks=tuple(permission for permission, answer in told.items() if answer is None),
        account=id_of(account.get("id")),
        name=_name_of(account),
        takes_cards=_takes_cards(account),
        link_on=_is_link_on(told[Permission.METHODS]),
        clock_ahead=stripe.clock.ahead,
    )


def _questions(stripe: StripeApi) -> dict[Permission, Callable[[], Awaitable[object]]]:
    asked: dict[Permission, Callable[[], Awaitable[object]]] = {
        permission: partial(stripe.list_page, path, {"limit": 1}) for path, permission in LISTS.items()
    }
    return asked | {
        Permission.WRITE_LINKS: stripe.probe_create,
        Permission.ACCOUNT: stripe.get_account,
        Permission.METHODS: partial(stripe.list_page, "/v1/payment_method_configurations"),
        Permission.WEBHOOKS: partial(stripe.probe_create, "/v1/webhook_endpoints"),
    }


async def _ask(question: Callable[[], Awaitable[object]], attempts: int = ATTEMPTS) -> Object | None:
    """The answer, empty if there is none to this; None if the key lacks the permission."""
    try:
        answer = await question()
    except StripeLimited as limited:
        # Whatever else uses the account goes on meanwhile.
        if attempts == 1:
            raise KeyUnusable(KeyTrouble.STRIPE_AWAY) from None
        await asyncio.sleep(limited.retry_after or 0.5)
        return await _ask(question, attempts - 1)
    except StripeKeyRefused as refused:
        if refused.lacking:
            return None
        raise KeyUnusable(KeyTrouble.REFUSED) from None
    except StripeRefused:
        # A request that can't be fulfilled was understood, so it was permitted.
        return {}
    except NotFromStripe:
        raise KeyUnusable(KeyTrouble.NOT_STRIPE) from None
    except StripeTrouble:
        raise KeyUnusable(KeyTrouble.STRIPE_AWAY) from None
    return answer if isinstance(answer, dict) else {}


def _name_of(account: Object) -> str | None:
    profile = account.get("business_profile")
    settings = account.get("settings")
    dashboard = settings.get("dashboard") if isinstance(settings, dict) else None
    for place, key in ((dashboard, "display_name"), (profile, "name")):
        name = place.get(key) if isinstance(place, dict) else None
        if isinstance(name, str) and name.strip():
            return "".join(one if one.isprintable() else " " for one in name.strip()[:100])
    return None


def _takes_cards(account: Object) -> bool | None:
    capabilities = account.get("capabilities")
    cards = capabilities.get("card_payments") if isinstance(capabilities, dict) else None
    if account.get("charges_enabled") is False:
        return False
    return cards == "active" if isinstance(cards, str) else None


def _is_link_on(page: Object | None) -> bool | None:
    """By the account's default set of payment methods, which links without one of their own follow."""
    if not page or not isinstance(page.get("data"), list):
        return None
    default = next((one for one in listed(page) if one.get("is_default") is True), None)
    link = default.get("link") if default else None
    available = link.get("available") if isinstance(link, dict) else None
    return available if isinstance(available, bool) else None
