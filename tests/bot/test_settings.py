"""Settings: what is taken, what is refused, and that no refusal tells a value."""

from pathlib import Path

import pytest

from bot.required import require_for_serving
from bot.settings import (
    Settings,
    SettingsProblem,
    data_directory,
    load_settings,
    secret,
    setting_names,
    unknown_settings,
)

HOME = {"HOME": "/home/somebody"}
COMPLETE = HOME | {
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SLACK_APP_TOKEN": "xapp-1-A1-2-abc",
    "STRIPE_API_KEY": "rk_test_abc",
}


def load(env: dict[str, str], directory: Path) -> Settings:
    return load_settings(HOME | env, directory)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-not-a-bots"),
        ("SLACK_BOT_TOKEN", "xoxb-with\nnewline"),
        ("SLACK_APP_TOKEN", "xoxb-of-the-bot"),
        ("STRIPE_API_KEY", "pk_test_publishable"),
        ("STRIPE_API_KEY", "sk_abc"),
        ("DATABASE_URL", "mysql://user:hunter2@host/paylink"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_one,"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_one,,whsec_two"),
        ("STRIPE_WEBHOOK_SECRET", "hunter2"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_one, hunter2"),
        ("PAYLINK_NOTIFICATION_CHANNEL", "#payments"),
        ("PAYLINK_NOTIFICATION_CHANNEL", "D0123456"),
        ("PAYLINK_NOTIFICATION_CHANNEL", "payments"),
        ("PAYLINK_POLL_SECONDS", "0"),
        ("PAYLINK_POLL_SECONDS", "nan"),
        ("PAYLINK_STRIPE_RATE", "inf"),
        ("PAYLINK_STRIPE_RATE", "-23"),
        ("PAYLINK_LEASE_SECONDS", "a minute"),
        ("PAYLINK_MARGIN_SECONDS", "-1"),
        ("SLACK_API_URL", "ftp://slack.example/api"),
        ("STRIPE_API_URL", "api.stripe.com"),
        ("STRIPE_API_URL", "https://host:port"),
    ],
)
def test_a_malformed_setting_is_named_without_its_value(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem) as problem:
        load({name: value}, tmp_path)

    assert str(problem.value) == f"{name} must be {setting_names()[name]}."


@pytest.mark.parametrize(
    ("name", "taken", "refused", "limit"),
    [
        ("PAYLINK_POLL_SECONDS", "86400", "100000", "at most 86400"),
        ("PAYLINK_MARGIN_SECONDS", "86400", "86401", "at most 86400"),
        ("PAYLINK_STRIPE_RATE", "1000", "2000", "at most 1000"),
        ("PAYLINK_LEASE_SECONDS", "86400", "90000", "from 1 to 86400"),
        ("PAYLINK_LEASE_SECONDS", "1", "0.99", "from 1 to 86400"),
    ],
)
def test_a_number_beyond_its_limit_is_told_the_limit(
    name: str, taken: str, refused: str, limit: str, tmp_path: Path
) -> None:
    load({name: taken}, tmp_path)
    with pytest.raises(SettingsProblem, match=limit):
        load({name: refused}, tmp_path)


def test_several_malformed_settings_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"STRIPE_API_KEY must be .*; PORT must be ") as problem:
        load({"PORT": "x", "STRIPE_API_KEY": "y"}, tmp_path)

    assert str(problem.value).count(".") == 1


def test_a_blank_setting_counts_as_unset(tmp_path: Path) -> None:
    settings = load({"SLACK_APP_TOKEN": " ", "PORT": "", "PAYLINK_POLL_SECONDS": ""}, tmp_path)

    assert settings.slack_app_token is None
    assert settings.port is None
    assert settings.paylink_poll_seconds == 300


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# of the machine\nPORT=8001\nPAYLINK_NOTIFICATION_CHANNEL='C0FILE'\nSOMETHING_ELSE=1\n"
    )

    settings = load({"PORT": "8002"}, tmp_path)

    assert settings.port == 8002
    assert settings.paylink_notification_channel == "C0FILE"


