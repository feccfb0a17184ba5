"""One rule says which proxy a connection takes, as other programs read the same variables."""

from pathlib import Path

import pytest

from bot.proxies import Proxies
from bot.settings import SettingsProblem, load_settings

BOTH = {"HTTPS_PROXY": "http://safe.proxy:3128", "HTTP_PROXY": "plain.proxy:8080"}


def of(address: str, directory: Path, **env: str) -> str | None:
    return load_settings({"HOME": str(directory), **env}, directory).proxies.of(address)


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        ("https://slack.com/api", "http://safe.proxy:3128"),
        ("wss://wss-primary.slack.com/link/?ticket=1", "http://safe.proxy:3128"),
        ("http://slack.test/api", "http://plain.proxy:8080"),
        ("ws://slack.test/link", "http://plain.proxy:8080"),
        ("http://127.0.0.1:3000/api", None),
        ("http://localhost:3000/api", None),
        ("ws://[::1]:3000/link", None),
    ],
)
def test_the_scheme_says_which_and_this_machine_is_reached_directly(
    address: str, proxy: str | None, tmp_path: Path
) -> None:
    assert of(address, tmp_path, **BOTH) == proxy
    assert of(address, tmp_path) is None


@pytest.mark.parametrize(
    ("bypass", "direct"),
    [
        ("slack.com", True),
        (".slack.com", True),
        ("*.slack.com", True),
        ("example.com, SLACK.com", True),
        ("slack.com:443", True),
        ("*", True),
        ("slack.com:8443", False),
        ("lack.com", False),
        ("api.slack.com", False),
        (",", False),
    ],
)
def test_what_no_proxy_names_is_reached_directly(bypass: str, direct: bool, tmp_path: Path) -> None:
    for address in ("https://hooks.slack.com/x", "wss://wss.slack.com/link"):
        assert (of(address, tmp_path, **BOTH, NO_PROXY=bypass) is None) is direct


def test_small_letters_count_first_and_the_file_counts_too(tmp_path: Path) -> None:
    small = {"https_proxy": "http://small:1", "no_proxy": "stripe.com"}
    assert of("https://slack.com", tmp_path, **BOTH, **small) == "http://small:1"
    assert of("https://api.stripe.com", tmp_path, **BOTH, **small) is None
    (tmp_path / ".env").write_text("HTTPS_PROXY=http://file:1\n")
    assert of("https://slack.com", tmp_path) == "http://file:1"


def test_an_address_that_is_none_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="HTTPS_PROXY must be") as told:
        of("https://slack.com", tmp_path, HTTPS_PROXY="socks://user:hidden@proxy")
    assert "hidden" not in str(told.value)


def test_nothing_said_is_nothing_between() -> None:
    assert Proxies(bypass="*").of("https://slack.com") is None
