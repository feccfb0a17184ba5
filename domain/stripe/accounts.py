"""The Stripe accounts of the organisations that this process serves.

One organisation's key may be given when the process starts (``open``); the others connect theirs, and connect another or none,
in this process or in any other, which ``look`` notices.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from domain.coordination.side_by_side import few_at_once
from domain.database import Database
from domain.errors import OrganisationUnknown
from domain.models import Ledger
from domain.organisations import entering
from domain.organisations.entering import Entered
from domain.scope import Scope
from domain.stripe import stored_keys
from domain.stripe.account import Account
from domain.stripe.client import StripeApi
from domain.stripe.stored_keys import KeyInUse, StoredKeys

# No ledger has it: of an organisation that never had a Stripe account.
NO_LEDGER = 0
# Seconds before Stripe is asked again whose key one is that was stored: there may be many that are refused.
LONGEST_WAIT = 60.0

_log = structlog.get_logger()


class Accounts:
    """Which Stripe account is whose: each organisation has its own key, of its own mode."""

    def __init__(
        self,
        db: Database,
        *,
        clock: Callable[[], datetime],
        on_known: Callable[[], None] = lambda: None,
        stored: StoredKeys | None = None,
    ) -> None:
        """``on_known`` is told when Stripe has said whose account one is: work that waited for that can begin.

        With ``stored`` all organisations of the database are served, by the keys that they connected; without it those that are
        opened.
        """
        self._db = db
        self._clock = clock
        self._on_known = on_known
        self._stored = stored
        self._seen = 0
        self._looking = asyncio.Lock()
        self._of: dict[int, Account] = {}
        self._team_ids: dict[str, int] = {}
        self._webhook_secrets: dict[int, tuple[str, ...]] = {}

    async def open(
        self, organisation_id: int, stripe: StripeApi, *, team_id: str = "", secrets: tuple[str, ...] = ()
    ) -> Account:
        """Serve this organisation from now on by a key that isn't stored; its webhooks are signed with one of ``secrets``. Raises
        DatabaseUnavailable."""
        account = Account(self._db, organisation_id, stripe, clock=self._clock, on_known=self._on_known)
        await account.start()
        self._of[organisation_id] = account
        self._team_ids[team_id] = organisation_id
        self._webhook_secrets[organisation_id] = secrets
        return account

    async def look(self) -> None:
        """Notice which keys were stored, replaced or erased since the last look, by whichever process. Raises DatabaseUnavailable."""
        if self._stored is None:
            return
        # What another look has read before may be older, and would put a key that was replaced back into use.
        async with self._looking:
            seen, box = self._seen, self._stored.box
            now, changed = await self._db.background_read(stored_keys.list_changed, box, seen)
            for one in changed:
                await self._take(one, self._stored)
            if now != seen:
                await self._drop_forgotten()
            # Only when all are in use, so that the next look finds the rest.
            self._seen = now

    async def _drop_forgotten(self) -> None:
        """Whoever is forgotten leaves no change to notice, and SQLite gives their ids to others."""
        there = await self._db.background_read(stored_keys.list_organisations)
        for organisation_id in self._of.keys() - there:
            self._webhook_secrets.pop(organisation_id, None)
            await self._of.pop(organisation_id).retire()

    async def _take(self, one: KeyInUse, stored: StoredKeys) -> None:
        organisation_id = one.changed.organisation_id
        before = self._of.pop(organisation_id, None)
        self._webhook_secrets.pop(organisation_id, None)
        if before is not None:
            await before.retire()
        if one.changed.closed:
            _log.error("stripe.key_closed", team=one.changed.team_id)
        kept = one.changed.kept
        if kept is None:
            return
        account = Account(
            self._db,
            organisation_id,
            stored.make_api(kept.key),
            clock=self._clock,
            on_known=self._on_known,
            longest_wait=LONGEST_WAIT,
        )
        if one.ledger_id is None:
            await account.start()
        else:
            account.take_up_known(one.ledger_id)
        self._of[organisation_id] = account
        self._team_ids[one.changed.team_id] = organisation_id
        self._webhook_secrets[organisation_id] = kept.webhook_secrets
        if account.known:
            self._on_known()

    def get(self, organisation_id: int) -> Account:
        """Raises KeyError for an organisation that isn't connected to Stripe, or that this process doesn't serve."""
        return self._of[organisation_id]

    def find(self, organisation_id: int) -> Account | None:
        """As ``get``; None instead."""
        return self._of.get(organisation_id)

    def find_webhook(self, team_id: str) -> tuple[Account, tuple[str, ...]] | None:
        """The account whose webhook this is, and what it may be signed with; None if there is none, or nothing to sign it with."""
        account = self._of.get(self._team_ids.get(team_id, NO_LEDGER))
        secrets = () if account is None else self._webhook_secrets.get(account.organisation_id, ())
        return None if account is None or not secrets else (account, secrets)

    def find_own(self, organisation_id: int, account: Account) -> Account | None:
        """Whose key makes a link of this organisation's in ``account``'s ledger, which others may share: its own one. None while it has
        none for that; ``account``'s only where keys aren't stored, and another process has the organisation's."""
        own = self._of.get(organisation_id)
        if own is None:
            return account if self._stored is None else None
        return own if own.known and own.ledger_id == account.ledger_id else None

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._of.values()))

    def __len__(self) -> int:
        return len(self._of)

    def list_known(self) -> list[Account]:
        """Those whose ledger is certain: of the others nothing may be asked."""
        return [account for account in self if account.known]

    def of_ledgers(self, ledger_ids: Iterable[int]) -> list[Account]:
        """The accounts whose ledgers these are known to be; organisations may share one, each with a key of its own."""
        wanted = set(ledger_ids)
        return [one for one in self.list_known() if one.ledger_id in wanted] if wanted else []

    async def settle(self) -> None:
        """Ask Stripe whose account each is, where that isn't known yet."""
        await few_at_once([account for account in self if not account.known], Account.settle)

    def get_scope(self, session: Session, team_id: str) -> Scope:
        """The scope of a workspace's people. Raises OrganisationUnknown, also for one that this process doesn't serve."""
        return self.enter(session, team_id)[0]

    def enter(self, session: Session, team_id: str) -> tuple[Scope, Entered]:
        """As get_scope, with what else is known of the workspace's organisation then."""
        entered = entering.enter(session, team_id)
        account = self._of.get(entered.organisation.id)
        if account is None and self._stored is None:
            raise OrganisationUnknown(team_id)
        return _scope_without_key(session, entered) if account is None else account.scope, entered


def _scope_without_key(session: Session, entered: Entered) -> Scope:
    """What there is of links shows on; nothing can be asked of Stripe."""
    organisation_id = entered.organisation.id
    ledger = None if entered.ledger_id is None else session.get(Ledger, entered.ledger_id)
    if ledger is None:
        return Scope(organisation_id, NO_LEDGER, livemode=True, connected=False)
    return Scope(organisation_id, ledger.id, ledger.livemode, connected=False)
