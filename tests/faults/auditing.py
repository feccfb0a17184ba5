"""The three places must agree in the end (evidence.py): compared row by row."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from domain.states import LinkState, LinkStatus
from tests.faults.evidence import Evidence
from tests.faults.feed import compare_feed
from tests.faults.reversals import compare

Json = dict[str, Any]
PAID_NUMBER = re.compile(r"^(?:\W*Paid: |• )invoice (\S+) of ", re.MULTILINE)


def audit(evidence: Evidence, promised: Iterable[str]) -> list[str]:
    """Everything that isn't as promised, in sentences; none if all is well."""
    return [
        *_audit_links(evidence, promised),
        *_audit_payments(evidence),
        *compare(
            evidence.reversals,
            {session_id: verdict for session_id, verdict, _ in evidence.books.payments},
            evidence.sessions,
            evidence.refunds,
            evidence.disputes,
        ),
        *compare_feed(evidence.feed),
        *_audit_messages(evidence),
    ]


def _audit_links(evidence: Evidence, promised: Iterable[str]) -> Iterator[str]:
    made = Counter(link["metadata"].get("invoice_number") for link in evidence.links)
    yield from (
        f"invoice {number} has {count} links at Stripe" for number, count in made.items() if count > 1
    )
    known = {link.stripe_id: link for link in evidence.books.links if link.stripe_id}
    for link in evidence.links:
        ours = known.pop(link["id"], None)
        if ours is None:
            yield f"link {link['id']} of {link['metadata'].get('invoice_number')} is unknown to Paylink"
        elif ours.number != link["metadata"]["invoice_number"]:
            yield f"link {link['id']} was made for another invoice than {ours.number}"
        elif (
            ours.status == LinkStatus.PENDING_PAYMENT
            and not link["active"]
            and "link_deactivated" not in evidence.reversals.links[link["id"]].badges
        ):
            yield f"link {link['id']} can't be paid, and buyers are invited to"
    yield from (f"link {stripe_id} isn't at Stripe" for stripe_id in known)
    rows = Counter(link.number for link in evidence.books.links)
    yield from (f"invoice {number} has {count} rows" for number, count in rows.items() if count > 1)
    created = {link.number: link.status for link in evidence.books.links if link.state == LinkState.CREATED}
    yield from (
        f"link of {link.number} is still {link.state}"
        for link in evidence.books.links
        if link.state != LinkState.CREATED
    )
    yield from (f"promised link of {number} is missing" for number in sorted(set(promised) - created.keys()))
    for number, status in evidence.books.invoices.items():
        if status != created.get(number, LinkStatus.NOT_CREATED):
            yield f"invoice {number} shows {status}, its link {created.get(number)}"
    if evidence.books.runs_unfinished:
        yield f"{evidence.books.runs_unfinished} bulk runs are unfinished"


def _audit_payments(evidence: Evidence) -> Iterator[str]:
    verdicts = {session_id: verdict for session_id, verdict, _ in evidence.books.payments}
    if len(verdicts) != len(evidence.books.payments):
        yield "a session is recorded twice"
    rows = {link.stripe_id: link for link in evidence.books.links if link.stripe_id}
    fitting: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for session in evidence.sessions:
        verdict = verdicts.pop(session["id"], None)
        link = rows.get(session["payment_link"])
        if verdict is None or link is None:
            yield f"session {session['id']} isn't recorded"
            continue
        fits = (session["amount_total"], session["currency"].upper()) == (link.amount, link.currency)
        counts = fits and session["payment_status"] == "paid"
        fitting[session["payment_link"]] += counts
        paid[session["payment_link"]] += verdict == "paid"
        allowed = {"paid", "second_payment"} if counts else {"amount_differs", "currency_differs"}
        if verdict not in allowed | ({"second_payment"} if not fits else set()):
            yield f"session {session['id']} is recorded as {verdict}"
    yield from (f"session {session_id} is recorded but unknown to Stripe" for session_id in verdicts)
    for stripe_id, link in rows.items():
        if paid[stripe_id] != min(fitting[stripe_id], 1):
            yield f"link {stripe_id} has {fitting[stripe_id]} payments that fit and {paid[stripe_id]} recorded"
        if (link.status == LinkStatus.PAID) != (paid[stripe_id] == 1):
            yield f"link {stripe_id} is {link.status} with {paid[stripe_id]} payments"


