"""What a merchant does in Stripe's Dashboard, and what banks do to a payment, as methods of the local Stripe."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.objects import disputes, payments, refunds
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

    def _done(self, item: Json) -> Json:
        self.changed()
        return copy_of(item)
