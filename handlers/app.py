"""The Bolt app: which handler answers what. Slack's names for everything stand in handlers/ids.py and manifest.yml."""

import logging
import re
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from domain.desk import Desk
from domain.errors import OrganisationUnknown
from handlers import ids
from handlers.bolt.acknowledging import (
    Answerer,
    Command,
    Handler,
    Regranted,
    Removed,
    acknowledge,
    after_ack,
    answering,
    before_ack,
    commanding,
    ending,
    hearing,
    offering,
    read_regranted,
    shown_as,
)
from handlers.bolt.context import Exports, Log, Office, Track
from handlers.bolt.people import SlackPeople
from handlers.features import (
    bulk_listing,
    bulk_runs,
    commands,
    details,
    download,
    exceptions,
    importing,
    talking,
    type_ahead,
)
from handlers.features.setting_up import connecting, settings, steps
from handlers.views.blocks import Json
from handlers.words.sentences import not_installed, sentence

NOT_SET_UP = str(sentence(OrganisationUnknown("")))
COMMANDS: dict[str, Command] = {"/invoice": commands.invoice, "/invoices": commands.invoices}

SHORTCUTS: dict[str, Handler] = {
    ids.FIND_INVOICE: type_ahead.open_search,
    ids.BILLING_INVOICES: bulk_listing.open_list,
}

EVENTS: dict[str, Handler] = {
    "app_home_opened": talking.opened,
    "app_mention": talking.answer_mention,
    "message": talking.answer_message,
}

ENDS = ("app_uninstalled", "tokens_revoked")

ACTIONS: dict[str, Handler] = {
    ids.FIND_INVOICE: type_ahead.open_search,
    ids.BILLING_INVOICES: bulk_listing.open_list,
    ids.CHOOSE_INVOICE: type_ahead.show_chosen,
    ids.SHOW_ALL: bulk_listing.show_all,
    ids.SHOW_OWED: bulk_listing.open_filtered,
    ids.VIEW_INVOICE: details.open_by_id,
    ids.CREATE_LINK: details.create,
    ids.COPY_LINK: details.push_copy,
    ids.RECHECK: details.recheck,
    ids.HISTORY: details.push_history,
    f"{ids.HISTORY_PAGE}_next": details.turn_history,
    f"{ids.HISTORY_PAGE}_previous": details.turn_history,
    ids.CHOOSE_COPY: details.push_copy,
    ids.LIST_TICKS: bulk_listing.tick,
    ids.LIST_SEARCH: bulk_listing.search,
    ids.LIST_FILTER: bulk_listing.filter_by,
    ids.LIST_SELECT_PAGE: bulk_listing.select_page,
    ids.LIST_CLEAR: bulk_listing.clear,
    ids.LIST_NEXT: bulk_listing.next_page,
    ids.LIST_PREVIOUS: bulk_listing.previous_page,
    ids.LIST_DETAILS: details.push_by_id,
    ids.LIST_DOWNLOAD: download.choose_for_list,
    ids.LIST_AS_EXCEL: download.list_as_excel,
    ids.LIST_AS_CSV: download.list_as_csv,
    ids.RESULT_DOWNLOAD: download.choose_for_run,
    ids.RESULT_AS_EXCEL: download.run_as_excel,
    ids.RESULT_AS_CSV: download.run_as_csv,
    ids.SHOW_RESULT: bulk_runs.show_result,
    ids.EXCEPTIONS: exceptions.open_list,
    f"{ids.EXCEPTIONS_PAGE}_next": exceptions.turn_page,
    f"{ids.EXCEPTIONS_PAGE}_previous": exceptions.turn_page,
    ids.EXCEPTION_DETAILS: exceptions.push_details,
    ids.RESOLVE: exceptions.ask_reason,
    ids.IMPORT_INVOICES: importing.open_form,
    ids.IMPORT_CHOOSE: importing.choose_columns,
    ids.SET_UP: steps.open_steps,
    ids.CONNECT_STRIPE: connecting.open_form,
    ids.TRY_INVOICE: steps.try_invoice,
    ids.SETTINGS: settings.open_form,
    ids.SETTING_CREATORS: settings.choose,
    ids.SETTING_TOLD: settings.choose,
}

COMMITTING_ACTIONS: dict[str, Handler] = {ids.RETRY_FAILED: bulk_runs.retry_failed}

SUBMISSIONS: dict[str, Answerer] = {
    ids.SEARCH_VIEW: type_ahead.submit,
    ids.LIST_VIEW: bulk_listing.submit,
    ids.CONFIRMATION_VIEW: bulk_runs.create,
    ids.RESOLVE_VIEW: exceptions.resolve,
    ids.IMPORT_VIEW: importing.submit_file,
    ids.IMPORT_COLUMNS_VIEW: importing.submit_answers,
    ids.IMPORT_PREVIEW_VIEW: importing.start,
    ids.CONNECT_STRIPE: connecting.connect,
    ids.SETTINGS: settings.save,
}

OPTIONS: dict[str, Answerer] = {ids.CHOOSE_INVOICE: type_ahead.offer}