def _audit_messages(evidence: Evidence) -> Iterator[str]:
    verdicts = Counter(verdict for _, verdict, _ in evidence.books.payments)
    kinds = Counter(kind for kind, _ in evidence.books.exceptions)
    for verdict in ("second_payment", "amount_differs", "currency_differs"):
        if kinds[verdict] != verdicts[verdict]:
            yield f"{verdicts[verdict]} times {verdict}, and {kinds[verdict]} exceptions"
    announced = [row for row in evidence.books.outbox if row[3] in evidence.channels]
    if len([row for row in announced if row[1] == "paid"]) != verdicts["paid"]:
        yield "payments and their announcements differ in number"
    if len([row for row in announced if row[1] == "exception"]) != len(evidence.books.exceptions):
        yield "exceptions and their announcements differ in number"
    posted = Counter(
        (channel, key)
        for channel, messages in evidence.channels.items()
        for key in _told(messages, evidence.books.paid)
    )
    for key, kind, state, channel, subject in announced:
        count = posted.pop((channel, key), 0)
        if state != "posted" or count != 1:
            yield f"{kind} message {subject} is {state} and stands in its channel {count} times"
    yield from (f"message {key} doesn't belong into {channel}" for channel, key in posted)
    in_person = Counter(_keys(evidence.direct))
    for key, kind, state, destination, subject in evidence.books.outbox:
        if destination not in evidence.channels and (state != "posted" or in_person[key] < 1):
            yield f"{kind} message {subject} to {destination} is {state} and arrived {in_person[key]} times"


def audit_order(evidence: Evidence) -> list[str]:
    """Whether each channel got its announcements in the order in which the facts were recorded.

    On SQLite alone: on PostgreSQL the numbers of rows are given before their transactions commit.
    """
    order = {row[0]: place for place, row in enumerate(evidence.books.outbox)}
    return [
        f"the messages in {channel} are out of order"
        for channel, messages in evidence.channels.items()
        if (places := [order[key] for key in _keys(messages) if key in order]) != sorted(places)
    ]


def _keys(messages: list[Json]) -> list[str]:
    payloads = ((message.get("metadata") or {}).get("event_payload") or {} for message in messages)
    return [payload["key"] for payload in payloads if isinstance(payload.get("key"), str)]


def _told(messages: list[Json], paid: dict[str, tuple[str, int]]) -> Iterator[str]:
    """The key of each thing that the messages tell: one may name several payments, each in words and with a button."""
    of_number = {number: (key, invoice_id) for key, (number, invoice_id) in paid.items()}
    for message in messages:
        for key in _keys([message]):
            if key not in paid:
                yield key
                continue
            named = [of_number.get(number, ("", 0)) for number in PAID_NUMBER.findall(message["text"])]
            buttons = [
                int(accessory["value"])
                for block in message["blocks"]
                if (accessory := block.get("accessory")) and accessory["text"]["text"] == "View Invoice"
            ]
            yield from (told for told, _ in named)
            if buttons != [invoice_id for _, invoice_id in named]:
                yield f"{key}, whose buttons are for other invoices"


def count_together(evidence: Evidence) -> int:
    """Payments that were told in a message with others."""
    told = [
        list(_told([one], evidence.books.paid)) for messages in evidence.channels.values() for one in messages
    ]
    return sum(len(keys) for keys in told if len(keys) > 1)


def extra_links(evidence: Evidence) -> int:
    """Links at Stripe beyond one an invoice."""
    made = Counter(link["metadata"].get("invoice_number") for link in evidence.links)
    return sum(count - 1 for count in made.values())


def extra_messages(evidence: Evidence) -> int:
    """Announcements in the channel beyond one each."""
    posted = Counter(
        key for messages in evidence.channels.values() for key in _told(messages, evidence.books.paid)
    )
    return sum(count - 1 for count in posted.values())
