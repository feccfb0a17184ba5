"""Within what a person's question or act stays. The desk finds it once, from who asks; all below take it as it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """An organisation, and the ledger of its Stripe account in the configured mode."""

    organisation_id: int
    ledger_id: int
    livemode: bool
