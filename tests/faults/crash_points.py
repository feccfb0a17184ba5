"""Named places at which a process can be made to die, in wrappers around the database, Stripe and Slack.

Only the campaign's processes install them (tests/faults/nursery.py); Paylink's own code knows nothing of them. A point's
name says what is being done, then when:

    links.claiming.record_created.before       before that transaction's work
    links.claiming.record_created.uncommitted  after its work, before its commit
    links.claiming.record_created.after        after its commit, before anybody is told
    links.creation._claim.done.after           so, of a transaction that did what its point is about (see DOES)
    stripe.create_link.before                   before the request goes out
    stripe.create_link.during                   some milliseconds after it went out
    stripe.create_link.after                    after the answer, before anybody is told
    slack.chat.postMessage.after                so for each method of the Web API that Paylink calls
    slack.ack.before                            before an envelope of Socket Mode is acknowledged
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_base_client import AsyncBaseClient
from sqlalchemy.orm import Session

from bot.web import socket_mode
from domain.coordination import intervals, pacing
from domain.database import Database
from domain.links import bulk, claiming
from domain.links.creation import LinkCreation
from domain.messages import transactions
from domain.messages.announcing import Announcing
from domain.payments import events, reconciling, session_pages
from domain.payments.account_watch import AccountWatch
from domain.payments.many.receiving import Receiving
from domain.payments.reversals.recording import record_reversal
from domain.stripe.client import StripeApi

# Transactions that write. The functions themselves: one that is moved takes its points along, and one that is gone
# can't be named.
TRANSACTIONS: tuple[Callable[..., Any], ...] = (
    bulk.start,
    LinkCreation._reserve,
    LinkCreation._claim,
    claiming.begin_sending,
    claiming.record_created,
    claiming.postpone,
    claiming.renew_key,
    pacing.reserve_slot,
    pacing.hold_back,
    AccountWatch._take_duty,
    intervals.end_duty,
    events.keep,
    Receiving._keep_and_claim,
    Receiving._claim,
    events.settle,
    events.postpone,
    events.wait_for,
    events.move_watermark,
    events.end_sweep,
    reconciling._record_session,
    session_pages.record_sessions,
    record_reversal,
    Announcing._claim,
    transactions.begin_posting,
    transactions.record_posted,
    transactions.record_doubt,
    transactions.record_not_posted,
)
# What these do is done by few of them: most claim nothing, or only keep an event. A death is aimed at those that did.
DOES: dict[Callable[..., Any], Callable[[Any], bool]] = {
    # Claimed a link.
    LinkCreation._claim: bool,
    # Claimed events as they were received.
    Receiving._keep_and_claim: lambda result: bool(result[1]),
    # Wrote the attempt to post down with the claim.
    Announcing._claim: lambda result: any(turn.begun_at is not None for _, turn in result),
}
REQUESTS = """
    stripe.create_link stripe.list_events stripe.list_sessions stripe.list_links
    stripe.get_session stripe.list_refunds stripe.get_dispute
    slack.chat.postMessage slack.conversations.history slack.views.open slack.views.update
