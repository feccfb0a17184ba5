"""Files of programs in other languages."""

import pytest

from domain.files.import_fields import ImportedInvoice
from tests.domain.files.reading.reading import items, told
from tests.domain.files.reading.test_layouts import MONEY_FORWARD, ODOO_GERMAN


def test_a_german_odoo_in_windows_encoding_is_taken() -> None:
    assert told(ODOO_GERMAN.encode("cp1252")) == [
        "RE/1 EUR 1,250.00 2026-11-30",
        "RE/2 EUR -75.50 2026-11-30",
        "line 4: totals",
    ]


def test_money_forward_in_shift_jis_is_taken() -> None:
    [taken] = items(MONEY_FORWARD.encode("cp932"))
    assert isinstance(taken, ImportedInvoice)
    assert (taken.buyer_name, taken.description) == ("株式会社あおぞら", "開発")


ODOO_ELSEWHERE = {
    "de": (
        "Nummer;Anzeigename des Rechnungspartners;Rechnungs-/Buchungsdatum;Fällig am;Gesamt;Währung;Status;Zahlungsstatus",
        ("Gebucht;Nicht bezahlt", "Gebucht;Bezahlt", "Entwurf;", "Gebucht;Umgekehrt"),
    ),
    "fr": (
        "Numéro;Nom d'affichage du partenaire de la facture;Date de facturation;Date d’échéance;Total;Devise;Statut;"
        "Statut de paiement",
        ("Comptabilisé;Non payée", "Comptabilisé;Payé", "Brouillon;", "Comptabilisé;Extourné"),
    ),
    "es": (
        "Número;Nombre del socio a mostrar en la factura;Fecha de Factura/Recibo;Fecha de vencimiento;Total;Moneda;"
        "Estado;Estado de pago",
        ("Publicado;No pagadas", "Publicado;Pagado", "Borrador;", "Publicado;Revertido"),
    ),
    "it": (
        "Numero;Nome visualizzato partner fattura;Data fattura;Data scadenza;Totale;Valuta;Stato;Stato pagamento",
        ("Confermato;Non pagato", "Confermato;Pagato", "Bozza;", "Confermato;Stornato"),
    ),
    "nl": (
        "Nummer;Weergavenaam factuurpartner;Factuurdatum;Vervaldatum;Totaal;Valuta;Status;Betalingsstatus",
        ("Geboekt;Niet betaald", "Geboekt;Betaald", "Concept;", "Geboekt;Teruggedraaid"),
    ),
    "pt": (
        "Número;Nome de exibição do parceiro da fatura;Data da Fatura;Data de Vencimento;Total;Moeda;Status;"
        "Status do Pagamento",
        ("Lançado;Não Pago", "Lançado;Pago", "Rascunho;", "Lançado;Revertido"),
    ),
}


@pytest.mark.parametrize("language", ODOO_ELSEWHERE)
def test_an_odoo_in_another_language_is_known_with_its_states(language: str) -> None:
    heading, states = ODOO_ELSEWHERE[language]
    rows = [f"F/{n};Ästhetik AG;02.11.2026;30.11.2026;1.250,00;EUR;{said}" for n, said in enumerate(states)]
    assert told("\n".join([heading, *rows, ";;;;5.000,00;;;"])) == [
        "F/0 EUR 1,250.00 2026-11-30",
        "F/1 EUR 1,250.00 settled 2026-11-30",
        "line 4: draft",
        "line 5: void",
        "line 6: totals",
    ]


NINJA_ELSEWHERE = {
    "de": (
        "Kunde Name,Kunde Währung,Rechnung Rechnungsnummer,Rechnung Betrag,Rechnung Saldo,Rechnung Datum,"
        "Rechnung Fälligkeitsdatum,Rechnung Status,Kunde Saldo",
        ("Teil-/Anzahlung", "Umgekehrt"),
    ),
    "fr": (
        "Client Nom,Client Devise,Facture Numéro de facture,Facture Montant,Facture Solde,Facture Date,"
        "Facture Date d'échéance,Facture Statut,Client Solde",
        ("Impayé", "Inversé"),
    ),
    "es": (
        "Cliente Nombre,Cliente Moneda,Factura Número de Factura,Factura Cantidad,Factura Saldo,Factura Fecha,"
        "Factura Fecha de Pago,Factura Estado,Cliente Saldo",
        ("Parcial/Depósito", "invertido"),
    ),
}


@pytest.mark.parametrize("language", NINJA_ELSEWHERE)
def test_an_invoice_ninja_in_another_language_says_of_each_column_whose_it_is(language: str) -> None:
    heading, states = NINJA_ELSEWHERE[language]
    rows = [
        f'Hafen,EUR,000{n},"1.200,00","1.100,00",2026-11-02,2026-11-30,{said},"5,00"'
        for n, said in enumerate(states)
    ]
    assert told("\n".join([heading, *rows])) == ["0000 EUR 1,100.00 2026-11-30", "line 3: void"]
