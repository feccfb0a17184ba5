"""The words for exceptions: what differs, what to do about it, and how it ended. None of them says Paid."""

import re

from domain.states import AnnouncementKind, ExceptionKind, Settlement
from domain.summaries import ExceptionFacts, ExceptionSummary, Resolution
from handlers.words import written
from handlers.words.text import fit, isolated, one_line

TITLES: dict[ExceptionKind, str] = {
    ExceptionKind.SECOND_PAYMENT: "Second payment",
    ExceptionKind.AMOUNT_DIFFERS: "Another amount",
    ExceptionKind.CURRENCY_DIFFERS: "Another currency",
    ExceptionKind.COMPLETED_UNPAID: "Completed without money",
    ExceptionKind.REFUNDED: "Refund",
    ExceptionKind.REFUND_FAILED: "Refund failed",
    ExceptionKind.DISPUTED: "Dispute",
    ExceptionKind.DISPUTE_LOST: "Dispute lost",
    ExceptionKind.AMOUNT_CHANGED: "Billing amount changed",
    ExceptionKind.SETTLED_ELSEWHERE: "Settled elsewhere",
    ExceptionKind.LINK_DEACTIVATED: "Link deactivated",
    ExceptionKind.PAYMENT_UNKNOWN: "Unknown payment",
    ExceptionKind.LINK_UNKNOWN: "Unknown link",
    ExceptionKind.UNDELIVERABLE: "Message not delivered",
    ExceptionKind.NUMBER_TWIN: "Numbers that look the same",
    ExceptionKind.OTHER: "Something else",
}
"""In a line of the resolved ones."""

WHAT_TO_DO: dict[ExceptionKind, str] = {
    ExceptionKind.SECOND_PAYMENT: "Look at both payments in the Stripe Dashboard and refund the one that is too much.",
    ExceptionKind.AMOUNT_DIFFERS: (
        "Compare the payment in the Stripe Dashboard with the invoice, and settle it with the buyer."
    ),
    ExceptionKind.CURRENCY_DIFFERS: (
        "Compare the payment in the Stripe Dashboard with the invoice, and settle it with the buyer."
    ),
    ExceptionKind.COMPLETED_UNPAID: "Look at the payment in the Stripe Dashboard, and ask the buyer to pay in another way.",
    ExceptionKind.REFUNDED: "Check in the Stripe Dashboard that the refund was meant, and correct your books.",
    ExceptionKind.REFUND_FAILED: (
        "Refund it again in the Stripe Dashboard, or pay the buyer back in another way, and correct your books."
    ),
    ExceptionKind.DISPUTED: "Answer the dispute in the Stripe Dashboard before its deadline.",
    ExceptionKind.DISPUTE_LOST: "Correct your books, and settle with the buyer what is still owed.",
    ExceptionKind.AMOUNT_CHANGED: (
        "Tell the buyer, and deactivate the link in the Stripe Dashboard if the amount that it asks for isn't to be paid."
    ),
    ExceptionKind.SETTLED_ELSEWHERE: "Deactivate the link in the Stripe Dashboard, so that nobody pays again.",
    ExceptionKind.LINK_DEACTIVATED: "Reactivate it in the Stripe Dashboard.",
    ExceptionKind.PAYMENT_UNKNOWN: (
        "Look at the payment in the Stripe Dashboard, and find out which invoice it is for and where its link came from."
    ),
    ExceptionKind.LINK_UNKNOWN: (
        "Look at the link in the Stripe Dashboard, and deactivate it there unless it is to be paid."
    ),
    ExceptionKind.UNDELIVERABLE: (
        "Look whether the channel has it; whoever runs Paylink can send it again with `paylink announcements resend`."
    ),
    ExceptionKind.NUMBER_TWIN: (
        "Find out whether both are meant. One that isn't can be imported as void, its number written exactly as it is; if "
        "both are, resolve this with the reason."
    ),
    ExceptionKind.OTHER: "Look at the invoice and its payments in the Stripe Dashboard, or wait until all of Paylink is of that version.",
}

DEACTIVATED = "Its link was switched off in Stripe, so the buyer can't pay with it. Reactivate it in the Stripe Dashboard."
USED = "Stripe closed its link when it was used, so the buyer can't pay with it."
KEEP_IT = "If it pays for the invoice, keep it and resolve this with that reason: refunded as well, nothing would be left."
USED_UP = "Reactivate it in the Stripe Dashboard, with a limit that lets it be paid once more, or ask the buyer to pay in another way."
NO_DEADLINE = (
    "No deadline is known: see in the Stripe Dashboard whether an answer is due. How it ends is told here."
)

