"""What looks after the workspaces, put together once by the wiring."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings, secret
from bot.slack_client import make_client
from bot.workspaces.endings import Endings
from bot.workspaces.installer import Greet, Installer
from bot.workspaces.registry import Workspace, Workspaces
from bot.workspaces.renewing import Renewing
from domain.connecting.disconnecting import Disconnected, disconnect
from domain.database import Database
from domain.secrets.box import Box
from domain.stripe.client import StripeApi
from domain.summaries import SLACK


@dataclass(frozen=True)
class Serving:
    """``installer`` and ``renewing`` are None where one workspace's token is a setting."""

    workspaces: Workspaces
    endings: Endings
    installer: Installer | None
    renewing: Renewing | None

    async def regranted(self, team_ids: Sequence[str], enterprise_id: str) -> None:
        """Slack says that these workspaces of an organisation were given the app, or had it taken away: which of both, it is asked
        itself."""
        for team_id in team_ids:
            self.endings.tell_regranted(team_id, enterprise_id)
            if self.installer is not None and self.installer.can_keep and not self.workspaces.find(team_id):
                await self.workspaces.adopt(team_id, enterprise_id)

    def rounds(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """What its periodic jobs do."""
        return {"know_workspaces": self._know, "renew_tokens": self._renew}

    async def _know(self) -> None:
        if self.installer is not None and self.installer.can_keep:
            await self.workspaces.refresh()
            await self.endings.look()

    async def _renew(self) -> None:
        if self.renewing is not None and self.installer is not None and self.installer.can_keep:
            await self.renewing.renew_due()


def look_after_workspaces(
    settings: Settings,
    db: Database,
    box: Box,
    session: aiohttp.ClientSession,
    slack: AsyncWebClient,
    owner: str,
    make_api: Callable[[str], StripeApi],
    *,
    clock: Callable[[], datetime],
    on_there: Callable[[Workspace], None],
    on_gone: Callable[[Workspace], None],
    on_expired: Callable[[], None],
    greet: Greet,
) -> Serving:
    """``slack`` is the configured client; without a configured token it is only asked for codes and tokens."""

    def client_of(token: str, team_id: str) -> AsyncWebClient:
        return make_client(settings, session, lambda method, code: endings.hear(team_id, code), token=token)

    workspaces = Workspaces(db, box, client_of, on_there=on_there, on_gone=on_gone)

    async def end(team_id: str, seen: int) -> Disconnected:
        return await disconnect(db, box, make_api, team_id, SLACK, seen=seen)

    endings = Endings(workspaces, end, on_expired=on_expired)
    if not settings.installing:
        return Serving(workspaces, endings, None, None)
    rotator = AsyncTokenRotator(
        client_id=settings.slack_client_id or "",
        client_secret=secret(settings.slack_client_secret),
        client=slack,
    )
    return Serving(
        workspaces,
        endings,
        Installer(settings, db, box, slack, client_of, workspaces, clock=clock, greet=greet),
        Renewing(db, box, workspaces, rotator, owner, clock=clock),
    )
