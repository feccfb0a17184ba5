"""One of each view and message that Paylink can make, for Slack's own check of them (``paylink doctor``, blocks.validate)."""

from dataclasses import replace
from typing import Any

from domain.audit import Deed
from domain.audit.chain import Entry
from domain.audit.history import History
from domain.connecting.checking import KeyCheck
from domain.connecting.summaries import AskFirst, Connected, Otherness, Webhook
from domain.files.import_fields import ImportedInvoice, Problem
from domain.files.reading.records import BadLine
from domain.imports.summaries import FileColumn, ImportDoubt, ImportPreview, ImportQuestion, InvoiceChange
from domain.links.run_results import RunSummary
from domain.lists.summaries import Confirmation, Extent, InvoiceList, SelectionSummary
from domain.messages.summaries import Announcement
from domain.organisations.settings import Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.overview.summaries import HomeSummary, LookedUp, Owed, Steps, Tally
from domain.states import (
    AnnouncementKind,
    Badge,
    ExceptionKind,
    FollowUp,
    ImportState,
    LinkStatus,
    Source,
)
from domain.summaries import ExceptionPage, InvoiceOption, Resolution
from handlers.references import ListReference, ResolveReference
from handlers.specimens.values import (
    ADA,
    AMOUNT,
    CHANNEL,
    COUNTS,
    NOW,
    ORGANISATION,
    STRIPE,
    bulk_run,
    exception,
    invoice,
    paid,
    pending,
    standing,
)
from handlers.views import (
    confirmation,
    connecting,
    details,
    download,
    exceptions,
    history,
    home,
    import_result,
    imports,
    listing,
    result,
    search,
    setting_up,
    settings,
    talking,
)
from handlers.views.blocks import Json
from handlers.views.messages import announcement_message

_ENTRY = Entry(
    1,
    "T0000000001",
    NOW,
    ADA,
    Deed.LINK_ASKED.value,
    "INV-1",
    Source.BUTTON.value,
    None,
    1,
    "INV-1",
    None,
    "USD 1.00",
    1,
    None,
)


def views() -> dict[str, Json]:
    """Modals and Home tabs."""
    return {**_of_one_invoice(), **_of_lists(), **_of_imports(), **_of_setting_up()}


def _of_one_invoice() -> dict[str, Json]:
    option = InvoiceOption(1, "INV-1", "Acme", AMOUNT, LinkStatus.PAID, AMOUNT, (Badge.DISPUTED,))
    opens = [exception(ExceptionKind.DISPUTED), exception(ExceptionKind.AMOUNT_CHANGED, 2)]
    ended = [replace(opens[0], resolution=Resolution(NOW, ADA, "Answered."))]
    linked = pending(2)
    shown = {"eligible": invoice(1), "pending": linked, "paid": paid(3)}
    assert linked.link is not None
    return {
        **{
            f"details, {name}": details.details(
                one, ORGANISATION, STRIPE, exceptions=opens, resolved=ended, today=NOW.date(), said="Done."
            )
            for name, one in shown.items()
        },
        "history": history.history(linked, History((_ENTRY,) * 3, 1, has_next=True)),
        "copy": details.copying(linked, linked.link),
        "search": search.search(),
        "unknown number": search.unknown("INV-9", [option]),
        "several": search.several("acme", LookedUp(options=(option,), more=True)),
        "note": search.note("That isn't there any more."),
        "skeleton": search.skeleton(),
        "exceptions": exceptions.exceptions(ExceptionPage(tuple(opens), 1, True, 21), said="Done."),
        "resolve": exceptions.resolving(opens[0], ResolveReference(1, "details")),
    }


def _of_lists() -> dict[str, Json]:
    invoices = (*map(invoice, range(1, 51)), *map(pending, range(51, 76)), *map(paid, range(76, 101)))
    selection = SelectionSummary(1, LinkStatus.NOT_CREATED, "acme", 3, frozenset(range(1, 26)))
    page = InvoiceList(
        ORGANISATION, selection, invoices[:100], 2, True, NOW.date(), Extent(231, 3), (AMOUNT,)
    )
    target = Confirmation(1, invoices[:50], invoices[50:], (AMOUNT,), True, "seal", ("INV-1",))
    return {
        "list": listing.listing(page, said="Something has changed."),
        "confirmation": confirmation.confirmation(target, said="Something has changed."),
        "result": result.result(bulk_run(), said="Something has changed."),
        "download, list": download.of_list("All pages of the list.", ListReference(1, 3, "acme")),
        "download, bulk run": download.of_run("The invoices of this bulk run.", 1),
        "download, on its way": download.on_its_way("invoices.xlsx"),
        "download, sent": download.sent("invoices.xlsx"),
    }