# Stripe docs: api/disputes/object, reason.
_DISPUTE_REASONS = {
    "bank_cannot_process": "the bank can't process the payment",
    "check_returned": "a cheque was returned",
    "credit_not_processed": "the buyer says that they are owed a refund",
    "customer_initiated": "the buyer disputes it",
    "debit_not_authorized": "the buyer says that they didn't authorise the debit",
    "duplicate": "the buyer says that they paid twice",
    "fraudulent": "the buyer says that they didn't authorise the payment",
    "general": "no reason was given",
    "incorrect_account_details": "the account's details are wrong",
    "insufficient_funds": "the buyer's account lacks the funds",
    "noncompliant": "the payment broke a rule of the card network",
    "product_not_received": "the buyer says that nothing was delivered",
    "product_unacceptable": "the buyer says that it wasn't as described",
    "subscription_canceled": "the buyer says that they had cancelled",
    "unrecognized": "the buyer doesn't recognise the payment",
}
# Stripe docs: api/refunds/object, failure_reason.
_FAILURES = {
    "charge_for_pending_refund_disputed": "the payment was disputed meanwhile",
    "declined": "the buyer's bank declined it",
    "expired_or_canceled_card": "the card has expired or was cancelled",
    "insufficient_funds": "your Stripe balance lacks the funds",
    "lost_or_stolen_card": "the card was lost or stolen",
    "merchant_request": "it was cancelled in Stripe",
}
_STATES = {"settled": "was settled in another way", "void": "is void"}
_MESSAGES: dict[AnnouncementKind, str] = {
    AnnouncementKind.PAID: "of a payment",
    AnnouncementKind.EXCEPTION: "of an exception",
    AnnouncementKind.FOLLOW_UP: "about an exception",
    AnnouncementKind.AMOUNTS_CHANGED: "of changed billing amounts",
}

SETTLEMENTS: dict[Settlement, str] = {
    Settlement.REFUNDED: "the payment was refunded in full",
    Settlement.REFUND_SUCCEEDED: "the money was refunded after all",
    Settlement.REFUND_FAILED: "the refund failed",
    Settlement.DISPUTE_WON: "the dispute was won",
    Settlement.DISPUTE_LOST: "the dispute was lost",
    Settlement.APPEAL_LOST: "the dispute was lost, after an appeal",
    Settlement.DISPUTE_CLOSED: "the inquiry was closed",
    Settlement.DISPUTE_OPENED: "the inquiry became a dispute",
    Settlement.DISPUTE_PREVENTED: "the dispute was prevented",
    Settlement.LINK_ACTIVE: "the link is active again",
    Settlement.LINK_CLOSED: "the link can't be paid any more",
    Settlement.PAID: "the money came in",
    Settlement.LINK_PAID: "the link was paid as it was",
    Settlement.NOT_TO_BE_PAID: "the invoice isn't to be paid any more",
    Settlement.AMOUNT_RESTORED: "the billing amount is the link's again",
    Settlement.SUPERSEDED: "the billing amount has changed again",
    Settlement.REOPENED: "the invoice is open again",
    Settlement.LINK_KNOWN: "the link is known now",
    Settlement.TWIN_CLOSED: "only one of the two can have a link now",
    Settlement.DELIVERED: "the message was delivered",
    Settlement.BEFORE_UPGRADE: "it was told long before exceptions could be resolved",
}
_PERSON = re.compile(r"[UW][A-Z0-9]{1,254}", re.ASCII)


