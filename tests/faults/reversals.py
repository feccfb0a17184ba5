"""What must have come of refunds and disputes: Stripe's own objects, compared with what Paylink keeps, shows and asks for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.facts import read_facts
from domain.models import Link, Payment, PaymentException, Reversal

Json = dict[str, Any]

UNDONE = {"failed", "canceled"}
INQUIRY = {"warning_needs_response", "warning_under_review"}
OVER = {"won", "warning_closed", "prevented"}
ENDS = {
    "won": "dispute_won",
    "lost": "dispute_lost",
    "warning_closed": "dispute_closed",
    "prevented": "dispute_prevented",
}
# Those that don't make the invoice an Exception, since they have badges of their own.
WITH_BADGE = {"refunded", "disputed", "dispute_lost"}
SURPLUS = {"second_payment", "amount_differs", "currency_differs"}


@dataclass(frozen=True)
class Shown:
    """A link's badges, and whether it reads Exception."""

    badges: frozenset[str]
    exception: bool


@dataclass(frozen=True)
class Told:
    """One exception: what it is about, by Stripe's ids, and whether it is still somebody's task."""

    kind: str
    link: str | None
    session: str | None
    reversal: str | None
    open: bool
    ended: str | None = None
    """How, in Paylink's word for it, if it did."""


@dataclass(frozen=True)
class ReversalBooks:
    """What the database says of refunds and disputes. ``statuses`` is by Stripe's id, ``links`` by the link's."""

    statuses: dict[str, str]
    links: dict[str, Shown]
    told: list[Told]


def read_reversals(session: Session) -> ReversalBooks:
    links = session.execute(sa.select(Link.stripe_id, Link.badges, Link.exception))
    told = session.execute(
        sa.select(PaymentException, Link.stripe_id, Payment.session_id, Reversal.stripe_id)
        .order_by(PaymentException.id)
        .outerjoin(Link, Link.id == PaymentException.link_id)
        .outerjoin(Payment, Payment.id == PaymentException.payment_id)
        .outerjoin(Reversal, Reversal.id == PaymentException.reversal_id)
    )
    return ReversalBooks(
        statuses={row[0]: row[1] for row in session.execute(sa.select(Reversal.stripe_id, Reversal.status))},
        links={row[0]: Shown(frozenset(filter(None, row[1].split(","))), row[2]) for row in links if row[0]},
        told=[
            Told(
                one.kind.value,
                link,
                session_id,
                reversal,
                one.resolved_at is None,
                read_facts(one.facts).ended or one.resolution,
            )
            for one, link, session_id, reversal in told
        ],
    )


def compare(
    books: ReversalBooks,
    verdicts: dict[str, str],
    sessions: Iterable[Json],
    refunds: Iterable[Json],
    disputes: Iterable[Json],
) -> Iterator[str]:
    """What isn't as Stripe has it, in sentences. ``verdicts`` is by session, of what is recorded."""
    refunds_of, disputes_of = _by_intent(refunds), _by_intent(disputes)
    expected = {one["id"]: one["status"] for one in (*refunds, *disputes)}
    for stripe_id in sorted(expected.keys() | books.statuses.keys()):
        if expected.get(stripe_id) != books.statuses.get(stripe_id):
            yield (
                f"{stripe_id} is {expected.get(stripe_id)} at Stripe, and {books.statuses.get(stripe_id)} here"
            )
    for session in sessions:
        intent, verdict = session["payment_intent"], verdicts.get(session["id"])
        back, disputed = refunds_of[intent], disputes_of[intent]
        if verdict == "paid":
            yield from _audit_badges(books, session, back, disputed)
        for dispute in disputed:
            yield from _audit_dispute(books, dispute)
        for refund in back:
            yield from _audit_refund(books, refund, session, back, surplus=verdict in SURPLUS)
        if verdict in SURPLUS:
            yield from _audit_surplus(books, session, back, disputed, str(verdict))
    for link, shown in books.links.items():
        tasks = {one.kind for one in books.told if one.link == link and one.open}
        if shown.exception != bool(tasks - WITH_BADGE):
            yield f"link {link} reads Exception: {shown.exception}, and its tasks are {sorted(tasks)}"


