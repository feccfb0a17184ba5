"""Invoice Ninja, which writes its headings in its user's language, and before each whose it is: *Invoice Due Date*,
*Rechnung Fälligkeitsdatum*."""

from collections.abc import Iterator

from domain.files.reading.layouts.layout import Layout, keys

# What it calls these in each of its languages.
_WORDS = (
    "invoice", "client", "name", "invoice_number", "number", "amount", "balance", "currency", "date", "due_date", "status"
)  # fmt: skip
_LANGUAGES = (
    "Invoice|Client|Name|Invoice Number|Number|Amount|Balance|Currency|Date|Due Date|Status",
    "Rechnung|Kunde|Name|Rechnungsnummer|Nummer|Betrag|Saldo|Währung|Datum|Fälligkeitsdatum|Status",
    "Facture|Client|Nom|Numéro de facture|Numéro|Montant|Solde|Devise|Date|Date d'échéance|Statut",
    "Factura|Cliente|Nombre|Número de Factura|Número|Cantidad|Saldo|Moneda|Fecha|Fecha de Pago|Estado",
    "Fattura|Cliente|Nome|Numero Fattura|Numero|Importo|Bilancio|Valuta|Data|Scadenza|Stato",
    "Factuur|Klant|Bedrijfsnaam|Factuurnummer|Nummer|Bedrag|Saldo|Munteenheid|Datum|Vervaldatum|Status",
    "Fatura|Cliente|Nome|Número da Fatura|Número|Valor|Saldo|Moeda|Data|Data de Vencimento|Status",
)
_SPOKEN = [dict(zip(_WORDS, language.split("|"), strict=True)) for language in _LANGUAGES]


def _names(*names: str) -> Iterator[str]:
    """Each in all of the languages, the words in brackets being those of _WORDS."""
    for name in names:
        yield from keys(*(name.format(**words) for words in _SPOKEN))


NUMBERS = tuple(_names("{invoice} {invoice_number}", "{invoice_number}", "{invoice} {number}", "{number}"))
CLIENTS = (
    *_names("{client} {name}", "{client}"),
    *keys("Client ID", "Invoice Client", "Nom du client", "Nombre del Cliente", "Nome Cliente", "Klantnaam"),
)
AMOUNTS = (
    *_names("{invoice} {amount}"),
    # Cantidad by itself is how many, in files of others.
    *keys(
        "Rechnungssumme",
        "Importe de Factura",
        "Amount",
        "Betrag",
        "Montant",
        "Importe",
        "Importo",
        "Bedrag",
        "Valor",
    ),
)
INVOICE_NINJA = Layout(
    "invoice-ninja",
    signs=(NUMBERS, CLIENTS, AMOUNTS),
    columns={
        "number": NUMBERS,
        "buyer_name": CLIENTS,
        "buyer_email": keys(
            "Client Email", "Contact Email", "Kontakt E-Mail", "Email", "E-Mail", "Correo Electrónico"
        ),
        "amount_due": (
            *_names("{invoice} {balance}", "{balance}"),
            *keys(
                "Balance Due", "Offener Betrag", "Rechnungssaldo", "Solde facture", "Balance de la Factura"
            ),
        ),
        "billing_amount": AMOUNTS,
        "currency": (
            *_names("{client} {currency}", "{invoice} {currency}", "{currency}"),
            *keys("Currency Code", "Currency ID", "Divisa", "Valuta"),
        ),
        "issue_date": (
            *_names("{invoice} {date}", "{date}"),
            *keys("Invoice Invoice Date", "Rechnungsdatum", "Date de facture", "Fecha de Factura"),
            *keys("Data Fattura", "Factuurdatum", "Data da Fatura"),
        ),
        "due_date": (
            *_names("{invoice} {due_date}", "{due_date}"),
            *keys("Fällig am", "Date limite", "Fecha de vencimiento", "Data di scadenza"),
        ),
        "description": keys("PO Number", "Public Notes", "Invoice PO Number", "Invoice Public Notes"),
        "state": (*_names("{invoice} {status}", "{status}"), *keys("Status ID")),
    },
)
