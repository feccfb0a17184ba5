"""The steps of setting up: on Home until all are done, in a modal, and the message to whoever installed Paylink."""

from collections.abc import Sequence

from domain.overview.summaries import Steps
from handlers import ids
from handlers.views.blocks import Json, actions, button, context, header, markup_context, modal, section
from handlers.words.text import mention_of

HEADER = "Set Up Paylink"
_DONE, _OPEN = "✅", "⬜"
INSTALLED = (
    "*Paylink is installed.* It creates Stripe payment links for your company's billing invoices, and tells a channel when "
    "they are paid. Four steps set it up: connect Stripe, choose a channel, import invoices, try `/invoice`. Your Home "
    "tab shows them until they are done."
)


def steps(shown: Steps, *, may: bool, ask: Sequence[str] = ()) -> list[Json]:
    """The steps, with buttons for those who ``may`` take them, the next one's in colour; others read whom to ask: ``ask``,
    Slack's ids of people."""
    blocks = [header(HEADER)]
    todo = next((title for done, title, _, way in _steps(shown) if way is not None and not done), None)
    for number, (done, title, words, way) in enumerate(_steps(shown), start=1):
        said = f"{_DONE} {number} {title}" if done else f"{_OPEN} {number} {title}\n{words}"
        block = section(said, block_id=f"step-{number}")
        if may and way is not None:
            block["accessory"] = button(title, way, primary=title == todo)
        blocks.append(block)
    return blocks if may else [*blocks, whom_to_ask(ask)]


def whom_to_ask(people: Sequence[str]) -> Json:
    mentions = [mention for one in people if (mention := mention_of(one))]
    if not mentions:
        return context("Administrators of your workspace can do this.")
    return markup_context(f"Administrators can do this: {', '.join(mentions[:10])}.")


def set_up(shown: Steps, *, may: bool, ask: Sequence[str] = ()) -> Json:
    """The same in a modal."""
    return modal("Paylink", steps(shown, may=may, ask=ask), callback_id=ids.SET_UP)


def installed() -> Json:
    """``text`` and ``blocks`` for whoever installed Paylink."""
    block: Json = {"type": "section", "text": {"type": "mrkdwn", "text": INSTALLED, "verbatim": True}}
    way = button(HEADER, ids.SET_UP, primary=True)
    return {"text": INSTALLED, "blocks": [block, actions([way], block_id="ways")]}


def _steps(shown: Steps) -> list[tuple[bool, str, str, str | None]]:
    """Whether it is done, its title and words, and the button that takes it; none where there is nothing to press."""
    connect = None if shown.key_is_given else ids.CONNECT_STRIPE
    return [
        (shown.stripe, "Connect Stripe", "With a restricted key of your Stripe account.", connect),
        (
            shown.channel,
            "Choose a channel",
            "Where your team hears of each payment.",
            ids.SETTINGS,
        ),
        (
            shown.invoices,
            "Import invoices",
            "From a file of your invoicing program: CSV, Excel or an e-invoice.",
            ids.IMPORT_INVOICES,
        ),
        (
            shown.tried,
            "Try /invoice",
            "Type /invoice and a number in any conversation, or look for one here.",
            ids.TRY_INVOICE,
        ),
    ]
