"""Maps that people write."""

import pytest

from domain.files.reading.invoice_file import Choices, InvoiceFile
from domain.files.reading.maps import MapUnusable, read_map
from domain.files.reading.sources.content import Content
from tests.domain.files.reading.reading import told

MAP = """
encoding = "cp1250"
[columns]
number = "Numer"
buyer_name = "Nabywca"
billing_amount = "Suma"
currency = "Waluta"
"""


def test_any_encoding_of_text_may_be_said() -> None:
    file = "Numer;Nabywca;Suma;Waluta\nFV/1;Żółw;1 230,00;PLN\n".encode("cp1250")
    assert told(file, Choices(map=read_map(MAP))) == ["FV/1 PLN 1,230.00"]


def test_columns_are_named_as_they_are_listed() -> None:
    file = "Nr,Kind,,Total,Total\n1,x,Acme,9.00,5.00\n"
    columns = '[columns]\nnumber = "Nr"\nbuyer_name = "(3)"\nbilling_amount = "Total (5)"\n'
    with Content.of_bytes(file.encode(), "a.csv") as content:
        headings = [column.heading for column in InvoiceFile(content).columns]
    assert headings == ["Nr", "Kind", "(3)", "Total", "Total (5)"]
    assert told(file, Choices(map=read_map(f'currency = "USD"\n{columns}'))) == ["1 USD 5.00"]


@pytest.mark.parametrize("name", ["utf-8", "utf8", "UTF-8", "U8"])
def test_a_byte_order_mark_belongs_to_no_heading_however_utf_8_is_spelt(name: str) -> None:
    file = "\ufeffNumer;Nabywca;Suma;Waluta\nFV/1;Żółw;1 230,00;PLN\n"
    assert told(file, Choices(map=read_map(MAP.replace("cp1250", name)))) == ["FV/1 PLN 1,230.00"]


@pytest.mark.parametrize(
    "name", ["foo", "base64", "rot13", "unicode_escape", "utf-7", "idna", "", "a\\u0000b"]
)
def test_what_is_no_encoding_of_text_is_a_sentence(name: str) -> None:
    with pytest.raises(MapUnusable, match="encoding: write one"):
        read_map(f'encoding = "{name}"')
