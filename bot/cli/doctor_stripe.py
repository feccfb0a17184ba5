"""The doctor's questions to Stripe: does it take the key, and may the key do what Paylink does?"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from bot.cli.findings import Finding, Level
from domain.payments.permissions import Thing
from domain.stripe.client import StripeApi, id_of
from domain.stripe.errors import NotFromStripe, StripeKeyRefused, StripeRefused, StripeTrouble

PERMISSIONS = {
    Thing.LINKS: "Payment Links: Read",
    Thing.SESSIONS: "Checkout Sessions: Read",
    Thing.EVENTS: "Events: Read",
    Thing.REFUNDS: "Charges: Read",
    Thing.DISPUTES: "Disputes: Read",
}
READS = {
    "/v1/payment_links": PERMISSIONS[Thing.LINKS],
    "/v1/checkout/sessions": PERMISSIONS[Thing.SESSIONS],
    "/v1/events": PERMISSIONS[Thing.EVENTS],
    "/v1/charges": PERMISSIONS[Thing.REFUNDS],
    "/v1/disputes": PERMISSIONS[Thing.DISPUTES],
}
ACCOUNT_PERMISSION = "Accounts: Read (rak_accounts_kyc_basic_read)"
NOTICEABLE = timedelta(minutes=1)
LINK_METHOD = Finding(
    Level.NOTE,
    "Card only: Stripe's page also offers Link, its own wallet, unless the account has it switched off, which Paylink "
    "can't see.",
    "Switch Link off under Settings, Payment methods in the Stripe Dashboard.",
)


async def examine_stripe(stripe: StripeApi) -> AsyncIterator[Finding]:
    mode = "live mode: buyers pay real money" if stripe.livemode else "test mode: nobody pays real money"
    lacking: list[str] = []
    for path, permission in READS.items():
        problem = await _ask(lambda path=path: stripe.list_page(path, {"limit": 1}))  # type: ignore[misc]
        if isinstance(problem, Finding):
            yield problem
            return
        if problem:
            lacking.append(permission)
    problem = await _ask(stripe.probe_create)
    if isinstance(problem, Finding):
        yield problem
        return
    if problem:
        lacking.append("Payment Links: Write")
    yield Finding(Level.WELL, f"Stripe: it takes the key; {mode}.")
    yield await _examine_account(stripe)
    if abs(stripe.clock.ahead) > NOTICEABLE:
        minutes = round(abs(stripe.clock.ahead).total_seconds() / 60)
        way = "behind" if stripe.clock.ahead > timedelta(0) else "ahead of"
        yield Finding(
            Level.NOTE,
            f"Clock: this machine's is {minutes} minute{'s' * (minutes != 1)} {way} Stripe's. Payments are seen all the same; "
            "Slack's requests over HTTP are refused when it is more than five.",
            "Let the machine set its clock by itself (NTP).",
        )
    if lacking:
        yield Finding(
            Level.WRONG,
            f"Stripe: the key lacks permissions: {', '.join(lacking)}.",
            "Edit the restricted key under Developers, API keys in the Stripe Dashboard.",
        )
    else:
        yield Finding(Level.WELL, "Stripe: the key has every permission that Paylink needs.")
    yield LINK_METHOD


async def _examine_account(stripe: StripeApi) -> Finding:
    mode = "live" if stripe.livemode else "test"
    try:
        account = id_of((await stripe.get_account()).get("id"))
    except StripeTrouble:
        account = None
    if account is not None:
        return Finding(Level.WELL, f"Stripe: the key is of the account {account} in {mode} mode.")
    return Finding(
        Level.NOTE,
        f"Stripe: the key may not read which account it is of ({mode} mode). Paylink then asks for one of its links to find "
        "out whether another key is of the same account.",
        f"Give the restricted key the permission {ACCOUNT_PERMISSION}, and it is known at once.",
    )


async def _ask(question: Callable[[], Awaitable[object]]) -> Finding | bool:
    """Whether the permission is lacking; a finding if nothing more can be asked."""
    try:
        await question()
    except StripeKeyRefused as refused:
        if refused.lacking:
            return True
        return Finding(
            Level.WRONG,
            "Stripe: it refuses STRIPE_API_KEY.",
            "Copy the key again, or make a new restricted one, under Developers, API keys in the Stripe Dashboard.",
        )
    except StripeRefused:
        # A request that can't be fulfilled was understood, so it was permitted.
        return False
    except NotFromStripe:
        return Finding(
            Level.WRONG,
            "Stripe: what answers isn't Stripe.",
            "Look for a proxy or a firewall between this machine and Stripe, and see that STRIPE_API_URL is right.",
        )
    except StripeTrouble:
        return Finding(
            Level.WRONG,
            "Stripe: it can't be reached, or has troubles of its own.",
            "See that this machine can reach it, and that STRIPE_API_URL is right.",
        )
    return False
