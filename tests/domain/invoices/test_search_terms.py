import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from domain.database import Database
from domain.invoices.list_page import found_by
from domain.invoices.numbers.keys import written_key
from domain.invoices.search_terms import TERM_LENGTH, prefix_range, search_phrase
from domain.models import Invoice
from tests.domain.factories import make_invoice, make_organisation, terms_of


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("  INV-1001 ", "inv 1001"),
        ("Müller & Söhne GmbH", "müller söhne gmbh"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("O'Brien's", "o brien s"),
        ("日本株式会社", "日本株式会社"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("हिन्दी कंपनी", "हिन्दी कंपनी"),
        ("\u202eevil\u202c corp", "evil corp"),
        ("a_b", "a b"),
        ("<!channel> *x*", "channel x"),
        ("\x00\ud800", ""),
        ("---", ""),
    ],
)
def test_phrases_are_words_in_one_case_with_single_spaces(text: str, phrase: str) -> None:
    assert search_phrase(text) == phrase


@given(st.text())
def test_a_phrase_of_a_phrase_is_itself(text: str) -> None:
    assert search_phrase(search_phrase(text)) == search_phrase(text)


def test_terms_begin_at_the_number_and_at_each_word_of_the_buyer() -> None:
    assert terms_of("inv-1", "Acme Trading Ltd") == {"inv 1", "acme trading ltd", "trading ltd", "ltd"}


def test_terms_are_cut_and_few_however_long_the_name() -> None:
    terms = terms_of("inv-1", "word " * 2_000)
    assert max(map(len, terms)) <= TERM_LENGTH
    assert len(terms_of("1", " ".join(str(n) for n in range(100, 2_000)))) == 41


@given(st.text(max_size=200), st.text(max_size=200))
def test_terms_can_be_stored_anywhere(number: str, buyer: str) -> None:
    for term in terms_of(written_key(number), buyer):
        assert 0 < len(term) <= TERM_LENGTH
        assert "\x00" not in term
        term.encode()


@given(st.text(st.characters(exclude_characters="\U0010ffff"), max_size=70), st.text(max_size=5))
def test_a_prefix_range_holds_what_begins_with_the_phrase(phrase: str, rest: str) -> None:
    lo, hi = prefix_range(search_phrase(phrase))
    assert lo <= lo + rest.replace("\U0010ffff", "") < hi


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"INV-1", "INV-2", "#7", "Ünit 5"}),
        ("   ", {"INV-1", "INV-2", "#7", "Ünit 5"}),
        ("inv", {"INV-1", "INV-2"}),
        ("INV-1", {"INV-1"}),
        ("1", {"INV-1"}),
        ("trad", {"INV-1"}),
        ("rading", set()),
        ("acme tra", {"INV-1"}),
        ("ACME, Trading", {"INV-1"}),
        ("o'br", {"INV-2"}),
        ("ünit", {"Ünit 5"}),
        ("#", {"#7"}),
        ("&", {"INV-1"}),
        ("🍕", {"#7"}),
        ("%", set()),
        ("_", set()),
        ("\x00", {"INV-1", "INV-2", "#7", "Ünit 5"}),
        ("acme trading & sons of the " + "long " * 100, set()),
    ],
)
def test_search_finds_by_the_beginning_of_number_or_of_any_word_of_the_buyer(
    db: Database, search: str, found: set[str]
) -> None:
    mine = make_organisation(db, "T1")
    other = make_organisation(db, "T2")
    make_invoice(db, "INV-1", organisation_id=mine, buyer_name="Acme Trading & Sons")
    make_invoice(db, "INV-2", organisation_id=mine, buyer_name="Pat O'Brien")
    make_invoice(db, "#7", organisation_id=mine, buyer_name="🍕🍕")
    make_invoice(db, "Ünit 5", organisation_id=mine, buyer_name="株式会社")
    make_invoice(db, "INV-1", organisation_id=other, buyer_name="Acme Trading")

    numbers = db.run(
        lambda session: set(session.scalars(sa.select(Invoice.number).where(found_by(session, mine, search))))
    )

    assert numbers == found
