"""A Stripe on this machine: the part of Stripe's API that Paylink uses, its buyer's page, its events and webhooks.

It is what `paylink demo` runs on and what the tests measure against, so it refuses what Stripe refuses, in
Stripe's own words where they are public. Each rule names its source; "undocumented" marks our reading.
The pages of docs.stripe.com are quoted by their path (`/api/idempotent_requests`), the official SDK's types by their
class (`stripe.params.PaymentLinkCreateParams`).

In Python it is `server.LocalStripe`; the same acts go over HTTP (`control.Control`: POST /_local/<act>, the first argument
being `target`). A payment is named by its session, payment intent or charge.

    pay(link or session), open_session, decline, settle, expire                    a buyer, server.LocalStripe
    refund(payment, amount=, status=)                                              dashboard.Dashboard, and so below
    change_refund(refund, status="failed" | "canceled" | "succeeded" | ..., failure_reason=, reference=)
    dispute(payment, status="needs_response" | "warning_needs_response" | "lost" | "prevented" ..., reason=, due_in=)
    submit_evidence(dispute), change_dispute(dispute, status="won" | "lost" | "warning_closed" | "needs_response" ...)
    objects(kind), find(id), links(), requests                                     what it holds and was asked
    advance(seconds)                                                               its clock, also back
    faults.add(kind, path=, times=, ...), faults.outage(); "foreign" with status=, body=, content_type=, after=:
        an answer that isn't Stripe's; "coded" with status=, code=, headers=       see faults.rules
    late.stale(kind or id, times= or seconds=), late.missing(...), late.clear()    see faults.late_reads
    rules.most_digits, rules.retired_currencies_refused, ...                       see act.AccountRules
    deactivate(link), reactivate(link), copy_link(link, amount=, metadata=)        dashboard.Dashboard
    add_key(secret, permissions= | without=, account=), key(secret).revoked = True  see api.endpoints.PERMISSIONS
    add_webhook(url, payload="snapshot" | "thin" | "both", api_version=)           see events.thin
"""
