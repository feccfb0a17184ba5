"""Failing on demand (see Faults)."""

from sandbox.stripe.faults.rules import Fault, FaultKind, Faults

__all__ = ["Fault", "FaultKind", "Faults"]