def _by_intent(found: Iterable[Json]) -> defaultdict[str, list[Json]]:
    of: defaultdict[str, list[Json]] = defaultdict(list)
    for one in found:
        of[one["payment_intent"]].append(one)
    return of


def _given_back(refunds: Iterable[Json]) -> int:
    return sum(one["amount"] for one in refunds if one["status"] == "succeeded")


def _audit_badges(
    books: ReversalBooks, session: Json, back: list[Json], disputed: list[Json]
) -> Iterator[str]:
    states = {one["status"] for one in disputed}
    sum_back = _given_back(back)
    expected = set()
    if sum_back:
        expected.add("refunded" if sum_back >= session["amount_total"] else "partly_refunded")
    if states & INQUIRY:
        expected.add("inquiry")
    if states - INQUIRY - OVER - {"lost"}:
        expected.add("disputed")
    if "lost" in states:
        expected.add("dispute_lost")
    shown = books.links[session["payment_link"]].badges
    if shown != expected:
        yield f"link {session['payment_link']} shows {sorted(shown)} instead of {sorted(expected)}"


def _audit_dispute(books: ReversalBooks, dispute: Json) -> Iterator[str]:
    tasks = [one.kind for one in books.told if one.reversal == dispute["id"] and one.open]
    expected = {"lost": ["dispute_lost"]}.get(dispute["status"], ["disputed"])
    if dispute["status"] in OVER:
        expected = []
    if tasks != expected:
        yield f"of dispute {dispute['id']}, {dispute['status']}, the tasks are {tasks}"
    disputed = [one for one in books.told if one.reversal == dispute["id"] and one.kind == "disputed"]
    end = ENDS.get(dispute["status"])
    if end and disputed and disputed[-1].ended != end:
        yield f"dispute {dispute['id']} is {dispute['status']}, and its task ended as {disputed[-1].ended}"


def _audit_refund(
    books: ReversalBooks, refund: Json, session: Json, back: list[Json], *, surplus: bool
) -> Iterator[str]:
    told = Counter(one.kind for one in books.told if one.reversal == refund["id"])
    tasks = [one.kind for one in books.told if one.reversal == refund["id"] and one.open]
    status = refund["status"]
    twice = [kind for kind, count in told.items() if count > 1]
    # A refund that fails leaves the debt; another one that succeeds later pays it.
    paid_later = bool(_given_back(back))
    right = {
        "succeeded": tasks == ["refunded"] or (surplus and tasks == []),
        "failed": tasks == ["refund_failed"] or (paid_later and tasks == []),
    }.get("failed" if status in UNDONE else status, tasks == [])
    if twice or not right or (status in UNDONE and not told["refund_failed"]):
        yield f"of refund {refund['id']} of {session['id']}, {status}, {dict(told)} was told and the tasks are {tasks}"
    ends = [one.ended for one in books.told if one.reversal == refund["id"] and one.kind == "refunded"]
    # A payment too much that was refunded in full for a while has settled all that it was about.
    fitting = {"refund_failed"} | ({"refunded"} if surplus else set())
    if status in UNDONE and not fitting.issuperset(ends):
        yield f"refund {refund['id']} is {status}, and what told of it ended as {ends}"


def _audit_surplus(
    books: ReversalBooks, session: Json, back: list[Json], disputed: list[Json], verdict: str
) -> Iterator[str]:
    tasks = {one.kind for one in books.told if one.session == session["id"] and one.open}
    if _given_back(back) >= session["amount_total"] and tasks & (SURPLUS | {"refunded", "refund_failed"}):
        yield f"session {session['id']} is refunded in full, and its tasks are {sorted(tasks)}"
    whole = (session["amount_total"], session["currency"], "lost")
    lost = any((one["amount"], one["currency"], one["status"]) == whole for one in disputed)
    if lost and tasks & SURPLUS:
        yield f"session {session['id']} is lost by a dispute, and its tasks are {sorted(tasks)}"
    if not back and not lost and verdict not in tasks:
        yield f"session {session['id']} is {verdict}, and nobody's task"
