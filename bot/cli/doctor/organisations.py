"""What the database tells the doctor of one organisation: whether it may create links, and whether its channel takes messages."""

from bot.cli.doctor.findings import Finding, Level
from domain.summaries import OrganisationSummary


def examine_channel_problem(organisation: OrganisationSummary) -> Finding:
    return Finding(
        Level.WRONG,
        f"Notification channel: Slack takes no message for {organisation.channel} ({organisation.channel_problem}), so "
        "announcements wait.",
        "They are tried again all the time, and go out as soon as Slack takes them.",
    )


def examine_add_on(organisation: OrganisationSummary) -> Finding:
    if organisation.add_on:
        return Finding(Level.WELL, f"Organisation: {organisation.team_id} has the add-on.")
    return Finding(
        Level.NOTE,
        f"Organisation: {organisation.team_id} doesn't have the Stripe Credit Card Payment Add-on, so nobody can "
        "create links.",
        f"Turn it on with `paylink organization set {organisation.team_id} --add-on on`.",
    )
