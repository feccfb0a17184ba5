"""Connect Stripe: the key that somebody gives, and what Stripe says of it. No view ever holds a key."""

from urllib.parse import quote

from domain.connecting.checking import Permission
from domain.connecting.summaries import AskFirst, Connected, Otherness, Webhook
from domain.organisations.stripe_keys import StripeKeySummary
from handlers import ids
from handlers.references import ConnectReference
from handlers.views.blocks import (
    Json,
    actions,
    bullets,
    context,
    field,
    header,
    modal,
    notice,
    plain,
    section,
    url_button,
)
from handlers.words.connecting import (
    MODES,
    PERMISSIONS,
    WEBHOOKS,
    account_of,
    needed,
)
from handlers.words.text import counted

HEADER = "Connect Stripe"
MOST = 255
NEEDED_IN_STRIPE = (
    Permission.WRITE_LINKS,
    Permission.SESSIONS,
    Permission.EVENTS,
    Permission.CHARGES,
    Permission.DISPUTES,
    Permission.ACCOUNT,
    Permission.WEBHOOKS,
)
OPTIONAL = {
    Permission.WEBHOOKS: "Paylink hears of payments at once, by a webhook endpoint that it makes itself",
    Permission.ACCOUNT: "Paylink knows at once which account the key is of",
    Permission.METHODS: "Paylink sees whether Stripe's wallet Link is switched off",
}


def form(
    connected: StripeKeySummary | None = None,
    *,
    under: str = "",
    said: str | None = None,
    asked: AskFirst | None = None,
) -> Json:
    """Where a key is given, on the modal ``under``. ``asked``: what to confirm first; then the inputs keep what stands in them."""
    blocks = [header(HEADER)]
    if said is not None:
        blocks.append(notice(said))
    if asked is not None:
        blocks.append(notice(_consequences(asked)))
    elif connected is not None:
        blocks.append(
            context(
                f"Connected now: {connected.shown}, {account_of(connected.account, None)}. "
                "Another key of the same account takes its place."
            )
        )
    if asked is None:
        blocks += _how_to()
    return modal(
        "Stripe",
        [*blocks, *_inputs()],
        callback_id=ids.CONNECT_STRIPE,
        submit="Connect",
        close="Cancel",
        private_metadata=str(ConnectReference(under, "" if asked is None else asked.seal)),
    )


def checking() -> Json:
    """While Stripe is asked for longer than Slack waits."""
    return modal(
        "Stripe",
        [header(HEADER), section("Asking Stripe what the key may do… This takes a few seconds.")],
        callback_id=ids.CONNECTED_VIEW,
    )


def connected(done: Connected) -> Json:
    """What Stripe said of the key that is connected now."""
    check, key = done.check, done.key
    told = [
        f"{MODES[check.livemode]}: {key.shown}",
        f"Account: {account_of(check.account, check.name)}",
        WEBHOOKS[done.webhook],
    ]
    blocks = [header(HEADER), section("✅ Stripe is connected."), *bullets(told)]
    blocks += [section(f"⚠ {one}") for one in _doubts(done)]
    lacks = [one for one in OPTIONAL if one in check.lacks and not _is_moot(one, done)]
    if lacks:
        blocks.append(section("What the key may not do, and what it would be good for:"))
        blocks += bullets(f"{PERMISSIONS[one]}: {OPTIONAL[one]}" for one in lacks)
    return modal("Stripe", blocks, callback_id=ids.CONNECTED_VIEW, close="Done")


def _how_to() -> list[Json]:
    optional = [f"{PERMISSIONS[one]} (optional: {why})" for one, why in OPTIONAL.items()]
    return [
        section(
            "In the Stripe Dashboard open Developers, API keys, and press Create restricted key. Give it these permissions "
            "and no others:"
        ),
        *bullets([*needed(), *optional]),
        actions([url_button("Open Stripe", ids.OPEN_LINK, _create_key_url())], block_id="stripe"),
    ]


def _create_key_url() -> str:
    """The Dashboard's form, filled in as far as it takes it (docs/facts/stripe.md): the permissions are named as well."""
    permissions = "".join(
        f"&permissions%5B{place}%5D={one.value}" for place, one in enumerate(NEEDED_IN_STRIPE)
    )
    return f"https://dashboard.stripe.com/apikeys/create?name={quote('Paylink')}{permissions}"


def _inputs() -> list[Json]:
    """The same ids in each form, so that Slack keeps what somebody typed when it is shown once more."""
    key: Json = {
        "type": "plain_text_input",
        "action_id": ids.RESTRICTED_KEY,
        "placeholder": plain("rk_live_… or rk_test_…"),
        "max_length": MOST,
        "focus_on_load": True,
    }
    secret: Json = {
        "type": "plain_text_input",
        "action_id": ids.SIGNING_SECRET,
        "placeholder": plain("whsec_…"),
        "max_length": MOST,
    }
    return [
        field(
            "Restricted key",
            key,
            block_id=ids.RESTRICTED_KEY,
            hint="It is kept encrypted, and never shown again but for its last four characters.",
            optional=False,
        ),
        field(
            "Signing secret",
            secret,
            block_id=ids.SIGNING_SECRET,
            hint="Only if you made a webhook endpoint for Paylink yourself: it stands on the endpoint's page in Stripe.",
        ),
    ]


def _consequences(asked: AskFirst) -> str:
    links = counted(asked.links, "payment link")
    was = f"{MODES[asked.before_livemode]} of {account_of(asked.before_account, None)}"
    will = f"{MODES[asked.check.livemode]} of {account_of(asked.check.account, asked.check.name)}"
    what = "the other mode" if asked.otherness is Otherness.MODE else "another Stripe account"
    return (
        f"This key is of {what}: {will}. {links} were made in {was}. They stay at Stripe and buyers can still pay them, but while "
        "the new key is connected they don't show here and their payments aren't seen, and each of their invoices could get a second "
        "link. A key of the old account brings them back. Press Connect once more to go on."
    )


def _doubts(done: Connected) -> list[str]:
    check = done.check
    doubts = []
    if done.key.kind.startswith("sk"):
        doubts.append(
            "This is a secret key, which may do far more than Paylink needs. A restricted key is better: connect one and "
            "revoke this."
        )
    if check.takes_cards is False:
        doubts.append(
            "The account can't take card payments yet. See what Stripe still asks for, under Settings, Account."
        )
    if check.link_on is not False:
        also = "also offers" if check.link_on else "may also offer"
        doubts.append(
            f"Stripe's page {also} Link, its own wallet. For cards only, switch Link off in the Stripe Dashboard, Settings, "
            "Payment methods."
        )
    if (minutes := round(abs(check.clock_ahead).total_seconds() / 60)) >= 1:
        doubts.append(
            f"Paylink's clock and Stripe's differ by {counted(minutes, 'minute')}. Tell whoever runs Paylink."
        )
    return doubts


def _is_moot(permission: Permission, done: Connected) -> bool:
    return permission is Permission.WEBHOOKS and done.webhook in (Webhook.GIVEN, Webhook.NO_ADDRESS)
