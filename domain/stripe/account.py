"""One organisation's Stripe account: its client, and its ledger.

The account is asked of Stripe. Where the key may not read it, it is proved: by the key itself, if it is the one last used,
or by a link that is known to be in the account. Until then nothing is asked of Stripe that would be written down for it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import cycle, islice
from typing import Literal

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.database import Database
from domain.scope import Scope
from domain.stripe.client import StripeApi, id_of
from domain.stripe.errors import StripeAway, StripeKeyRefused, StripeRefused, StripeTrouble, StripeUnreadable
from domain.stripe.ledgers.candidates import LINKS_ASKED_ABOUT, Candidate, CandidateMoved, list_candidates
from domain.stripe.ledgers.opening import open_ledger, take_up
from domain.stripe.pausing import AWAY, because_refused, pause, resume
from domain.summaries import Pause

UNANSWERED = 3

_log = structlog.get_logger()


class _Retired(Exception):
    """Another key took this one's place meanwhile: that one's ledger is the organisation's."""


class Account:
    """One organisation's Stripe account by one key. Made by Accounts; another key makes another one."""

    def __init__(
        self,
        db: Database,
        organisation_id: int,
        stripe: StripeApi,
        *,
        clock: Callable[[], datetime],
        on_known: Callable[[], None],
        longest_wait: float = 0.0,
    ) -> None:
        """``longest_wait``: seconds, at most, before Stripe is asked again whose account it is, while it doesn't say."""
        self.organisation_id = organisation_id
        self.stripe = stripe
        self.retired = False
        """The organisation has another key now, or none: nothing is begun with this one any more."""
        self._db = db
        self._clock = clock
        self._on_known = on_known
        self._ledger_id: int | None = None
        self._known = False
        self._unanswered = 0
        self._paused: Pause | None = None
        self._longest_wait = longest_wait
        self._settling = asyncio.Lock()
        self._not_before = 0.0
        self._failures = 0

    @property
    def livemode(self) -> bool:
        return self.stripe.livemode

    @property
    def known(self) -> bool:
        """Whether Stripe was asked for the account: until then the ledger may be another account's."""
        return self._known

    @property
    def paused(self) -> Pause | None:
        """Why Stripe hasn't said yet whose account this is."""
        return self._paused

    @property
    def ledger_id(self) -> int:
        """Raises RuntimeError before ``start``."""
        if self._ledger_id is None:
            raise RuntimeError("Account.start() has not run")
        return self._ledger_id

    @property
    def scope(self) -> Scope:
        return Scope(self.organisation_id, self.ledger_id, self.stripe.livemode)

    def take_up_known(self, ledger_id: int) -> None:
        """Go on in the ledger that this very key was last used with: nothing needs to be asked."""
        self._ledger_id, self._known = ledger_id, True

    async def retire(self) -> None:
        """Ask nothing more with this key. A request that is under way ends by itself."""
        self.retired = True
        await self.stripe.close()

    async def start(self) -> None:
        """Take up the ledger that the organisation last used in this mode, or a new one. Raises DatabaseUnavailable."""
        self._ledger_id = await self._db.write(
            take_up, self.organisation_id, self.stripe.livemode, self._clock()
        )

    async def settle(self) -> bool:
        """Find out once which account the key belongs to; False while it can't be told."""
        async with self._settling:
            if self._known:
                return True
            if self.retired or asyncio.get_running_loop().time() < self._not_before:
                return False
            known = await self._settle()
            self._failures = 0 if known else self._failures + 1
            wait = min(2.0 ** min(self._failures, 10), self._longest_wait)
            self._not_before = asyncio.get_running_loop().time() + wait
            return known

    async def _settle(self) -> bool:
        try:
            account = await self._ask_account()
            candidates = await self._db.background_read(
                list_candidates,
                self.organisation_id,
                self.stripe.livemode,
                unnamed=account is not None,
                key_digest=self.stripe.key_digest,
            )
            proved = await self._find_proved(candidates)
            opened = await self._open(account, proved, candidates)
        except StripeKeyRefused as refused:
            return await self._wait(because_refused(refused))
        except StripeAway:
            return await self._wait(AWAY)
        except (StripeTrouble, CandidateMoved, _Retired):
            return False
        self._ledger_id = opened
        await self._db.background_write(resume, self._ledger_id)
        self._known = True
        if self._paused is not None:
            self._paused = None
            _log.info("stripe.resumed")
        self._on_known()
        return True

    async def _ask_account(self) -> str | None:
        """The account's id; None if the key may not read it, or if Stripe goes on answering nothing to this alone."""
        try:
            answer = await self.stripe.get_account()
        except StripeRefused:
            return None
        except StripeKeyRefused as refused:
            if not refused.lacking:
                raise
            return None
        except StripeAway as away:
            # Stripe that answers everything else but not this must not hold up the work for ever.
            self._unanswered += not away.unsent
            if self._unanswered < UNANSWERED:
                raise
            return None
        account = id_of(answer)
        if account is None:
            raise StripeUnreadable("an account without an id")
        return account

    async def _find_proved(self, candidates: list[Candidate]) -> int | None:
        """The ledger that is shown to be this account's: it was last used with this very key, or Stripe knows a link of it.

        A link shows more: with other keys of the account in between there may be two ledgers of it. Raises the errors of
        domain/stripe/errors.py: without an answer nothing is shown.
        """
        last_used = self._last_used(candidates)
        if last_used is not None and last_used.stripe_ids:
            return last_used.ledger_id
        for candidate in candidates:
            if await self._knows(candidate.stripe_ids):
                return candidate.ledger_id
        others = [one for one in candidates if one.lost and one is not last_used]
        found = await self._find_lost(others)
        return last_used.ledger_id if found is None and last_used is not None else found

    def _last_used(self, candidates: list[Candidate]) -> Candidate | None:
        """The one that was last used with this very key."""
        same = (one for one in candidates if one.key_digest == self.stripe.key_digest)
        return next(same, None)

    async def _find_lost(self, candidates: list[Candidate]) -> int | None:
        """The ledger of which this account has a link whose answer was lost: all that can show it, without any link's id.

        In a new ledger its invoice would get a second link. Reads the account's list of links, to its end.
        """
        if not candidates:
            return None
        if any(candidate.under_way for candidate in candidates):
            raise StripeAway("a link that may still be under way")
        ledgers = {reference: one.ledger_id for one in candidates for reference in one.lost}
        try:
            async for page in self.stripe.list_all("/v1/payment_links"):
                for link in page:
                    metadata = link.get("metadata")
                    reference = metadata.get("paylink_reference") if isinstance(metadata, dict) else None
                    if reference in ledgers:
                        return ledgers[reference]
        except StripeRefused as refused:
            # Not the link was refused but the look: nothing is known yet.
            raise StripeAway(refused.said) from None
        return None

    async def _knows(self, stripe_ids: tuple[str, ...]) -> bool:
        """Whether Stripe knows one of these links by this key: links are never deleted, but an answer may be unlucky.

        Only the link itself shows that: a gateway may answer anything to everything.
        """
        for stripe_id in islice(cycle(stripe_ids), LINKS_ASKED_ABOUT):
            try:
                answer = await self.stripe.get_payment_link(stripe_id)
            except StripeRefused as refused:
                if refused.code != "resource_missing":
                    raise StripeAway("an answer about a link that is neither") from None
            else:
                if id_of(answer) != stripe_id:
                    raise StripeUnreadable("another answer than the link that was asked for")
                return True
        return False

    async def _wait(self, why: Pause) -> Literal[False]:
        """Tell people and, once for each reason, the operator: this is asked again every few seconds."""
        if why != self._paused:
            self._paused = why
            _log.warning("stripe.paused", reason=why.reason.value, permission=why.permission)
        await self._db.background_write(pause, self.ledger_id, why)
        return False

    async def _open(self, account: str | None, proved: int | None, candidates: list[Candidate]) -> int:
        last_used = self._last_used(candidates)

        def opened(session: Session) -> int:
            digest = self.stripe.key_digest
            ledger_id = open_ledger(
                session,
                self.organisation_id,
                self.stripe.livemode,
                account,
                self._clock(),
                proved=proved,
                last_used=None if last_used is None else last_used.ledger_id,
                key_digest=digest,
                looked_at=candidates,
            )
            # Asked with the organisation locked: the key that took this one's place opens its ledger afterwards.
            if self.retired:
                raise _Retired
            return ledger_id

        try:
            return await self._db.write(opened)
        except IntegrityError:
            # Another process made the same ledger in the same moment: now it is there.
            return await self._db.write(opened)