def _of_imports() -> dict[str, Json]:
    before = ImportedInvoice(
        2, "INV-1", "inv1", "Acme", "billing@acme.example", 100, "USD", NOW.date(), None, "Hosting"
    )
    refused = BadLine(7, 7, (Problem("amount", "twelve", "isn't a number"),), "INV-7")
    preview = ImportPreview(
        1,
        "invoices.csv",
        "plain",
        (("number", "Invoice no."), ("amount", "Total")),
        COUNTS,
        (InvoiceChange(1, before, replace(before, amount=200), True),),
        (refused,),
        (AMOUNT,),
    )
    columns = tuple(FileColumn(n, f"Column {n}", ("INV-1", "100")) for n in range(6))
    doubt = ImportDoubt(2, "1.234", ((".", "1.23 USD"), (",", "1234.00 USD")), 3)
    asked = ImportQuestion(
        1,
        "invoices.csv",
        columns,
        asks_columns=True,
        asks_currency=True,
        guesses=(("number", 0),),
        decimal_doubt=doubt,
        date_doubt=ImportDoubt(2, "01/02/2026", (("dmy", "2026-02-01"), ("mdy", "2026-01-02"))),
        currencies=("EUR", "USD"),
    )
    return {
        "import": imports.form(said="That wasn't a file."),
        "import, reading": imports.reading("invoices.csv"),
        "import, question": imports.question(asked, said="Choose a column."),
        "import, preview": imports.preview(preview, said="Something has changed."),
        **{f"import, {state}": import_result.progress(standing(state)) for state in ImportState},
    }


def _of_setting_up() -> dict[str, Json]:
    steps = Steps(stripe=True, channel=False, invoices=False, tried=False)
    key = StripeKeySummary("rk_test", "1234", False, "acct_1", "we_1", ADA, NOW)
    check = KeyCheck(False, (), "acct_1", "Acme", takes_cards=True, link_on=True)
    asked = AskFirst(Otherness.ACCOUNT, 3, False, "acct_2", check, "seal")
    tally = Tally(3, (AMOUNT,))
    shown = HomeSummary(
        ORGANISATION,
        STRIPE,
        3,
        7,
        tuple(map(pending, range(1, 6))),
        tuple(map(paid, range(6, 11))),
        2,
        1,
        dead_because=("is_archived",),
        deadlines=(exception(ExceptionKind.DISPUTED),),
        failed_runs=(RunSummary(1, NOW, 10, 8, 2, final=True),),
        owed=Owed(tally, tally, tally, 7),
        paid_lately=tally,
        runs=(RunSummary(2, NOW, 10, 10, 0, final=True),),
        imports=(standing(ImportState.FINISHED),),
        steps=steps,
        ask=(ADA,),
    )
    set_so = Settings(administrators=(ADA,), told_of_exceptions=(CHANNEL,))
    return {
        "home": home.home(shown),
        "home, unavailable": home.unavailable("Paylink's database doesn't answer right now."),
        "set up": setting_up.set_up(steps, may=True),
        "set up, whom to ask": setting_up.set_up(steps, may=False, ask=(ADA,)),
        "connect Stripe": connecting.form(key, under="settings", said="That wasn't a key."),
        "connect Stripe, ask first": connecting.form(key, under="settings", asked=asked),
        "connect Stripe, checking": connecting.checking(),
        "connect Stripe, done": connecting.connected(Connected(key, check, Webhook.MADE)),
        "settings": settings.form(
            set_so,
            CHANNEL,
            settings.Choices(settings.chosen_by(set_so).creators, settings.told_of(set_so)),
            groups=[settings.Group("S0000000001", "Billing")],
        ),
    }


def messages() -> dict[str, Json]:
    """Announcements, direct messages and answers, each with ``text`` and ``blocks``."""
    ended = replace(exception(ExceptionKind.DISPUTED), resolution=Resolution(NOW, ADA, "Answered."))
    batch = tuple(exception(ExceptionKind.AMOUNT_CHANGED, n) for n in range(1, 11))
    together = tuple(_told(AnnouncementKind.PAID, invoice=paid(n)) for n in range(1, 26))
    told = {
        "paid": together[0],
        "paid, together": replace(together[0], together=together),
        "amounts changed": _told(AnnouncementKind.AMOUNTS_CHANGED, batch=batch, batch_size=12),
        "channel lost": _told(AnnouncementKind.CHANNEL_LOST, channel=CHANNEL, problem="is_archived"),
        **{
            f"exception, {kind}": _told(
                AnnouncementKind.EXCEPTION, invoice=paid(1), exception=exception(kind)
            )
            for kind in ExceptionKind
        },
        **{
            f"exception, {follow_up}": _told(
                AnnouncementKind.FOLLOW_UP, invoice=paid(1), exception=ended, follow_up=follow_up
            )
            for follow_up in FollowUp
        },
    }
    return {
        "able": talking.able(),
        "welcome": talking.welcome(CHANNEL),
        "installed": setting_up.installed(),
        "import, result": import_result.import_message(standing(ImportState.FINISHED), with_file=True),
        "bulk run, result": result.result_message(bulk_run()),
        **{name: announcement_message(one) for name, one in told.items()},
    }


def _told(kind: AnnouncementKind, **facts: Any) -> Announcement:
    return replace(Announcement(1, 1, kind, "key", CHANNEL, 0, False, None, received=AMOUNT), **facts)
