"""The words for Stripe keys: permissions by the names that Stripe's Dashboard has for them, and what is wrong with a key."""

from collections.abc import Iterable

from domain.connecting.checking import NEEDED, Permission
from domain.connecting.summaries import Webhook
from domain.states import KeyTrouble
from handlers.words.text import isolated

PERMISSIONS: dict[Permission, str] = {
    Permission.READ_LINKS: "Payment Links: Read",
    Permission.WRITE_LINKS: "Payment Links: Write",
    Permission.SESSIONS: "Checkout Sessions: Read",
    Permission.EVENTS: "Events: Read",
    Permission.CHARGES: "Charges and Refunds: Read",
    Permission.DISPUTES: "Disputes: Read",
    Permission.ACCOUNT: "Accounts: Read",
    Permission.METHODS: "Payment Method Configurations: Read",
    Permission.WEBHOOKS: "Webhook Endpoints: Write",
}

TROUBLES: dict[KeyTrouble, str] = {
    KeyTrouble.MALFORMED: (
        "That isn't a whole restricted key, which begins with rk_test_ or rk_live_. Copy it again from the Stripe Dashboard, "
        "Developers, API keys."
    ),
    KeyTrouble.REFUSED: "Stripe doesn't know this key, or it was revoked or has expired. Copy it again, or make a new one.",
    KeyTrouble.STRIPE_AWAY: "Stripe can't be reached right now, so the key couldn't be checked. Try again in a minute.",
    KeyTrouble.NOT_STRIPE: (
        "What answered wasn't Stripe, so the key couldn't be checked. Ask whoever runs Paylink to look for a proxy or a "
        "firewall in between."
    ),
}


SIGNING_UNUSABLE = (
    "That isn't a signing secret: it begins with whsec_. It stands on the endpoint's page under Developers, Webhooks in the "
    "Stripe Dashboard. Leave it empty if you made no endpoint."
)


def lacking(permissions: Iterable[str]) -> str:
    """What to say of a key that lacks what Paylink can't do without."""
    names = ", ".join(PERMISSIONS[Permission(one)] for one in permissions)
    return f"The key lacks {names}. Edit it in the Stripe Dashboard, Developers, API keys, and press Connect again."


def needed() -> list[str]:
    """What a key must be given, one for each resource: writing includes reading."""
    return [PERMISSIONS[one] for one in NEEDED if one is not Permission.READ_LINKS]


MODES = {True: "Live mode", False: "Test mode"}

WEBHOOKS: dict[Webhook, str] = {
    Webhook.MADE: "Payments are heard of at once: Paylink made its own webhook endpoint.",
    Webhook.GIVEN: "Payments are heard of at once, by the webhook endpoint whose signing secret you gave.",
    Webhook.NOT_ALLOWED: "Payments are seen within minutes: the key may not make a webhook endpoint.",
    Webhook.NO_ADDRESS: "Payments are seen within minutes: Paylink has no public address that Stripe could reach.",
    Webhook.REFUSED: (
        "Payments are seen within minutes: Stripe didn't make a webhook endpoint. Perhaps the account has sixteen, which is the "
        "most: delete one, and connect the key again."
    ),
}


def account_of(account: str | None, name: str | None) -> str:
    """An account as people know it."""
    if account is None:
        return "an account that the key may not read"
    return f"{isolated(name)} ({account})" if name else account
