"""What is real beneath the model: a database, the local Stripe, a channel, and one process after another in a time of their own."""

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

from hypothesis.stateful import RuleBasedStateMachine

from domain.coordination.abandoned_claims import end_claims, list_owners
from domain.database import Database
from domain.money import Money
from sandbox.stripe.faults import FaultKind
from tests.domain.backups import Backup
from tests.domain.factories import make_invoice
from tests.faults import crash_points, evidence
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


@dataclass
class Promises:
    """The invoices that were promised a link in one account, and those that may have been."""

    surely: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)


class Modelled(RuleBasedStateMachine):
    """Without anything that may be done yet. ``open_database`` gives an empty one with the schema; that directory goes away in
    the end."""

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

    def put_key(self, name: str) -> None:
        before, self.key = self.account, name
        if self.account != before:
            self.loosen()
        self.run(self.process.stop())
        self.run(self.start_anew())

    def loosen(self) -> None:
        """What isn't made yet may be forgotten, or be made in the other account."""
        self.promises.setdefault(self.account, Promises())
        promised = set().union(*(one.surely | one.perhaps for one in self.promises.values()))
        for one in self.promises.values():
            one.surely, one.perhaps = set(), set(promised)

    async def start_anew(self) -> None:
        """The next process is there at once, and ends the claims of those before."""
        owners = await self.db.read(list_owners)
        await self.db.write(end_claims, owners)
        self.process = await self._new_process()

    async def go_through(
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

    async def settle(self) -> None:
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
            if not any(await self.db.read(evidence.count_open, ledger_id)):
                self.moved = False
                return
        raise AssertionError(f"it never comes to rest: {await self.db.read(evidence.list_open)}")

    def end(self) -> None:
        """Nothing of it is left."""
        self.run(self._end())
        for undo in reversed(self._undo):
            undo()
        self._loop.close()
        shutil.rmtree(self._directory)

    async def _end(self) -> None:
        await self.process.stop()
        await self.stripe.stop()
        await self.db.close()
