"""/slack/install and /slack/oauth_redirect: the way of somebody's browser to Slack and back."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from aiohttp import web

from bot.slack_client import SlackAway
from bot.web import install_pages
from bot.workspaces.installer import INSTALL_PATH, REDIRECT_PATH, CodeRefused, Installer
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.organisations import install_states
from domain.organisations.install_states import LASTS, Verdict

# All browsers together: so many at once, and then so many a second.
AT_ONCE, A_SECOND = 30.0, 3.0
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)
_CODE = re.compile(r"[!-~]{1,500}", re.ASCII)

NO_KEYS = (
    "Whoever runs Paylink hasn't set PAYLINK_SECRET_KEYS yet: without a key, the token that Slack gives can't be kept. "
    "`paylink secrets new-key` makes one."
)
STARTING = "Paylink is starting. Try again in a moment."
TOO_MANY = "Too many people are installing Paylink right now. Try again in a minute."
DENIED = "It wasn't allowed in Slack, so nothing was installed."
AWAY = "Slack couldn't be reached. Try again in a moment."
DATABASE = "Paylink can't reach its database right now. Try again in a moment."
STRANGE = "This isn't an address that Slack leads to. Begin on the page /slack/install."
VERDICTS = {
    Verdict.UNKNOWN: "This page wasn't asked for, or it is too old. Begin again.",
    Verdict.LATE: "More than ten minutes have passed since you began. Begin again.",
    Verdict.USED: "This was used already: each start installs Paylink once. If it isn't installed, begin again.",
    Verdict.OTHER_BROWSER: "You began in another browser. Go on there, or begin again in this one.",
}
_OURS = frozenset("invalid_client_id bad_client_secret bad_redirect_uri".split())


class Allowance:
    """So many at once, refilled with time; ``now`` is in seconds."""

    def __init__(self, at_once: float, a_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._a_second, self._now = at_once, a_second, now
        self._left, self._at = at_once, now()

    def take(self) -> bool:
        now = self._now()
        self._left = min(self._at_once, self._left + (now - self._at) * self._a_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class InstallEndpoint:
    """``installer`` is None until the bot has begun."""

    def __init__(self, installer: Callable[[], Installer | None], db: Database, public_url: str) -> None:
        self._installer = installer
        self._db = db
        self._secure = public_url.startswith("https:")
        # With the prefix browsers let nobody but this very host set it.
        self._cookie = "__Host-paylink-install" if self._secure else "paylink-install"
        # Of their own, so that whoever has begun comes back, however many begin.
        self._beginnings, self._returns = (Allowance(AT_ONCE, A_SECOND) for _ in range(2))
        self._log = structlog.get_logger("bot.web.installing")

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(INSTALL_PATH, self.begin, allow_head=False)
        app.router.add_get(REDIRECT_PATH, self.come_back, allow_head=False)

    async def begin(self, request: web.Request) -> web.Response:
        """The page with Slack's button."""
        installer = self._installer()
        if installer is None:
            return install_pages.problem(STARTING, 503, again=False)
        if not installer.can_keep:
            return install_pages.problem(NO_KEYS, 503, again=False)
        if not self._beginnings.take():
            return install_pages.problem(TOO_MANY, 429, again=False)
        given = request.cookies.get(self._cookie, "")
        # Whoever has two tabs open may go on in either.
        browser = given if _TOKEN.fullmatch(given) else secrets.token_urlsafe(32)
        state = secrets.token_urlsafe(32)
        try:
            await self._db.write(install_states.issue, state, browser)
        except DatabaseUnavailable:
            return install_pages.problem(DATABASE, 503, again=False)
        answer = install_pages.invitation(installer.authorize_url(state))
        answer.set_cookie(
            self._cookie,
            browser,
            max_age=int(LASTS.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            # Slack leads the browser back from its own site.
            samesite="Lax",
        )
        return answer

    async def come_back(self, request: web.Request) -> web.Response:
        """Slack leads here with a code, or with what went wrong."""
        installer = self._installer()
        if installer is None:
            return install_pages.problem(STARTING, 503)
        if not installer.can_keep:
            return install_pages.problem(NO_KEYS, 503, again=False)
        state, code = request.query.get("state", ""), request.query.get("code", "")
        denied = request.query.get("error", "")
        if not _TOKEN.fullmatch(state) or not (denied or _CODE.fullmatch(code)):
            return install_pages.problem(STRANGE, 400)
        if not self._returns.take():
            return install_pages.problem(TOO_MANY, 429)
        browser = request.cookies.get(self._cookie, "")
        try:
            verdict = await self._db.write(install_states.consume, state, browser)
            if verdict is not Verdict.GOOD:
                self._log.info("installation.not_begun", why=verdict.name.lower())
                return install_pages.problem(VERDICTS[verdict], 400)
            if denied:
                return install_pages.problem(_denied(denied), 400)
            installed = await installer.install(code)
        except DatabaseUnavailable:
            return install_pages.problem(DATABASE, 503)
        except SlackAway:
            return install_pages.problem(AWAY, 502)
        except CodeRefused as refused:
            return install_pages.problem(_refused(refused.code), 400)
        address = installer.open_url(installed)
        return install_pages.done(installed.name, address, teams=len(installed.team_ids))


def _denied(error: str) -> str:
    if error == "access_denied":
        return DENIED
    return f"Slack says that it can't be installed ({_shown(error)})."


def _refused(code: str) -> str:
    if code in _OURS:
        return (
            f"Slack doesn't take Paylink's own settings ({_shown(code)}): have whoever runs it compare SLACK_CLIENT_ID, "
            "SLACK_CLIENT_SECRET and the redirect URL with the Slack app's."
        )
    return f"Slack doesn't take the code that it gave ({_shown(code)}). Begin again."


def _shown(code: str) -> str:
    return code if re.fullmatch(r"[a-z0-9_]{1,60}", code, re.ASCII) else "unknown"