class AcknowledgingApp(AsyncApp):
    """Over Socket Mode only a 200 acknowledges: whatever goes wrong before any handler, people see no warning sign."""

    log: Log
    office: Office
    unknown: str
    """What people of a workspace read in which there is no token for it."""

    async def take_up(self, client_of: Callable[[str], AsyncWebClient | None]) -> None:
        """Keep the progress of runs and imports that a restart interrupted up to date, in the views that show them.

        ``client_of`` gives the client with a workspace's own token, or None for one that isn't served here.
        """
        for actor, run_id, view_id in await self.office.desk.list_unfinished_runs():
            if (client := client_of(actor.team_id)) is not None:
                self.office.watch(bulk_runs.follow_run(self.office, client, actor, run_id, view_id))
        for actor, import_id, view_id in await self.office.desk.list_unfinished_imports():
            if (client := client_of(actor.team_id)) is not None:
                self.office.watch(importing.follow_import(self.office, client, actor, import_id, view_id))

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        try:
            answer = await super().async_dispatch(req)
            return shown_as(answer, req.body, self.unknown) if answer.body == self.unknown else answer
        except Exception as error:  # Bolt's own reading of a garbled payload
            return await self.acknowledge_anyway(error)

    async def acknowledge_anyway(self, error: Exception) -> BoltResponse:
        if isinstance(error, BoltUnhandledRequestError):
            self.log.warning("delivery.unknown")
        else:
            self.log.error("delivery.failed", exc_info=error)
        return BoltResponse(status=200, body="")


def build_app(
    desk: Desk,
    *,
    client: AsyncWebClient,
    authorize: Callable[..., Awaitable[AuthorizeResult]],
    signing_secret: str | None,
    export: Exports | None,
    track: Track,
    log: Log,
    watch: Track | None = None,
    people: SlackPeople | None = None,
    removed: Removed = lambda team_id, enterprise_id: None,
    regranted: Regranted | None = None,
    install_url: str | None = None,
) -> AcknowledgingApp:
    """Build the app; it asks nobody anything until something is delivered.

    ``authorize`` gives the token for a workspace. ``signing_secret``: requests over HTTP must be signed with it; None
    for Socket Mode alone. ``track`` runs the work that goes on after an acknowledgement, and a shut-down waits for it;
    ``watch`` (by default the same) keeps modals up to date for minutes, and a shut-down may cancel it. ``people``: by default
    they are asked for with ``client``. ``removed`` is told that a workspace may have removed the app, ``regranted`` that an
    organisation's administrators may have. ``install_url``: where a workspace installs it by itself.
    """
    unknown = NOT_SET_UP if install_url is None else not_installed(install_url)
    app = AcknowledgingApp(
        name="slack_bolt.app",
        logger=_quiet_logger(),
        client=client,
        authorize=authorize,
        signing_secret=signing_secret or "",
        request_verification_enabled=signing_secret is not None,
        raise_error_for_unhandled_request=True,
        # Its answer is there when the listener returns, which each does once it has acknowledged; otherwise Bolt looks for
        # the acknowledgement every 10 ms.
        process_before_response=True,
        before_authorize=_before_authorize(client, track, regranted),
        user_facing_authorize_error_message=unknown,
    )
    app.unknown = unknown
    app.log = log
    app.error(app.acknowledge_anyway)
    app.office = Office(desk, export, track, watch or track, log, people or SlackPeople(lambda _: client))
    _register(app, app.office)
    for name in ENDS:
        app.event(name)(ending(removed))
    return app


def _register(app: AsyncApp, office: Office) -> None:
    for name, command in COMMANDS.items():
        app.command(name)(commanding(office, command))
    # Whatever else a workspace calls them is answered too.
    app.command(re.compile(".*"))(commanding(office, commands.renamed))
    for name, handler in SHORTCUTS.items():
        app.shortcut(name)(after_ack(office, handler))
    for name, handler in EVENTS.items():
        app.event(name)(hearing(office, handler))
    for name, handler in ACTIONS.items():
        app.action(name)(after_ack(office, handler))
    app.action(re.compile(rf"{ids.SHOW_NEAREST}_\d"))(after_ack(office, type_ahead.show_chosen))
    for name, handler in COMMITTING_ACTIONS.items():
        app.action(name)(before_ack(office, handler))
    app.action(ids.OPEN_LINK)(acknowledge())
    for name, answerer in SUBMISSIONS.items():
        app.view(name)(answering(office, answerer))
    app.view(ids.COPY_VIEW)(acknowledge())
    for name, answerer in OPTIONS.items():
        app.options(name)(offering(office, answerer))


def _before_authorize(
    configured: AsyncWebClient, track: Track, regranted: Regranted | None
) -> Callable[..., Awaitable[BoltResponse | None]]:
    """Bolt makes a client for each delivery, and the SDK gives it the environment's proxy where none is configured. What is told of
    an organisation's workspaces needs no token of any."""

    async def before(
        client: AsyncWebClient, body: Json, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        client.proxy = configured.proxy
        told = read_regranted(body)
        if told is None:
            await next_()
            return None
        if regranted is not None:
            track(regranted(*told))
        return BoltResponse(status=200, body="")

    return before


def _quiet_logger() -> logging.Logger:
    """Bolt logs rejected and unknown bodies, tokens included, below this level; what matters is logged here."""
    logger = logging.getLogger("slack_bolt.paylink")
    logger.setLevel(logging.ERROR)
    return logger
