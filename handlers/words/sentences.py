"""The words for everything that can be wrong: one sentence or two for each error, reason and exception."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from domain import errors
from domain.invoices.eligibility import amount_doubt
from domain.lists.page_shape import MOST_TICKED
from domain.reasons import Doubt, Reason
from domain.states import Badge, Due, LinkStatus, ListFilter, PauseReason
from domain.summaries import InvoiceSummary, Pause
from handlers.rejections import (
    FileNotFetched,
    NoFileChosen,
    NoFilesHere,
    Outsider,
    ScopeMissing,
    Unreadable,
)
from handlers.words.connecting import SIGNING_UNUSABLE, TROUBLES, lacking
from handlers.words.rights import OUTSIDERS, not_allowed
from handlers.words.text import capitalised, counted, fit, isolated, one_line
from handlers.words.written import amount

ADD_ON = "Stripe Credit Card Payment Add-on"

STATUSES: dict[LinkStatus, str] = {
    LinkStatus.NOT_CREATED: "Not Created",
    LinkStatus.PENDING_PAYMENT: "Pending Payment",
    LinkStatus.PAID: "Paid",
}
"""The Online Payment Link status as people read it."""

FILTERS: dict[ListFilter | None, str] = {
    None: "All",
    **{status: STATUSES[status] for status in LinkStatus},
    Due.OVERDUE: "Overdue",
}
"""What the list may be narrowed to."""

BADGES: dict[Badge, str] = {
    Badge.PARTLY_REFUNDED: "Partly refunded",
    Badge.REFUNDED: "Refunded",
    Badge.DISPUTED: "Disputed",
    Badge.INQUIRY: "Inquiry",
    Badge.DISPUTE_LOST: "Dispute lost",
    Badge.LINK_DEACTIVATED: "Link deactivated",
    Badge.SETTLED_ELSEWHERE: "Settled elsewhere",
    Badge.VOID: "Void",
}
"""What stands beside the status."""

REASONS: dict[Reason, str] = {
    Reason.ADD_ON_MISSING: (
        f"Your organisation doesn't have the {ADD_ON}, without which no online payment link can be created. "
        "Ask whoever runs Paylink for you to turn it on."
    ),
    Reason.NOT_CONNECTED: (
        "Stripe isn't connected yet, so no online payment link can be created. An administrator connects it with Set Up Paylink on Home."
    ),
    Reason.PENDING_PAYMENT: "It already has an online payment link, which waits for payment.",
    Reason.PAID: "It has been paid.",
    Reason.BEING_CREATED: "Its online payment link is being created.",
    Reason.SETTLED_ELSEWHERE: "It has been settled elsewhere.",
    Reason.VOID: "It is void.",
    Reason.NOT_POSITIVE: "Its billing amount isn't greater than 0.",
    Reason.CURRENCY_UNSUPPORTED: "Stripe takes no payments in its currency.",
    Reason.CURRENCY_RETIRED: (
        "Its currency isn't in use any more: EUR took the place of BGN, XCG of ANG, and STN of STD."
    ),
    Reason.TOO_LARGE: "Its billing amount has more than the 12 digits that Stripe takes.",
    Reason.LAST_DIGIT_NOT_ZERO: "In its currency Stripe takes only amounts whose third decimal is 0.",
    Reason.NOT_WHOLE_UNITS: "In its currency Stripe takes only amounts without decimals.",
}

_NOT_FETCHED = {
    "": "Slack doesn't give Paylink the file right now. Choose it again and try once more.",
    "file_deleted": "The file was deleted in Slack before it could be read. Choose it again.",
    "file_not_found": "The file isn't in this workspace any more. Choose it again.",
    "too_large": "The file is larger than 10 MB. Split it, or ask whoever runs Paylink to import it with `paylink import`.",
    "empty": "The file is empty. Export it again.",
}
"""By Slack's code for why a file can't be had."""

ERRORS: dict[type[Exception], Callable[[Any], str]] = {
    errors.OrganisationUnknown: lambda _: (
        "Paylink isn't set up for this workspace. Ask whoever runs it to add your organisation."
    ),
    errors.NotAllowed: not_allowed,
    errors.StandingUnknown: lambda _: (
        "Slack doesn't tell Paylink right now who you are, and so you can't use it. Try again in a minute."
    ),
    errors.InvoiceNotFound: lambda _: "This invoice doesn't exist any more. Look it up again with /invoice.",
    errors.RunNotFound: lambda _: "This bulk run doesn't exist any more.",
    errors.SelectionNotFound: lambda _: "This list is too old to go on with. Open it again with /invoices.",
    errors.ExceptionNotFound: lambda _: "This exception doesn't exist any more. See /invoice exceptions.",
    errors.AlreadyResolved: lambda _: (
        "This exception has been resolved already: close this and open it again."
    ),
    errors.ReasonUnusable: lambda _: "Write down how it was dealt with, in 500 characters at most.",
    errors.KeyIsGiven: lambda _: (
        "Whoever runs Paylink configured its Stripe key (STRIPE_API_KEY). Ask them to change it."
    ),
    errors.KeyUnusable: lambda error: TROUBLES[error.why],
    errors.KeyLacks: lambda error: lacking(error.permissions),
    errors.SigningSecretUnusable: lambda _: SIGNING_UNUSABLE,
    errors.FileRefused: lambda error: f"{capitalised(error.why)}.",
    errors.ImportNotFound: lambda _: (
        "This import doesn't exist any more: a file that nobody said to import is kept for an hour. "
        "Bring it in again with /invoices import."
    ),
    errors.ImportOutdated: lambda _: (
        "This preview is too old to go on with. Bring the file in again with /invoices import."
    ),
    errors.NotEligible: lambda error: (
        REASONS[error.reason]
        if error.reason in (Reason.ADD_ON_MISSING, Reason.NOT_CONNECTED)
        else f"No link can be created for {isolated(error.number)}. {REASONS[error.reason]}"
    ),
    errors.AmountChanged: lambda error: (
        f"The billing amount has changed from {amount(error.seen)} to {amount(error.now)} and nothing was created. "
        "Check the new amount, then create the link."
    ),
    errors.AmountsChanged: lambda error: changed_amounts(error.numbers),
    errors.SelectionChanged: lambda _: (
        "What is ticked, or the Stripe mode, isn't what this showed any more. Nothing was created; check it again."
    ),
    errors.RunOfOtherMode: lambda _: (
        "This bulk run was made in Stripe's other mode, test or live, and shows only while Paylink is connected to that."
    ),
    errors.NothingSelected: lambda _: "Nothing is ticked. Tick the invoices that need a link.",
    errors.LedgerChanged: lambda _: (
        "Paylink has been connected to another Stripe account or mode, and nothing was created. Try again in a minute."
    ),
    errors.NothingToRecheck: lambda _: "This invoice has no online payment link in the Stripe mode in use.",
    errors.RecheckedLately: lambda error: (
        f"Stripe was asked about this link a moment ago. It can be asked again in {_wait(error.wait)}."
    ),
    errors.TooOften: lambda error: (
        f"You have asked for this very often in a short time. Ask again in {_wait(error.wait)}."
    ),
    errors.StripeUnasked: lambda error: (
        f"{_unasked(error)}, so this is what Paylink knew before. Try again later."
    ),
    errors.DatabaseUnavailable: lambda _: (
        "Paylink's database doesn't answer right now. Try again in a minute."
    ),
    errors.DatabaseReplaced: lambda _: (
        "Paylink's database was exchanged. Ask whoever runs Paylink to start it again."
    ),
    ScopeMissing: lambda error: (
        f"Paylink lacks the permission {error.args[0]} in Slack, without which no file can be brought in. Ask an administrator "
        "to install it again with that scope; `paylink doctor` says what is missing."
    ),
    FileNotFetched: lambda error: _NOT_FETCHED.get(error.code, _NOT_FETCHED[""]),
    NoFileChosen: lambda _: "Choose a file of invoices first.",
    NoFilesHere: lambda _: "Files can't be made here. Ask whoever runs Paylink for `paylink export`.",
    Outsider: lambda _: OUTSIDERS,
    Unreadable: lambda _: "Paylink doesn't recognise what was clicked. Open the invoice or the list again.",
}


def sentence(error: Exception) -> str | None:
    """What people are told of this error; None for one that nobody foresaw."""
    words = ERRORS.get(type(error))
    return None if words is None else words(error)


def unforeseen(reference: str) -> str:
    return f"Something went wrong in Paylink. Try again; if it stays so, tell whoever runs it this reference: {reference}"


def changed_amounts(numbers: tuple[str, ...]) -> str:
    """``numbers``: the invoices whose amounts changed."""
    return f"The billing amount of {_some(numbers)} has changed. Nothing was created; check the new amounts."


DOUBTS: dict[Doubt, str] = {
    Doubt.BELOW_LEAST: "is less than Stripe usually takes: the buyer may be unable to pay.",
    Doubt.ABOVE_SURE: (
        "is more than some cards take, American Express among them from 10 digits on: the buyer may need another card."
    ),
}
"""Each goes on after an amount, or after what names several."""


def doubtful(invoices: Sequence[InvoiceSummary]) -> list[str]:
    """What to say before links are created for these: a sentence for each doubt that there is."""
    by_doubt: dict[Doubt, list[str]] = {}
    for invoice in invoices:
        if (doubt := amount_doubt(invoice.amount)) is not None:
            by_doubt.setdefault(doubt, []).append(invoice.number)
    return [f"The amount of {_some(by_doubt[doubt])} {DOUBTS[doubt]}" for doubt in Doubt if doubt in by_doubt]


def _some(numbers: Sequence[str]) -> str:
    """The first ten of them."""
    shown = ", ".join(isolated(number) for number in numbers[:10])
    return f"{shown} and {len(numbers) - 10} more" if len(numbers) > 10 else shown


def changed_since(invoice: InvoiceSummary) -> list[str]:
    """What to say of the invoice if its billing amount isn't its link's any more; nothing of any other."""
    if invoice.link is None or not invoice.changed_since_link:
        return []
    asks = "asked" if invoice.status is LinkStatus.PAID else "still asks"
    return [
        f"The billing amount has changed: the link {asks} for {amount(invoice.link.amount)}, the invoice now says {amount(invoice.amount)}."
    ]


def settled_before(invoice: InvoiceSummary) -> list[str]:
    """What to say of a payment of an invoice that wasn't to be paid any more."""
    if Badge.VOID in invoice.badges:
        return [
            "Take care: the invoice is void. Refund the payment in the Stripe Dashboard, or correct your books."
        ]
    if Badge.SETTLED_ELSEWHERE in invoice.badges:
        return [
            "Take care: the invoice was settled in another way, too. If the buyer has paid twice, refund this payment in the "
            "Stripe Dashboard."
        ]
    return []


