"""Every periodic job: what it does, how often, and why that often. The wiring builds its workers' timer from it."""

from dataclasses import dataclass

from bot.watch.metrics import FIGURES_EVERY_SECONDS
from bot.work.probes import SLACK_EVERY_SECONDS, STRIPE_EVERY_SECONDS
from domain.payments import account_watch

POLL_CHECK_SECONDS = 5.0


@dataclass(frozen=True)
class PeriodicJob:
    """The timer wakes the job every ``wake_seconds``; whether anything is due then, the job itself knows.

    ``due_seconds`` is how far apart it does its work at least; None where it looks each time, since each row of
    the database says when it is due. ``wake_seconds`` is None for what isn't woken but asked for from outside.
    """

    name: str
    wake_seconds: float | None
    due_seconds: float | None
    does: str
    why: str


_BEFORE_POLLING = (
    PeriodicJob(
        "create_links",
        1,
        None,
        "creates the links that were asked for",
        "People wake it at once; the timer finds what another process left behind, and what Stripe put off.",
    ),
    PeriodicJob(
        "settle_events",
        1,
        None,
        "records what Stripe's events are about",
        "The webhook wakes it at once; the timer finds what waits for its next attempt.",
    ),
    PeriodicJob(
        "announce",
        1,
        None,
        "posts the messages of the outbox",
        "A channel takes one message a second.",
    ),
)
_AFTER_POLLING = (
    PeriodicJob(
        "import_files",
        1,
        None,
        "imports the files that people brought in, and erases those that nobody said to import",
        "People wake it at once; the timer finds what another process left behind, and what an hour has passed over.",
    ),
    PeriodicJob(
        "sweep",
        30,
        account_watch.HOURLY.total_seconds(),
        "goes through Stripe's completed sessions, refunds and disputes, and asks about those of which nothing was heard for a day",
        "For what no event told; each start sweeps too, and what failed is tried again soon.",
    ),
    PeriodicJob(
        "stripe_keys",
        2,
        None,
        "notices which organisations' Stripe keys were connected, replaced or erased",
        "Another process may have done it; the one that did wakes it at once. While nothing changes it is one small read.",
    ),
    PeriodicJob(
        "know_account",
        5,
        None,
        "asks Stripe whose key it is, until that is known",
        "No link is created and no payment recorded before.",
    ),
    PeriodicJob(
        "know_workspaces",
        2,
        None,
        "takes over which workspaces were installed, renewed or erased by another process, and asks Slack about those that may have removed the app",
        "One small read tells that nothing has changed. Each workspace is asked about once an hour, too, for what no event told.",
    ),
    PeriodicJob(
        "renew_tokens",
        15,
        None,
        "renews Slack's tokens that end within two hours",
        "With token rotation they live twelve hours; one process renews each. If it dies meanwhile, another one must be quick: Slack takes the "
        "same refresh token again for a short while only.",
    ),
    PeriodicJob(
        "probe_database",
        5,
        None,
        "asks the database for nothing",
        "`/readyz` says within seconds that it is away, and that it is back.",
    ),
    PeriodicJob(
        "probe_slack",
        5,
        SLACK_EVERY_SECONDS,
        "asks Slack whose token it is",
        "Each time while Slack is away, so that its return shows at once.",
    ),
    PeriodicJob(
        "probe_stripe",
        5,
        STRIPE_EVERY_SECONDS,
        "connects to Stripe, and sends a request only while Stripe is away",
        "A connection costs none of the rationed reads.",
    ),
    PeriodicJob(
        "exceptions",
        60,
        None,
        "reminds of deadlines, and tells what an import that broke off has changed, and which numbers look the same",
        "A deadline is told a day before it passes; a minute more or less is nothing.",
    ),
    PeriodicJob(
        "chain_audit",
        1,
        None,
        "gives what was written in the audit its place in the chain",
        "Until then only the database's triggers guard an entry. With nothing written it is one look into an empty index.",
    ),
    PeriodicJob(
        "prune",
        3600,
        None,
        "deletes old drafts of lists, modals that follow nothing any more, and events settled long ago",
        "Nobody waits for it; small portions spare the database.",
    ),
    PeriodicJob(
        "forget_events",
        3600,
        None,
        "deletes what programs could read in the feed of events for 30 days",
        "Nobody waits for it; an hour more of 30 days is nothing.",
    ),
    PeriodicJob(
        "place",
        3600,
        None,
        "puts invoices where this version's rules want them in the list, once for each start",
        "What a version before wrote is in order right after an upgrade.",
    ),
    PeriodicJob(
        "fold",
        3600,
        None,
        "notes what the numbers that a version before wrote are one by, once for each start",
        "Until then such a number is found only as it is written.",
    ),
    PeriodicJob(
        "keep_sums",
        10,
        None,
        "counts what is owed once after an upgrade, compares what is kept of it once a day, and puts its parts together",
        "Until it is counted Home says so; parts are quickly added up, as long as they aren't many.",
    ),
    PeriodicJob(
        "figures",
        None,
        FIGURES_EVERY_SECONDS,
        "counts for `/metrics`, when Prometheus asks",
        "Counting large tables takes its time; Prometheus asks every few seconds.",
    ),
)


def periodic_jobs(poll_seconds: float) -> tuple[PeriodicJob, ...]:
    """``poll_seconds``: the setting PAYLINK_POLL_SECONDS."""
    return (
        *_BEFORE_POLLING,
        PeriodicJob(
            "follow_views",
            1,
            None,
            "shows open invoice details and open Homes anew when something that they show has changed",
            "Somebody may be looking. What this process records wakes it at once; the timer finds what others recorded. With nothing open it "
            "is one look into an empty table.",
        ),
        PeriodicJob(
            "poll",
            min(POLL_CHECK_SECONDS, max(poll_seconds / 4, 0.25)),
            poll_seconds,
            "asks Stripe for new events",
            "`PAYLINK_POLL_SECONDS` while a link waits for payment or was paid within three days, when refunds and disputes come; "
            "else an hour: Stripe rations reads.",
        ),
        *_AFTER_POLLING,
    )
