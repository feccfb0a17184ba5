"""A short campaign on each database, and campaigns without a safeguard, which must fail (the long ones: `make campaign`)."""

import tempfile
from pathlib import Path

import pytest

from domain.links import claiming
from domain.messages import transactions
from tests.faults import killing
from tests.faults.auditing import extra_links, extra_messages
from tests.faults.campaign import ANSWERS_LOST, keep
from tests.faults.crash_points import AIMED, POINTS, name_of
from tests.faults.figures import ABLATIONS
from tests.faults.plan import Plan, Report

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("campaign")]

# Where links and messages are most in danger, so that few kills say much.
DANGEROUS = tuple(
    point
    for point in POINTS
    if point in AIMED
    or point.startswith(
        (
            "stripe.create_link",
            "slack.chat",
            "slack.ack",
            f"{name_of(claiming.record_created)}.",
            transactions.__name__.removeprefix("domain."),
        )
    )
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database as it is before the first start."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/paylink.sqlite3"
    blank: str = request.getfixturevalue("blank_postgresql_url")
    return blank


async def test_nothing_is_doubled_and_nothing_lost_by_processes_that_die(url: str, tmp_path: Path) -> None:
    plan = Plan(
        url,
        tmp_path,
        kills=8,
        processes=2,
        transport="http" if url.startswith("sqlite") else "socket",
        batch=20,
        points=DANGEROUS,
        suspensions=(),
        longest_life=1.5,
    )
    report = await killing.run(plan)
    assert report.faults == []
    assert report.killed >= 8
    assert report.evidence.links
    assert any(report.evidence.channels.values())


async def without(safeguard: str, directory: Path) -> Report:
    plan = Plan(
        f"sqlite:///{directory}/paylink.sqlite3",
        directory,
        kills=2,
        batch=20,
        points=(ABLATIONS[safeguard][1],),
        suspensions=(),
        at_points=1.0,
        passings=(1,),
        longest_life=30,
        ablation=safeguard,
        answers_lost=ANSWERS_LOST[safeguard],
        settle_seconds=6,
    )
    return await killing.run(plan)


async def test_the_campaign_sees_links_that_fresh_idempotency_keys_double(tmp_path: Path) -> None:
    report = await without("fresh_keys", tmp_path)
    assert extra_links(report.evidence) > 0
    assert any("links at Stripe" in fault for fault in report.faults)


async def test_the_campaign_sees_messages_that_blind_posts_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await without("blind_posts", tmp_path)
    assert extra_messages(report.evidence) > 0
    assert any("stands in its channel" in fault for fault in report.faults)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = keep(report)
    assert list(kept.glob("serve-*.log"))
    assert "channels" in (kept / "evidence.txt").read_text()
