"""What people, buyers, failures and deaths can do, in any order, and a model of what must come of it.

The model knows what was promised and what buyers did; the domain, on a real database and the local Stripe, must come
to the same once everything works again.
"""

import asyncio
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from sqlalchemy.orm import Session

from domain.coordination.abandoned_claims import end_claims, list_owners
from domain.database import Database
from domain.errors import NotEligible, NothingSelected
from domain.links.creation import LinkCreation
from domain.messages.poster_port import NotPosted, PostUnknown
from domain.messages.summaries import Announcement
from domain.models import Invoice, Link
from domain.money import Money
from domain.states import AnnouncementKind, LinkStatus
from domain.summaries import Actor
from sandbox.stripe.errors import ApiError
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.objects.payments import BuyerStopped
from tests.domain import backups
from tests.domain.backups import Backup
from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import ADA, BEN
from tests.faults import auditing, crash_points, reversals
from tests.faults.timeless import (
    Clock,
    Died,
    Doom,
    Process,
    SlackChannel,
    make_stripe,
    take_over,
)

T = TypeVar("T")
INVOICES = 6
OTHER = "acct_other"
KEYS = {
    "secret": (None, ()),
    "rolled": (None, ()),
    "restricted": (None, ("rak_accounts_kyc_basic_read",)),
    "restricted_too": (None, ("rak_accounts_kyc_basic_read",)),
    "others": (OTHER, ()),
    "others_restricted": (OTHER, ("rak_accounts_kyc_basic_read",)),
}
"""Keys by their names: whose they are, if not the first account's, and what they may not do."""
AMOUNT = Money(120_050, "USD")
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


@dataclass
class Promises:
    """The invoices that were promised a link in one account, and those that may have been."""

    surely: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)


