"""Connecting an organisation to its Stripe account with a key that somebody gives: checked, then kept sealed."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from domain.connecting.before import Before, find_before
from domain.connecting.checking import KeyCheck, Permission, check_key
from domain.connecting.own_endpoint import OwnEndpoint, provide_endpoint, remove_endpoint
from domain.connecting.summaries import AskFirst, Connected, Otherness, Webhook
from domain.coordination.turns import of_connecting, turn_of_task
from domain.database import Database
from domain.errors import (
    KeyLacks,
    KeyUnusable,
    NotAllowed,
    OrganisationUnknown,
    SigningSecretUnusable,
    StandingUnknown,
)
from domain.organisations import organisations, stripe_keys
from domain.organisations.stripe_keys import KeptStripeKey, StripeKeySummary
from domain.secrets.box import Box, CannotOpen
from domain.states import KeyTrouble
from domain.stripe.client import StripeApi, id_of
from domain.stripe.errors import StripeRefused, StripeTrouble
from domain.summaries import Actor

_KEY = re.compile(r"[sr]k_(test|live)_[!-~]{4,250}", re.ASCII)
_SIGNING_SECRET = re.compile(r"whsec_[!-~]{1,250}", re.ASCII)

_log = structlog.get_logger()

Keep = Callable[[Callable[[Session], StripeKeySummary]], Awaitable[StripeKeySummary]]
"""Runs the transaction that keeps the key, for whoever may have it kept then."""


@dataclass(frozen=True)
class _Given:
    """What somebody gave. It is nowhere shown."""

    key: str
    signing_secret: str | None

    def __repr__(self) -> str:
        return "_Given()"


class Connecting:
    """``make_api`` makes the client of a key; ``public_url`` is where Stripe reaches Paylink, if it can."""

    def __init__(
        self,
        db: Database,
        box: Box,
        make_api: Callable[[str], StripeApi],
        *,
        public_url: str | None = None,
    ) -> None:
        self._db = db
        self._box = box
        self._make_api = make_api
        self._public_url = public_url

    async def connect(
        self,
        actor: Actor,
        key: str,
        signing_secret: str = "",
        *,
        confirmed: str = "",
        keep: Keep | None = None,
    ) -> Connected | AskFirst:
        """Check the key with Stripe, and keep it in place of the one before; with a permission for it, make the endpoint
        that Stripe tells of payments.

        ``confirmed`` is the seal of what was asked first, if anything was. Raises KeyUnusable, KeyLacks,
        SigningSecretUnusable, OrganisationUnknown, DatabaseUnavailable, and what ``keep`` raises: then nothing is kept.
        """
        given = _read(key, signing_secret)
        api = self._make_api(given.key)
        try:
            check = await check_key(api)
            if check.missing:
                raise KeyLacks(tuple(one.value for one in check.missing))
            before = await self._db.read(find_before, actor.team_id)
            other = await _find_otherness(api, check, before)
            if other is not None and before is not None and (seal := _seal(api, check)) != confirmed:
                return AskFirst(other, before.links, before.livemode, before.account, check, seal)
            organisation = await self._db.read(organisations.get_by_team, actor.team_id)
            # Pressed twice at once, in whichever processes, each would make an endpoint of its own.
            async with turn_of_task(self._db, of_connecting(organisation.id)):
                return await self._keep(
                    actor, given, api, check, is_other=other is not None, keep=keep or self._db.write
                )
        finally:
            await api.close()

    async def _keep(
        self, actor: Actor, given: _Given, api: StripeApi, check: KeyCheck, *, is_other: bool, keep: Keep
    ) -> Connected:
        kept = await self._find_kept(actor.team_id)
        # Also where no link was made yet, so that nothing had to be asked.
        is_other = is_other or (kept is not None and _is_of_other(kept.summary, check))
        webhook, endpoint = await self._provide(actor.team_id, given, api, check, None if is_other else kept)

        def store(session: Session) -> StripeKeySummary:
            if is_other:
                # With what the other account's webhooks are signed with.
                stripe_keys.erase(session, actor.team_id, actor.user_id)
            return stripe_keys.store(
                session,
                self._box,
                actor.team_id,
                given.key,
                by=actor.user_id,
                account=check.account,
                signing_secrets=given.signing_secret,
                endpoint=None if endpoint is None else (endpoint.id, endpoint.secret),
            )

        try:
            summary = await keep(store)
        except (NotAllowed, StandingUnknown, OrganisationUnknown):
            before = None if kept is None else kept.summary.endpoint_id
            if endpoint is not None and endpoint.id != before:
                await self._remove(actor.team_id, api, endpoint.id)
            raise
        _log.info("stripe.connected", team=actor.team_id, livemode=summary.livemode, webhook=webhook.value)
        if is_other and kept is not None and kept.summary.endpoint_id is not None:
            old = self._make_api(kept.key)
            await self._remove(actor.team_id, old, kept.summary.endpoint_id)
            await old.close()
        return Connected(summary, check, webhook)

    async def _find_kept(self, team_id: str) -> KeptStripeKey | None:
        """None also for one that no key of ours opens any more: it is replaced."""
        try:
            return await self._db.read(stripe_keys.find, self._box, team_id)
        except CannotOpen:
            return None

    async def _provide(
        self, team_id: str, given: _Given, api: StripeApi, check: KeyCheck, kept: KeptStripeKey | None
    ) -> tuple[Webhook, OwnEndpoint | None]:
        if given.signing_secret is not None:
            return Webhook.GIVEN, None
        url = self._url(team_id)
        if url is None:
            return Webhook.NO_ADDRESS, None
        if Permission.WEBHOOKS in check.lacks:
            return Webhook.NOT_ALLOWED, None
        known = None
        if kept is not None and kept.summary.endpoint_id is not None:
            known = OwnEndpoint(kept.summary.endpoint_id, kept.webhook_secrets[-1])
        try:
            return Webhook.MADE, await provide_endpoint(api, url, organisation=team_id, known=known)
        except StripeTrouble as trouble:
            # The key is of use without it, and connecting it again tries again.
            _log.warning("webhook.not_made", team=team_id, error=type(trouble).__name__)
            return Webhook.REFUSED, None

    async def _remove(self, team_id: str, api: StripeApi, endpoint_id: str) -> None:
        """Stripe needn't tell what nobody takes any more."""
        if not await remove_endpoint(api, endpoint_id):
            _log.warning("webhook.not_removed", team=team_id, endpoint=endpoint_id)

    def _url(self, team_id: str) -> str | None:
        return None if self._public_url is None else f"{self._public_url}/stripe/webhook/{team_id}"


