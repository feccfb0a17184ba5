from datetime import timedelta

import sqlalchemy as sa

from domain.audit import Deed, OfInvoice, history, record
from domain.database import Database
from tests.domain.factories import NOW, make_organisation


def test_an_invoices_entries_come_the_newest_first_with_those_of_the_version_before(db: Database) -> None:
    own, other = make_organisation(db), make_organisation(db, "T0OTHER")
    before = sa.text(
        "INSERT INTO audit (organisation_id, actor, action, subject, at) VALUES (:own, 'U0ADA', 'link.reserve', 'invoice 7', 5)"
    )
    for organisation_id in (own, other):
        db.run(lambda session, of=organisation_id: session.execute(before, {"own": of}))  # type: ignore[misc]
    for number in range(history.PAGE):
        at = NOW + timedelta(minutes=number)
        about = OfInvoice(7, "INV-7")
        db.run(
            record,
            Deed.LINK_RECHECKED,
            f"plink_{number}",
            by="U0ADA",
            now=at,
            organisation_id=own,
            invoice=about,
        )
    db.run(
        record, Deed.LINK_RECHECKED, by="U0ADA", now=NOW, organisation_id=own, invoice=OfInvoice(8, "INV-8")
    )

    first, second = (db.run(history.read, own, 7, page) for page in (0, 1))

    assert [entry.subject for entry in first.entries][:2] == [
        f"plink_{history.PAGE - 1}",
        f"plink_{history.PAGE - 2}",
    ]
    assert (len(first.entries), first.has_next) == (history.PAGE, True)
    assert [(entry.deed, entry.actor) for entry in second.entries] == [("link.reserve", "U0ADA")]
    assert not second.has_next
    assert db.run(history.read, other, 7, 0).entries[0].subject == "invoice 7"
    assert db.run(history.read, own, 9, 0).entries == ()