""".split()


def name_of(transaction: Callable[..., Any]) -> str:
    """<shelf>.<module>.<function>, as below domain/."""
    return f"{transaction.__module__.removeprefix('domain.')}.{transaction.__name__}"


AIMED = tuple(f"{name_of(one)}.done.{when}" for one in DOES for when in ("uncommitted", "after"))
"""The campaign aims at these before it does at any other."""
POINTS = (
    *AIMED,
    *(f"{name_of(one)}.{when}" for one in TRANSACTIONS for when in ("before", "uncommitted", "after")),
    *(f"{name}.{when}" for name in REQUESTS for when in ("before", "during", "after")),
    "slack.ack.before",
    "slack.ack.after",
)
# A process that falls silent here, for longer than its lease, must find out on waking up that its work is another's
# by now. Between the check and the request that follows it nothing can help: docs/reliability.md, "What is left".
SUSPENSIONS = (
    *(point for point in AIMED if point.endswith(".after")),
    f"{name_of(Receiving._claim)}.after",
    f"{name_of(Announcing._claim)}.after",
    "slack.conversations.history.after",
    f"{name_of(pacing.reserve_slot)}.after",
    f"{name_of(AccountWatch._take_duty)}.after",
)
LONGEST_DURING = 0.02


@dataclass
class Trap:
    """Springs at the ``times``-th passing of ``point``: with SIGKILL, or with SIGSTOP until somebody wakes it."""

    point: str
    times: int = 1
    suspend: bool = False

    def pass_by(self, point: str) -> None:
        if self._counts(point):
            self.spring()

    def pass_during(self, name: str) -> None:
        """As pass_by, but a little later, while the request is on its way."""
        if self._counts(f"{name}.during"):
            delay = random.uniform(0, LONGEST_DURING)
            asyncio.get_running_loop().call_later(delay, self.spring)

    def spring(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP if self.suspend else signal.SIGKILL)

    def _counts(self, point: str) -> bool:
        if point != self.point or self.times == 0:
            return False
        self.times -= 1
        return self.times == 0


def install(pass_by: Callable[[str], None], pass_during: Callable[[str], None]) -> Callable[[], None]:
    """Wrap the database, Stripe and Slack for this whole process; the returned function unwraps them.

    ``pass_by`` is told each point that is passed, in whichever thread; ``pass_during`` the name of each request that
    goes out, in the loop's thread.
    """
    undo = [
        _wrap_database(pass_by),
        _wrap_requests(StripeApi, "_call", _name_of_stripe_request, pass_by, pass_during),
        _wrap_requests(
            AsyncBaseClient, "api_call", lambda method, **_: f"slack.{method}", pass_by, pass_during
        ),
        _wrap_requests(
            socket_mode, "send_async_response", lambda *_, **__: "slack.ack", pass_by, pass_during
        ),
    ]

    def uninstall() -> None:
        for one in undo:
            one()

    return uninstall


def _wrap_database(pass_by: Callable[[str], None]) -> Callable[[], None]:
    original = Database._submit

    async def submit(
        self: Database, lane: Any, write: bool, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        if not write:
            return await original(self, lane, write, fn, *args, **kwargs)
        name = name_of(fn)

        def work(session: Session, *args: Any, **kwargs: Any) -> Any:
            pass_by(f"{name}.before")
            result = fn(session, *args, **kwargs)
            for passed in passed_by(fn, result):
                pass_by(f"{passed}.uncommitted")
            return result

        result = await original(self, lane, write, work, *args, **kwargs)
        for passed in passed_by(fn, result):
            pass_by(f"{passed}.after")
        return result

    Database._submit = submit  # type: ignore[method-assign]

    def undo() -> None:
        Database._submit = original  # type: ignore[method-assign]

    return undo


def passed_by(transaction: Callable[..., Any], result: object) -> tuple[str, ...]:
    """What its points' names begin with."""
    name, does = name_of(transaction), DOES.get(getattr(transaction, "__func__", transaction))
    return (name, f"{name}.done") if does is not None and does(result) else (name,)


def _wrap_requests(
    owner: Any,
    attribute: str,
    name_of: Callable[..., str],
    pass_by: Callable[[str], None],
    pass_during: Callable[[str], None],
) -> Callable[[], None]:
    original = getattr(owner, attribute)
    bound = isinstance(owner, type)

    async def request(*args: Any, **kwargs: Any) -> Any:
        name = name_of(*(args[1:] if bound else args), **kwargs)
        pass_by(f"{name}.before")
        pass_during(name)
        answer = await original(*args, **kwargs)
        pass_by(f"{name}.after")
        return answer

    setattr(owner, attribute, request)
    return lambda: setattr(owner, attribute, original)


def _name_of_stripe_request(method: str, path: str, *_: Any, **__: Any) -> str:
    kind, slash, _one = path.removeprefix("/v1/").removeprefix("checkout/").partition("/")
    if method == "post":
        return "stripe.create_link"
    if slash or kind == "account":
        return f"stripe.get_{kind.removesuffix('s')}"
    return f"stripe.list_{kind.removeprefix('payment_')}"
