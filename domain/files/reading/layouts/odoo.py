"""Odoo, which writes its headings in its user's language: English, German, French, Spanish, Italian, Dutch or Portuguese."""

from domain.files.reading.layouts.layout import Layout, keys

NUMBERS = keys(
    *("Number", "Nummer", "Rechnungsnummer", "Numéro", "Número", "Numero", "Factuurnummer"),
    *("Numéro de facture", "Número de factura", "Numero fattura", "Número da fatura"),
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
    *("Nombre del socio a mostrar en la factura", "Nombre del contacto de la factura", "Contacto", "Empresa"),
    *("Nome visualizzato partner fattura", "Nome visualizzato del partner della fattura", "Cliente"),
    *("Weergavenaam factuurpartner", "Weergavenaam van factuurpartner", "Factuur relatie weergavenaam"),
    *("Nome de exibição do parceiro da fatura", "Nome do parceiro da fatura", "Parceiro"),
    *("invoice_partner_display_name", "partner_id"),
)
TOTALS = keys(
    *("Total in Currency", "Total in Currency Signed", "Total", "Gesamt", "Gesamtbetrag", "Summe", "Totaal"),
    *("amount_total", "Totale", "Total en devise", "Total Signed in Currency", "Total en divisa firmado"),
    *("Gesamt in Währung", "Total en divisa", "Totale in valuta", "Totaal in valuta", "Total na moeda"),
)
"""In the invoice's currency: a total in the company's (Total Signed) isn't one."""
ODOO = Layout(
    "odoo",
    signs=((*NUMBERS, *keys("name")), PARTNERS, TOTALS),
    columns={
        "number": (*NUMBERS, *keys("name")),
        "buyer_name": PARTNERS,
        "buyer_email": keys("Partner/Email", "Email", "E-Mail", "Customer/Email", "partner_id/email"),
        "amount_due": keys(
            *("Amount Due", "Amount Due in Currency", "Offener Betrag", "Fälliger Betrag", "Montant dû"),
            *(
                "Importe adeudado",
                "Importo dovuto",
                "Verschuldigd bedrag",
                "Openstaand bedrag",
                "Valor devido",
            ),
            *("Fälliger Betrag in Währung", "Montant dû en devise", "amount_residual"),
        ),
        "billing_amount": TOTALS,
        "currency": keys(
            "Currency", "Währung", "Devise", "Moneda", "Divisa", "Valuta", "Moeda", "currency_id"
        ),
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
            *(
                "Rechnungs-/Buchungsdatum",
                "Rechnungsdatum/Belegdatum",
                "Date de facture",
                "Fecha de Factura/Recibo",
            ),
            *(
                "Fecha de factura/cuenta",
                "Data fattura",
                "Data fattura/ricevuta",
                "Factuurdatum",
                "Factuur-/bondatum",
            ),
            *("Data da fatura", "Data da Fatura/Conta", "invoice_date"),
        ),
        "due_date": keys(
            *("Due Date", "Fälligkeitsdatum", "Fälligkeit", "Date d'échéance", "Fecha de vencimiento"),
            *("Fällig am", "Fecha límite", "Data scadenza", "Data di scadenza", "Scadenza", "Vervaldatum"),
            *("Data de vencimento", "Date Due", "invoice_date_due"),
        ),
        "description": keys("Reference", "Referenz", "Référence", "Source", "Payment Reference", "ref"),
        "state": keys(
            *(
                "Payment Status",
                "Payment State",
                "Payment",
                "Zahlungsstatus",
                "Statut du paiement",
                "Statut de paiement",
            ),
            *("État du paiement", "État de paiement", "Estado de pago", "Estado del pago", "Stato pagamento"),
            *(
                "Stato del pagamento",
                "Betalingsstatus",
                "Betaalstatus",
                "Status do pagamento",
                "payment_state",
            ),
            *("Status", "Statut", "État", "Estado", "Stato", "state"),
        ),
    },
    keep={
        keys("Type", "Typ", "Tipo", "move_type"): (
            *(
                "Customer Invoice",
                "Kundenrechnung",
                "Ausgangsrechnung",
                "Facture client",
                "Factura de cliente",
                "Fattura cliente",
                "Fattura di vendita",
                "Klantfactuur",
                "Verkoopfactuur",
                "Fatura de cliente",
                "Fatura do cliente",
                "out_invoice",
                "Invoice",
            ),
        )
    },
)
