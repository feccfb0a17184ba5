"""Ids of lists that aren't written down yet: nobody guesses one, and none is anybody else's (decision 0013)."""

import hashlib
import secrets

from domain.summaries import Actor

_NONCE_BITS, _MARK_BITS = 40, 22


def new_id(actor: Actor) -> int:
    """62 bits: chance, and then a mark of the person."""
    nonce = secrets.randbits(_NONCE_BITS) | 1 << (_NONCE_BITS - 1)
    return nonce << _MARK_BITS | _mark(actor, nonce)


def is_made_for(actor: Actor, selection_id: int) -> bool:
    """Whether it was this person's list that got the id, as far as 22 bits tell."""
    nonce = selection_id >> _MARK_BITS
    # The highest bit keeps the ids apart that earlier versions counted up from 1.
    return bool(nonce >> (_NONCE_BITS - 1)) and selection_id % (1 << _MARK_BITS) == _mark(actor, nonce)


def _mark(actor: Actor, nonce: int) -> int:
    whose = f"{actor.team_id} {actor.user_id} {nonce}".encode()
    return int.from_bytes(hashlib.sha256(whose).digest()[:4]) >> (32 - _MARK_BITS)
