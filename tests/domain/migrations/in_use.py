"""What processes of the previous version do to a database all day, until they are told to stop.

They use the functions of today: as long as the previous version's read and write the same columns, these are they.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.files import importing
from domain.files.import_fields import ImportedInvoice
from domain.invoices import invoices
from domain.invoices.locking import lock_own
from domain.links import claiming, reserving
from domain.links.claiming import Intent
from domain.messages import transactions
from domain.messages.claims import Claim
from domain.money import Money
from domain.payments import event_reading, events, recording
from domain.scope import Scope
from domain.summaries import OrganisationSummary
from tests.domain.factories import NOW, add_invoice
from tests.domain.world import ADA

T = TypeVar("T")
LEASE = Lease("host-2-b", timedelta(seconds=60), timedelta(seconds=60))
SCOPE = Scope(1, 1, livemode=False)
SEEN = Money(120_050, "USD")


class Writer(ABC):
    """Writes in a thread of its own, and keeps what it was told is written. Those of one process share ``db``."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.written: list[str] = []
        self.failure: BaseException | None = None
        self.troubles = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_for(self, more: int) -> None:
        """Return when so many more writes were acknowledged. Raises what ended the writer."""
        with self._changed:
            wanted = len(self.written) + more
            done = self._changed.wait_for(lambda: self.failure or len(self.written) >= wanted, timeout=60)
        if self.failure is not None:
            raise self.failure
        assert done, f"{type(self).__name__} wrote nothing more"

    @abstractmethod
    def work(self) -> None:
        """Write until ``going`` ends; tell ``wrote`` of each acknowledged write."""

    def going(self) -> Iterator[int]:
        n = 0
        while not self._stopping.is_set():
            n += 1
            yield n

    def pause(self, seconds: float) -> None:
        """Until then, or until it is to stop."""
        self._stopping.wait(seconds)

    def wrote(self, *keys: str) -> None:
        with self._changed:
            self.written.extend(keys)
            self._changed.notify_all()

    def write(self, fn: Callable[[Session], T]) -> T:
        return self._retrying(lambda: asyncio.run(self.db.write(fn)))

    def read(self, fn: Callable[[Session], T]) -> T:
        return self._retrying(lambda: asyncio.run(self.db.read(fn)))

    def _retrying(self, transaction: Callable[[], T]) -> T:
        """As a person or a worker does it: again, when the database had no time."""
        for _ in range(4):
            try:
                return transaction()
            except DatabaseUnavailable:
                self.troubles += 1
                self.pause(0.1)
        return transaction()

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as failure:  # told to whoever waits
            self.failure = failure
        with self._changed:
            self._changed.notify_all()


class Importing(Writer):
    """An import without end."""

    def __init__(self, db: Database, organisation: OrganisationSummary) -> None:
        super().__init__(db)
        self._organisation = organisation
        self._keys: list[str] = []

    def work(self) -> None:
        importing.take(self.db, self._organisation, self._lines(), now=NOW, on_progress=self._taken)

    def _lines(self) -> Iterator[ImportedInvoice]:
        for n in self.going():
            line = imported(f"imp-{n}")
            self._keys.append(line.number_key)
            yield line

    def _taken(self, so_far: importing.ImportResult) -> None:
        self.wrote(*self._keys[len(self.written) : so_far.taken])


class Billing(Writer):
    """An invoice, its link, the payment's event, the payment: one after the other, each in its transaction."""

    def __init__(self, db: Database, organisation: OrganisationSummary, name: str) -> None:
        super().__init__(db)
        self._organisation, self._name = organisation, name

    def work(self) -> None:
        for n in self.going():
            self._bill(f"{self._name}-{n}")

    def _bill(self, key: str) -> None:
        invoice_id = self.write(
            lambda session: add_invoice(session, key, organisation_id=self._organisation.id)
        )
        intent = self.write(lambda session: _reserve(session, invoice_id))
        self.write(lambda session: claiming.begin_sending(session, intent, LEASE.owner, timedelta(0)))
        stripe_id, url = f"plink_{key}", f"https://buy.stripe.com/{key}"
        assert self.write(
            lambda session: claiming.record_created(session, intent.link_id, stripe_id, url, NOW, NOW)
        )
        event = event_reading.Received(
            f"evt_{key}", event_reading.SESSION_TYPES[0], f"cs_{key}", None, NOW, stripe_link_id=stripe_id
        )
        assert self.write(lambda session: events.keep(session, 1, [event])) == 1
        paid = self.write(lambda session: recording.record_payment(session, _facts(key), 1, NOW, NOW))
        assert paid == "paid"
        self.wrote(key)


class Posting(Writer):
    """Takes messages from the outbox and says that Slack has them."""

    def work(self) -> None:
        for _ in self.going():
            claims = self.write(lambda session: transactions.claim_due(session, 1, LEASE))
            for claim in claims:
                self._post(claim)
            if not claims:
                self.pause(0.02)

    def _post(self, claim: Claim) -> None:
        assert self.write(lambda session: transactions.begin_posting(session, claim))
        self.write(lambda session: transactions.record_posted(session, claim, "C0PAYMENTS", "1.0"))
        self.wrote(claim.announcement.key)


class Reading(Writer):
    """People who search: it writes nothing, and notes what it could read."""

    def work(self) -> None:
        for n in self.going():
            self.read(lambda session: invoices.find_options(session, SCOPE, "imp"))
            self.wrote(str(n))
            self.pause(0.02)


def imported(key: str) -> ImportedInvoice:
    return ImportedInvoice(1, key, key, "Acme Corporation", "", SEEN.amount, SEEN.currency, None, None, "")


def _reserve(session: Session, invoice_id: int) -> Intent:
    invoice, organisation = lock_own(session, SCOPE, invoice_id)
    return reserving.reserve_one(session, SCOPE, ADA, invoice, organisation, SEEN, LEASE, NOW)


def _facts(key: str) -> recording.SessionFacts:
    return recording.SessionFacts(
        session_id=f"cs_{key}",
        stripe_link_id=f"plink_{key}",
        reference=None,
        complete=True,
        expired=False,
        paid=True,
        amount=SEEN.amount,
        currency=SEEN.currency,
        livemode=False,
        payment_intent=f"pi_{key}",
        opened_at=NOW,
    )
