"""API keys: secret and restricted, test and live, and what each may do (/keys, /keys/restricted-api-keys)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

WRITE_INCLUDES_READ = ("_write", "_read")


@dataclass(slots=True)
class ApiKey:
    """A key of an account. `permissions` None means a secret key, which may do everything; a restricted key (rk_...)
    holds names such as "rak_payment_link_write", and write includes read.
    """

    secret: str
    account: str
    permissions: frozenset[str] | None = None
    revoked: bool = False
    expired: bool = False

    def __post_init__(self) -> None:
        if not self.secret.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise ValueError(f"not a secret or restricted API key: {self.secret[:8]}...")
        if self.permissions is not None:
            self.permissions = frozenset(self.permissions)

    @property
    def livemode(self) -> bool:
        return self.secret[3:8] == "live_"

    @property
    def redacted(self) -> str:
        """As Stripe's messages show a key: its beginning, stars, its last four characters."""
        return self.secret[:8] + "*" * max(len(self.secret) - 12, 3) + self.secret[-4:]

    def allows(self, permission: str) -> bool:
        if self.permissions is None or permission in self.permissions:
            return True
        write, read = WRITE_INCLUDES_READ
        return permission.endswith(read) and permission.removesuffix(read) + write in self.permissions

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"permissions": None if self.permissions is None else sorted(self.permissions)}
