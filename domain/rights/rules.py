"""The rule of who may do what. A right comes from what somebody is in Slack and from the organisation's settings."""

from dataclasses import dataclass
from enum import Enum, auto

from domain.states import Creators, Right, Standing


@dataclass(frozen=True)
class Person:
    """Somebody who acts: as Slack knows them, and as the organisation's settings name them."""

    standing: Standing
    administers: bool = False
    """Whether they are named as administrator, or installed Paylink."""
    chosen: bool = False
    """Whether they are among the chosen people."""
    creators: Creators = Creators.EVERYONE
    """Whom the organisation lets create links."""
    in_group: bool = False
    """Whether they are in the user group that may create links, if that is who may."""


class _Role(Enum):
    ADMINISTRATOR = auto()
    MEMBER = auto()
    CHOSEN_GUEST = auto()
    NOBODY = auto()


_TABLE: dict[_Role, frozenset[Right]] = {
    _Role.ADMINISTRATOR: frozenset(Right),
    _Role.MEMBER: frozenset({Right.LOOK, Right.CREATE, Right.IMPORT, Right.RESOLVE}),
    _Role.CHOSEN_GUEST: frozenset({Right.LOOK, Right.CREATE}),
    _Role.NOBODY: frozenset(),
}
"""CREATE besides asks the organisation's setting, of administrators too."""


def may(person: Person, deed: Right) -> bool:
    return deed in _TABLE[_role(person)] and (deed is not Right.CREATE or _is_creator(person))


def _role(person: Person) -> _Role:
    if person.standing in (Standing.STRANGER, Standing.DEACTIVATED):
        return _Role.NOBODY
    if person.administers or person.standing is Standing.ADMINISTRATOR:
        return _Role.ADMINISTRATOR
    if person.standing is Standing.GUEST:
        return _Role.CHOSEN_GUEST if person.chosen else _Role.NOBODY
    return _Role.MEMBER


def _is_creator(person: Person) -> bool:
    match person.creators:
        case Creators.CHOSEN:
            return person.chosen
        case Creators.GROUP:
            return person.in_group
        case Creators.EVERYONE:
            return True
