"""The badges on a link: what stands beside the status of its invoice."""

from collections.abc import Iterable

from domain.models import Link
from domain.reasons import BillingState
from domain.states import Badge

OF_STATES = {BillingState.SETTLED: Badge.SETTLED_ELSEWHERE, BillingState.VOID: Badge.VOID}


def read_badges(
    codes: str | None, *, refunded: bool | None, disputed: bool | None, state: str
) -> tuple[Badge, ...]:
    """Those of an invoice, in their order: of its link, if it has one, and of what became of it elsewhere.

    What the version before wrote of a link has no codes, but two flags.
    """
    if not (codes or refunded or disputed or state in OF_STATES):  # as nearly all of a page
        return ()
    found = {Badge(code) for code in (codes or "").split(",") if code}
    if refunded and not found & {Badge.REFUNDED, Badge.PARTLY_REFUNDED}:
        found.add(Badge.REFUNDED)
    if disputed and not found & {Badge.DISPUTED, Badge.INQUIRY, Badge.DISPUTE_LOST}:
        found.add(Badge.DISPUTED)
    found |= {badge for of, badge in OF_STATES.items() if state == of}
    return tuple(badge for badge in Badge if badge in found)


def show_badges(link: Link, shown: Iterable[Badge], *, among: frozenset[Badge]) -> None:
    """Let ``shown`` be those of ``among`` that stand on the link; others stay."""
    kept = {Badge(code) for code in link.badges.split(",") if code} - among
    kept |= set(shown) & among
    link.badges = ",".join(badge.value for badge in Badge if badge in kept)