_PAUSES: dict[PauseReason, str] = {
    PauseReason.STRIPE_AWAY: "Stripe can't be reached right now",
    PauseReason.KEY_REFUSED: "Stripe refuses the API key",
    PauseReason.PERMISSION_LACKING: "The Stripe key lacks a permission",
}


def paused(pause: Pause) -> str:
    """Why no link is created or no payment seen right now, and what becomes of those that are waited for."""
    why = _PAUSES[pause.reason]
    if pause.permission:
        why = f"The Stripe key lacks the permission {fit(pause.permission, 400)}"
    waits = "Links that were asked for are created by themselves once that is over"
    if pause.permission and pause.permission.endswith("_read"):
        waits = "Payments don't show here until that is over"
    return f"{why}. {waits}; if it lasts, ask whoever runs Paylink to see what `paylink doctor` says."


def _unasked(error: errors.StripeUnasked) -> str:
    if error.why is None:
        return "Stripe takes no more requests right now"
    if error.permission:
        return f"The Stripe key lacks the permission {fit(error.permission, 400)}"
    return _PAUSES[error.why]


def _wait(wait: timedelta) -> str:
    seconds = math.ceil(wait.total_seconds())
    return counted(seconds, "second") if seconds <= 120 else counted(math.ceil(seconds / 60), "minute")


