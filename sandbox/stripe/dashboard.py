"""What a merchant does in Stripe's Dashboard, and what banks do to a payment, as methods of the local Stripe."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.objects import disputes, links, payments, refunds
from sandbox.stripe.worlds import Worlds, copy_of

Json = dict[str, Any]


class Dashboard(Worlds):
    """See LocalStripe. A payment is named by its session, payment intent or charge. All return copies of Stripe's JSON
    objects, and raise ApiError where Stripe refuses, ValueError where it could never come to that."""

    # -- refunds and disputes -----------------------------------------------------------------------------------------

    async def refund(
        self, payment: str, *, amount: int | None = None, reason: str | None = None, status: str = "succeeded"
    ) -> Json:
        """Refunds a payment, wholly (None: what is left) or in part, several times if need be; returns the refund.
        `status`: where it stands at first, or, as "failed" or "canceled", where it ends right away."""
        act = self.act_for(payment)
        charge = payments.charge_of(act, payment)
        return self._done(refunds.create(act, charge, amount=amount, reason=reason, status=status))

    async def change_refund(
        self,
        refund: str,
        *,
        status: str | None = None,
        failure_reason: str | None = None,
        reference: str | None = None,
    ) -> Json:
        """The refund goes on to `status` (see refunds.FOLLOWS): "failed" and "canceled" take its sum back out of the
        charge's `amount_refunded`. `reference`: the network's number for it, an update without a change of status."""
        act = self.act_for(refund)
        item = act.get("refund", refund, param="refund")
        return self._done(
            refunds.change(act, item, status=status, failure_reason=failure_reason, reference=reference)
        )

    async def dispute(
        self,
        payment: str,
        *,
        amount: int | None = None,
        reason: str = "fraudulent",
        status: str = "needs_response",
        due_in: int | None = None,
    ) -> Json:
        """The buyer's bank disputes a payment, or with `status="warning_needs_response"` inquires; an end ("lost",
        "prevented") is one that is first heard of when it is over. `due_in`: seconds until the answer is due (None: nine
        days). Returns the dispute."""
        act = self.act_for(payment)
        charge = payments.charge_of(act, payment)
        return self._done(
            disputes.create(act, charge, amount=amount, reason=reason, status=status, due_in=due_in)
        )

    async def submit_evidence(self, dispute: str, *, submit: bool = True) -> Json:
        """The merchant answers (or, `submit=False`, only keeps evidence): the dispute or inquiry is under review."""
        act = self.act_for(dispute)
        item = act.get("dispute", dispute, param="dispute")
        return self._done(disputes.submit_evidence(act, item, submit=submit))

    async def change_dispute(self, dispute: str, *, status: str, due_in: int | None = None) -> Json:
        """The dispute goes on to `status` (see disputes.FOLLOWS): "won", "lost", "warning_closed" and "prevented" end
        it; "needs_response" makes a dispute of an inquiry."""
        act = self.act_for(dispute)
        item = act.get("dispute", dispute, param="dispute")
        return self._done(disputes.change(act, item, status=status, due_in=due_in))

    # -- payment links ------------------------------------------------------------------------------------------------

    async def deactivate(self, link: str) -> Json:
        """Switches a link off (its id or URL), as its page in the Dashboard does: payment_link.updated. Sessions that
        are open may still be paid (AccountRules.late_sessions_complete)."""
        act, link_id = self.link(link)
        return self._done(links.update_link(act, link_id, {"active": False}))

    async def reactivate(self, link: str) -> Json:
        """Switches a link on again. One that was completed as often as its limit allows sells nothing even so."""
        act, link_id = self.link(link)
        return self._done(links.update_link(act, link_id, {"active": True}))

    async def copy_link(
        self,
        link: str,
        *,
        amount: int | None = None,
        currency: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Json:
        """Duplicates a link by hand, with another price and the same metadata unless others are given. Whether the
        Dashboard copies metadata is undocumented; a person can type the same."""
        act, link_id = self.link(link)
        return self._done(links.copy_link(act, link_id, amount=amount, currency=currency, metadata=metadata))

    def _done(self, item: Json) -> Json:
        self.changed()
        return copy_of(item)
