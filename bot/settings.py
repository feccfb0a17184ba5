"""Settings: from the environment and a .env file, under the names that the services' own documentation uses."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.proxies import Proxies
from bot.sources import SettingsProblem as SettingsProblem
from bot.sources import find_unknown, find_unreadable, given

DOT_ENV = ".env"
SLACK_API = "https://slack.com/api"
LOCAL = ("localhost", "127.0.0.1", "::1")
STRIPE_API = "https://api.stripe.com"


def _fits(pattern: str) -> AfterValidator:
    expression = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not expression.fullmatch(text):
            raise ValueError("doesn't fit")
        return value

    return AfterValidator(check)


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _is_web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("no web address")
    _ = parts.port  # raises ValueError unless it is a number
    return value.rstrip("/")


def _is_public(value: str) -> str:
    """What passes there are codes that are worth a token."""
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOCAL:
        raise ValueError("not https")
    if parts.username is not None:
        raise ValueError("with a user")
    return value


def _is_proxy(value: SecretStr) -> SecretStr:
    """Without a scheme it is http, as other programs read these variables. The address may hold a password."""
    text = value.get_secret_value()
    return SecretStr(_is_web_address(text if "://" in text else f"http://{text}"))


def _is_database(value: SecretStr) -> SecretStr:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    text = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value.get_secret_value())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("no URL") from None
    in_memory = url.database in {None, "", ":memory:"}
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"} or (
        url.get_backend_name() == "sqlite" and in_memory
    ):
        raise ValueError("no database that Paylink knows")
    return SecretStr(text)


Secret = Annotated[SecretStr, BeforeValidator(_stripped)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
# A request to Stripe gets a third of its lease (see wiring.build): a third of a second is the least that one takes.
LeaseSeconds = Annotated[float, Field(ge=1, le=86400, allow_inf_nan=False)]
WebAddress = Annotated[str, BeforeValidator(_stripped), AfterValidator(_is_web_address)]


class Settings(BaseSettings):
    """Each field's description says what its value must be, and completes the sentence ``NAME must be ...``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=str.upper,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    slack_bot_token: Annotated[Secret, _fits(r"(xoxe\.)?xoxb-[!-~]+")] | None = Field(
        None, description="the app's bot token, which begins with xoxb-"
    )
    slack_app_token: Annotated[Secret, _fits(r"xapp-[!-~]+")] | None = Field(
        None, description="an app-level token, which begins with xapp-"
    )
    slack_signing_secret: Annotated[Secret, _fits(r"[!-~]+")] | None = Field(
        None, description="the signing secret on the app's Basic Information page"
    )
    slack_client_id: Annotated[str, BeforeValidator(_stripped), _fits(r"[0-9]+\.[0-9]+")] | None = Field(
        None, description="the app's client id, two numbers with a dot between them"
    )
    slack_client_secret: Annotated[Secret, _fits(r"[!-~]+")] | None = Field(
        None, description="the app's client secret"
    )
    stripe_api_key: Annotated[Secret, _fits(r"[sr]k_(test|live)_[!-~]+")] | None = Field(
        None,
        description="a restricted or secret key, which begins with rk_test_, rk_live_, sk_test_ or sk_live_",
    )
    stripe_webhook_secret: Annotated[Secret, _fits(r"whsec_[!-+\--~]+( *, *whsec_[!-+\--~]+)*")] | None = (
        Field(
            None,
            description="the webhook endpoint's signing secret, which begins with whsec_, or several with commas between them",
        )
    )
    given_database_url: Annotated[Secret, AfterValidator(_is_database)] | None = Field(
        None,
        alias="DATABASE_URL",
        description="postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or sqlite:///FILE for a file",
    )
    port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None, description="a port: a whole number from 0 (any free one) to 65535"
    )
    paylink_public_url: Annotated[WebAddress, AfterValidator(_is_public)] | None = Field(
        None, description="an https address, or an http address of this machine, localhost"
    )
    paylink_notification_channel: (
        Annotated[str, BeforeValidator(_stripped), _fits(r"[CG][A-Z0-9]{2,254}")] | None
    ) = Field(
        None, description="a channel's id, which begins with C or G (Slack shows it in the channel's details)"
    )
    paylink_poll_seconds: Seconds = Field(
        300, description="a number of seconds above 0, at most 86400 (a day)"
    )
    paylink_stripe_rate: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = Field(
        23, description="a number of requests a second above 0, at most 1000"
    )
    paylink_lease_seconds: LeaseSeconds = Field(60, description="a number of seconds from 1 to 86400 (a day)")
    paylink_margin_seconds: Seconds = Field(
        60, description="a number of seconds above 0, at most 86400 (a day)"
    )
    paylink_mentions: Literal["on", "off"] = Field(
        "on", description="on or off: whether a paid message names whoever asked for the link"
    )
    paylink_secret_keys: Annotated[Secret, _fits(r"[A-Za-z0-9_-]{43}=( *, *[A-Za-z0-9_-]{43}=)*")] | None = (
        Field(
            None,
            description="a key of `paylink secrets new-key`, or several with commas between them: the first seals, all open",
        )
    )
    https_proxy: Annotated[Secret, AfterValidator(_is_proxy)] | None = Field(
        None,
        description="the address of a proxy, http://HOST:PORT, for connections to https and wss addresses",
    )
    http_proxy: Annotated[Secret, AfterValidator(_is_proxy)] | None = Field(
        None, description="the address of a proxy, http://HOST:PORT, for connections to http and ws addresses"
    )
    no_proxy: str | None = Field(
        None, description="hosts that are reached without a proxy, with commas between them, or * for all"
    )
    slack_api_url: WebAddress = Field(SLACK_API, description="an http or https address")
    stripe_api_url: WebAddress | None = Field(None, description="an http or https address")
    data_directory: Path = Field(exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is handed in (see load_settings), so nothing here reads the process's own."""
        return init_settings, dotenv_settings

    @property
    def database_url(self) -> str:
        if self.given_database_url is not None:
            return self.given_database_url.get_secret_value()
        return f"sqlite:///{self.data_directory / 'paylink.sqlite3'}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Each one is valid: while a secret rolls Stripe signs with two."""
        return _parted(self.stripe_webhook_secret)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """What secrets at rest are sealed with: the first seals, all open."""
        return _parted(self.paylink_secret_keys)

    @property
    def proxies(self) -> Proxies:
        return Proxies(secret(self.https_proxy), secret(self.http_proxy), self.no_proxy or "")

    @property
    def installing(self) -> bool:
        """Whether workspaces install the app by clicking, in place of the one whose token is a setting."""
        return self.slack_bot_token is None and None not in (
            self.paylink_public_url,
            self.slack_client_id,
            self.slack_client_secret,
        )

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None


def load_settings(env: Mapping[str, str], directory: Path | None = None) -> Settings:
    """Read the settings from ``env`` and the credentials that it points to (see bot/sources.py), then from the .env file
    in ``directory`` (the current one by default).

    Raises SettingsProblem for values that are malformed; what is missing is for each command to say.
    """
    file = (directory or Path()) / DOT_ENV
    try:
        values: dict[str, Any] = dict(given(setting_names(), env))
        line = find_unreadable(file)
        if line is not None:
            raise SettingsProblem(
                f"Line {line} of the file {file} can't be read: write NAME=value, and close each quotation mark."
            )
        return Settings(_env_file=file, **values, DATA_DIRECTORY=data_directory(env))  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsProblem("; ".join(_sentences(error)) + ".") from None
    except (OSError, ValueError):
        raise SettingsProblem(f"The file {DOT_ENV} can't be read: it must be a text file in UTF-8.") from None


def unknown_settings(env: Mapping[str, str], directory: Path | None = None) -> list[str]:
    """A sentence for each name that begins with PAYLINK_ and is no setting, where ``load_settings`` looks and finds no
    fault."""
    unknown = find_unknown(setting_names(), env, (directory or Path()) / DOT_ENV)
    return [
        f"{name} is no setting of Paylink's" + (f": {nearest} is." if nearest else ".")
        for name, nearest in unknown.items()
    ]


def setting_names() -> dict[str, str]:
    """Every setting's name and what its value must be."""
    return {
        field.alias or name.upper(): field.description
        for name, field in Settings.model_fields.items()
        if field.description
    }


def data_directory(env: Mapping[str, str]) -> Path:
    """Where data lives that no setting places elsewhere (XDG Base Directory Specification)."""
    data_home = env.get("XDG_DATA_HOME", "")
    if not data_home.startswith("/"):
        data_home = f"{env.get('HOME') or Path.home()}/.local/share"
    return Path(data_home) / "paylink"


def _parted(value: SecretStr | None) -> tuple[str, ...]:
    return () if value is None else tuple(one.strip() for one in value.get_secret_value().split(","))


def secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()


def _sentences(error: ValidationError) -> list[str]:
    """One for each setting, without its value, which may be a secret."""
    means = setting_names()
    names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_input=False))
    return [f"{name} must be {means.get(name, 'something else')}" for name in names]