def _read(key: str, signing_secret: str) -> _Given:
    key, signing_secret = key.strip(), signing_secret.strip()
    if not _KEY.fullmatch(key):
        raise KeyUnusable(KeyTrouble.MALFORMED)
    if signing_secret and not _SIGNING_SECRET.fullmatch(signing_secret):
        raise SigningSecretUnusable
    return _Given(key, signing_secret or None)


async def _find_otherness(api: StripeApi, check: KeyCheck, before: Before | None) -> Otherness | None:
    """How the links that there are aren't the key's; None where they are, or where there are none."""
    if before is None or not before.links:
        return None
    if before.livemode != check.livemode:
        return Otherness.MODE
    if before.key_digest == api.key_digest:
        return None
    if check.account is not None and before.account is not None:
        return None if check.account == before.account else Otherness.ACCOUNT
    return None if await _knows_any(api, before.stripe_ids) else Otherness.ACCOUNT


async def _knows_any(api: StripeApi, stripe_ids: tuple[str, ...]) -> bool:
    """Whether one of these links is in the key's account. Raises KeyUnusable if Stripe doesn't say."""
    for stripe_id in stripe_ids:
        try:
            if id_of(await api.get_payment_link(stripe_id)) == stripe_id:
                return True
        except StripeRefused:
            continue
        except StripeTrouble:
            raise KeyUnusable(KeyTrouble.STRIPE_AWAY) from None
    return False


def _is_of_other(kept: StripeKeySummary, check: KeyCheck) -> bool:
    """Whether the key that was kept is known to be of another account or mode."""
    both = kept.account is not None and check.account is not None
    return kept.livemode != check.livemode or (both and kept.account != check.account)


def _seal(api: StripeApi, check: KeyCheck) -> str:
    """The account, or a digest of the key where it isn't told."""
    return f"{'live' if check.livemode else 'test'}|{check.account or api.key_digest[:16]}"
