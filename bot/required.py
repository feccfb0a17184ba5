"""What serving can't do without, and what can't stand together."""

from bot.settings import DOT_ENV, Settings, SettingsProblem

INSTALLING = ("PAYLINK_PUBLIC_URL", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")


def require_for_serving(settings: Settings) -> None:
    """Raises SettingsProblem if ``serve`` can't do without what is missing, or if two settings contradict each other."""
    for_installing = (
        settings.paylink_public_url,
        settings.slack_client_id,
        settings.slack_client_secret,
    )
    if settings.slack_bot_token is not None:
        if None not in for_installing:
            raise SettingsProblem(
                "SLACK_BOT_TOKEN and PAYLINK_PUBLIC_URL with SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are both set: the token is of "
                "one workspace, with the others any workspace installs the app. Take out SLACK_BOT_TOKEN, or the client id and secret."
            )
        _require(("STRIPE_API_KEY", settings.stripe_api_key))
    elif any(value is not None for value in for_installing):
        _require_together(settings)
        _require(("PORT", settings.port))
    else:
        _require(("SLACK_BOT_TOKEN", settings.slack_bot_token), ("STRIPE_API_KEY", settings.stripe_api_key))
    if not settings.socket_mode:
        _require_for_http(settings)


def _require_together(settings: Settings) -> None:
    values = (settings.paylink_public_url, settings.slack_client_id, settings.slack_client_secret)
    missing = [name for name, value in zip(INSTALLING, values, strict=True) if value is None]
    if missing:
        raise SettingsProblem(
            f"{_listed(missing)} set: installing by clicking needs {', '.join(INSTALLING[:-1])} and {INSTALLING[-1]}; "
            "for one workspace alone set SLACK_BOT_TOKEN."
        )


def _require(*named: tuple[str, object]) -> None:
    missing = [name for name, value in named if value is None]
    if missing:
        raise SettingsProblem(
            f"{_listed(missing)} set: set each in the environment or in a {DOT_ENV} file."
            if len(missing) > 1
            else f"{missing[0]} isn't set: put it into the environment or into a {DOT_ENV} file."
        )


def _require_for_http(settings: Settings) -> None:
    missing = [
        name
        for name, value in (("PORT", settings.port), ("SLACK_SIGNING_SECRET", settings.slack_signing_secret))
        if value is None
    ]
    if missing:
        raise SettingsProblem(
            f"{_listed(missing)} set: without SLACK_APP_TOKEN (Socket Mode), Slack's requests come to PORT "
            "over HTTP and are checked with SLACK_SIGNING_SECRET."
        )


def _listed(names: list[str]) -> str:
    return f"{names[0]} isn't" if len(names) == 1 else f"{' and '.join(names)} aren't"
