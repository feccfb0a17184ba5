"""What people, buyers, failures and deaths can do, in any order, and a model of what must come of it.

The model knows what was promised and what buyers did; the domain, on a real database and the local Stripe, must come
to the same once everything works again.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from domain.errors import NotEligible, NothingSelected
from domain.links.creation import LinkCreation
from domain.messages.poster_port import NotPosted, PostUnknown
from domain.summaries import Actor
from sandbox.stripe.errors import ApiError
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.objects.payments import BuyerStopped
from tests.domain import backups
from tests.domain.factories import PAGE
from tests.domain.world import ADA, BEN
from tests.faults import crash_points
from tests.faults.comparing import (
    compare_all,
    compare_links,
    has_no_second_link,
    number_of,
    told_nothing_twice,
)
from tests.faults.modelled import AMOUNT, INVOICES, KEYS, OTHER, Modelled

PATIENCE = 5.0
UNRESERVED = tuple(
    f"{crash_points.name_of(LinkCreation._reserve)}.{when}" for when in ("before", "uncommitted")
)
"""Where whoever asked for a link was promised none."""

who = st.sampled_from([ADA, BEN])
which = st.integers(0, INVOICES - 1)
deaths = st.none() | st.integers(1, 40)
"""After how many crash points of tests/faults/crash_points.py."""
waits = st.sampled_from([0, 10, 120])
any_one = st.integers(0, 50)
faults = st.none() | st.sampled_from(
    [kind for kind in FaultKind if kind not in (FaultKind.SLOW, FaultKind.LATE)]
)
slack_troubles = st.lists(
    st.sampled_from(
        [
            (True, PostUnknown("lost")),
            (False, PostUnknown("lost")),
            (False, NotPosted("fatal")),
            (False, NotPosted("ratelimited", retry_after=3.0)),
        ]
    ),
    max_size=3,
)


class PaylinkModel(Modelled):
    """What may be done, and what must always be so. ``open_database`` is to be given."""

    # People

    @initialize()
    def begin(self) -> None:
        """Two links, so that buyers have something to do from the first step on."""
        for n in (0, 1):
            self.create_one(ADA, n, None, None)

    @rule(by=who, n=which, fault=faults, death=deaths)
    def create_one(self, by: Actor, n: int, fault: FaultKind | None, death: int | None) -> None:
        async def create() -> None:
            with suppress(NotEligible):
                await self.process.desk.create_link(by, self.invoices[n], AMOUNT, patience=PATIENCE)

        died = self.run(self.go_through(create, fault, death, method="POST"))
        if died in UNRESERVED:
            return
        self.promises[self.account].surely.add(n)

    @rule(by=who, fault=faults, death=deaths, twice=st.booleans())
    def create_all(self, by: Actor, fault: FaultKind | None, death: int | None, twice: bool) -> None:
        run: list[int] = []

        async def create() -> None:
            desk = self.process.desk
            shown = await desk.open_list(by, shape=PAGE)
            selection = shown.selection.id
            await desk.tick(
                by, selection, revision=1, displayed=set(), ticked=set(), acted_at="", opened_with=""
            )
            await desk.select_page(by, selection, shape=PAGE)
            with suppress(NothingSelected):
                seal = (await desk.confirm(by, selection)).seal
                for _ in range(1 + twice):
                    await desk.start_run(
                        by, selection, seal=seal, submission=f"create:{selection}", view_id=None
                    )
                run.append(selection)

        died = self.run(self.go_through(create, fault, death, method="POST"))
        if run:
            self.promises[self.account].surely |= set(range(INVOICES))
            self.runs += 1
        elif died is not None:
            # Whoever wasn't answered may look; what is there then counts.
            self.promises[self.account].perhaps |= set(range(INVOICES))

    # Buyers

    @rule(link=any_one, pages=st.integers(1, 3), first=any_one, paid=st.integers(0, 3), wrongly=st.booleans())
    def pay(self, link: int, pages: int, first: int, paid: int, wrongly: bool) -> None:
        """Open a payment page, perhaps more than once, and pay on some of all the pages that are open."""
        links = self.stripe.links()
        for _ in range(pages if links else 0):
            with suppress(BuyerStopped):
                session = self.run(self.stripe.open_session(links[link % len(links)]["id"]))
                self.open.append(session["id"])
        for _ in range(min(paid, len(self.open))):
            self._pay(self.open.pop(first % len(self.open)), wrongly)

    @rule(
        payment=any_one,
        dispute=st.booleans(),
        part=st.booleans(),
        status=st.sampled_from(["pending", "succeeded", "failed"]),
        opening=st.sampled_from(["warning_needs_response", "needs_response", "lost"]),
    )
    def take_back(self, payment: int, dispute: bool, part: bool, status: str, opening: str) -> None:
        """Refund a payment, one too much as well, wholly or in part, or dispute it, or only ask about it."""
        if not self.paid:
            return
        _, session_id = self.paid[payment % len(self.paid)]
        with suppress(ApiError):
            if not dispute:
                amount = 1_000 if part else None
                self.run(self.stripe.refund(session_id, amount=amount, status=status))
            elif session_id not in self.disputed:
                self.disputed.add(session_id)
                self.run(self.stripe.dispute(session_id, status=opening))

    @rule(which=any_one, to=st.sampled_from(["succeeded", "failed", "canceled"]))
    def end_refund(self, which: int, to: str) -> None:
        self._move("refund", which, lambda one: self.stripe.change_refund(one, status=to))

    @rule(
        which=any_one,
        to=st.sampled_from(["needs_response", "warning_closed", "under_review", "won", "lost", "prevented"]),
    )
    def end_dispute(self, which: int, to: str) -> None:
        """To its end, or on the way there. That a bank takes back a verdict isn't documented."""
        lost = {one["id"] for one in self.stripe.objects("dispute") if one["status"] == "lost"}

        async def change(one: str) -> object:
            return None if one in lost else await self.stripe.change_dispute(one, status=to)

        self._move("dispute", which, change)

    def _move(self, kind: str, which: int, change: Callable[[str], Coroutine[Any, Any, object]]) -> None:
        known = self.stripe.objects(kind)
        if known:
            # Not everything becomes anything.
            with suppress(ApiError, ValueError):
                self.run(change(known[which % len(known)]["id"]))
                self.moved = True

    # Work

    @rule(seconds=waits, fault=faults, troubles=slack_troubles, death=deaths, sweep=st.booleans())
    def work(
        self,
        seconds: int,
        fault: FaultKind | None,
        troubles: list[tuple[bool, Exception]],
        death: int | None,
        sweep: bool,
    ) -> None:
        self.clock.ahead += timedelta(seconds=seconds)
        self.slack.troubles = list(troubles)

        async def all_of_it() -> None:
            watching = self.process.watching
            await self.process.know_account()
            await self.process.announcing.deliver_due()
            await self.process.accounts.settle()
            await self.process.creation.run_due()
            await (self.process.watch.sweep_if_due(at_start=True) if sweep else watching.poll_if_due())
            await watching.settle_due()
            await self.process.announcing.deliver_due()

        self.run(self.go_through(all_of_it, fault, death))
        self.slack.troubles = []

    @rule(event=any_one, death=deaths)
    def hear(self, event: int, death: int | None) -> None:
        """A webhook: any event, at any time, again and again."""
        events = self.stripe.objects("event")

        async def receive() -> None:
            if events and self.account == self.stripe.account:
                await self.process.watch.receive(events[event % len(events)])
                await self.process.watching.settle_due()

        self.run(self.go_through(receive, None, death))

    @rule(passed=st.sampled_from([timedelta(hours=2), timedelta(hours=26), timedelta(days=40)]))
    def nobody_is_there(self, passed: timedelta) -> None:
        """Long enough for open pages to end, for Stripe to forget keys, and for it to forget events."""
        if self.moved and passed > timedelta(days=30):
            # Lists tell of what began since: of what only moved on, nothing but its event tells.
            self.run(self.settle())
        self.clock.ahead += passed

    # Operators

    @rule()
    def back_up(self) -> None:
        self.backup = backups.take(self.db)

    @rule()
    def restore(self) -> None:
        """Stop, put the backup back, start: what was promised since and not made is forgotten, what was made isn't."""
        if self.backup is None:
            return
        self.run(self.process.stop())
        backups.put_back(self.db, self.backup)
        self.loosen()
        self.restored_at = len(self.slack.posted)
        self.run(self.start_anew())

    @rule(name=st.sampled_from(sorted(KEYS)))
    def exchange_key(self, name: str) -> None:
        """Another key of the same account, or one of another account: what was never asked for goes on there."""
        self.put_key(name)

    # What must always be so

    @invariant()
    def no_invoice_has_two_links(self) -> None:
        has_no_second_link(self)

    @invariant()
    def no_announcement_is_posted_twice(self) -> None:
        told_nothing_twice(self)

    def teardown(self) -> None:
        try:
            others = "others" if OTHER in self.promises else self.key
            for name in (self.key, others, "secret"):
                if name != self.key:
                    self.put_key(name)
                self.run(self.settle())
                compare_links(self)
            compare_all(self)
        finally:
            self.end()

    # How it is done

    def _pay(self, session_id: str, wrongly: bool) -> None:
        amount = AMOUNT.amount + 100 if wrongly else None
        with suppress(BuyerStopped):
            session = self.run(self.stripe.pay(session_id, amount=amount))
            n = number_of(session)
            self.paid.append((n, session_id))
            (self.wrong if wrongly else self.fitting)[n] += 1
