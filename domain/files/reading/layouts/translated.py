"""The layouts of programs that write their headings in their user's language."""

from domain.files.reading.layouts.layout import Layout, keys

NUMBERS = keys("Number", "Nummer", "Rechnungsnummer", "Numéro", "Número", "Numero", "Factuurnummer")
CLIENTS = keys("Client", "Kunde", "Client Name", "Invoice Client", "Client ID", "Cliente", "Klant")
INVOICE_NINJA = Layout(
    "invoice-ninja",
    signs=(
        (*keys("Invoice Number", "Invoice Invoice Number"), *NUMBERS),
        CLIENTS,
        keys("Amount", "Invoice Amount", "Betrag", "Montant", "Importe", "Bedrag", "Importo"),
    ),
    columns={
        "number": (*keys("Invoice Number", "Invoice Invoice Number"), *NUMBERS),
        "buyer_name": (
            *keys("Client Name", "Client", "Kunde", "Invoice Client", "Cliente", "Klant"),
            *CLIENTS,
        ),
        "buyer_email": keys("Client Email", "Email", "E-Mail", "Contact Email"),
        "amount_due": keys("Balance", "Invoice Balance", "Balance Due", "Saldo", "Offener Betrag", "Solde"),
        "billing_amount": keys(
            "Amount", "Invoice Amount", "Betrag", "Montant", "Importe", "Bedrag", "Importo"
        ),
        "currency": keys(
            "Currency",
            "Currency ID",
            "Currency Code",
            "Invoice Currency",
            "Währung",
            "Devise",
            "Moneda",
            "Valuta",
        ),
        "issue_date": keys(
            "Date", "Invoice Date", "Invoice Invoice Date", "Datum", "Rechnungsdatum", "Fecha", "Data"
        ),
        "due_date": keys(
            *("Due Date", "Invoice Due Date", "Fälligkeitsdatum", "Fällig am", "Date limite"),
            *("Fecha de vencimiento", "Vervaldatum", "Date d'échéance"),
        ),
        "description": keys("PO Number", "Public Notes"),
        "state": keys("Status", "Invoice Status", "Statut", "Estado", "Status ID"),
    },
)
PARTNERS = keys(
    *("Invoice Partner Display Name", "Partner", "Customer", "Partner/Display Name", "Partner/Name"),
    *(
        "Anzeigename des Rechnungspartners",
        "Anzeigename des Partners der Rechnung",
        "Geschäftspartner",
        "Kunde",
    ),
    *(
        "Nom d'affichage du partenaire de la facture",
        "Partenaire",
        "Client",
        "Invoice Partner",
        "Relatie",
        "Klant",
    ),
    *("Empresa", "Cliente", "invoice_partner_display_name", "partner_id"),
)
TOTALS = keys(
    *("Total in Currency", "Total in Currency Signed", "Total", "Gesamt", "Gesamtbetrag", "Summe", "Totaal"),
    *("amount_total", "Totale", "Total en devise"),
)
ODOO = Layout(
    "odoo",
    signs=((*NUMBERS, *keys("name")), PARTNERS, TOTALS),
    columns={
        "number": (*NUMBERS, *keys("name")),
        "buyer_name": PARTNERS,
        "buyer_email": keys("Partner/Email", "Email", "E-Mail", "Customer/Email", "partner_id/email"),
        "amount_due": keys(
            *("Amount Due", "Amount Due in Currency", "Offener Betrag", "Fälliger Betrag", "Montant dû"),
            *("Importe adeudado", "amount_residual"),
        ),
        "billing_amount": TOTALS,
        "currency": keys("Currency", "Währung", "Devise", "Moneda", "Valuta", "currency_id"),
        "issue_date": keys(
            *(
                "Invoice/Bill Date",
                "Invoice Date",
                "Rechnungsdatum",
                "Date de facturation",
                "Bill Date",
                "Date",
            ),
            *("Rechnungs-/Belegdatum", "Rechnungsdatum/Datum der Lieferantenrechnung", "Fecha de factura"),
            *("Factuurdatum", "invoice_date"),
        ),
        "due_date": keys(
            *("Due Date", "Fälligkeitsdatum", "Fälligkeit", "Date d'échéance", "Fecha de vencimiento"),
            *("Vervaldatum", "Date Due", "invoice_date_due"),
        ),
        "description": keys("Reference", "Referenz", "Référence", "Source", "Payment Reference", "ref"),
        "state": keys(
            "Payment Status",
            "Zahlungsstatus",
            "Statut du paiement",
            "Status",
            "Statut",
            "État",
            "Estado",
            "state",
        ),
    },
    keep={
        keys("Type", "Typ", "move_type"): (
            *(
                "Customer Invoice",
                "Kundenrechnung",
                "Ausgangsrechnung",
                "Facture client",
                "out_invoice",
                "Invoice",
            ),
        )
    },
)
