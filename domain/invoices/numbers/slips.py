"""Slips of the fingers in a number that somebody types."""

_SIGNS = "0123456789-"
_LONGEST = 24


def one_slip_away(key: str) -> list[str]:
    """What was meant if one sign is missing, one too many, one wrong, or two have changed places; some hundred keys, and none
    of a long one."""
    if len(key) > _LONGEST:
        return []
    cut = [(key[:place], key[place:]) for place in range(len(key) + 1)]
    meant = {before + after[1:] for before, after in cut if after}
    meant |= {before + after[1] + after[0] + after[2:] for before, after in cut if len(after) > 1}
    meant |= {
        before + sign + after[skipped:] for before, after in cut for sign in _SIGNS for skipped in (0, 1)
    }
    return sorted(meant)
