"""The doctor's questions to Stripe: does it take the key, and may the key do what Paylink does?"""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from bot.cli.doctor.findings import Finding, Level
from bot.settings import STRIPE_API, Settings, secret
from domain.connecting.checking import KeyCheck, Permission, check_key
from domain.errors import KeyUnusable
from domain.payments.permissions import Thing
from domain.states import KeyTrouble
from domain.stripe.client import StripeApi, quiet_sdk
from handlers.words.connecting import PERMISSIONS

PERMISSION_OF = {
    Thing.LINKS: PERMISSIONS[Permission.READ_LINKS],
    Thing.SESSIONS: PERMISSIONS[Permission.SESSIONS],
    Thing.EVENTS: PERMISSIONS[Permission.EVENTS],
    Thing.REFUNDS: PERMISSIONS[Permission.CHARGES],
    Thing.DISPUTES: PERMISSIONS[Permission.DISPUTES],
}
ACCOUNT_PERMISSION = f"{PERMISSIONS[Permission.ACCOUNT]} ({Permission.ACCOUNT.value})"
NOTICEABLE = timedelta(minutes=1)
_MODES = {
    True: "live mode: buyers pay real money",
    False: "test mode: nobody pays real money",
}
_TROUBLES = {
    KeyTrouble.REFUSED: Finding(
        Level.WRONG,
        "Stripe: it refuses STRIPE_API_KEY.",
        "Copy the key again, or make a new restricted one, under Developers, API keys in the Stripe Dashboard.",
    ),
    KeyTrouble.NOT_STRIPE: Finding(
        Level.WRONG,
        "Stripe: what answers isn't Stripe.",
        "Look for a proxy or a firewall between this machine and Stripe, and see that STRIPE_API_URL is right.",
    ),
    KeyTrouble.STRIPE_AWAY: Finding(
        Level.WRONG,
        "Stripe: it can't be reached, or has troubles of its own.",
        "See that this machine can reach it, and that STRIPE_API_URL is right.",
    ),
}


@contextlib.asynccontextmanager
async def asking_stripe(settings: Settings, key: str | None = None) -> AsyncIterator[StripeApi]:
    """A client with this key, or the configured one, through the configured proxy."""
    quiet_sdk()
    stripe = StripeApi(
        key or secret(settings.stripe_api_key),
        base_url=settings.stripe_api_url,
        proxy=settings.proxies.of(settings.stripe_api_url or STRIPE_API),
    )
    try:
        yield stripe
    finally:
        await stripe.close()


async def examine_stripe(stripe: StripeApi) -> AsyncIterator[Finding]:
    try:
        check = await check_key(stripe)
    except KeyUnusable as unusable:
        yield _TROUBLES[unusable.why]
        return
    yield Finding(Level.WELL, f"Stripe: it takes the key; {_MODES[check.livemode]}.")
    yield _examine_account(check)
    if check.takes_cards is False:
        yield Finding(
            Level.WRONG,
            "Stripe: the account can't take card payments yet, so no link can be paid.",
            "See what Stripe still asks for under Settings, Account in the Stripe Dashboard.",
        )
    if abs(check.clock_ahead) > NOTICEABLE:
        yield _examine_clock(check.clock_ahead)
    if check.missing:
        yield Finding(
            Level.WRONG,
            f"Stripe: the key lacks permissions: {', '.join(PERMISSIONS[one] for one in check.missing)}.",
            "Edit the restricted key under Developers, API keys in the Stripe Dashboard.",
        )
    else:
        yield Finding(Level.WELL, "Stripe: the key has every permission that Paylink needs.")
    if (finding := _examine_wallet(check)) is not None:
        yield finding


def _examine_clock(ahead: timedelta) -> Finding:
    minutes = round(abs(ahead).total_seconds() / 60)
    way = "behind" if ahead > timedelta(0) else "ahead of"
    return Finding(
        Level.NOTE,
        f"Clock: this machine's is {minutes} minute{'s' * (minutes != 1)} {way} Stripe's. Payments are seen all the same; "
        "Slack's requests over HTTP are refused when it is more than five.",
        "Let the machine set its clock by itself (NTP).",
    )


def _examine_wallet(check: KeyCheck) -> Finding | None:
    """Link, Stripe's own wallet, which a payment link can't leave out by itself."""
    mend = "Switch Link off under Settings, Payment methods in the Stripe Dashboard."
    if check.link_on is None:
        return Finding(
            Level.NOTE,
            "Card only: Stripe's page also offers Link, its own wallet, unless the account has it switched off, which this "
            f"key may not see (it lacks {PERMISSIONS[Permission.METHODS]}).",
            mend,
        )
    if check.link_on:
        return Finding(Level.NOTE, "Card only: Stripe's page also offers Link, its own wallet.", mend)
    return Finding(Level.WELL, "Card only: Link is switched off.")


def _examine_account(check: KeyCheck) -> Finding:
    mode = "live" if check.livemode else "test"
    if check.account is not None:
        return Finding(Level.WELL, f"Stripe: the key is of the account {check.account} in {mode} mode.")
    return Finding(
        Level.NOTE,
        f"Stripe: the key may not read which account it is of ({mode} mode). Paylink then asks for one of its links to find "
        "out whether another key is of the same account.",
        f"Give the restricted key the permission {ACCOUNT_PERMISSION}, and it is known at once.",
    )
