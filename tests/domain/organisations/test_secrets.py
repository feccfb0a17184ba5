"""Tokens and Stripe keys: kept sealed, noticed when they change, gone when they are erased."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit import Deed
from domain.database import Database
from domain.models import AuditEntry, Installation, StripeKey
from domain.organisations import erasing, installations, organisations, settings, stripe_keys
from domain.organisations.installations import Tokens
from domain.secrets import rotating
from domain.secrets.box import Box, CannotOpen, new_key
from tests.domain.factories import NOW

KEY = new_key()
BOX = Box([KEY])
STRIPE = "rk_test_" + "51Hxyz4242"


def installation(team_id: str = "T1", tokens: Tokens | None = None) -> installations.Installation:
    return installations.Installation(
        team_id, None, False, "B1", "UBOT", ("chat:write", "commands"), "U1", tokens or Tokens("xoxb-1")
    )


def written(session: Session) -> str:
    """All that the tables of secrets and the audit hold."""
    tables: tuple[Any, ...] = (Installation, StripeKey, AuditEntry)
    return repr([row for table in tables for row in session.execute(sa.select(table.__table__)).all()])


def test_an_installation_is_kept_sealed_renewed_once_and_erased(db: Database) -> None:
    ends = NOW + timedelta(hours=12)
    tokens = Tokens("xoxe.xoxb-old", "xoxe-refresh", ends)
    made = db.run(installations.store, BOX, installation(tokens=tokens), "Acme")
    kept = db.run(installations.find, BOX, "T1")
    assert kept is not None
    assert (kept.organisation_id, kept.installation) == (made.id, installation(tokens=tokens))
    assert "xoxb-old" not in db.run(written)
    assert "xoxb-old" not in repr(kept)
    assert db.run(installations.list_changed, 0) == (kept.generation, ["T1"])

    lease = timedelta(minutes=1)
    claim = db.run(installations.claim_refresh, BOX, "T1", "a", before=ends + lease, lease=lease)
    assert claim == kept
    assert db.run(installations.claim_refresh, BOX, "T1", "b", before=ends + lease, lease=lease) is None
    assert db.run(installations.claim_refresh, BOX, "T1", "a", before=ends, lease=lease) is None
    renewed = Tokens("xoxe.xoxb-new", "xoxe-next", ends + timedelta(hours=12))
    assert db.run(installations.renew, BOX, "T1", kept.generation, renewed)
    assert not db.run(installations.renew, BOX, "T1", kept.generation, tokens)
    now = db.run(installations.find, BOX, "T1")
    assert now is not None
    assert now.installation.tokens == renewed

    db.run(stripe_keys.store, BOX, "T1", STRIPE, by="U1")
    assert db.run(erasing.erase, "T1", "slack") == erasing.Erased(True, True)
    assert db.run(erasing.erase, "T1", "slack") == erasing.Erased(False, False)
    assert db.run(installations.find, BOX, "T1") is None
    assert db.run(stripe_keys.find, BOX, "T1") is None
    assert not db.run(installations.renew, BOX, "T1", now.generation, renewed)
    assert db.run(installations.list_changed, now.generation)[1] == ["T1"]
    assert "gAAAA" not in db.run(written)


def test_whoever_installs_it_over_what_is_there_does_not_become_its_administrator(db: Database) -> None:
    """Slack may let any member do that, and an administrator could connect a Stripe account of their own."""
    organisation_id = db.run(installations.store, BOX, installation(), "Acme").id
    over = replace(installation(tokens=Tokens("xoxb-2")), installed_by="U2")
    db.run(installations.store, BOX, over, "Acme")
    assert db.run(settings.get_with_installer, organisation_id)[1] == "U1"
    kept = db.run(installations.find, BOX, "T1")
    assert kept is not None
    assert kept.installation.tokens == over.tokens
    db.run(erasing.erase, "T1", "slack")
    db.run(installations.store, BOX, over, "Acme")
    assert db.run(settings.get_with_installer, organisation_id)[1] == "U2"


def test_a_stripe_key_is_kept_sealed_and_a_change_is_noticed(db: Database) -> None:
    db.run(organisations.ensure, "T1", "Acme")
    assert db.run(stripe_keys.list_changed, BOX, 0) == (0, [])
    shown = db.run(
        stripe_keys.store, BOX, "T1", STRIPE, by="U1", account="acct_1", signing_secrets="whsec_a, whsec_b"
    )
    assert (shown.shown, shown.livemode, shown.account) == ("rk_test_…4242", False, "acct_1")
    seen, changed = db.run(stripe_keys.list_changed, BOX, 0)
    assert [(one.team_id, one.kept) for one in changed] == [("T1", db.run(stripe_keys.find, BOX, "T1"))]
    db.run(stripe_keys.store, BOX, "T1", STRIPE, by="U2", endpoint=("we_1", "whsec_c"))
    kept = db.run(stripe_keys.find, BOX, "T1")
    assert kept is not None
    assert (kept.key, kept.webhook_secrets) == (STRIPE, ("whsec_a", "whsec_b", "whsec_c"))
    assert not {"51Hxyz", "whsec"} & {
        part for part in ("51Hxyz", "whsec") if part in db.run(written) + repr(kept)
    }
    seen, changed = db.run(stripe_keys.list_changed, BOX, seen)
    assert [one.kept for one in changed] == [kept]
    assert db.run(stripe_keys.list_changed, BOX, seen) == (seen, [])
    closed = stripe_keys.ChangedKey(1, "T1", None, closed=True)
    assert db.run(stripe_keys.list_changed, Box([new_key()]), 0) == (seen, [closed])
    db.run(stripe_keys.erase, "T1", "U1")
    assert db.run(stripe_keys.list_changed, BOX, seen)[1] == [stripe_keys.ChangedKey(1, "T1", None)]
    with pytest.raises(stripe_keys.NotAStripeKey):
        db.run(stripe_keys.store, BOX, "T1", "pk_test_4242", by="U1")


def copied(team_id: str) -> Callable[[Session], None]:
    def copy(session: Session) -> None:
        sealed = session.scalar(sa.select(StripeKey.sealed_key).where(StripeKey.organisation_id == 1))
        session.execute(sa.update(StripeKey).where(StripeKey.organisation_id == 2).values(sealed_key=sealed))

    return copy


def test_a_row_that_was_copied_to_another_organisation_opens_nothing(db: Database) -> None:
    for team_id in ("T1", "T2"):
        db.run(organisations.ensure, team_id, "")
        db.run(stripe_keys.store, BOX, team_id, STRIPE, by="U1")
    db.run(copied("T2"))
    with pytest.raises(CannotOpen):
        db.run(stripe_keys.find, BOX, "T2")
    assert db.run(rotating.check, BOX) == rotating.Checked(2, ("T2",), 1)


def test_all_secrets_are_sealed_with_the_first_key_again_from_wherever_it_broke_off(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "PORTION", 1)
    for team_id in ("T1", "T2"):
        db.run(installations.store, BOX, installation(team_id, Tokens("xoxb-1", "xoxe-1", NOW)), "")
        db.run(stripe_keys.store, BOX, team_id, STRIPE, by="U1", signing_secrets="whsec_a")
    second = new_key()
    both = Box([second, KEY])
    assert db.run(rotating.rotate, both, 0) == rotating.Portion(4, (), 1)
    assert db.run(rotating.rotate, both, 0) == rotating.Portion(0, (), 1)
    assert db.run(rotating.rotate, both, 1) == rotating.Portion(4, (), 2)
    assert db.run(rotating.rotate, both, 2) == rotating.Portion(0, (), None)
    rotated = sa.select(AuditEntry.organisation_id, AuditEntry.actor, AuditEntry.subject).where(
        AuditEntry.action == Deed.SECRETS_ROTATED
    )
    assert db.run(lambda session: session.execute(rotated).all()) == [
        (1, "operator", "4"),
        (2, "operator", "4"),
    ]
    assert db.run(rotating.check, Box([second])) == rotating.Checked(8, (), 8)
    assert db.run(rotating.check, BOX) == rotating.Checked(8, ("T1", "T2"), 0)
