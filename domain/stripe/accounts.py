"""The Stripe accounts of the organisations that this process serves: each one's client, and its ledger.

The account is asked of Stripe; until it is known, nothing is asked of Stripe that would be written down for it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.coordination.side_by_side import for_each
from domain.database import Database
from domain.errors import OrganisationUnknown
from domain.organisations import organisations
from domain.scope import Scope
from domain.stripe.client import StripeApi, id_of
from domain.stripe.errors import StripeAway, StripeKeyRefused, StripeRefused, StripeTrouble
from domain.stripe.ledgers import open_ledger
from domain.stripe.pausing import AWAY, because_refused, pause, resume
from domain.summaries import Pause

UNANSWERED = 3

_log = structlog.get_logger()


class Account:
    """One organisation's Stripe account. Made by Accounts.open."""

    def __init__(
        self,
        db: Database,
        organisation_id: int,
        stripe: StripeApi,
        *,
        clock: Callable[[], datetime],
        on_known: Callable[[], None],
    ) -> None:
        self.organisation_id = organisation_id
        self.stripe = stripe
        self._db = db
        self._clock = clock
        self._on_known = on_known
        self._ledger_id: int | None = None
        self._known = False
        self._unanswered = 0
        self._paused: Pause | None = None

    @property
    def known(self) -> bool:
        """Whether Stripe was asked for the account: until then the ledger may be another account's."""
        return self._known

    @property
    def ledger_id(self) -> int:
        """Raises RuntimeError before ``start``."""
        if self._ledger_id is None:
            raise RuntimeError("Account.start() has not run")
        return self._ledger_id

    @property
    def scope(self) -> Scope:
        return Scope(self.organisation_id, self.ledger_id, self.stripe.livemode)

    async def start(self) -> None:
        """Take up the ledger last used in this mode, or a new one. Raises DatabaseUnavailable."""
        self._ledger_id = await self._open(None)

    async def settle(self) -> bool:
        """Ask Stripe once which account the key belongs to; False while it can't be told."""
        if self._known:
            return True
        try:
            account = id_of((await self.stripe.get_account()).get("id"))
        except StripeRefused:
            account = None
        except StripeKeyRefused as refused:
            if not refused.lacking:
                return await self._wait(because_refused(refused))
            account = None
        except StripeAway as away:
            # Stripe that answers everything else but not this must not hold up the work for ever.
            self._unanswered += not away.unsent
            if self._unanswered < UNANSWERED:
                return await self._wait(AWAY)
            account = None
        except StripeTrouble:
            return False
        self._ledger_id = await self._open(account)
        await self._db.background_write(resume, self._ledger_id)
        self._known = True
        if self._paused is not None:
            self._paused = None
            _log.info("stripe.resumed")
        self._on_known()
        return True

    async def _wait(self, why: Pause) -> Literal[False]:
        """Tell people and, once for each reason, the operator: this is asked again every few seconds."""
        if why != self._paused:
            self._paused = why
            _log.warning("stripe.paused", reason=why.reason.value, permission=why.permission)
        await self._db.background_write(pause, self.ledger_id, why)
        return False

    async def _open(self, account: str | None) -> int:
        try:
            return await self._db.write(open_ledger, self.stripe.livemode, account, self._clock())
        except IntegrityError:
            # Another process made the same ledger in the same moment: now it is there.
            return await self._db.write(open_ledger, self.stripe.livemode, account, self._clock())


class Accounts:
    """Which Stripe account is whose. All are of one mode, the configured one."""

    def __init__(
        self,
        db: Database,
        *,
        livemode: bool,
        clock: Callable[[], datetime],
        on_known: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_known`` is told when Stripe has said whose account one is: work that waited for that can begin."""
        self.livemode = livemode
        self._db = db
        self._clock = clock
        self._on_known = on_known
        self._of: dict[int, Account] = {}

    async def open(self, organisation_id: int, stripe: StripeApi) -> Account:
        """Serve this organisation from now on. Raises ValueError for a key of the other mode, DatabaseUnavailable."""
        if stripe.livemode != self.livemode:
            raise ValueError("a key of the other mode")
        account = Account(self._db, organisation_id, stripe, clock=self._clock, on_known=self._on_known)
        await account.start()
        self._of[organisation_id] = account
        return account

    def get(self, organisation_id: int) -> Account:
        """Raises KeyError for an organisation that this process doesn't serve."""
        return self._of[organisation_id]

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._of.values()))

    def list_known(self) -> list[Account]:
        """Those whose ledger is certain: of the others nothing may be asked."""
        return [account for account in self if account.known]

    async def settle(self) -> None:
        """Ask Stripe whose account each is, where that isn't known yet."""
        await for_each(lambda: [account for account in self if not account.known], Account.settle)

    def get_scope(self, session: Session, team_id: str) -> Scope:
        """The scope of a workspace's people. Raises OrganisationUnknown, also for one that this process doesn't serve."""
        organisation = organisations.get_row(session, team_id)
        account = self._of.get(organisation.id)
        if account is None:
            raise OrganisationUnknown(team_id)
        return account.scope
