"""What programs call an invoice's state."""

from domain.files.reading.layouts.layout import heading_key

_LEFT_OUT = "draft|entwurf|brouillon|borrador|bozza|concept|下書き|pendingapproval|awaitingapproval|submitted|proforma"
_VOID = (
    "void|voided|cancelled|canceled|deleted|writtenoff|uncollectible|reversed|declined|rejected|storniert|abgebrochen|"
    "annulé|annulée|cancelado|geannuleerd|キャンセル|無効|取消"
)
_SETTLED = "paid|closed|settled|inpayment|bezahlt|inzahlung|payé|payée|enpaiement|pagado|betaald|入金済|入金済み|completed|autopaid"
_OPEN = (
    "open|authorised|authorized|awaitingpayment|approved|sent|viewed|overdue|pastdue|due|unpaid|partiallypaid|partialpaid|"
    "partial|partpaid|paymentpending|outstanding|posted|notpaid|issued|finalized|emailed|unsent|"
    "gebucht|nichtbezahlt|offen|gesendet|versendet|überfällig|teilweisebezahlt|teilbezahlt|comptabilisé|comptabilisée|"
    "nonpayé|nonpayée|partiellementpayé|envoyé|envoyée|publicado|geboekt|nietbetaald|未入金|未設定|一部入金|送付済|送付済み|"
    "printed|未払い"
)
STATES = {
    heading_key(word): state
    for state, words in (("draft", _LEFT_OUT), ("void", _VOID), ("settled", _SETTLED), ("open", _OPEN))
    for word in words.split("|")
}
"""What the programs' words for an invoice's state stand for."""