def test_an_env_file_that_is_no_text_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe")

    with pytest.raises(SettingsProblem, match=r"\.env can't be read"):
        load({}, tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("PORT 8000\n", 1),
        ("PORT=8000\n\n# the key\n\nSTRIPE_API_KEY sk_test_hunter2\n", 5),
        ("PORT=8000\r\nSTRIPE_API_KEY='sk_test_hunter2\r\nPAYLINK_POLL_SECONDS=1\r\n", 2),
        ("\n\n=hunter2", 3),
    ],
)
def test_a_line_of_the_env_file_that_cannot_be_read_is_named(text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(text.encode())

    with pytest.raises(SettingsProblem) as problem:
        load({}, tmp_path)

    assert str(problem.value).startswith(f"Line {line} of the file {tmp_path}/.env can't be read: ")
    assert "hunter2" not in str(problem.value)


def test_an_env_file_may_hold_what_shells_understand(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\ufeffexport PORT='8000' # of the proxy\n\nUNSET\n  EMPTY=\n", "utf-8")

    assert load({}, tmp_path).port == 8000


def test_a_file_among_the_credentials_is_a_setting_that_only_the_environment_goes_before(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("STRIPE_API_KEY=rk_test_file\nSLACK_BOT_TOKEN=xoxb-file\nPORT=8000\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "SLACK_BOT_TOKEN").write_text("xoxb-credential\n")
    (credentials / "STRIPE_API_KEY").write_text("rk_test_credential")
    (credentials / "PORT").write_text("\n")
    env = {"CREDENTIALS_DIRECTORY": str(credentials), "STRIPE_API_KEY": "rk_test_environment"}

    settings = load(env, tmp_path)

    assert secret(settings.slack_bot_token) == "xoxb-credential"
    assert secret(settings.stripe_api_key) == "rk_test_environment"
    assert settings.port == 8000
    (credentials / "PORT").write_bytes(b"\xff")
    with pytest.raises(SettingsProblem, match=r"^The file .*/credentials/PORT can't be read: "):
        load(env, tmp_path)


def test_what_begins_as_a_setting_of_paylinks_and_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "paylink_mentions=off\nPAYLINK_CHANEL=C0FILE\nOTHERS=1\nPAYLINK_ZZZZZZZZZZZZZZZZZZZZZZZZZZ=1\n"
    )

    told = unknown_settings(COMPLETE | {"PAYLINK_POL_SECONDS": "1", "paylink_stripe_rate": "5"}, tmp_path)

    assert told == [
        "PAYLINK_CHANEL is no setting of Paylink's: PAYLINK_NOTIFICATION_CHANNEL is.",
        "PAYLINK_POL_SECONDS is no setting of Paylink's: PAYLINK_POLL_SECONDS is.",
        "PAYLINK_ZZZZZZZZZZZZZZZZZZZZZZZZZZ is no setting of Paylink's.",
        "paylink_stripe_rate is no setting of Paylink's: PAYLINK_STRIPE_RATE is.",
    ]


def test_secrets_show_in_no_representation(tmp_path: Path) -> None:
    env = {
        "SLACK_BOT_TOKEN": "xoxb-hidden",
        "SLACK_SIGNING_SECRET": "hidden1",
        "STRIPE_WEBHOOK_SECRET": "whsec_hidden",
        "DATABASE_URL": "postgresql://paylink:hidden@db/paylink",
    }

    assert "hidden" not in repr(load(env, tmp_path))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(scheme: str, tmp_path: Path) -> None:
    settings = load({"DATABASE_URL": f"{scheme}://paylink@db/paylink"}, tmp_path)

    assert settings.database_url == "postgresql+psycopg://paylink@db/paylink"


def test_without_a_database_url_sqlite_lives_in_the_data_directory(tmp_path: Path) -> None:
    assert load({}, tmp_path).database_url == "sqlite:////home/somebody/.local/share/paylink/paylink.sqlite3"
    assert data_directory(HOME | {"XDG_DATA_HOME": "/data"}) == Path("/data/paylink")
    assert data_directory(HOME | {"XDG_DATA_HOME": "not/absolute"}).is_relative_to("/home/somebody")


def test_several_webhook_secrets_are_all_taken(tmp_path: Path) -> None:
    settings = load({"STRIPE_WEBHOOK_SECRET": "whsec_old, whsec_new"}, tmp_path)

    assert settings.webhook_secrets == ("whsec_old", "whsec_new")


@pytest.mark.parametrize("given", ["http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"])
def test_addresses_are_taken_with_and_without_a_slash_at_the_end(given: str, tmp_path: Path) -> None:
    assert load({"SLACK_API_URL": given}, tmp_path).slack_api_url == "http://127.0.0.1:9/api"


def test_a_secret_that_is_unset_is_empty(tmp_path: Path) -> None:
    assert secret(load({}, tmp_path).slack_bot_token) == ""


@pytest.mark.parametrize("missing", ["SLACK_BOT_TOKEN", "STRIPE_API_KEY"])
def test_serving_needs_both_keys(missing: str, tmp_path: Path) -> None:
    settings = load({name: value for name, value in COMPLETE.items() if name != missing}, tmp_path)

    with pytest.raises(SettingsProblem, match=f"^{missing} isn't set"):
        require_for_serving(settings)


def test_without_an_app_token_serving_needs_a_port_and_the_signing_secret(tmp_path: Path) -> None:
    over_http = {name: value for name, value in COMPLETE.items() if name != "SLACK_APP_TOKEN"}

    with pytest.raises(SettingsProblem, match=r"^PORT and SLACK_SIGNING_SECRET aren't set"):
        require_for_serving(load(over_http, tmp_path))
    with pytest.raises(SettingsProblem, match=r"^PORT isn't set"):
        require_for_serving(load(over_http | {"SLACK_SIGNING_SECRET": "s"}, tmp_path))
    require_for_serving(load(over_http | {"SLACK_SIGNING_SECRET": "s", "PORT": "3000"}, tmp_path))


def test_with_an_app_token_serving_needs_no_port(tmp_path: Path) -> None:
    require_for_serving(load(COMPLETE | {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s"}, tmp_path))


INSTALLING = {
    "PAYLINK_PUBLIC_URL": "https://paylink.example",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "s",
    "SLACK_APP_TOKEN": "xapp-1",
    "PORT": "3000",
}


def test_installing_takes_the_place_of_a_token_and_needs_all_of_its_settings(tmp_path: Path) -> None:
    settings = load(INSTALLING, tmp_path)
    require_for_serving(settings)
    assert settings.installing
    with pytest.raises(SettingsProblem, match="both set"):
        require_for_serving(load(INSTALLING | COMPLETE, tmp_path))
    for missing in INSTALLING.keys() - {"SLACK_APP_TOKEN"}:
        some = {name: value for name, value in INSTALLING.items() if name != missing}
        with pytest.raises(SettingsProblem, match=f"^{missing} isn't set"):
            require_for_serving(load(some, tmp_path))


@pytest.mark.parametrize("address", ["http://paylink.example", "https://me@paylink.example", "localhost"])
def test_the_public_address_is_https_but_on_this_machine(address: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"^PAYLINK_PUBLIC_URL must be"):
        load({"PAYLINK_PUBLIC_URL": address}, tmp_path)
    assert load({"PAYLINK_PUBLIC_URL": "http://localhost:3000/"}, tmp_path).paylink_public_url is not None
