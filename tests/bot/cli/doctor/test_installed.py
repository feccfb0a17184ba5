"""What the doctor says of each organisation that installed the app, by its name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bot.cli.doctor.findings import Level
from bot.cli.doctor.installed import examine_installed
from bot.settings import load_settings
from domain.connecting.checking import Permission
from domain.database import Database
from domain.migrations import prepare
from domain.organisations import installations, organisations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe

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
