"""What the doctor says of each organisation that installed the app, by its name."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy.orm import Session

from bot.cli.doctor import installed
from bot.cli.doctor.findings import Finding, Level
from bot.cli.doctor.installed import examine_installed, examine_webhook, read_installed
from bot.settings import load_settings
from domain.connecting.checking import Permission
from domain.database import Database
from domain.migrations import prepare
from domain.models import StripeEvent
from domain.organisations import installations, organisations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from domain.stripe.ledgers.opening import open_ledger
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW

MANIFEST = yaml.safe_load((Path(__file__).parents[4] / "manifest.yml").read_text())


def install(db: Database, box: Box, team_id: str, tokens: Tokens) -> None:
    kept = Installation(team_id, None, False, "B1", "U1", ("commands",), "U2", tokens)
    db.run(installations.store, box, kept, team_id.title())


async def test_what_is_wrong_with_one_organisation_is_said_of_it_and_of_no_other(tmp_path: Path) -> None:
    key = new_key()
    box, lost = Box([key]), Box([new_key()])
    db = Database(f"sqlite:///{tmp_path}/paylink.sqlite3")
    prepare(db.engine)
    async with LocalSlack(MANIFEST, team_id="TWELL") as slack, LocalStripe() as stripe:
        late = slack.add_workspace("TLATE", "Late")
        channel = slack.workspace.add_channel("payments")
        install(db, box, "TWELL", Tokens(slack.workspace.bot_token))
        db.run(organisations.set_up, "TWELL", channel=channel)
        db.run(stripe_keys.store, box, "TWELL", stripe.api_key, by="U2")
        ends = datetime.now(UTC) + timedelta(hours=1)
        install(db, box, "TLATE", Tokens(late.bot_token, "xoxe-1-spent", ends))
        stripe.add_key("rk_test_lacking0000", without={Permission.DISPUTES})
        db.run(stripe_keys.store, box, "TLATE", "rk_test_lacking0000", by="U2")
        install(db, box, "TGONE", Tokens("xoxb-gone"))
        install(db, lost, "TLOST", Tokens("xoxb-lost"))
        db.close_now()
        settings = load_settings(
            {
                "HOME": str(tmp_path),
                "DATABASE_URL": f"sqlite:///{tmp_path}/paylink.sqlite3",
                "SLACK_API_URL": slack.api_url,
                "STRIPE_API_URL": stripe.api_url,
                "PAYLINK_PUBLIC_URL": "https://pay.example.com",
                "SLACK_CLIENT_ID": "1.2",
                "SLACK_CLIENT_SECRET": "secret",
                "SLACK_SIGNING_SECRET": "signing",
                "PAYLINK_SECRET_KEYS": key,
                "PORT": "3000",
            },
            tmp_path,
        )
        found = [one async for one in examine_installed(settings)]
    wrong = [one.what for one in found if one.level is Level.WRONG]
    assert not any(one.startswith("Twell") for one in wrong)
    for words in (
        f"Tlate: Slack: it takes the workspace's token until {ends:%Y-%m-%d %H:%M} UTC",
        "Tlate: Stripe",
        "Tgone: Slack: it refuses the workspace's token (invalid_auth)",
        "Tlost: its tokens or its Stripe key can't be opened",
    ):
        assert [one for one in wrong if one.startswith(words)], (words, wrong)
    assert any("Twell: Slack: it takes the token of TWELL" in one.what for one in found)


async def test_the_webhook_and_the_rest_of_each_organisation_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    box = Box([key])
    url = f"sqlite:///{tmp_path}/paylink.sqlite3"
    db = Database(url)
    prepare(db.engine)
    settings = load_settings(
        {
            "HOME": str(tmp_path),
            "DATABASE_URL": url,
            "PAYLINK_PUBLIC_URL": "https://pay.example.com",
            "SLACK_CLIENT_ID": "1.2",
            "SLACK_CLIENT_SECRET": "secret",
            "PAYLINK_SECRET_KEYS": key,
        },
        tmp_path,
    )
    how = {"TWELL": (True, False), "TDEAF": (False,), "TBARE": ()}
    for team_id, delivered in how.items():
        install(db, box, team_id, Tokens("xoxb-1"))
        one = db.run(organisations.set_up, team_id, add_on=team_id == "TWELL", channel="C0PAY")
        secret = "whsec_1" if delivered else None
        db.run(stripe_keys.store, box, team_id, "rk_test_12345678", by="U2", signing_secrets=secret)
        db.run(keep_events, one.id, delivered)
    db.close_now()
    kept = {one.organisation.team_id: one for one in read_installed(settings)}
    said = {team: [found.what for found in examine_webhook(settings, one)] for team, one in kept.items()}
    assert said["TWELL"] == ["Webhook: 1 of the last 2 events came by it."]
    assert said["TDEAF"] == [
        "Webhook: none of the last 1 events came by it, Stripe had to be asked for them."
    ]
    assert said["TBARE"] == ["Webhook: there is none, so payments are seen by polling every 300 seconds."]

    async def there(*_: object) -> AsyncIterator[Finding]:
        nothing: tuple[Finding, ...] = ()
        for finding in nothing:
            yield finding

    for name in ("_examine_slack", "examine_stripe"):
        monkeypatch.setattr(installed, name, there)
    monkeypatch.setattr(installed, "examine_clock", ahead)
    monkeypatch.setattr(installed, "examine_blocks", ahead)
    told = [one.what async for one in examine_installed(settings)]
    assert told.count("Clock: an hour ahead.") == 2
    assert any(one.startswith("Tdeaf: Organisation: TDEAF doesn't have the Stripe") for one in told)
    assert not any(one.startswith("Twell: Organisation") for one in told)


async def ahead(*_: object) -> Finding:
    return Finding(Level.WRONG, "Clock: an hour ahead.")


def keep_events(session: Session, organisation_id: int, delivered: tuple[bool, ...]) -> None:
    ledger_id = open_ledger(session, organisation_id, False, f"acct_{organisation_id}", NOW)
    for number, by_webhook in enumerate(delivered):
        session.add(
            StripeEvent(
                ledger_id=ledger_id,
                id=f"evt_{number}",
                type="checkout.session.completed",
                object_id="cs_1",
                created_at=NOW,
                next_attempt_at=NOW,
                delivered=by_webhook,
            )
        )
