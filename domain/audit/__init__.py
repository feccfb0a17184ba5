"""Who did what: written in the transaction of the deed, chained once it is committed, and never changed (decision 0032)."""

from domain.audit.deeds import Deed, Result
from domain.audit.recording import By, Invoiced, OfInvoice, record, record_all

__all__ = ["By", "Deed", "Invoiced", "OfInvoice", "Result", "record", "record_all"]
