"""The words for what somebody may not do, and whom to ask."""

from domain.errors import NotAllowed
from domain.states import Right, Standing
from handlers.words.text import Mentioning, mention_of

OUTSIDERS = "Paylink is for the people of the workspace that it is installed in."
_MOST_NAMED = 3

_REFUSED: dict[Right, str] = {
    Right.LOOK: "Guests see no billing invoices here unless they are named in Paylink's settings.",
    Right.CREATE: "Only the people whom your organisation chose for it create online payment links.",
    Right.IMPORT: "Guests can't import invoices.",
    Right.RESOLVE: "Guests can't resolve exceptions.",
    Right.SETTINGS: "Only administrators see and change Paylink's settings.",
}


NO_CREATOR = f"{_REFUSED[Right.CREATE]} Ask an administrator of Paylink or of your Slack workspace."


def not_allowed(refusal: NotAllowed) -> str:
    if refusal.standing in (Standing.STRANGER, Standing.DEACTIVATED):
        return OUTSIDERS
    why = _REFUSED[refusal.deed]
    named = [mention for one in refusal.ask[:_MOST_NAMED] if (mention := mention_of(one))]
    plain = f"{why} Ask an administrator of Paylink or of your Slack workspace."
    if not named:
        return plain
    *others, last = named
    whom = f"{', '.join(others)} or {last}" if others else last
    return Mentioning(plain, f"{why} Ask {whom}.")
