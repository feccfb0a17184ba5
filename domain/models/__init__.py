"""The tables. What must not happen, the database itself refuses: a second link, a wrong state, a second announcement."""

from domain.models.audit import AuditEntry, AuditErasure, AuditHead
from domain.models.base import EPOCH, STATUS, Base, Bytewise, Id, Instant, milliseconds
from domain.models.coordination import Duty, Pace
from domain.models.files import FileImport, KnownHeading
from domain.models.invoices import BuyerTerm, Invoice, OpenView, SearchTerm, Selection, SelectionItem
from domain.models.links import BulkRun, BulkRunItem, Ledger, Link
from domain.models.organisations import (
    HeardEvent,
    InstallState,
    OpenHome,
    Organisation,
    OrganisationSettings,
    Welcome,
)
from domain.models.outbox import IS_OPEN, OutboxMessage, is_open
from domain.models.payments import Payment, PaymentException, Reversal, StripeEvent, UnusedEvent
from domain.models.programs import ApiToken, FeedEvent, FeedHead
from domain.models.secrets import Installation, SecretGeneration, StripeKey
from domain.models.sums import InvoiceSum, ReceivedSum, SumCheck

__all__ = [
    "EPOCH",
    "IS_OPEN",
    "STATUS",
    "ApiToken",
    "AuditEntry",
    "AuditErasure",
    "AuditHead",
    "Base",
    "BulkRun",
    "BulkRunItem",
    "BuyerTerm",
    "Bytewise",
    "Duty",
    "FeedEvent",
    "FeedHead",
    "FileImport",
    "HeardEvent",
    "Id",
    "InstallState",
    "Installation",
    "Instant",
    "Invoice",
    "InvoiceSum",
    "KnownHeading",
    "Ledger",
    "Link",
    "OpenHome",
    "OpenView",
    "Organisation",
    "OrganisationSettings",
    "OutboxMessage",
    "Pace",
    "Payment",
    "PaymentException",
    "ReceivedSum",
    "Reversal",
    "SearchTerm",
    "SecretGeneration",
    "Selection",
    "SelectionItem",
    "StripeEvent",
    "StripeKey",
    "SumCheck",
    "UnusedEvent",
    "Welcome",
    "is_open",
    "milliseconds",
]
