"""What the audit's entries of an invoice say, in words: who did what, and what came of it."""

from collections.abc import Callable

from domain.audit import Deed, Result
from domain.audit.chain import Entry
from domain.states import Source, Verdict
from domain.summaries import OPERATOR, PROGRAM
from handlers.words.exceptions import SETTLEMENTS, TITLES
from handlers.words.sentences import REASONS
from handlers.words.text import escaped, mention_of, one_line

WAYS: dict[Source, str] = {
    Source.COMMAND: "with a command",
    Source.BUTTON: "in Slack",
    Source.EVENT: "in Slack",
    Source.PAGE: "on a page",
    Source.API: "through the API",
    Source.CLI: "on the command line",
    Source.STRIPE_WEBHOOK: "by webhook",
    Source.STRIPE_POLL: "when it was polled",
    Source.STRIPE_EVENT: "by an event",
    Source.STRIPE_LIST: "in its lists",
    Source.PAYLINK: "by itself",
}
"""From where a person, program or operator acted, and how something of Stripe's was learnt."""
_VERDICTS: dict[Verdict, str] = {
    Verdict.PAID: "the link was paid",
    Verdict.SECOND_PAYMENT: "the link was paid a second time",
    Verdict.AMOUNT_DIFFERS: "another amount was paid than the link asks for",
    Verdict.CURRENCY_DIFFERS: "it was paid in another currency than the link asks for",
    Verdict.COMPLETED_UNPAID: "the checkout was completed without money",
}


def told(entry: Entry) -> str:
    """In Slack's markup, without the time. A deed of a later version is told by its code."""
    words = _DEEDS.get(entry.deed)
    if words is None:
        return f"{who(entry.actor)}: {escaped(entry.deed)}"
    return words(entry)


def who(actor: str) -> str:
    """A person as Slack names them; a program by its token, an operator by their name on the machine."""
    person = mention_of(actor)
    if person is not None:
        return person
    if actor.startswith(PROGRAM):
        return f"The program {escaped(actor.removeprefix(PROGRAM))}"
    if actor == OPERATOR:
        return "Whoever runs Paylink"
    if actor.startswith(f"{OPERATOR}:"):
        return f"{escaped(actor.removeprefix(f'{OPERATOR}:'))}, who runs Paylink,"
    return escaped(actor)


def _by(entry: Entry) -> str:
    return who(entry.actor)


def _way(entry: Entry) -> str:
    way = next((words for source, words in WAYS.items() if source.value == entry.source), None)
    return f" {way}" if way else ""


def _sum(entry: Entry) -> str:
    return "" if entry.after is None else f": {escaped(entry.after)}"


def _asked(entry: Entry) -> str:
    if entry.result == Result.REFUSED:
        why = next((words for reason, words in REASONS.items() if reason.value == entry.subject), "")
        return (
            f"{_by(entry)} asked for the link{_way(entry)}, and was refused. {escaped(one_line(why))}".strip()
        )
    return f"{_by(entry)} asked for the link{_way(entry)}{_sum(entry)}"


def _paid(entry: Entry) -> str:
    verdict = _code(entry.subject)
    words = next((said for one, said in _VERDICTS.items() if one.value == verdict), "there is a payment")
    return f"Stripe told{_way(entry)} that {words}{_sum(entry)}"


def _reversed(what: str) -> Callable[[Entry], str]:
    def words(entry: Entry) -> str:
        status = escaped(_code(entry.subject).replace("_", " "))
        return f"Stripe told{_way(entry)} of a {what}{_sum(entry)} ({status})"

    return words


def _opened(entry: Entry) -> str:
    return f"An exception was opened: {_title(entry)}{_sum(entry)}"


def _resolved(entry: Entry) -> str:
    return f"{_by(entry)} resolved an exception{_way(entry)}: {_title(entry)}"


def _settled(entry: Entry) -> str:
    why = next((said for one, said in SETTLEMENTS.items() if one.value == entry.after), None)
    return f"An exception ended by itself: {_title(entry)}{f'. {escaped(why)}' if why else ''}"


def _title(entry: Entry) -> str:
    kind = _code(entry.subject)
    return next((said for one, said in TITLES.items() if one.value == kind), escaped(kind))


def _code(subject: str) -> str:
    """What stands behind the id that an entry is about."""
    return subject.rpartition(" ")[2]


_DEEDS: dict[str, Callable[[Entry], str]] = {
    Deed.LINK_ASKED: _asked,
    Deed.LINK_CREATED: lambda entry: f"The link was created{_sum(entry)}",
    Deed.LINK_REFUSED: lambda _: "Stripe refused to create the link",
    Deed.LINK_RECHECKED: lambda entry: f"{_by(entry)} had Stripe asked about the link{_way(entry)}",
    Deed.PAYMENT_RECORDED: _paid,
    Deed.REFUND_RECORDED: _reversed("refund"),
    Deed.DISPUTE_RECORDED: _reversed("dispute"),
    Deed.EXCEPTION_OPENED: _opened,
    Deed.EXCEPTION_RESOLVED: _resolved,
    Deed.EXCEPTION_SETTLED: _settled,
    Deed.MESSAGE_POSTED: lambda entry: f"It was told in <#{escaped(_code(entry.subject))}>",
    Deed.AMOUNT_CHANGED: lambda entry: (
        f"{_by(entry)} imported another amount{_way(entry)}: {escaped(entry.before or '')} → "
        f"{escaped(entry.after or '')}"
    ),
}