def what_differs(exception: ExceptionSummary) -> str:
    """A sentence or two. Never says Paid: an exception announces no payment."""
    facts = exception.facts
    got = "an amount that isn't known" if exception.amount is None else written.amount(exception.amount)
    asked = "another amount" if facts.expected is None else written.amount(facts.expected)
    return {
        ExceptionKind.SECOND_PAYMENT: _second(got, alone=facts.alone),
        ExceptionKind.AMOUNT_DIFFERS: f"Stripe received {got}; the link asks for {asked}.",
        ExceptionKind.CURRENCY_DIFFERS: f"Stripe received {got}; the link asks for {asked}, in another currency.",
        ExceptionKind.COMPLETED_UNPAID: f"The buyer completed the payment page over {asked}, but no money came in.",
        ExceptionKind.REFUNDED: _refunded(got, facts),
        ExceptionKind.REFUND_FAILED: f"The refund of {got} failed{_because(_FAILURES, facts.reason)}: the buyer didn't get it.",
        ExceptionKind.DISPUTED: _disputed(got, facts.reason, inquiry=facts.inquiry),
        ExceptionKind.DISPUTE_LOST: f"The dispute over {got} was lost{_because(_DISPUTE_REASONS, facts.reason)}.",
        ExceptionKind.AMOUNT_CHANGED: (
            f"The billing amount has changed: the link still asks for {asked}, the invoice now says {got}."
        ),
        ExceptionKind.SETTLED_ELSEWHERE: (
            f"The invoice {_STATES.get(facts.state, _STATES['settled'])}, and its link over {asked} can still be paid."
        ),
        ExceptionKind.LINK_DEACTIVATED: (
            f"Its link over {asked} was used, but doesn't pay for it: Stripe takes no more payments through it."
            if facts.used
            else f"Its link over {asked} was deactivated in Stripe: the buyer can't pay."
        ),
        ExceptionKind.PAYMENT_UNKNOWN: f"A payment of {got} came in through a link that Paylink doesn't know.",
        ExceptionKind.LINK_UNKNOWN: f"Stripe has a link over {got} that Paylink doesn't know.",
        ExceptionKind.UNDELIVERABLE: _undeliverable(facts.message, facts.problem),
        ExceptionKind.NUMBER_TWIN: _twin(facts),
        ExceptionKind.OTHER: "A later version of Paylink found something that this one has no words for.",
    }[exception.kind]


def what_to_do(exception: ExceptionSummary) -> str:
    """A sentence."""
    if exception.kind is ExceptionKind.DISPUTED and exception.due_by is None:
        return NO_DEADLINE
    if exception.kind is ExceptionKind.DISPUTED and exception.facts.inquiry:
        return "Answer the inquiry in the Stripe Dashboard before its deadline, so that it doesn't become a dispute."
    if exception.kind is ExceptionKind.SECOND_PAYMENT and exception.facts.alone:
        return KEEP_IT
    if exception.kind is ExceptionKind.LINK_DEACTIVATED and exception.facts.used:
        return USED_UP
    return WHAT_TO_DO[exception.kind]


def resolver(by: str) -> tuple[str, bool]:
    """Who resolved it, and whether that is a person's Slack id."""
    if _PERSON.fullmatch(by):
        return by, True
    return ("whoever runs Paylink" if by == "operator" else by), False


def ended(resolution: Resolution) -> str:
    """Why it ended, in words."""
    settlement = next((each for each in Settlement if each.value == resolution.reason), None)
    _, is_person = resolver(resolution.by)
    if settlement is None or is_person or resolution.by == "operator":
        return one_line(resolution.reason)
    return SETTLEMENTS[settlement]


def _second(got: str, *, alone: bool) -> str:
    first = " The money of the first one has gone back to the buyer." if alone else ""
    return f"A second payment of {got} came in for the same link.{first}"


def _refunded(got: str, facts: ExceptionFacts) -> str:
    still = (
        ""
        if facts.besides is None
        else f" A second payment of {written.amount(facts.besides)} is still there."
    )
    if facts.so_far is None or facts.whole is None:
        return f"{got} was refunded to the buyer.{still}"
    return (
        f"{got} was refunded, in all {written.amount(facts.so_far)} of {written.amount(facts.whole)}.{still}"
    )


def _disputed(got: str, reason: str, *, inquiry: bool) -> str:
    because = _because(_DISPUTE_REASONS, reason)
    if inquiry:
        return f"The buyer's bank asks about {got}{because}. No money has been taken yet."
    return f"The buyer's bank disputes {got}{because}."


def _because(words: dict[str, str], code: str) -> str:
    """What is said of Stripe's code; of one that isn't known the code itself."""
    if not code:
        return ""
    return f" ({words.get(code, fit(one_line(code).replace('_', ' '), 60))})"


def _twin(facts: ExceptionFacts) -> str:
    other = f" {isolated(facts.other)}" if facts.other else ""
    buyer = f" of {fit(one_line(facts.other_buyer), 60)}" if facts.other_buyer else ""
    amount = "" if facts.other_amount is None else f" over {written.amount(facts.other_amount)}"
    return (
        f"Another invoice's number looks the same:{other}{buyer}{amount}. Both have a link, or can get one."
    )


def _undeliverable(message: str, problem: str) -> str:
    kind = next((each for each in _MESSAGES if each.value == message), None)
    about = "" if kind is None else f" {_MESSAGES[kind]}"
    code = f" ({fit(one_line(problem), 100)})" if problem else ""
    return f"The message{about} couldn't be delivered to the notification channel, or perhaps was{code}."
