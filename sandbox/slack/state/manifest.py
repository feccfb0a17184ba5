"""What an app's manifest grants and says (Slack docs: reference/app-manifest)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sandbox.slack.state.model import Json


class Manifest:
    """Reads a manifest given as a mapping; whatever is absent is off."""

    def __init__(self, given: Json) -> None:
        self.given = given

    def _at(self, *path: str) -> Any:
        value: Any = self.given
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    @property
    def name(self) -> str:
        return str(self._at("display_information", "name") or "App")

    @property
    def bot_name(self) -> str:
        return str(self._at("features", "bot_user", "display_name") or self.name)

    @property
    def bot_scopes(self) -> list[str]:
        return list(self._at("oauth_config", "scopes", "bot") or [])

    @property
    def commands(self) -> list[Json]:
        return list(self._at("features", "slash_commands") or [])

    @property
    def global_shortcuts(self) -> list[Json]:
        shortcuts = self._at("features", "shortcuts") or []
        return [shortcut for shortcut in shortcuts if shortcut.get("type") == "global"]

    @property
    def home_enabled(self) -> bool:
        return bool(self._at("features", "app_home", "home_tab_enabled"))

    @property
    def messages_enabled(self) -> bool:
        return bool(self._at("features", "app_home", "messages_tab_enabled"))

    @property
    def interactive(self) -> bool:
        return bool(self._at("settings", "interactivity", "is_enabled"))

    @property
    def redirect_urls(self) -> list[str]:
        return list(self._at("oauth_config", "redirect_urls") or [])

    @property
    def rotates(self) -> bool:
        return bool(self._at("settings", "token_rotation_enabled"))

    @property
    def org_deploy(self) -> bool:
        return bool(self._at("settings", "org_deploy_enabled"))

    def subscribes(self, event: str) -> bool:
        return event in (self._at("settings", "event_subscriptions", "bot_events") or [])

    def url_for(self, envelope: str, payload: Json) -> str | None:
        """The URL that an HTTP app gets this kind of payload on; None where the manifest gives none."""
        url: str | None
        if envelope == "slash_commands":
            named = [each for each in self.commands if each["command"] == payload["command"]]
            url = named[0].get("url") if named else None
        elif envelope == "events_api":
            url = self._at("settings", "event_subscriptions", "request_url")
        elif payload["type"] == "block_suggestion":
            url = self._at("settings", "interactivity", "message_menu_options_url")
        else:
            url = self._at("settings", "interactivity", "request_url")
        return url


def for_http(given: Json, url: str) -> Json:
    """The manifest of the same app over HTTP at one URL: what its owner changes on Slack's configuration pages."""
    changed = deepcopy(given)
    settings = changed.setdefault("settings", {})
    settings["socket_mode_enabled"] = False
    settings.setdefault("event_subscriptions", {})["request_url"] = url
    settings.setdefault("interactivity", {}).update(request_url=url, message_menu_options_url=url)
    for command in changed.get("features", {}).get("slash_commands", []):
        command["url"] = url
    return changed


def for_installing(given: Json, *redirect_urls: str, rotates: bool = False, org_wide: bool = False) -> Json:
    """The manifest of the same app once its owner lets other workspaces install it."""
    changed = deepcopy(given)
    changed.setdefault("oauth_config", {})["redirect_urls"] = list(redirect_urls)
    settings = changed.setdefault("settings", {})
    settings["token_rotation_enabled"] = rotates
    settings["org_deploy_enabled"] = org_wide
    if org_wide:
        events = settings.setdefault("event_subscriptions", {}).setdefault("bot_events", [])
        events += ["team_access_granted", "team_access_revoked"]
    return changed
