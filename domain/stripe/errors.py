"""How a request to Stripe can end badly, told apart by what may be done next (facts: docs.stripe.com/error-low-level)."""


class StripeTrouble(Exception):
    """The root of them all."""


class StripeAway(StripeTrouble):
    """No answer, or one of Stripe's own failures: the effect is unknown, the identical request may be sent again.

    ``unsent``: the connection was never made, so there was no effect. ``saved``: Stripe answered with a failure that
    it keeps for this idempotency key, so asking again with the same key will bring the same answer.
    """

    def __init__(self, what: str, *, unsent: bool = False, saved: bool = False) -> None:
        super().__init__(what)
        self.unsent = unsent
        self.saved = saved


class StripeFailed(StripeAway):
    """Stripe, or a gateway before it, answered that it failed."""


class NotFromStripe(StripeAway):
    """An answer that isn't Stripe's own, as a gateway's page: whether the request came to Stripe is unknown."""


class StripeUnreadable(StripeAway):
    """An answer that isn't what was asked for. Whether there was an effect is as unknown as without any answer."""


class StripeLimited(StripeTrouble):
    """Too many requests, or an object or key in use: nothing happened, the same request may be sent a little later."""

    def __init__(self, what: str, retry_after: float | None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class StripeKeyRefused(StripeTrouble):
    """The key is wrong or revoked, or lacks a permission (``lacking``): nothing works until the operator mends it.

    ``permission`` is its name, if Stripe named it.
    """

    def __init__(self, *, lacking: bool = False, permission: str | None = None) -> None:
        super().__init__(permission)
        self.lacking = lacking
        self.permission = permission


class StripeRefused(StripeTrouble):
    """Stripe understood and won't: the request itself has to change. ``said`` is its own text, empty if it gave none.

    ``code`` is Stripe's; where it gave none but named the parameter, that is ``invalid_`` and its name.
    """

    def __init__(self, said: str, code: str | None) -> None:
        super().__init__(said)
        self.said = said
        self.code = code


class KeyReused(StripeTrouble):
    """The idempotency key was used with another request: find out what that one did before going on."""


class SignatureInvalid(StripeTrouble):
    """A webhook that Stripe didn't sign with any of the configured secrets within the last five minutes."""
