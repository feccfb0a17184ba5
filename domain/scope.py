"""Within what a person's question or act stays. The desk finds it once, from who asks; all below take it as it is."""

from dataclasses import dataclass, field

from domain.states import Right


@dataclass(frozen=True)
class Scope:
    """An organisation, and the ledger of its Stripe account in the mode of its key."""

    organisation_id: int
    ledger_id: int
    livemode: bool
    rights: frozenset[Right] = field(default=frozenset(Right), compare=False)
    """What whoever asks may do here."""
    connected: bool = True
    """Whether there is a key: without one links are looked at, not created."""
