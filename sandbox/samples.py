"""The demo's billing invoices: 300 of every kind, the same ones for the same day, all of them fictional."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

FIRST = 1001
COUNT = 300

_BUYERS = (
    "Northwind Joinery Ltd",
    "Blue Heron Coffee Roasters",
    "Østerlund Møbler ApS",
    "Karlsson & Döttrar AB",
    "Boulangerie Perce-Neige",
    "株式会社ひかり製作所",
    "Talleres Río Claro S.A.",
    "Kestrel Peak Outfitters",
    "Σκαραμαγκά Ναυτιλιακή Α.Ε.",
    "Tiszavirág Könyvkiadó Kft.",
    "Brightwater Dental Group",
    "한빛 디자인 스튜디오",
    "Öztürk Seramik San. Tic.",
    "Harrow Lane Veterinary Clinic",
    "ООО «Северный Ветер»",
    "Fjallagras ehf.",
    "Marisol & Hijos S.L.",
    "Copperfield Print Works",
    "云海贸易有限公司",
    "Zielony Młyn Sp. z o.o.",
    "Saltmarsh Boatbuilders",
    "Açaí do Porto Ltda.",
    "Weber Maschinenbau GmbH & Co. KG",
    "The Little Lantern Theatre",
    "שיר הים בע״מ",
    "Pinegrove School District 14",
    "Al Noor Trading W.L.L.",
    "บริษัท ดอกบัว จำกัด",
    "Juniper & Vale Solicitors",
    "Quick Brown Logistics Inc.",
)

_WORK = (
    "Consulting, first half of the month",
    "Annual support plan",
    "Website maintenance",
    "Workshop for twelve people",
    "Replacement parts and fitting",
    "Translation of the product catalogue",
    "Quarterly retainer",
    "Freight and handling",
)

# Smallest billing amount in major units, step between amounts, decimals as written in an import.
_CURRENCIES = {
    "USD": (45, 37, 2),
    "EUR": (60, 29, 2),
    "GBP": (35, 23, 2),
    "JPY": (8_000, 1_150, 0),
    "KWD": (20, 7, 3),
    "ISK": (9_500, 2_300, 0),
    "HUF": (18_000, 4_900, 2),
    "SEK": (700, 260, 2),
    "CAD": (80, 31, 2),
}
_MIX = (
    "USD",
    "USD",
    "EUR",
    "USD",
    "GBP",
    "USD",
    "JPY",
    "USD",
    "EUR",
    "USD",
    "KWD",
    "USD",
    "ISK",
    "HUF",
    "SEK",
    "CAD",
)

# The invoices that people meet first and that stand for one kind each: number -> buyer, amount, currency, description.
_SPECIAL = {
    1001: ("Northwind Joinery Ltd", "1200.50", "USD", "Consulting, October"),
    1002: ("Blue Heron Coffee Roasters", "348.00", "USD", "Waits for payment from the start"),
    1003: ("Kestrel Peak Outfitters", "2750.00", "EUR", "Paid from the start"),
    1004: ("Harrow Lane Veterinary Clinic", "0.00", "USD", "Nothing to pay: covered by a voucher"),
    1005: ("Brightwater Dental Group", "-15.00", "USD", "Credit note"),
    1006: ("Quick Brown Logistics Inc.", "1250000.00", "USD", "More than Stripe takes in one payment"),
    1007: ("Copperfield Print Works", "0.20", "GBP", "Less than Stripe's minimum for settling in GBP"),
    1008: ("Al Noor Trading W.L.L.", "12.505", "KWD", "Stripe needs a 0 as the last digit of KWD"),
    1009: ("Al Noor Trading W.L.L.", "1.500", "KWD", "Three decimals"),
    1010: ("株式会社ひかり製作所", "1200", "JPY", "No decimals"),
    1011: ("O'Neil & Sons <Bakery>", "86.40", "GBP", "Bread & rolls <weekly>"),
    1012: (
        '<!channel> =HYPERLINK("https://example.com","Pay me")',
        "64.00",
        "USD",
        "*bold* _italic_ <@U0EVERYONE>",
    ),
    1013: ("\u202eشركة النور للتجارة\u202c", "410.00", "USD", "Right to left"),
    1014: (
        "The Amalgamated and Incorporated " + "Very " * 40 + "Long Name Company",
        "75.00",
        "EUR",
        "A long name",
    ),
    1015: ("Fjallagras ehf.", "12000", "ISK", "Whole units only"),
    1016: ("Tiszavirág Könyvkiadó Kft.", "18990.50", "HUF", "Two decimals for cards"),
    1017: ("Juniper & Vale Solicitors", "0.00", "EUR", "Nothing to pay"),
    1018: ("Saltmarsh Boatbuilders", "-1040.00", "EUR", "Credit note for a returned mast"),
    1019: ("@here | `code` ~strike~ :tada:", "22.00", "USD", "+1 for reading this far"),
    1020: ("Zażółć Gęślą Jaźń S.A.", "999999.99", "USD", "The most that Stripe takes"),
}


def sample_rows(today: date) -> list[dict[str, str]]:
    """Return the rows of an import file, columns and order as `paylink import` reads them.

    Amounts are in major units. Due dates lie between five weeks before `today` and eight weeks after it.
    """
    return list(_rows(today))


def pending_numbers() -> list[str]:
    """Return the invoices whose online payment link the demo creates beforehand and leaves unpaid."""
    return ["INV-1002", *(_number(1040 + 7 * step) for step in range(14))]


def paid_numbers() -> list[str]:
    """Return the invoices that the demo has paid beforehand: few, so that the channel begins with few messages."""
    return ["INV-1003", "INV-1150", "INV-1159"]


def _number(index: int) -> str:
    return f"INV-{index}"


def _rows(today: date) -> Iterator[dict[str, str]]:
    for index in range(FIRST, FIRST + COUNT):
        buyer, amount, currency, description = _SPECIAL.get(index) or _ordinary(index)
        # 41 is coprime to 92, so due dates spread over the range; 70 puts ordinary invoices first in the list.
        due = today + timedelta(days=(index * 41 + 70) % 92 - 35)
        yield {
            "number": _number(index),
            "buyer_name": buyer,
            "buyer_email": f"accounts.{index}@example.{('com', 'org', 'net')[index % 3]}",
            "billing_amount": amount,
            "currency": currency,
            "issue_date": min(today, due - timedelta(days=(14, 30, 45)[index % 3])).isoformat(),
            "due_date": due.isoformat(),
            "description": description,
        }


def _ordinary(index: int) -> tuple[str, str, str, str]:
    currency = _MIX[(index * 7 + index // 16) % len(_MIX)]
    least, step, decimals = _CURRENCIES[currency]
    whole = least + step * ((index * 13) % 61)
    # KWD takes only amounts whose third decimal is 0, so a fraction has two digits at most.
    fraction = f"{(index * 29) % 100:02d}".ljust(decimals, "0") if decimals else ""
    amount = f"{whole}.{fraction}" if fraction else str(whole)
    return (
        _BUYERS[(index * 17 + index // 30) % len(_BUYERS)],
        amount,
        currency,
        _WORK[(index * 5) % len(_WORK)],
    )