class PaylinkModel(RuleBasedStateMachine):
    """``open_database`` gives an empty one with the schema; that directory goes away in the end."""

    open_database: ClassVar[Callable[[Path], Database]]

    def __init__(self) -> None:
        super().__init__()
        # What was promised, and what buyers did.
        self.promises: defaultdict[str, Promises] = defaultdict(Promises)
        self.fitting: Counter[int] = Counter()
        self.wrong: Counter[int] = Counter()
        self.disputed: set[str] = set()
        self.moved = False
        """A refund or dispute went on to another status since all was at rest."""
        self.runs = 0
        self.restored_at: int | None = None
        """How many messages had been posted when the database was last restored."""
        # What is real.
        self._loop = asyncio.Runner()
        self._directory = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.clock, self.doom = Clock(), Doom()
        self._undo = [self.clock.install(), crash_points.install(self.doom.pass_by, lambda name: None)]
        self.db = type(self).open_database(self._directory)
        self.slack = SlackChannel(self.doom)
        self.stripe = make_stripe(self.clock)
        for name, (account, without) in KEYS.items():
            self.stripe.add_key(f"sk_test_{name}", account=account, without=without)
        self.key = "secret"
        self.invoices = [make_invoice(self.db, f"INV-{n}", amount=AMOUNT.amount) for n in range(INVOICES)]
        self.open: list[str] = []
        self.paid: list[tuple[int, str]] = []
        self.backup: Backup | None = None
        self.process = self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    async def _begin(self) -> Process:
        await self.stripe.start()
        return await self._new_process()

    async def _new_process(self) -> Process:
        key = f"sk_test_{self.key}"
        return await Process(self.db, self.stripe, self.slack, self.clock, key).start()

    @property
    def account(self) -> str:
        """The one that is configured."""
        return KEYS[self.key][0] or self.stripe.account

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

        died = self.run(self._go_through(create, fault, death, method="POST"))
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

        died = self.run(self._go_through(create, fault, death, method="POST"))
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

        self.run(self._go_through(all_of_it, fault, death))
        self.slack.troubles = []

    @rule(event=any_one, death=deaths)
    def hear(self, event: int, death: int | None) -> None:
        """A webhook: any event, at any time, again and again."""
        events = self.stripe.objects("event")

        async def receive() -> None:
            if events and self.account == self.stripe.account:
                await self.process.watch.receive(events[event % len(events)])
                await self.process.watching.settle_due()

        self.run(self._go_through(receive, None, death))

    @rule(passed=st.sampled_from([timedelta(hours=2), timedelta(hours=26), timedelta(days=40)]))
    def nobody_is_there(self, passed: timedelta) -> None:
        """Long enough for open pages to end, for Stripe to forget keys, and for it to forget events."""
        if self.moved and passed > timedelta(days=30):
            # Lists tell of what began since: of what only moved on, nothing but its event tells.
            self.run(self._settle())
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
        self._loosen()
        self.restored_at = len(self.slack.posted)
        self.run(self._start_anew())

    @rule(name=st.sampled_from(sorted(KEYS)))
    def exchange_key(self, name: str) -> None:
        """Another key of the same account, or one of another account: what was never asked for goes on there."""
        self._exchange_key(name)

    def _exchange_key(self, name: str) -> None:
        before, self.key = self.account, name
        if self.account != before:
            self._loosen()
        self.run(self.process.stop())
        self.run(self._start_anew())

    def _loosen(self) -> None:
        """What isn't made yet may be forgotten, or be made in the other account."""
        self.promises.setdefault(self.account, Promises())
        promised = set().union(*(one.surely | one.perhaps for one in self.promises.values()))
        for one in self.promises.values():
            one.surely, one.perhaps = set(), set(promised)

    async def _start_anew(self) -> None:
        """The next process is there at once, and ends the claims of those before."""
        owners = await self.db.read(list_owners)
        await self.db.write(end_claims, owners)
        self.process = await self._new_process()

    # What must always be so

    @invariant()
    def no_invoice_has_two_links(self) -> None:
        for account in (self.stripe.account, OTHER):
            links = self.stripe.objects("payment_link", account=account)
            made = Counter(link["metadata"]["invoice_number"] for link in links)
            assert all(count == 1 for count in made.values()), made

    @invariant()
    def no_announcement_is_posted_twice(self) -> None:
        """A restored database doesn't know what was posted."""
        posted = Counter(_subject(one) for one in self.slack.told(self.restored_at or 0) if one.bulk is None)
        assert all(count == 1 for count in posted.values()), posted

    def teardown(self) -> None:
        try:
            others = "others" if OTHER in self.promises else self.key
            for name in (self.key, others, "secret"):
                if name != self.key:
                    self._exchange_key(name)
                self.run(self._settle())
                self._compare_links()
            self._compare()
        finally:
            self.run(self._end())
            for undo in reversed(self._undo):
                undo()
            self._loop.close()
            shutil.rmtree(self._directory)

    # How it is done

    def _pay(self, session_id: str, wrongly: bool) -> None:
        amount = AMOUNT.amount + 100 if wrongly else None
        with suppress(BuyerStopped):
            session = self.run(self.stripe.pay(session_id, amount=amount))
            n = self._number(session)
            self.paid.append((n, session_id))
            (self.wrong if wrongly else self.fitting)[n] += 1

    async def _go_through(
        self,
        work: Callable[[], Coroutine[Any, Any, object]],
        fault: FaultKind | None,
        death: int | None,
        method: str = "*",
    ) -> str | None:
        """Do it with Stripe failing at the next such request and the process dying at a point; which point, if it died."""
        if fault is not None:
            self.stripe.faults.add(fault, method=method)
        self.doom.set(death)
        with suppress(Died):
            await work()
            # What a person didn't wait for.
            await self.process.creation.finish()
        died = self.doom.died_at
        if died is not None:
            await self._replace()
        self.doom.set(None)
        self.stripe.faults.clear()
        return died

    async def _replace(self) -> None:
        """The dead process is gone; a new one starts."""
        dead = self.process
        await dead.stop()
        self.doom.set(None)
        await take_over(self.db, dead)
        self.process = await self._new_process()

    async def _settle(self) -> None:
        """Everything works and is given time."""
        for _ in range(40):
            self.clock.ahead += timedelta(minutes=61)
            await self.process.know_account()
            await self.process.accounts.settle()
            await self.process.creation.run_due()
            await self.process.watching.poll_if_due()
            await self.process.watch.sweep_if_due()
            await self.process.watching.settle_due()
            await self.process.announcing.deliver_due()
            ledger_id = self.process.accounts.get(1).ledger_id
            if not any(await self.db.read(auditing.count_open, ledger_id)):
                self.moved = False
                return
        raise AssertionError(f"it never comes to rest: {await self.db.read(auditing.list_open)}")

    def _compare_links(self) -> None:
        self.no_invoice_has_two_links()
        promises, ledger_id = self.promises[self.account], self.process.accounts.get(1).ledger_id
        rows = self.db.run(_read_links, ledger_id)
        created = {int(number.partition("-")[2]): (link, status) for number, link, status in rows}
        at_stripe = {
            self._number(link): link["id"]
            for link in self.stripe.objects("payment_link", account=self.account)
        }
        assert promises.surely <= created.keys()
        assert created.keys() <= promises.surely | promises.perhaps
        assert {n: link for n, (link, _) in created.items()} == at_stripe, self.account
        for n in range(INVOICES):
            paid = self.account == self.stripe.account and self.fitting[n]
            waiting = LinkStatus.PAID if paid else LinkStatus.PENDING_PAYMENT
            expected = waiting if n in created else LinkStatus.NOT_CREATED
            assert self.db.run(_read_status, f"INV-{n}") == expected

    def _compare(self) -> None:
        self.no_announcement_is_posted_twice()
        books = self.db.run(auditing._read_books)
        verdicts = Counter(verdict for _, verdict, _ in books.payments)
        completed = self.fitting.total() + self.wrong.total()
        paid = sum(1 for n in self.fitting if self.fitting[n])
        assert verdicts.total() == completed
        assert verdicts["paid"] == paid
        assert verdicts.total() - paid == sum(kind in reversals.SURPLUS for kind, _ in books.exceptions)
        found = reversals.compare(
            self.db.run(reversals.read_reversals),
            {session_id: verdict for session_id, verdict, _ in books.payments},
            [one for one in self.stripe.objects("checkout.session") if one["status"] == "complete"],
            self.stripe.objects("refund"),
            self.stripe.objects("dispute"),
        )
        differences = list(found)
        assert differences == []
        kinds = Counter(one.kind.value for one in self.slack.told())
        told = {one.key for one in self.slack.posted if one.bulk is not None}
        if self.restored_at is None:
            assert kinds["paid"] == paid
            assert kinds["exception"] == len(books.exceptions)
            assert len(told) >= self.runs or OTHER in self.promises
        else:
            # What was told after the backup is told again.
            assert kinds["paid"] >= paid
            assert kinds["exception"] >= len(books.exceptions)
        # What was promised and isn't of this account waits there until its key is back.
        assert books.runs_unfinished == 0 or OTHER in self.promises

    async def _end(self) -> None:
        await self.process.stop()
        await self.stripe.stop()
        await self.db.close()

    @staticmethod
    def _number(about: dict[str, Any]) -> int:
        return int(about["metadata"]["invoice_number"].partition("-")[2])


def _subject(told: Announcement) -> str:
    """An invoice is paid once; those that are told together have one message's key."""
    if told.kind is not AnnouncementKind.PAID or told.invoice is None:
        return told.key
    return f"paid: {told.invoice.number}"


def _read_links(session: Session, ledger_id: int) -> list[tuple[str, str | None, LinkStatus]]:
    links = sa.select(Invoice.number, Link.stripe_id, Link.status).join(Link, Link.invoice_id == Invoice.id)
    return [(row[0], row[1], row[2]) for row in session.execute(links.where(Link.ledger_id == ledger_id))]


def _read_status(session: Session, number: str) -> LinkStatus:
    return session.scalars(sa.select(Invoice.status).where(Invoice.number == number)).one()