def late(pause: Pause | None) -> str:
    """That the last check of Stripe is older than it should be, and why."""
    why = "Paylink wasn't running or couldn't ask" if pause is None else _PAUSES[pause.reason]
    return f"That is late: what happened at Stripe since then doesn't show here yet. {why}."


def refused_with(said: str | None) -> str:
    """``said``: Stripe's own text when it refused to make a link, empty if it gave none."""
    return one_line(said or "") or "Stripe gave no reason"


def left_out(number: int) -> str:
    """``number``: how many ticks the cap left out."""
    return f"{MOST_TICKED} invoices can be ticked in all, so {counted(number, 'more invoice')} couldn't be."


_CHANNEL_PROBLEMS = {
    "not_in_channel": "Paylink isn't a member of it. Invite it there with /invite.",
    "channel_not_found": (
        "Slack doesn't show it to Paylink: it is private and Paylink isn't a member, or it was deleted. "
        "Invite Paylink there with /invite, or choose another one under Settings on Home."
    ),
    "is_archived": "It is archived. Restore it, or choose another one under Settings on Home.",
    "restricted_action": "Posting there is restricted. Allow Paylink to post, or choose another one under Settings on Home.",
    "missing_scope": "Paylink lacks a permission of Slack's. Have the app installed again from its manifest.",
}


def channel_problem(code: str) -> str:
    """What is wrong with the notification channel and how to mend it, by Slack's error code."""
    return _CHANNEL_PROBLEMS.get(
        code, f"Slack answers {code}. Check the channel, or choose another one under Settings on Home."
    )


def not_installed(where: str) -> str:
    """For a workspace that hasn't installed Paylink, or not any more."""
    return f"Paylink isn't installed in this workspace. Install it at {where}"
