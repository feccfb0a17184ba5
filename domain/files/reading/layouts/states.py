"""What programs call an invoice's state, and a row of totals."""

import re

from domain.files.import_fields import SHOWN
from domain.files.reading.layouts.layout import heading_key
from domain.files.reading.values.dates import days

_LEFT_OUT = (
    "draft|pendingapproval|awaitingapproval|submitted|proforma|entwurf|brouillon|borrador|bozza|concept|rascunho|provisório|"
    "下書き"
)
_VOID = (
    "void|voided|cancelled|canceled|deleted|writtenoff|uncollectible|reversed|declined|rejected|"
    "storniert|abgebrochen|umgekehrt|annulé|annulée|inversé|inversée|extourné|extournée|"
    "cancelado|cancelada|anulado|anulada|invertido|revertido|revertida|annullato|annullata|stornato|stornata|invertito|"
    "geannuleerd|teruggedraaid|teruggeboekt|omgekeerd|キャンセル|無効|取消"
)
_SETTLED = (
    "paid|closed|settled|inpayment|completed|autopaid|bezahlt|inzahlung|payé|payée|payés|payées|enpaiement|"
    "pagado|pagada|pagados|pagadas|enpago|enprocesodepago|pagato|pagata|inpagamento|betaald|inbetaling|"
    "pago|paga|empagamento|入金済|入金済み|deposited|paidon"
)
_OPEN = (
    "open|authorised|authorized|awaitingpayment|approved|sent|viewed|overdue|pastdue|due|unpaid|"
    "paymentpending|overdueon|duein|dueon|duetoday|duelater|outstanding|posted|notpaid|issued|finalized|emailed|unsent|printed|"
    "gebucht|nichtbezahlt|unbezahlt|offen|gesendet|versendet|angesehen|überfällig|"
    "comptabilisé|comptabilisée|nonpayé|nonpayée|nonpayés|nonpayées|impayé|impayée|enretard|vu|vue|"
    "envoyé|envoyée|"
    "publicado|registrado|nopagado|nopagada|nopagados|nopagadas|sinpagar|"
    "enviado|enviada|visto|vencido|vencida|"
    "confermato|pubblicato|registrato|contabilizzato|nonpagato|nonpagata|"
    "inviato|inviata|spedito|scaduto|scaduta|"
    "geboekt|nietbetaald|onbetaald|verzonden|verstuurd|bekeken|verlopen|"
    "lançado|nãopago|visualizado|"
    "未入金|未設定|送付済|送付済み|未払い"
)
_PARTIAL = (
    "partiallypaid|partialpaid|partial|partialdeposit|partpaid|partiallypaidduein|partiallypaidoverdue|teilweise|"
    "teilweisebezahlt|teilbezahlt|teilanzahlung|partiel|partiellementpayé|partiellementpayée|acompte|"
    "pagadoparcialmente|parcialmentepagado|parcial|parcialdepósito|parziale|parzialedeposito|parzialmentepagato|"
    "gedeeltelijk|gedeeltelijkbetaald|deelbetaling|parcialmentepago|depósitoparcial|一部入金"
)
STATES = {
    heading_key(word): state
    for state, words in (
        ("draft", _LEFT_OUT),
        ("void", _VOID),
        ("settled", _SETTLED),
        ("partial", _PARTIAL),
        ("open", _OPEN),
    )
    for word in words.split("|")
}
"""What the programs' words for an invoice's state stand for. What is *partial* is open, and its total isn't what is due."""
_TOTALS = frozenset(
    heading_key(word)
    for word in (
        *(
            "Total",
            "Totals",
            "Grand total",
            "Subtotal",
            "Sum",
            "Gesamt",
            "Summe",
            "Gesamtsumme",
            "Zwischensumme",
        ),
        *(
            "Total général",
            "Sous-total",
            "Total general",
            "Totale",
            "Totaal",
            "Total geral",
            "合計",
            "総計",
            "小計",
        ),
    )
)
_TOTAL_FOR = re.compile(r"\s*total\s+for(?:\s|$)", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_SO_MANY_DAYS = re.compile(r"[0-9]{1,5}\s+days?", re.IGNORECASE)


def state_words(text: str) -> str:
    """Those of a state that ends with when, such as *Overdue on 10/30/2026* and *Due in 5 days*; as heading_key does.

    Any other number belongs to the words: of *Paid 50%*, half is still to be paid.
    """
    text = text[:SHOWN].strip()
    for blanks in _BLANKS.finditer(text):
        if _is_when(text[blanks.end() :]):
            return heading_key(text[: blanks.start()])
    return heading_key(text)


def _is_when(text: str) -> bool:
    """Digits alone may be an amount."""
    return _SO_MANY_DAYS.fullmatch(text) is not None or (not text.isdecimal() and bool(days(text)))


def is_totals(label: str) -> bool:
    """Whether that is what a row of totals is called, where an invoice has its number or its buyer."""
    return heading_key(label[:SHOWN]) in _TOTALS or _TOTAL_FOR.match(label) is not None
