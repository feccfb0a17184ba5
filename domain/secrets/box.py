"""What seals a secret before it is written down, and opens it again.

What is sealed is the secret together with whose it is and what for, and both are compared when it is opened: a row that
was copied to another organisation, or a text to another column, opens nothing (decision 0031).
"""

import hmac
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet


class Purpose(StrEnum):
    """What a secret is for. The codes stand within what is sealed, so they never change."""

    BOT_TOKEN = "bot_token"  # noqa: S105 - the name of a secret, and none
    REFRESH_TOKEN = "refresh_token"  # noqa: S105
    STRIPE_KEY = "stripe_key"
    SIGNING_SECRETS = "signing_secrets"
    ENDPOINT_SECRET = "endpoint_secret"  # noqa: S105


class NoSecretKeys(Exception):
    """There is no key to seal or open anything with."""


class CannotOpen(Exception):
    """None of the keys opens it, or it was sealed for another organisation or purpose."""


class Box:
    """Seals with the first of ``keys`` (Fernet's, 32 bytes in URL-safe Base64) and opens with any of them.

    Raises ValueError for a key that is none. Without keys each use raises NoSecretKeys.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._all: MultiFernet | None = None
        self._first: Fernet | None = None
        if keys:
            # A process without secrets at rest needn't pay for it.
            from cryptography import fernet

            every = [fernet.Fernet(key) for key in keys]
            self._all, self._first = fernet.MultiFernet(every), every[0]

    @property
    def has_keys(self) -> bool:
        return self._all is not None

    def seal(self, secret: str, team_id: str, purpose: Purpose) -> str:
        """Raises NoSecretKeys."""
        if self._all is None:
            raise NoSecretKeys
        return self._all.encrypt(json.dumps([team_id, purpose.value, secret]).encode()).decode()

    def open(self, sealed: str, team_id: str, purpose: Purpose) -> str:
        """The secret. Raises CannotOpen, NoSecretKeys."""
        if self._all is None:
            raise NoSecretKeys
        return _open(self._all, sealed, team_id, purpose)

    def is_sealed_with_first(self, sealed: str) -> bool:
        """Whether the first key opens it: what rotation has done already. Raises NoSecretKeys."""
        from cryptography.fernet import InvalidToken

        if self._first is None:
            raise NoSecretKeys
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True


def _open(keys: "MultiFernet", sealed: str, team_id: str, purpose: Purpose) -> str:
    from cryptography.fernet import InvalidToken

    try:
        bound_team, bound_purpose, secret = json.loads(keys.decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        raise CannotOpen from None
    if not isinstance(secret, str) or not hmac.compare_digest(
        f"{bound_team}\n{bound_purpose}".encode(), f"{team_id}\n{purpose.value}".encode()
    ):
        raise CannotOpen
    return secret


def new_key() -> str:
    """A key that nobody has."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()
