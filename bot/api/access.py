"""Who is let in: a token that is valid now, not too often, and whoever tries others not too often either.

All counts are this process's own: several processes let through as many times as much.
"""

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.api.problems import Problem
from domain.programs.tokens import Program

PER_SECOND = 20
# Of unsuccessful attempts from one address: so many at once, and one more each second.
ATTEMPTS = 10
# Addresses and tokens that are remembered: whoever has more makes this forget, and costs no memory.
REMEMBERED = 10_000
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="paylink"'}

K = TypeVar("K")
V = TypeVar("V")
Clock = Callable[[], float]


class Access:
    """``admit`` asks whom a token lets in; it is asked for each request, so that a revoked one is out at once."""

    def __init__(
        self,
        admit: Callable[[str], Awaitable[Program | None]],
        *,
        per_second: int = PER_SECOND,
        clock: Clock = time.monotonic,
    ) -> None:
        self._admit = admit
        self._attempts = _Attempts(clock)
        self._rates = _Rates(per_second, clock)
        self._admitted: OrderedDict[bytes, None] = OrderedDict()

    async def enter(self, authorization: str | None, address: str) -> Program:
        """Whom the header lets in; what they may do, the desk asks. Raises Problem."""
        if authorization is None:
            raise _unauthorized(
                "Send the header Authorization: Bearer TOKEN, with one of `paylink token add`."
            )
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        # What was let in before may come from an address that others try from.
        fingerprint = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        if fingerprint not in self._admitted and (wait := self._attempts.wait(address)):
            raise Problem(
                429,
                "too-many-attempts",
                "Too many requests without a valid token came from this address.",
                retry_after=wait,
            )
        program = await self._admit(token) if scheme.lower() == "bearer" else None
        if program is None:
            self._admitted.pop(fingerprint, None)
            self._attempts.note(address)
            raise _unauthorized("The token isn't known, or it was revoked.")
        _remember(self._admitted, fingerprint, None)
        if not self._rates.take(program.token_id):
            raise Problem(
                429,
                "too-many-requests",
                f"A token is good for {self._rates.per_second} requests a second.",
                retry_after=1,
            )
        return program


class _Rates:
    """So many requests of a token in any second."""

    def __init__(self, per_second: int, clock: Clock) -> None:
        self.per_second = per_second
        self._clock = clock
        self._of: OrderedDict[int, deque[float]] = OrderedDict()

    def take(self, token_id: int) -> bool:
        now = self._clock()
        taken = self._of.get(token_id) or deque(maxlen=self.per_second)
        _remember(self._of, token_id, taken)
        if len(taken) == self.per_second and now - taken[0] < 1.0:
            return False
        taken.append(now)
        return True


class _Attempts:
    """A bucket for each address, from which every unsuccessful attempt takes one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Seconds until this address may try again; 0 if it may now."""
        return 1 if self._left(address) < 1 else 0

    def note(self, address: str) -> None:
        _remember(self._spent, address, (self._left(address) - 1, self._clock()))

    def _left(self, address: str) -> float:
        left, at = self._spent.get(address, (float(ATTEMPTS), 0.0))
        return min(float(ATTEMPTS), left + self._clock() - at)


def _remember(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers=_CHALLENGE)
